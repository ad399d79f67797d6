/** An upstream on this machine that is broken and healed from outside. */
export interface Upstream {
  readonly url: string;
  /** How often it was asked. */
  readonly calls: number;
  /** It answers with 500. */
  breakDown(): void;
  /** It answers again, with its next edition. */
  heal(): void;
  /** Nobody listens. */
  hangUp(): Promise<void>;
  /** It listens again, where it was. */
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
