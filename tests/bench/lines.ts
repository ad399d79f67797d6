/** One limit for all runtimes, or one for each that has any: that of node is also node20's. */
export type Limit = number | {
  readonly deno?: number;
  readonly node?: number;
  readonly bun?: number;
  readonly workerd?: number;
};

/** A target for one figure. */
export interface Target {
  /** The measure, and below it the subject. */
  readonly measure: string;
  readonly of: string;
  /** The subject to divide by. Without one, the figure itself counts. */
  readonly over?: string;
  /** The subject to subtract first. */
  readonly less?: string;
  readonly atMost?: Limit;
  readonly atLeast?: Limit;
}

/** One line of the benchmark. */
export interface Line {
  readonly title: string;
  /** Explains what is not compared because the others cannot do it. */
  readonly note?: string;
  readonly targets: readonly Target[];
}

const TIME = "ns per call";
const BYTES = "bytes per call";
const CPU = "CPU per request";
const SIZES = ["1 KB", "64 KB", "1 MB"];

/** The loads of memory_load.ts. */
export const MEMORY_LOADS = [
  "100,000 pages of 0 B",
  "100,000 pages of 1 KB",
  "1,000,000 keys",
  "2,000 removals of long URLs",
];

/** All lines, by name, in the order in which they run. */
export const LINES: Readonly<Record<string, Line>> = {
  closed: {
    title: "a call through a closed circuit",
    targets: ["consecutive", "count"].flatMap((of): Target[] => [
      { measure: TIME, of, over: "wrapper", atMost: 1.35 },
      { measure: TIME, of, over: `cockatiel ${of}`, less: "bare", atMost: 0.6 },
      { measure: TIME, of, over: "opossum no timeout", less: "bare", atMost: 0.25 },
      { measure: BYTES, of, over: `cockatiel ${of}`, less: "bare", atMost: 0.45 },
    ]).concat([
      { measure: TIME, of: "by time", over: "cockatiel sampling", less: "bare", atMost: 0.7 },
      { measure: TIME, of: "by time", over: "opossum no timeout", less: "bare", atMost: 0.35 },
    ]),
  },
  refused: {
    title: "a call that an open circuit refuses",
    note: "Cockatiel's count and sampling breakers refuse as its consecutive one does.",
    targets: [
      { measure: TIME, of: "circuit.run", over: "throw new Error", atMost: 1.25 },
      { measure: TIME, of: "circuit.run", over: "cockatiel consecutive", atMost: 1 },
    ],
  },
  keep: {
    title: "a proxy that keeps what it passes on",
    note: "The other breakers keep no responses: opossum's cache treats all requests as the same.",
    targets: [
      ...SIZES.map((size) => ({
        measure: `${CPU}, ${size}, hot key`,
        of: "keeping",
        over: "bare",
        atMost: 1.12,
      })),
      { measure: `${CPU}, 1 KB, cold keys`, of: "keeping", over: "bare", atMost: 1.7 },
      { measure: "ms to the first byte of a trickle", of: "keeping", over: "bare", atMost: 1.3 },
      // What may be kept, of one body and of all, and 20 MB.
      { measure: "MB for a client that stalls", of: "keeping", less: "bare", atMost: 21 },
      { measure: "MB for 300 unread answers", of: "keeping", less: "bare", atMost: 24 },
    ],
  },
  proxy: {
    title: "fetch as a proxy, hot key",
    note:
      "Opossum, cockatiel and mollitia keep nothing here. Undici's cache, on Node, keeps only " +
      "what its origin allows, and asks again each time.",
    targets: [
      { measure: CPU, of: "api.fetch", over: "bare", atMost: 1.12 },
      { measure: CPU, of: "api.fetch, counts only", over: "opossum", atMost: 1 },
    ],
  },
  handler: {
    title: "a handler that keeps what it answers",
    targets: ["1 KB", "64 KB"].map((size) => ({
      measure: `${CPU}, ${size}`,
      of: "api.wrap, ETag",
      over: "api.wrap",
      atMost: 1.05,
    })),
  },
  stale: {
    title: "the last good answer while the circuit is open",
    note: "The other breakers have no response to serve; undici's cache has no circuit.",
    targets: [
      ...[
        ["1 KB", { deno: 1.2, node: 1.15, bun: 1.2 }] as const,
        ["1 KB, 12 fields", { deno: 1.3, node: 1.15, bun: 1.45 }] as const,
        ["64 KB", { deno: 0.6, node: 1.15, bun: 1.15 }] as const,
        ["1 MB", { deno: 0.6, node: 1.15, bun: 1.15 }] as const,
      ].map(([what, atMost]) => ({
        measure: `${CPU}, ${what}`,
        of: "api.wrap",
        over: "static",
        atMost,
      })),
      { measure: `${CPU}, 1 KB`, of: "api.wrap", over: "hand", atMost: 1.12 },
    ],
  },
  hono: {
    title: "the middleware in a Hono app",
    note: "The other breakers have no middleware.",
    targets: [CPU, `${CPU}, 12 fields`].flatMap((measure) => [
      { measure, of: "stale", over: "hand, stale", atMost: 1.15 },
      { measure, of: "closed, keeping", over: "hand, closed", atMost: 1.2 },
    ]),
  },
  scale: {
    title: "many circuits, many kept responses, many calls at once",
    targets: [
      ...["consecutive", "count", "by time"].map((of) => ({
        measure: "heap bytes per idle circuit",
        of,
        over: of === "by time" ? "cockatiel sampling" : `cockatiel ${of}`,
        atMost: 0.2,
      })),
      {
        measure: "heap bytes per used circuit",
        of: "by time",
        over: "cockatiel sampling",
        atMost: 0.25,
      },
      {
        measure: "ns to make one",
        of: "consecutive",
        over: "cockatiel consecutive",
        atMost: 0.25,
      },
      { measure: "ns to make one", of: "by time", over: "cockatiel sampling", atMost: 0.25 },
      { measure: "% of a core, 10,000 idle", of: "by time", less: "nothing", atMost: 1 },
      { measure: "bytes per call, of an hour", of: "growth", atMost: 5 },
    ],
  },
  memory: {
    title: "what is held, of 4 MiB, under loads that a memory without bounds would keep",
    targets: MEMORY_LOADS.map((load) => ({
      measure: `MB, ${load}`,
      of: "breaker",
      less: "bare",
      atMost: 24,
    })),
  },
  size: {
    title: "the bundle for Workers",
    targets: [
      { measure: "bytes minified, gzip", of: "breaker without lru-cache", atMost: 8_192 },
      { measure: "bytes minified, gzip", of: "breaker", atMost: 14_336 },
    ],
  },
  import: {
    title: "the import in a new process",
    targets: [{ measure: "ms", of: "breaker", less: "nothing", atMost: 3 }],
  },
};
