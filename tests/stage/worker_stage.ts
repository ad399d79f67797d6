import { type Breaker, breaker, type BreakerEvent, type BreakerOptions } from "@lastgood/breaker";
import { type Handler, route, send } from "../runtimes/workerd/host.ts";
import { circuitOf } from "./breaker_stage.ts";
import { Clock } from "./clock.ts";
import { asked, Upstream } from "./upstream.ts";
import { handlerBy, type Way } from "./ways.ts";

/** How a Worker's request goes through a breaker. */
export const WAYS = ["fetch", "wrap", "respond", "hono"] as const satisfies readonly Way[];

/** What a client sees. */
export interface Seen {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/**
 * A Worker before an upstream, which runs in requests of its own, so that asking it is I/O. It is
 * made at module scope, as Workers make their breakers.
 */
export class WorkerStage extends Upstream {
  readonly clock = new Clock();
  readonly events: BreakerEvent[] = [];
  readonly api: Breaker;
  /** Where the upstream is. */
  readonly url: string;
  readonly #path: string;

  /** Sets the stage at a path, whose upstream is below it. */
  constructor(path: string, options: BreakerOptions = {}) {
    super();
    this.#path = path;
    this.url = `http://worker${path}/origin`;
    this.api = breaker({
      threshold: 2,
      delayMs: 1_000,
      now: this.clock.now,
      onEvent: (event) => void this.events.push(event),
      ...options,
    });
    route(`${path}/origin`, (request) => this.reply(asked(request)));
  }

  /** Says what a request to the Worker runs. */
  runs(handler: Handler): this {
    route(this.#path, handler);
    return this;
  }

  /** Sends the Worker a request of its own, and reads all that it answers. */
  ask(init?: RequestInit): Promise<Seen> {
    return ask(this.#path, init);
  }

  tick(ms: number): void {
    this.clock.tick(ms);
  }

  /** The state of the only circuit. */
  get state(): string {
    return circuitOf(this.api).state;
  }
}

/** Sets the stage for one way through the breaker. */
export function stage(path: string, way: Way, options: BreakerOptions = {}): WorkerStage {
  const act = new WorkerStage(path, options);
  const { api, url } = act;
  return act.runs(
    way === "fetch"
      ? () => api.fetch(url).catch((error) => error.getResponse?.() ?? Response.error())
      : handlerBy(way, api, (_, signal) => fetch(url, signal && { signal })),
  );
}

/** Sends a request of its own, and reads all that is answered. */
export async function ask(path: string, init?: RequestInit): Promise<Seen> {
  const response = await send(path, init);
  const { status, headers } = response;
  return { status, headers, text: await response.text() };
}
