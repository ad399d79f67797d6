/** Measures end to end: the server runs on the measured runtime, its upstream and clients here. */
import { Client, load, startUpstream } from "./load.ts";
import { interleaved, pause, type Sample, type Samples } from "./rounds.ts";
import type { Runtime } from "./runtime.ts";

const KB = 1_024;
const SIZES = { "1 KB": KB, "64 KB": 64 * KB, "1 MB": KB * KB };
const CLIENTS = 16;

/** The server's subjects, by their names in the table. */
type Subjects = Readonly<Record<string, string>>;

const KEEPING: Subjects = { "bare": "bare", "keeping": "keeping" };
const PROXIES: Subjects = {
  "bare": "bare",
  "api.fetch": "keeping",
  "api.fetch, keeps nothing": "keeps-nothing",
  "api.fetch, no timeout": "no-timeout",
  "opossum": "opossum",
  "opossum lean": "opossum-lean",
  "cockatiel sampling": "cockatiel",
  "mollitia": "mollitia",
};
const STALE: Subjects = { "static": "static", "api.wrap": "wrap", "api.fetch": "fetch" };
const HONO: Subjects = {
  "bare": "hono-bare",
  "no-op middleware": "hono-no-op",
  "closed, keeping": "hono-keeping",
  "closed, keeps nothing": "hono-keeps-nothing",
  "stale": "hono-stale",
};

/** How long to measure. */
interface Length {
  readonly rounds: number;
  readonly ms: number;
}

type Measure = (server: Server, length: Length) => Promise<Samples>;

/** The lines that are measured over HTTP. */
export const HTTP_LINES: Readonly<Record<string, Measure>> = { keep, proxy, stale, hono };

/** Measures one line. */
export async function overHttp(name: string, on: Runtime, isQuick: boolean): Promise<Samples> {
  await using upstream = startUpstream();
  const server = await Server.start(on, upstream.addr.port);
  try {
    return await HTTP_LINES[name]!(
      server,
      isQuick ? { rounds: 5, ms: 150 } : { rounds: 15, ms: 250 },
    );
  } finally {
    await server.stop();
  }
}

async function keep(server: Server, length: Length): Promise<Samples> {
  const samples: Samples = {};
  for (const [name, size] of Object.entries(SIZES)) {
    const { cpu } = await server.measure(KEEPING, (subject) => `/${subject}/${size}`, length);
    samples[`CPU per request, ${name}, hot key`] = cpu;
  }
  let key = 0;
  const cold = (subject: string) => `/${subject}/${KB}?${key++}`;
  samples["CPU per request, 1 KB, cold keys"] = (await server.measure(KEEPING, cold, length)).cpu;
  samples["ms to the first byte of a trickle"] = await trickles(server.port, length);
  const few = Math.ceil(length.rounds / 5);
  samples["MB for a client that stalls"] = await interleaved(
    KEEPING,
    few,
    (subject) => server.alone((other) => stalled(other, subject)),
  );
  samples["MB at the peak, 1 MB cold"] = await interleaved(
    KEEPING,
    few,
    (subject) => server.alone((other) => peak(other, subject)),
  );
  return samples;
}

async function proxy(server: Server, length: Length): Promise<Samples> {
  const subjects = server.isNode ? { ...PROXIES, "undici cache": "undici-cache" } : PROXIES;
  const path = (subject: string) =>
    `/${subject}/${KB}${subject === "undici-cache" ? "/to-be/cached" : ""}`;
  const { cpu, rate } = await server.measure(subjects, path, length);
  return { "CPU per request": cpu, "requests per second": rate };
}

async function stale(server: Server, length: Length): Promise<Samples> {
  for (const subject of Object.values(STALE)) {
    for (const size of Object.values(SIZES)) await server.get(`/${subject}/${size}`);
  }
  await server.get("/trip");
  const samples: Samples = {};
  for (const [name, size] of Object.entries(SIZES)) {
    const { cpu } = await server.measure(STALE, (subject) => `/${subject}/${size}`, length);
    samples[`CPU per request, ${name}`] = cpu;
  }
  return samples;
}

async function hono(server: Server, length: Length): Promise<Samples> {
  await server.get("/hono-stale/a");
  await server.get("/trip");
  const { cpu } = await server.measure(HONO, (subject) => `/${subject}/a`, length);
  return { "CPU per request": cpu };
}

/** Sends one request after another, each for a new key. */
export async function trickles(port: number, { rounds, ms }: Length): Promise<Sample> {
  let key = 0;
  // Warm up first: measure a busy server, not one that is still compiling its code.
  for (const subject of Object.values(KEEPING)) {
    await loaded(port, () => `/${subject}/${100 * KB}?${key++}`, 4 * ms);
  }
  using client = await Client.to(port);
  return await interleaved(KEEPING, rounds * 2, async (subject) => {
    const startedAt = performance.now();
    const { firstByteAt } = await client.get(`/${subject}/trickle/${key++}`);
    return firstByteAt - startedAt;
  });
}

/** Measures the server's growth in MB while a client stalls in the middle of 64 MB. */
async function stalled(server: Server, subject: string): Promise<number> {
  await server.get(`/${subject}/${KB}`);
  const before = await server.usage();
  using client = await Client.to(server.port);
  await client.ask(`/${subject}/${64 * KB * KB}`);
  await pause(1_500);
  return ((await server.usage()).rss - before.rss) / KB / KB;
}

/** Measures the server's peak growth in MB while clients request 1 MB at ever new keys. */
async function peak(server: Server, subject: string): Promise<number> {
  await server.get(`/${subject}/${KB}`);
  const before = await server.usage();
  let key = 0;
  let most = 0;
  let isOver = false;
  const watch = async () => {
    while (!isOver) {
      most = Math.max(most, (await server.usage()).rss);
      await pause(50);
    }
  };
  const watching = watch();
  await server.load(() => `/${subject}/${KB * KB}?${key++}`, 1_500);
  isOver = true;
  await watching;
  return (most - before.rss) / KB / KB;
}

/** Loads a port for `ms`; returns the number of answered requests. */
async function loaded(port: number, path: () => string, ms: number): Promise<number> {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => Client.to(port)));
  try {
    return await load(clients, path, ms);
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
}

/** A server in a separate process. */
class Server {
  readonly port: number;
  readonly isNode: boolean;
  readonly #on: Runtime;
  readonly #upstreamPort: number;
  readonly #child: Deno.ChildProcess;

  private constructor(on: Runtime, upstreamPort: number, child: Deno.ChildProcess, port: number) {
    this.#on = on;
    this.isNode = on.name.startsWith("node");
    this.#upstreamPort = upstreamPort;
    this.#child = child;
    this.port = port;
  }

  static async start(on: Runtime, upstreamPort: number): Promise<Server> {
    const { command, args } = await on.command("server.ts", `http://127.0.0.1:${upstreamPort}`);
    const child = new Deno.Command(command, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    let printed = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      printed += text;
      if (printed.includes("\n")) break;
    }
    return new Server(on, upstreamPort, child, Number(printed));
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  /** Measures something on a new server, whose memory is still empty. */
  async alone<R>(measure: (server: Server) => Promise<R>): Promise<R> {
    const server = await Server.start(this.#on, this.#upstreamPort);
    try {
      return await measure(server);
    } finally {
      await server.stop();
    }
  }

  async get(path: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return await response.text();
  }

  async usage(): Promise<{ readonly cpuUs: number; readonly rss: number }> {
    return JSON.parse(await this.get("/usage"));
  }

  /** Loads the server for `ms`; returns the number of answered requests, and the actual ms. */
  async load(path: () => string, ms: number): Promise<{ requests: number; tookMs: number }> {
    const startedAt = performance.now();
    const requests = await loaded(this.port, path, ms);
    return { requests, tookMs: performance.now() - startedAt };
  }

  /** Measures the CPU in us per request, and the requests per second, of each subject. */
  async measure(
    subjects: Subjects,
    path: (subject: string) => string,
    { rounds, ms }: Length,
  ): Promise<{ readonly cpu: Sample; readonly rate: Sample }> {
    const rate: Sample = {};
    for (const subject of Object.values(subjects)) await this.load(() => path(subject), ms);
    const cpu = await interleaved(subjects, rounds, async (subject, name) => {
      const before = await this.usage();
      const { requests, tookMs } = await this.load(() => path(subject), ms);
      const after = await this.usage();
      (rate[name] ??= []).push(requests * 1_000 / tookMs);
      return (after.cpuUs - before.cpuUs) / requests;
    });
    return { cpu, rate };
  }
}
