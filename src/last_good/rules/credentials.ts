import { parseSeconds } from "../../http/dates.ts";
import type { NotKeptReason } from "../../observe/events.ts";
import type { RequestHead } from "../request_head.ts";
import type { Exchange, Obstacle } from "./exchange.ts";
import { identityFields } from "./field_names.ts";

/** Reports whether a request says who asks, in whatever way: Authorization, its URL, Cookie, S8b (F8). */
export function hasCredentials({ headers, hasUserInfo }: RequestHead): boolean {
  return hasUserInfo || headers.has("authorization") || headers.has("cookie") ||
    identityFields(headers).length > 0;
}

/**
 * Says why the response to a request with credentials may not be kept for others; returns undefined
 * if it may, or if the request has none.
 */
export function credentialsRefusal(exchange: Exchange): NotKeptReason | undefined {
  const { headers, hasUserInfo } = exchange.request;
  if (!isForAuthorized(exchange) && !isLiftedForOwner(exchange, "authorization")) {
    if (hasUserInfo || headers.has("authorization")) return "authorization";
    if (!isForEachNamed(exchange)) return "identity";
  }
  if (
    headers.has("cookie") && !isForCookies(exchange) && !isLiftedForOwner(exchange, "cookie")
  ) return "cookie";
  return undefined;
}

/**
 * Only these directives let a shared cache keep it despite Authorization: RFC 9111 §3.5. Two of them
 * do so because they forbid stale reuse, which `ignore` permits again (S8).
 */
function isForAuthorized(exchange: Exchange): boolean {
  const { responseDirectives, policy } = exchange;
  if (responseDirectives === undefined || responseDirectives.size === 0) return false;
  return isPublic(exchange) || (!policy.ignore.has("must-revalidate") &&
    (responseDirectives.get("must-revalidate") === "" ||
      parseSeconds(responseDirectives.get("s-maxage") ?? "") !== undefined));
}

/** Reports whether the response says `public`. With an argument, nobody knows what it means (S8). */
function isPublic({ responseDirectives }: Exchange): boolean {
  return responseDirectives?.get("public") === "";
}

/** Reports whether the response has a variant for each field that says who asks (S8b). */
function isForEachNamed({ request, vary }: Exchange): boolean {
  return identityFields(request.headers).every((name) => vary?.includes(name) === true);
}

/** A cookie may have changed the response, unless the origin says otherwise (S9). */
function isForCookies(exchange: Exchange): boolean {
  return isPublic(exchange) || exchange.vary?.includes("cookie") === true;
}

/**
 * Reports whether an obstacle is lifted: by the option `ignore`, or because the response is kept for
 * its owner alone.
 */
export function isLiftedForOwner({ partitioned, policy }: Exchange, obstacle: Obstacle): boolean {
  return partitioned || policy.ignore.has(obstacle);
}
