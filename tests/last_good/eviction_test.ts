import { assertEquals } from "@std/assert";
import type { BreakerOptions } from "@lastgood/breaker";
import { pieces } from "../stage/bodies.ts";
import { only } from "../stage/events.ts";
import { PAGE, Site } from "../stage/site.ts";
import { type Answer, down, madeBy, page } from "../stage/upstream.ts";
import type { Way } from "../stage/ways.ts";

const WAYS = ["fetch", "wrap", "hono"] as const satisfies readonly Way[];

const control = (value: string) => page({ "cache-control": value }, "newer");
const status = (code: number) => page({}, null, code);

/** Answers after a kept page, and whether the page is kept afterwards. */
interface Case {
  readonly what: string;
  readonly answers: readonly Answer[];
  readonly request?: RequestInit;
  readonly keeps: boolean;
}

const AT_ONCE: readonly Case[] = [
  ...[
    "no-store",
    "private",
    'private="x"',
    "no-cache",
    "no-store, max-age=abc",
    "no-store;",
    '"private',
    "max-age=1, max-age=2, private",
    "public; no-cache",
    "Private ;",
  ].map((value) => ({
    what: `Cache-Control: ${value}`,
    answers: [control(value)],
    keeps: false,
  })),
  ...["CDN-Cache-Control", "Surrogate-Control"].map((name) => ({
    what: `${name}: no-store`,
    answers: [page({ [name]: "max-age=1, no-store" })],
    keeps: false,
  })),
  { what: "Pragma: no-cache alone", answers: [page({ pragma: "no-cache" })], keeps: false },
  { what: "a 410", answers: [status(410)], keeps: false },
];

const NEW_ANSWERS = [201, 203, 204, 205, 300, 301, 302, 303, 307, 308, 404];

/** What removes the page only if it comes twice in a row, and what stands between. */
const IN_A_ROW: readonly Case[] = [
  ...NEW_ANSWERS.flatMap((code) => [
    { what: `one ${code}`, answers: [status(code)], keeps: true },
    { what: `a second ${code} in a row`, answers: [status(code), status(code)], keeps: false },
  ]),
  { what: "a 404 after a redirect", answers: [status(302), status(404)], keeps: false },
  { what: "one 404 that says no-store", answers: [page({ pragma: "no-cache" }, null, 404)] },
  {
    what: "a failure between two 404s, which says nothing,",
    answers: [status(404), status(500), status(404)],
    keeps: false,
  },
  {
    what: "a 429 between two 404s, which says nothing,",
    answers: [status(404), status(429), status(404)],
    keeps: false,
  },
  {
    what: "an answer with a cookie between two 404s, which says nothing,",
    answers: [status(404), page({ "set-cookie": "a=b" }), status(404)],
    keeps: false,
  },
  {
    what: "a redirected answer between two 404s, which says nothing,",
    answers: [status(404), () => madeBy({ redirected: true }), status(404)],
    keeps: false,
  },
  {
    what: "a good answer between two 404s",
    answers: [status(404), page(), status(404)],
    keeps: true,
  },
].map((it) => ({ keeps: true, ...it }));

const NEVER: readonly Case[] = [
  ...[206, 304, 400, 401, 403, 405, 406, 408, 409, 412, 413, 414, 416, 418, 425, 429, 431, 451]
    .map((code) => ({ what: `a ${code}`, answers: [status(code)] })),
  ...[500, 501, 502, 503, 504, 599].map((code) => ({ what: `a ${code}`, answers: [status(code)] })),
  { what: "a 403 with no-store", answers: [page({ "cache-control": "no-store" }, null, 403)] },
  { what: "a 500 with private", answers: [page({ "cache-control": "private" }, null, 500)] },
  { what: "a hang-up", answers: [() => Promise.reject(new TypeError("reset"))] },
  { what: "a broken body", answers: [page({}, pieces("ne", new Error("reset")))] },
  { what: "a body cut short", answers: [page({ "content-length": "9" }, "newer")] },
  { what: "a body too large", answers: [page({}, "x".repeat(65))] },
  { what: "fields too large", answers: [page({ x: "x".repeat(17_000) })] },
  { what: "a cookie", answers: [page({ "set-cookie": "a=b" }, "newer")] },
  { what: "a field in doubt", answers: [control("max-age=abc")] },
  {
    what: "a malformed field without a word against it",
    answers: [control("x-private; publicly")],
  },
  { what: "Vary: *", answers: [page({ vary: "*" }, "newer")] },
  {
    what: "a redirected answer with no-store",
    answers: [() => madeBy({ redirected: true }, control("no-store")())],
  },
  {
    what: "an opaque answer",
    answers: [() => madeBy({ type: "opaque", status: 0 }, new Response(null))],
  },
].map((it) => ({ ...it, answers: [...it.answers, ...it.answers], keeps: true }));

/** Requests whose answers do not remove the page, not even a second 404 or no-store. */
const REQUESTS: readonly (readonly [string, RequestInit])[] = [
  ["no-store", { headers: { "cache-control": "no-store" } }],
  ["a malformed Cache-Control", { headers: { "cache-control": "a b" } }],
  ["cache: no-store", { cache: "no-store" }],
  ["Range", { headers: { range: "bytes=0-1" } }],
  ["Upgrade", { headers: { upgrade: "h2c" } }],
  ["Authorization", { headers: { authorization: "x" } }],
  ["Cookie", { headers: { cookie: "x" } }],
  ["HEAD", { method: "HEAD" }],
  ["a body", { method: "GET", body: "x" }],
  ["X-Forwarded-Host", { headers: { "x-forwarded-host": "evil.test" } }],
];

const FROM_REQUESTS: readonly Case[] = REQUESTS.flatMap(([who, request]) =>
  [status(404), status(410), control("no-store")].map((answer, index) => ({
    what: `a request with ${who} that brings ${["404s", "a 410", "no-store"][index]}`,
    request,
    answers: [answer, answer],
    keeps: true,
  }))
);

for (const { what, answers, request, keeps } of [AT_ONCE, IN_A_ROW, NEVER, FROM_REQUESTS].flat()) {
  Deno.test(`S17: ${what} ${keeps ? "leaves" : "removes"} the kept page`, async () => {
    const site = new Site({ lastGood: { refreshMs: 0, maxBodyBytes: 64, statuses: [200] } });
    await site.read();

    for (const answer of answers) {
      site.answer = answer;
      await site.get(request).then((response) => response.arrayBuffer()).catch(() => {});
    }

    assertEquals(await site.kept(), keeps ? "good" : undefined);
  });
}

for (const way of WAYS) {
  Deno.test(`S17: ${way}: one 404 leaves the page, a second one removes it, private does at once`, async () => {
    const site = new Site({}, way);
    await site.read();
    site.answer = status(404);

    await site.read();
    assertEquals(await site.kept(), "good");
    site.answer = status(404);
    await site.read();
    assertEquals(await site.kept(), undefined);

    site.answer = page();
    await site.read();
    site.answer = control("private");
    await site.read();
    assertEquals(await site.kept(), undefined);
  });
}

/** Fields that make a request another kind than that of the kept page, which has the first ones. */
const KINDS: readonly (readonly [Record<string, string>, Record<string, string>])[] = [
  [{}, { "user-agent": "Mobile" }],
  [{ "user-agent": "Desktop" }, { "user-agent": "Mobile" }],
  [{ "user-agent": "Desktop" }, {}],
  [{ accept: "text/html" }, { accept: "application/json" }],
  [{ "accept-language": "de" }, { "accept-language": "tlh" }],
  [{}, { forwarded: "proto=http" }],
  [{}, { "x-forwarded-proto": "http" }],
  [{}, { authorization: "x" }],
  [{}, { "x-api-key": "x" }],
  [{}, { cookie: "x" }],
];

const PUBLIC = { "cache-control": "public" };

/** Answers of the origin to a kind of request that it does not like. */
const ODD: readonly (readonly [string, Answer])[] = [
  ["a redirect", page(PUBLIC, null, 301)],
  ["a 404", page(PUBLIC, null, 404)],
  ["a 410", page(PUBLIC, null, 410)],
  ["no-store", control("public, no-store")],
  ["private", control("public, private")],
];

for (const way of WAYS) {
  for (const [ours, theirs] of KINDS) {
    Deno.test(`S17: ${way}: what a request with ${JSON.stringify(theirs)} brings leaves the page kept for ${JSON.stringify(ours)}`, async () => {
      for (const [what, answer] of ODD) {
        const site = new Site({}, way);
        site.answer = page(PUBLIC);
        await site.read({ headers: ours });
        site.answer = answer;

        for (let time = 0; time < 3; time++) await site.read({ headers: theirs });

        assertEquals(await site.kept({ headers: ours }), "good", what);
        assertEquals(only(site.events, "removed"), [], what);
      }
    });
  }
}

/** What removes a page, said to those who asked for it. */
const GONE: readonly (readonly [string, readonly Answer[]])[] = [
  ["no-store", [control("no-store")]],
  ["private", [control("private")]],
  ["a 410", [status(410)]],
  ["a second 404", [status(404), status(404)]],
];

for (const way of WAYS) {
  for (const headers of [{ authorization: "x" }, { cookie: "x" }, { "x-api-key": "x" }]) {
    Deno.test(`S17: ${way}: what is public goes as well for a request with ${Object.keys(headers)}`, async () => {
      for (const [what, answers] of GONE) {
        const site = new Site({}, way);
        site.answer = page(PUBLIC);
        await site.read({ headers });

        for (const answer of answers) {
          site.answer = answer;
          await site.read({ headers });
        }

        assertEquals(await site.kept({ headers }), undefined, what);
      }
    });
  }
}

Deno.test("S17: answers to another kind of request stand between two others as if they were not there", async () => {
  for (const other of [page(PUBLIC), status(404)]) {
    const site = new Site({ lastGood: { refreshMs: 60_000 } });
    await site.read();
    for (const [answer, headers] of [[status(404), {}], [other, { "user-agent": "x" }]] as const) {
      site.answer = answer;
      await site.read({ headers });
    }
    assertEquals(await site.kept(), "good");
    site.answer = status(404);

    await site.read();

    assertEquals(await site.kept(), undefined);
  }
});

Deno.test("S17: once a page is copied for another kind of request, that kind decides", async () => {
  const site = new Site({ lastGood: { refreshMs: 0 } });
  const mobile = { headers: { "user-agent": "Mobile" } };
  await site.read();
  await site.read(mobile);
  site.answer = status(410);

  await site.read();
  assertEquals(await site.kept(), "good");
  site.answer = status(410);
  await site.read(mobile);

  assertEquals(await site.kept(), undefined);
});

const UNHEARD: BreakerOptions = { onEvent: undefined as never };

for (const [how, options] of [["with", {}], ["without", UNHEARD]] as const) {
  Deno.test(`S17: a good answer that is not copied takes the doubt back, ${how} a listener`, async () => {
    const site = new Site({ ...options, lastGood: { refreshMs: 60_000 } });
    await site.read();
    for (const answer of [status(404), page({}, "newer"), status(404)]) {
      site.answer = answer;
      await site.read();
    }

    assertEquals(await site.kept(), "good");
  });
}

Deno.test("S14, S17: a redirected answer does not take the doubt back", async () => {
  const site = new Site({ lastGood: { refreshMs: 60_000 } });
  await site.read();
  for (const answer of [status(404), () => madeBy({ redirected: true }), status(404)]) {
    site.answer = answer;
    await site.read();
  }

  assertEquals(await site.kept(), undefined);
});

Deno.test("S17: the same entity tag takes the doubt back", async () => {
  const site = new Site();
  site.answer = page({ etag: '"1"' });
  await site.read();
  for (const answer of [status(404), page({ etag: '"1"' }), status(404)]) {
    site.answer = answer;
    site.clock.tick(500);
    await site.read();
  }

  assertEquals(await site.kept(), "good");
});

Deno.test("S17: a vetoed answer between two 404s says nothing", async () => {
  let isKept = true;
  const site = new Site({ lastGood: { refreshMs: 0, keep: () => isKept } });
  await site.read();
  isKept = false;
  for (const answer of [status(404), page(), status(404)]) {
    site.answer = answer;
    await site.read();
  }

  assertEquals(await site.kept(), undefined);
});

Deno.test("S17: a 404 that statuses permits takes the place of the kept page at once", async () => {
  const site = new Site({ lastGood: { refreshMs: 0, statuses: [200, 404] } });
  await site.read();
  site.answer = page({}, "none", 404);

  await site.read();

  assertEquals(await site.kept(), "none");
});

Deno.test("S16: what ignore lifts is not lifted where Cache-Control is malformed", async () => {
  const ignore = ["no-store", "private", "no-cache"] as const;
  const site = new Site({ lastGood: { ignore, refreshMs: 0 } });
  await site.read();
  site.answer = page({ "cache-control": "private;" }, "newer");

  await site.read();

  assertEquals(site.notKept, ["malformed"]);
  assertEquals(await site.kept(), "good");
});

for (const code of [401, 403]) {
  Deno.test(`S17: a ${code} removes the kept page only within its partition`, async () => {
    const whose = (request: Request) => request.headers.get("x-user") ?? undefined;
    const site = new Site({ lastGood: { partition: whose } });
    const ann = { headers: { "x-user": "ann" } };
    const bob = { headers: { "x-user": "bob" } };
    for (const who of [ann, bob, {}]) await site.read(who);
    site.answer = status(code);

    await site.read(ann);
    await site.read();

    assertEquals(await site.kept(ann), undefined);
    assertEquals(await site.kept(bob), "good");
    assertEquals(await site.kept(), "good");
  });
}

Deno.test("S17: an answer removes only its own variant", async () => {
  const site = new Site();
  const [de, en] = [{ headers: { "x-a": "de" } }, { headers: { "x-a": "en" } }];
  site.answer = page({ vary: "x-a" });
  await site.read(de);
  await site.read(en);
  site.answer = status(410);

  await site.read(de);

  assertEquals(await site.kept(de), undefined);
  assertEquals(await site.kept(en), "good");
});

Deno.test("S17: two variants are doubted one by one", async () => {
  const site = new Site();
  const [de, en] = [{ headers: { "x-a": "de" } }, { headers: { "x-a": "en" } }];
  site.answer = page({ vary: "x-a" });
  await site.read(de);
  await site.read(en);
  site.answer = status(404);

  await site.read(de);
  await site.read(en);

  assertEquals([await site.kept(de), await site.kept(en)], ["good", "good"]);
});

Deno.test("S17: private reaches the copies of the same URL in all memories", async () => {
  const site = new Site();
  const handler = site.api.wrap(() => site.answer(undefined as never) as Response);
  await site.read();
  await (await handler(new Request(PAGE))).text();
  site.answer = control("private");

  await site.read();

  site.fail();
  assertEquals((await handler(new Request(PAGE))).status, 503);
});

Deno.test("S17: a failure in the origin's own words never becomes the last good answer", async () => {
  const site = new Site();
  await site.read();
  for (const code of [500, 502, 503, 504]) {
    site.answer = down(code);

    assertEquals(await site.read(), "good");
  }
});

/** Answers, and why they remove the page. */
const REASONS: readonly (readonly [why: string, answers: readonly Answer[]])[] = [
  ["no-store", [control("no-store")]],
  ["private", [control("private")]],
  ["no-cache", [control("no-cache")]],
  ["status", [status(410)]],
  ["status", [status(404), status(404)]],
];

for (const [why, answers] of REASONS) {
  Deno.test(`S17: removed is told once, with the reason ${why} (${answers.length})`, async () => {
    const site = new Site();
    await site.read();

    for (const answer of [...answers, answers[0]!]) {
      site.answer = answer;
      await site.read();
    }

    const { ms: at } = site.clock;
    const circuit = "https://origin.test";
    assertEquals(only(site.events, "removed"), [{ type: "removed", circuit, at, url: PAGE, why }]);
    assertEquals(site.notKept.length, answers.length + 1);
  });
}
