/** Undici's own cache of responses, for Node: the only peer that keeps responses. */
import { Agent, fetch, interceptors } from "npm:undici@7.30.2";

const dispatcher = new Agent().compose(interceptors.cache());

/** Fetches through the cache. When stale it asks, and serves what it has if told a 500 to 504. */
export async function cachingFetch(url: string): Promise<Response> {
  return await fetch(url, { dispatcher }) as unknown as Response;
}
