/** What raw clients make of a URL and a Host: no server normalizes all of it (K1). */
import { connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Breaker, LastGoodOptions } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { Hono } from "hono";
import { assert, assertEquals } from "std/assert";
import { boundary } from "./stage/case.ts";
import { type Handler, HOST, serve, type Served } from "./stage/host.ts";
import { exchange } from "./stage/origin.ts";
import { SERVERS } from "./stage/servers.ts";
import { watched } from "./stage/watched.ts";
import { WAYS } from "./stage/ways.ts";

/** The text that a raw client gets for a target. */
async function raw(
  { port }: Served,
  target: string,
  host: string | readonly string[],
  { method = "GET", fields = [] }: { method?: string; fields?: readonly string[] } = {},
): Promise<string> {
  const hosts = (typeof host === "string" ? [host] : host).map((value) => `host: ${value}`);
  const lines = [`${method} ${target} HTTP/1.1`, ...hosts, "connection: close", ...fields];
  const { status, body } = await exchange(port, [...lines, "", ""].join("\r\n"));
  return `${status} ${new TextDecoder().decode(body)}`;
}

/** Targets that mean `/x`, or a page below it, to a router that reads them as they are. */
const around = (page: string) => [
  `/x/..${page}`,
  `/x/%2e%2e${page}`,
  `/x/%2E.${page}`,
  `/x\\..\\${page.slice(1)}`,
  `/x/./..${page}`,
];

/** An app with the options of the README, and a check outside of the breaker. */
function guardedApp(api: Breaker, reply: (path: string) => Response): Handler {
  const app = new Hono();
  app.use("/admin/*", async (c, next) => {
    if (c.req.header("authorization") !== "Bearer ann") return c.text("who?", 401);
    return await next();
  });
  app.use(middleware(api));
  app.get("/admin/report", () => reply("/admin/report"));
  app.all("/home", () => reply("/home"));
  app.all("/x/*", () => reply("/x"));
  app.all("/x\\*", () => reply("/x"));
  return app.fetch;
}

boundary("K1: no raw URL walks around a check that stands outside of the breaker", async () => {
  let isDown = false;
  const w = watched({ lastGood: { refreshMs: 0, ignore: ["authorization"] } });
  const reply = () => isDown ? new Response("down", { status: 503 }) : new Response("secret");
  await using served = await serve(guardedApp(w.api, reply));
  const ann = { fields: ["authorization: Bearer ann"] };
  const live = await raw(served, "/admin/report", "v.test", ann);
  await w.ended(1);
  isDown = true;

  const stale = await raw(served, "/admin/report", "v.test", ann);
  const others: string[] = [];
  for (
    const target of [
      ...around("/admin/report"),
      "/admin/report#x",
      "http://v.test/x/../admin/report",
    ]
  ) {
    for (const host of ["v.test", "w.test"]) others.push(await raw(served, target, host));
  }
  for (const host of ["v.test#", "v.test?", "v.test/x/..", "u@v.test"]) {
    others.push(await raw(served, "/admin/report", host));
  }

  assertEquals([live, stale], ["200 secret", "200 secret"]);
  assertEquals(others.filter((text) => text.includes("secret")), []);
});

boundary("K1, S17, S19: a raw URL neither poisons nor evicts another page", async () => {
  let isDown = false;
  let mallorys = () => new Response("mallory's");
  const w = watched({ threshold: 1_000, lastGood: { refreshMs: 0 } });
  const app = guardedApp(w.api, (path) => {
    if (isDown) return new Response("down", { status: 503 });
    return path === "/home" ? new Response("home") : mallorys();
  });
  await using served = await serve(app);
  const targets = around("/home");
  for (const target of targets) await raw(served, target, "v.test");
  await w.api.idle();
  isDown = true;
  const poisoned = await raw(served, "/home", "v.test");
  isDown = false;
  await raw(served, "/home", "v.test");
  await w.api.idle();

  mallorys = () => new Response("gone", { status: 410, headers: { "cache-control": "no-store" } });
  for (const method of ["GET", "GET", "POST", "DELETE"]) {
    // Other servers resolve the target first, so that this would be a POST of the page itself.
    for (const target of HOST === "deno" ? targets : []) {
      await raw(served, target, "v.test", { method, fields: ["content-length: 0"] });
    }
  }
  isDown = true;

  assertEquals(poisoned, HOST === "deno" ? "503 down" : "200 home");
  assertEquals(await raw(served, "/home", "v.test"), "200 home");
});

/** A server with a page that shows its visitors the host, by the URL and by the field. */
async function shown(
  way: string,
  start: (handler: Handler) => Promise<Served>,
  lastGood: LastGoodOptions = {},
) {
  let isDown = false;
  const w = watched({ threshold: 1_000, lastGood: { refreshMs: 0, ...lastGood } });
  const handler: Handler = ({ url, headers }) =>
    new Response(isDown ? "down" : `${url} ${headers.get("host")}`, { status: isDown ? 503 : 200 });
  const served = await start(WAYS[way]!(w.api, handler));
  return {
    served,
    fail() {
      isDown = true;
    },
    idle: () => w.api.idle(),
    [Symbol.asyncDispose]: () => served[Symbol.asyncDispose](),
  };
}

/** What clients say for the page `/` of `v.test`, and others that no answer may reach. */
const SAID: readonly (readonly [target: string, host: string | readonly string[]])[] = [
  ["/", "v.test"],
  ["/", "V.TEST"],
  ["/", "v.test:80"],
  ["/", "w.test"],
  ["/", "v.test#"],
  ["/", "v.test?"],
  ["/", "v.test/"],
  ["/", "u@v.test"],
  ["/", ["v.test", "w.test"]],
  ["/", ["w.test", "v.test"]],
  ["/", "v.test, w.test"],
  ["http://v.test/", "w.test"],
  ["http://w.test/", "v.test"],
  ["http://V.TEST:80/", "v.test"],
  ["http://evil:x@v.test/", "v.test"],
  ["http://v.test?/", "v.test"],
];

for (const [server, { on, start }] of Object.entries(SERVERS)) {
  if (server.startsWith("undici") || server.startsWith("a class")) continue;
  for (const way of Object.keys(WAYS)) {
    boundary(
      `K1: ${server}, ${way}: whatever host a client names, no other one sees it`,
      async () => {
        await using app = await shown(way, start);
        const live: string[] = [];
        for (const [target, host] of SAID) live.push(await raw(app.served, target, host));
        await app.idle();
        app.fail();

        for (const [index, [target, host]] of SAID.entries()) {
          const text = await raw(app.served, target, host);
          const isServed = text === live[index] || !text.startsWith("200");
          assert(isServed, `${target} ${host} gets ${text}, not ${live[index]}`);
          if (index === 0) assertEquals(text, live[0]);
        }
      },
      on,
    );
  }
}

/** Asks over HTTP/2 without TLS. */
async function h2(port: number, fields: Record<string, string>): Promise<string> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  try {
    return await new Promise((resolve) => {
      let text = "";
      let status: unknown;
      const stream = session.request({ ":path": "/", ...fields });
      stream.setEncoding("utf8");
      stream.on("response", (head) => status = head[":status"]);
      stream.on("data", (part) => text += part);
      stream.on("error", () => {});
      stream.on("close", () => resolve(`${status} ${text}`));
      stream.end();
    });
  } finally {
    session.destroy();
  }
}

/** Serves HTTP/2 without TLS: Deno's own server does, elsewhere it is that of Node. */
async function h2Server(handler: Handler): Promise<Served> {
  if (HOST === "deno") return await serve(handler);
  const server = createServer(
    getRequestListener(handler, { overrideGlobalObjects: false }) as never,
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    errors: [],
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

for (const way of Object.keys(WAYS)) {
  boundary(
    `K1: HTTP/2, ${way}: an :authority against another host uses nothing of it`,
    async () => {
      await using app = await shown(way, h2Server);
      const { port } = app.served;
      const said: readonly Record<string, string>[] = [
        { ":authority": "v.test" },
        { ":authority": "V.TEST" },
        { ":authority": "v.test", host: "w.test" },
        { ":authority": "w.test", host: "v.test" },
        { ":authority": "w.test" },
        { ":authority": "v.test", ":path": "/x/.." },
      ];
      const live: string[] = [];
      for (const fields of said) live.push(await h2(port, fields));
      await app.idle();
      app.fail();

      const stale: string[] = [];
      for (const fields of said) stale.push(await h2(port, fields));

      assertEquals(live[0], "200 http://v.test/ null");
      for (const index of [0, 4]) assertEquals(stale[index], live[index]);
      for (const index of [2, 3]) assertEquals(stale[index], "503 down");
      for (const index of [1, 5]) {
        assert([live[index], "503 down"].includes(stale[index]), stale[index]);
      }
    },
  );
}

boundary(
  "K1: with the option key, a page is kept whose URL has another host than Host",
  async () => {
    const key = ({ url }: Request) => new URL(url).pathname;
    await using app = await shown("a wrapped handler", serve, { key });
    // Deno refuses two hosts, and Bun makes its URL of the field alone.
    const ask = (host: string) =>
      HOST === "bun"
        ? raw(app.served, "/", ["w.test", host])
        : raw(app.served, "http://w.test/", host);
    const live = await ask("v.test");
    await app.idle();
    app.fail();

    assertEquals([await ask("v.test"), await ask("evil.test")], [live, "503 down"]);
  },
);
