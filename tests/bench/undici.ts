/** Undici's own cache of responses, for Node: the one peer that keeps anything. */
import { Agent, fetch, interceptors } from "npm:undici@7.30.2";

const dispatcher = new Agent().compose(interceptors.cache());

/** What it keeps it must ask about each time: `max-age=0, stale-if-error=600`. */
export async function cachingFetch(url: string): Promise<Response> {
  return await fetch(url, { dispatcher }) as unknown as Response;
}
