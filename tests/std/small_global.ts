/**
 * Must be imported before fake-timers. On import, fake-timers sets and clears a timer, which
 * Workers forbid there, and asks a `process` for `node:util`. So it gets a `global` with only what
 * it fakes.
 */

const host = globalThis as { global?: unknown };
const { global } = host;

host.global = { Date, setTimeout: () => 0, clearTimeout: () => {} };

/** Restores `global`. Call it as soon as fake-timers is imported. */
export function restoreGlobal(): void {
  if (global === undefined) delete host.global;
  else host.global = global;
}
