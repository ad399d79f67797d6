import type { Served } from "../last_good/cache_status.ts";
import { isAnswerable, isServable } from "../last_good/rules/servable.ts";
import type { LastGood } from "../last_good/last_good.ts";
import { ageMs } from "../last_good/rules/freshness.ts";
import { servedResponse } from "../last_good/served_response.ts";
import type { StoredResponse } from "../last_good/stored_response.ts";
import { emit, type StaleReason } from "../observe/events.ts";
import type { GuardSettings } from "./options.ts";
import type { RequestContext } from "./request_context.ts";

/** Finds what may be served to a request in place of the upstream's own answer, and serves it. */
export class KeptAnswers {
  readonly #settings: GuardSettings;
  readonly #lastGood: LastGood | undefined;

  constructor(settings: GuardSettings, lastGood: LastGood | undefined) {
    this.#settings = settings;
    this.#lastGood = lastGood;
  }

  /** Returns what may be served to this request at this time, in ms; undefined if nothing may. */
  find({ request, key }: RequestContext, at: number): StoredResponse | undefined {
    const lastGood = this.#lastGood;
    if (lastGood === undefined || key === undefined || !isAnswerable(request)) return undefined;
    const kept = lastGood.find(key, request);
    if (kept === undefined) return undefined;
    return isServable(kept, request, at, lastGood.settings) ? kept : undefined;
  }

  /** Makes a response of `kept`, and reports that it is served at this time, in ms. */
  serve(
    { request, circuit }: RequestContext,
    kept: StoredResponse,
    why: StaleReason | "fresh",
    served: Served,
    at: number,
  ): Response {
    const { onEvent } = this.#settings;
    if (onEvent !== undefined) {
      const about = { circuit: circuit.name, at, url: request.url, ageMs: ageMs(kept, at) };
      emit(onEvent, why === "fresh" ? { type: why, ...about } : { type: "stale", ...about, why });
    }
    return servedResponse(kept, request, at, served, this.#lastGood!.settings);
  }
}
