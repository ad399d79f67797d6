import { type ProxyTest, proxyTest } from "../runtime.ts";

/** What servers for Node pass on of a request, before anybody makes `Headers` of it. */
export interface Incoming {
  readonly rawHeaders: readonly string[];
  readonly headers: Readonly<Record<string, unknown>>;
}

/** How requests of one class hold their fields. */
interface Layout {
  /** The member with the raw lines, and the one that has the `Headers` once somebody has read them. */
  readonly incoming: symbol;
  readonly headers: symbol;
  readonly isProxy: ProxyTest;
}

type Members = Readonly<Record<symbol, unknown>>;

/** By prototype; null for a class that has no such lines. */
const layouts = new WeakMap<object, Layout | null>();

/**
 * Returns what a request's `Headers` will be made of, so that they need not be made; undefined if that
 * is not to be had, or if anybody has read them, who may have changed them.
 *
 * Hono's server for Node makes `Headers` when all are asked for. For the dozen that browsers send, that
 * takes 2.9 µs, where this and taking them down take 0.5 µs.
 */
export function incomingOf(request: Request): Incoming | undefined {
  const prototype: object | null = Object.getPrototypeOf(request);
  if (prototype === Request.prototype || prototype === null) return undefined;
  let layout = layouts.get(prototype);
  if (layout === undefined) layouts.set(prototype, layout = layoutOf(request, prototype));
  if (layout === null) return undefined;
  // A middleware may put its own fields over what the server would make. To ask takes Node 14 ns.
  if (Object.hasOwn(request, "headers") || layout.isProxy(request)) return undefined;
  const { [layout.headers]: headers, [layout.incoming]: incoming } = request as unknown as Members;
  return headers === undefined && isIncoming(incoming) ? incoming : undefined;
}

function isIncoming(value: unknown): value is Incoming {
  const { rawHeaders, headers } = Object(value) as Partial<Incoming>;
  return Array.isArray(rawHeaders) && typeof headers === "object" && headers !== null;
}

/** Finds out by a trial request: only a class that makes its `Headers` of the lines is trusted. */
function layoutOf(request: Request, prototype: object): Layout | null {
  const members = request as unknown as Members;
  const incoming = Object.getOwnPropertySymbols(request).find((it) => isIncoming(members[it]));
  const isProxy = proxyTest();
  if (incoming === undefined || isProxy === undefined) return null;
  try {
    const value = { rawHeaders: ["X-Trial", "lines"], headers: { "x-trial": "others" } };
    const trial = Object.create(prototype, { [incoming]: { value } }) as Request;
    const { headers } = trial;
    const [made, ...others] = Reflect.ownKeys(trial).filter((it) => it !== incoming);
    const fields: string[] = [];
    headers.forEach((value, name) => fields.push(name, value));
    const isTrusted = typeof made === "symbol" && others.length === 0 &&
      (trial as unknown as Members)[made] === headers && fields.join() === "x-trial,lines";
    return isTrusted ? { incoming, headers: made, isProxy } : null;
  } catch {
    return null;
  }
}
