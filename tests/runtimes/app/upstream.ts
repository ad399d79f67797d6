/** An upstream on this machine that a test can break and heal. */
export interface Upstream {
  readonly url: string;
  /** The number of requests so far. */
  readonly calls: number;
  /** Makes it answer with 500. */
  breakDown(): void;
  /** Makes it answer again, with its next edition. */
  heal(): void;
  /** Closes its port. */
  hangUp(): Promise<void>;
  /** Opens the same port again. */
  listen(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts one on a free port. */
export function startUpstream(): Upstream {
  let isDown = false;
  let edition = 1;
  let calls = 0;
  const answer = ({ url }: Request): Response => {
    calls++;
    if (isDown) return new Response("down", { status: 500, headers: { "x-failed": "1" } });
    const { pathname } = new URL(url);
    return new Response(`${pathname} ${edition}`, { headers: { etag: `"${edition}"` } });
  };
  const start = (port: number) =>
    Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, answer);
  let server: ReturnType<typeof start> | undefined = start(0);
  const { port } = server.addr;
  const hangUp = async () => {
    const ending = server;
    server = undefined;
    await ending?.shutdown();
  };
  return {
    url: `http://127.0.0.1:${port}/`,
    get calls() {
      return calls;
    },
    breakDown: () => void (isDown = true),
    heal() {
      isDown = false;
      edition++;
    },
    hangUp,
    listen: () => void (server = start(port)),
    [Symbol.asyncDispose]: hangUp,
  };
}
