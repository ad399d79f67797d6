/** The measured servers, each a process of its own, under load from here. */
import { Client, type Fields, load } from "./load.ts";
import { interleaved, type Sample } from "./rounds.ts";
import type { Runtime } from "./runtime.ts";

const CLIENTS = 16;
/** For how long each subject is loaded first, twice: engines compile what is called often. */
const WARM_UP_MS = 400;

/** How long to measure. */
export interface Length {
  readonly rounds: number;
  readonly ms: number;
  /** True if no subject is to collect what the one before it has left. */
  readonly isClean?: boolean;
}

/** A server that says how much it has worked. */
export interface Measurable {
  readonly port: number;
  /** The CPU time of its process so far, in us, after it has collected its garbage if asked to. */
  cpuUs(isClean?: boolean): Promise<number>;
}

/** What clients ask for. */
interface Requests {
  readonly path: () => string;
  readonly fields?: Fields;
}

/** What clients ask of a server. */
export interface Asked extends Requests {
  readonly server: Measurable;
}

/** Measures the CPU in us per request, and the requests per second, of each subject. */
export async function perRequest(
  subjects: Readonly<Record<string, Asked>>,
  { rounds, ms, isClean }: Length,
): Promise<{ readonly cpu: Sample; readonly rate: Sample }> {
  const rate: Sample = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
  for (let turn = 0; turn < 2; turn++) {
    for (const { server, ...asked } of Object.values(subjects)) {
      await loaded({ port: server.port, ...asked }, WARM_UP_MS);
    }
  }
  const cpu = await interleaved(subjects, rounds, async ({ server, ...asked }, name) => {
    const before = await server.cpuUs(isClean);
    const { requests, tookMs } = await loaded({ port: server.port, ...asked }, ms);
    const after = await server.cpuUs();
    rate[name]!.push(requests * 1_000 / tookMs);
    return (after - before) / requests;
  });
  return { cpu, rate };
}

/** Loads a port for `ms`; returns the number of answered requests, and the actual ms. */
export async function loaded(
  { port, path, fields }: Requests & { readonly port: number },
  ms: number,
): Promise<{ readonly requests: number; readonly tookMs: number }> {
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, () => Client.to(port, fields)),
  );
  const startedAt = performance.now();
  try {
    const requests = await load(clients, path, ms);
    return { requests, tookMs: performance.now() - startedAt };
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
}

/** Our server of many subjects, on the measured runtime. */
export class Server implements Measurable {
  readonly port: number;
  readonly isNode: boolean;
  readonly #on: Runtime;
  readonly #upstreamPort: number;
  readonly #child: Deno.ChildProcess;

  private constructor(
    on: Runtime,
    upstreamPort: number,
    child: Deno.ChildProcess,
    port: number,
  ) {
    this.#on = on;
    this.isNode = on.name.startsWith("node");
    this.#upstreamPort = upstreamPort;
    this.#child = child;
    this.port = port;
  }

  /** Starts it before an upstream on this machine. */
  static async start(on: Runtime, upstreamPort: number): Promise<Server> {
    const { command, args } = await on.command("server.ts", `http://127.0.0.1:${upstreamPort}`);
    const child = new Deno.Command(command, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      // Bun's fetch would wait for the first 256 answers to be read.
      env: { BUN_CONFIG_MAX_HTTP_REQUESTS: "1000" },
    }).spawn();
    let printed = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      printed += text;
      if (printed.includes("\n")) break;
    }
    return new Server(on, upstreamPort, child, Number(printed));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  /** Measures something on a new server, whose memory is still empty. */
  async alone<R>(measure: (server: Server) => Promise<R>): Promise<R> {
    await using server = await Server.start(this.#on, this.#upstreamPort);
    return await measure(server);
  }

  /** Requests a path that must be answered well; returns the body. */
  async get(path: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return await response.text();
  }

  async cpuUs(isClean = false): Promise<number> {
    return (await this.#usage(isClean ? "/usage/collected" : "/usage")).cpuUs;
  }

  /** Its memory in MB. */
  async rssMb(): Promise<number> {
    return (await this.#usage()).rss / 1_048_576;
  }

  async #usage(path = "/usage"): Promise<{ readonly cpuUs: number; readonly rss: number }> {
    return JSON.parse(await this.get(path));
  }
}
