/** Reports whether `value` is a response, by its shape: servers bring Response classes of their own. */
export function isResponse(value: unknown): value is Response {
  const { status, headers } = Object(value) as Partial<Response>;
  return typeof status === "number" && typeof headers?.get === "function";
}

/**
 * Cancels the body of a response that will not be read: until then it holds its connection (F7).
 * Does nothing if `response` is not a response.
 */
export function discard(response: unknown): void {
  if (!isResponse(response) || !response.body || response.body.locked) return;
  response.body.cancel().catch(() => {});
}
