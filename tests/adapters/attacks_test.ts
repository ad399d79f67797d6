/** Attacks through other layers of a Hono app: what stands outside of the breaker, and inside. */

import { breaker as makeBreaker } from "@lastgood/breaker";
import { breaker } from "@lastgood/breaker/hono";
import { assert, assertEquals } from "@std/assert";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { basicAuth } from "hono/basic-auth";
import { bearerAuth } from "hono/bearer-auth";
import { cors } from "hono/cors";
import { csrf } from "hono/csrf";
import { sign } from "hono/jwt";
import { jwt } from "hono/jwt";
import { methodOverride } from "hono/method-override";
import { NONCE, secureHeaders } from "hono/secure-headers";
import { Edge, orders, PAGE, quiet, sets } from "../stage/hono_stage.ts";
import { madeBy } from "../stage/upstream.ts";

// ---- Who asks (S8, S8b, S9) ----

const SECRET = "it-is-very-secret";

/** Checks that Hono has, with the fields by which a client passes. */
const CHECKS: Readonly<Record<string, () => [MiddlewareHandler, Record<string, string>]>> = {
  "bearerAuth": () => [bearerAuth({ token: "ann" }), { authorization: "Bearer ann" }],
  "bearerAuth with a header of its own": () => [
    bearerAuth({ token: "ann", headerName: "X-Api-Key", prefix: "" }),
    { "x-api-key": "ann" },
  ],
  "basicAuth": () => [
    basicAuth({ username: "ann", password: "b" }),
    { authorization: `Basic ${btoa("ann:b")}` },
  ],
};

for (const [what, check] of Object.entries(CHECKS)) {
  const [middleware, fields] = check();
  for (const [order, chain] of orders(() => middleware)) {
    Deno.test(`S8, S8b: ${what} ${order}: in an outage, nobody gets what ann has read`, async () => {
      const edge = new Edge(chain);
      assertEquals(await edge.read({ headers: fields }), "good");
      edge.fail();

      const found = [];
      for (
        const headers of [fields, {}, { cookie: "a=b" }, { "cache-control": "only-if-cached" }]
      ) {
        const response = await edge.get({ headers: headers as HeadersInit });
        found.push(response.status < 400 ? await response.text() : "refused");
        await response.body?.cancel().catch(() => {});
      }

      assertEquals(found, ["refused", "refused", "refused", "refused"]);
    });
  }

  Deno.test(`S8, S8b, F4: ${what} outside: what is public is kept, and the check is still asked`, async () => {
    const edge = new Edge({ outer: [middleware] });
    edge.answer = (c) => c.text("public", 200, { "cache-control": "public" });
    await edge.read({ headers: fields });
    edge.fail();

    const stranger = await edge.get({ headers: { "cache-control": "only-if-cached" } });

    assertEquals(stranger.status, 401);
    await stranger.text();
    assertEquals(await edge.read({ headers: fields }), "public");
  });

  Deno.test(`F4, S17: ${what} inside: a stranger gets the check's answer and takes no page away`, async () => {
    const edge = new Edge({ inner: [middleware] });
    edge.answer = (c) => c.text("public", 200, { "cache-control": "public" });
    await edge.read({ headers: fields });

    for (let n = 0; n < 3; n++) {
      const stranger = await edge.get({ headers: { "cache-control": "only-if-cached" } });
      assertEquals(stranger.status, 401);
      await stranger.text();
    }

    edge.fail();
    assertEquals(await edge.read({ headers: fields }), "public");
  });
}

for (const [order, chain] of orders(() => jwt({ secret: SECRET, alg: "HS256", cookie: "token" }))) {
  Deno.test(`S9: jwt in a cookie ${order}: in an outage, nobody gets what ann has read`, async () => {
    const edge = new Edge(chain);
    const token = await sign({ sub: "ann" }, SECRET, "HS256");
    const headers = { cookie: `token=${token}` };
    assertEquals(await edge.read({ headers }), "good");
    edge.fail();

    for (const init of [{ headers }, {}]) {
      const response = await edge.get(init);
      await response.text();
      assert(response.status >= 400);
    }
  });
}

// ---- CORS (S10) ----

const from = (origin: string) => ({ headers: { origin } });
const [A, B] = ["https://a.test", "https://b.test"];

/** Ways in which a page comes to differ by the origin of its reader. */
const BY_ORIGIN: Readonly<Record<string, (edge: Edge) => void>> = {
  "by the handler": (edge) => {
    edge.answer = (c) => c.text(`for ${c.req.header("origin")}`);
  },
  "with a star of its own": (edge) => {
    edge.answer = (c) =>
      c.text(`for ${c.req.header("origin")}`, 200, { "access-control-allow-origin": "*" });
  },
  "with a Vary of its own": (edge) => {
    edge.answer = (c) => c.text(`for ${c.req.header("origin")}`, 200, { vary: "Accept-Encoding" });
  },
};
for (const [what, prepare] of Object.entries(BY_ORIGIN)) {
  const options = {
    "a function": { origin: (origin: string) => origin },
    "a list": { origin: [A, B] },
    "credentials": { origin: (origin: string) => origin, credentials: true },
  };
  for (const [kind, given] of Object.entries(options)) {
    for (const [order, chain] of orders(() => cors(given))) {
      Deno.test(`S10: cors with ${kind} ${order}, a page ${what}: no tenant gets another's`, async () => {
        const edge = new Edge(chain);
        prepare(edge);
        await edge.read(from(A));
        edge.fail();

        const [toA, toB] = [await edge.read(from(A)), await edge.read(from(B))];

        assertEquals([toA, toB], [`for ${A}`, "down"]);
      });
    }
  }
}

Deno.test("S10: Vary: Origin that a middleware sets after the handler counts as well", async () => {
  for (const how of ["header", "res"] as const) {
    const outer: MiddlewareHandler = async (c, next) => {
      await next();
      if (how === "header") c.header("vary", "Origin", { append: true });
      else c.res.headers.append("vary", "Origin");
    };
    const edge = new Edge({ outer: [outer] });
    edge.answer = (c) => c.text(`for ${c.req.header("origin")}`);
    await edge.read(from(A));
    edge.fail();

    assertEquals([how, await edge.read(from(B))], [how, "down"]);
  }
});

for (const how of ["c.header", "c.res"] as const) {
  Deno.test(`S10: ${how}: a star in Vary that an outer middleware sets keeps nothing`, async () => {
    const edge = new Edge({ outer: [sets(how, () => ({ vary: "*" }))] });
    await edge.read();
    edge.fail();

    assertEquals(await edge.read(), "down");
  });
}

// ---- What outer middleware says before and after (H6, S3, S4, S7) ----

const FORBIDS: readonly Record<string, string>[] = [
  { "cache-control": "private" },
  { "cache-control": "no-store" },
  { "cache-control": "private, max-age=60" },
  { "cache-control": "no-cache" },
  { "set-cookie": "sid=ann" },
  { "cdn-cache-control": "no-store" },
];
/** Also after the handler, these say whose the page is. */
const AFTERWARDS = /private|no-store/;

for (const fields of FORBIDS) {
  const [[name, value]] = Object.entries(fields) as [[string, string]];
  const layers: Readonly<Record<string, MiddlewareHandler>> = {
    "c.header before": sets("c.header", () => fields),
    "c.res before": sets("c.res", () => fields),
    "c.header after": async (c, next) => {
      await next();
      c.header(name, value);
    },
    "c.res after": async (c, next) => {
      await next();
      c.res.headers.set(name, value);
    },
    "a new response after": async (c, next) => {
      await next();
      const old = c.res;
      c.res = new Response(old.body, old);
      c.res.headers.set(name, value);
    },
  };
  const isHeardAfter = name === "cache-control" && AFTERWARDS.test(value);
  for (const [how, outer] of Object.entries(layers)) {
    if (how.endsWith("after") && !isHeardAfter) continue;
    Deno.test(`H6: ${JSON.stringify(fields)} by ${how} next() is heard: nobody else gets the page`, async () => {
      const edge = new Edge({ outer: [outer] });
      edge.answer = (c) => c.text(`for ${c.req.header("x-name")}`);
      await edge.read({ headers: { "x-name": "ann" } });
      edge.fail();

      assertEquals(await edge.read({ headers: { "x-name": "bob" } }), "down");
    });
  }
}

Deno.test("H6: harmless fields of outer middleware, before and after, stop no page from being kept", async () => {
  for (const order of ["before", "after"]) {
    const outer: MiddlewareHandler = async (c, next) => {
      if (order === "before") c.header("x-request-id", c.req.header("x-name") ?? "");
      await next();
      if (order === "after") c.res.headers.set("x-request-id", c.req.header("x-name") ?? "");
    };
    const edge = new Edge({ outer: [outer, secureHeaders()] });
    await edge.read({ headers: { "x-name": "ann" } });
    edge.fail();

    const response = await edge.get({ headers: { "x-name": "bob" } });

    assertEquals(await response.text(), "good");
    assertEquals(response.headers.get("x-request-id"), "bob");
    assertEquals(response.headers.get("x-content-type-options"), "nosniff");
  }
});

// ---- Nonces (S20), other URLs (S14), other answers (S1) ----

const nonces = () => secureHeaders({ contentSecurityPolicy: { scriptSrc: [NONCE] } });

Deno.test("S20: secureHeaders with a nonce outside: the page is not kept", async () => {
  const edge = new Edge({ outer: [nonces()] });
  edge.answer = (c: Context) => c.html(`<script nonce="${c.get("secureHeadersNonce" as never)}">`);
  const live = await edge.read();
  assert(/nonce=".+"/.test(live));
  edge.fail();

  assertEquals(await edge.read(), "down");
});

for (const how of ["before", "after"] as const) {
  Deno.test(`S20: a nonce that is set ${how} next() outside: the page is not kept`, async () => {
    const name = "Content-Security-Policy";
    const outer: MiddlewareHandler = async (c, next) => {
      if (how === "before") c.header(name, "script-src 'self' 'NONCE-abc'");
      await next();
      if (how === "after") c.res.headers.set(name, "default-src *; script-src 'nonce-abc'");
    };
    const edge = new Edge({ outer: [outer] });
    await edge.read();
    edge.fail();

    assertEquals(await edge.read(), "down");
  });
}

Deno.test("S20: what is not kept for its nonce is told as such", async () => {
  const edge = new Edge({ outer: [nonces()] });
  await edge.read();

  assertEquals(edge.notKept, ["nonce"]);
});

Deno.test("S20: a policy without a nonce outside, and one with a nonce inside, stop nothing", async () => {
  const outside = new Edge({
    outer: [sets("c.header", () => ({ "content-security-policy": "script-src 'self'" }))],
  });
  const inside = new Edge({ inner: [nonces()] });
  for (const edge of [outside, inside]) {
    await edge.read();
    edge.fail();

    assertEquals(await edge.read(), "good");
  }
});

for (
  const [what, outer] of Object.entries<MiddlewareHandler>({
    "fields set on c.res": sets("c.res", () => ({ "x-outer": "1" })),
    "fields set by c.header": sets("c.header", () => ({ "x-outer": "1" })),
    "cors": cors(),
    "secureHeaders": secureHeaders(),
    "a status set before": async (c, next) => {
      c.status(200);
      await next();
    },
  })
) {
  for (
    const made of [{ redirected: true, url: "http://edge.test/login" }, { type: "opaque" }] as const
  ) {
    Deno.test(`S14: ${what} outside: a page that was ${JSON.stringify(made)} is not kept`, async () => {
      const edge = new Edge({ outer: [outer] });
      edge.answer = () => madeBy(made as Partial<Response>, new Response("log in"));
      await edge.read();
      edge.fail();

      assertEquals(await edge.read(), "down");
    });
  }

  Deno.test(`S14, S1: ${what} outside: an answer that the server has sent already is not kept`, async () => {
    const edge = new Edge({ outer: [outer] });
    edge.answer = () => new Response(null, { headers: { "x-hono-already-sent": "true" } });
    await edge.read();
    edge.fail();

    assertEquals(await edge.read(), "down");
  });

  Deno.test(`S1: ${what} outside: an upgrade is neither kept nor answered from memory`, async () => {
    const edge = new Edge({ outer: [outer] });
    await edge.read();
    edge.fail();

    assertEquals(await edge.read({ headers: { upgrade: "websocket" } }), "down");
  });
}

Deno.test("K3: methodOverride outside: a GET that stands for another method is kept for nobody else", async () => {
  const app = new Hono();
  app.onError(quiet);
  let isDown = false;
  app.use(breaker({ threshold: 100, timeoutMs: Infinity }));
  app.use(methodOverride({ app, header: "x-http-method-override" }));
  app.get(
    "*",
    (c) =>
      isDown
        ? c.text("down", 503)
        : c.text(`page ${c.req.header("x-http-method-override") ?? "good"}`),
  );
  await (await app.request(PAGE, { headers: { "x-http-method-override": "DELETE" } })).text();
  isDown = true;

  assertEquals(await (await app.request(PAGE)).text(), "down");
});

Deno.test("S17: csrf outside: a forged form takes no page away", async () => {
  const edge = new Edge({ outer: [csrf()] });
  await edge.read();
  const forged = await edge.get({
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", origin: B },
    body: "a=b",
  });
  await forged.text();
  edge.fail();

  assertEquals([forged.status, await edge.read()], [403, "good"]);
});

// ---- One middleware at several places (K5) ----

Deno.test("K5: one middleware mounted at two places: neither page is taken for the other", async () => {
  const guard = breaker({ threshold: 100, timeoutMs: Infinity });
  let isDown = false;
  const appOf = (name: string) =>
    new Hono().use(guard).get("*", (c: Context) => isDown ? c.text("down", 503) : c.text(name));
  const app = new Hono();
  app.mount("/a", appOf("a").fetch);
  app.mount("/b", appOf("b").fetch);
  const read = async (path: string) => await (await app.request(path)).text();
  await read("/a/page");
  isDown = true;
  const b = await read("/b/page");
  isDown = false;
  await read("/b/page");
  isDown = true;

  assertEquals(b, "down");
  assertEquals([await read("/a/page"), await read("/b/page")], ["a", "b"]);
});

// ---- Raw URLs past an auth middleware (K1) ----

Deno.test("K1: a raw path that the router sees and the parser does not gets nothing that was kept", async () => {
  const api = makeBreaker({ threshold: 100, timeoutMs: Infinity });
  const app = new Hono();
  let isDown = false;
  app.use("/admin/*", bearerAuth({ token: "ann" }));
  app.use(breaker(api));
  app.get("/admin/report", (c) => c.text("secret", 200, { "cache-control": "public" }));
  app.get("/home", (c) => isDown ? c.text("down", 503) : c.text("home"));
  app.get("/u/*", (c) => c.text("mallory's"));
  app.all("*", (c) => c.text("no such page", 404));
  const ask = async (url: string, headers: HeadersInit = {}) => {
    const request = Object.defineProperty(new Request(PAGE, { headers }), "url", { value: url });
    const response = await app.fetch(request);
    return `${response.status} ${await response.text()}`;
  };
  assertEquals(
    await ask("http://edge.test/admin/report", { authorization: "Bearer ann" }),
    "200 secret",
  );
  assertEquals(await ask("http://edge.test/home"), "200 home");

  for (
    const path of [
      "/x/../admin/report",
      "/x/%2e%2e/admin/report",
      "/./admin/report",
      "\\admin\\report",
      "/x\\..\\admin/report",
      "/admin/../admin/report",
    ]
  ) {
    const answer = await ask(`http://edge.test${path}`);
    assert(!answer.includes("secret"), `${path}: ${answer}`);
  }
  for (const path of ["/none/../home", "/u/mallory/../../home", "/x/%2E%2E/home"]) {
    for (let n = 0; n < 3; n++) await ask(`http://edge.test${path}`);
  }
  isDown = true;

  assertEquals(await ask("http://edge.test/home"), "200 home");
});
