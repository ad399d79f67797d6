/** Attacks that fill memory with what nobody reads: the pages that visitors need stay (N3, N4). */

import { assert, assertEquals } from "@std/assert";
import { faucet, spring } from "../../stage/bodies.ts";
import { settled } from "../../stage/settle.ts";
import { ORIGIN, Site } from "../../stage/site.ts";
import type { Way } from "../../stage/ways.ts";

const HOT = Array.from({ length: 50 }, (_, n) => `${ORIGIN}/hot/${n}`);
const CHUNK = 4_096;
const MIB = 1_048_576;

/** A site whose hot pages visitors have asked for three times. */
async function popular(way: Way, maxBytes: number): Promise<Site> {
  const keep = ({ url }: Request) => !url.includes("/vetoed/");
  const lastGood = { maxBytes, maxBodyMs: Infinity, keep };
  const site = new Site({ onEvent: () => {}, waitUntil: () => {}, lastGood }, way);
  site.answer = ({ url }) => new Response(url.padEnd(2_000));
  for (let turn = 0; turn < 3; turn++) {
    for (const url of HOT) await site.read({}, url);
    site.clock.tick(2_000);
  }
  return site;
}

async function left(site: Site): Promise<number> {
  let count = 0;
  for (const url of HOT) if ((await site.kept({}, url))?.startsWith(url)) count++;
  return count;
}

for (const way of ["fetch", "wrap", "hono"] as const) {
  const bodies: Readonly<Record<string, () => ReadableStream>> = {
    "large answers that nobody reads": () => spring(200, CHUNK).body,
    "answers that stall after their first bytes": () => {
      const flow = faucet();
      flow.drip("x".repeat(60_000));
      return flow.body;
    },
    "answers without an end": () => spring(1e9, CHUNK).body,
  };
  for (const [what, body] of Object.entries(bodies)) {
    Deno.test(`N3, N4: ${way}: 200 ${what} push out no page that visitors need`, async () => {
      const site = await popular(way, 2 * MIB);
      const { answer } = site;
      site.answer = () => new Response(body());
      const unread: Response[] = [];
      for (let n = 0; n < 200; n++) unread.push(await site.get({}, `${ORIGIN}/large/${n}`));
      for (let turn = 0; turn < 20; turn++) await settled(500);
      site.answer = answer;

      assertEquals(await left(site), HOT.length);
      assert(site.api.kept.bytes <= 2 * MIB);
      for (const response of unread) response.body?.cancel().catch(() => {});
    });
  }

  Deno.test(`N3, N4: ${way}: 200 unread answers that are not kept after all push out no page either`, async () => {
    const site = await popular(way, 2 * MIB);
    const { answer } = site;
    site.answer = () => new Response(spring(100, CHUNK).body);
    const unread: Response[] = [];
    for (let n = 0; n < 200; n++) {
      unread.push(await site.get({}, `${ORIGIN}/vetoed/${n}`));
      await settled(1_000);
    }
    site.answer = answer;

    assertEquals(await left(site), HOT.length);
    assert(site.api.kept.bytes <= 2 * MIB);
    for (const response of unread) response.body?.cancel().catch(() => {});
  });

  for (const [what, body] of Object.entries(bodies)) {
    Deno.test(`N3, N4: ${way}: ${what}, asked for again and again, push out no page that visitors read`, async () => {
      const site = await popular(way, 2 * MIB);
      const { answer } = site;
      const unread: Response[] = [];
      for (let turn = 0; turn < 4; turn++) {
        site.answer = () => new Response(body());
        for (let n = 0; n < 100; n++) unread.push(await site.get({}, `${ORIGIN}/large/${n}`));
        await settled(5_000);
        if (turn < 3) { for (const it of unread.splice(0)) it.body?.cancel().catch(() => {}); }
        site.answer = answer;
        for (const url of HOT) await site.read({}, url);
        site.clock.tick(2_000);
      }

      assertEquals(await left(site), HOT.length);
      for (const response of unread) response.body?.cancel().catch(() => {});
    });
  }

  for (const [what, body] of Object.entries(bodies)) {
    Deno.test(`N3, N4: ${way}: ${what}, asked for again and again, push out no page that visitors read`, async () => {
      const site = await popular(way, 2 * MIB);
      const { answer } = site;
      const unread: Response[] = [];
      for (let turn = 0; turn < 4; turn++) {
        site.answer = () => new Response(body());
        for (let n = 0; n < 100; n++) unread.push(await site.get({}, `${ORIGIN}/large/${n}`));
        await settled(5_000);
        if (turn < 3) { for (const it of unread.splice(0)) it.body?.cancel().catch(() => {}); }
        site.answer = answer;
        for (const url of HOT) await site.read({}, url);
        site.clock.tick(2_000);
      }

      assertEquals(await left(site), HOT.length);
      for (const response of unread) response.body?.cancel().catch(() => {});
    });
  }

  Deno.test(`N3, N4: ${way}: while others stall, a page that changes is still kept anew`, async () => {
    const site = await popular(way, 2 * MIB);
    site.answer = () => new Response(spring(200, CHUNK).body);
    const unread: Response[] = [];
    for (let n = 0; n < 200; n++) unread.push(await site.get({}, `${ORIGIN}/large/${n}`));
    for (let turn = 0; turn < 20; turn++) await settled(500);
    site.clock.tick(5_000);
    site.answer = () => new Response("changed");

    for (const url of HOT) await site.read({}, url);

    let changed = 0;
    for (const url of HOT) if (await site.kept({}, url) === "changed") changed++;
    assertEquals(changed, HOT.length);
    for (const response of unread) response.body?.cancel().catch(() => {});
  });

  Deno.test(`N4: ${way}: a crawler that asks for everything twice leaves what visitors go on asking for`, async () => {
    const site = await popular(way, 400_000);
    for (let n = 0; n < 400; n++) {
      for (let twice = 0; twice < 2; twice++) await site.read({}, `${ORIGIN}/archive/${n}`);
      await site.read({}, HOT[n % HOT.length]!);
    }

    assertEquals(await left(site), HOT.length);
  });
}
