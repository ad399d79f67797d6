/** Sends the page what happens, as server-sent events: the circuit, the answers, the log. */

import type { Context, Next } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { type BreakerEvent, logTo } from "@lastgood/breaker";

/** One answer of the app, as a visitor gets it. */
interface Answer {
  readonly at: number;
  readonly path: string;
  readonly status: number;
  readonly from: "upstream" | "memory" | "refused" | "failed";
  readonly cacheStatus: string | null;
  readonly age: string | null;
  readonly retryAfter: string | null;
  readonly tookMs: number;
}

/** How many past answers and lines a newly opened page gets. */
const REMEMBERED = 12;
const TICK_MS = 250;

export class Live {
  readonly #now: () => unknown;
  readonly #listeners = new Set<SSEStreamingApi>();
  readonly #past: { event: "answer" | "line"; data: string }[] = [];
  readonly #log: (event: BreakerEvent) => void;
  #ended = false;

  /** @param now Returns the current state. */
  constructor(now: () => unknown) {
    this.#now = now;
    this.#log = logTo({ log: (text) => this.#send("line", { at: Date.now(), text }) });
  }

  /** Takes the breaker's events. The page shows all answers anyway, so it logs no stale ones. */
  hear(event: BreakerEvent): void {
    if (event.type !== "stale") this.#log(event);
    if (event.type === "state") this.push();
  }

  /** Middleware that records every answer from further down the chain. */
  readonly watch = async (c: Context, next: Next): Promise<void> => {
    const at = Date.now();
    await next();
    const { status, headers } = c.res;
    const cacheStatus = headers.get("cache-status");
    const retryAfter = headers.get("retry-after");
    const answer: Answer = {
      at,
      path: c.req.path,
      status,
      from: cacheStatus !== null
        ? "memory"
        : status === 503 && retryAfter !== null
        ? "refused"
        : status >= 500
        ? "failed"
        : "upstream",
      cacheStatus,
      age: headers.get("age"),
      retryAfter,
      tookMs: Date.now() - at,
    };
    this.#send("answer", answer);
    this.push();
  };

  /** Sends the current state to all pages. */
  push(): void {
    const data = JSON.stringify(this.#now());
    for (const stream of this.#listeners) stream.writeSSE({ event: "now", data });
  }

  /** Answers a page that subscribes. */
  stream(c: Context): Response {
    return streamSSE(c, async (stream) => {
      for (const past of this.#past) stream.writeSSE(past);
      this.#listeners.add(stream);
      stream.onAbort(() => void this.#listeners.delete(stream));
      // An open circuit becomes half open merely by time passing, without an event.
      while (!stream.aborted && !this.#ended) {
        await stream.writeSSE({ event: "now", data: JSON.stringify(this.#now()) });
        await stream.sleep(TICK_MS);
      }
    });
  }

  /** Ends all streams: a server does not stop while one is open. */
  end(): void {
    this.#ended = true;
  }

  #send(event: "answer" | "line", about: unknown): void {
    const data = JSON.stringify(about);
    this.#past.push({ event, data });
    const same = this.#past.filter((past) => past.event === event);
    if (same.length > REMEMBERED) this.#past.splice(this.#past.indexOf(same[0]!), 1);
    for (const stream of this.#listeners) stream.writeSSE({ event, data });
  }
}
