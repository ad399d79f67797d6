import {
  type Answering,
  type Asking,
  keyOf,
  kindOf,
  type Owner,
  partitionOf,
  type PlaceName,
  says,
  seconds,
  variesOn,
} from "./exchange.ts";
import { isAgainstRequest, isForbiddenElsewhere, mayBeKept, NO_CACHE, PRIVATE } from "./keeping.ts";

/** A copy. */
export interface Copy {
  readonly place: PlaceName;
  readonly path: string;
  readonly key: string;
  readonly partition: string | undefined;
  /** What it varies on, and what its own request said there. */
  readonly variant: readonly (readonly [name: string, value: string | undefined])[];
  readonly kind: string;
  readonly answer: Answering;
  readonly receivedAt: number;
  /** True if `freshMs` no longer serves it. */
  isOutdated: boolean;
  /** True if an odd answer has been seen since the last good one (S17). */
  isDoubted: boolean;
  /** True if the rules do not say whether it is still there. */
  isUncertain: boolean;
}

/** What the rules say is kept. */
export class Memory {
  readonly #owner: Owner;
  /** The most recent copy last. */
  #copies: Copy[] = [];

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  /** The copy for a request: the most recent one that fits. */
  find(asking: Asking): Copy | undefined {
    return this.#fitting(asking).filter(({ place }) => place === asking.place).at(-1);
  }

  /** Notes an answer that came while the upstream was well. */
  hear(asking: Asking, answering: Answering, now: number): void {
    const { status } = answering;
    if (!["GET", "HEAD", "OPTIONS"].includes(asking.method)) {
      // S19
      if (status >= 200 && status < 400) this.#removeAfter(asking, answering);
    } else if (status === 304) this.#confirm(asking, answering, now);
    else if (mayBeKept(asking, answering, this.#owner)) this.#keep(asking, answering, now);
    else if (!isAgainstRequest(asking, answering, this.#owner)) this.#doubt(asking, answering);
  }

  /** Forgets the copies of a path, or makes them out of date. */
  forget(path: string, isSoft: boolean): void {
    if (isSoft) { for (const copy of this.#copies) if (copy.path === path) copy.isOutdated = true; }
    else this.#copies = this.#copies.filter((copy) => copy.path !== path);
  }

  /** In all places, as a removal reaches all of them (K5). */
  #fitting(asking: Asking): Copy[] {
    const key = keyOf(asking, this.#owner);
    return this.#copies.filter((copy) =>
      copy.key === key && copy.variant.every(([name, value]) => asking.fields[name] === value)
    );
  }

  #keep(asking: Asking, answer: Answering, receivedAt: number): void {
    const variant = variesOn(answer).map((name) => [name, asking.fields[name]] as const);
    const own = this.#fitting(asking).filter(({ place }) => place === asking.place);
    const same = own.filter((copy) => JSON.stringify(copy.variant) === JSON.stringify(variant));
    this.#remove((copy) => same.includes(copy));
    // Whether a copy that varied on other fields is left to those who do not fit the new one is open.
    for (const copy of own) copy.isUncertain = true;
    this.#copies.push({
      place: asking.place,
      path: asking.path,
      key: keyOf(asking, this.#owner),
      partition: partitionOf(asking, this.#owner),
      variant,
      kind: kindOf(asking),
      answer,
      receivedAt,
      isOutdated: false,
      isDoubted: false,
      isUncertain: false,
    });
  }

  /** S17: an answer that is not kept may be the end of the copy. */
  #doubt(asking: Asking, answering: Answering): void {
    const { status } = answering;
    const isOwned = partitionOf(asking, this.#owner) !== undefined;
    const isForbidden = forbids(asking, answering, this.#owner);
    const isEnd = status === 410 || (isOwned && (status === 401 || status === 403));
    // Odd are a 2xx that is no good answer, a 3xx and a 404.
    const isOdd = status === 404 || (status > 200 && status < 400 && status !== 206);
    const same = this.#fitting(asking).filter(({ kind }) => kind === kindOf(asking));
    if (isEnd || (isForbidden && status === 200)) this.#remove((copy) => same.includes(copy));
    // Whether no-store on a redirect is about the page, and whether a 200 with Set-Cookie is a good
    // answer between two odd ones, is left open.
    else if ((isForbidden && isOdd) || status === 200) {
      for (const copy of same) {
        copy.isUncertain ||= isOdd || isForbiddenElsewhere(answering) ||
          copy.isDoubted;
      }
    } else if (isOdd) this.#mark(same, asking.place);
  }

  /** The second odd answer in a row removes; whether one counts for other places is left open. */
  #mark(copies: readonly Copy[], place: PlaceName): void {
    for (const copy of copies) {
      if (copy.place !== place) copy.isUncertain = true;
      else if (copy.isDoubted) this.#remove((it) => it === copy);
      else copy.isDoubted = true;
    }
  }

  /** S21: a 304 freshens the copy whose validator it confirms, or ends it as S17 says. */
  #confirm(asking: Asking, answering: Answering, now: number): void {
    const { words, fields } = answering;
    const isForbidden = forbids(asking, answering, this.#owner) || isForbiddenElsewhere(answering);
    const isAgainst = isAgainstRequest(asking, answering, this.#owner);
    const found = this.find(asking);
    const isConfirmed = found !== undefined && fields["etag"] === found.answer.fields["etag"];
    for (const copy of isForbidden && !isAgainst ? this.#fitting(asking) : []) {
      if (copy.kind !== kindOf(asking)) continue;
      // Whether it speaks of a version that it does not confirm, or of other places, is left open.
      if (copy === found && isConfirmed && forbids(asking, answering, this.#owner)) {
        this.#remove((it) => it === copy);
      } else copy.isUncertain = true;
    }
    if (isForbidden || !isConfirmed) return;
    this.#remove((it) => it === found);
    const isOpen = isAgainst || found.isOutdated || found.isDoubted ||
      found.kind !== kindOf(asking);
    this.#copies.push({
      ...found,
      answer: { ...found.answer, words: words.length > 0 ? words : found.answer.words },
      receivedAt: now,
      isUncertain: found.isUncertain || isOpen,
    });
  }

  #removeAfter({ path }: Asking, { fields }: Answering): void {
    const paths = [path, fields["location"], fields["content-location"]];
    this.#remove((copy) => paths.includes(copy.path));
  }

  #remove(isGone: (copy: Copy) => boolean): void {
    const gone = this.#copies.filter(isGone);
    this.#copies = this.#copies.filter((copy) => !gone.includes(copy));
  }
}

/** Reports whether an answer takes back the permission to keep an older one (S17). */
function forbids(asking: Asking, answering: Answering, owner: Owner): boolean {
  const isLifted = (obstacle: string) => owner.ignore.includes(obstacle);
  const isOwned = partitionOf(asking, owner) !== undefined;
  return (says(answering, "no-store", "no-store;") && !isLifted("no-store")) ||
    (says(answering, ...PRIVATE) && !isLifted("private") && !isOwned) ||
    (says(answering, ...NO_CACHE) && !isLifted("no-cache"));
}

/** How long a copy is fresh, in ms; undefined if its origin does not say. */
export function lifetimeMs({ answer: { words } }: Copy): number | undefined {
  const secs = seconds(words, "s-maxage") ?? seconds(words, "max-age");
  return secs === undefined ? undefined : secs * 1_000;
}
