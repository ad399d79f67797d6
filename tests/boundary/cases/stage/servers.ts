import { getRequestListener } from "@hono/node-server";
import { createServerAdapter } from "@whatwg-node/server";
import { Hono } from "hono";
import { serve as srvx } from "srvx";
import { Request as UndiciRequest } from "undici";
import { type Handler, HOST, type Host, listening, serve, type Served } from "./host.ts";

/** A server that hands its own kind of request to a handler. */
export interface ServerKind {
  readonly on: readonly Host[];
  start(handler: Handler): Promise<Served>;
  /** Throws unless the handler has got what this server adds. */
  expect?(request: Request): void;
}

const EVERYWHERE: readonly Host[] = ["deno", "node", "bun"];

/** Like Next's: a Request with a parsed URL and cookies. */
class NextRequestLike extends Request {
  readonly nextUrl: URL;
  readonly cookies: ReadonlyMap<string, string> = new Map([["a", "b"]]);

  constructor({ url, method, headers, signal }: Request) {
    super(url, { method, headers, signal });
    this.nextUrl = new URL(url);
  }
}

/** The servers that users put in front of a handler, and what each adds. */
export const SERVERS: Readonly<Record<string, ServerKind>> = {
  "the host's own server": { on: EVERYWHERE, start: (handler) => serve(handler) },
  "Hono": {
    on: EVERYWHERE,
    start: (handler) => serve(new Hono().all("*", (c) => handler(c.req.raw)).fetch),
  },
  "Bun's routes (bun)": {
    on: ["bun"],
    start: (handler) =>
      serve(() => new Response("no route", { status: 404 }), { routes: { "/:id": handler } }),
    expect({ params }: Request & { params?: { id?: string } }) {
      if (params?.id !== "item") throw new Error("The request has no params");
    },
  },
  "a class like NextRequest": {
    on: EVERYWHERE,
    start: (handler) => serve((request) => handler(new NextRequestLike(request))),
    expect({ nextUrl, cookies }: Request & Partial<NextRequestLike>) {
      if (nextUrl?.pathname !== "/item" || cookies?.get("a") !== "b") {
        throw new Error("The request has no nextUrl");
      }
    },
  },
  "undici's Request": {
    on: EVERYWHERE,
    start: (handler) =>
      serve(({ url, method, signal }) =>
        handler(new UndiciRequest(url, { method, signal }) as unknown as Request)
      ),
  },
  "srvx": {
    on: EVERYWHERE,
    async start(handler) {
      const server = srvx({
        fetch: handler,
        hostname: "127.0.0.1",
        port: 0,
        silent: true,
        gracefulShutdown: false,
      });
      await server.ready();
      const url = server.url!;
      return {
        url,
        port: Number(new URL(url).port),
        errors: [],
        [Symbol.asyncDispose]: () => server.close(true),
      };
    },
  },
  "@whatwg-node/server": {
    on: EVERYWHERE,
    start(handler) {
      const adapter = createServerAdapter(handler as never);
      return HOST === "node" ? listening(adapter as never) : serve(adapter as unknown as Handler);
    },
  },
  // Node's own server is this one.
  "@hono/node-server over node:http": {
    on: ["deno", "bun"],
    start: (handler) =>
      listening(getRequestListener(handler, { overrideGlobalObjects: false }) as never),
  },
};
