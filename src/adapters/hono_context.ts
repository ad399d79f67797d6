/** The part of Hono's `Context` that the middleware uses. Every Hono 4 has it. */
export interface HonoContextLike {
  /** Handed over by the server, with the request. */
  readonly env?: unknown;
  /** The request, and where in the chain its handlers are; a context without a router has no routes. */
  readonly req: {
    readonly raw: Request;
    readonly routeIndex?: number;
    readonly matchedRoutes?: readonly { readonly handler: unknown }[];
  };
  /** The response so far. */
  // deno-lint-ignore no-explicit-any
  res: any;
  /** The error that a handler threw, if one did. */
  readonly error: Error | undefined;
  /** True if there is a response. */
  finalized: boolean;
  /** The context of a Worker; throws where there is none. */
  readonly executionCtx: { waitUntil(work: Promise<unknown>): void };
  /** Makes a response with the fields that have been set so far. */
  newResponse(data: null, init: { readonly status: 200 }): Response;
}
