/** Attacks that push out the pages which visitors need: whatever comes once leaves what came twice. */

import type { LastGoodOptions } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { ORIGIN, Site } from "../../stage/site.ts";
import type { Way } from "../../stage/ways.ts";

const HOT = 100;
const MADE_UP = 1_000;
const CRAWLED = 1_200;

const VARY = "Accept-Language, X-A, Origin";

const hot = (n: number) => `${ORIGIN}/hot/${n}`;

/** A site whose hot pages have been asked for three times, a while apart. */
export async function popular(lastGood: LastGoodOptions, way: Way, urls: readonly string[] = URLS) {
  const site = new Site({ onEvent: () => {}, lastGood }, way);
  site.answer = ({ url }) => new Response(url, { headers: { vary: VARY } });
  await askedOften(site, urls);
  return site;
}

async function askedOften(site: Site, urls: readonly string[]): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    for (const url of urls) await site.read({}, url);
    site.clock.tick(2_000);
  }
}

const URLS = Array.from({ length: HOT }, (_, n) => hot(n));

/** How many of the hot pages are still there. */
async function left(site: Site, urls: readonly string[] = URLS): Promise<number> {
  let count = 0;
  for (const url of urls) if (await site.kept({}, url) === url) count++;
  site.asked.length = 0;
  return count;
}

const LIMITS: Readonly<Record<string, LastGoodOptions>> = {
  "by default": {},
  "with few entries": { maxEntries: 200 },
  "with few bytes": { maxBytes: 400_000 },
  "without a limit but bytes": { maxEntries: Number.MAX_SAFE_INTEGER, maxBytes: 400_000 },
};

for (const [limits, options] of Object.entries(LIMITS)) {
  Deno.test(`N4: ${limits}: ${CRAWLED} crawled URLs push out no page that visitors need`, async () => {
    const site = await popular(options, "fetch");

    for (let n = 0; n < CRAWLED; n++) {
      await site.read({}, `${ORIGIN}/archive/${n}?page=${n}`);
    }

    assertEquals(await left(site), HOT);
  });

  Deno.test(`N4: ${limits}: when visitors need other pages, those get in`, async () => {
    const site = await popular(options, "fetch");
    for (let n = 0; n < MADE_UP; n++) await site.read({}, `${ORIGIN}/archive/${n}`);
    const next = URLS.map((url) => `${url}/next`);

    await askedOften(site, next);
    for (let n = 0; n < MADE_UP; n++) await site.read({}, `${ORIGIN}/archive/again/${n}`);

    assertEquals(await left(site, next), HOT);
  });
}

/** Variants that one client can make up without end. */
const VARIANTS: Readonly<Record<string, (n: number) => RequestInit>> = {
  "forwarded hosts": (n) => ({ headers: { "x-forwarded-host": `${n}.test` } }),
  "Forwarded": (n) => ({ headers: { forwarded: `host=${n}.test` } }),
  "languages": (n) => ({ headers: { "accept-language": `x-${n}` } }),
  "values of a field": (n) => ({ headers: { "x-a": `${n}` } }),
  "methods to stand for": (n) => ({ headers: { "x-http-method-override": `M${n}` } }),
  "origins": (n) => ({ headers: { origin: `https://${n}.test` } }),
  "new names of fields": (n) => ({ headers: { [`x-forwarded-${n}`]: "1" } }),
};

for (const [n, [what, variant]] of Object.entries(VARIANTS).entries()) {
  // The ways differ in nothing but how a request comes in.
  for (const way of n < 1 ? ["fetch", "wrap", "hono"] as const : ["fetch"] as const) {
    Deno.test(`N4, K2: ${way}: ${MADE_UP} made-up ${what} of one page push out none`, async () => {
      const site = await popular({}, way);

      for (let n = 0; n < MADE_UP; n++) await site.read(variant(n), hot(7));

      assertEquals(await left(site), HOT);
    });
  }
}

const TOLD: Readonly<Record<string, (n: number) => object>> = {
  "cf": (n) => ({ cf: { cacheKey: `${n}` } }),
  "dispatchers": () => ({ dispatcher: {} }),
  "clients": () => ({ client: {} }),
};

for (const [what, told] of Object.entries(TOLD)) {
  Deno.test(`N4, K6: fetch: ${MADE_UP} different ${what} for one page push out none`, async () => {
    const site = await popular({}, "fetch");

    for (let n = 0; n < MADE_UP; n++) await site.read(told(n) as RequestInit, hot(7));

    assertEquals(await left(site), HOT);
  });
}

Deno.test("N4, K4: one visitor's own pages push out no other's, and no shared one", async () => {
  const partition = ({ headers }: Request) => headers.get("x-shard") ?? undefined;
  const site = await popular({ partition }, "wrap");

  for (let n = 0; n < MADE_UP; n++) {
    await site.read({ headers: { "x-shard": `${n}` } }, hot(n % HOT));
  }

  assertEquals(await left(site), HOT);
});

for (const way of ["fetch", "wrap", "hono"] as const) {
  Deno.test(`K2: ${way}: eight made-up languages leave the one that visitors read`, async () => {
    const site = new Site({}, way);
    site.answer = ({ headers }) =>
      new Response(headers.get("accept-language"), { headers: { vary: "accept-language" } });
    const reading = (language: string) => ({ headers: { "accept-language": language } });
    for (let turn = 0; turn < 3; turn++) {
      await site.read(reading("de"));
      site.clock.tick(2_000);
    }

    for (let n = 0; n < 8; n++) await site.read(reading(`x-${n}`));

    assertEquals(await site.kept(reading("de")), "de");
  });

  Deno.test(`K2, K3: ${way}: variants of all kinds together are limited by maxVariants`, async () => {
    const site = new Site({ lastGood: { maxVariants: 4 } }, way);
    site.answer = ({ headers }) => new Response(headers.get("x-a"), { headers: { vary: "x-a" } });
    const asking = (n: number) => ({
      headers: {
        "x-a": `${n}`,
        "x-forwarded-host": `${n % 3}.test`,
        "x-original-url": `/${n % 5}`,
      },
    });
    for (let n = 0; n < 50; n++) await site.read(asking(n));

    let count = 0;
    for (let n = 0; n < 50; n++) if (await site.kept(asking(n)) !== undefined) count++;

    assertEquals(count <= 4 && count > 0, true, `${count} are left`);
  });
}
