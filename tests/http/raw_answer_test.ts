import { assert, assertEquals } from "@std/assert";
import { answerField, hasFields } from "../../src/http/raw_answer.ts";
import { proxyTest } from "../../src/runtime.ts";
import { withLightResponses } from "../stage/light_response.ts";

const NAMES = ["cache-control", "set-cookie", "vary", "etag", "content-encoding", "pragma"];

const inherited = Object.assign(Object.create({ "cache-control": "no-store" }), { "x-a": "1" });

/** What a handler may give for fields, by what is odd about it. */
const FORMS: Readonly<Record<string, unknown>> = {
  "a record": { "cache-control": "no-store", "etag": '"1"' },
  "names in mixed case": {
    "Cache-Control": "private",
    "SET-COOKIE": "a=1",
    "vary": "*",
    "ETag": "x",
  },
  "one name in two cases": { "Cache-Control": "max-age=5", "cache-control": "no-store" },
  "white space around a value": { "cache-control": " no-store\t" },
  "a value that is no string": { "cache-control": ["private", "no-store"], "pragma": 1 },
  "an empty value": { "vary": "" },
  "pairs": [["Cache-Control", "no-store"], ["Vary", "cookie"], ["vary", "accept"]],
  "a map": new Map([["Cache-Control", "no-store"]]),
  "a record that gives pairs": {
    "x": "1",
    *[Symbol.iterator]() {
      yield ["Cache-Control", "private"];
    },
  },
  "a record with a prototype": inherited,
  "a record without a prototype": Object.assign(Object.create(null), { "Vary": "cookie" }),
  "Headers": new Headers({ "Cache-Control": "no-store", "Set-Cookie": "a=1" }),
  "no fields": undefined,
};

for (const [about, form] of Object.entries(FORMS)) {
  Deno.test(`a field of a light response given by ${about} is what Headers say`, async () => {
    await withLightResponses(() => {
      const headers = form as HeadersInit;
      const expected = new Headers(headers);
      const read = (name: string) => answerField(new Response("", { headers }), name);

      assertEquals(NAMES.map(read), NAMES.map((name) => expected.get(name)));
    });
  });
}

Deno.test("a field of a light response is read without making Headers", async () => {
  await withLightResponses((made) => {
    answerField(new Response(""), "etag");
    const response = new Response("", { headers: { "ETag": '"1"' } });
    made.headers = 0;

    const seen = [
      hasFields(response),
      answerField(response, "etag"),
      answerField(response, "vary"),
    ];

    // Elsewhere nobody knows whether somebody has put fields over them.
    const isKnown = proxyTest() !== undefined;
    assertEquals([...seen, made.headers], [true, '"1"', null, isKnown ? 0 : 1]);
  });
});

Deno.test("a field set on a light response later is read", async () => {
  await withLightResponses(() => {
    const response = new Response("", { headers: { "cache-control": "max-age=60" } });
    response.headers.set("cache-control", "no-store");

    assertEquals(answerField(response, "cache-control"), "no-store");
  });
});

Deno.test("a field set after the body of a light response was taken is read", async () => {
  await withLightResponses(() => {
    const response = new Response("", { headers: { "cache-control": "max-age=60" } });
    assert(response.body !== undefined);
    response.headers.set("cache-control", "no-store");

    assertEquals(answerField(response, "cache-control"), "no-store");
  });
});

Deno.test("a light response with headers of its own is read by them", async () => {
  await withLightResponses(() => {
    const response = new Response("", { headers: {} });
    Object.defineProperty(response, "headers", { value: new Headers({ vary: "cookie" }) });

    assertEquals(answerField(response, "vary"), "cookie");
  });
});

Deno.test("a Proxy of a light response is read by its headers", async () => {
  await withLightResponses(() => {
    const headers = new Headers({ vary: "cookie" });
    const response = new Proxy(new Response("", { headers: {} }), {
      get: (target, name) => name === "headers" ? headers : Reflect.get(target, name, target),
    });

    assertEquals(answerField(response, "vary"), "cookie");
  });
});

Deno.test("a class made of a light one is read by its headers", async () => {
  await withLightResponses(() => {
    class Own extends Response {
      override get headers() {
        return new Headers({ vary: "cookie" });
      }
    }

    assertEquals(answerField(new Own("", { headers: {} }), "vary"), "cookie");
  });
});

for (const use of ["headers", "body"] as const) {
  Deno.test(`a light class that keeps its record when its ${use} has been read is not trusted`, async () => {
    await withLightResponses(() => {
      const record = Symbol("record");
      class Keeping extends globalThis.Response {
        [record]: unknown[] | undefined;
        constructor(_body?: BodyInit | null, init?: ResponseInit) {
          super(new Blob(), init);
          this[record] = [init?.headers];
        }
        override get headers() {
          const headers = super.headers;
          if (use === "body" && !this.#isUsed) this[record] = [headers];
          return headers;
        }
        #isUsed = false;
        override get body() {
          this.#isUsed = true;
          if (use === "headers") this[record] = undefined;
          return super.body;
        }
      }
      globalThis.Response = Keeping;
      const response = new Keeping("", { headers: { "cache-control": "max-age=60" } });
      assert(use === "headers" || response.body !== undefined);
      response.headers.set("cache-control", "no-store");

      assertEquals(answerField(response, "cache-control"), "no-store");
    });
  });
}

for (
  const [whose, isTouched] of Object.entries({
    "those given": (headers: Headers) => headers.has("x-probe") || headers.has("x-given"),
    "none": (headers: Headers) => !headers.has("x-probe"),
  })
) {
  Deno.test(`a light class that adds fields to ${whose} is not trusted`, async () => {
    await withLightResponses(() => {
      class Adding extends globalThis.Response {
        override get headers() {
          const headers = super.headers;
          if (isTouched(headers)) headers.set("vary", "cookie");
          return headers;
        }
      }
      globalThis.Response = Adding;
      const response = new Adding("", { headers: { "x-given": "1" } });

      assertEquals(answerField(response, "vary"), "cookie");
    });
  });
}

Deno.test("an ordinary response's field is read", () => {
  assertEquals(answerField(new Response("", { headers: { vary: "cookie" } }), "vary"), "cookie");
});
