import { collect } from "../../../runtimes/collector.ts";
import { HOST, type Host } from "./host.ts";

/** A case that takes longer counts as hanging. */
const LIMIT_MS = 10_000;

/** Defines a case; with `on`, for these hosts only, which its name should say. */
export function boundary(
  name: string,
  run: () => void | Promise<void>,
  on: readonly Host[] = ["deno", "node", "bun"],
): void {
  const isChosen = name.includes(process.env.ONLY ?? "");
  if (isChosen && on.includes(HOST)) {
    collect(name, () => within(Promise.resolve().then(run), "The case"));
  }
}

/** Awaits something that must happen soon. */
export async function within<T>(
  event: Promise<T>,
  what: string,
  limitMs: number = LIMIT_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} is not over after ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([event, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until something holds, asking at each turn of the event loop. */
export async function until(holds: () => boolean, what: string, limitMs = 5_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`Not so after ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Lets real time pass where it is the subject: a process stands still, a client trickles. */
export function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A promise with its ends: Node 20 has no `Promise.withResolvers`. */
export class Deferred<T = void> {
  resolve!: (value: T) => void;
  reject!: (reason: unknown) => void;
  readonly promise: Promise<T> = new Promise((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

/** What a call came to: its answer, or its error in words. */
export async function outcome<T>(call: () => T | Promise<T>): Promise<T | string> {
  try {
    return await call();
  } catch (error) {
    return named(error);
  }
}

/** An error in words. */
export function named(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
