/**
 * Fields that middleware further out in a Hono chain has set for one request: they are neither kept
 * for others nor lost when a kept response is served.
 */

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
  if (c.finalized || (newResponseHasAll(c) && isEmpty(fieldsSoFar(c)))) return undefined;
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

/** The fields of a response that is made now. */
function fieldsSoFar(c: HonoContextLike): Headers {
  return c.newResponse(null, { status: 200 }).headers;
}

/** By class of context, as an app may have several versions of Hono. */
const hasAllByClass = new WeakMap<object, boolean>();

/** Reports if a response that is made now has the fields set on `c.res`, too; not in the oldest Hono 4. */
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

function isEmpty(headers: Headers): boolean {
  for (const _ of headers) return false;
  return true;
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
  const isCoded = response.headers.has("content-encoding") && response.url === "";
  if ((outer === undefined && !isCoded) || !isRebuildable(response)) return response;
  const own = outer === undefined
    ? new Response(response.body, response)
    : withOuterFields(response, outer);
  own.headers.delete("vary");
  addVary(own.headers, namesIn(response.headers));
  for (const fields of [outer?.defaults, outer?.overrides]) {
    for (const [name, value] of fields ?? []) {
      if (!DECISIVE.has(name) && own.headers.get(name) === value) own.headers.delete(name);
    }
    // Who may see an answer (CORS) is decided anew for each request.
    addVary(own.headers, namesIn(fields).filter((name) => name !== "origin"));
  }
  // Hono's `compress` has not always said so.
  if (isCoded) addVary(own.headers, ["accept-encoding"]);
  return own;
}

const DECISIVE: ReadonlySet<string> = new Set(["cache-control", "set-cookie", "vary"]);

/** The answer for this client: with the fields set for them. */
export function withOuterFields(response: Response, outer: OuterFields | undefined): Response {
  if (outer === undefined || !isRebuildable(response)) return response;
  const whole = new Response(response.body, response);
  const { headers } = whole;
  for (const fields of [outer.defaults, outer.overrides]) {
    for (const [name, value] of fields) {
      if (name === "set-cookie") {
        if (!headers.getSetCookie().includes(value)) headers.append(name, value);
      } else if (name === "vary") addVary(headers, namesIn(fields));
      else if (fields === outer.overrides || !headers.has(name)) headers.set(name, value);
    }
  }
  return whole;
}

function addVary(headers: Headers, names: readonly string[]): void {
  const known = namesIn(headers);
  const missing = names.filter((name) => !known.includes(name));
  if (missing.length > 0) headers.append("vary", missing.join(", "));
}

/** The names in Vary, in lower case. */
function namesIn(headers: Headers | undefined): string[] {
  return (headers?.get("vary") ?? "").toLowerCase().split(",").map((name) => name.trim())
    .filter((name) => name !== "");
}

/** Other statuses cannot be constructed: such an answer is only passed on (H8). */
function isRebuildable({ status }: Response): boolean {
  return status >= 200 && status <= 599;
}
