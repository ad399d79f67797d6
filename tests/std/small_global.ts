/**
 * Comes before fake-timers, which sets and clears a timer while it is imported, where Workers allow
 * none, and asks a `process` for `node:util`: it is given a `global` that has what is faked alone.
 */

const host = globalThis as { global?: unknown };
const { global } = host;

host.global = { Date, setTimeout: () => 0, clearTimeout: () => {} };

/** To be called as soon as fake-timers is there. */
export function restoreGlobal(): void {
  if (global === undefined) delete host.global;
  else host.global = global;
}
