import { type Answering, type Asking, IDENTITY, type Owner, says, seconds } from "./exchange.ts";
import { type Copy, lifetimeMs, Memory } from "./memory.ts";

/** What becomes of a request. "unclear": the rules leave it open. */
export type Outcome =
  | { readonly from: "upstream" | "memory"; readonly status: number; readonly body: string }
  | { readonly from: "breaker"; readonly status: 504 }
  | "unclear";

/** The breaker as the rules describe it, with a circuit that stays closed. */
export class Statement {
  readonly #owner: Owner;
  readonly #memory: Memory;

  constructor(owner: Owner) {
    this.#owner = owner;
    this.#memory = new Memory(owner);
  }

  /** Says what becomes of a request that the upstream would answer so, and remembers it. */
  answer(asking: Asking, answering: Answering, now: number): Outcome {
    const copy = isAnswerable(asking) ? this.#memory.find(asking) : undefined;
    if (asking.place === "fetch" && asking.fields["cache-control"] === "only-if-cached") {
      return onlyIfCached(copy, asking, now, this.#owner);
    }
    const asks = this.#isServedWhileWell(copy, asking, now);
    if (asks === "unclear") return "unclear";
    if (asks && copy !== undefined) return served(copy, asking);
    if (answering.status < 500) {
      this.#memory.hear(asking, answering, now);
      return { from: "upstream", status: answering.status, body: answering.body };
    }
    if (copy?.isUncertain) return "unclear";
    const isReplaced = copy !== undefined && isServable(copy, asking, now, this.#owner);
    if (isReplaced) return served(copy, asking);
    return { from: "upstream", status: answering.status, body: answering.body };
  }

  forget(path: string, isSoft: boolean): void {
    this.#memory.forget(path, isSoft);
  }

  /** `freshMs` answers while the upstream is well (F4, F8, S6). */
  #isServedWhileWell(copy: Copy | undefined, asking: Asking, now: number): boolean | "unclear" {
    const { freshMs, ignore } = this.#owner;
    if (copy === undefined || copy.isOutdated || now - copy.receivedAt >= freshMs) return false;
    const word = asking.fields["cache-control"];
    if (asking.cache !== undefined || word === "no-cache" || word === "max-age=0") return false;
    const isAnybodys = copy.partition !== undefined || says(copy.answer, "public");
    if (hasCredentials(asking) && !isAnybodys) return false;
    if (!ignore.includes("must-revalidate") && forbidsStale(copy) && !isFresh(copy, now)) {
      return false;
    }
    const isOpen = copy.isUncertain || word === "no-store" ||
      (!isFresh(copy, now) && !isServable(copy, asking, now, this.#owner));
    return isOpen ? "unclear" : true;
  }
}

/** F2, S1, F5. */
function isAnswerable({ method, fields }: Asking): boolean {
  return (method === "GET" || method === "HEAD") && fields["upgrade"] === undefined &&
    fields["if-match"] === undefined;
}

/** F4: the app gets a fresh copy, or nothing. */
function onlyIfCached(
  copy: Copy | undefined,
  asking: Asking,
  now: number,
  { freshMs }: Owner,
): Outcome {
  const nothing = { from: "breaker", status: 504 } as const;
  if (!isAnswerable(asking)) return "unclear";
  if (copy === undefined) return nothing;
  if (copy.isUncertain || copy.isOutdated || hasCredentials(asking) || asking.cache !== undefined) {
    return "unclear";
  }
  if (isFresh(copy, now)) return served(copy, asking);
  // Whether the owner's freshMs makes it fresh is left open.
  return now - copy.receivedAt < freshMs ? "unclear" : nothing;
}

/** F8. */
function hasCredentials({ fields }: Asking): boolean {
  return ["authorization", "cookie", ...IDENTITY].some((name) => fields[name] !== undefined);
}

/** F5, F6. */
function served({ answer }: Copy, { method, fields }: Asking): Outcome {
  const asked = fields["if-none-match"];
  const isKnown = asked === "*" || (asked !== undefined && asked === answer.fields["etag"]);
  if (isKnown) return { from: "memory", status: 304, body: "" };
  return { from: "memory", status: answer.status, body: method === "HEAD" ? "" : answer.body };
}

const DAY_MS = 86_400_000;

/** F3, S6 and the request's own limits (F4). */
function isServable(copy: Copy, asking: Asking, now: number, { ignore }: Owner): boolean {
  if (isFresh(copy, now)) return true;
  if (!ignore.includes("must-revalidate") && forbidsStale(copy)) return false;
  const staleMs = now - copy.receivedAt - (lifetimeMs(copy) ?? 0);
  const own = [asking.fields["cache-control"] ?? ""];
  const limitsMs = [
    seconds(copy.answer.words, "stale-if-error"),
    seconds(own, "stale-if-error"),
    seconds(own, "max-stale"),
  ].map((secs) => secs === undefined ? DAY_MS : secs * 1_000);
  const limitMs = Math.min(DAY_MS, ...limitsMs);
  return limitMs > 0 && staleMs <= limitMs;
}

function isFresh(copy: Copy, now: number): boolean {
  const lifetime = lifetimeMs(copy);
  return lifetime !== undefined && now - copy.receivedAt < lifetime;
}

function forbidsStale({ answer }: Copy): boolean {
  return says(answer, "must-revalidate", "proxy-revalidate", "s-maxage=60");
}
