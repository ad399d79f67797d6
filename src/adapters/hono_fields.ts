/**
 * Fields that middleware further out in a Hono chain has set for one request: they are neither kept
 * for others nor lost when a kept response is served.
 */

import { asFetched } from "../breaker.ts";
import { asRefusal, isRefusal } from "../errors.ts";
import { membersOf } from "../http/fields.ts";
import { answerField, hasFields } from "../http/raw_answer.ts";
import { decodesFetched, dropsCodingOfFetched } from "../runtime.ts";
import type { HonoContextLike } from "./hono_context.ts";

/** Fields set for this very request, by the way in which they were set. */
export interface OuterFields {
  /** Set by `c.header`: the answer's own fields win over them. */
  readonly defaults: Headers;
  /** Set on `c.res`: they win over the answer's own. */
  readonly overrides: Headers;
}

/**
 * Takes the fields out of the context, so that the answer comes back with its own alone: Hono lets
 * the outer ones win, which could hide that an answer varies or is private. `c.res` is not read if
 * there are none: reading it makes a response, into which Hono then merges every handler's.
 */
export function takeOuterFields(c: HonoContextLike): OuterFields | undefined {
  if (hasNone(c)) return undefined;
  const overrides = new Headers((c.res as Response).headers);
  // Reading the response has made one.
  c.res = undefined;
  c.finalized = false;
  const defaults = new Headers(fieldsSoFar(c));
  // Content-Type goes with the body; Hono does not merge it either.
  defaults.delete("content-type");
  overrides.delete("content-type");
  for (const [name, value] of defaults) if (overrides.get(name) === value) overrides.delete(name);
  return isEmpty(defaults) && isEmpty(overrides) ? undefined : { defaults, overrides };
}

/**
 * Looks at the fields and leaves them where they are: where nothing is kept, an answer of the chain
 * passes with whatever Hono makes of them.
 */
export function outerFields(c: HonoContextLike): OuterFields | undefined {
  if (hasNone(c)) return undefined;
  const defaults = new Headers(fieldsSoFar(c));
  defaults.delete("content-type");
  const overrides = new Headers();
  if (!newResponseHasAll(c)) {
    for (const [name, value] of (c.res as Response).headers) {
      if (name !== "content-type") overrides.append(name, value);
    }
    // Reading the response has made one, unless it had fields.
    if (isEmpty(overrides)) {
      c.res = undefined;
      c.finalized = false;
    }
  }
  return isEmpty(defaults) && isEmpty(overrides) ? undefined : { defaults, overrides };
}

function hasNone(c: HonoContextLike): boolean {
  return c.finalized || (newResponseHasAll(c) && isEmpty(fieldsSoFar(c)));
}

/** The fields of a response that is made now. */
function fieldsSoFar(c: HonoContextLike): Headers {
  return c.newResponse(null, { status: 200 }).headers;
}

/** By class of context, as an app may have several versions of Hono. */
const hasAllByClass = new WeakMap<object, boolean>();

/**
 * Reports if a response that is made now has the fields set on `c.res`, too; not in the oldest Hono
 * 4.
 */
function newResponseHasAll(c: HonoContextLike): boolean {
  const { constructor } = c;
  if (typeof constructor !== "function") return false;
  const before = hasAllByClass.get(constructor);
  if (before !== undefined) return before;
  let hasAll = false;
  try {
    const trial = Reflect.construct(constructor, [c.req.raw]) as HonoContextLike;
    (trial.res as Response).headers.set("x-trial", "1");
    hasAll = fieldsSoFar(trial).has("x-trial");
  } catch {
    // Whatever this context is, its fields are read from `c.res`.
  }
  hasAllByClass.set(constructor, hasAll);
  return hasAll;
}

/** By `forEach`, as an iterator takes Deno 0.3 µs, four times as long as all of this. */
function isEmpty(headers: Headers): boolean {
  let isEmpty = true;
  headers.forEach(() => isEmpty = false);
  return isEmpty;
}

/** Restores the context for what Hono makes of an error. */
export function restoreContext(c: HonoContextLike, outer: OuterFields | undefined): void {
  c.res = undefined;
  if (outer !== undefined) c.res = withOuterFields(new Response(null), outer);
  c.finalized = false;
}

/**
 * The answer as it may be kept for everyone: without the fields set for this client. Fields that
 * forbid keeping it, or say for whom it is, stay, wherever they were set.
 */
export function withoutOuterFields(response: Response, outer: OuterFields | undefined): Response {
  const isCoded = hasFields(response) && answerField(response, "content-encoding") !== null &&
    response.url === "";
  if ((outer === undefined && !isCoded) || !isRebuildable(response)) return response;
  const vary = response.headers.get("vary");
  // Older versions of Hono's `compress` do not set it.
  const coding = isCoded ? ["Accept-Encoding"] : [];
  if (outer === undefined && missingIn(vary, coding).length === 0) return response;
  // It is not kept anyway, and must not look as if it could be (S14).
  if (isForeign(response)) return response;
  const own = outer === undefined ? rebuilt(response) : merged(response, outer);
  if (own === response) return response;
  const outerVary: string[] = [];
  for (const fields of [outer?.defaults, outer?.overrides]) {
    for (const [name, value] of fields ?? []) {
      if (!DECISIVE.has(name) && own.headers.get(name) === value) own.headers.delete(name);
    }
    outerVary.push(...membersOf(fields?.get("vary")));
  }
  setVary(own.headers, vary, [...outerVary, ...coding]);
  const cacheControl = response.headers.get("cache-control");
  // Middleware further out may permit to its client what the handler forbids, but not to all others.
  const isHidden = cacheControl !== null && cacheControl !== own.headers.get("cache-control");
  if (isHidden && FORBIDS.test(cacheControl)) {
    own.headers.append("cache-control", cacheControl);
  }
  return own;
}

const DECISIVE: ReadonlySet<string> = new Set(["cache-control", "set-cookie", "vary"]);
const FORBIDS = /private|no-store|no-cache/i;

/** Reading these takes long on Node, so it is done only for responses that would be rebuilt. */
function isForeign({ redirected, type }: Response): boolean {
  return redirected === true || type === "error" || type === "opaque" || type === "opaqueredirect";
}

/** The answer for this client: with the fields set for them. */
export function withOuterFields(response: Response, outer: OuterFields | undefined): Response {
  if (outer === undefined) return response;
  const whole = merged(response, outer);
  // Deno has decoded it, but sends that without the coding only of what its `fetch` has made.
  if (whole !== response && whole.type !== "default" && dropsCodingOfFetched()) {
    const { headers } = whole;
    if (decodesFetched(headers.get("content-encoding") ?? "")) {
      headers.delete("content-encoding");
      headers.delete("content-length");
    }
  }
  return whole;
}

function merged(response: Response, outer: OuterFields): Response {
  const whole = rebuilt(response);
  if (whole === response) return response;
  const { headers } = whole;
  for (const fields of [outer.defaults, outer.overrides]) {
    for (const [name, value] of fields) {
      if (name === "set-cookie") {
        if (!headers.getSetCookie().includes(value)) headers.append(name, value);
      } else if (name === "vary") setVary(headers, headers.get(name), membersOf(value));
      else if (fields === outer.overrides || !headers.has(name)) headers.set(name, value);
    }
  }
  return whole;
}

/** Sets Vary as it was, with those of the names that it lacks behind it. */
function setVary(headers: Headers, vary: string | null, names: readonly string[]): void {
  const all = [...vary === null ? [] : [vary], ...missingIn(vary, names)];
  if (all.length === 0) headers.delete("vary");
  else headers.set("vary", all.join(", "));
}

/** The names that a Vary lacks; none if it says `*`. */
function missingIn(vary: string | null, names: readonly string[]): readonly string[] {
  const known = new Set(membersOf(vary).map((name) => name.toLowerCase()));
  return known.has("*") ? [] : names.filter((name) => {
    const isKnown = known.has(name.toLowerCase());
    known.add(name.toLowerCase());
    return !isKnown;
  });
}

/**
 * The same response with fields that can be changed; the response itself if it must be left as it is
 * or cannot be rebuilt.
 */
function rebuilt(response: Response): Response {
  if (!isRebuildable(response)) return response;
  try {
    const { url, type, redirected } = response;
    const own = asFetched(new Response(response.body, response), { url, type, redirected });
    return isRefusal(response) ? asRefusal(own) : own;
  } catch {
    return response;
  }
}

/**
 * No constructor takes other statuses and reasons (H8), and Deno's has taken the body when it throws.
 * What Hono's server for Node has sent already is only passed on, and so is a mock without fields.
 */
function isRebuildable({ status, statusText, headers }: Response): boolean {
  return typeof headers?.has === "function" && status >= 200 && status <= 599 &&
    /^[\t -\xff]*$/.test(statusText) &&
    !headers.has("x-hono-already-sent");
}
