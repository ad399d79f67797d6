/**
 * The floors: what a good engineer writes by hand who needs just this for an app of his own. They know
 * nothing of who asks, of Vary, of no-store or of aborts, so no app should use them.
 */
import type { MiddlewareHandler } from "hono";

interface Copy {
  readonly keptAt: number;
  readonly fields: Record<string, string>;
  readonly body: Uint8Array<ArrayBuffer>;
}

type Call = (request: Request) => Response | Promise<Response>;

const THRESHOLD = 5;
const DELAY_MS = 30_000;
/** A URL is kept at most once in this time. */
const PAUSE_MS = 1_000;
const MAX_COPIES = 1_000;
const MAX_BYTES = 1_048_576;

/** Counts failures in a row, keeps answers by URL, and serves them while it is open. */
export class Hand {
  readonly #copies = new Map<string, Copy>();
  /** When each URL was kept last, or began to be. */
  readonly #keptAt = new Map<string, number>();
  #failures = 0;
  #openUntil = 0;

  /** Opens it for that long. */
  trip(ms: number): void {
    this.#openUntil = Date.now() + ms;
  }

  /** Guards a handler. */
  wrap(call: Call): Call {
    return (request) => this.#stale(request.method, request.url) ?? this.#called(call, request);
  }

  /** Guards what comes after it in a Hono app. */
  middleware(): MiddlewareHandler {
    return async (c, next) => {
      const { method, url } = c.req;
      const stale = this.#stale(method, url);
      if (stale === undefined) {
        await next();
        this.#hear(method, url, c.res);
      }
      return stale;
    };
  }

  async #called(call: Call, request: Request): Promise<Response> {
    try {
      const response = await call(request);
      this.#hear(request.method, request.url, response);
      return response;
    } catch (error) {
      this.#failed();
      throw error;
    }
  }

  /** Serves what is kept for the URL, if it is open. */
  #stale(method: string, url: string): Response | undefined {
    if (this.#openUntil === 0) return undefined;
    const now = Date.now();
    if (now > this.#openUntil) this.#openUntil = 0;
    if (this.#openUntil === 0 || method !== "GET") return undefined;
    const copy = this.#copies.get(url);
    if (copy === undefined) return undefined;
    const age = String(Math.floor((now - copy.keptAt) / 1_000));
    return new Response(copy.body, { headers: { ...copy.fields, age } });
  }

  #hear(method: string, url: string, response: Response): void {
    if (response.status >= 500) return this.#failed();
    this.#failures = 0;
    if (method !== "GET" || response.status !== 200) return;
    const now = Date.now();
    const keptAt = this.#keptAt.get(url);
    if (keptAt === undefined || now - keptAt >= PAUSE_MS) this.#keep(url, response, now);
  }

  #failed(): void {
    if (++this.#failures >= THRESHOLD) this.trip(DELAY_MS);
  }

  #keep(url: string, response: Response, now: number): void {
    this.#keptAt.set(url, now);
    if (this.#keptAt.size > MAX_COPIES) this.#forgetOldest();
    const fields = Object.fromEntries(response.headers);
    whole(response.clone().body).then((body) => {
      if (body === undefined) return;
      fields["content-length"] = String(body.length);
      fields["cache-status"] = "hand; hit; detail=circuit-open";
      this.#copies.set(url, { keptAt: now, fields, body });
    }, () => {});
  }

  #forgetOldest(): void {
    const oldest = this.#keptAt.keys().next().value!;
    this.#keptAt.delete(oldest);
    this.#copies.delete(oldest);
  }
}

/** Reads a body part by part: `arrayBuffer()` would hold back the caller's first byte on Deno. */
async function whole(
  body: ReadableStream<Uint8Array> | null,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body ?? []) {
    if ((size += part.length) > MAX_BYTES) return undefined;
    parts.push(part);
  }
  const all = new Uint8Array(size);
  size = 0;
  for (const part of parts) {
    all.set(part, size);
    size += part.length;
  }
  return all;
}
