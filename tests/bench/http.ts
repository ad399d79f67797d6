/** Measures end to end: the server runs on the measured runtime, its upstream and clients here. */
import { held } from "./held.ts";
import { BROWSER, Client, type Fields, startUpstream } from "./load.ts";
import { Nginx } from "./nginx.ts";
import { interleaved, type Sample, type Samples } from "./rounds.ts";
import type { Runtime } from "./runtime.ts";
import { type Asked, type Length, loaded, perRequest, Server } from "./server_process.ts";

const KB = 1_024;
const SIZES = { "1 KB": KB, "64 KB": 64 * KB, "1 MB": KB * KB };

/** The server's subjects, by their names in the table. */
type Subjects = Readonly<Record<string, string>>;

const KEEPING: Subjects = { "bare": "bare", "keeping": "keeping" };
const PROXIES: Subjects = {
  "bare": "bare",
  "hand": "hand",
  "hand, with a timeout": "hand-timed",
  "api.fetch": "keeping",
  "api.fetch, keeps nothing": "keeps-nothing",
  "api.fetch, no timeout": "no-timeout",
  "api.fetch, counts only": "counts-only",
  "opossum": "opossum",
  "opossum lean": "opossum-lean",
  "cockatiel sampling": "cockatiel",
  "mollitia": "mollitia",
};
const HANDLERS: Subjects = {
  "bare": "static",
  "hand": "closed-hand",
  "api.wrap": "closed",
  "bare, ETag": "static-tagged",
  "api.wrap, ETag": "closed-tagged",
};
const STALE: Subjects = { "static": "static", "hand": "hand-stale", "api.wrap": "wrap" };
const HONO: Subjects = {
  "bare": "hono-bare",
  "hand, closed": "hono-hand",
  "closed, keeping": "hono-keeping",
  "hand, stale": "hono-hand-stale",
  "stale": "hono-stale",
};

type Measure = (server: Server, length: Length) => Promise<Samples>;

/** The lines that are measured over HTTP. */
export const HTTP_LINES: Readonly<Record<string, Measure>> = { keep, proxy, handler, stale, hono };

const PROXYING = ["keep", "proxy"];

/** Measures one line. */
export async function overHttp(name: string, on: Runtime, isQuick: boolean): Promise<Samples> {
  await using upstream = startUpstream();
  await using server = await Server.start(on, upstream.addr.port);
  const isProxying = PROXYING.includes(name);
  // On Node, proxies make so much garbage that who collects whose would decide a round. Bun would
  // throw its compiled code away as well.
  const isClean = isProxying && on.name.startsWith("node");
  const full = isProxying ? { rounds: 31, ms: 100 } : { rounds: 21, ms: 90 };
  const length = isQuick ? { rounds: 5, ms: 90 } : full;
  return await HTTP_LINES[name]!(server, { ...length, isClean });
}

async function keep(server: Server, length: Length): Promise<Samples> {
  const samples: Samples = {};
  for (const [name, size] of Object.entries(SIZES)) {
    const subjects = asked(
      server,
      { ...KEEPING, "hand": "hand" },
      (subject) => `/${subject}/${size}`,
    );
    samples[`CPU per request, ${name}, hot key`] = (await perRequest(subjects, length)).cpu;
  }
  let key = 0;
  const cold = (subject: string) => `/${subject}/${KB}?${key++}`;
  samples["CPU per request, 1 KB, cold keys"] =
    (await perRequest(asked(server, { ...KEEPING, "hand": "hand" }, cold), length)).cpu;
  samples["ms to the first byte of a trickle"] = await trickles(server.port, 2 * length.rounds);
  return { ...samples, ...await held(server, KEEPING, Math.ceil(length.rounds / 15)) };
}

async function proxy(server: Server, length: Length): Promise<Samples> {
  const subjects = server.isNode ? { ...PROXIES, "undici cache": "undici-cache" } : PROXIES;
  const path = (subject: string) =>
    `/${subject}/${KB}${subject === "undici-cache" ? "/to-be/confirmed" : ""}`;
  const { cpu, rate } = await perRequest(asked(server, subjects, path), length);
  return { "CPU per request": cpu, "requests per second": rate };
}

async function handler(server: Server, length: Length): Promise<Samples> {
  const samples: Samples = {};
  for (const [name, size] of Object.entries({ "1 KB": KB, "64 KB": 64 * KB })) {
    const subjects = asked(server, HANDLERS, (subject) => `/${subject}/${size}`);
    samples[`CPU per request, ${name}`] = (await perRequest(subjects, length)).cpu;
  }
  return samples;
}

async function stale(server: Server, length: Length): Promise<Samples> {
  const keeping = { ...STALE, "api.fetch": "fetch" };
  const peers = server.isNode ? { "undici cache": "undici-cache" } : {};
  const path = (subject: string, size: number) =>
    `/${subject}/${size}${subject === "undici-cache" ? "/to-be/failing" : ""}`;
  for (const size of Object.values(SIZES)) {
    for (const subject of Object.values({ ...keeping, ...peers })) {
      await server.get(path(subject, size));
    }
  }
  await server.get("/trip");
  await using nginx = await Nginx.stale([`/${KB}`, `/${64 * KB}`]);
  const samples: Samples = {};
  for (const [name, size] of Object.entries(SIZES)) {
    const all: Record<string, Asked> = asked(
      server,
      size > 64 * KB ? keeping : { ...keeping, ...peers },
      (subject) => path(subject, size),
    );
    if (nginx && size <= 64 * KB) all["nginx"] = { server: nginx, path: () => `/${size}` };
    samples[`CPU per request, ${name}`] = (await perRequest(all, length)).cpu;
  }
  const dozen = asked(server, STALE, (subject) => `/${subject}/${KB}`, BROWSER);
  samples["CPU per request, 1 KB, 12 fields"] = (await perRequest(dozen, length)).cpu;
  return samples;
}

async function hono(server: Server, length: Length): Promise<Samples> {
  for (const subject of ["hono-stale", "hono-hand-stale"]) await server.get(`/${subject}/a`);
  await server.get("/trip");
  const path = (subject: string) => `/${subject}/a`;
  const more = { "no-op middleware": "hono-no-op", "closed, keeps nothing": "hono-keeps-nothing" };
  const one = asked(server, { ...HONO, ...more }, path);
  const dozen = asked(server, HONO, path, BROWSER);
  return {
    "CPU per request": (await perRequest(one, length)).cpu,
    "CPU per request, 12 fields": (await perRequest(dozen, length)).cpu,
  };
}

function asked(
  server: Server,
  subjects: Subjects,
  path: (subject: string) => string,
  fields: Fields = {},
): Record<string, Asked> {
  return Object.fromEntries(
    Object.entries(subjects).map(([name, subject]) =>
      [name, { server, path: () => path(subject), fields }] as const
    ),
  );
}

/** Sends one request after another, each for a new key. */
export async function trickles(port: number, rounds: number): Promise<Sample> {
  let key = 0;
  // Warm up first: measure a busy server, not one that is still compiling its code.
  for (const subject of Object.values(KEEPING)) {
    await loaded({ port, path: () => `/${subject}/${100 * KB}?${key++}` }, 1_000);
  }
  using client = await Client.to(port);
  return await interleaved(KEEPING, rounds, async (subject) => {
    const startedAt = performance.now();
    const { firstByteAt } = await client.get(`/${subject}/trickle/${key++}`);
    return firstByteAt - startedAt;
  });
}
