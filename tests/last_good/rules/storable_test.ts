import { assertEquals } from "@std/assert";
import type { LastGoodOptions } from "@lastgood/breaker";
import { Site } from "../../stage/site.ts";
import { type Answer, madeBy, page } from "../../stage/upstream.ts";

/** An exchange, and whether its response may be kept. */
interface Case {
  readonly rule: string;
  readonly request?: RequestInit;
  readonly answer?: Answer;
  readonly options?: LastGoodOptions;
  /** The reason why not; undefined if it may be kept. */
  readonly why?: string;
}

function from(headers: HeadersInit): RequestInit {
  return { headers };
}

const control = (value: string) => page({ "cache-control": value });
const bearer = from({ authorization: "Bearer t" });
const cookie = from({ cookie: "sid=1" });
const apiKey = from({ "x-api-key": "ann" });
const partition = () => "me";
const OBSTACLES = [
  "no-store",
  "no-cache",
  "private",
  "must-revalidate",
  "set-cookie",
  "cookie",
  "authorization",
] as const;

const CASES: readonly Case[] = [
  { rule: "S1: GET is kept" },
  { rule: "S1: HEAD is not kept", request: { method: "HEAD" }, why: "method" },
  { rule: "S1: POST is not kept", request: { method: "POST" }, why: "method" },
  { rule: "S1: QUERY is not kept", request: { method: "QUERY" }, why: "method" },
  {
    rule: "S1: a GET with a body is not kept",
    request: { method: "GET", body: "q" },
    why: "request-body",
  },
  { rule: "S1: Upgrade", request: from({ upgrade: "h2c" }), why: "upgrade" },
  {
    rule: "S1: Upgrade, not lifted",
    request: from({ upgrade: "TLS/1.0" }),
    options: { partition, ignore: OBSTACLES },
    why: "upgrade",
  },
  { rule: "S2: a plain 200 without caching fields is kept", answer: page() },
  ...[201, 203, 204, 300, 301, 302, 307, 400, 403, 404, 410, 413, 418, 431, 451].map((status) => ({
    rule: `S2: ${status} is not kept`,
    answer: page({}, null, status),
    why: "status",
  })),
  {
    rule: "S2: 404 is kept with statuses",
    answer: page({}, "good", 404),
    options: { statuses: [404] },
  },
  {
    rule: "S2: 200 is not kept if statuses leaves it out",
    options: { statuses: [404] },
    why: "status",
  },
  { rule: "S3: no-store in the response", answer: control("no-store"), why: "no-store" },
  { rule: "S3: No-Store in any case", answer: control("max-age=1, No-STORE"), why: "no-store" },
  {
    rule: "S3: no-store in the request",
    request: from({ "cache-control": "no-store" }),
    why: "request-no-store",
  },
  {
    rule: "S3: lifted by ignore",
    request: from({ "cache-control": "no-store" }),
    answer: control("no-store"),
    options: { ignore: ["no-store"] },
  },
  ...[
    ["CDN-Cache-Control", "no-store"],
    ["CDN-Cache-Control", "max-age=60, No-Store"],
    ["CDN-Cache-Control", "no-store;a=1"],
    ["Surrogate-Control", "no-store"],
    ["Surrogate-Control", 'content="ESI/1.0", no-store'],
    ["Pragma", "no-cache"],
    ["Pragma", "x, No-Cache"],
  ].flatMap(([name, value]) => [
    { rule: `S3: ${name}: ${value}`, answer: page({ [name!]: value! }), why: "no-store" },
    {
      rule: `S3: ${name}: ${value}, lifted by ignore`,
      answer: page({ [name!]: value! }),
      options: { ignore: ["no-store"] as const },
    },
  ]),
  {
    rule: "S3: CDN-Cache-Control beats public",
    answer: page({ "cache-control": "public", "cdn-cache-control": "no-store" }),
    why: "no-store",
  },
  ...[
    { "cdn-cache-control": "max-age=60;x=1" },
    { "cdn-cache-control": 'x="no-store"' },
    { "cdn-cache-control": "x-no-store; no-stores" },
    { "surrogate-control": "max-age=60+600" },
    { pragma: "x-no-cache" },
    { pragma: "no-cache", "cache-control": "max-age=60" },
  ].map((fields) => ({ rule: `S3: ${JSON.stringify(fields)}`, answer: page(fields) })),
  { rule: "S3: cache no-store", request: { cache: "no-store" }, why: "request-no-store" },
  {
    rule: "S3: cache no-store, lifted by ignore",
    request: { cache: "no-store" },
    options: { ignore: ["no-store"] },
  },
  ...(["reload", "no-cache", "force-cache", "default"] as const).map((cache) => ({
    rule: `S3: cache ${cache}`,
    request: { cache },
  })),
  ...[
    ["no-store;", "no-store"],
    ["no-store x", "no-store"],
    ["=no-store", "no-store"],
    ["max-age=1, max-age=2, no-store", "no-store"],
    ['"private', "private"],
    ['private="', "private"],
    ["private ;", "private"],
    ["PRIVATE = x", "private"],
    ["public;private", "private"],
    ["no-cache=", "no-cache"],
    ['no-cache="x', "no-cache"],
    ["private; no-store", "no-store"],
    ["public ;", "malformed"],
    ["max-age = 60", "malformed"],
    ["x-private ;", "malformed"],
    ["no-storex;", "malformed"],
  ].map(([value, why]) => ({ rule: `S16: ${value}`, answer: control(value!), why: why! })),
  ...["no-store;", "private;", "no-cache;", '"no-store"'].map((value) => ({
    rule: `S16: ${value}, not lifted`,
    answer: control(value),
    options: { partition, ignore: OBSTACLES },
    why: "malformed",
  })),
  {
    rule: "S16: no-store; in the request, not lifted",
    request: from({ "cache-control": "no-store;" }),
    options: { ignore: ["no-store"] },
    why: "request-malformed",
  },
  ...[
    "private",
    "Private",
    'private=""',
    "private=x",
    'private="x", private',
    'private="set-cookie"',
  ]
    .map((value) => ({ rule: `S4: ${value}`, answer: control(value), why: "private" })),
  {
    rule: "S4: lifted by ignore",
    answer: control("private"),
    options: { ignore: ["private"] as const },
  },
  { rule: "S4: lifted by partition", answer: control("private"), options: { partition } },
  {
    rule: "S4: not lifted if partition returns undefined",
    answer: control("private"),
    options: { partition: () => undefined },
    why: "private",
  },
  ...["no-cache", 'no-cache="x"', "no-cache=x", 'no-cache="x", no-cache'].map((value) => ({
    rule: `S5: ${value}`,
    answer: control(value),
    why: "no-cache",
  })),
  {
    rule: "S5: lifted by ignore",
    answer: control("no-cache"),
    options: { ignore: ["no-cache"] },
  },
  {
    rule: "S5: not lifted by partition",
    answer: control("no-cache"),
    options: { partition },
    why: "no-cache",
  },
  { rule: "S7: Set-Cookie", answer: page({ "set-cookie": "a=b" }), why: "set-cookie" },
  {
    rule: "S7: not lifted by partition",
    answer: page({ "set-cookie": "a=b" }),
    options: { partition },
    why: "set-cookie",
  },
  { rule: "S8: Authorization", request: bearer, why: "authorization" },
  { rule: "S8: Authorization, public", request: bearer, answer: control("public") },
  {
    rule: "S8: Authorization, max-age alone",
    request: bearer,
    answer: control("max-age=60"),
    why: "authorization",
  },
  { rule: "S8: Authorization, s-maxage", request: bearer, answer: control("s-maxage=60") },
  {
    rule: "S8: Authorization, must-revalidate",
    request: bearer,
    answer: control("must-revalidate, max-age=60"),
  },
  { rule: "S8: lifted by partition", request: bearer, options: { partition } },
  { rule: "S8: lifted by ignore", request: bearer, options: { ignore: ["authorization"] } },
  ...[
    'public="no"',
    'public=""',
    "public=1",
    "must-revalidate=x",
    's-maxage=""',
    "proxy-revalidate",
    "immutable",
  ].map((value) => ({
    rule: `S8: Authorization, ${value} permits nothing`,
    request: bearer,
    answer: control(value),
    why: "authorization",
  })),
  ...["s-maxage=60", "must-revalidate, max-age=60"].map((value) => ({
    rule: `S8: Authorization, ${value} permits nothing where ignore lifts S6`,
    request: bearer,
    answer: control(value),
    options: { ignore: ["must-revalidate"] as const },
    why: "authorization",
  })),
  {
    rule: "S8: Authorization, public where ignore lifts S6",
    request: bearer,
    answer: control("public"),
    options: { ignore: ["must-revalidate"] },
  },
  {
    rule: "S8: Authorization, Vary: Authorization is not enough",
    request: bearer,
    answer: page({ vary: "Authorization" }),
    why: "authorization",
  },
  { rule: "S8b: a field that says who asks", request: apiKey, why: "identity" },
  { rule: "S8b: an empty one", request: from({ "x-api-key": "" }), why: "identity" },
  { rule: "S8b: public", request: apiKey, answer: control("public") },
  { rule: "S8b: Vary names it", request: apiKey, answer: page({ vary: "X-API-Key" }) },
  {
    rule: "S8b: Vary names another",
    request: apiKey,
    answer: page({ vary: "authorization" }),
    why: "identity",
  },
  {
    rule: "S8b: s-maxage where ignore lifts S6",
    request: apiKey,
    answer: control("s-maxage=60"),
    options: { ignore: ["must-revalidate"] },
    why: "identity",
  },
  { rule: "S8b: lifted by partition", request: apiKey, options: { partition } },
  { rule: "S8b: lifted by ignore", request: apiKey, options: { ignore: ["authorization"] } },
  {
    rule: "S8b: not lifted by ignoring cookies",
    request: apiKey,
    options: { ignore: ["cookie"] },
    why: "identity",
  },
  { rule: "S9: Cookie", request: cookie, why: "cookie" },
  {
    rule: 'S9: Cookie, public="no"',
    request: cookie,
    answer: control('public="no"'),
    why: "cookie",
  },
  {
    rule: "S9: not lifted by ignoring Authorization",
    request: cookie,
    options: { ignore: ["authorization"] },
    why: "cookie",
  },
  {
    rule: "S9: Cookie, s-maxage is not enough",
    request: cookie,
    answer: control("s-maxage=60"),
    why: "cookie",
  },
  { rule: "S9: Cookie, public", request: cookie, answer: control("public") },
  { rule: "S9: Cookie, Vary: Cookie", request: cookie, answer: page({ vary: "Accept, COOKIE" }) },
  { rule: "S9: lifted by partition", request: cookie, options: { partition } },
  { rule: "S9: lifted by ignore", request: cookie, options: { ignore: ["cookie"] } },
  ...["*", "accept, *", "*, accept", " * "].map((vary) => ({
    rule: `S10: Vary: ${vary}`,
    answer: page({ vary }),
    options: { partition, ignore: ["no-store", "private", "no-cache", "cookie"] as const },
    why: "vary",
  })),
  {
    rule: "S10: Vary: * after Access-Control-Allow-Origin",
    answer: page([["access-control-allow-origin", "https://a.test"], ["vary", "*"]]),
    why: "vary",
  },
  {
    rule: "S10: Vary: * on a second line",
    answer: page([["vary", "accept"], ["vary", "*"]]),
    why: "vary",
  },
  { rule: "S11: Range", request: from({ range: "bytes=0-1" }), why: "range" },
  { rule: "S11: 206", answer: page({}, "go", 206), why: "range" },
  {
    rule: "S11: Content-Range",
    answer: page({ "content-range": "bytes 0-1/4" }),
    why: "range",
  },
  {
    rule: "S11: multipart/byteranges",
    answer: page({ "content-type": "Multipart/Byteranges; boundary=x" }),
    why: "range",
  },
  {
    rule: "S12: fewer bytes than announced",
    answer: page({ "content-length": "5" }),
    why: "truncated",
  },
  {
    rule: "S12: more bytes than announced",
    answer: page({ "content-length": "3" }),
    why: "truncated",
  },
  {
    rule: "S12: fewer bytes than announced in an unknown coding",
    answer: page({ "content-length": "5", "content-encoding": "x-own" }),
    why: "truncated",
  },
  {
    rule: "S12: a decoded body whose length differs",
    answer: page({ "content-length": "24", "content-encoding": "gzip" }),
  },
  ...[
    "text/event-stream",
    "Text/Event-Stream; charset=utf-8",
    "multipart/x-mixed-replace;b=1",
    "application/x-ndjson",
  ]
    .map((type) => ({
      rule: `S13: ${type}`,
      answer: page({ "content-type": type }),
      why: "content-type",
    })),
  { rule: "S14: type error", answer: () => madeBy({ type: "error", status: 200 }), why: "opaque" },
  { rule: "S14: type opaque", answer: () => madeBy({ type: "opaque", status: 0 }), why: "opaque" },
  {
    rule: "S14: type opaqueredirect",
    answer: () => madeBy({ type: "opaqueredirect", status: 0 }),
    why: "opaque",
  },
  { rule: "S14: status 0", answer: () => madeBy({ status: 0 }), why: "opaque" },
  { rule: "S14: redirected", answer: () => madeBy({ redirected: true }), why: "redirected" },
  { rule: "S15: a body at maxBodyBytes", options: { maxBodyBytes: 4 } },
  { rule: "S15: a body over maxBodyBytes", options: { maxBodyBytes: 3 }, why: "too-large" },
  {
    rule: "S15: a body that announces too large a size",
    answer: page({ "content-length": "4" }),
    options: { maxBodyBytes: 3 },
    why: "too-large",
  },
  { rule: "S15: headers under 16 KiB", answer: page({ "x-long": "x".repeat(16_000) }) },
  {
    rule: "S15: headers over 16 KiB",
    answer: page({ "x-long": "x".repeat(16_400) }),
    why: "headers-too-large",
  },
  { rule: "S15: a key under 8 KiB", options: { key: () => "k".repeat(8_192) } },
  {
    rule: "S15: a key over 8 KiB",
    options: { key: () => "k".repeat(8_193) },
    why: "key-too-large",
  },
  {
    rule: "S15: a key over 8 KiB because of Vary",
    request: from({ "x-a": "x".repeat(8_192) }),
    answer: page({ vary: "x-a" }),
    why: "key-too-large",
  },
  ...[
    "max-age=abc",
    "max-age",
    "max-age=-1",
    'max-age=""',
    "max-age=1.5",
    "max-age=1, max-age=2",
    "s-maxage=x",
    "stale-if-error=x",
    "a b",
    "max-age=60; public",
    'x="',
    'x="a"b',
    "=1",
    "x=",
    "public, \u00e9",
  ].map((value) => ({
    rule: `S16: Cache-Control: ${value}`,
    answer: control(value),
    why: "malformed",
  })),
  {
    rule: "S16: Cache-Control of the request",
    request: from({ "cache-control": "no store" }),
    why: "request-malformed",
  },
  ...["accept language", "accept;q=1", "\u00e9", '"accept"'].map((vary) => ({
    rule: `S16: Vary: ${vary}`,
    answer: page({ vary }),
    why: "vary",
  })),
  ...["x", "-1", "1.5", "1, 2", ""].map((age) => ({
    rule: `S16: Age: ${age}`,
    answer: page({ age }),
    why: "malformed",
  })),
  ...["now", "0", "2026-01-01", "Thu, 32 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:00"].map((
    date,
  ) => ({ rule: `S16: Date: ${date}`, answer: page({ date }), why: "malformed" })),
];

for (const { rule, request, answer = page(), options = {}, why } of CASES) {
  Deno.test(`${rule}: ${why === undefined ? "is kept" : `is not kept (${why})`}`, async () => {
    const site = new Site({ lastGood: options });
    site.answer = answer;

    await (await site.get(request)).arrayBuffer().catch(() => {});

    const expected = why === undefined ? ["kept"] : [`not_kept ${why}`];
    const heard = site.events.flatMap((event) =>
      event.type === "kept" ? ["kept"] : event.type === "not_kept" ? [`not_kept ${event.why}`] : []
    );
    assertEquals(heard, expected);
    if (request?.method !== undefined && request.method !== "HEAD") return;
    const kept = await site.kept({ ...request, method: "GET" });
    assertEquals(kept, why === undefined ? "good" : undefined);
  });
}
