/**
 * For tests of what only Workers do: requests that are truly separate, in one isolate.
 *
 * A file makes its objects at module scope, as a Worker does, says with {@link route} what a request
 * for a path runs, and sends such requests from a {@link test} through `env.SELF`. Each has its own
 * I/O context, and aborting the fetch cancels the request within.
 *
 * Under `deno test` these files test nothing: they run in workerd alone.
 */
import { collectOwn } from "../collector.ts";

/** The bindings of the Worker under test. */
export interface Env {
  /** The Worker itself. Any host name will do; only the path counts. */
  readonly SELF: { fetch(input: string | Request, init?: RequestInit): Promise<Response> };
}

/** What a Worker is given to do work behind its answer. */
export interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void;
}

/** What a request within runs. */
export type Handler = (
  request: Request,
  env: Env,
  ctx: ExecutionContext,
) => Response | Promise<Response>;

/** What a test is given. */
export interface Host {
  env: Env;
  ctx: ExecutionContext;
}

/** Filled in when the run begins. */
export const host = {} as Host;

const routes = new Map<string, Handler>();

/** Adds a test that runs in workerd alone. */
export function test(name: string, fn: (host: Host) => void | Promise<void>): void {
  collectOwn(name, () => fn(host));
}

/** Says what a request for a path runs. Paths belong to all files: begin one with the file's subject. */
export function route(path: string, handler: Handler): void {
  if (routes.has(path)) throw new TypeError(`Cannot add a route twice: ${path}`);
  routes.set(path, handler);
}

/** Sends a request of its own. Its promise and its body belong to who sends it. */
export function send(path: string, init?: RequestInit): Promise<Response> {
  return host.env.SELF.fetch(`http://worker${path}`, init);
}

/** Waits by a timer, without which workerd would take a request for hung. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until it is so, and fails if it never is. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    if (isSo()) return;
    await sleep(5);
  }
  throw new Error(`Never so: ${isSo}`);
}

/** Answers a request that a test sent through `env.SELF`, or that any sent by `fetch`. */
export async function answer(
  request: Request,
  env: Env,
  ctx: ExecutionContext,
): Promise<Response> {
  const { pathname } = new URL(request.url);
  const handler = routes.get(pathname);
  if (!handler) throw new TypeError(`Cannot find a route: ${pathname}`);
  return await handler(request, env, ctx);
}
