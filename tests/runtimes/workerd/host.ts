/**
 * For tests of what only Workers do: truly separate requests in one isolate.
 *
 * A test file makes its objects at module scope, as a Worker does, sets the handler for a path with
 * {@link route}, and sends requests for it from a {@link test} through `env.SELF`. Each request has
 * its own I/O context, and aborting the fetch cancels the request inside.
 *
 * Under `deno test` these files test nothing: they run only in workerd.
 */
import { collectOwn } from "../collector.ts";

/** The bindings of the Worker under test. */
export interface Env {
  /** The Worker itself. Any host name will do; only the path counts. */
  readonly SELF: { fetch(input: string | Request, init?: RequestInit): Promise<Response> };
}

/** The context that lets a Worker do work in the background. */
export interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void;
}

/** Handles a request inside the Worker. */
export type Handler = (
  request: Request,
  env: Env,
  ctx: ExecutionContext,
) => Response | Promise<Response>;

/** The Worker's environment, as a test gets it. */
export interface Host {
  env: Env;
  ctx: ExecutionContext;
}

/** Filled in when the run begins. */
export const host = {} as Host;

const routes = new Map<string, Handler>();

/** Adds a test that runs only in workerd. */
export function test(name: string, fn: (host: Host) => void | Promise<void>): void {
  collectOwn(name, () => fn(host));
}

/** Sets the handler for a path. All files share the paths: begin yours with the file's subject. */
export function route(path: string, handler: Handler): void {
  if (routes.has(path)) throw new TypeError(`Cannot add a route twice: ${path}`);
  routes.set(path, handler);
}

/** Sends a separate request. Its promise and its body belong to the sender. */
export function send(path: string, init?: RequestInit): Promise<Response> {
  return host.env.SELF.fetch(`http://worker${path}`, init);
}

/** Waits with a timer: without one, workerd would consider the request hung. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until a condition is true, and fails if it never is. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    if (isSo()) return;
    await sleep(5);
  }
  throw new Error(`Never true: ${isSo}`);
}

/** Answers a request that was sent through `env.SELF` or by `fetch`. */
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
