import { type Breaker, breaker, type BreakerEvent, type BreakerOptions } from "@lastgood/breaker";
import { until } from "./case.ts";

/** A breaker with the events it has emitted. */
export interface Watched {
  readonly api: Breaker;
  readonly events: BreakerEvent[];
  /** Waits until this many calls have ended. */
  ended(count: number): Promise<void>;
  /** The cause of every call that has ended, with how it counted. */
  readonly ends: readonly string[];
  /** The state of the only circuit. */
  readonly state: string;
}

const ENDS = ["success", "failure", "ignored"];

/** Makes a breaker, and listens to it. */
export function watched(options: BreakerOptions = {}): Watched {
  const events: BreakerEvent[] = [];
  const api = breaker({ ...options, onEvent: (event) => events.push(event) });
  return watching(api, events);
}

/** Watches a breaker whose events go to this list. */
export function watching(api: Breaker, events: BreakerEvent[]): Watched {
  const ended = () => events.filter(({ type }) => ENDS.includes(type));
  return {
    api,
    events,
    ended: (count) =>
      until(() => ended().length >= count, `${count} calls have ended: ${JSON.stringify(events)}`),
    get ends() {
      return ended().map((event) => `${event.type} ${"cause" in event ? event.cause : ""}`);
    },
    get state() {
      return [...api.circuits()].map(([, { state }]) => state).join(" ");
    },
  };
}
