import { assertEquals, assertStrictEquals } from "@std/assert";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { CircuitOpenError } from "@lastgood/breaker";
import { breaker } from "@lastgood/breaker/hono";
import { only } from "../stage/events.ts";
import { type Answer, down, Edge, PAGE, quiet, thrown } from "../stage/hono_stage.ts";

const FAILURES: Record<string, Answer> = {
  "a returned 500": (c) => c.text("down", 500),
  "a returned 503": down,
  "a raw Response with 502": () => new Response("down", { status: 502 }),
  "a thrown Error": thrown,
  "a rejection": () => Promise.reject(new Error("rejected")),
  "a thrown HTTPException with 500": () => {
    throw new HTTPException(500, { message: "down" });
  },
  "a thrown HTTPException with 503 and a response": () => {
    throw new HTTPException(503, { res: new Response("down", { status: 503 }) });
  },
};

Deno.test("31: a thrown CircuitOpenError does not count, and is answered by what is kept", async () => {
  const edge = new Edge({}, { threshold: 1 });
  await edge.read();
  edge.fail(() => {
    throw new CircuitOpenError("inner", 1_000);
  });

  const texts = [await edge.read(), await edge.read()];

  assertEquals(texts, ["good", "good"]);
  assertEquals(edge.calls, 3);
  assertEquals(edge.types.includes("state"), false);
});

for (const [name, answer] of Object.entries(FAILURES)) {
  Deno.test(`30: ${name} is a failure and opens the circuit`, async () => {
    const edge = new Edge({}, { threshold: 2 });
    edge.fail(answer);

    await edge.read();
    await edge.read();
    const refused = await edge.get();

    assertEquals(edge.types, ["failure", "failure", "state", "refused"]);
    assertEquals(edge.calls, 2);
    assertEquals(refused.status, 503);
    assertEquals(refused.headers.get("retry-after"), answer === down ? "9" : "1");
    assertEquals(refused.headers.get("content-type"), "application/problem+json");
    await refused.text();
  });

  Deno.test(`30: ${name} is replaced by the last good response`, async () => {
    const edge = new Edge();
    await edge.read();
    edge.fail(answer);

    const response = await edge.get();

    assertEquals([response.status, await response.text()], [200, "good"]);
    assertEquals(response.headers.get("age"), "0");
    assertEquals(response.headers.get("x-failed"), null);
    assertEquals(response.headers.get("retry-after"), null);
  });

  Deno.test(`23: ${name} passes as the app answered it if nothing is kept`, async () => {
    const edge = new Edge();
    const plain = new Hono();
    edge.fail(answer);
    plain.get("*", answer);
    plain.onError(quiet);

    const response = await edge.get();
    const expected = await plain.request(PAGE);

    assertEquals(response.status, expected.status);
    assertEquals([...response.headers], [...expected.headers]);
    assertEquals(await response.text(), await expected.text());
  });
}

const CLIENT_ERRORS: Record<string, Answer> = {
  "a returned 404": (c) => c.text("none", 404),
  "a returned 501": (c) => c.text("none", 501),
  ...Object.fromEntries(
    ([400, 401, 403, 404, 409, 418, 422] as const).map((status) => [
      `a thrown HTTPException with ${status}`,
      () => {
        throw new HTTPException(status, { message: "no" });
      },
    ]),
  ),
};

for (const [name, answer] of Object.entries(CLIENT_ERRORS)) {
  Deno.test(`30: ${name} is an answer and never opens the circuit`, async () => {
    const edge = new Edge({}, { threshold: 1 });
    await edge.read();
    edge.fail(answer);

    const first = await edge.get();
    for (let call = 0; call < 10; call++) await edge.read();

    assertEquals(first.status, Number(name.slice(-3)));
    assertEquals(await first.text(), name.includes("thrown") ? "no" : "none");
    assertEquals(edge.types.filter((type) => type !== "success"), []);
    assertEquals(edge.calls, 12);
  });
}

/** Things a handler may throw, by shape, and the verdict on each. */
const THROWN: readonly (readonly [what: string, shape: object, verdict: string])[] = [
  ["status 404 and getResponse", { status: 404, getResponse() {} }, "success"],
  ["status 200 and getResponse", { status: 200, getResponse() {} }, "success"],
  ["status 499 and getResponse", { status: 499, getResponse() {} }, "success"],
  ["status 199 and getResponse", { status: 199, getResponse() {} }, "failure"],
  ["status 500 and getResponse", { status: 500, getResponse() {} }, "failure"],
  ["a string for a status", { status: "404", getResponse() {} }, "failure"],
  ["a getResponse that is not a function", { status: 404, getResponse: true }, "failure"],
  ["status 404 alone", { status: 404 }, "failure"],
  ["getResponse alone", { getResponse() {} }, "failure"],
];

for (const [what, shape, verdict] of THROWN) {
  Deno.test(`30: a thrown error with ${what} is a ${verdict}, answered by the app`, async () => {
    const edge = new Edge();
    edge.app.onError((error, c) => c.text(error.message, 500));
    const error = Object.assign(new Error("own"), shape);
    edge.fail(() => {
      throw error;
    });

    const response = await edge.get();

    assertEquals([response.status, await response.text()], [500, "own"]);
    assertEquals(edge.types, [verdict]);
    for (const failure of only(edge.events, "failure")) assertStrictEquals(failure.error, error);
  });
}

Deno.test("30: a thrown HTTPException with 429 is ignored", async () => {
  const edge = new Edge();
  edge.fail(() => {
    throw new HTTPException(429);
  });

  assertEquals((await edge.get()).status, 429);
  assertEquals(edge.types, ["ignored"]);
});

Deno.test("30: an HTTPException below 500 is not a failure, whatever onError makes of it", async () => {
  const edge = new Edge({}, { threshold: 1 });
  edge.app.onError((error, c) => c.text(error.message, 500, { "x-own": "1" }));
  await edge.read();
  edge.fail(() => {
    throw new HTTPException(400, { message: "bad" });
  });

  const response = await edge.get();

  assertEquals([response.status, await response.text()], [500, "bad"]);
  assertEquals(response.headers.get("x-own"), "1");
  assertEquals(edge.types, ["success", "success"]);
});

Deno.test("S17: a client error leaves the last good response in place", async () => {
  const edge = new Edge();
  await edge.read();
  edge.fail(() => {
    throw new HTTPException(400);
  });
  await edge.read();
  edge.fail();

  assertEquals(await edge.read(), "good");
});

Deno.test("30: a thrown error is a failure even if onError answers 200", async () => {
  const edge = new Edge();
  edge.app.onError((_, c) => c.text("sorry"));
  await edge.read();
  edge.fail(thrown);

  assertEquals(await edge.read(), "good");
  assertEquals(edge.types, ["success", "failure", "stale"]);
});

Deno.test("30: onError's answer passes as it is if nothing is kept, and is not kept itself", async () => {
  const edge = new Edge();
  edge.app.onError((error, c) => c.json({ error: error.message }, 500, { "x-own": "1" }));
  edge.fail(thrown);

  for (let call = 0; call < 2; call++) {
    const response = await edge.get();

    assertEquals(response.status, 500);
    assertEquals(response.headers.get("x-own"), "1");
    assertEquals(response.headers.get("age"), null);
    assertEquals(await response.text(), '{"error":"thrown"}');
  }
});

Deno.test("30: an onError that throws is a failure, too", async () => {
  const edge = new Edge();
  await edge.read();
  edge.app.onError(thrown);
  edge.fail(thrown);

  assertEquals(await edge.read(), "good");
  assertEquals(edge.types.slice(1), ["failure", "stale"]);
});

Deno.test("H6: a thrown value that is not an Error is a failure, and is replaced", async () => {
  const edge = new Edge();
  await edge.read();
  edge.fail(() => Promise.reject("not an error"));

  assertEquals(await edge.read(), "good");
  assertEquals(edge.types.slice(1), ["failure", "stale"]);
});

Deno.test("H6: a thrown value that is not an Error passes if nothing is kept", async () => {
  const edge = new Edge();
  edge.fail(() => Promise.reject("not an error"));

  const error = await edge.get().then(() => undefined, (error) => error);

  assertEquals(error, "not an error");
});

Deno.test("23: a missing route is answered by notFound", async () => {
  const app = new Hono();
  app.use(breaker({ threshold: 1, timeoutMs: Infinity }));
  app.notFound((c) => c.text("nothing here", 404, { "x-own": "1" }));

  for (let call = 0; call < 3; call++) {
    const response = await app.request(PAGE);

    assertEquals([response.status, await response.text()], [404, "nothing here"]);
    assertEquals(response.headers.get("x-own"), "1");
  }
});

Deno.test("30: a notFound that answers 500 is a failure", async () => {
  const app = new Hono();
  app.use(breaker({ threshold: 1, timeoutMs: Infinity }));
  app.notFound((c) => c.text("broken", 500));

  const statuses = [await app.request(PAGE), await app.request(PAGE)].map(({ status }) => status);

  assertEquals(statuses, [500, 503]);
});

Deno.test("23: the fallback answers a thrown error, and receives it", async () => {
  const causes: unknown[] = [];
  const edge = new Edge({}, {
    fallback: (_, cause) => {
      causes.push(cause);
      return new Response("instead", { status: 203 });
    },
  });
  const error = new Error("thrown");
  edge.fail(() => {
    throw error;
  });

  const response = await edge.get();

  assertEquals([response.status, await response.text()], [203, "instead"]);
  assertStrictEquals(causes[0], error);
});

Deno.test("F7: the body of a replaced error page is cancelled", async () => {
  const edge = new Edge();
  let cancelled = 0;
  const page = () =>
    new Response(new ReadableStream({ cancel: () => void cancelled++ }), { status: 500 });
  edge.app.onError(page);
  await edge.read();

  for (const answer of [thrown, page]) {
    edge.fail(answer);
    assertEquals(await edge.read(), "good");
  }

  assertEquals(cancelled, 2);
});
