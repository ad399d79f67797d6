/**
 * Why a circuit refused a call:
 * - `"open"`: too many calls have failed, or probes are finding out whether calls work again;
 * - `"isolated"`: somebody holds it open by hand;
 * - `"busy"`: as many calls as it allows are under way.
 */
export type CircuitOpenReason = "open" | "isolated" | "busy";

const NAME = "CircuitOpenError";

/** Marks a response that says that a circuit refused. Not its name: all copies of the package share it. */
const REFUSAL: unique symbol = Symbol.for("@lastgood/breaker/refusal") as never;

/** Where libraries put the error that theirs stands for. */
const WRAPPERS = [
  "cause",
  "originalError",
  "error",
  "errors",
  "reason",
  "networkError",
  "data",
];

/** How many values behind an error are looked at: some make up new ones for ever. */
const MAX_SEARCHED = 50;

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
  /** `"CircuitOpenError"`, unless a subclass sets its own. It survives bundling, unlike the class name. */
  declare name: string;
  /** The status by which Hono, Express, Koa and others answer an error. */
  declare readonly status: 503;
  /** As {@link CircuitOpenError.status}, for Fastify and others. */
  declare readonly statusCode: 503;
  /** The name of the circuit that refused. */
  readonly circuit: string;
  /** Time until a call may pass, in ms; Infinity while the circuit is isolated. */
  readonly retryAfterMs: number;

  static {
    // On the prototype, as with built-in errors: stacks begin with the name, and making an error costs
    // no more. Writable, because subclasses and frameworks set them.
    for (const [field, value] of Object.entries({ name: NAME, status: 503, statusCode: 503 })) {
      Object.defineProperty(this.prototype, field, { value, writable: true, configurable: true });
    }
  }

  /**
   * Finds the refusal behind an error: the error itself, or one that a client library has wrapped it
   * in (`cause`, `originalError`, `errors` and the like), however deep. A refusal by another copy of
   * this package is found, too.
   *
   * @returns The refusal; undefined if there is none.
   *
   * @example Behind a client that wraps what `fetch` rejects with
   * ```ts
   * import { CircuitOpenError } from "@lastgood/breaker";
   * import { assertEquals } from "@std/assert";
   *
   * const refusal = new CircuitOpenError("stock", 1_000);
   * const wrapped = new Error("Connection error.", { cause: refusal });
   *
   * assertEquals(CircuitOpenError.in(wrapped), refusal);
   * ```
   */
  static in(error: unknown): CircuitOpenError | undefined {
    // A set hands out what is added while it is read, and each thing once: so cycles end.
    const found = new Set([error]);
    for (const value of found) {
      if (typeof value !== "object" || value === null) continue;
      if (isCircuitOpenError(value)) return value;
      for (const field of isList(value) ? value.keys() : WRAPPERS) {
        if (found.size >= MAX_SEARCHED) break;
        found.add(read(value, field));
      }
    }
    return undefined;
  }

  /**
   * Makes the error for one refused call.
   *
   * @param circuit The name of the circuit that refused.
   * @param retryAfterMs Time until a call may pass, in ms; Infinity if it is not known.
   * @param why Why it refused; by default, what `retryAfterMs` says.
   */
  constructor(
    circuit: string,
    retryAfterMs: number,
    why: CircuitOpenReason = retryAfterMs === Infinity ? "isolated" : "open",
  ) {
    super(
      retryAfterMs === Infinity
        ? `Circuit "${circuit}" is held open`
        : `Circuit "${circuit}" is ${why}, retry after ${wholeSecs(retryAfterMs)} secs`,
    );
    this.circuit = circuit;
    this.retryAfterMs = retryAfterMs;
    // The other reasons show in the time: a field more would make refusing 6 % slower.
    if (why !== this.why) Object.defineProperty(this, "why", { value: why });
  }

  /** Why the circuit refused. */
  get why(): CircuitOpenReason {
    return this.retryAfterMs === Infinity ? "isolated" : "open";
  }

  /** The header fields of the response, by which Express and Fastify answer the error. */
  get headers(): Record<string, string> {
    const { retryAfterMs } = this;
    return problemHeaders(
      retryAfterMs === Infinity ? {} : { "retry-after": String(wholeSecs(retryAfterMs)) },
    );
  }

  /**
   * Makes the response for this error: a 503 with problem details (RFC 9457) and a `Retry-After`
   * (RFC 9110 §10.2.3) that holds. It leaves out the circuit's name, which may be an internal
   * address. Hono's default error handler answers with it by itself.
   *
   * @returns A new response each time.
   */
  getResponse(): Response {
    const { retryAfterMs, why, headers } = this;
    const detail = retryAfterMs === Infinity
      ? "The upstream is held off"
      : `The upstream is ${why === "busy" ? why : "failing"}, retry after ${
        wholeSecs(retryAfterMs)
      } secs`;
    return asRefusal(problem(503, "Service Unavailable", detail, headers));
  }
}

/**
 * Reports whether a response is one that {@link CircuitOpenError.getResponse} made, in this copy of the
 * package or in another. A response made of its parts is not.
 */
export function isRefusal(response: unknown): boolean {
  return (Object(response) as { [REFUSAL]?: unknown })[REFUSAL] === true;
}

/** Marks a response for {@link isRefusal}. */
export function asRefusal(response: Response): Response {
  (response as { [REFUSAL]?: true })[REFUSAL] = true;
  return response;
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
    headers: problemHeaders(headers),
  });
}

function problemHeaders(more: Readonly<Record<string, string>>): Record<string, string> {
  return {
    ...more,
    "content-type": "application/problem+json",
    "cache-control": "no-store",
  };
}

/**
 * Tells by the members, as another copy of the package has another class. What came as data, such as
 * the body of an error response, has no methods: an upstream cannot pose as a circuit of ours.
 */
function isCircuitOpenError(value: object): value is CircuitOpenError {
  return typeof read(value, "circuit") === "string" &&
    typeof read(value, "retryAfterMs") === "number" &&
    typeof read(value, "getResponse") === "function";
}

function isList(value: object): value is unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    // A proxy that was revoked.
    return false;
  }
}

/** Reads a member of something foreign: a getter that throws hides what is behind it. */
function read(value: object, member: string | number): unknown {
  try {
    return (value as Record<string | number, unknown>)[member];
  } catch {
    return undefined;
  }
}

/** Rounds up, to at least 1: "0 seconds" would invite a call that is refused again. */
function wholeSecs(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}
