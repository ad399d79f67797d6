/**
 * Each case has two sides: handlers in the Worker, and a test in the runner outside, which is a real
 * client. So its file is loaded on both sides: in workerd only its routes count, in the runner only
 * its tests.
 */
import type { Answer, Connection } from "./client.ts";
import type { Origin } from "./origin.ts";

/** The bindings of the Worker under test. */
export interface Env {
  /** The address of the origin. */
  readonly ORIGIN: string;
  /** The Worker itself, as a service. */
  readonly SELF: { fetch: typeof fetch };
  /** A service with methods of its own. */
  readonly RPC: { fetch: typeof fetch; add(a: number, b: number): Promise<number> };
  /** The Worker's class, as a service. */
  readonly SITE: { fetch: typeof fetch };
  /** A bucket that refuses every body whose length is not known, as R2 does. */
  readonly R2: { put(key: string, body: unknown): Promise<unknown> };
}

/** The context of a request. */
export interface Context {
  waitUntil(work: Promise<unknown>): void;
}

/** Answers a request in the Worker. */
export type Handler = (
  request: Request,
  env: Env,
  ctx: Context,
) => Response | Promise<Response>;

/** What a test has outside of the Worker. */
export interface Border {
  /** The compatibility date. */
  readonly date: string;
  /** True if the Worker's requests have a signal that aborts when their client leaves. */
  readonly hasRequestSignal: boolean;
  readonly origin: Origin;
  /** Sends a request, and reads the whole answer as it is on the wire. */
  ask(path: string, ...lines: readonly string[]): Promise<Answer>;
  /** Opens a connection, and sends a text over it. */
  connect(text: string): Promise<Connection>;
  /** Collects what the Worker logs meanwhile: uncaught exceptions, for one. */
  logged(act: () => Promise<unknown>): Promise<string>;
}

/** A test in the runner. */
export interface Case {
  readonly name: string;
  readonly fn: (border: Border) => Promise<void>;
  /** Reports whether there is anything to test; always true if left out. */
  readonly applies?: ((border: Border) => boolean) | undefined;
}

/** Begins the line that the Worker logs for an unhandled rejection. */
export const UNHANDLED = "Unhandled:";
/** The line that takes one back. */
export const TAKEN_BACK = "It is handled";

const routes = new Map<string, Handler>();

/** The tests of all files that were loaded. */
export const CASES: Case[] = [];

/** Sets the handler for all paths that begin with these two segments: `/subject/way`. */
export function route(path: string, handler: Handler): void {
  if (routes.has(path)) throw new TypeError(`Cannot add a route twice: ${path}`);
  routes.set(path, handler);
}

/** Adds a test. */
export function test(
  name: string,
  fn: (border: Border) => Promise<void>,
  applies?: (border: Border) => boolean,
): void {
  CASES.push({ name, fn, applies });
}

/** Finds the handler for a request. */
export function handlerFor({ url }: Request): Handler {
  const [, subject, way] = new URL(url).pathname.split("/");
  const handler = routes.get(`/${subject}/${way}`);
  if (handler === undefined) throw new TypeError(`Cannot find a route: ${url}`);
  return handler;
}

/** The origin's address for what follows the first two segments of a path. */
export function upstreamOf({ url }: Request, { ORIGIN }: Env): string {
  const { pathname, search } = new URL(url);
  return `${ORIGIN}/${pathname.split("/").slice(3).join("/")}${search}`;
}

/** The head of a GET request. */
export function headOf(path: string, lines: readonly string[] = []): string {
  return [`GET ${path} HTTP/1.1`, "host: site.test", ...lines, "", ""].join("\r\n");
}

/** Waits for a real event, and fails if it does not come. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 300; turn++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Never true: ${isSo}`);
}
