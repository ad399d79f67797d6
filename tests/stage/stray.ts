/** Unhandled rejections, from now until it is disposed of. */
export interface Stray {
  readonly reasons: unknown[];
  /** Waits until the runtime has had the time to notice. */
  noticed(): Promise<void>;
  [Symbol.dispose](): void;
}

/** Listens where the runtime lets us; where it does not, the run itself fails on them. */
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
