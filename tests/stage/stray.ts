/** Collects unhandled rejections until disposed. */
export interface Stray {
  readonly reasons: unknown[];
  /** Waits until the runtime has had time to notice them. */
  noticed(): Promise<void>;
  [Symbol.dispose](): void;
}

/** Listens if the runtime allows it; if it does not, unhandled rejections fail the run itself. */
export function listening(): Stray {
  const { setTimeout } = globalThis;
  const reasons: unknown[] = [];
  const hear = (event: Event) => {
    event.preventDefault();
    reasons.push((event as PromiseRejectionEvent).reason);
  };
  globalThis.addEventListener?.("unhandledrejection", hear);
  return {
    reasons,
    noticed: () => new Promise((resolve) => setTimeout(resolve, 0)),
    [Symbol.dispose]: () => globalThis.removeEventListener?.("unhandledrejection", hear),
  };
}
