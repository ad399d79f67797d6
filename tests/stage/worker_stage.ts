import { type Breaker, breaker, type BreakerEvent, type BreakerOptions } from "@lastgood/breaker";
import { type Handler, route, send } from "../runtimes/workerd/host.ts";
import { circuitOf } from "./breaker_stage.ts";
import { Clock } from "./clock.ts";
import { asked, Upstream } from "./upstream.ts";
import { handlerBy, type Way } from "./ways.ts";

/** The ways a Worker's request can go through a breaker. */
export const WAYS = ["fetch", "wrap", "respond", "hono"] as const satisfies readonly Way[];

/** An answer as the client sees it. */
export interface Seen {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/**
 * A Worker in front of an upstream that runs in separate requests, so that calling it is I/O. It is
 * made at module scope, where Workers make their breakers.
 */
export class WorkerStage extends Upstream {
  readonly clock = new Clock();
  readonly events: BreakerEvent[] = [];
  readonly api: Breaker;
  /** The upstream's address. */
  readonly url: string;
  readonly #path: string;

  /** Sets the stage at a path; the upstream is below that path. */
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

  /** Sets the handler for requests to the Worker. */
  runs(handler: Handler): this {
    route(this.#path, handler);
    return this;
  }

  /** Sends the Worker a separate request, and reads the whole answer. */
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

/** Sends a separate request, and reads the whole answer. */
export async function ask(path: string, init?: RequestInit): Promise<Seen> {
  const response = await send(path, init);
  const { status, headers } = response;
  return { status, headers, text: await response.text() };
}
