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
  headers.forEach(visitReflected);
  return found === undefined ? undefined : namesAndValues(found, headers);
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
  headers.forEach(visitIdentity);
  return found ?? NO_NAMES;
}

function visitIdentity(value: string, name: string): void {
  const role = fieldRole(name);
  if (role === "identity" || (role === "certificate" && !NO_CERTIFICATE.test(value))) {
    (found ??= []).push(name);
  }
}

const NO_CERTIFICATE = /^(?:|none|false|client_cert_not_provided)$/i;

/** The other fields by which one kind of client differs from another (S8, S9, S17). */
const OF_ITS_KIND = ["authorization", "cookie", "user-agent", "accept", "accept-language"];

/**
 * Returns a number that two requests share only if they are of the same kind: equal in the fields of
 * K3, S8, S8b and S9, and in User-Agent, Accept and Accept-Language (S17).
 */
export function requestKind(headers: Fields): number {
  const names = [...identityFields(headers)].sort();
  return hash(JSON.stringify([
    reflectedFields(headers, true),
    names.map((name) => [name, headers.get(name)]),
    OF_ITS_KIND.map((name) => headers.get(name)),
  ]));
}

/** Different in each process, or a client could look for fields that make its kind another's. */
let seed: number | undefined;

/** Hashes a string to 53 bits. */
function hash(text: string): number {
  seed ??= Math.floor(Math.random() * 4_294_967_296);
  let high = seed ^ 0x9e3779b9;
  let low = seed ^ 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit, 0x5f356495);
    high ^= low >>> 15;
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return (high >>> 11) * 4_294_967_296 + (low >>> 0);
}
