/** Reports whether `value` is a response, by its shape: servers bring Response classes of their own. */
export function isResponse(value: unknown): value is Response {
  const { status, headers } = Object(value) as Partial<Response>;
  return typeof status === "number" && typeof headers?.get === "function";
}

/** Reports whether `value` has a status, as each response has, and most mocks of one. */
export function hasStatus(value: unknown): value is Response {
  return typeof (Object(value) as Partial<Response>).status === "number";
}

/**
 * Cancels the body of a response that will not be read: until then it holds its connection (F7).
 * Does nothing if `response` is not a response, or its body none that can be cancelled.
 */
export function discard(response: unknown): void {
  const body: Body = Object(response).body;
  try {
    // A stream of Node, as node-fetch has it, is destroyed.
    if (typeof body?.cancel !== "function") body?.destroy?.();
    else if (!body.locked) body.cancel()?.catch(() => {});
  } catch {
    // Whatever a body does to its end, its response is of no more use.
  }
}

type Body =
  | Partial<Pick<ReadableStream, "locked" | "cancel"> & { destroy(): void }>
  | null
  | undefined;
