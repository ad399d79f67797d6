/** The flaky upstream: `/success`, `/failure` (half the time after 2 s) and `/random`. */

/** The upstream's health: "broken" fails on every path, "slow" answers every request after 2 s. */
export type Health = "well" | "slow" | "broken";

/** An upstream that runs on 127.0.0.1. */
export interface Upstream {
  readonly url: string;
  /** The number of calls so far. */
  readonly calls: number;
  health: Health;
  /** Stops it, without waiting for slow answers. */
  stop(): Promise<void>;
}

const SLOW_MS = 2_000;
const PATHS = ["/success", "/failure", "/random"];

/** @param random Numbers from 0 to 1: below 0.5, `/random` succeeds and a failure is slow. */
export function startUpstream(random: () => number = Math.random): Upstream {
  const stopping = new AbortController();
  let calls = 0;
  let health: Health = "well";

  function slowly(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, SLOW_MS);
      stopping.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  async function answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (!PATHS.includes(pathname)) return new Response("No such path\n", { status: 404 });
    calls++;
    if (health === "slow") await slowly();
    const isGood = pathname === "/success" || (pathname === "/random" && random() < 0.5);
    if (isGood && health !== "broken") {
      return Response.json({ message: "Success!", at: new Date() });
    }
    if (health !== "slow" && random() < 0.5) await slowly();
    return Response.json({ message: "Failed!", at: new Date() }, { status: 500 });
  }

  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    get calls() {
      return calls;
    },
    get health() {
      return health;
    },
    set health(value) {
      health = value;
    },
    async stop() {
      stopping.abort();
      await server.shutdown();
    },
  };
}
