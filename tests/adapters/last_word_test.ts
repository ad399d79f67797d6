/** Middleware further out has the last word about an answer, also after `next()`. */

import { assertEquals } from "@std/assert";
import type { BreakerEvent } from "@lastgood/breaker";
import { breaker } from "@lastgood/breaker/hono";
import { type Context, type Handler, Hono, type MiddlewareHandler } from "hono";
import { handleMiddleware } from "hono/cloudflare-pages";
import { every } from "hono/combine";
import { NONCE, secureHeaders } from "hono/secure-headers";
import { Clock } from "../stage/clock.ts";
import { deferred } from "../stage/deferred.ts";
import { notKept, types } from "../stage/events.ts";
import { calm, Edge, MAKERS, PAGE } from "../stage/hono_stage.ts";
import { settled } from "../stage/settle.ts";
import { madeBy } from "../stage/upstream.ts";

/** The ways in which a middleware can set a field once the answer is there. */
const LATER:
  readonly (readonly [how: string, set: (c: Context, name: string, value: string) => void])[] = [
    ["c.header", (c, name, value) => c.header(name, value)],
    ["c.header, appending", (c, name, value) => c.header(name, value, { append: true })],
    ["c.res.headers.set", (c, name, value) => (c.res as Response).headers.set(name, value)],
    ["c.res.headers.append", (c, name, value) => (c.res as Response).headers.append(name, value)],
    ["a new c.res", (c, name, value) => {
      c.res = new Response((c.res as Response).body, { headers: { [name]: value } });
    }],
    ["a c.res without the old fields", (c, name, value) => {
      const { body } = c.res as Response;
      c.res = undefined;
      c.res = new Response(body, { headers: { [name]: value } });
    }],
  ];

/** Makes a middleware that says something about the answer of whatever comes after it. */
function after(say: (c: Context) => void | Promise<void>): MiddlewareHandler {
  return async (c, next) => {
    await next();
    await say(c);
  };
}

for (const [maker, make] of MAKERS) {
  for (const [how, set] of LATER) {
    for (const word of ["private", "no-store", "no-cache", "max-age=60, PRIVATE"]) {
      Deno.test(`H6: Cache-Control ${word} set after next() by ${how} forbids keeping, ${maker}`, async () => {
        const edge = new Edge({ outer: [after((c) => set(c, "cache-control", word))] });
        edge.answer = (c) => make(c, "good");
        await edge.read();
        edge.fail();

        assertEquals(await edge.read(), "down");
        assertEquals(edge.notKept, [/private/i.test(word) ? "private" : word]);
      });
    }

    Deno.test(`S7: a cookie set after next() by ${how} forbids keeping and leaves the older copy, ${maker}`, async () => {
      const edge = new Edge({
        outer: [after((c) => c.req.header("x-name") ? set(c, "set-cookie", "id=1") : undefined)],
      }, { lastGood: { maxBodyMs: Infinity, refreshMs: 0 } });
      edge.answer = (c) => make(c, `for ${c.req.header("x-name")}`);
      await edge.read();
      await edge.read({ headers: { "x-name": "ann" } });
      edge.fail();

      assertEquals(await edge.read(), "for undefined");
      assertEquals(edge.notKept, ["set-cookie"]);
    });

    Deno.test(`S10: Vary set after next() by ${how} counts, ${maker}`, async () => {
      const edge = new Edge({ outer: [after((c) => set(c, "vary", "X-Theme"))] });
      edge.answer = (c) => make(c, c.req.header("x-theme") ?? "");
      await edge.read({ headers: { "x-theme": "a" } });
      edge.fail();

      assertEquals(await edge.read({ headers: { "x-theme": "b" } }), "down");
      assertEquals(await edge.read({ headers: { "x-theme": "a" } }), "a");
    });

    Deno.test(`K2: the handler's own Vary counts though another one is set after next() by ${how}, ${maker}`, async () => {
      const edge = new Edge({ outer: [after((c) => set(c, "vary", "X-Other"))] });
      edge.answer = (c) => make(c, c.req.header("x-theme") ?? "", { vary: "X-Theme" });
      await edge.read({ headers: { "x-theme": "a" } });
      edge.fail();

      assertEquals(await edge.read({ headers: { "x-theme": "b" } }), "down");
      assertEquals(await edge.read({ headers: { "x-theme": "a" } }), "a");
    });

    Deno.test(`S10: a reflected origin set after next() by ${how} counts as Vary: Origin, ${maker}`, async () => {
      const origin = (c: Context) => c.req.header("origin") ?? "";
      const edge = new Edge({
        outer: [after((c) => set(c, "access-control-allow-origin", origin(c)))],
      });
      edge.answer = (c) => make(c, origin(c));
      await edge.read({ headers: { origin: "https://a.test" } });
      edge.fail();

      assertEquals(await edge.read({ headers: { origin: "https://b.test" } }), "down");
      assertEquals(await edge.read({ headers: { origin: "https://a.test" } }), "https://a.test");
    });

    Deno.test(`S10: Vary: * set after next() by ${how} forbids keeping, ${maker}`, async () => {
      const edge = new Edge({ outer: [after((c) => set(c, "vary", "*"))] });
      edge.answer = (c) => make(c, "good");
      await edge.read();
      edge.fail();

      assertEquals(await edge.read(), "down");
      assertEquals(edge.notKept, ["vary"]);
    });

    for (
      const [name, value] of [
        ["cdn-cache-control", "no-store"],
        ["surrogate-control", "no-store"],
        ["pragma", "no-cache"],
      ] as const
    ) {
      Deno.test(`S3: ${name}: ${value} set after next() by ${how} forbids keeping, ${maker}`, async () => {
        const edge = new Edge({ outer: [after((c) => set(c, name, value))] });
        edge.answer = (c) => make(c, "good");
        await edge.read();
        edge.fail();

        assertEquals(await edge.read(), "down");
        assertEquals(edge.notKept, ["no-store"]);
      });
    }

    for (const name of ["content-security-policy", "content-security-policy-report-only"]) {
      Deno.test(`S20: a nonce in ${name} set after next() by ${how} forbids keeping, ${maker}`, async () => {
        const edge = new Edge({ outer: [after((c) => set(c, name, "script-src 'NONCE-abc'"))] });
        edge.answer = (c) => make(c, "good");
        await edge.read();
        edge.fail();

        assertEquals(await edge.read(), "down");
        assertEquals(edge.notKept, ["nonce"]);
      });
    }

    Deno.test(`H6: a harmless field set after next() by ${how} forbids nothing, ${maker}`, async () => {
      const edge = new Edge({
        outer: [after((c) => {
          set(c, "x-client", "1");
          set(c, "cache-control", "public, max-age=60");
          set(c, "content-security-policy", "script-src 'self'");
        })],
      });
      edge.answer = (c) => make(c, "good");
      await edge.read();
      edge.fail();

      assertEquals(await edge.read(), "good");
      assertEquals(edge.notKept, []);
    });
  }

  Deno.test(`S20: secureHeaders outside with a nonce forbids keeping, ${maker}`, async () => {
    const edge = new Edge({
      outer: [secureHeaders({ contentSecurityPolicy: { scriptSrc: [NONCE] } })],
    });
    edge.answer = (c) => make(c, `<script nonce="${c.get("secureHeadersNonce")}">`);
    await edge.read();
    edge.fail();

    assertEquals(await edge.read(), "down");
    assertEquals(edge.notKept, ["nonce"]);
  });

  Deno.test(`S20: secureHeaders inside with a nonce is part of the answer, ${maker}`, async () => {
    const edge = new Edge({
      inner: [secureHeaders({ contentSecurityPolicy: { scriptSrc: [NONCE] } })],
    });
    edge.answer = (c) => make(c, c.get("secureHeadersNonce") as string);
    await edge.read();
    edge.fail();
    const stale = await edge.get();

    const nonce = await stale.text();
    assertEquals(stale.headers.get("content-security-policy"), `script-src 'nonce-${nonce}'`);
  });

  Deno.test(`S20: the handler's own policy beside other fields set outside is part of the answer, ${maker}`, async () => {
    const own = { "content-security-policy": "script-src 'nonce-own'" };
    const edge = new Edge({
      outer: [after((c) => {
        c.header("x-client", "1");
        c.header("cache-control", "public");
      })],
    });
    edge.answer = (c) => make(c, "good", own);
    await edge.read();
    edge.fail();

    const stale = await edge.get();

    assertEquals(await stale.text(), "good");
    assertEquals(stale.headers.get("content-security-policy"), own["content-security-policy"]);
  });
}

Deno.test("H6: an answer is kept though nobody listens to events", async () => {
  let isDown = false;
  const app = new Hono();
  app.use(after((c) => c.header("x-client", "1")), breaker({ timeoutMs: Infinity }));
  app.get("*", (c) => isDown ? c.text("down", 500) : c.text("good"));
  await (await app.request(PAGE)).text();
  isDown = true;

  assertEquals(await (await app.request(PAGE)).text(), "good");
});

Deno.test("S17: private set after next() on a newer answer removes the older copy", async () => {
  let says = "public";
  const edge = new Edge({ outer: [after((c) => c.header("cache-control", says))] }, {
    lastGood: { maxBodyMs: Infinity, refreshMs: 0 },
  });
  await edge.read();
  says = "private";
  await edge.read();
  edge.fail();

  assertEquals(await edge.read(), "down");
});

Deno.test("S17: an outer middleware that denies the answer after next() removes no copy", async () => {
  const edge = new Edge({
    outer: [after((c) => {
      if (c.req.header("x-stranger") === undefined) return;
      c.res = undefined;
      c.res = new Response("denied", { status: 401, headers: { "cache-control": "no-store" } });
    })],
  }, { lastGood: { maxBodyMs: Infinity, refreshMs: 0 } });
  await edge.read();
  assertEquals(await edge.read({ headers: { "x-stranger": "1" } }), "denied");
  edge.fail();

  assertEquals(await edge.read(), "good");
});

Deno.test("S6: must-revalidate set after next() forbids serving the copy stale", async () => {
  const edge = new Edge({
    outer: [after((c) => c.header("cache-control", "max-age=1, must-revalidate"))],
  });
  await edge.read();
  edge.fail();

  assertEquals(await edge.read(), "good");
  edge.clock.tick(2_000);
  assertEquals(await edge.read(), "down");
});

/** Cache-Control by the handler and outside, and when the copy may no longer be served. */
const LIMITS = [
  ["max-age=1, must-revalidate", "max-age=60", 2],
  ["max-age=60", "max-age=1, must-revalidate", 2],
  ["stale-if-error=5", "stale-if-error=60", 6],
  ["stale-if-error=60", "stale-if-error=5", 6],
  ["stale-if-error=5", "public", 6],
  ["public", "stale-if-error=5", 6],
] as const;

for (const [own, outside, secs] of LIMITS) {
  Deno.test(`F3, S6: of ${own} and, set after next(), ${outside} the stricter counts`, async () => {
    const edge = new Edge({ outer: [after((c) => c.header("cache-control", outside))] });
    edge.answer = (c) => c.text("good", 200, { "cache-control": own });
    await edge.read();
    edge.fail();

    assertEquals(await edge.read(), "good");
    edge.clock.tick(secs * 1_000);
    assertEquals(await edge.read(), "down");
  });
}

for (
  const [own, outside, calls] of [
    ["public", "public, max-age=60", 1],
    ["public", "max-age=60", 2],
    ["max-age=60", "public", 2],
  ] as const
) {
  Deno.test(`F8: with ${own} by the handler and ${outside} set after next(), a client with a cookie causes call ${calls}`, async () => {
    const edge = new Edge({ outer: [after((c) => c.header("cache-control", outside))] }, {
      lastGood: { maxBodyMs: Infinity, freshMs: 10_000 },
    });
    edge.answer = (c) => c.text("good", 200, { "cache-control": own });
    await edge.read();

    await edge.read({ headers: { cookie: "id=1" } });

    assertEquals(edge.calls, calls);
  });
}

Deno.test("S9: what the handler permits counts though those outside leave the field out", async () => {
  const edge = new Edge({
    outer: [after((c) => {
      const { body } = c.res as Response;
      c.res = undefined;
      c.res = new Response(body, { headers: { vary: "X-Theme" } });
    })],
  });
  edge.answer = (c) => c.text("good", 200, { "cache-control": "public" });
  await edge.read({ headers: { cookie: "id=1" } });
  edge.fail();

  assertEquals(await edge.read(), "good");
});

Deno.test("S20: a nonce set after next() on a newer answer leaves the older copy", async () => {
  const edge = new Edge({
    outer: [after((c) => {
      if (c.req.header("x-name")) c.header("content-security-policy", "script-src 'nonce-1'");
    })],
  }, REFRESHING);
  edge.answer = (c) => c.text(`for ${c.req.header("x-name")}`);
  await edge.read();
  await edge.read({ headers: { "x-name": "ann" } });
  edge.fail();

  assertEquals(await edge.read(), "for undefined");
  assertEquals(edge.notKept, ["nonce"]);
});

Deno.test("S15: a Vary set after next() on a field that is too long for the key forbids keeping", async () => {
  const long = { headers: { "x-theme": "a".repeat(9_000) } };
  const edge = new Edge({ outer: [after((c) => c.header("vary", "X-Theme"))] });
  await edge.read(long);
  edge.fail();

  assertEquals(await edge.read(long), "down");
  assertEquals(edge.notKept, ["key-too-large"]);
});

Deno.test("K2: Accept-Encoding set after next() counts for a body that is still coded", async () => {
  const edge = new Edge({ outer: [after((c) => c.header("vary", "Accept-Encoding"))] });
  edge.answer = () =>
    madeBy(
      { url: "https://origin.test/page" },
      new Response("coded", { headers: { "content-encoding": "x-own" } }),
    );
  const coded = { headers: { "accept-encoding": "x-own" } };
  await edge.read(coded);
  edge.fail();

  assertEquals([await edge.read(coded), await edge.read()], ["coded", "down"]);
});

Deno.test("9: a response that cannot be read after next() is heard as an error and not kept", async () => {
  const edge = new Edge({
    outer: [after((c) => {
      Object.defineProperty(c.res, "headers", {
        get: () => {
          throw new Error("unreadable");
        },
      });
    })],
  });
  await edge.get().catch(() => {});
  edge.fail();

  assertEquals(edge.types.includes("error"), true);
  assertEquals(await (await edge.get()).text().catch(() => "none"), "down");
});

type Word = (c: Context) => void;

/** A middleware that has its word only when the test lets it, for requests with `x-slow`. */
function slow(word: Word) {
  const [reached, said] = [deferred(), deferred()];
  const middleware: MiddlewareHandler = async (c, next) => {
    await next();
    if (c.req.header("x-slow") === undefined) return;
    reached.resolve();
    await said.promise;
    word(c);
  };
  return { middleware, reached: reached.promise, say: () => said.resolve() };
}

const SLOW = { headers: { "x-slow": "1" } };
/** A middleware that looks at the answer and says nothing. */
const bystander: MiddlewareHandler = after((c) => void (c.res as Response).headers.get("etag"));
const returning: MiddlewareHandler = async (_, next) => {
  return await next();
};
const REFRESHING = { lastGood: { maxBodyMs: Infinity, refreshMs: 0 } };

/** The ways to put middlewares around a breaker; `every` and `route` dispatch within a dispatch. */
const NESTINGS: readonly (readonly [
  name: string,
  build: (outer: MiddlewareHandler, guard: MiddlewareHandler, answer: Handler) => Hono,
])[] = [
  ["app.use", (outer, guard, answer) => new Hono().use(outer, bystander, guard).get("*", answer)],
  ["app.use, one by one", (outer, guard, answer) => {
    const app = new Hono();
    for (const middleware of [outer, guard, bystander]) app.use("/*", middleware);
    return app.get("/page", answer);
  }],
  [
    "a middleware that returns next()",
    (outer, guard, answer) => new Hono().use(outer, returning, bystander, guard).get("*", answer),
  ],
  [
    "every around all",
    (outer, guard, answer) =>
      new Hono().use(every(outer, bystander, guard, bystander)).get("*", answer),
  ],
  [
    "every around the breaker",
    (outer, guard, answer) => new Hono().use(outer, every(bystander, guard)).get("*", answer),
  ],
  [
    "every outside",
    (outer, guard, answer) =>
      new Hono().use(outer, every(bystander, bystander), guard).get("*", answer),
  ],
  [
    "every in every",
    (outer, guard, answer) =>
      new Hono().use(every(outer, every(bystander, every(bystander, guard)))).get("*", answer),
  ],
  [
    "a middleware that calls it",
    (outer, guard, answer) =>
      new Hono().use((c, next) => outer(c, () => guard(c, next) as Promise<void>)).get("*", answer),
  ],
  ["app.route", (outer, guard, answer) => {
    const sub = new Hono().use(outer, guard).get("/", answer);
    return new Hono().route("/page", sub);
  }],
  ["app.route with an error handler", (outer, guard, answer) => {
    const sub = new Hono().use(outer, bystander, guard).get("/", answer);
    sub.onError((_, c) => c.text("sub", 500));
    return new Hono().use(bystander).route("/page", sub);
  }],
  ["app.route within the chain", (outer, guard, answer) => {
    const sub = new Hono().use(bystander, guard).get("/", answer);
    sub.onError((_, c) => c.text("sub", 500));
    return new Hono().use(outer, bystander).route("/page", sub);
  }],
];

for (const [nesting, build] of NESTINGS) {
  /** A page by this nesting, and the reasons why it was not kept. */
  const nested = (outer: MiddlewareHandler) => {
    const events: BreakerEvent[] = [];
    const answer = { of: (c: Context): Response => c.text("good") };
    const guard = breaker({ ...calm(new Clock(), events), ...REFRESHING });
    const app = build(outer, guard as MiddlewareHandler, (c) => answer.of(c));
    const read = async (init: RequestInit = {}) => await (await app.request(PAGE, init)).text();
    return { read, answer, events };
  };

  Deno.test(`H6: through ${nesting}, an answer is kept once all have had their word`, async () => {
    const { read, answer } = nested(after((c) => c.header("x-client", "1")));
    await read();
    answer.of = (c) => c.text("down", 500);

    assertEquals(await read(), "good");
  });

  for (const how of ["c.header", "c.res.headers.set"]) {
    Deno.test(`H6: through ${nesting}, private set after next() by ${how} forbids keeping`, async () => {
      const [, set] = LATER.find(([name]) => name === how)!;
      const { read, answer, events } = nested(after((c) => set(c, "cache-control", "private")));
      await read();
      answer.of = (c) => c.text("down", 500);

      assertEquals(await read(), "down");
      assertEquals(notKept(events), ["private"]);
    });
  }

  Deno.test(`H6: through ${nesting}, the older copy is served until the last word is said`, async () => {
    const { middleware, reached, say } = slow((c) => c.header("set-cookie", "id=1"));
    const { read, answer, events } = nested(middleware);
    await read();
    answer.of = (c) => c.text("newer");

    const pending = read(SLOW);
    await reached;
    answer.of = (c) => c.text("down", 500);
    const meanwhile = await read();
    say();

    assertEquals([meanwhile, await pending, await read()], ["good", "newer", "good"]);
    assertEquals(notKept(events), ["set-cookie"]);
  });
}

Deno.test("H6: a look before the last word is not the last one, in an app with an error handler", async () => {
  const [looked, said] = [deferred(), deferred()];
  const outer = after(async (c) => {
    (c.res as Response).headers.get("etag");
    looked.resolve();
    await said.promise;
    c.header("cache-control", "private");
  });
  const guard = breaker(calm(new Clock(), []));
  const sub = new Hono().use(outer, bystander, guard).get("/", (c) => c.text("good"));
  sub.onError((_, c) => c.text("sub", 500));
  const app = new Hono().route("/page", sub);
  const pending = app.request(PAGE);
  await looked.promise;
  await settled();

  const { entries } = guard.breaker.kept;

  said.resolve();
  assertEquals([entries, await (await pending).text()], [0, "good"]);
});

Deno.test("H6: an answer is kept before the next request, though nobody has read it", async () => {
  for (const middleware of [bystander, returning, every(bystander)]) {
    const guard = breaker(calm(new Clock(), []));
    const app = new Hono().use(middleware, guard).get("*", (c) => c.text("good"));
    const unread = await app.request(PAGE);
    guard.breaker.circuit("circuit").isolate();

    const stale = await app.request(PAGE);

    assertEquals([await stale.text(), await unread.text()], ["good", "good"]);
  }
});

for (const word of [undefined, "public", "private"]) {
  Deno.test(`H6: on Cloudflare Pages, with ${word} said outside, an answer is kept if it may be`, async () => {
    const guard = breaker({ ...calm(new Clock(), []), ...REFRESHING }) as MiddlewareHandler;
    const outer = after((c) => c.header("cache-control", word));
    const page = handleMiddleware(
      word === undefined ? guard : (c, next) => outer(c, () => guard(c, next) as Promise<void>),
    );
    const ask = async (answer: Response) => {
      const next = () => Promise.resolve(answer);
      return await (await page({ request: new Request(PAGE), env: {}, next } as never)).text();
    };
    await ask(new Response("good"));

    const kept = await ask(new Response("down", { status: 500 }));

    assertEquals(kept, word === "private" ? "down" : "good");
  });
}

Deno.test("H6: an answer whose last word is never said is not kept", async () => {
  const { middleware, reached, say } = slow((c) => c.header("cache-control", "private"));
  const edge = new Edge({ outer: [middleware] });

  const pending = edge.read(SLOW);
  await reached;
  edge.fail();

  assertEquals(await edge.read(), "down");
  say();
  assertEquals(await pending, "good");
});

Deno.test("H6: a word after a look that could have been the last one takes the copy back", async () => {
  const events: BreakerEvent[] = [];
  const guard = breaker(calm(new Clock(), events));
  const outer: MiddlewareHandler = async (c, next) => {
    await next();
    c.res.headers.get("etag");
    await settled();
    c.header("cache-control", "private");
  };
  const app = new Hono().use(every(outer, guard)).get("*", (c) => c.text("good"));

  const live = await app.request(PAGE);
  await settled();
  guard.breaker.circuit("circuit").trip();
  const refused = await app.request(PAGE);

  assertEquals([await live.text(), refused.status], ["good", 503]);
  assertEquals(notKept(events), ["private"]);
  await refused.text();
});

Deno.test("H6: a word after a look that could have been the last one leaves a newer copy", async () => {
  const word = deferred();
  const guard = breaker({ ...calm(new Clock(), []), ...REFRESHING });
  const outer: MiddlewareHandler = async (c, next) => {
    await next();
    c.res.headers.get("etag");
    if (c.req.header("x-slow") === undefined) return;
    await word.promise;
    c.header("set-cookie", "id=1");
  };
  const app = new Hono().use(every(outer, guard)).get("*", (c) => {
    // Workers copy a body only as it is read, and one at a time.
    return c.req.header("x-slow") === undefined ? c.text("newer") : c.body(null, 200);
  });
  const older = app.request(PAGE, SLOW);
  await settled();
  await (await app.request(PAGE)).text();
  await settled();

  word.resolve();
  await (await older).text();
  await settled();
  guard.breaker.circuit("circuit").trip();

  assertEquals(await (await app.request(PAGE)).text(), "newer");
});

Deno.test("H6: a streamed answer is kept after its end, but only if all have allowed it", async () => {
  for (const [word, kept] of [["private", "down"], ["public", "good"]] as const) {
    const edge = new Edge({ outer: [after((c) => c.header("cache-control", word))] });
    edge.answer = () => new Response(new Blob(["good"]).stream());
    assertEquals(await edge.read(), "good");
    edge.fail();

    assertEquals(await edge.read(), kept);
  }
});

Deno.test("H6: each of two breakers in a chain hears those further out alone", async () => {
  const events: BreakerEvent[] = [];
  const own = breaker({ ...calm(new Clock(), events), ...REFRESHING });
  const edge = new Edge({
    outer: [
      own as MiddlewareHandler,
      after((c) => c.header("content-security-policy", "'nonce-1'")),
    ],
  });

  await edge.read();

  assertEquals(edge.notKept, ["nonce"]);
  assertEquals(types(events), ["success", "kept"]);
});

Deno.test("S17: a copy that a strong entity tag confirms is not freshened against a later private", async () => {
  let says = "public";
  const edge = new Edge({ outer: [after((c) => c.header("cache-control", says))] }, REFRESHING);
  edge.answer = (c) => c.text("good", 200, { etag: '"1"' });
  await edge.read();
  says = "private";
  await edge.read();
  edge.fail();

  assertEquals(await edge.read(), "down");
});

Deno.test("S10: a copy that a strong entity tag confirms still varies as those outside say", async () => {
  const edge = new Edge({ outer: [after((c) => c.header("vary", "X-Theme"))] }, REFRESHING);
  edge.answer = (c) => c.text(c.req.header("x-theme") ?? "", 200, { etag: '"1"' });
  const from = (theme: string) => ({ headers: { "x-theme": theme } });
  for (let call = 0; call < 3; call++) await edge.read(from("a"));
  edge.fail();

  assertEquals([await edge.read(from("b")), await edge.read(from("a"))], ["down", "a"]);
});
