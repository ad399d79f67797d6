/** Attacks that take a page away which others need in the next outage (S17, S18). */

import { assertEquals } from "@std/assert";
import { only } from "../../stage/events.ts";
import { PAGE, Site } from "../../stage/site.ts";
import { type Answer, down, page } from "../../stage/upstream.ts";
import { accepted, ask, keeping } from "../../stage/visits.ts";
import { EVERY_WAY } from "../../stage/ways.ts";

const status = (code: number, fields: HeadersInit = {}) => page(fields, null, code);
const says = (value: string, code = 200) => page({ "cache-control": value }, "newer", code);
const broken: Answer = () => Promise.reject(new TypeError("connection reset"));

/** Answers to one request that cost the page nothing, and what they cost if two come in a row. */
const ANSWERS: readonly (readonly [what: string, answer: Answer, once: boolean, twice: boolean])[] =
  [
    ...[201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 404].map((code) =>
      [`${code}`, status(code), true, false] as const
    ),
    ...[
      206,
      400,
      401,
      402,
      403,
      405,
      406,
      408,
      409,
      411,
      412,
      413,
      414,
      415,
      416,
      418,
      421,
      422,
      425,
      426,
      428,
      429,
      431,
      451,
    ]
      .map((code) => [`${code}`, status(code), true, true] as const),
    ...[500, 501, 502, 503, 504, 505, 507, 508, 511, 599].map((code) =>
      [`${code}`, status(code), true, true] as const
    ),
    ["a broken connection", broken, true, true],
    ["a 400 with no-store", says("no-store", 400), true, true],
    ["a 403 with private", says("private", 403), true, true],
    ["a 503 with no-store", says("no-store, no-cache", 503), true, true],
    ["410", status(410), false, false],
    ...[
      "no-store",
      "private",
      "no-cache",
      "NO-STORE",
      'private="set-cookie"',
      'private=""',
      'no-cache="x"',
      "max-age=60, no-store",
      "no-store;",
      "public, private",
      "no-store=1",
      "no-store, no-store",
    ]
      .map((value) => [value, says(value), false, false] as const),
  ];

for (const way of EVERY_WAY) {
  Deno.test(`S17: ${way}: one odd answer costs nothing, two in a row are the origin's word`, async () => {
    const wrong = [];
    for (const [what, answer, once, twice] of ANSWERS) {
      const site = await keeping(way);
      site.answer = answer;

      await ask(site);
      const afterOne = await site.kept();
      await ask(site);
      const afterTwo = await site.kept();

      const expected = [once, twice].map((isKept) => isKept ? "good" : undefined);
      if (JSON.stringify([afterOne, afterTwo]) !== JSON.stringify(expected)) {
        wrong.push([what, afterOne, afterTwo]);
      }
    }
    assertEquals(wrong, []);
  });

  Deno.test(`S17: ${way}: a good answer between two odd ones, and nothing else, starts the count anew`, async () => {
    const between: readonly (readonly [Answer, string | undefined])[] = [
      [page({}, "newer"), "newer"],
      [down(), undefined],
      [status(400), undefined],
      [broken, undefined],
    ];
    for (const [answer, expected] of between) {
      const site = await keeping(way);
      const answers = [status(404), answer, status(302)];

      for (const answer of answers) {
        site.answer = answer;
        await ask(site);
      }

      assertEquals(await site.kept(), expected);
    }
  });

  Deno.test(`S17: ${way}: an answer to a different kind of request says nothing about this one`, async () => {
    const kinds = [
      "user-agent",
      "accept",
      "accept-language",
      "cookie",
      "authorization",
      "x-api-key",
      "x-forwarded-proto",
      "forwarded",
      "x-original-url",
    ];
    const wrong = [];
    for (const name of kinds) {
      for (
        const answer of [
          status(302),
          status(404),
          status(410),
          says("no-store"),
          says("private"),
          says("no-cache"),
        ]
      ) {
        const site = await keeping(way);
        site.answer = answer;

        for (let n = 0; n < 3; n++) {
          await ask(site, { headers: { [name]: name === "forwarded" ? "proto=http" : "Mobile" } });
        }

        if (await site.kept() !== "good") wrong.push(name);
      }
    }
    assertEquals(wrong, []);
  });

  Deno.test(`S17: ${way}: odd answers to two kinds of requests are not two in a row`, async () => {
    const site = await keeping(way);
    site.answer = status(404);

    await ask(site);
    await ask(site, { headers: { "user-agent": "bot" } });
    assertEquals(await site.kept(), "good");
    await ask(site);

    assertEquals(await site.kept(), undefined);
  });

  Deno.test(`S17: ${way}: fields that say nothing about the kind of a request do not shield a copy`, async () => {
    const site = await keeping(way);
    site.answer = says("no-store");

    await ask(site, {
      headers: { "x-request-id": "7", "x-forwarded-for": "192.0.2.1", "accept-encoding": "br" },
    });

    assertEquals(await site.kept(), undefined);
  });

  Deno.test(`S17: ${way}: nothing on the request's side removes anything`, async () => {
    const requests: readonly (readonly [what: string, init: RequestInit, url?: string])[] = [
      ["no-store", { headers: { "cache-control": "no-store" } }],
      ["malformed directives", { headers: { "cache-control": "a b" } }],
      ["Range", { headers: { range: "bytes=0-1" } }],
      ["If-Range", { headers: { range: "bytes=0-1", "if-range": '"x"' } }],
      ["Upgrade", { headers: { upgrade: "h2c" } }],
      ["Authorization", { headers: { authorization: "x" } }],
      ["Cookie", { headers: { cookie: "x" } }],
      ["a key", { headers: { "x-api-key": "x" } }],
      ["HEAD", { method: "HEAD" }],
      ["OPTIONS", { method: "OPTIONS" }],
      ...accepted("QUERY").map((method) => [method, { method }] as const),
      ["a long query", {}, `${PAGE}?${"x".repeat(9_000)}`],
    ];
    const wrong = [];
    for (const [what, init, url] of requests) {
      for (const answer of [status(410), status(404), says("private, no-store")]) {
        const site = await keeping(way);
        site.answer = answer;

        for (let n = 0; n < 3; n++) await ask(site, init, url);

        if (await site.kept() !== "good") wrong.push(what);
      }
    }
    assertEquals(wrong, []);
  });

  Deno.test(`S17: ${way}: a partition's own 401 and 403 remove its copy, and no one else's`, async () => {
    for (const code of [401, 403]) {
      const partition = ({ headers }: Request) => headers.get("x-shard") ?? undefined;
      const site = new Site({ lastGood: { partition, refreshMs: 0 } }, way);
      const [ann, bob] = [{ headers: { "x-shard": "ann" } }, { headers: { "x-shard": "bob" } }];
      for (const who of [ann, bob, {}]) await site.read(who);
      site.answer = status(code);

      for (const who of [ann, {}]) await ask(site, who);

      assertEquals([await site.kept(ann), await site.kept(bob), await site.kept()], [
        undefined,
        "good",
        "good",
      ]);
    }
  });

  Deno.test(`S17: ${way}: one variant that ends leaves the others`, async () => {
    const site = new Site({ lastGood: { refreshMs: 0 } }, way);
    site.answer = ({ headers }) => new Response(headers.get("x-a"), { headers: { vary: "x-a" } });
    const asking = (value: string) => ({ headers: { "x-a": value } });
    for (const value of ["a", "b"]) await site.read(asking(value));
    site.answer = says("no-store");

    await ask(site, asking("a"));

    assertEquals([await site.kept(asking("a")), await site.kept(asking("b"))], [undefined, "b"]);
  });

  Deno.test(`S18: ${way}: an old answer that arrives late brings nothing back, and replaces nothing newer`, async () => {
    for (
      const [newer, expected] of [[page({}, "newer"), "newer"], [says("no-store"), undefined], [
        status(410),
        undefined,
      ]] as const
    ) {
      const site = new Site({ lastGood: { refreshMs: 0 } }, way);
      const arrivals = site.hold();
      const old = site.read();
      await site.api.idle();
      site.answer = newer;
      await ask(site);

      arrivals[0]!(new Response("old"));
      await old;
      await site.api.idle();

      assertEquals(await site.kept(), expected);
    }
  });

  Deno.test(`S18, S17: ${way}: an old odd answer that arrives late removes nothing newer`, async () => {
    for (const late of [says("no-store"), status(410), says("private")]) {
      const site = new Site({ lastGood: { refreshMs: 0 } }, way);
      const arrivals = site.hold();
      const old = site.read();
      site.answer = page({}, "newer");
      await site.read();

      arrivals[0]!(late());
      await old;

      assertEquals(await site.kept(), "newer");
    }
  });

  Deno.test(`S17, S19, N3: ${way}: each removal is told, with its reason`, async () => {
    const reasons: readonly (readonly [Answer, RequestInit, string, number])[] = [
      [says("no-store"), {}, "no-store", 1],
      [says("private"), {}, "private", 1],
      [says("no-cache"), {}, "no-cache", 1],
      [status(410), {}, "status", 1],
      [status(404), {}, "status", 2],
      [status(302), {}, "status", 2],
      [status(204), { method: "DELETE" }, "method", 1],
    ];
    for (const [answer, init, why, times] of reasons) {
      const site = await keeping(way);
      site.answer = answer;

      for (let n = 0; n < times; n++) await ask(site, init);

      assertEquals(only(site.events, "removed").map(({ url, why }) => [url, why]), [[PAGE, why]]);
      await ask(site, init);
      assertEquals(only(site.events, "removed").length, 1);
    }
    const site = await keeping(way);
    site.api.forget(PAGE);
    assertEquals(only(site.events, "removed").map(({ url, why }) => [url, why]), [[
      PAGE,
      "forgotten",
    ]]);
  });
}

Deno.test("K5, S17: what ends a page at one place ends the same kind of copy at all places", async () => {
  for (const answer of [says("no-store"), says("private"), status(410)]) {
    const site = new Site({ lastGood: { refreshMs: 0 } });
    const wrapped = site.api.wrap((request) => site.reply(request));
    const ask = async () => await (await wrapped(new Request(PAGE))).text();
    await ask();
    await site.read();
    site.answer = answer;

    await site.read();
    site.fail();

    assertEquals(await ask(), "down");
  }
});
