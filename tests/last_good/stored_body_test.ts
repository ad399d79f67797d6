import { assertEquals } from "@std/assert";
import type { Hold } from "../../src/last_good/copies.ts";
import {
  servedBody,
  type StoredHead,
  type StoredResponse,
} from "../../src/last_good/stored_response.ts";
import { holdIn } from "../stage/holds.ts";
import { Site, WAYS } from "../stage/site.ts";
import { page } from "../stage/upstream.ts";

/** Bodies that are stored as text, and bodies that would not survive it. */
const BODIES: readonly (readonly [what: string, bytes: readonly number[]])[] = [
  ["a text", [...new TextEncoder().encode('{"a":1}\r\n')]],
  ["all of ASCII", Array.from({ length: 128 }, (_, index) => index)],
  ["all bytes", Array.from({ length: 256 }, (_, index) => index)],
  ["UTF-8", [...new TextEncoder().encode("na\u00efve \u{1f600}")]],
  ["UTF-8 with a byte order mark", [0xef, 0xbb, 0xbf, 0x61, 0x62, 0x63]],
  ["UTF-16 with a byte order mark", [0xff, 0xfe, 0x61, 0x00]],
  ["Latin-1", [0x6e, 0x61, 0xef, 0x76, 0x65]],
  ["an incomplete character", [0x61, 0xe2, 0x82]],
  ["nothing", []],
  ["a long text", Array<number>(20_000).fill(120)],
  ["a long body of bytes", Array.from({ length: 20_000 }, (_, index) => index % 256)],
];

const TYPES = ["text/plain; charset=utf-8", "application/json", "image/png", undefined] as const;

for (const [what, bytes] of BODIES) {
  for (const way of WAYS) {
    Deno.test(`H1: ${what} is served by ${way} byte for byte, under its own type`, async () => {
      for (const type of TYPES) {
        const site = new Site({}, way);
        const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
        site.answer = page(headers, new Uint8Array(bytes));
        const first = await site.get();
        const passed = [...new Uint8Array(await first.arrayBuffer())];
        site.fail();

        const served = await site.get();

        assertEquals(passed, bytes);
        assertEquals([...new Uint8Array(await served.arrayBuffer())], bytes);
        for (const { headers } of [first, served]) {
          assertEquals(headers.get("content-type"), type ?? null);
        }
        assertEquals(served.headers.get("content-length"), String(bytes.length));
        const kept = site.events.find((event) => event.type === "kept");
        assertEquals(kept?.type === "kept" && kept.bytes, bytes.length);
      }
    });
  }
}

/** A kept text, and the answer it was copied from. */
function storedText(): { readonly stored: StoredResponse; readonly hold: Hold } {
  const hold = holdIn();
  const fields = { "content-type": "text/plain" };
  const head = { fields } as Partial<StoredHead> as StoredHead;
  const body = new TextEncoder().encode("good");
  return { stored: { body, head, hold } as Partial<StoredResponse> as StoredResponse, hold };
}

Deno.test("H1: a kept body becomes text when it is served first, and stays that", () => {
  const { stored, hold } = storedText();
  hold.endCopy();

  const first = servedBody(stored);
  const second = servedBody(stored);

  assertEquals([first, second, stored.body], ["good", "good", "good"]);
});

Deno.test("N3: a kept body keeps its form while a reader has still to get the rest of it", () => {
  const { stored, hold } = storedText();
  hold.endCopy();
  hold.wait(1, true);

  const early = servedBody(stored);
  hold.free(1);
  const late = servedBody(stored);

  assertEquals([typeof early, typeof late], ["object", "string"]);
});

Deno.test("H1: a content type that the origin drops is not made up", async () => {
  const site = new Site();
  site.answer = page({ "content-type": "text/css", etag: '"a"' }, new Uint8Array([97]));
  await site.read();
  site.clock.tick(60_000);
  site.answer = page({ etag: '"a"' }, new Uint8Array([97]));
  await site.read();
  site.fail();

  const served = await site.get();

  assertEquals([served.headers.get("content-type"), await served.text()], [null, "a"]);
});
