/** Reports whether a connection failed, rather than what was to be sent over it. */
export function isOfNetwork(error: unknown, depth = 0): boolean {
  const { code, message = "", cause } = Object(error) as ErrorLike;
  if (cause !== undefined && depth < 5) return isOfNetwork(cause, depth + 1);
  if (typeof code === "string" && !code.startsWith("ERR_STREAM_")) return message !== "aborted";
  return NETWORK.test(message);
}

/** Deno and workerd say so only in words; an error without a cause says nothing else. */
const NETWORK =
  /^error sending request|\(os error \d+\)$|^Network connection lost|^fetch failed$|^internal error/;

interface ErrorLike {
  readonly code?: unknown;
  readonly message?: string;
  readonly cause?: unknown;
}
