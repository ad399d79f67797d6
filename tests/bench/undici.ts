/** Undici's own cache of responses, for Node: the only peer that keeps responses. */
import { Agent, fetch, interceptors } from "npm:undici@7.30.2";

const dispatcher = new Agent().compose(interceptors.cache());

/** Fetches through the cache, which revalidates `max-age=0, stale-if-error=600` each time. */
export async function cachingFetch(url: string): Promise<Response> {
  return await fetch(url, { dispatcher }) as unknown as Response;
}
