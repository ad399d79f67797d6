import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { setCookie } from "hono/cookie";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { down, Edge, MAKERS, sets } from "../stage/hono_stage.ts";

for (const [maker, make] of MAKERS) {
  Deno.test(`H6: a field that is set outside by c.header and then by c.res has the later value, ${maker}`, async () => {
    const edge = new Edge({
      outer: [sets("c.header", () => ({ "x-client": "1" })), async (c, next) => {
        c.res.headers.set("x-client", "2");
        await next();
      }],
    });
    edge.answer = (c) => make(c, "good");

    const good = await edge.get();
    edge.fail();
    const stale = await edge.get();

    assertEquals([await good.text(), good.headers.get("x-client")], ["good", "2"]);
    assertEquals([await stale.text(), stale.headers.get("x-client")], ["good", "2"]);
  });

  for (const how of ["c.header", "c.res"] as const) {
    Deno.test(`H6: each client gets its own field set outside by ${how}, ${maker}`, async () => {
      const edge = new Edge({
        outer: [sets(how, (c) => ({ "x-client": c.req.header("x-name") ?? "" }))],
      });
      edge.answer = (c) => make(c, "good", { "x-own": "1" });
      const asking = (name: string) => ({ headers: { "x-name": name } });
      assertEquals((await edge.get(asking("ann"))).headers.get("x-client"), "ann");
      edge.fail();

      for (const name of ["bob", "ann"]) {
        const response = await edge.get(asking(name));

        assertEquals(await response.text(), "good");
        assertEquals(response.headers.get("x-client"), name);
        assertEquals(response.headers.get("x-own"), "1");
      }
    });

    for (const forbids of ["private", "no-store", "no-cache"]) {
      Deno.test(`S3, S4, S5: Cache-Control ${forbids} set outside by ${how} forbids keeping, ${maker}`, async () => {
        const edge = new Edge({ outer: [sets(how, () => ({ "cache-control": forbids }))] });
        edge.answer = (c) => make(c, "good");

        const response = await edge.get();
        edge.fail();

        assertEquals(response.headers.get("cache-control"), forbids);
        await response.text();
        assertEquals(await edge.read(), "down");
        assertEquals(edge.notKept[0], forbids);
      });
    }

    Deno.test(`S4: the answer's own Cache-Control private forbids keeping, whatever is set outside by ${how}, ${maker}`, async () => {
      const edge = new Edge({ outer: [sets(how, () => ({ "cache-control": "private" }))] });
      edge.answer = (c) => make(c, "good", { "cache-control": "private" });

      await edge.read();
      edge.fail();

      assertEquals(await edge.read(), "down");
    });

    for (const forbids of ["private", "no-store", "no-cache"]) {
      Deno.test(`S3, S4, S5: the answer's own Cache-Control ${forbids} forbids keeping beside public set outside by ${how}, ${maker}`, async () => {
        const edge = new Edge({ outer: [sets(how, () => ({ "cache-control": "public" }))] });
        edge.answer = (c) => make(c, "good", { "cache-control": forbids });

        const response = await edge.get();
        edge.fail();

        // Hono lets what is set on c.res win.
        assertEquals(response.headers.get("cache-control"), how === "c.res" ? "public" : forbids);
        await response.text();
        assertEquals(await edge.read(), "down");
        assertEquals(edge.notKept, [forbids]);
      });
    }

    Deno.test(`S10: a reflected origin set outside by ${how} counts as Vary: Origin, ${maker}`, async () => {
      const origin = (c: { req: { header(name: string): string | undefined } }) =>
        c.req.header("origin") ?? "";
      const edge = new Edge({
        outer: [sets(how, (c) => ({ "access-control-allow-origin": origin(c) }))],
      });
      edge.answer = (c) => make(c, origin(c));
      const from = (origin: string) => ({ headers: { origin } });
      const live = await edge.get(from("https://a.test"));
      await live.text();
      edge.fail();

      assertEquals(live.headers.get("vary"), null);
      assertEquals(await edge.read(from("https://b.test")), "down");
      assertEquals(await edge.read(from("https://a.test")), "https://a.test");
    });

    Deno.test(`S20: a nonce set outside by ${how} forbids keeping, ${maker}`, async () => {
      const policy = { "content-security-policy": "script-src 'nonce-abc'" };
      const edge = new Edge({ outer: [sets(how, () => policy)] });
      edge.answer = (c) => make(c, "good");
      await edge.read();
      edge.fail();

      assertEquals(await edge.read(), "down");
      assertEquals(edge.notKept, ["nonce"]);
    });

    Deno.test(`S7: an answer with a cookie set outside by ${how} is not kept, and no other client gets it, ${maker}`, async () => {
      const edge = new Edge({
        outer: [sets(how, (c) => ({ "set-cookie": `id=${c.req.header("x-name")}` }))],
      });
      edge.answer = (c) => make(c, "good");

      const good = await edge.get({ headers: { "x-name": "ann" } });
      edge.fail();
      const failed = await edge.get({ headers: { "x-name": "bob" } });

      assertEquals([await good.text(), [...good.headers.getSetCookie()]], ["good", ["id=ann"]]);
      assertEquals([await failed.text(), [...failed.headers.getSetCookie()]], ["down", ["id=bob"]]);
      assertEquals(edge.notKept, ["set-cookie"]);
    });

    Deno.test(`S7: with "set-cookie" ignored, each client gets its own cookies set outside by ${how}, ${maker}`, async () => {
      const cookies = (c: { req: { header(name: string): string | undefined } }) => ({
        "set-cookie": `id=${c.req.header("x-name")}`,
        "Set-Cookie": "seen=yes",
      });
      const edge = new Edge({ outer: [sets(how, cookies)] }, {
        lastGood: { ignore: ["set-cookie"], maxBodyMs: Infinity },
      });
      edge.answer = (c) => make(c, "good", { "set-cookie": "own=1" });

      const good = await edge.get({ headers: { "x-name": "ann" } });
      edge.fail();
      const stale = await edge.get({ headers: { "x-name": "bob" } });

      assertEquals([...good.headers.getSetCookie()].sort(), ["id=ann", "own=1", "seen=yes"]);
      assertEquals([...stale.headers.getSetCookie()].sort(), ["id=bob", "seen=yes"]);
      assertEquals([await good.text(), await stale.text()], ["good", "good"]);
    });

    Deno.test(`K2: Vary set outside by ${how} counts, ${maker}`, async () => {
      const edge = new Edge({ outer: [sets(how, () => ({ vary: "Accept-Language" }))] });
      edge.answer = (c) => make(c, c.req.header("accept-language") ?? "");
      await edge.read({ headers: { "accept-language": "de" } });
      edge.fail();

      assertEquals(await edge.read({ headers: { "accept-language": "fr" } }), "down");
      assertEquals(await edge.read({ headers: { "accept-language": "de" } }), "de");
    });
  }

  Deno.test(`1: an answer's own fields win over those set outside by c.header, ${maker}`, async () => {
    const edge = new Edge({ outer: [sets("c.header", () => ({ "x-own": "outer" }))] });
    edge.answer = (c) => make(c, "good", { "x-own": "inner", "content-type": "a/b" });

    for (const answer of [edge.answer, down]) {
      edge.answer = answer;
      const response = await edge.get();

      assertEquals(await response.text(), "good");
      assertEquals(response.headers.get("x-own"), "inner");
      assertEquals(response.headers.get("content-type"), "a/b");
    }
  });

  Deno.test(`H6: requestId outside gives each client its own id, ${maker}`, async () => {
    let id = 0;
    const edge = new Edge({ outer: [requestId({ generator: () => `id-${++id}` })] });
    edge.answer = (c) => make(c, `good for ${c.get("requestId") as string}`);
    assertEquals(await edge.read(), "good for id-1");
    edge.fail();

    const ids = [await edge.get(), await edge.get()].map((it) => it.headers.get("x-request-id"));

    assertEquals(ids, ["id-2", "id-3"]);
  });

  Deno.test(`H1: requestId inside is part of the answer, ${maker}`, async () => {
    let id = 0;
    const edge = new Edge({ inner: [requestId({ generator: () => `id-${++id}` })] });
    edge.answer = (c) => make(c, "good", { "x-request-id": c.get("requestId") as string });
    await edge.read();
    edge.fail();

    assertEquals((await edge.get()).headers.get("x-request-id"), "id-1");
  });

  for (const place of ["outer", "inner"] as const) {
    Deno.test(`H6: an ${place} secureHeaders sets its fields once, ${maker}`, async () => {
      const edge = new Edge({ [place]: [secureHeaders()] });
      edge.answer = (c) => make(c, "good");
      const good = await edge.get();
      edge.fail();
      const stale = await edge.get();

      assertEquals([await good.text(), await stale.text()], ["good", "good"]);
      for (const name of ["x-frame-options", "x-content-type-options", "referrer-policy"]) {
        assertNotEquals(good.headers.get(name), null);
        assertEquals(stale.headers.get(name), good.headers.get(name), name);
      }
    });
  }
}

Deno.test("S7: a cookie that the handler sets with setCookie is not kept", async () => {
  const edge = new Edge();
  edge.answer = (c) => {
    setCookie(c, "id", "ann");
    return c.text("good");
  };
  const good = await edge.get();
  edge.fail();

  assertEquals([...good.headers.getSetCookie()], ["id=ann; Path=/"]);
  assertEquals([await good.text(), await edge.read()], ["good", "down"]);
});

Deno.test("1: without outer fields the answer is the handler's own Response object", async () => {
  const own = new Response("none", { status: 404 });
  let seen: Response | undefined;
  const edge = new Edge({
    outer: [async (c, next) => {
      await next();
      seen = c.res;
    }],
  });
  edge.answer = () => own;

  await edge.get();

  assert(seen === own);
});

Deno.test("1: a content type set outside is not added to a body without one, as in plain Hono", async () => {
  for (const how of ["c.header", "c.res"] as const) {
    const edge = new Edge({ outer: [sets(how, () => ({ "content-type": "a/b" }))] });
    edge.answer = () => new Response(new Uint8Array([1]));
    const good = await edge.get();
    await good.text();
    edge.fail();
    const stale = await edge.get();
    await stale.text();

    assert(stale.headers.has("age"));
    for (const response of [good, stale]) {
      assertEquals(response.headers.get("content-type"), null, how);
    }
  }
});
