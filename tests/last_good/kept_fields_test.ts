import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FieldMap } from "../../src/http/fields.ts";
import { confirmedFields, decodedFields, keptFields } from "../../src/last_good/kept_fields.ts";
import { ORIGIN, served, Site } from "../stage/site.ts";
import { page } from "../stage/upstream.ts";

const namesKept = (fields: Record<string, string>) =>
  Object.keys(keptFields(new FieldMap(new Headers(fields))));

/** Fields of one moment, and some that only look like it. */
const OF_ONE_MOMENT = [
  "Accept-Ranges",
  "Authentication-Info",
  "Clear-Site-Data",
  "DPoP-Nonce",
  "Proxy-Authentication-Info",
  "RateLimit",
  "RateLimit-Policy",
  "RateLimit-Remaining",
  "Refresh",
  "Replay-Nonce",
  "Retry-After",
  "retry-after-ms",
  "Secure-Session-Challenge",
  "Secure-Session-Registration",
  "Server-Timing",
  "Set-Login",
  "X-CSRF-Token",
  "X-Rate-Limit-Reset",
  "X-RateLimit-Limit",
  "X-RateLimit-Remaining-Requests",
  "X-XSRF-TOKEN",
  "x-ms-retry-after-ms",
];
const LASTING = [
  "Accept-CH",
  "Content-Security-Policy",
  "Link",
  "Location",
  "Refresh-Policy",
  "Set-Login-Url",
  "Strict-Transport-Security",
  "Timing-Allow-Origin",
  "WWW-Authenticate",
  "X-Limit",
  "X-Rate",
  "X-Request-Id",
  "X-Token",
];

Deno.test("H9: fields about one moment are not kept, and no others are lost", () => {
  for (const name of OF_ONE_MOMENT) assertEquals(namesKept({ [name]: "1" }), [], name);
  for (const name of LASTING) assertEquals(namesKept({ [name]: "1" }), [name.toLowerCase()], name);
});

/** For one connection, or made anew for each answer, and some that only look like it. */
const OF_ONE_ANSWER = [
  "Age",
  "Connection",
  "Content-Length",
  "Keep-Alive",
  "Proxy-Authenticate",
  "Proxy-Connection",
  "Set-Cookie",
  "Set-Cookie2",
  "TE",
  "Trailer",
  "Transfer-Encoding",
  "Upgrade",
];
const OF_ALL_ANSWERS = ["TE-Own", "Trailers", "Upgrade-Policy", "X-Age", "X-Proxy-Cache"];

Deno.test("H1: fields of one connection or one answer are not kept, and no others are lost", () => {
  for (const name of OF_ONE_ANSWER) assertEquals(namesKept({ [name]: "1" }), [], name);
  for (const name of OF_ALL_ANSWERS) {
    assertEquals(namesKept({ [name]: "1" }), [name.toLowerCase()], name);
  }
});

Deno.test("H1: what Connection lists is not kept, in whatever case it is listed", () => {
  assertEquals(namesKept({ connection: "close, X-Own ,x-more", "x-own": "1", "x-more": "1" }), []);
});

for (const way of ["fetch", "wrap", "hono"] as const) {
  Deno.test(`H9: ${way}: a served answer has no field about one moment, the live one has all`, async () => {
    const fields = Object.fromEntries(OF_ONE_MOMENT.map((name) => [name, "1"]));
    const site = new Site({}, way);
    site.answer = page({ ...fields, "x-own": "1" });

    const live = await site.get();
    await live.text();
    site.fail();
    const stale = await site.get();

    assertEquals(await stale.text(), "good");
    assertEquals(OF_ONE_MOMENT.filter((name) => !live.headers.has(name)), []);
    assertEquals(OF_ONE_MOMENT.filter((name) => stale.headers.has(name)), []);
    assertEquals(stale.headers.get("x-own"), "1");
  });
}

const DIGESTS = {
  "content-digest": "sha-256=:coded:",
  "content-md5": "coded",
  digest: "sha-256=coded",
  "repr-digest": "sha-256=:coded:",
  signature: "sig1=:coded:",
  "signature-input": 'sig1=("content-digest")',
  "x-amz-checksum-crc32": "coded",
  "x-goog-hash": "md5=coded",
};

for (const way of ["fetch", "wrap", "hono"] as const) {
  Deno.test(`F6: ${way}: a stale answer to Range is whole and has no Accept-Ranges`, async () => {
    const site = new Site({}, way);
    site.answer = page({ "accept-ranges": "bytes" });
    await site.read();
    site.fail();

    const response = await site.get({ headers: { range: "bytes=0-1" } });

    assertEquals([response.status, await response.text()], [200, "good"]);
    const { headers } = response;
    assertEquals([headers.get("accept-ranges"), headers.get("content-range")], [null, null]);
  });

  Deno.test(`F6: ${way}: a stale answer to HEAD has the fields and no body`, async () => {
    const site = new Site({}, way);
    site.answer = page({ "x-own": "1" });
    await site.read();
    site.fail();

    const response = await site.get({ method: "HEAD" });

    assertEquals([response.status, await response.text()], [200, ""]);
    assertEquals(response.headers.get("x-own"), "1");
  });

  Deno.test(`H4: ${way}: digests and signatures of coded bytes do not describe decoded ones`, async () => {
    const response = await served(page({ ...DIGESTS, "content-encoding": "gzip", "x-own": "1" }), {
      way,
    });

    assertEquals([await response.text(), response.headers.get("x-own")], ["good", "1"]);
    for (const name of Object.keys(DIGESTS)) assertEquals(response.headers.get(name), null, name);
  });

  Deno.test(`H9: ${way}: dropFields are not sent while the upstream fails`, async () => {
    const response = await served(page({ "x-powered-by": "us", "x-own": "1" }), {
      way,
      options: { dropFields: ["X-Powered-By"] },
    });

    await response.text();
    const { headers } = response;
    assertEquals([headers.get("x-powered-by"), headers.get("x-own")], [null, "1"]);
  });
}

Deno.test("H1: thousands of names in Connection take linear time", () => {
  const names = Array.from({ length: 60_000 }, (_, index) => `x${index}`);
  const given = new FieldMap(new Headers({ connection: names.join(", "), "x-own": "1" }));
  for (const name of names.slice(-20_000)) given.all.set(name, "1");

  const began = performance.now();
  const fields = keptFields(given);

  assert(performance.now() - began < 1_000);
  assertEquals(Object.keys(fields), ["x-own"]);
});

// ---- dropFields ----

Deno.test("H9: dropFields are not kept, in whatever case they are named", async () => {
  const fields = { "x-own": "1", "x-powered-by": "us", server: "s", etag: '"1"' };
  const response = await served(page(fields), {
    options: { dropFields: ["X-Powered-By", "server", "ETag"] },
  });

  assertEquals(await response.text(), "good");
  const { headers } = response;
  assertEquals([headers.get("x-own"), headers.get("x-powered-by")], ["1", null]);
  assertEquals([headers.get("server"), headers.get("etag")], [null, null]);
});

Deno.test("H9: without dropFields, what an answer cannot be read without stays", async () => {
  const fields = {
    "content-type": "text/plain",
    "content-encoding": "x-own",
    date: "Thu, 01 Jan 2026 00:00:00 GMT",
  };
  const response = await served(page(fields), {
    secs: 7,
    options: { dropFields: [...Object.keys(fields), "age", "content-length"] },
  });

  assertEquals(await response.text(), "good");
  for (const [name, value] of Object.entries({ ...fields, age: "7", "content-length": "4" })) {
    assertEquals(response.headers.get(name), value, name);
  }
});

const RULED = ["cache-control", "expires", "last-modified", "vary"];

Deno.test("H9: what the rules read is dropped from full answers and from a 304", async () => {
  const site = new Site({ lastGood: { dropFields: RULED } });
  site.answer = page({
    "cache-control": "max-age=60",
    expires: "Thu, 01 Jan 2026 00:01:00 GMT",
    "last-modified": "Wed, 31 Dec 2025 00:00:00 GMT",
    vary: "accept",
    etag: '"1"',
  });
  await site.read();
  site.fail();

  for (const headers of [{}, { "if-none-match": "*" }]) {
    const response = await site.get({ headers });
    await response.text();
    assertEquals(RULED.filter((name) => response.headers.has(name)), []);
  }
});

Deno.test("H9: the rules obey the fields that dropFields leaves out", async () => {
  const site = new Site({ lastGood: { dropFields: RULED } });
  site.answer = page({ "cache-control": "max-age=60, must-revalidate", vary: "accept" });
  await site.read({ headers: { accept: "text/html" } });

  assertEquals(await site.kept({ headers: { accept: "image/png" } }), undefined);
  assertEquals(await site.kept({ headers: { accept: "text/html" } }), "good");
  site.clock.tick(60_000);
  assertEquals(await site.kept({ headers: { accept: "text/html" } }), undefined);
});

Deno.test("H9: without its Cache-Control, an answer has no Expires that could promise more", async () => {
  const fields = { "cache-control": "max-age=1", expires: "Fri, 02 Jan 2026 00:00:00 GMT" };
  const response = await served(page(fields), { options: { dropFields: ["cache-control"] } });

  await response.text();
  assertEquals(response.headers.get("expires"), null);
});

Deno.test("H9: dropFields that name one field leave the others that the rules read", async () => {
  const fields = {
    "cache-control": "max-age=60",
    expires: "Thu, 01 Jan 2026 00:01:00 GMT",
    "last-modified": "Wed, 31 Dec 2025 00:00:00 GMT",
    vary: "X-Theme",
  };

  for (const dropped of ["x-powered-by", "vary"]) {
    const response = await served(page(fields), { options: { dropFields: [dropped] } });

    await response.text();
    for (const [name, value] of Object.entries(fields)) {
      assertEquals(response.headers.get(name), name === dropped ? null : value, name);
    }
  }
});

// ---- 304 ----

/** Keeps a page, opens the circuit, and lets a probe in the background get a 304. */
async function confirmed(
  fields: Record<string, string>,
  by: Record<string, string>,
  dropFields: string[] = [],
): Promise<Headers> {
  const site = new Site({ delayMs: 1_000, waitUntil: () => {}, lastGood: { dropFields } });
  site.answer = page({ etag: '"1"', ...fields });
  await site.read();
  site.api.circuit(ORIGIN).trip();
  site.clock.tick(60_000);
  site.answer = () => new Response(null, { status: 304, headers: { etag: '"1"', ...by } });
  await site.read();
  await site.api.idle();
  site.fail();
  const response = await site.get();
  assertEquals(await response.text(), "good");
  assertEquals(response.headers.get("age"), "0");
  return response.headers;
}

Deno.test("H9: a 304 adds no field about one moment, and none that is to be dropped", async () => {
  const by = {
    "x-ratelimit-remaining": "1",
    "retry-after": "9",
    "x-powered-by": "us",
    "x-own": "2",
  };

  const headers = await confirmed({ "x-own": "1" }, by, ["x-powered-by"]);

  assertEquals(headers.get("x-own"), "2");
  for (const name of ["x-ratelimit-remaining", "retry-after", "x-powered-by"]) {
    assertEquals(headers.get(name), null, name);
  }
});

Deno.test("S6: a directive that dropFields leaves out holds after a 304, too", async () => {
  const fields = { "cache-control": "max-age=5, must-revalidate" };
  const site = new Site({
    delayMs: 1_000,
    waitUntil: () => {},
    lastGood: { dropFields: ["cache-control"] },
  });
  site.answer = page({ etag: '"1"', ...fields });
  await site.read();
  site.api.circuit(ORIGIN).trip();
  site.clock.tick(2_000);
  site.answer = () => new Response(null, { status: 304 });
  await site.read();
  await site.api.idle();

  site.clock.tick(5_000);

  assertEquals(await site.kept(), undefined);
});

Deno.test("H9: an Expires that dropFields leaves out holds after a 304, too", async () => {
  const fields = { expires: "Thu, 01 Jan 2026 00:01:40 GMT" };

  const headers = await confirmed(fields, {}, ["expires"]);

  assertEquals(headers.get("expires"), null);
  assertStringIncludes(headers.get("cache-status") ?? "", "ttl=40");
});

Deno.test("K2: a Vary that dropFields leaves out holds after a 304, too", async () => {
  const from = (theme: string) => ({ headers: { "x-theme": theme } });
  const site = new Site({ lastGood: { dropFields: ["vary"] } });
  site.answer = page({ etag: '"1"', vary: "X-Theme" });
  await site.read(from("a"));
  site.clock.tick(60_000);
  site.answer = () => new Response(null, { status: 304 });
  await site.read({ headers: { "x-theme": "a", "if-none-match": '"1"' } });

  assertEquals([await site.kept(from("a")), await site.kept(from("b"))], ["good", undefined]);
});

Deno.test("S21: a Last-Modified that dropFields leaves out is what a 304 confirms", async () => {
  const modified = "Wed, 31 Dec 2025 00:00:00 GMT";
  const site = new Site({ lastGood: { dropFields: ["last-modified"] } });
  site.answer = page({ "last-modified": modified });
  await site.read();
  site.clock.tick(60_000);
  site.answer = () => new Response(null, { status: 304, headers: { "x-own": "2" } });
  await site.read({ headers: { "if-modified-since": modified } });
  site.fail();

  const { headers, body } = await site.get();

  await body?.cancel();
  assertEquals([headers.get("x-own"), headers.get("last-modified")], ["2", null]);
});

// ---- Digests ----

Deno.test("H4: the digests and signatures of a plain body stay", async () => {
  const response = await served(page(DIGESTS));

  await response.text();
  for (const [name, value] of Object.entries(DIGESTS)) {
    assertEquals(response.headers.get(name), value, name);
  }
});

Deno.test("H4: an answer with the same ETag does not bring them back either", async () => {
  const site = new Site();
  site.answer = page({ ...DIGESTS, "content-encoding": "gzip", etag: '"1"', "x-own": "1" });
  await site.read();
  site.clock.tick(60_000);
  site.answer = page({ ...DIGESTS, "content-encoding": "gzip", etag: '"1"', "x-own": "2" });
  await site.read();
  site.fail();

  const { headers, body } = await site.get();

  await body?.cancel();
  assertEquals([headers.get("age"), headers.get("x-own")], ["0", "2"]);
  for (const name of Object.keys(DIGESTS)) assertEquals(headers.get(name), null, name);
});

Deno.test("H4: a 304 does not bring the digests of coded bytes back", async () => {
  const coded = { ...DIGESTS, "content-encoding": "gzip" };

  const headers = await confirmed(coded, { ...coded, "x-own": "2" });

  assertEquals([headers.get("x-own"), headers.get("etag")], ["2", 'W/"1"']);
  for (const name of Object.keys(coded)) assertEquals(headers.get(name), null, name);
});

Deno.test("H4: a 304 leaves the digest of a plain body as it is", async () => {
  const headers = await confirmed({ "repr-digest": "one" }, { "content-digest": "of nothing" });

  assertEquals([headers.get("repr-digest"), headers.get("content-digest")], ["one", null]);
});

Deno.test("H4: fields that are only named like those of coded bytes describe decoded ones, too", () => {
  const names = ["x-content-encoding", "x-signature", "digest-kind"];

  const decoded = decodedFields(Object.fromEntries(names.map((name) => [name, "1"])));

  assertEquals(Object.keys(decoded), names);
});

Deno.test("H1: a field named __proto__ stays a field, decoded or confirmed", () => {
  const fields = keptFields(new FieldMap(new Headers([["__proto__", "evil"]])));

  assertEquals(Object.keys(decodedFields(fields)), ["__proto__"]);
  assertEquals(Object.keys(confirmedFields(fields, fields)), ["__proto__"]);
});
