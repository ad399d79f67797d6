/** The measured Worker: the first part of a path selects whether a breaker guards the call. */
import { breaker } from "../../mod.ts";

interface Env {
  readonly UPSTREAM: string;
}

interface Context {
  waitUntil(work: Promise<unknown>): void;
}

/** Passes on the upstream's answer for the path without the subject. */
function proxied({ url }: Request, { UPSTREAM }: Env, _context: Context): Promise<Response> {
  return fetch(UPSTREAM + url.slice(url.indexOf("/", url.indexOf("/", 8) + 1)));
}

const keeping = breaker().wrap(proxied);

export default {
  fetch(request: Request, env: Env, context: Context): Response | Promise<Response> {
    const subject = new URL(request.url).pathname.split("/")[1];
    return subject === "keeping" ? keeping(request, env, context) : proxied(request, env, context);
  },
};
