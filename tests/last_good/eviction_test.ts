import { assertEquals } from "@std/assert";
import { faucet, pieces } from "../stage/bodies.ts";
import { settled } from "../stage/settle.ts";
import { Site } from "../stage/site.ts";
import { type Answer, down, page } from "../stage/upstream.ts";

const control = (value: string) => page({ "cache-control": value }, "newer");
const status = (code: number) => page({}, null, code);

/** What comes after a kept page, and whether the page is still kept then. */
interface Case {
  readonly what: string;
  readonly answer: Answer;
  readonly request?: RequestInit;
  readonly keeps: boolean;
}

const REMOVES: readonly Case[] = [
  ...["no-store", "private", 'private="x"', "no-cache", "no-store, max-age=abc"].map((value) => ({
    what: `Cache-Control: ${value}`,
    answer: control(value),
    keeps: false,
  })),
  ...[201, 203, 204, 205, 300, 301, 302, 303, 307, 308, 404, 410].map((code) => ({
    what: `a ${code}`,
    answer: status(code),
    keeps: false,
  })),
];

const KEEPS: readonly Case[] = [
  ...[206, 304, 400, 401, 403, 405, 406, 408, 409, 412, 413, 414, 416, 418, 425, 429, 431, 451]
    .map((code) => ({ what: `a ${code}`, answer: status(code), keeps: true })),
  ...[500, 501, 502, 503, 504, 599].map((code) => ({
    what: `a ${code}`,
    answer: status(code),
    keeps: true,
  })),
  { what: "a hang-up", answer: () => Promise.reject(new TypeError("reset")), keeps: true },
  { what: "a broken body", answer: page({}, pieces("ne", new Error("reset"))), keeps: true },
  { what: "a body cut short", answer: page({ "content-length": "9" }, "newer"), keeps: true },
  { what: "a body too large", answer: page({}, "x".repeat(65)), keeps: true },
  { what: "fields too large", answer: page({ x: "x".repeat(17_000) }), keeps: true },
  { what: "a cookie", answer: page({ "set-cookie": "a=b" }, "newer"), keeps: true },
  { what: "a field in doubt", answer: control("max-age=abc"), keeps: true },
  { what: "Vary: *", answer: page({ vary: "*" }, "newer"), keeps: true },
];

/** What a client can say, while the origin says what would remove the page. */
const REQUESTS: readonly (readonly [string, RequestInit])[] = [
  ["no-store", { headers: { "cache-control": "no-store" } }],
  ["a malformed Cache-Control", { headers: { "cache-control": "a b" } }],
  ["Range", { headers: { range: "bytes=0-1" } }],
  ["Authorization", { headers: { authorization: "x" } }],
  ["Cookie", { headers: { cookie: "x" } }],
  ["HEAD", { method: "HEAD" }],
  ["a body", { method: "GET", body: "x" }],
  ["X-Forwarded-Host", { headers: { "x-forwarded-host": "evil.test" } }],
];

const FROM_REQUESTS: readonly Case[] = REQUESTS.flatMap(([who, request]) =>
  [status(404), control("no-store")].map((answer, index) => ({
    what: `a request with ${who} that brings ${index === 0 ? "a 404" : "no-store"}`,
    request,
    answer,
    keeps: true,
  }))
);

for (const { what, answer, request, keeps } of [...REMOVES, ...KEEPS, ...FROM_REQUESTS]) {
  Deno.test(`S17: ${what} ${keeps ? "leaves" : "removes"} the kept page`, async () => {
    const site = new Site({ lastGood: { refreshMs: 0, maxBodyBytes: 64, statuses: [200] } });
    await site.read();
    site.answer = answer;

    await site.get(request).then((response) => response.arrayBuffer()).catch(() => {});

    assertEquals(await site.kept(), keeps ? "good" : undefined);
  });
}

for (const code of [401, 403]) {
  Deno.test(`S17: a ${code} removes the kept page within its partition only`, async () => {
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

Deno.test("S17: an answer removes its own variant only", async () => {
  const site = new Site();
  const [de, en] = [{ headers: { "accept-language": "de" } }, {
    headers: { "accept-language": "en" },
  }];
  site.answer = page({ vary: "accept-language" });
  await site.read(de);
  await site.read(en);
  site.answer = status(404);

  await site.read(de);

  assertEquals(await site.kept(de), undefined);
  assertEquals(await site.kept(en), "good");
});

Deno.test("S18: an older, slower response does not overwrite a newer one", async () => {
  const site = new Site({ lastGood: { refreshMs: 0 } });
  const arrivals = site.hold();
  const older = site.read();
  const newer = site.read();
  await settled();

  arrivals[1]?.(new Response("newer"));
  await newer;
  site.clock.tick(60_000);
  arrivals[0]?.(new Response("older"));

  assertEquals(await older, "older");
  assertEquals(site.notKept, ["superseded"]);
  assertEquals(await site.kept(), "newer");
});

Deno.test("S18: a newer response overwrites an older one", async () => {
  const site = new Site({ lastGood: { refreshMs: 0 } });
  const arrivals = site.hold();
  const older = site.read();
  const newer = site.read();
  await settled();

  arrivals[0]?.(new Response("older"));
  await older;
  arrivals[1]?.(new Response("newer"));
  await newer;

  assertEquals(await site.kept(), "newer");
});

Deno.test("S18: an older response does not come back after a newer 404", async () => {
  const site = new Site();
  const arrivals = site.hold();
  const older = site.read();
  const newer = site.read();
  await settled();

  arrivals[1]?.(new Response(null, { status: 404 }));
  await newer;
  arrivals[0]?.(new Response("older"));
  await older;

  assertEquals(await site.kept(), undefined);
});

Deno.test("S18: a 404 of another variant or place does not hinder an older response", async () => {
  const site = new Site();
  const arrivals = site.hold();
  const older = site.read();
  await settled();
  const others = [{ "accept-language": "xx" }, { "x-forwarded-host": "evil.test" }]
    .map((headers) => site.read({ headers }));
  await settled();

  arrivals[1]?.(new Response(null, { status: 404 }));
  arrivals[2]?.(new Response(null, { status: 404 }));
  await Promise.all(others);
  arrivals[0]?.(new Response("good", { headers: { vary: "accept-language" } }));
  await older;

  assertEquals(await site.kept(), "good");
});

Deno.test("S18: an older response does not overwrite one while it is read", async () => {
  const site = new Site({ lastGood: { refreshMs: 0 } });
  const arrivals = site.hold();
  const older = site.get();
  const newer = site.read();
  await settled();
  const slow = faucet();
  slow.drip("older");

  arrivals[0]?.(new Response(slow.body));
  const response = await older;
  arrivals[1]?.(new Response("newer"));
  await newer;
  slow.close();

  assertEquals(await response.text(), "older");
  assertEquals(await site.kept(), "newer");
});

const LOCATED = "https://origin.test/located";

/** An unsafe call, and what of PAGE and LOCATED is still kept after it. */
const UNSAFE: readonly (readonly [string, string, Answer, page: boolean, located: boolean])[] = [
  ...["POST", "PUT", "PATCH", "DELETE", "FOO", "post"].map((method) =>
    [`${method} with 200`, method, page(), false, true] as const
  ),
  ...[201, 204, 302, 303].map((code) =>
    [`POST with ${code}`, "POST", status(code), false, true] as const
  ),
  ...[400, 404, 409, 429, 500, 503].map((code) =>
    [`POST with ${code}`, "POST", status(code), true, true] as const
  ),
  ["POST with a hang-up", "POST", () => Promise.reject(new TypeError("reset")), false, true],
  ...["HEAD", "OPTIONS", "QUERY"].map((method) =>
    [`${method} with 200`, method, page(), true, true] as const
  ),
  ["POST with Location", "POST", page({ location: LOCATED }), false, false],
  ["POST with a relative Location", "POST", page({ location: "located" }), false, false],
  ["POST with Content-Location", "POST", page({ "content-location": "/located" }), false, false],
  ["POST with 500 and Location", "POST", page({ location: LOCATED }, "", 500), true, true],
  ["POST elsewhere", "POST", page({ location: "https://other.test/located" }), false, true],
  ["POST with a bad Location", "POST", page({ location: "http://[" }), false, true],
];

for (const [what, method, answer, keepsPage, keepsLocated] of UNSAFE) {
  Deno.test(`S19: ${what} ${keepsPage ? "leaves" : "removes"} what is kept`, async () => {
    const site = new Site();
    await site.read();
    await site.read({ headers: { "x-forwarded-host": "a" } });
    await site.read({}, LOCATED);
    await site.read({}, "https://other.test/located");
    site.answer = answer;

    await site.get({ method }).then((response) => response.arrayBuffer()).catch(() => {});

    const page = keepsPage ? "good" : undefined;
    assertEquals(await site.kept(), page);
    assertEquals(await site.kept({ headers: { "x-forwarded-host": "a" } }), page);
    assertEquals(await site.kept({}, LOCATED), keepsLocated ? "good" : undefined);
    assertEquals(await site.kept({}, "https://other.test/located"), "good");
  });
}

Deno.test("S19: a POST removes what is kept in every partition", async () => {
  const whose = (request: Request) => request.headers.get("x-user") ?? undefined;
  const site = new Site({ lastGood: { partition: whose } });
  const ann = { headers: { "x-user": "ann" } };
  await site.read(ann);
  await site.read();

  await site.read({ method: "POST", headers: { "x-user": "bob" } });

  assertEquals(await site.kept(ann), undefined);
  assertEquals(await site.kept(), undefined);
});

Deno.test("S19: a timed-out POST removes what is kept", async () => {
  const site = new Site({ timeoutMs: 1 });
  await site.read();
  site.answer = () => new Promise(() => {});

  const error = await site.get({ method: "POST" }).catch((error) => error);

  assertEquals((error as Error).name, "TimeoutError");
  assertEquals(await site.kept(), undefined);
});

Deno.test("S19: an answer that was under way at a POST is not kept", async () => {
  const site = new Site();
  const arrivals = site.hold();
  const older = site.read();
  await settled();
  site.answer = page();
  await site.read({ method: "POST" });

  arrivals[0]?.(new Response("older"));
  await older;

  assertEquals(await site.kept(), undefined);
});

Deno.test("S19: it works on what the key option says", async () => {
  const site = new Site({ lastGood: { key: (request) => new URL(request.url).pathname } });
  await site.read({}, "https://origin.test/page?a");

  await site.read({ method: "DELETE" }, "https://origin.test/page?b");

  assertEquals(await site.kept({}, "https://origin.test/page?a"), undefined);
});

Deno.test("S19: a refused POST removes nothing", async () => {
  const site = new Site();
  await site.read();
  site.api.circuit("https://origin.test").trip();

  await site.get({ method: "POST" }).catch(() => {});

  assertEquals(await (await site.get()).text(), "good");
});

Deno.test("S17: a failure in the origin's own words never becomes the good one", async () => {
  const site = new Site();
  await site.read();
  for (const code of [500, 502, 503, 504]) {
    site.answer = down(code);

    assertEquals(await site.read(), "good");
  }
});
