/** The arguments of `fetch`, read once: what an app changes later changes nothing (promise 28). */

/**
 * Returns `init` as an object of our own, with all that `fetch` would find in it.
 *
 * @param input What is to be called later, after an `await`: the fields of a Request can change.
 */
export function ownInit(
  init: RequestInit | null | undefined,
  input: string | Request | undefined,
): RequestInit | undefined {
  if (typeof input === "object" && init?.headers === undefined) {
    return { ...ownInit(init, undefined), headers: new Headers(input.headers) };
  }
  if (init === undefined || init === null) return undefined;
  const own: RequestInit = isPlain(init) ? { ...init } : allMembers(init);
  const { headers } = own;
  if (typeof headers === "object" && headers !== null) own.headers = ownHeaders(headers);
  return own;
}

function isPlain(init: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(init);
  return prototype === Object.prototype || prototype === null;
}

/** Copies what an object has and inherits, getters of its class included: a Request, for example. */
function allMembers(init: object): RequestInit {
  const own: Record<string, unknown> = { ...init };
  const given = init as Readonly<Record<string, unknown>>;
  for (let level = init; level !== null; level = Object.getPrototypeOf(level)) {
    for (const name of Object.getOwnPropertyNames(level)) {
      // What every object has says nothing.
      if (name in own) continue;
      const value = given[name];
      if (value !== undefined) own[name] = value;
    }
  }
  return own;
}

/** Keeps the form: in a plain object or a list, names keep their case on Node. */
function ownHeaders(headers: HeadersInit): HeadersInit {
  if (typeof (headers as Partial<Headers>).append === "function") return new Headers(headers);
  if (!(Symbol.iterator in headers)) return { ...headers as Record<string, string> };
  return Array.from(
    headers as Iterable<[string, string]>,
    (field) => Array.isArray(field) ? [...field] as [string, string] : field,
  );
}
