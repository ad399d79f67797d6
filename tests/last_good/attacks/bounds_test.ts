/** Attacks on memory and time: whatever comes is bounded, and its reader gets every byte at once. */

import { assert, assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { faucet, spring } from "../../stage/bodies.ts";
import { settled } from "../../stage/settle.ts";
import { ORIGIN, PAGE, Site } from "../../stage/site.ts";
import { page } from "../../stage/upstream.ts";
import type { Way } from "../../stage/ways.ts";

const EVERY_WAY: readonly Way[] = ["fetch", "wrap", "hono"];
const CHUNK = 4_096;
const MIB = 1_048_576;

/** Reads a body to its end, and returns its length. */
async function lengthOf({ body }: Response): Promise<number> {
  let length = 0;
  const reader = body!.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return length;
    length += value.byteLength;
  }
}

for (const way of EVERY_WAY) {
  const table: Readonly<Record<string, (n: number) => string>> = {
    "of one page": () => PAGE,
    "of as many pages": (n) => `${PAGE}/${n}`,
  };
  for (const [what, urlOf] of Object.entries(table)) {
    Deno.test(`N3: ${way}: 300 unread answers ${what} take no more than maxBytes from the origin`, async () => {
      const site = new Site({ lastGood: { maxBytes: 4 * MIB, maxBodyMs: Infinity } }, way);
      const made: { readonly made: number; readonly body: ReadableStream }[] = [];
      site.answer = () => {
        const source = spring(MIB / CHUNK, CHUNK);
        made.push(source);
        return new Response(source.body);
      };

      const unread = [];
      for (let n = 0; n < 300; n++) unread.push(await site.get({}, urlOf(n)));
      for (let turn = 0; turn < 50; turn++) await settled(1_000);

      const bytes = made.reduce((sum, source) => sum + source.made * CHUNK, 0);
      // Each may have read one chunk before it knows that there is no room.
      assert(bytes <= 4 * MIB + 300 * 2 * CHUNK, `${bytes / MIB} MiB were taken`);
      for (const response of unread) await response.body?.cancel();
    });
  }

  Deno.test(`N3: ${way}: while one copy is under way, all other readers get every byte at once`, async () => {
    const site = new Site({ lastGood: { maxBodyMs: Infinity } }, way);
    const flows = [faucet(), faucet(), faucet()];
    const left = [...flows];
    site.answer = () => new Response(left.shift()!.body);

    const readers = [];
    for (const _ of flows) readers.push((await site.get()).body!.getReader());
    for (const [n, flow] of flows.entries()) {
      flow.drip("live");
      assertEquals((await readers[n]!.read()).value?.byteLength, 4);
    }
    for (const [n, flow] of flows.entries()) {
      flow.close();
      assertEquals((await readers[n]!.read()).done, true);
    }
    await site.api.idle();

    assertEquals(site.notKept, ["under-way", "under-way"]);
    assertEquals(await site.kept(), "live");
  });

  Deno.test(`N3: ${way}: a reader who stalls keeps others from being copied for maxBodyMs at most`, async () => {
    using time = new FakeTime();
    const site = new Site(
      { now: Date.now, lastGood: { maxBodyMs: 1_000, maxBodyBytes: 100 } },
      way,
    );
    const flow = faucet();
    site.answer = () => new Response(flow.body);
    const stalled = await site.get();
    flow.drip("never");
    await time.tickAsync(1_001);
    site.answer = page({}, "newer");
    await site.read();
    await site.api.idle();

    assertEquals(await site.kept(), "newer");
    await stalled.body?.cancel();
  });

  Deno.test(`N3: ${way}: a stalled reader of one variant or page keeps no other from being copied`, async () => {
    const site = new Site({ lastGood: { maxBodyMs: Infinity } }, way);
    const flow = faucet();
    site.answer = () => new Response(flow.body);
    const stalled = await site.get({ headers: { "x-forwarded-host": "evil.test" } });
    site.answer = page({}, "good");

    await site.read();
    await site.read({}, `${PAGE}/other`);

    assertEquals([await site.kept(), await site.kept({}, `${PAGE}/other`)], ["good", "good"]);
    await stalled.body?.cancel();
  });

  Deno.test(`N3: ${way}: copies under way count; the reader of one without room gets every byte`, async () => {
    const site = new Site({ lastGood: { maxBytes: 100_000, maxBodyMs: Infinity } }, way);
    const first = faucet();
    site.answer = () => new Response(first.body);
    const slow = await site.get({}, `${PAGE}/slow`);
    const reader = slow.body!.getReader();
    for (let n = 0; n < 15; n++) {
      first.drip("x".repeat(CHUNK));
      await reader.read();
    }
    site.answer = () => new Response(spring(15, CHUNK).body);

    assertEquals(await lengthOf(await site.get({}, `${PAGE}/large`)), 15 * CHUNK);
    first.close();
    await reader.read();
    await site.api.idle();

    assertEquals(site.notKept, ["no-room"]);
    assertEquals((await site.kept({}, `${PAGE}/slow`))?.length, 15 * CHUNK);
  });

  Deno.test(`N3: ${way}: what was let go makes room again`, async () => {
    const site = new Site({ lastGood: { maxBytes: 100_000, maxBodyMs: Infinity } }, way);
    for (let n = 0; n < 20; n++) {
      site.answer = () => new Response(spring(15, CHUNK).body);
      const response = await site.get({}, `${PAGE}/${n}`);
      const reader = response.body!.getReader();
      for (let chunk = 0; chunk < 3; chunk++) await reader.read();
      await reader.cancel();
      await site.api.idle();
    }
    site.answer = () => new Response(spring(20, CHUNK).body);

    assertEquals(await lengthOf(await site.get()), 20 * CHUNK);

    assertEquals((await site.kept())?.length, 20 * CHUNK);
  });

  Deno.test(`N1, N2: ${way}: of a huge body with no reader, no more is taken than may be kept`, async () => {
    const site = new Site({ lastGood: { maxBodyBytes: 20 * CHUNK, maxBodyMs: Infinity } }, way);
    const source = spring(1_000_000, CHUNK);
    site.answer = () => new Response(source.body);

    const response = await site.get();
    for (let turn = 0; turn < 20; turn++) await settled(1_000);

    assert(source.made <= 23, `${source.made} chunks were taken`);
    assertEquals(site.notKept, ["too-large"]);
    await response.body?.cancel();
  });

  Deno.test(`N1: ${way}: a length that promises too much is heard before a byte is copied`, async () => {
    const site = new Site({}, way);
    const source = spring(1_000, CHUNK);
    site.answer = () => new Response(source.body, { headers: { "content-length": "99999999999" } });

    const response = await site.get();
    await settled(1_000);

    assert(source.made <= 2, `${source.made} chunks were taken`);
    assertEquals(site.notKept, ["too-large"]);
    await response.body?.cancel();
  });

  Deno.test(`N5: ${way}: any maxEntries works, and harms no answer`, async () => {
    for (
      const maxEntries of [1, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]
    ) {
      const site = new Site({ lastGood: { maxEntries } }, way);
      site.answer = () => new Response(spring(3, 10).body);

      assertEquals([maxEntries, await lengthOf(await site.get())], [maxEntries, 30]);

      assertEquals([maxEntries, (await site.kept())?.length], [maxEntries, 30]);
    }
  });

  Deno.test(`N3: ${way}: an entry without a body costs bytes, too`, async () => {
    const site = new Site(
      { onEvent: () => {}, lastGood: { maxEntries: 1e6, maxBytes: 100_000 } },
      way,
    );
    site.answer = page({}, null);
    for (let n = 0; n < 1_000; n++) await site.read({}, `${ORIGIN}/${n}`);

    let count = 0;
    for (let n = 0; n < 1_000; n++) {
      if (await site.kept({}, `${ORIGIN}/${n}`) !== undefined) count++;
    }

    // Each takes about 1.1 KB of the heap.
    assert(count <= 200 && count >= 20, `${count} are left`);
  });

  Deno.test(`S12: ${way}: a body that is cut, by length or by an error, is never kept, and the older one stays`, async () => {
    const cut: readonly (() => Response)[] = [
      () => new Response(spring(2, 10).body, { headers: { "content-length": "21" } }),
      () => {
        const flow = faucet();
        flow.drip("half");
        flow.fail(new TypeError("terminated"));
        return new Response(flow.body);
      },
    ];
    for (const answer of cut) {
      const site = new Site({ lastGood: { refreshMs: 0 } }, way);
      await site.read();
      site.answer = answer;

      await site.read().catch(() => {});

      assertEquals(await site.kept(), "good");
    }
  });
}

Deno.test("N2: a veto on the whole body keeps the older page, and holds nothing back", async () => {
  const seen: string[] = [];
  const site = new Site({
    lastGood: {
      refreshMs: 0,
      keep: (_request, _response, body) => {
        seen.push(new TextDecoder().decode(body));
        return !seen.at(-1)!.includes("maintenance") && body.byteLength > 0;
      },
    },
  });
  await site.read();
  for (const text of ["<h1>maintenance</h1>", ""]) {
    const flow = faucet();
    site.answer = () => new Response(flow.body);
    const reader = (await site.get()).body!.getReader();
    if (text !== "") {
      flow.drip(text);
      assertEquals(new TextDecoder().decode((await reader.read()).value), text);
    }
    flow.close();
    assertEquals((await reader.read()).done, true);
  }

  assertEquals(seen, ["good", "<h1>maintenance</h1>", ""]);
  assertEquals(site.notKept, ["veto", "veto"]);
  assertEquals(await site.kept(), "good");
});

Deno.test("N2: a veto that changes the bytes it sees changes nothing that is kept or read", async () => {
  const site = new Site({
    lastGood: {
      keep: (request, response, body) => {
        body.fill(0);
        response.headers.set("x-evil", "1");
        request.headers.set("x-evil", "1");
        return true;
      },
    },
  });

  const live = await site.get();
  assertEquals(await live.text(), "good");
  site.fail();
  const stale = await site.get();

  assertEquals([stale.headers.get("x-evil"), live.headers.get("x-evil")], [null, null]);
  assertEquals((await stale.text()).length, 4);
});
