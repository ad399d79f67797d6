/** Arguments of `fetch` other than URL, method, fields and body that can change the answer (K6). */

/**
 * Members of `init` that change no answer, or that the rules read elsewhere. Clients such as ofetch
 * leave their limits, retries and hooks there.
 */
const IGNORED =
  /^(body|cache|duplex|headers|integrity|keepalive|method|on[A-Z]\w*|priority|retry\w*|signal|timeout|window)$/;

/** The values that mean the same as a missing member. */
const DEFAULTS: ReadonlyMap<unknown, unknown> = new Map([
  ["credentials", "same-origin"],
  ["encodeResponseBody", "automatic"],
  ["mode", "cors"],
  ["redirect", "follow"],
  ["referrer", "about:client"],
  ["referrerPolicy", ""],
]);

/** Objects that are connections, or describe one: Deno's, Node's, and three of Bun's. */
const BY_IDENTITY: ReadonlySet<unknown> = new Set([
  "client",
  "dispatcher",
  "proxy",
  "tls",
  "unix",
]);

/** Other members that a global `fetch` reads: that of Workers, Bun, or Next. */
const OF_HOSTS: ReadonlySet<string> = new Set(["cf", "decompress", "fetcher", "next", "s3"]);

/** Those that a `Request` shows, too, with the same default on every runtime. */
const OF_REQUESTS = ["cf", "redirect"];

/**
 * Returns the other arguments of `fetch` as a part of the key: "" if there are none that count, null
 * if they cannot be compared.
 *
 * @param init An object of our own, without inherited members.
 * @param request The input, if that is a request: it counts where `init` lacks the member.
 * @param rest Further arguments of a `fetch` of the app's own; undefined for the global one.
 */
export function initMembers(
  init: object | undefined,
  request: object | undefined,
  rest: readonly unknown[] | undefined,
): string | null {
  if (init === undefined && request === undefined && !rest?.length) return "";
  // Nothing else of the request in `fetch(url, request)` is read.
  const isRequest = typeof memberOf(init, "clone") === "function";
  let members: unknown[] | undefined;
  try {
    for (const name in isRequest ? undefined : init) {
      // Memory has to answer, whatever mode goes with that (F4).
      if (name === "mode" && memberOf(init, "cache") === "only-if-cached") continue;
      const isRead = rest === undefined ? isReadByGlobal(name) : !IGNORED.test(name);
      if (isRead) members = added(members, name, memberOf(init, name));
    }
    if (isRequest || request !== undefined) {
      for (const name of OF_REQUESTS) {
        members = added(members, name, memberOf(init, name) ?? readable(request, name));
      }
    }
    for (let index = 0; rest !== undefined && index < rest.length; index++) {
      members = added(members, index, rest[index]);
    }
    return members === undefined ? "" : JSON.stringify(members);
  } catch {
    return null;
  }
}

function isReadByGlobal(name: string): boolean {
  return DEFAULTS.has(name) || BY_IDENTITY.has(name) || OF_HOSTS.has(name);
}

function memberOf(owner: object | undefined, name: string): unknown {
  return (owner as Readonly<Record<string, unknown>> | undefined)?.[name];
}

/** Reads a member of a request; undefined if that throws, as Workers do for some of the standard. */
export function readable(request: object | undefined, name: string): unknown {
  try {
    return memberOf(request, name);
  } catch {
    return undefined;
  }
}

/**
 * Adds a member unless it has its default value: its name, and its value as a number or a text.
 *
 * @throws If it cannot be compared.
 */
function added(
  members: unknown[] | undefined,
  name: string | number,
  given: unknown,
): unknown[] | undefined {
  if (given === undefined || given === DEFAULTS.get(name)) return members;
  const value = name === "cf" ? withoutIncoming(given) : given;
  if (value === undefined) return members;
  const isByIdentity = isObject(value) && name !== "cf" &&
    (BY_IDENTITY.has(name) || !isPlain(value));
  const shown = isByIdentity ? numberOf(value) : JSON.stringify(value, asItIs);
  return [...members ?? [], name, shown];
}

// ---- By identity ----

const numbers = new WeakMap<object, number>();
let count = 0;

/** Returns the number of an object or a function, the same each time. */
function numberOf(thing: object): number {
  let number = numbers.get(thing);
  if (number === undefined) numbers.set(thing, number = ++count);
  return number;
}

// ---- By value ----

/** A replacer for JSON that throws for what JSON would lose or alter. */
function asItIs(this: unknown, name: string, value: unknown): unknown {
  const isKept = value === null || typeof value === "string" || typeof value === "boolean" ||
    (typeof value === "number" ? Number.isFinite(value) : isPlain(value)) ||
    // JSON leaves out a member that is undefined, which is right, but turns an element into null.
    (value === undefined && !Array.isArray(this));
  // A `toJSON` shows another value.
  if (!isKept || value !== memberOf(this as object, name)) throw new TypeError();
  return value;
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** Reports whether `value` is an array, or an object without a class, of whatever realm. */
function isPlain(value: unknown): boolean {
  if (!isObject(value)) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.hasOwn(prototype as object, "isPrototypeOf");
}

// ---- The `cf` of Workers ----

/**
 * What Workers put into `cf` about the client of an incoming request. Where an app passes it on to
 * `fetch`, each client would get a copy of its own. No option has such a name.
 */
const INCOMING =
  /^(as(n|Organization)|botManagement|city|colo|continent|country|hostMetadata|httpProtocol|isEUCountry|latitude|longitude|metroCode|postalCode|region(Code)?|timezone|verifiedBotCategory|(client|edge|request|tls)[A-Z]\w*)$/;

/** Returns the options in a `cf`; undefined if there are none. */
function withoutIncoming(cf: unknown): unknown {
  if (!isPlain(cf) || Array.isArray(cf)) return cf;
  const options = Object.entries(cf as object).filter(([name]) => !INCOMING.test(name));
  return options.length === 0 ? undefined : Object.fromEntries(options);
}
