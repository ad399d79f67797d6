/** Attacks by answers that are not the page, or not everybody's (S1 to S3, S10, S11, S14, K2). */

import { assertEquals } from "@std/assert";
import { only } from "../../stage/events.ts";
import { ORIGIN, Site } from "../../stage/site.ts";
import { madeBy, page } from "../../stage/upstream.ts";
import { EVERY_WAY } from "../../stage/ways.ts";

for (const way of EVERY_WAY) {
  Deno.test(`S10: ${way}: an answer made for one origin reaches no other, though it does not say Vary`, async () => {
    const site = new Site({}, way);
    site.answer = ({ headers }) => {
      const origin = headers.get("origin") ?? "none";
      return new Response(origin, { headers: { "access-control-allow-origin": origin } });
    };
    const from = (origin: string) => ({ headers: { origin } });
    await site.read(from("https://a.test"));
    await site.read(from("null"));

    const found = [];
    for (const origin of ["https://a.test", "null", "https://b.test", "https://A.test"]) {
      found.push(await site.kept(from(origin)));
    }

    assertEquals(found, ["https://a.test", "null", undefined, undefined]);
    assertEquals(await site.kept(), undefined);
  });

  Deno.test(`S10: ${way}: an answer for every origin is served to every origin`, async () => {
    const site = new Site({}, way);
    site.answer = page({ "access-control-allow-origin": "*", vary: "accept-encoding" });
    await site.read({ headers: { origin: "https://a.test" } });

    assertEquals(await site.kept({ headers: { origin: "https://b.test" } }), "good");
    assertEquals(await site.kept(), "good");
  });

  Deno.test(`S10: ${way}: a star anywhere in Vary, and what no list is, keeps nothing`, async () => {
    for (
      const vary of ["*", "accept, *", "*, accept", "accept,*,cookie", " * ", "a b", "a;b", "a=b"]
    ) {
      const site = new Site({}, way);
      site.answer = page({ vary });
      await site.read();

      assertEquals([vary, await site.kept()], [vary, undefined]);
    }
    const lines = new Site({}, way);
    lines.answer = page([["vary", "accept"], ["vary", "*"]]);
    await lines.read();
    assertEquals(await lines.kept(), undefined);
  });

  Deno.test(`K2: ${way}: absent, empty and several values of a field are told apart`, async () => {
    const site = new Site({ lastGood: { maxVariants: 20 } }, way);
    site.answer = ({ headers }) =>
      new Response(JSON.stringify(headers.get("x-a")), { headers: { vary: "X-A" } });
    const asked = [undefined, "", "a", "b", "a, b", "a,b", "A", '"a"'];
    for (const value of asked) {
      await site.read(value === undefined ? {} : { headers: { "x-a": value } });
    }

    for (const value of asked) {
      const found = await site.kept(value === undefined ? {} : { headers: { "x-a": value } });
      assertEquals(found, JSON.stringify(value ?? null));
    }
  });

  Deno.test(`S14: ${way}: the answer of another URL, and one that hides its own, are not kept`, async () => {
    const foreign = [
      { redirected: true, url: `${ORIGIN}/login` },
      { type: "opaque" },
      { type: "opaqueredirect" },
      { type: "error" },
      { status: 0 },
    ] as const;
    for (const made of foreign) {
      const site = new Site({ lastGood: { refreshMs: 0 } }, way);
      await site.read();
      site.answer = () => madeBy(made, new Response("login"));

      await site.get().then((response) => response.body?.cancel(), () => {});

      assertEquals([made, await site.kept()], [made, "good"]);
    }
  });

  Deno.test(`S1: ${way}: a request to upgrade is neither kept nor answered from memory`, async () => {
    for (const upgrade of ["websocket", "h2c", "WebSocket", "TLS/1.2, h2c"]) {
      const site = new Site({}, way);
      const headers = { upgrade, connection: "upgrade" };
      await site.read({ headers });
      assertEquals([upgrade, await site.kept()], [upgrade, undefined]);
      await site.read();

      assertEquals([upgrade, await site.kept({ headers })], [upgrade, undefined]);
      assertEquals(await site.kept(), "good");
    }
  });

  Deno.test(`S1: ${way}: a request to upgrade gets past freshMs`, async () => {
    const site = new Site({ lastGood: { freshMs: 60_000 } }, way);
    await site.read();
    site.answer = page({}, "newer");

    assertEquals(await site.read({ headers: { upgrade: "h2c" } }), "newer");
    assertEquals(await site.read(), "good");
  });

  Deno.test(`S3: ${way}: no-store is heard in every field that says it`, async () => {
    const forbids: readonly Record<string, string>[] = [
      { "cdn-cache-control": "no-store" },
      { "cdn-cache-control": "max-age=60, No-Store" },
      { "surrogate-control": "no-store" },
      { "surrogate-control": 'content="ESI/1.0", no-store' },
      { "cache-control": "public, max-age=60", "cdn-cache-control": "no-store" },
      { pragma: "no-cache" },
      { pragma: "No-Cache" },
      { pragma: "x, no-cache" },
    ];
    const permits: readonly Record<string, string>[] = [
      { "cdn-cache-control": "max-age=60" },
      { "surrogate-control": "max-age=60" },
      { pragma: "no-cache", "cache-control": "max-age=60" },
      { pragma: "x-cache" },
    ];
    for (const fields of [...forbids, ...permits]) {
      const site = new Site({}, way);
      site.answer = page(fields);
      await site.read();

      const expected = forbids.includes(fields) ? undefined : "good";
      assertEquals([fields, await site.kept()], [fields, expected]);
    }
  });

  Deno.test(`S2, S11: ${way}: no error page, part or confirmation is ever the last good answer`, async () => {
    const site = new Site({ lastGood: { statuses: [200, 203] } }, way);
    for (const status of [202, 206, 302, 400, 401, 404, 418, 429, 500, 501, 503, 507]) {
      site.answer = page({ "cache-control": "public, max-age=600" }, "no", status);
      await site.read();
    }
    site.answer = page({ "content-range": "bytes 0-1/9" }, "go");
    await site.read();
    site.answer = page({ "content-type": "multipart/byteranges; boundary=x" }, "go");
    await site.read();

    assertEquals(await site.kept(), undefined);
    assertEquals(only(site.events, "kept"), []);
  });
}
