import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { CircuitOpenError } from "@lastgood/breaker";
import { isRefusal, problem } from "../src/errors.ts";

const TIMES: readonly (readonly [retryAfterMs: number, secs: string])[] = [
  [60_000, "60"],
  [59_001, "60"],
  [1_000, "1"],
  [1, "1"],
  [0, "1"],
];

for (const [retryAfterMs, secs] of TIMES) {
  Deno.test(`26: an error with ${retryAfterMs} ms to wait says ${secs} secs everywhere`, async () => {
    const error = new CircuitOpenError("stock", retryAfterMs);
    const response = error.getResponse();

    assertEquals(error.message, `Circuit "stock" is open, retry after ${secs} secs`);
    assertEquals(response.headers.get("retry-after"), secs);
    assertEquals(
      (await response.json()).detail,
      `The upstream is failing, retry after ${secs} secs`,
    );
  });
}

Deno.test("23: a CircuitOpenError has the circuit and the time in fields, and its own name", () => {
  const error = new CircuitOpenError("stock", 1_500);

  assert(error instanceof Error);
  assertEquals([error.name, error.circuit, error.retryAfterMs], [
    "CircuitOpenError",
    "stock",
    1_500,
  ]);
  assertEquals(String(error), 'CircuitOpenError: Circuit "stock" is open, retry after 2 secs');
});

Deno.test("23: the stack of a CircuitOpenError begins with its name", () => {
  const error = new CircuitOpenError("stock", 1_500);

  assertEquals(Object.keys(error), ["circuit", "retryAfterMs"]);
  // Not every engine puts the name in the stack.
  if (error.stack?.includes("Error:")) {
    assertEquals(
      error.stack.split("\n")[0],
      'CircuitOpenError: Circuit "stock" is open, retry after 2 secs',
    );
  }
});

Deno.test("23: the error of an isolated circuit gives no time", async () => {
  const error = new CircuitOpenError("stock", Infinity);
  const response = error.getResponse();

  assertEquals(error.message, 'Circuit "stock" is held open');
  assertEquals(response.headers.has("retry-after"), false);
  assertEquals((await response.json()).detail, "The upstream is held off");
});

Deno.test("23: the response is problem details with no-store", async () => {
  const response = new CircuitOpenError("stock", 1_000).getResponse();

  assertEquals(response.status, 503);
  assertEquals(response.headers.get("content-type"), "application/problem+json");
  assertEquals(response.headers.get("cache-control"), "no-store");
  const { detail: _, ...rest } = await response.json();
  assertEquals(rest, { type: "about:blank", title: "Service Unavailable", status: 503 });
});

Deno.test("23: each response is a new one, and does not reveal the circuit's name", async () => {
  const error = new CircuitOpenError("http://internal:8080", 1_000);
  const [first, second] = [error.getResponse(), error.getResponse()];

  assertNotStrictEquals(first, second);
  assertEquals((await first.text()).includes("internal"), false);
  assertEquals(await second.text() !== "", true);
});

Deno.test("23: problem details take any status and extra header fields", async () => {
  const response = problem(504, "Gateway Timeout", "Nothing", { "x-a": "1" });

  assertEquals([response.status, response.headers.get("x-a")], [504, "1"]);
  assertEquals((await response.json()).title, "Gateway Timeout");
});

Deno.test("23: an error says why the circuit refused", () => {
  assertEquals(new CircuitOpenError("stock", 1_000).why, "open");
  assertEquals(new CircuitOpenError("stock", Infinity).why, "isolated");
  assertEquals(new CircuitOpenError("stock", 1_000, "busy").why, "busy");
});

Deno.test("23: the error of a busy circuit says so, in words and in its response", async () => {
  const error = new CircuitOpenError("stock", 1_500, "busy");

  assertEquals(error.message, 'Circuit "stock" is busy, retry after 2 secs');
  const { detail } = await error.getResponse().json();
  assertEquals(detail, "The upstream is busy, retry after 2 secs");
});

Deno.test("23: an error has the status and the fields of its response, for frameworks", () => {
  for (const retryAfterMs of [1_500, Infinity]) {
    const error = new CircuitOpenError("stock", retryAfterMs);
    const { status, headers } = error.getResponse();

    assertEquals([error.status, error.statusCode], [503, 503]);
    assertEquals([status, Object.fromEntries(headers)], [503, { ...error.headers }]);
  }
  assertEquals(new CircuitOpenError("stock", Infinity).headers, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
  });
  assertEquals(new CircuitOpenError("stock", 1_500).headers["retry-after"], "2");
});

Deno.test("23: frameworks may change the headers they read, and set a status", () => {
  const error = new CircuitOpenError("stock", 1_500);
  error.headers["retry-after"] = "changed";

  Object.assign(error, { status: 500, statusCode: 500, expose: false });

  assertEquals(error.headers["retry-after"], "2");
  assertEquals(new CircuitOpenError("stock", 1).status, 503);
});

Deno.test("23: a subclass of CircuitOpenError may have a name of its own", () => {
  class Assigned extends CircuitOpenError {
    constructor() {
      super("stock", 1_000);
      this.name = "Mine";
    }
  }
  class Declared extends CircuitOpenError {
    override name = "Mine";
  }

  for (const error of [new Assigned(), new Declared("stock", 1_000)]) {
    assertEquals([error.name, error.status], ["Mine", 503]);
    assertStrictEquals(CircuitOpenError.in(error), error);
  }
  assertEquals(new CircuitOpenError("stock", 1).name, "CircuitOpenError");
});

const refusal = new CircuitOpenError("stock", 1_000);
const WRAPPED: Record<string, unknown> = {
  "itself": refusal,
  "cause": new Error("fetch failed", { cause: refusal }),
  "a cause of a cause": new Error("a", { cause: new Error("b", { cause: refusal }) }),
  "originalError": Object.assign(new Error("x"), { originalError: refusal }),
  "error": { type: "error", error: refusal },
  "errors": new AggregateError([new Error("x"), refusal]),
  "nested lists": { errors: [[new Error("x")], [{ reason: refusal }]] },
  "reason": { status: "rejected", reason: refusal },
  "networkError": { networkError: refusal },
  "data.cause": Object.assign(new Error("x"), { data: { cause: refusal } }),
  "behind a cycle": (() => {
    const error: { cause?: unknown; error?: unknown } = {};
    error.cause = error;
    error.error = [error, { cause: error, reason: refusal }];
    return error;
  })(),
  "beside a getter that throws": {
    get cause() {
      throw new Error("getter");
    },
    get circuit() {
      throw new Error("getter");
    },
    error: refusal,
  },
};

for (const [where, error] of Object.entries(WRAPPED)) {
  Deno.test(`31: a refusal is found wherever a library has put it (${where})`, () => {
    assertStrictEquals(CircuitOpenError.in(error), refusal);
  });
}

const NO_REFUSAL: Record<string, unknown> = {
  "undefined": undefined,
  "null": null,
  "text": "CircuitOpenError",
  "an error": new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } }),
  "a cycle": (() => {
    const error = new Error("x");
    error.cause = error;
    return error;
  })(),
  "a getter that makes up new errors": (() => {
    const endless = (): object => ({
      get cause() {
        return endless();
      },
      get error() {
        return endless();
      },
    });
    return endless();
  })(),
  "a list without end": { errors: Array.from({ length: 100_000 }, () => new Error("x")) },
  "a revoked proxy": (() => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return { cause: proxy };
  })(),
  "the body of an error response": {
    data: { name: "CircuitOpenError", circuit: "theirs", retryAfterMs: 1, getResponse: "x" },
  },
  "an error that only takes the name": Object.assign(new Error("x"), { name: "CircuitOpenError" }),
};

for (const [what, error] of Object.entries(NO_REFUSAL)) {
  Deno.test(`31: no refusal is found where there is none (${what})`, () => {
    assertStrictEquals(CircuitOpenError.in(error), undefined);
  });
}

/** As another copy of the package would make it: nothing of it is of our class. */
function foreign(): Error {
  return Object.create(
    Object.create(Error.prototype, Object.getOwnPropertyDescriptors(CircuitOpenError.prototype)),
    { circuit: { value: "stock" }, retryAfterMs: { value: 1_000 }, name: { value: "Theirs" } },
  );
}

Deno.test("31: a refusal by another copy of the package is found", () => {
  const theirs = foreign();

  assertEquals(theirs instanceof CircuitOpenError, false);
  assertStrictEquals(CircuitOpenError.in(new Error("x", { cause: theirs })), theirs);
});

Deno.test("31: a response tells whether a refusal made it, and no copy of it does", () => {
  const response = new CircuitOpenError("stock", 1_000).getResponse();

  assertEquals(isRefusal(response), true);
  assertEquals(Object.keys(response), []);
  assertEquals(isRefusal(response.clone()), false);
  assertEquals(isRefusal(new Response(response.body, response)), false);
  assertEquals(isRefusal(problem(503, "Service Unavailable", "x")), false);
  for (const other of [undefined, null, "x", {}]) assertEquals(isRefusal(other), false);
});
