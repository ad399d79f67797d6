/**
 * Holds answers that nobody reads, with a breaker or without, and says how much memory that takes:
 *
 *     deno run -A --v8-flags=--expose-gc holding.ts bare|guarded unread|stalled|stale ORIGIN
 *
 * `unread` asks 300 times, prints its memory, forgets the answers and prints what the breaker then
 * holds. The others serve ORIGIN's page, print their port, and
 * their memory once a line comes in.
 */
import { breaker } from "@lastgood/breaker";

const [way, what, origin = ""] = Deno.args;
const MAX_BYTES = 4 * 1_048_576;

let now = Date.now();
let ended = 0;
let isDown = false;
const api = breaker({
  threshold: 1e9,
  now: () => now,
  lastGood: { maxBytes: MAX_BYTES },
  onEvent: ({ type }) => {
    if (type === "kept" || type === "not_kept") ended++;
  },
  fetch: (input, init) => isDown ? Promise.reject(new TypeError("down")) : fetch(input, init),
});
const get = () => way === "bare" ? fetch(origin) : api.fetch(origin);

/** Returns the resident memory once it no longer falls: on a busy machine, that takes a while. */
async function memory(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void };
  let least = Infinity;
  for (let calmTurns = 0; calmTurns < 5; calmTurns++) {
    gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { rss } = Deno.memoryUsage();
    if (rss < least - 1_048_576) calmTurns = 0;
    least = Math.min(least, rss);
  }
  return least;
}

/** Waits until this many copies have ended. */
async function copied(count: number): Promise<void> {
  while (way !== "bare" && ended < count) await new Promise((resolve) => setTimeout(resolve, 1));
}

if (what === "unread") {
  const held: Response[] = [];
  for (let n = 1; n <= 300; n++) {
    now += 2_000;
    held.push(await get());
    await copied(n);
  }
  console.log(await memory());
  held.length = 0;
  await memory();
  console.log(api.kept.bytes);
  Deno.exit();
}

const page = what === "stale"
  ? new Uint8Array(await (await get()).arrayBuffer())
  : new Uint8Array();
isDown = what === "stale";
const isStatic = way === "bare" && isDown;
Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(port),
}, () => {
  now = Date.now();
  return isStatic ? new Response(page) : get();
});
await Deno.stdin.read(new Uint8Array(1));
console.log(await memory());
Deno.exit();
