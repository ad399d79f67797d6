import type { NotKeptReason } from "../events.ts";
import type { Ask } from "./ask.ts";
import {
  type Directives,
  mediaType,
  parseCacheControl,
  parseDate,
  parseSeconds,
  parseVary,
} from "./fields.ts";

/** What the option `ignore` can lift. */
export type Obstacle =
  | "no-store"
  | "no-cache"
  | "private"
  | "must-revalidate"
  | "set-cookie"
  | "cookie"
  | "authorization";

/** All words of {@link Obstacle}. */
export const OBSTACLES: readonly Obstacle[] = [
  "no-store",
  "no-cache",
  "private",
  "must-revalidate",
  "set-cookie",
  "cookie",
  "authorization",
];

/** What the owner of the app has decided about keeping. */
export interface KeepingPolicy {
  readonly statuses: ReadonlySet<number>;
  readonly ignore: ReadonlySet<string>;
}

/** A request and the head of its answer, as the rules see them. */
export interface Exchange {
  readonly ask: Ask;
  readonly response: Response;
  /** Whether it is known whose response it is. */
  readonly partitioned: boolean;
  readonly policy: KeepingPolicy;
  /** The request's Cache-Control; undefined if in doubt. */
  readonly wanted: Directives | undefined;
  /** The response's Cache-Control; undefined if in doubt. */
  readonly said: Directives | undefined;
  /** What the response varies on; undefined for everything, and if in doubt. */
  readonly vary: readonly string[] | undefined;
}

/** Reads the fields of an exchange once. */
export function exchange(
  ask: Ask,
  response: Response,
  partitioned: boolean,
  policy: KeepingPolicy,
): Exchange {
  return {
    ask,
    response,
    partitioned,
    policy,
    wanted: parseCacheControl(ask.headers.get("cache-control")),
    said: parseCacheControl(response.headers.get("cache-control")),
    vary: parseVary(response.headers.get("vary")),
  };
}

/** One rule: what stands in the way of keeping a response. */
interface Rule {
  readonly why: NotKeptReason;
  /** Whether it stands in the way of this one. */
  applies(exchange: Exchange): boolean;
  /** Whether the answer also removes an older one that is kept: never because of the request. */
  removes?(exchange: Exchange): boolean;
}

/** What the request says, in the order in which it is looked at. */
const REQUEST_RULES: readonly Rule[] = [
  { // S1: RFC 9111 §3. A HEAD has no body to keep.
    why: "method",
    applies: ({ ask }) => ask.method !== "GET",
  },
  { // S1: RFC 9110 §9.3.1. The body of a GET has no meaning that a key could hold.
    why: "request-body",
    applies: ({ ask }) => ask.hasBody,
  },
  { // S16
    why: "request-malformed",
    applies: ({ wanted }) => wanted === undefined,
  },
  { // S3: RFC 9111 §5.2.1.5
    why: "request-no-store",
    applies: ({ wanted, policy }) => has(wanted, "no-store") && !policy.ignore.has("no-store"),
  },
  { // S11: RFC 9111 §3.3. We keep no parts.
    why: "range",
    applies: ({ ask }) => ask.headers.has("range"),
  },
  { // S8: RFC 9111 §3.5
    why: "authorization",
    applies: (exchange) =>
      (exchange.ask.hasUserInfo || exchange.ask.headers.has("authorization")) &&
      !liftedForOwner(exchange, "authorization") &&
      !has(exchange.said, "public") && !has(exchange.said, "s-maxage") &&
      !has(exchange.said, "must-revalidate"),
  },
  { // S9: what a cookie may change, it may have changed here.
    why: "cookie",
    applies: (exchange) =>
      exchange.ask.headers.has("cookie") && !liftedForOwner(exchange, "cookie") &&
      !has(exchange.said, "public") && !exchange.vary?.includes("cookie"),
  },
];

/** What the response says, in the order in which it is looked at. */
const RESPONSE_RULES: readonly Rule[] = [
  { // S14: what came from elsewhere, or may not be looked into, is not this URL's.
    why: "opaque",
    applies: ({ response }) =>
      response.status === 0 || response.type === "error" || response.type === "opaque" ||
      response.type === "opaqueredirect",
  },
  { // S14
    why: "redirected",
    applies: ({ response }) => response.redirected === true,
  },
  { // S11: RFC 9111 §3.3
    why: "range",
    applies: ({ response }) =>
      response.status === 206 || response.headers.has("content-range") ||
      mediaType(response.headers.get("content-type")) === "multipart/byteranges",
  },
  { // S2; S17: what took the place of the page takes the place of the kept one.
    why: "status",
    applies: ({ response, policy }) => !policy.statuses.has(response.status),
    removes: ({ response: { status }, partitioned }) =>
      (status >= 200 && status < 400 && status !== 304) || status === 404 || status === 410 ||
      ((status === 401 || status === 403) && partitioned),
  },
  { // S16
    why: "malformed",
    applies: ({ said }) => said === undefined,
  },
  { // S3: RFC 9111 §5.2.2.5
    why: "no-store",
    applies: ({ said, policy }) => has(said, "no-store") && !policy.ignore.has("no-store"),
    removes: () => true,
  },
  { // S4: RFC 9111 §5.2.2.7, in any form
    why: "private",
    applies: (exchange) => has(exchange.said, "private") && !liftedForOwner(exchange, "private"),
    removes: () => true,
  },
  { // S5: RFC 9111 §5.2.2.4, in any form
    why: "no-cache",
    applies: ({ said, policy }) => has(said, "no-cache") && !policy.ignore.has("no-cache"),
    removes: () => true,
  },
  { // S16: ages that nobody can compute with
    why: "malformed",
    applies: ({ said, response: { headers } }) =>
      ["max-age", "s-maxage", "stale-if-error"].some((name) => !isSeconds(said?.get(name))) ||
      !isSeconds(headers.get("age") ?? undefined) || !isDate(headers.get("date")),
  },
  { // S7: nobody gets another one's cookie.
    why: "set-cookie",
    applies: ({ response, policy }) =>
      response.headers.has("set-cookie") && !policy.ignore.has("set-cookie"),
  },
  { // S10: RFC 9111 §4.1; S16
    why: "vary",
    applies: ({ vary }) => vary === undefined,
  },
  { // S13: they never end.
    why: "content-type",
    applies: ({ response }) => ENDLESS.has(mediaType(response.headers.get("content-type"))),
  },
];

const ENDLESS: ReadonlySet<string> = new Set([
  "text/event-stream",
  "multipart/x-mixed-replace",
  "application/x-ndjson",
]);

/** Why a response may not be kept, and whether it removes an older one. */
export interface Refusal {
  readonly why: NotKeptReason;
  readonly removes: boolean;
}

/** What stands in the way of keeping this response; undefined if nothing does. */
export function obstacle(exchange: Exchange): Refusal | undefined {
  for (const rule of REQUEST_RULES) {
    if (rule.applies(exchange)) return { why: rule.why, removes: false };
  }
  for (const rule of RESPONSE_RULES) {
    if (rule.applies(exchange)) {
      return { why: rule.why, removes: rule.removes?.(exchange) ?? false };
    }
  }
  return undefined;
}

function has(directives: Directives | undefined, name: string): boolean {
  return directives?.has(name) ?? false;
}

/** Lifted by the owner's word, or because it is known whose response it is. */
function liftedForOwner({ partitioned, policy }: Exchange, obstacle: Obstacle): boolean {
  return partitioned || policy.ignore.has(obstacle);
}

function isSeconds(value: string | undefined): boolean {
  return value === undefined || parseSeconds(value) !== undefined;
}

function isDate(value: string | null): boolean {
  return value === null || parseDate(value, 0) !== undefined;
}

/** How long a response is good for, as its origin says. */
export interface Freshness {
  /** Its freshness lifetime in ms (RFC 9111 §4.2.1); undefined if the origin names none. */
  readonly lifetimeMs: number | undefined;
  /** S6: whether it may be served only while it is fresh. */
  readonly onlyWhileFresh: boolean;
  /** RFC 5861 §4, in ms; undefined if the origin names none. */
  readonly staleIfErrorMs: number | undefined;
}

/** Reads how long a response is good for, for a shared cache (RFC 9111 §4.2.1). */
export function freshness({ said, response, policy }: Exchange, receivedAt: number): Freshness {
  const seconds = (name: string) => {
    const value = said?.get(name);
    return value === undefined ? undefined : parseSeconds(value);
  };
  const lifetime = seconds("s-maxage") ?? seconds("max-age");
  const staleIfError = seconds("stale-if-error");
  return {
    lifetimeMs: lifetime === undefined ? expiresIn(response.headers, receivedAt) : lifetime * 1_000,
    // S6: RFC 9111 §5.2.2.2, §5.2.2.8, §5.2.2.10
    onlyWhileFresh: !policy.ignore.has("must-revalidate") &&
      (has(said, "must-revalidate") || has(said, "proxy-revalidate") || has(said, "s-maxage")),
    staleIfErrorMs: staleIfError === undefined ? undefined : staleIfError * 1_000,
  };
}

/** RFC 9111 §5.3: a date that is none has passed. */
function expiresIn(headers: Headers, receivedAt: number): number | undefined {
  const expires = headers.get("expires");
  if (expires === null) return undefined;
  const date = headers.get("date");
  const from = date === null ? receivedAt : parseDate(date, receivedAt) ?? receivedAt;
  return Math.max(0, (parseDate(expires, receivedAt) ?? 0) - from);
}
