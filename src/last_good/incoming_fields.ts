import type { Fields } from "../http/fields.ts";
import { rawFields } from "./raw_fields.ts";
import { fieldRole } from "./rules/field_role.ts";

/**
 * What is done with the fields of a request when it comes in:
 *
 * - `copy`: they are copied, because a handler will be called, which may change its request;
 * - `look`: their names are looked at, because it will likely be answered from memory;
 * - `leave`: nothing, because nothing is kept.
 */
export type FieldsUse = "copy" | "look" | "leave";

/**
 * The fields of a request that came in. A server that refuses reads the request's own and copies none:
 * for the dozen that browsers send, a copy and the reads take Deno and Node 3.5 µs. One look at all
 * names tells which fields have a role, and whether any of those is there that the rules about serving
 * read: the others need not be asked for.
 */
export class IncomingFields implements Fields {
  readonly #request: Request;
  #live: Headers | undefined;
  #copy: Map<string, string> | undefined;
  #isLookedAt = false;
  #host: string | null = null;
  #isRuled = false;
  #marked: string[] | undefined;

  /** The fields that are looked at now: closures of each request's own would be garbage. */
  static #current: IncomingFields;

  constructor(request: Request, use: FieldsUse) {
    this.#request = request;
    if (use === "leave") {
      this.#live = headersOf(request);
      return;
    }
    IncomingFields.#current = this;
    if (use === "copy") {
      this.#copy = new Map();
      this.#headers.forEach(IncomingFields.#lookAndCopy);
    } else if (!this.#looksAtRaw(rawFields(request))) {
      this.#headers.forEach(IncomingFields.#look);
    }
    this.#isLookedAt = true;
  }

  get #headers(): Headers {
    return this.#live ??= headersOf(this.#request);
  }

  /** Reports whether none of the raw lines but `Host` matters, so that nobody need parse them. */
  #looksAtRaw(raw: readonly string[] | undefined): boolean {
    if (raw === undefined) return false;
    let host: string | null = null;
    for (let at = 0; at < raw.length; at += 2) {
      const name = raw[at]!;
      if (isPlain(name)) continue;
      if (name.toLowerCase() !== "host" || host !== null) return false;
      host = raw[at + 1]!;
    }
    this.#host = host;
    return true;
  }

  /** The names of all that say who asks or what origins route by; undefined if nobody has looked. */
  get marked(): readonly string[] | undefined {
    return this.#isLookedAt ? this.#marked ?? NONE : undefined;
  }

  get(name: string): string | null {
    if (this.#copy !== undefined) return this.#copy.get(name) ?? null;
    if (this.#isLookedAt) {
      if (name === "host") return this.#host;
      if (!this.#isRuled && RULED.has(name)) return null;
    }
    return this.#headers.get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  forEach(visit: (value: string, name: string) => void): void {
    (this.#copy ?? this.#headers).forEach((value, name) => visit(value, name));
  }

  /** Copies the fields, unless that is done: from now on, the app may change them. */
  takeDown(): void {
    if (this.#copy !== undefined) return;
    const copy = this.#copy = new Map<string, string>();
    this.#headers.forEach((value, name) => copy.set(name, value));
  }

  static readonly #look = (value: string, name: string): void => {
    const fields = IncomingFields.#current;
    const role = fieldRole(name);
    if (role === "plain") fields.#isRuled ||= RULED.has(name);
    else if (role === "host") fields.#host = value;
    else (fields.#marked ??= []).push(name);
  };

  static readonly #lookAndCopy = (value: string, name: string): void => {
    IncomingFields.#current.#copy!.set(name, value);
    IncomingFields.#look(value, name);
  };
}

/** Headers, or what a test puts in their place. */
function headersOf({ headers }: Request): Headers {
  return typeof headers.forEach === "function" ? headers : new Headers(headers);
}

/** The fields that are read of each request before it is served from memory. */
const RULED: ReadonlySet<string> = new Set([
  "cache-control",
  "content-length",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-unmodified-since",
  "transfer-encoding",
  "upgrade",
]);

/** The names that came lately and do not matter, as they were written. Clients choose names. */
const plainNames = new Set<string>();
const MAX_NAMES = 512;

function isPlain(name: string): boolean {
  if (plainNames.has(name)) return true;
  const lower = name.toLowerCase();
  if (fieldRole(lower) !== "plain" || RULED.has(lower)) return false;
  if (plainNames.size >= MAX_NAMES) plainNames.clear();
  plainNames.add(name);
  return true;
}

const NONE: readonly string[] = [];
