import type { Fields } from "../../http/fields.ts";
import { fieldRole } from "./field_role.ts";
import { targetIn } from "./forwarded.ts";

/** What the visitors below have found: a closure of each request's own would be garbage. */
let found: string[] | undefined;
let findsHost = false;

/**
 * Returns the fields that belong to the key always, as name, value, name, value, sorted by name;
 * undefined if there are none (K3).
 *
 * Origins like to reflect them in their responses although no cache has them in its key: with one of
 * these, a single request could poison a page for all others, for the whole outage.
 *
 * @param isOutgoing True for a request to `fetch`, where `host` may name another than the URL; in a
 * request that came in, both are the same (K1).
 */
export function reflectedFields(
  headers: Fields,
  isOutgoing = false,
): readonly string[] | undefined {
  found = undefined;
  findsHost = isOutgoing;
  visitEach(headers, visitReflected);
  return found === undefined ? undefined : namesAndValues(found, headers);
}

/** Visits all fields, or those that matter where these are known. */
function visitEach(headers: Fields, visit: (value: string, name: string) => void): void {
  const { marked } = headers;
  if (marked === undefined) return headers.forEach(visit);
  for (const name of marked) visit(headers.get(name) ?? "", name);
  if (findsHost && headers.has("host")) visit("", "host");
}

function namesAndValues(names: string[], headers: Fields): readonly string[] | undefined {
  const parts: string[] = [];
  for (const name of names.sort()) {
    const value = targetIn(name, headers.get(name) ?? "");
    if (value !== undefined) parts.push(name, value);
  }
  return parts.length === 0 ? undefined : parts;
}

function visitReflected(_value: string, name: string): void {
  const role = fieldRole(name);
  if (role === "routing" || (findsHost && role === "host")) (found ??= []).push(name);
}

const NO_NAMES: readonly string[] = [];

/** Returns the names of the fields that say who asks, other than Authorization and Cookie (S8b). */
export function identityFields(headers: Fields): readonly string[] {
  found = undefined;
  findsHost = false;
  visitEach(headers, visitIdentity);
  return found ?? NO_NAMES;
}

function visitIdentity(value: string, name: string): void {
  const role = fieldRole(name);
  if (role === "identity" || (role === "certificate" && !NO_CERTIFICATE.test(value))) {
    (found ??= []).push(name);
  }
}

const NO_CERTIFICATE = /^(?:|none|false|client_cert_not_provided)$/i;
