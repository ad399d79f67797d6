/** What tells one runtime from another. */
export interface HostGlobals {
  readonly navigator?: { readonly userAgent?: string };
  readonly process?: { readonly versions?: { readonly node?: string } };
}

/**
 * Whether work may go on after the answer is sent, without `waitUntil`: yes on Deno, Bun and Node;
 * no on Cloudflare Workers and Vercel Edge, which stop it; unknown hosts are taken for those.
 *
 * It is asked when work is about to start, never at import: reading `process` costs 16 ms on Deno.
 */
export function outlivesAnswer(host: HostGlobals = globalThis as HostGlobals): boolean {
  // With nodejs_compat, Workers look like Node: they must be asked for first.
  if (host.navigator?.userAgent === "Cloudflare-Workers") return false;
  if ("EdgeRuntime" in host) return false;
  if ("Deno" in host || "Bun" in host) return true;
  return host.process?.versions?.node !== undefined;
}

/**
 * Whether a body from `fetch` is best read into room that its reader brings: Deno makes 64 KiB of it
 * for each chunk, which costs more than all the rest. Elsewhere it is dearer, or not there.
 */
export function prefersByobReader(host: HostGlobals = globalThis as HostGlobals): boolean {
  return "Deno" in host;
}

/** Something that may be over in a moment. */
export interface Pending {
  /** True once it is over. */
  readonly isOver: boolean;
}

/**
 * How many microtasks {@link soon} waits for at most: enough for an answer that is made in place,
 * through a chain of handlers, and for a short body that came in the packet of its head.
 */
const SOON = 16;

/**
 * Waits until `pending` is over, but only for a moment in which no timer fires and no I/O arrives.
 * What only a slow answer needs (a timer, the caller's signal, a stream) is made after that.
 */
export async function soon(pending: Pending): Promise<void> {
  for (let turn = 0; turn < SOON && !pending.isOver; turn++) await undefined;
}

/**
 * Whether this is what a server hands over with a request, which then has just come: nobody can have
 * aborted it yet. It is told by what nothing else has: Deno's, Bun's, and that of Hono's for Node.
 */
export function isFromServer(info: unknown): boolean {
  return typeof info === "object" && info !== null &&
    (("remoteAddr" in info && "completed" in info) || ("requestIP" in info && "upgrade" in info) ||
      ("incoming" in info && "outgoing" in info));
}

/**
 * How long a body may be that is better kept as text: Deno serves texts of any length faster than
 * bytes; elsewhere long ones are encoded anew each time.
 */
export function maxTextBytes(host: HostGlobals = globalThis as HostGlobals): number {
  return "Deno" in host ? Infinity : 16_384;
}
