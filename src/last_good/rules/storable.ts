import type { NotKeptReason } from "../../observe/events.ts";
import type { RequestHead } from "../request_head.ts";
import {
  type Directives,
  FieldMap,
  type Fields,
  mediaType,
  parseCacheControl,
  parseDate,
  parseSeconds,
  parseVary,
} from "../../http/fields.ts";

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
  readonly request: RequestHead;
  readonly response: Response;
  /** The fields of the response. */
  readonly fields: FieldMap;
  /** Whether it is known whose response it is. */
  readonly partitioned: boolean;
  readonly policy: KeepingPolicy;
  /** The request's Cache-Control; undefined if in doubt. */
  readonly requestDirectives: Directives | undefined;
  /** The response's Cache-Control; undefined if in doubt. */
  readonly responseDirectives: Directives | undefined;
  /** What the response varies on; undefined for everything, and if in doubt. */
  readonly vary: readonly string[] | undefined;
}

/** Reads the fields of an exchange once. */
export function exchange(
  request: RequestHead,
  response: Response,
  partitioned: boolean,
  policy: KeepingPolicy,
): Exchange {
  const fields = new FieldMap(response.headers);
  return {
    request,
    response,
    fields,
    partitioned,
    policy,
    requestDirectives: parseCacheControl(request.headers.get("cache-control")),
    responseDirectives: parseCacheControl(fields.get("cache-control")),
    vary: parseVary(fields.get("vary")),
  };
}

/** Why a response may not be kept, and whether it removes an older one. */
export interface KeepRefusal {
  readonly why: NotKeptReason;
  readonly dropsOld: boolean;
}

/** What stands in the way of keeping this response, by all fields; undefined if nothing does. */
export function obstacle(exchange: Exchange): KeepRefusal | undefined {
  const why = inRequest(exchange);
  // S17: no client may evict what all others rely on.
  return why === undefined ? inResponse(exchange) : keepOld(why);
}

/** What stands in the way in the request. */
function inRequest(exchange: Exchange): NotKeptReason | undefined {
  const { request, requestDirectives, responseDirectives, vary, policy } = exchange;
  const { headers } = request;
  // S1: RFC 9111 §3. A HEAD has no body to keep.
  if (request.method !== "GET") return "method";
  // S1: RFC 9110 §9.3.1. The body of a GET has no meaning that a key could hold.
  if (request.hasBody) return "request-body";
  // S16
  if (requestDirectives === undefined) return "request-malformed";
  // S3: RFC 9111 §5.2.1.5
  if (requestDirectives.has("no-store") && !policy.ignore.has("no-store")) {
    return "request-no-store";
  }
  // S11: RFC 9111 §3.3. We keep no parts.
  if (headers.has("range")) return "range";
  const isPublic = has(responseDirectives, "public");
  // S8: RFC 9111 §3.5
  if (
    (request.hasUserInfo || headers.has("authorization")) && !isPublic &&
    !has(responseDirectives, "s-maxage") && !has(responseDirectives, "must-revalidate") &&
    !isLiftedForOwner(exchange, "authorization")
  ) return "authorization";
  // S9: what a cookie may change, it may have changed here.
  if (
    headers.has("cookie") && !isPublic && !vary?.includes("cookie") &&
    !isLiftedForOwner(exchange, "cookie")
  ) return "cookie";
  return undefined;
}

/** What stands in the way in the response. */
function inResponse(exchange: Exchange): KeepRefusal | undefined {
  const { response, fields, responseDirectives, vary, policy, partitioned } = exchange;
  const { status } = response;
  // S14: what may not be looked into says nothing.
  if (status === 0) return keepOld("opaque");
  const kind = mediaType(fields.get("content-type"));
  // S11: RFC 9111 §3.3
  if (status === 206 || fields.has("content-range") || kind === "multipart/byteranges") {
    return keepOld("range");
  }
  // S2; S17: what took the place of the page takes the place of the kept one.
  if (!policy.statuses.has(status)) {
    const isPage = (status >= 200 && status < 400 && status !== 304) || status === 404 ||
      status === 410 || ((status === 401 || status === 403) && partitioned);
    return { why: "status", dropsOld: isPage };
  }
  // S16
  if (responseDirectives === undefined) return keepOld("malformed");
  if (responseDirectives.size > 0) {
    // S3: RFC 9111 §5.2.2.5
    if (responseDirectives.has("no-store") && !policy.ignore.has("no-store")) {
      return dropOld("no-store");
    }
    // S4: RFC 9111 §5.2.2.7, in any form
    if (responseDirectives.has("private") && !isLiftedForOwner(exchange, "private")) {
      return dropOld("private");
    }
    // S5: RFC 9111 §5.2.2.4, in any form
    if (responseDirectives.has("no-cache") && !policy.ignore.has("no-cache")) {
      return dropOld("no-cache");
    }
    // S16: ages that nobody can compute with
    if (AGES.some((name) => !isSeconds(responseDirectives.get(name)))) return keepOld("malformed");
  }
  // S16
  const date = fields.get("date");
  if (!isSeconds(fields.get("age") ?? undefined) || (date !== null && !isDate(date))) {
    return keepOld("malformed");
  }
  // S7: nobody gets another one's cookie.
  if (fields.has("set-cookie") && !policy.ignore.has("set-cookie")) return keepOld("set-cookie");
  // S10: RFC 9111 §4.1; S16
  if (vary === undefined) return keepOld("vary");
  // S13: they never end.
  if (ENDLESS.has(kind)) return keepOld("content-type");
  return undefined;
}

/**
 * S14: what came from elsewhere, or may not be looked into, is not this URL's. It is asked for last:
 * on Node, a server's own responses have to become real ones to answer, which takes longer than to
 * send them.
 */
export function foreignReason({ type, redirected }: Response): "opaque" | "redirected" | undefined {
  if (type === "error" || type === "opaque" || type === "opaqueredirect") return "opaque";
  return redirected === true ? "redirected" : undefined;
}

const AGES = ["max-age", "s-maxage", "stale-if-error"];

const ENDLESS: ReadonlySet<string> = new Set([
  "text/event-stream",
  "multipart/x-mixed-replace",
  "application/x-ndjson",
]);

/** The older one stays. */
function keepOld(why: NotKeptReason): KeepRefusal {
  return { why, dropsOld: false };
}

/** S17: the older one goes. */
function dropOld(why: NotKeptReason): KeepRefusal {
  return { why, dropsOld: true };
}

function has(directives: Directives | undefined, name: string): boolean {
  return directives?.has(name) ?? false;
}

/** Lifted by the owner's word, or because it is known whose response it is. */
function isLiftedForOwner({ partitioned, policy }: Exchange, obstacle: Obstacle): boolean {
  return partitioned || policy.ignore.has(obstacle);
}

function isSeconds(value: string | undefined): boolean {
  return value === undefined || parseSeconds(value) !== undefined;
}

function isDate(value: string): boolean {
  return parseDate(value, 0) !== undefined;
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
export function freshness(
  { responseDirectives, fields, policy }: Exchange,
  receivedAt: number,
): Freshness {
  const seconds = (name: string) => {
    const value = responseDirectives?.get(name);
    return value === undefined ? undefined : parseSeconds(value);
  };
  const lifetime = seconds("s-maxage") ?? seconds("max-age");
  const staleIfError = seconds("stale-if-error");
  return {
    lifetimeMs: lifetime === undefined ? expiresIn(fields, receivedAt) : lifetime * 1_000,
    // S6: RFC 9111 §5.2.2.2, §5.2.2.8, §5.2.2.10
    onlyWhileFresh: !policy.ignore.has("must-revalidate") &&
      (has(responseDirectives, "must-revalidate") || has(responseDirectives, "proxy-revalidate") ||
        has(responseDirectives, "s-maxage")),
    staleIfErrorMs: staleIfError === undefined ? undefined : staleIfError * 1_000,
  };
}

/** RFC 9111 §5.3: a date that is none has passed. */
function expiresIn(fields: Fields, receivedAt: number): number | undefined {
  const expires = fields.get("expires");
  if (expires === null) return undefined;
  const date = fields.get("date");
  const from = date === null ? receivedAt : parseDate(date, receivedAt) ?? receivedAt;
  return Math.max(0, (parseDate(expires, receivedAt) ?? 0) - from);
}
