/** Middleware around a breaker in a Hono chain, with real servers, upstreams and clients. */
import { gzipSync } from "node:zlib";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { Hono, type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { NONCE, secureHeaders } from "hono/secure-headers";
import { assertEquals } from "std/assert";
import { boundary, Deferred } from "./stage/case.ts";
import { serve, type Served } from "./stage/host.ts";
import { watched } from "./stage/watched.ts";

type Answer = (path: string) => Response | Promise<Response>;

/** An app behind its host's own server, whose handler a case can replace. */
interface App extends Served {
  answer: Answer;
  readonly notKept: string[];
  ask(path: string, headers?: Record<string, string>): Promise<Response>;
  read(path: string, headers?: Record<string, string>): Promise<string>;
}

const down: Answer = () => new Response("down", { status: 503 });

async function appBehind(
  outer: readonly MiddlewareHandler[],
  answer: Answer,
): Promise<App> {
  const { api, events } = watched({
    threshold: 1_000,
    lastGood: { refreshMs: 0 },
  });
  const state = { answer };
  const app = new Hono();
  for (const each of [...outer, middleware(api) as MiddlewareHandler]) {
    app.use(each);
  }
  app.get("*", (c) => state.answer(c.req.path));
  const served = await serve((request) => app.fetch(request));
  const ask = (path: string, headers: Record<string, string> = {}) =>
    fetch(new URL(path, served.url), { headers });
  return {
    ...served,
    get answer() {
      return state.answer;
    },
    set answer(answer) {
      state.answer = answer;
    },
    get notKept() {
      return events.flatMap((event) => event.type === "not_kept" ? event.why : []);
    },
    ask,
    read: async (path, headers) => await (await ask(path, headers)).text(),
  };
}

/** The ways to set a field further out. */
const OUTER: Readonly<Record<string, MiddlewareHandler>> = {
  "c.header before": async (c, next) => {
    c.header("x-outer", "1");
    await next();
  },
  "c.res before": async (c, next) => {
    c.res.headers.set("x-outer", "1");
    await next();
  },
  "c.header after": async (c, next) => {
    await next();
    c.header("x-outer", "1");
  },
};

for (const [how, outer] of Object.entries(OUTER)) {
  boundary(
    `S14: with a field set by ${how}, a login page behind a redirect is not kept`,
    async () => {
      await using origin = await serve(({ url }) =>
        url.endsWith("/login") ? new Response("log in") : Response.redirect(new URL("/login", url))
      );
      await using app = await appBehind([outer], () => new Response("good"));
      await app.read("/page");
      app.answer = () => fetch(origin.url);

      const login = await app.ask("/page");
      app.answer = down;

      assertEquals([await login.text(), login.headers.get("x-outer")], [
        "log in",
        "1",
      ]);
      assertEquals(app.notKept, ["redirected"]);
      assertEquals(await app.read("/page"), "good");
    },
  );

  if (!how.endsWith("before")) continue;
  // Elsewhere such a handler must use `hono/proxy`, with and without a breaker.
  boundary(
    `34: with a field set by ${how}, a coded answer reads the same, copied or not (deno)`,
    async () => {
      const text = "good ".repeat(400);
      await using origin = await serve(() =>
        new Response(new Uint8Array(gzipSync(text)), {
          headers: { "content-encoding": "gzip", "content-type": "text/plain" },
        })
      );
      let isCopied = true;
      await using app = await appBehind([outer], async () => {
        const response = await fetch(origin.url);
        return isCopied ? response : Object.defineProperty(response, "redirected", { value: true });
      });
      const live = await app.read("/page");
      isCopied = false;
      const uncopied = await app.ask("/page");
      app.answer = down;
      const stale = await app.ask("/page");

      assertEquals([live, await uncopied.text(), await stale.text()], [text, text, text]);
      for (const { headers } of [uncopied, stale]) assertEquals(headers.get("x-outer"), "1");
    },
    ["deno"],
  );
}

boundary(
  "H6: a word after next() is heard behind a real server, and until then nobody gets the page",
  async () => {
    const said = new Deferred();
    const asked = new Deferred();
    await using app = await appBehind([async (c, next) => {
      await next();
      if (c.req.path !== "/private") return;
      asked.resolve();
      await said.promise;
      c.header("cache-control", "private");
    }], () => new Response("good"));
    const first = app.read("/private");
    await asked.promise;
    app.answer = down;

    const meanwhile = app.read("/private");
    said.resolve();

    assertEquals([await meanwhile, await first], ["down", "good"]);
    assertEquals([await app.read("/private"), app.notKept], ["down", [
      "private",
    ]]);
  },
);

boundary(
  "S20: secureHeaders outside with a nonce forbids keeping behind a real server",
  async () => {
    const policy = { contentSecurityPolicy: { scriptSrc: [NONCE] } };
    await using app = await appBehind(
      [secureHeaders(policy)],
      () => new Response("<script>"),
    );
    await app.read("/page");
    app.answer = down;

    assertEquals([await app.read("/page"), app.notKept], ["down", ["nonce"]]);
  },
);

boundary(
  "S10: no origin gets the page of another one behind a real server",
  async () => {
    await using app = await appBehind(
      [cors({ origin: (origin) => origin })],
      () => {
        return new Response("a's");
      },
    );
    const from = (name: string) => ({ origin: `https://${name}.test` });
    await app.read("/page", from("a"));
    app.answer = down;

    const toA = await app.ask("/page", from("a"));
    const toB = await app.ask("/page", from("b"));

    assertEquals([await toA.text(), await toB.text()], ["a's", "down"]);
    for (const [name, { headers }] of [["a", toA], ["b", toB]] as const) {
      assertEquals(
        headers.get("access-control-allow-origin"),
        `https://${name}.test`,
      );
      assertEquals(headers.get("vary")?.toLowerCase(), "origin");
    }
  },
);

boundary(
  "34: a WebSocket opens under a breaker in a Hono chain with fields set outside (deno)",
  async () => {
    const { api, events } = watched();
    const app = new Hono();
    for (const outer of Object.values(OUTER).slice(0, 2)) app.use(outer);
    app.use(middleware(api) as MiddlewareHandler);
    app.get("/", (c) => {
      const { socket, response } = Deno.upgradeWebSocket(c.req.raw);
      socket.onmessage = ({ data }) => socket.send(`${data}, too`);
      return response;
    });
    await using served = await serve((request) => app.fetch(request));
    const client = new WebSocket(served.url.replace("http", "ws"));
    const heard = new Deferred<unknown>();
    client.onopen = () => client.send("hello");
    client.onmessage = ({ data }) => heard.resolve(data);

    assertEquals(await heard.promise, "hello, too");
    assertEquals(events.filter(({ type }) => type === "kept"), []);
    const closed = new Deferred();
    client.onclose = () => closed.resolve();
    client.close();
    await closed.promise;
  },
  ["deno"],
);
