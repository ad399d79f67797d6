import type { RequestHead } from "../last_good/request_head.ts";

/** How many errors of a chain of causes are looked at. */
const MAX_CAUSES = 5;

/**
 * Reports whether an error says that the body of a client's request broke (promise 32). Deno and
 * workerd say so only in the text of the error, and on workerd a lost upstream reads the same: there
 * the upstream gets the benefit of the doubt.
 *
 * @param wasRead False if nobody has read of that body, so that it cannot be meant if in doubt.
 */
export function isBrokenUpload(error: unknown, wasRead = true): boolean {
  let cause = Object(error) as ErrorLike;
  for (let depth = 0; depth < MAX_CAUSES; depth++) {
    const { name, message = "", code } = cause;
    // What Deno throws while it reads a client's body has a class of its own.
    if (name === "Http" || BROKEN.test(message)) return true;
    if (wasRead && message === LOST) return true;
    // Node's, and what Deno's fetch says of a body that it was given.
    if (message === "aborted" && code === "ECONNRESET") return true;
    if (depth > 0 && name === "Error" && message === UNREADABLE) return true;
    cause = Object(cause.cause) as ErrorLike;
  }
  return false;
}

const BROKEN = /^Cannot read (request )?body as |^unexpected EOF while reading HTTP/;
const LOST = "Network connection lost.";
const UNREADABLE = "error reading a body from connection";

interface ErrorLike {
  readonly name?: string;
  readonly message?: string;
  readonly code?: unknown;
  readonly cause?: unknown;
}

/** Reports whether a body may still be on its way: `request` is as the handler gets it. */
export function mayBeUploading({ hasBody, headers }: RequestHead, request: Request): boolean {
  if (!hasBody) return false;
  if (headers.has("content-length") || headers.has("transfer-encoding")) return true;
  try {
    return (request.body as unknown) !== null;
  } catch {
    return true;
  }
}

/**
 * Reports whether `fetch` and `URL` refuse such a request, so that a handler that passes it on fails
 * whatever its upstream does: anybody can send one over a socket.
 */
export function isUnfetchable({ method, url, hasBody }: RequestHead): boolean {
  return url === "" || UNFETCHABLE.has(method) ||
    (hasBody && (method === "GET" || method === "HEAD"));
}

const UNFETCHABLE: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);
