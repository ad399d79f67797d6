import { assert, assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { cors } from "hono/cors";
import { type Answer, down, Edge, MAKERS, thrown } from "../stage/hono_stage.ts";

const A = "https://a.test";
const B = "https://b.test";

function from(origin: string): RequestInit {
  return { headers: { origin } };
}

const FAILURES: Record<string, Answer> = { "returned 503": down, "thrown error": thrown };

for (const [maker, make] of MAKERS) {
  for (const [failure, answer] of Object.entries(FAILURES)) {
    Deno.test(`H6: CORS outside, ${maker}, ${failure}: each client gets its own origin`, async () => {
      const edge = new Edge({
        outer: [cors({ origin: (origin) => origin, credentials: true })],
      });
      edge.answer = (c) => make(c, "good", { "x-own": "1" });
      for (const origin of [A, B]) {
        const { headers } = await edge.get(from(origin));
        assertEquals(headers.get("access-control-allow-origin"), origin);
      }
      edge.fail(answer);

      const toA = await edge.get(from(A));
      const toB = await edge.get(from(B));

      for (const [origin, response] of [[A, toA], [B, toB]] as const) {
        assertEquals(await response.text(), "good");
        assertEquals(response.headers.get("access-control-allow-origin"), origin);
        assertEquals(response.headers.get("access-control-allow-credentials"), "true");
        assertEquals(response.headers.get("vary")?.toLowerCase(), "origin");
        assertEquals(response.headers.get("x-own"), "1");
        assert(response.headers.has("age"));
      }
    });

    Deno.test(`S10: CORS outside, ${maker}, ${failure}: no origin gets another one's page`, async () => {
      const edge = new Edge({ outer: [cors({ origin: (origin) => origin || null })] });
      edge.answer = (c) => make(c, `for ${c.req.header("origin")}`);
      await edge.read(from(A));
      edge.fail(answer);

      const others = [await edge.get(from(B)), await edge.get()];

      for (const response of others) {
        assertEquals(response.status, answer === down ? 503 : 500);
        await response.text();
      }
      assertEquals(await edge.read(from(A)), `for ${A}`);
    });

    Deno.test(`H6: CORS outside, ${maker}, ${failure}: a client without an origin gets none`, async () => {
      const edge = new Edge({ outer: [cors({ origin: (origin) => origin || null })] });
      edge.answer = (c) => make(c, "good");
      await edge.read();
      edge.fail(answer);

      const response = await edge.get();

      assertEquals(await response.text(), "good");
      assertEquals(response.headers.get("access-control-allow-origin"), null);
    });

    Deno.test(`S10: CORS outside for all origins, ${maker}, ${failure}: all share one copy`, async () => {
      const edge = new Edge({ outer: [cors()] });
      edge.answer = (c) => make(c, "good");
      await edge.read(from(A));
      edge.fail(answer);

      const response = await edge.get(from(B));

      assertEquals(await response.text(), "good");
      assertEquals(response.headers.get("access-control-allow-origin"), "*");
      assertEquals(response.headers.get("vary"), null);
    });

    Deno.test(`H6: CORS outside, ${maker}, ${failure}: an error response carries the origin, too`, async () => {
      const edge = new Edge({ outer: [cors({ origin: (origin) => origin })] }, { threshold: 1 });
      edge.fail(answer);

      const failed = await edge.get(from(A));
      const refused = await edge.get(from(B));

      assertEquals(failed.headers.get("access-control-allow-origin"), A);
      assertEquals(refused.headers.get("access-control-allow-origin"), B);
      assertEquals(refused.headers.get("content-type"), "application/problem+json");
      await failed.text();
      await refused.text();
    });
  }

  Deno.test(`H6: CORS outside, ${maker}: the kept answer's own CORS field gives way`, async () => {
    const edge = new Edge({ outer: [cors({ origin: (origin) => origin || null })] });
    edge.answer = (c) => make(c, "good", { "access-control-allow-origin": "*" });

    const live = await edge.get(from(B));
    edge.fail();
    const stale = await edge.get(from(B));

    for (const response of [live, stale]) {
      assertEquals(response.headers.get("access-control-allow-origin"), B);
      assertEquals(await response.text(), "good");
    }
  });

  Deno.test(`K2: an answer's own Vary counts alongside CORS outside, ${maker}`, async () => {
    const edge = new Edge({ outer: [cors({ origin: (origin) => origin })] });
    edge.answer = (c) =>
      make(c, c.req.header("accept-language") ?? "", { vary: "Accept-Language" });
    const asking = (language: string) => ({ headers: { origin: A, "accept-language": language } });
    const good = await edge.get(asking("de"));
    edge.fail();

    const [german, french] = [await edge.get(asking("de")), await edge.get(asking("fr"))];

    assertEquals([await good.text(), await german.text()], ["de", "de"]);
    assertEquals([french.status, await french.text()], [503, "down"]);
    const names = german.headers.get("vary")?.toLowerCase().split(", ").sort();
    assertEquals(names, ["accept-language", "origin"]);
  });
}

Deno.test("H6: CORS outside: the answer to our timeout carries the origin, too", async () => {
  using time = new FakeTime();
  const edge = new Edge({ outer: [cors({ origin: (origin) => origin })] }, { timeoutMs: 100 });
  edge.fail(() => new Promise(() => {}));

  const pending = edge.get(from(A));
  await time.tickAsync(100);
  const response = await pending;

  assertEquals([response.status, (await response.json()).title], [504, "Gateway Timeout"]);
  assertEquals(response.headers.get("access-control-allow-origin"), A);
});
