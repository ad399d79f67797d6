import { assertEquals } from "@std/assert";
import { pieces } from "../stage/bodies.ts";
import { Site } from "../stage/site.ts";
import { type Answer, down, page } from "../stage/upstream.ts";

const control = (value: string) => page({ "cache-control": value }, "newer");
const status = (code: number) => page({}, null, code);

/** An answer after a kept page, and whether the page is kept afterwards. */
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

/** Requests whose answers do not remove the page, not even a 404 or no-store. */
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

Deno.test("S17: a failure in the origin's own words never becomes the last good answer", async () => {
  const site = new Site();
  await site.read();
  for (const code of [500, 502, 503, 504]) {
    site.answer = down(code);

    assertEquals(await site.read(), "good");
  }
});
