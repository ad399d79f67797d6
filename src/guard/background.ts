/** How much work is waited for at most: on Workers, that of a cancelled request never ends. */
const MAX_TRACKED = 10_000;

/** Work that goes on behind the answers. */
export class BackgroundWork {
  readonly #running = new Set<Promise<void>>();

  /** Waits for `work` in {@link idle}, whatever comes of it. */
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

  /** Ends when all work has ended, that which is added meanwhile included. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
