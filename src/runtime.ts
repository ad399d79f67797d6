/** Reports whether something is a Proxy, which the language itself does not show. */
export type ProxyTest = (it: unknown) => boolean;

/** The globals by which hosts differ. */
export interface HostGlobals {
  readonly navigator?: { readonly userAgent?: string };
  readonly process?: {
    readonly versions?: { readonly node?: string };
    readonly env?: Readonly<Record<string, string | undefined>>;
    getBuiltinModule?(
      name: "node:util",
    ): { readonly types: { readonly isProxy: ProxyTest } } | undefined;
  };
  readonly Deno?: {
    readonly env?: { get(name: string): string | undefined };
    readonly permissions?: {
      querySync?(permission: { name: "env"; variable: string }): { readonly state: string };
    };
  };
}

/** Reports if the host is the runtime of Cloudflare Workers, on every compatibility date. */
export function isWorkerd(host: object = globalThis): boolean {
  return "WebSocketPair" in host;
}

/**
 * Reports whether this is Workers and a body comes from the runtime, not from a stream that JavaScript
 * has made. Only such a one can be read there into a buffer that the reader brings.
 */
export function isNativeOnWorkers(body: ReadableStream): boolean {
  if (!("FixedLengthStream" in globalThis) || Object.hasOwn(body, "getReader")) return false;
  try {
    body.getReader({ mode: "byob" }).releaseLock();
    return true;
  } catch {
    return false;
  }
}

interface WithScheduler {
  readonly scheduler?: { wait?(ms: number): Promise<void> };
}

/** Waits for one turn of the event loop; only on Workers, by a timer that tests do not replace. */
export function nextTurn(): Promise<void> {
  const { scheduler } = globalThis as unknown as WithScheduler;
  return scheduler?.wait?.(0) ?? Promise.resolve();
}

/**
 * Reports if work goes on after the answer is sent without `waitUntil`: it does on Deno, Bun and
 * Node as servers; Cloudflare Workers and Vercel Edge stop it, function hosts freeze it, and so, we
 * assume, do hosts we do not know.
 *
 * Asked when work is about to start, never at import: reading `process` takes Deno 16 ms.
 */
export function outlivesAnswer(host: HostGlobals = globalThis as HostGlobals): boolean {
  // With nodejs_compat, Workers look like Node, so they come first.
  if (isWorkerd(host) || host.navigator?.userAgent === "Cloudflare-Workers") return false;
  if ("EdgeRuntime" in host) return false;
  const isServer = "Deno" in host || "Bun" in host || host.process?.versions?.node !== undefined;
  return isServer && !FREEZING.some(([name, start]) => variable(host, name)?.startsWith(start));
}

/**
 * The environment variables, and how their values begin, by which function hosts can be known: AWS
 * Lambda (and Vercel and Netlify on it), Google's Cloud Run and Cloud Functions. They freeze a
 * process, or nearly, from its answer until the next request.
 */
const FREEZING = [
  ["AWS_LAMBDA_FUNCTION_NAME", ""],
  ["LAMBDA_TASK_ROOT", ""],
  ["AWS_EXECUTION_ENV", "AWS_Lambda"],
  ["VERCEL", ""],
  ["K_SERVICE", ""],
  ["FUNCTION_TARGET", ""],
] as const;

/** Reads an environment variable; on Deno only if that is allowed, as it would ask the user. */
function variable({ Deno, process }: HostGlobals, name: string): string | undefined {
  if (Deno === undefined) return process?.env?.[name];
  const permission = Deno.permissions?.querySync?.({ name: "env", variable: name });
  return permission?.state === "granted" ? Deno.env?.get(name) : undefined;
}

/**
 * Reports if this body is best read into a buffer that the reader brings. Deno allocates 64 KiB for
 * each chunk of a fetched one otherwise, which costs more than everything else; other hosts are slower
 * that way or do not offer it. A body that has been cloned is no longer read from its connection, and
 * Deno 2.9 ends the process when one that is empty is read like this beside its clone.
 */
export function prefersByobReader(
  body: ReadableStream,
  host: HostGlobals = globalThis as HostGlobals,
): boolean {
  if (!("Deno" in host)) return false;
  connection ??= Object.getOwnPropertySymbols(body).find(({ description }) =>
    description === "[[resourceBacking]]"
  );
  return connection !== undefined &&
    (body as unknown as Record<symbol, unknown>)[connection] != null;
}

/** The member in which a stream of Deno holds what it is read from. */
let connection: symbol | undefined;

/**
 * Reports if only fetched bodies can be read into a buffer that the reader brings, but not those that
 * a response is constructed with.
 */
export function lacksByobBodies(host: HostGlobals = globalThis as HostGlobals): boolean {
  return "Deno" in host;
}

/**
 * Reports if a server sends a constructed response with whatever Content-Encoding it has. Deno's does,
 * but drops the field of a fetched one whose body it has decoded.
 */
export function dropsCodingOfFetched(host: HostGlobals = globalThis as HostGlobals): boolean {
  return "Deno" in host;
}

/**
 * Reports if the host's `fetch` decodes each body with this Content-Encoding; undefined if it may: that
 * of Bun and of Workers can be told not to, and others are not known.
 */
export function decodesFetched(
  field: string,
  host: HostGlobals = globalThis as HostGlobals,
): boolean | undefined {
  const coding = field.trim().toLowerCase();
  if ("Deno" in host) return coding === "gzip" || coding === "br";
  const isNode = !isWorkerd(host) && !("Bun" in host) && host.process?.versions?.node !== undefined;
  return isNode && DECODED_BY_NODE.has(coding) || undefined;
}

const DECODED_BY_NODE: ReadonlySet<string> = new Set(["gzip", "x-gzip", "deflate", "br"]);

/** Reports if a server adds a type to a text without one, but not to the bytes of the same text. */
export function hidesTypeOfText(host: HostGlobals = globalThis as HostGlobals): boolean {
  return "Bun" in host;
}

/** Reports if a response is made faster with `Headers` than with a record: Bun copies them as a whole. */
export function copiesHeaders(host: HostGlobals = globalThis as HostGlobals): boolean {
  return "Bun" in host;
}

/** Returns the test for a Proxy; undefined on hosts that have none, and on Node before 20.16. */
export function proxyTest(host: HostGlobals = globalThis as HostGlobals): ProxyTest | undefined {
  return host.process?.getBuiltinModule?.("node:util")?.types.isProxy;
}

/** Something that may be over in a moment. */
export interface Pending {
  /** True once it is over. */
  readonly isOver: boolean;
}

/**
 * How many microtasks {@link soon} waits for at most: enough for an answer that is made in place,
 * through a chain of handlers.
 */
const SOON = 16;

/**
 * Waits until `pending` is over, but only for a moment in which no timer fires and no I/O arrives.
 * What only a slow answer needs (a timer, the caller's signal) is made after that. What this saves
 * stands where it is used: at `Call`. `BodyCopy.bodySoon` does the same for a body.
 */
export async function soon(pending: Pending): Promise<void> {
  for (let turn = 0; turn < SOON && !pending.isOver; turn++) await undefined;
}

/**
 * Reports if this is what a server hands over with a request, so that the request has just arrived.
 * The servers of Deno and Bun, and Hono's for Node, each pass an object with members that nothing
 * else has.
 */
export function isFromServer(info: unknown): boolean {
  return typeof info === "object" && info !== null &&
    (("remoteAddr" in info && "completed" in info) || ("requestIP" in info && "upgrade" in info) ||
      ("incoming" in info && "outgoing" in info));
}

/**
 * The longest body, in bytes, that is better kept as text. Deno serves text of any length faster
 * than bytes; other hosts encode a long text anew each time.
 */
export function maxTextBytes(host: HostGlobals = globalThis as HostGlobals): number {
  return "Deno" in host ? Infinity : 16_384;
}
