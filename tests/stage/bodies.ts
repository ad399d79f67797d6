/** A body that flows when the test opens it, and records what its reader does. */
export interface Faucet {
  readonly body: ReadableStream<Uint8Array>;
  /** How often the reader asked for more than was there. */
  readonly pulls: number;
  /** The reasons it was cancelled with: at most one. */
  readonly cancelled: unknown[];
  drip(text: string): void;
  close(): void;
  fail(error: unknown): void;
}

/** Makes an unbuffered body. */
export function faucet(): Faucet {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let pulls = 0;
  const cancelled: unknown[] = [];
  const body = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
    pull: () => void pulls++,
    cancel: (reason) => void cancelled.push(reason),
  }, { highWaterMark: 0 });
  return {
    body,
    get pulls() {
      return pulls;
    },
    cancelled,
    drip: (text) => controller.enqueue(new TextEncoder().encode(text)),
    close: () => controller.close(),
    fail: (error) => controller.error(error),
  };
}

/** A body of up to `chunks` chunks of `size` bytes, made on demand and counted. */
export function spring(chunks: number, size: number) {
  let made = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (made === chunks) return controller.close();
      made++;
      controller.enqueue(new Uint8Array(size).fill(97));
    },
  }, { highWaterMark: 0 });
  return {
    body,
    get made() {
      return made;
    },
  };
}

/** A body that ends when a signal aborts, as a fetched body does. */
export function abortable(signal: AbortSignal | null | undefined): Faucet {
  const flow = faucet();
  signal?.addEventListener("abort", () => flow.fail(signal.reason), { once: true });
  return flow;
}

/** A body in pieces; an Error among them breaks it off. */
export function pieces(...chunks: (string | Uint8Array | Error)[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks[next++];
      if (chunk === undefined) controller.close();
      else if (chunk instanceof Error) controller.error(chunk);
      else controller.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
    },
  });
}

/** A body that delivers one chunk every `everyMs`. */
export function dripping(chunks: readonly string[], everyMs: number): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, everyMs));
      controller.enqueue(new TextEncoder().encode(left.shift()));
      if (left.length === 0) controller.close();
    },
  });
}
