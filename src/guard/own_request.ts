import type { ErrorListener } from "../observe/events.ts";

/**
 * Rebuilds a request so that it has a signal of its own: Deno aborts that of a request once it is
 * answered. Only a plain `Request` can be rebuilt without losing anything (promise 33).
 *
 * @returns undefined if it cannot be rebuilt.
 */
export function ownRequest(
  request: Request,
  signal: AbortSignal,
  errors: ErrorListener,
): Request | undefined {
  try {
    if (!isPlain(request)) return undefined;
    const own = new Request(request, { signal });
    return own.url === request.url ? own : undefined;
  } catch (error) {
    errors.reportError("request", error);
    return undefined;
  }
}

/**
 * Reports whether a request has nothing but what every `Request` has: no `params` (Bun's routes), no
 * `nextUrl` (Next), no other class (undici's). Hono's server for Node has a prototype between the
 * request and its own global `Request`, which knows how to rebuild it.
 */
function isPlain(request: Request): boolean {
  if (request.constructor !== Request || Reflect.ownKeys(request).some(isPublic)) return false;
  let prototype: unknown = Object.getPrototypeOf(request);
  while (prototype !== Request.prototype) {
    if (Object.getOwnPropertyNames(prototype).some((name) => !(name in Request.prototype))) {
      return false;
    }
    prototype = Object.getPrototypeOf(prototype);
  }
  return true;
}

/** Runtimes keep their own state below symbols that are not registered. */
function isPublic(key: string | symbol): boolean {
  return typeof key === "string" || Symbol.keyFor(key) !== undefined;
}
