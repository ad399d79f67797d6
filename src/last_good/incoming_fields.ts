import type { Fields } from "../http/fields.ts";
import { type Incoming, incomingOf } from "./raw_fields.ts";
import { fieldRole } from "./rules/field_role.ts";

/**
 * The fields of a request that came in, as name, value, name, value. All are taken down in one go, as
 * a handler may change its request: for the dozen that browsers send, that takes Deno no longer than
 * five reads of its `Headers`. What it meets on the way saves the rules most of their own looks.
 */
export class IncomingFields implements Fields {
  #live: Headers | undefined;
  #lines: string[] | undefined;
  #marked: string[] | undefined;
  /** A bit for each of `ASKED` that is there. */
  #asked = 0;

  /** The fields that are visited now: closures of each request's own would be garbage. */
  static #current: IncomingFields | undefined;

  /** @param isLive True if they are read where they are, as nothing is kept. */
  constructor(request: Request, isLive: boolean) {
    if (isLive) {
      this.#live = headersOf(request);
      return;
    }
    const incoming = incomingOf(request);
    if (incoming === undefined || !this.#takeRaw(incoming)) this.#takeAll(headersOf(request));
  }

  /** The names of all that say who asks or what origins route by; undefined if nobody has looked. */
  get marked(): readonly string[] | undefined {
    return this.#lines && (this.#marked ?? NONE);
  }

  get(name: string): string | null {
    const lines = this.#lines;
    if (lines === undefined) return this.#live!.get(name);
    const bit = ASKED.get(name);
    if (bit !== undefined && (this.#asked & bit) === 0) return null;
    // Of a field that is not joined, the last line counts, as in a map.
    for (let at = lines.length - 2; at >= 0; at -= 2) if (lines[at] === name) return lines[at + 1]!;
    return null;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  forEach(visit: (value: string, name: string) => void): void {
    const lines = this.#lines;
    if (lines === undefined) return this.#live!.forEach((value, name) => visit(value, name));
    for (let at = 0; at < lines.length; at += 2) visit(lines[at + 1]!, lines[at]!);
  }

  /** Takes the fields down, unless that is done: from now on, the app may change them. */
  takeDown(): void {
    if (this.#lines === undefined) this.#takeAll(this.#live!);
  }

  #takeAll(headers: Headers): void {
    this.#lines = [];
    this.#marked = undefined;
    this.#asked = 0;
    // An app's own `Headers` may call another breaker meanwhile.
    const outer = IncomingFields.#current;
    IncomingFields.#current = this;
    try {
      headers.forEach(IncomingFields.#visit);
    } finally {
      IncomingFields.#current = outer;
    }
  }

  /**
   * Takes the lines as they came. Node's own middleware may have changed what its server has made of
   * them, which a handler may see: reports whether both say the same.
   */
  #takeRaw({ rawHeaders, headers }: Incoming): boolean {
    this.#lines = [];
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const known = knownName(rawHeaders[at]!);
      const value = rawHeaders[at + 1]!;
      // Those of HTTP/2 that begin with a colon are no fields.
      if (headers[known.name] !== value || known.name.startsWith(":")) return false;
      this.#add(known, value);
    }
    let count = 0;
    for (const _name in headers) count += 2;
    return count === rawHeaders.length;
  }

  #add({ name, isMarked, bit }: KnownName, value: string): void {
    this.#lines!.push(name, value);
    this.#asked |= bit;
    if (isMarked) (this.#marked ??= []).push(name);
  }

  static readonly #visit = (value: string, name: string): void => {
    IncomingFields.#current!.#add(knownName(name), value);
  };
}

/** Headers, or what a test puts in their place. */
function headersOf({ headers }: Request): Headers {
  return typeof headers.forEach === "function" ? headers : new Headers(headers);
}

/** The fields that the rules ask for by name, for each request or nearly so, and a bit for each. */
const ASKED: ReadonlyMap<string, number> = new Map(
  [
    "authorization",
    "cache-control",
    "content-length",
    "cookie",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "range",
    "transfer-encoding",
    "upgrade",
  ].map((name, index) => [name, 1 << index]),
);

/** What is known of a name, however it is written. */
interface KnownName {
  /** In lower case. */
  readonly name: string;
  readonly isMarked: boolean;
  readonly bit: number;
}

/** The names that came lately. Clients choose names, so neither number nor length is theirs. */
const knownNames = new Map<string, KnownName>();
const MAX_NAMES = 512;
const MAX_NAME_LENGTH = 128;

function knownName(written: string): KnownName {
  const known = knownNames.get(written);
  if (known !== undefined) return known;
  const name = written.toLowerCase();
  const role = fieldRole(name);
  const isMarked = role !== "plain" && role !== "host";
  const made = { name, isMarked, bit: ASKED.get(name) ?? 0 };
  if (name.length > MAX_NAME_LENGTH) return made;
  if (knownNames.size >= MAX_NAMES) knownNames.clear();
  knownNames.set(written, made);
  return made;
}

const NONE: readonly string[] = [];
