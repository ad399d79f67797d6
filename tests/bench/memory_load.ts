/**
 * Puts one load on a breaker with 4 MiB of memory, or on its bare upstream, and prints by how many MB
 * the process has grown:
 *
 *     memory_load.ts LOAD (bare | breaker) [SHARE]
 *
 * SHARE scales the load: with 0.1 it makes a tenth of its requests. Needs V8's `--expose-gc`, and
 * `--optimize-for-size`: otherwise garbage that V8 is in no hurry to collect takes up to 100 MB.
 */
import process from "node:process";
import { breaker } from "../../mod.ts";
import { settledRss } from "./rounds.ts";

const MIB = 1_048_576;

type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

interface Load {
  readonly upstream: (url: string) => Response;
  readonly maxEntries?: number;
  /** True if the very first copy is what counts. */
  readonly isCold?: boolean;
  /** Makes the requests. What it returns is held until the memory is measured. */
  readonly run: (fetch: Fetch, share: number) => Promise<unknown>;
}

const page = (url: string) => `https://origin.test/page/${url}`;

/** Reads as many pages. */
function reading(pages: number): Load["run"] {
  return async (fetch, share) => {
    for (let n = 0; n < pages * share; n++) await (await fetch(page(`${n}`))).arrayBuffer();
  };
}

const KB = new Uint8Array(1_024);

export const LOADS: Readonly<Record<string, Load>> = {
  "100,000 pages of 0 B": {
    upstream: () => new Response(null),
    maxEntries: 100_000,
    run: reading(100_000),
  },
  "100,000 pages of 1 KB": {
    upstream: () => new Response(KB),
    maxEntries: 100_000,
    run: reading(100_000),
  },
  "300,000 keys": {
    upstream: () => new Response("fine"),
    maxEntries: Number.MAX_SAFE_INTEGER,
    run: reading(300_000),
  },
  "2,000 removals of long URLs": {
    upstream: () => new Response(null, { headers: { "cache-control": "no-store" } }),
    run: async (fetch, share) => {
      const long = "x".repeat(60_000);
      for (let n = 0; n < 2_000 * share; n++) {
        await (await fetch(page(`${n}${long}`))).body?.cancel();
        await (await fetch(page(`${n}${long}`), { method: "POST" })).body?.cancel();
      }
    },
  },
  "a page where maxEntries is 2^31": {
    upstream: () => new Response("fine"),
    maxEntries: 2 ** 31,
    isCold: true,
    run: reading(1),
  },
  "a page where maxEntries is the largest": {
    upstream: () => new Response("fine"),
    maxEntries: Number.MAX_SAFE_INTEGER,
    isCold: true,
    run: reading(1),
  },
};

/** What a load holds on to until the memory is measured: an engine frees even what a variable names. */
const held: unknown[] = [];

async function grownMb(load: Load, isBare: boolean, share: number): Promise<number> {
  const { upstream, maxEntries, isCold } = load;
  const bare: Fetch = (url) => Promise.resolve(upstream(url));
  const api = breaker({
    timeoutMs: Infinity,
    fetch: (input) => bare(String(input)),
    lastGood: { maxBytes: 4 * MIB, maxEntries },
  });
  const fetch = isBare ? bare : api.fetch;
  // What the engine allocates once and for all does not count: compiled code above all.
  if (!isCold) await reading(5_000)(fetch, 1);
  api.forget();
  const before = await settledRss();
  held.push(await load.run(fetch, share));
  await api.idle();
  const grown = (await settledRss() - before) / MIB;
  held.length = 0;
  return grown;
}

if (import.meta.main) {
  const [name = "", subject, share = "1"] = process.argv.slice(2);
  console.log(await grownMb(LOADS[name]!, subject === "bare", Number(share)));
  process.exit(0);
}
