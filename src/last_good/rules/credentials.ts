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
  if (
    (hasUserInfo || headers.has("authorization")) && !isForAuthorized(exchange) &&
    !isLiftedForOwner(exchange, "authorization")
  ) return "authorization";
  if (
    headers.has("cookie") && !isForCookies(exchange) && !isLiftedForOwner(exchange, "cookie")
  ) return "cookie";
  return undefined;
}

/** Only these directives let a shared cache keep it despite Authorization: RFC 9111 §3.5 (S8). */
function isForAuthorized({ responseDirectives }: Exchange): boolean {
  return responseDirectives !== undefined &&
    (responseDirectives.has("public") || responseDirectives.has("s-maxage") ||
      responseDirectives.has("must-revalidate"));
}

/** A cookie may have changed the response, unless the origin says otherwise (S9). */
function isForCookies({ responseDirectives, vary }: Exchange): boolean {
  return responseDirectives?.has("public") === true || vary?.includes("cookie") === true;
}

/**
 * Reports whether an obstacle is lifted: by the option `ignore`, or because the response is kept for
 * its owner alone.
 */
export function isLiftedForOwner({ partitioned, policy }: Exchange, obstacle: Obstacle): boolean {
  return partitioned || policy.ignore.has(obstacle);
}
