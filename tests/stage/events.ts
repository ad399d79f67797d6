import type { BreakerEvent } from "@lastgood/breaker";

/** The members of an event union that have this type. */
type Of<E, K> = E extends { type: infer T } ? K extends T ? E : never : never;

/** The types of the events. */
export function types(events: readonly BreakerEvent[]): string[] {
  return events.map(({ type }) => type);
}

/** The events of one type. */
export function only<K extends BreakerEvent["type"]>(
  events: readonly BreakerEvent[],
  type: K,
): Of<BreakerEvent, K>[] {
  return events.filter((event) => event.type === type) as Of<BreakerEvent, K>[];
}

/** The state changes among the events, as "from > to". */
export function moves(events: readonly BreakerEvent[]): string[] {
  return only(events, "state").map(({ from, to }) => `${from} > ${to}`);
}

/** The reasons why answers were not kept, in order. */
export function notKept(events: readonly BreakerEvent[]): string[] {
  return only(events, "not_kept").map(({ why }) => why);
}
