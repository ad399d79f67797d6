/** How visitors ask a site whose page is kept, in tests of attacks. */

import { PAGE, Site } from "./site.ts";
import type { Way } from "./ways.ts";

/** Asks, whatever comes of it. */
export async function ask(site: Site, init: RequestInit = {}, url = PAGE): Promise<void> {
  await site.get(init, url).then((response) => response.arrayBuffer(), () => {});
}

/** Those of the methods that this runtime has. */
export function accepted(...methods: readonly string[]): string[] {
  return methods.filter((method) => {
    try {
      return new Request(PAGE, { method }).method === method;
    } catch {
      return false;
    }
  });
}

/** A site that has kept the page, and copies every answer. */
export async function keeping(way: Way, init: RequestInit = {}): Promise<Site> {
  const site = new Site({ lastGood: { refreshMs: 0, maxVariants: 100 } }, way);
  await site.read(init);
  return site;
}

/** Asks for the page while the upstream fails, and returns its status, its text and its fields. */
export async function told(site: Site, init: RequestInit = {}) {
  const { answer } = site;
  site.fail();
  const response = await site.get(init);
  site.answer = answer;
  return { status: response.status, text: await response.text(), headers: response.headers };
}
