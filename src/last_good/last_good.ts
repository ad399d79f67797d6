import type { RemovalListener } from "../observe/events.ts";
import { type CacheKey, usualKey } from "./cache_key.ts";
import type { BodyRecorder, Candidate, KeepResult, LaterResult } from "./candidate.ts";
import { Copies } from "./copies.ts";
import { confirm } from "./confirming.ts";
import { forget, invalidate } from "./invalidating.ts";
import { keep } from "./keeping.ts";
import { type KeyListener, keyOf } from "./keying.ts";
import { type Kept, Memory } from "./memory.ts";
import type { LastGoodSettings } from "./options.ts";
import type { RequestHead } from "./request_head.ts";
import type { Store } from "./store.ts";
import type { StoredResponse } from "./stored_response.ts";

export type { BodyRecorder, Candidate, CopyListener, KeepResult } from "./candidate.ts";

/** The last good responses. Each method is the door to a file that is named after its verb. */
export class LastGood {
  readonly settings: LastGoodSettings;
  readonly #store: Store;
  #order = 0;

  constructor(settings: LastGoodSettings) {
    this.settings = settings;
    const memory = new Memory(settings);
    const copies = new Copies(memory.budget, settings.maxBodyMs);
    this.#store = { settings, memory, copies };
  }

  /** What is held in memory now. */
  get kept(): Kept {
    return this.#store.memory.kept;
  }

  /** Numbers requests in the order in which they start (S18). */
  nextOrder(): number {
    return ++this.#order;
  }

  /**
   * Returns the key of a request whose answer is kept in this place (K5); undefined if nothing is to
   * be kept or served for it.
   */
  key(
    request: RequestHead,
    place: string,
    caller: KeyListener,
  ): CacheKey | undefined | Promise<CacheKey | undefined> {
    return keyOf(this.settings, request, place, caller);
  }

  /** Returns what is kept for a request, whatever its age. */
  find(key: CacheKey, request: RequestHead): StoredResponse | undefined {
    const { memory } = this.#store;
    const usual = usualKey(key, request);
    return memory.find(key, request.headers) ?? (usual && memory.find(usual, request.headers));
  }

  /**
   * Decides what becomes of a good response.
   *
   * @returns A recorder if it is to be copied on its way; a result if it passes as it came;
   * undefined if what is kept is good enough.
   */
  keep(candidate: Candidate): BodyRecorder | KeepResult | LaterResult | undefined {
    return keep(this.#store, candidate);
  }

  /**
   * Freshens what is kept by a 304 that confirms it: RFC 9111 §4.3.4 (S21).
   *
   * @param askedEtag The entity tag that we have asked about; undefined if the caller has asked.
   * @returns Why it was not freshened; undefined if it was.
   */
  confirm(candidate: Candidate, askedEtag: string | undefined): KeepResult | undefined {
    return confirm(this.#store, candidate, askedEtag);
  }

  /** Removes what an unsafe request has changed: RFC 9111 §4.4 (S19). */
  invalidate(request: RequestHead, response: Response, listener: RemovalListener): void {
    invalidate(this.#store, request, response, { order: this.nextOrder(), listener });
  }

  /**
   * Forgets every variant kept for the URL of a request, or everything.
   *
   * @param isSoft True if only `freshMs` is no longer to serve it.
   */
  forget(request: RequestHead | undefined, isSoft: boolean, listener: RemovalListener): void {
    forget(this.#store, request, { order: this.nextOrder(), listener }, isSoft);
  }
}
