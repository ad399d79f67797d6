import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";

/** The host that runs this. */
export type Host = "deno" | "node" | "bun";

export const HOST: Host = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
/** Whether this is Node with this major version. */
export function isNode(major: number): boolean {
  return HOST === "node" && process.versions.node.startsWith(`${major}.`);
}

/** A handler as users write it for every host. */
// deno-lint-ignore no-explicit-any
export type Handler = (request: Request, ...rest: any[]) => Response | Promise<Response>;

/** A server on a free port of 127.0.0.1. */
export interface Served extends AsyncDisposable {
  readonly port: number;
  /** With a slash at the end. */
  readonly url: string;
  /** What reached the server's own error handler. */
  readonly errors: unknown[];
}

interface BunServer {
  readonly port: number;
  stop(closeConnections: boolean): Promise<void>;
}
declare const Bun: { serve(options: unknown): BunServer };

/** Serves with the host's own server: `Deno.serve`, `Bun.serve`, or @hono/node-server on Node. */
export function serve(handler: Handler, options: Record<string, unknown> = {}): Promise<Served> {
  const errors: unknown[] = [];
  const heard = (error: unknown) => {
    errors.push(error);
    return new Response("the server's own error", { status: 500 });
  };
  if (HOST === "deno") return Promise.resolve(denoServed(handler, errors, heard));
  if (HOST === "bun") {
    return Promise.resolve(bunServed({ ...options, fetch: handler }, errors, heard));
  }
  const listener = getRequestListener(handler, { errorHandler: heard, ...options });
  return listening(listener as RequestListener, errors);
}

function denoServed(
  handler: Handler,
  errors: unknown[],
  onError: (error: unknown) => Response,
): Served {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, onError },
    handler,
  );
  const { port } = server.addr;
  return {
    ...placed(port, errors),
    async [Symbol.asyncDispose]() {
      // Connections that clients keep open would hold it for ever.
      const ending = server.shutdown();
      await Promise.race([ending, new Promise((resolve) => setTimeout(resolve, 50))]);
    },
  };
}

function bunServed(
  options: Record<string, unknown>,
  errors: unknown[],
  error: (error: unknown) => Response,
): Served {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, error, ...options });
  return {
    ...placed(server.port, errors),
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
}

/** Serves with `node:http`, which all three hosts have. */
export async function listening(
  listener: RequestListener,
  errors: unknown[] = [],
): Promise<Served & { readonly server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...placed(port, errors),
    server,
    [Symbol.asyncDispose]() {
      server.closeAllConnections?.();
      server.close();
      return Promise.resolve();
    },
  };
}

function placed(port: number, errors: unknown[]) {
  return { port, url: `http://127.0.0.1:${port}/`, errors };
}
