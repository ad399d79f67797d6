/** Attacks by unsafe methods: only one that succeeds takes a page away (S19). */

import { assertEquals } from "@std/assert";
import { ORIGIN, PAGE, Site } from "../../stage/site.ts";
import { type Answer, page } from "../../stage/upstream.ts";
import { accepted, ask, keeping } from "../../stage/visits.ts";
import { EVERY_WAY } from "../../stage/ways.ts";

const status = (code: number, fields: HeadersInit = {}) => page(fields, null, code);
const broken: Answer = () => Promise.reject(new TypeError("connection reset"));

for (const way of EVERY_WAY) {
  const methods = ["POST", "PUT", "PATCH", "DELETE", ...accepted("MKCOL", "PROPPATCH")];
  Deno.test(`S19: ${way}: an unsafe request that succeeds removes every variant, in every partition`, async () => {
    for (const method of methods) {
      for (const code of [200, 201, 204, 303, 307]) {
        const partition = ({ headers }: Request) => headers.get("x-shard") ?? undefined;
        const site = new Site({ lastGood: { partition } }, way);
        site.answer = page({ vary: "x-a" });
        const readers = [{}, { headers: { "x-a": "b" } }, { headers: { "x-shard": "ann" } }, {
          headers: { "x-forwarded-host": "a" },
        }];
        for (const reader of readers) await site.read(reader);
        site.answer = status(code);

        await ask(site, { method });

        for (const reader of readers) {
          assertEquals([method, code, await site.kept(reader)], [method, code, undefined]);
        }
      }
    }
  });

  Deno.test(`S19: ${way}: one that fails, is refused or breaks removes nothing`, async () => {
    const answers = [
      ...[400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503, 504].map((code) =>
        status(code, { location: "/other" })
      ),
      broken,
    ];
    for (const method of methods) {
      for (const answer of answers) {
        const site = await keeping(way);
        await site.read({}, `${ORIGIN}/other`);
        site.answer = answer;

        await ask(site, { method, body: "x" });

        assertEquals([method, await site.kept(), await site.kept({}, `${ORIGIN}/other`)], [
          method,
          "good",
          "good",
        ]);
      }
    }
  });

  Deno.test(`S19: ${way}: one whose caller leaves removes nothing`, async () => {
    const site = await keeping(way);
    site.hold();
    const controller = new AbortController();

    const call = ask(site, { method: "POST", signal: controller.signal });
    controller.abort();
    await call;

    assertEquals(await site.kept(), "good");
  });

  Deno.test(`S19: ${way}: a safe method removes nothing, whatever it brings`, async () => {
    for (const method of [...accepted("QUERY"), "HEAD", "OPTIONS"]) {
      const site = await keeping(way);
      site.answer = status(204, { location: PAGE });

      await ask(site, { method });

      assertEquals([method, await site.kept()], [method, "good"]);
    }
  });

  Deno.test(`S19: ${way}: Location and Content-Location reach their own origin alone`, async () => {
    const urls = [`${ORIGIN}/a`, `${ORIGIN}/b`, `${ORIGIN}/c`, "https://else.test/a"];
    for (
      const [name, value, gone] of [
        ["location", "/a", `${ORIGIN}/a`],
        ["location", "a", `${ORIGIN}/a`],
        ["location", `${ORIGIN}/a#part`, `${ORIGIN}/a`],
        ["content-location", "./b?", undefined],
        ["content-location", "../b", `${ORIGIN}/b`],
        ["location", "https://else.test/a", undefined],
        ["location", "//else.test/a", undefined],
        ["location", "http://origin.test/a", undefined],
        ["location", "https://origin.test:444/a", undefined],
        ["location", "http://[", undefined],
        ["location", "", undefined],
      ] as const
    ) {
      const site = new Site({}, way);
      for (const url of urls) await site.read({}, url);
      site.answer = status(201, { [name]: value });

      await ask(site, { method: "POST" }, `${ORIGIN}/new`);

      const left = [];
      for (const url of urls) if (await site.kept({}, url) !== undefined) left.push(url);
      assertEquals([value, left], [value, urls.filter((url) => url !== gone)]);
    }
  });
}

Deno.test("K5, S19: what an unsafe request changes at one place is removed at all places", async () => {
  const site = new Site();
  const wrapped = site.api.wrap((request) => site.reply(request));
  await (await wrapped(new Request(PAGE))).text();
  await site.read();
  site.answer = status(204);

  await (await wrapped(new Request(PAGE, { method: "PUT" }))).text();

  assertEquals(await site.kept(), undefined);
});

Deno.test("K5, S18: an answer under way at another place is not kept once an unsafe request has succeeded", async () => {
  const site = new Site();
  const wrapped = site.api.wrap((request) => site.reply(request));
  const arrivals = site.hold();
  const old = site.read();
  site.answer = status(204);
  await (await wrapped(new Request(PAGE, { method: "DELETE" }))).text();

  arrivals[0]!(new Response("old"));
  await old;

  assertEquals(await site.kept(), undefined);
});

Deno.test("S19: a probe that is a POST and fails removes nothing", async () => {
  const site = new Site({ threshold: 1, delayMs: 1_000 });
  await site.read();
  site.api.circuit(ORIGIN).trip();
  site.clock.tick(1_000);
  site.fail();

  await ask(site, { method: "POST", body: "x" });

  assertEquals(site.calls, 2);
  assertEquals(await site.kept(), "good");
});
