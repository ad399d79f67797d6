import { outlivesAnswer } from "../runtime.ts";
import type { RequestContext } from "./request_context.ts";

/** The most work that is waited for: on Workers, that of a cancelled request never ends. */
const MAX_TRACKED = 10_000;

/** How long a host that has frozen work is not given any more, in ms. */
const WARY_MS = 600_000;

/** The work that goes on after requests have been answered. */
export class BackgroundWork {
  readonly #running = new Set<Promise<void>>();
  /** Asked for when there is work: on Deno it takes 20 µs. */
  #hostLives: boolean | undefined;
  #frozenAt = -Infinity;

  /**
   * Reports whether a call of this request can go on after its answer, and prepares it for that: asked
   * only when there is an answer from memory (promise 33).
   */
  canRun(context: RequestContext): boolean {
    const { background } = context;
    if (background === false) return false;
    return (background || context.waitUntil() !== undefined || this.#outlivesAnswer(context)) &&
      context.detach();
  }

  /** Hears that work was frozen with its host, which may do so again. */
  freeze(at: number): void {
    this.#frozenAt = at;
  }

  #outlivesAnswer({ settings: { now } }: RequestContext): boolean {
    if (this.#frozenAt !== -Infinity && now() - this.#frozenAt < WARY_MS) return false;
    return this.#hostLives ??= outlivesAnswer();
  }

  /** Lets `work` go on after the answer to this request, and asks the host to keep it alive. */
  run(context: RequestContext, work: Promise<void>): void {
    this.add(work);
    try {
      context.waitUntil()?.(work);
    } catch (error) {
      context.reportError("waitUntil", error);
    }
  }

  /** Makes {@link idle} wait for `work`, whatever comes of it. */
  add(work: Promise<unknown>): void {
    const done: Promise<void> = work.then(() => {}, () => {}).then(() => {
      this.#running.delete(done);
    });
    this.#running.add(done);
    if (this.#running.size <= MAX_TRACKED) return;
    for (const oldest of this.#running) {
      this.#running.delete(oldest);
      return;
    }
  }

  /** Resolves when all work has ended, including what is added meanwhile. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
