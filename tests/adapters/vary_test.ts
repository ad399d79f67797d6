import { assertEquals, assertStrictEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { Edge, MAKERS, PAGE, sets } from "../stage/hono_stage.ts";
import { Upstream } from "../stage/upstream.ts";

const ENOUGH = [
  "Accept-Encoding, Origin",
  "ORIGIN,accept-encoding",
  "*",
  "origin , Accept-Encoding",
];
const SETTERS = ["c.header", "c.res"] as const;

/** The answer in the words that a handler has for it: its bytes are coded. */
function coded(vary: string): Response {
  return new Response("bytes", { headers: { vary, "content-encoding": "br" } });
}

for (const lastGood of [false, { maxBodyMs: Infinity }] as const) {
  const keeping = lastGood === false ? "lastGood: false" : "lastGood";
  for (const vary of ENOUGH) {
    Deno.test(`30: Vary: ${vary} of a coded answer is left as it is, ${keeping}`, async () => {
      const edge = new Edge({}, { lastGood });
      edge.answer = () => coded(vary);

      const response = await edge.get();

      assertEquals(response.headers.get("vary"), vary);
      await response.body?.cancel();
    });

    for (const how of SETTERS) {
      Deno.test(`30: Vary: ${vary} is left as it is beside fields set outside by ${how}, ${keeping}`, async () => {
        const edge = new Edge({ outer: [sets(how, () => ({ "x-outer": "1" }))] }, { lastGood });
        edge.answer = () => coded(vary);

        const response = await edge.get();

        assertEquals(response.headers.get("vary"), vary);
        await response.body?.cancel();
      });
    }
  }
}

for (const [maker, make] of MAKERS) {
  Deno.test(`30: with lastGood: false the answer passes as the same object, ${maker}`, async () => {
    let own: Response | undefined;
    let seen: Response | undefined;
    const edge = new Edge({
      outer: [async (c, next) => {
        await next();
        seen = c.res;
      }],
      inner: [async (c, next) => {
        await next();
        own = c.res;
      }],
    }, { lastGood: false });
    edge.answer = (c) => make(c, "good", { "content-encoding": "identity" });

    await edge.read();

    assertStrictEquals(seen, own);
  });

  for (const how of SETTERS) {
    for (const status of [200, 404, 503]) {
      Deno.test(`30: with lastGood: false fields are as in plain Hono: set outside by ${how}, ${maker}, ${status}`, async () => {
        const outer = () => [
          sets(how, () => ({ vary: "Origin", "x-outer": "1", "cache-control": "private" })),
        ];
        const guarded = new Edge({ outer: outer() }, { lastGood: false });
        const plain = new Edge({ outer: outer() }, { mode: "off", lastGood: false });
        const bare = plainApp(outer()[0]!);
        for (const edge of [guarded, plain, bare]) {
          edge.answer = (c) => {
            const { headers } = make(c, "", { vary: "Accept-Encoding, Origin", "x-own": "1" });
            return new Response("text", { status, headers });
          };
        }

        const [first, second, expected] = [
          await guarded.get(),
          await plain.get(),
          await bare.get(),
        ];

        assertEquals([...first.headers], [...expected.headers]);
        assertEquals([...second.headers], [...expected.headers]);
        for (const response of [first, second, expected]) await response.text();
      });
    }
  }
}

/** As an Edge, but without a breaker. */
function plainApp(outer: MiddlewareHandler): Upstream<Context> & { get(): Promise<Response> } {
  const upstream = new Upstream<Context>((c) => c.text("good"));
  const app = new Hono();
  app.use(outer);
  app.all("*", upstream.reply);
  return Object.assign(upstream, { get: async () => await app.request(PAGE) });
}

for (const how of SETTERS) {
  Deno.test(`H6: with lastGood: false a refusal and a fallback carry fields set outside by ${how}`, async () => {
    const outer = () => [sets(how, () => ({ "access-control-allow-origin": "*", vary: "Origin" }))];
    const refusing = new Edge({ outer: outer() }, { threshold: 1, lastGood: false });
    const falling = new Edge({ outer: outer() }, {
      lastGood: false,
      fallback: () => new Response("instead", { headers: { vary: "Accept" } }),
    });
    for (const edge of [refusing, falling]) edge.fail();
    await refusing.read();

    const [refused, instead] = [await refusing.get(), await falling.get()];

    assertEquals([refused.status, await instead.text()], [503, "instead"]);
    for (const response of [refused, instead]) {
      assertEquals(response.headers.get("access-control-allow-origin"), "*");
      assertEquals(response.headers.get("x-failed"), null);
    }
    assertEquals([refused, instead].map((it) => it.headers.get("vary")), [
      "Origin",
      "Accept, Origin",
    ]);
    await refused.text();
  });
}

Deno.test("H6: with lastGood: false the answer to our timeout has nothing of the handler's fields", async () => {
  using time = new FakeTime();
  const edge = new Edge({ outer: [cors()] }, { timeoutMs: 100, lastGood: false });
  edge.fail((c) => {
    c.header("cache-control", "public, max-age=60");
    c.header("set-cookie", "id=1");
    return new Promise(() => {});
  });

  const pending = edge.get();
  await time.tickAsync(100);
  const response = await pending;

  assertEquals([response.status, (await response.json()).title], [504, "Gateway Timeout"]);
  assertEquals(response.headers.get("access-control-allow-origin"), "*");
  assertEquals(response.headers.get("cache-control"), "no-store");
  assertEquals([...response.headers.getSetCookie()], []);
});

Deno.test("K2: a coded answer varies by Accept-Encoding though its handler does not say so", async () => {
  const edge = new Edge();
  edge.answer = () => coded("Accept-Language");

  const response = await edge.get();

  assertEquals(response.headers.get("vary"), "Accept-Language, Accept-Encoding");
  await response.body?.cancel();
});
