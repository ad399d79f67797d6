/** The fields of an answer as a handler gave them, before anybody makes `Headers` of them. */

import { type ProxyTest, proxyTest } from "../runtime.ts";

/** How answers of one class hold what they were given. */
interface Layout {
  /** The member with it, which is gone once a real response has been made. */
  readonly given: symbol;
  /** Where in it the fields are, or the `Headers` once somebody has read them. */
  readonly at: number;
  readonly isProxy: ProxyTest;
}

type Members = Readonly<Record<symbol, readonly unknown[] | undefined>>;
type Fields = Readonly<Record<PropertyKey, unknown>>;

/** The prototype of the class whose layout has been looked for. */
let known: unknown;
let layout: Layout | undefined;

/**
 * Returns a field of an answer, null if it has none.
 *
 * Hono's server for Node makes `Headers` when they are asked for, and takes them apart again to send
 * them: without, a kept key's request costs a tenth less there.
 *
 * @param name In lower case; not `content-type`, which a server adds.
 */
export function answerField(response: Response, name: string): string | null {
  const fields = recordOf(response);
  const field = fields && fieldIn(fields, name);
  return field === undefined ? response.headers.get(name) : field;
}

/** Reports whether an answer has fields: a mock may have anything in their place. */
export function hasFields(response: Response): boolean {
  if (recordOf(response) !== undefined) return true;
  const { headers } = response;
  return typeof headers?.forEach === "function" && typeof headers.get === "function";
}

/** Undefined if `Headers` must tell: they join values, trim them, and refuse what is no string. */
function fieldIn(fields: Fields, name: string): string | null | undefined {
  let field = null;
  for (const key in fields) {
    if (key.length !== name.length || key.toLowerCase() !== name) continue;
    const value = fields[key];
    if (field !== null || typeof value !== "string" || value !== value.trim()) return undefined;
    field = value;
  }
  return field;
}

/** The record that an answer was given, if it is one and nobody has read its `Headers` yet. */
function recordOf(response: Response): Fields | undefined {
  const prototype: unknown = Object.getPrototypeOf(response);
  if (prototype !== known) {
    if (prototype !== Response.prototype) return undefined;
    known = prototype;
    layout = layoutNow();
  }
  if (layout === undefined) return undefined;
  const given = (response as unknown as Members)[layout.given];
  // Somebody may have put fields of their own over them.
  if (given === undefined || Object.hasOwn(response, "headers") || layout.isProxy(response)) {
    return undefined;
  }
  const fields = given[layout.at];
  if (fields === undefined) return NONE;
  const isRecord = fields !== null && Object.getPrototypeOf(fields) === Object.prototype &&
    !(Symbol.iterator in (fields as Fields));
  return isRecord ? fields as Fields : undefined;
}

const NONE: Fields = {};

/** Finds out by what reading the `Headers`, or the body, changes: only such a layout is trusted. */
function layoutNow(): Layout | undefined {
  const fields = { "x-probe": "1" };
  const probe = () => new Response("", { headers: fields }) as Response & Members;
  const [read, used] = [probe(), probe()];
  for (const given of Object.getOwnPropertySymbols(read)) {
    const members = read[given];
    const at = Array.isArray(members) ? members.indexOf(fields) : -1;
    if (at < 0) continue;
    const { headers } = read;
    void used.body;
    const isLive = headers === read[given]?.[at] && used[given] === undefined;
    const isProxy = proxyTest();
    return isLive && isProxy && ![...headers, ...new Response("").headers].some(isAdded)
      ? { given, at, isProxy }
      : undefined;
  }
  return undefined;
}

/** Reports whether a server has added this field to the probe's own. */
function isAdded([name]: [string, string]): boolean {
  return name !== "x-probe" && name !== "content-type";
}
