/** What the middleware uses of Hono's `Context`: every Hono 4 has it. */
export interface HonoContextLike {
  /** What the server handed over with the request. */
  readonly env?: unknown;
  /** The request. */
  readonly req: { readonly raw: Request };
  /** The response so far. */
  // deno-lint-ignore no-explicit-any
  res: any;
  /** What a handler threw. */
  readonly error: Error | undefined;
  /** True if there is a response. */
  finalized: boolean;
  /** The context of a Worker; throws where there is none. */
  readonly executionCtx: { waitUntil(work: Promise<unknown>): void };
  /** Makes a response with the fields that have been set so far. */
  newResponse(data: null, init: { readonly status: 200 }): Response;
}
