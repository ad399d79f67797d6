/**
 * Thrown when a circuit refuses a call, and nothing can be served in its place.
 *
 * @example Telling a client when to come back
 * ```ts
 * import { Circuit, CircuitOpenError } from "@lastgood/breaker";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const circuit = new Circuit({ name: "stock", delayMs: 60_000 });
 * circuit.trip();
 *
 * const error = await circuit.run(() => 42).catch((error) => error);
 *
 * assert(error instanceof CircuitOpenError);
 * assertEquals(error.circuit, "stock");
 * assertEquals(error.getResponse().headers.get("Retry-After"), "60");
 * ```
 */
export class CircuitOpenError extends Error {
  /** Survives bundling, unlike the class name. */
  declare readonly name: "CircuitOpenError";
  /** The name of the circuit that refused. */
  readonly circuit: string;
  /** Time until a call may pass, in ms; Infinity while the circuit is isolated. */
  readonly retryAfterMs: number;

  static {
    // On the prototype, as with built-in errors: stacks begin with it, and making an error costs no more.
    Object.defineProperty(this.prototype, "name", { value: "CircuitOpenError" });
  }

  /**
   * Makes the error for one refused call.
   *
   * @param circuit The name of the circuit that refused.
   * @param retryAfterMs Time until a call may pass, in ms; Infinity if it is not known.
   */
  constructor(circuit: string, retryAfterMs: number) {
    super(
      retryAfterMs === Infinity
        ? `Circuit "${circuit}" is held open`
        : `Circuit "${circuit}" is open, retry after ${wholeSecs(retryAfterMs)} secs`,
    );
    this.circuit = circuit;
    this.retryAfterMs = retryAfterMs;
  }

  /**
   * Makes the response for this error: a 503 with problem details (RFC 9457) and a `Retry-After`
   * (RFC 9110 §10.2.3) that holds. It leaves out the circuit's name, which may be an internal
   * address. Hono's default error handler answers with it by itself.
   *
   * @returns A new response each time.
   */
  getResponse(): Response {
    const known = this.retryAfterMs !== Infinity;
    return problem(
      503,
      "Service Unavailable",
      known
        ? `The upstream is failing, retry after ${wholeSecs(this.retryAfterMs)} secs`
        : "The upstream is held off",
      known ? { "retry-after": String(wholeSecs(this.retryAfterMs)) } : {},
    );
  }
}

/** Makes a response of our own: problem details (RFC 9457) that no cache may store. */
export function problem(
  status: number,
  title: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify({ type: "about:blank", title, status, detail }), {
    status,
    headers: {
      ...headers,
      "content-type": "application/problem+json",
      "cache-control": "no-store",
    },
  });
}

/** Rounds up, to at least 1: "0 seconds" would invite a call that is refused again. */
function wholeSecs(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}
