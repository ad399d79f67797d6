/**
 * Adds the callers of `breaker.fetch` to the stack of an error where they are missing, and returns it:
 * engines lose them behind the promise that lets a timeout or an abort come first (promise 28).
 */
export function withCaller(error: unknown): unknown {
  try {
    if (!(error instanceof Error)) return error;
    const { name, message, stack = `${name}: ${message}` } = error;
    const frames = new Error().stack?.split("\n").filter((line) => ASYNC.test(line)) ?? [];
    const [, nearest] = ASYNC.exec(frames[0] ?? "") ?? [];
    if (nearest !== undefined && !stack.includes(nearest)) {
      error.stack = `${stack}\n${frames.join("\n")}`;
    }
  } catch {
    // It cannot be changed.
  }
  return error;
}

const ASYNC = /^ *at async (\S+)/;
