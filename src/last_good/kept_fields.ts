/** Which fields of a response are kept, and which of those describe its body. */

import { type FieldMap, membersOf } from "../http/fields.ts";

/** The fields of a kept response, by name in lower case. */
export type KeptFields = Readonly<Record<string, string>>;

/**
 * Meant for the next hop only: RFC 9110 §7.6.1 (H1). Or computed for each answer, or for one
 * client.
 */
const NOT_KEPT =
  /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|age|content-length|set-cookie2?)$/;

/** True when the page was made, and harmful an hour later (H9). */
const OF_ONE_MOMENT = /* @__PURE__ */ new RegExp(
  [
    "^(?:accept-ranges|authentication-info|clear-site-data|refresh|server-timing)$",
    "^(?:set-login|secure-session-.*)$",
    "(?:^|-)(?:rate-?limit|retry-after|nonce$|[cx]srf-?token$)",
  ].join("|"),
);

/** Returns the fields of a response that are kept. */
export function keptFields(fields: FieldMap): Record<string, string> {
  const connection = fields.get("connection");
  const listed = connection === null ? undefined : new Set(membersOf(connection.toLowerCase()));
  // Without a prototype, a field named __proto__ is like any other.
  const kept: Record<string, string> = Object.create(null);
  for (const [name, value] of fields.all) {
    const isLeftOut = NOT_KEPT.test(name) || OF_ONE_MOMENT.test(name) || listed?.has(name);
    if (!isLeftOut) kept[name] = value;
  }
  return kept;
}

/** Never dropped: without these, an answer cannot be read, or its age cannot be known. */
const NEEDED: ReadonlySet<string> = new Set(["content-encoding", "content-type", "date"]);

/** The rules read these: they are kept even if the owner drops them, and left out of each answer. */
const RULED: readonly string[] = ["cache-control", "expires", "last-modified", "vary"];

/** Leaves out what the owner wants dropped, by names in lower case, but for what the rules need. */
export function withoutDropped<H extends { readonly fields: KeptFields }>(
  head: H,
  dropped: ReadonlySet<string>,
): H {
  if (dropped.size === 0) return head;
  const fields: Record<string, string> = Object.create(null);
  for (const name in head.fields) {
    const stays = !dropped.has(name) || NEEDED.has(name) || RULED.includes(name);
    if (stays) fields[name] = head.fields[name]!;
  }
  return { ...head, fields };
}

/** Takes out of an answer what is dropped although the rules need it. */
export function dropRuled(headers: Record<string, string>, dropped: ReadonlySet<string>): void {
  if (dropped.size === 0) return;
  for (const name of RULED) if (dropped.has(name)) delete headers[name];
  // Alone, it could promise more than Cache-Control did (H10).
  if (dropped.has("cache-control")) delete headers["expires"];
}

/** Fields about the bytes of a body as they were sent, under the coding that they had (H4). */
const OF_BYTES =
  /^(?:content-encoding|content-md5|(?:content-|repr-)?digest|signature.*|x-amz-checksum-.*|x-goog-hash)$/;

/** Returns the fields of a body that was decoded on its way here. */
export function decodedFields(fields: KeptFields): Record<string, string> {
  const decoded: Record<string, string> = Object.create(null);
  for (const name in fields) if (!OF_BYTES.test(name)) decoded[name] = fields[name]!;
  return decoded;
}

/**
 * Returns the fields of a copy that a 304 has confirmed: those of the 304 take the place of the
 * copy's, but what describes the body describes the kept one (RFC 9111 §3.2).
 */
export function confirmedFields(kept: KeptFields, confirming: KeptFields): Record<string, string> {
  const merged: Record<string, string> = Object.assign(Object.create(null), kept);
  for (const name in confirming) {
    const isOfBody = name === "content-type" || name === "etag" || OF_BYTES.test(name);
    if (!isOfBody) merged[name] = confirming[name]!;
  }
  return merged;
}
