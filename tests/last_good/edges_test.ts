import { assert, assertEquals } from "@std/assert";
import { BodyCopy, type CopyEnd } from "../../src/last_good/body_copy.ts";
import type { Variant } from "../../src/last_good/cache_key.ts";
import { Memory } from "../../src/last_good/memory.ts";
import { type LastGoodOptions, lastGoodSettings } from "../../src/last_good/options.ts";
import { faucet, spring } from "../stage/bodies.ts";
import { holdIn } from "../stage/holds.ts";
import { settled } from "../stage/settle.ts";
import { keyOf, stored } from "../stage/stored.ts";

const LIMITS = { maxEntries: 2, maxBytes: 100, maxVariants: 2 };
const NO_FIELDS = new Headers();

/** Makes a memory with one response. */
function keeping() {
  const memory = new Memory(LIMITS);
  const first = stored(1);
  memory.put(keyOf("a"), NO_FIELDS, first);
  return { memory, first };
}

Deno.test("S18: a newer head replaces the one that was found", () => {
  const { memory, first } = keeping();
  const next = stored(2);

  memory.replace(keyOf("a"), first, next);

  assertEquals(memory.find(keyOf("a"), NO_FIELDS), next);
});

Deno.test("S18: a newer head does not bring back a response removed meanwhile", () => {
  const { memory, first } = keeping();
  memory.removeAll("a", 2);

  memory.replace(keyOf("a"), first, stored(3));

  assertEquals(memory.find(keyOf("a"), NO_FIELDS), undefined);
});

Deno.test("K2: a newer head does not affect other variants", () => {
  const memory = new Memory(LIMITS);
  const variant = (value: string): Variant => [["a", value]];
  const [one, other, next] = [
    stored(1, 1, variant("1")),
    stored(2, 1, variant("2")),
    stored(3, 1, variant("2")),
  ];
  memory.put(keyOf("p"), new Headers({ a: "1" }), one);
  memory.put(keyOf("p"), new Headers({ a: "2" }), other);

  memory.replace(keyOf("p"), other, next);

  assertEquals(memory.find(keyOf("p"), new Headers({ a: "1" })), one);
  assertEquals(memory.find(keyOf("p"), new Headers({ a: "2" })), next);
});

Deno.test("22: a response with a newer head is evicted like any other", () => {
  const { memory, first } = keeping();
  memory.replace(keyOf("a"), first, stored(2));
  memory.put(keyOf("b"), NO_FIELDS, stored(3));

  memory.put(keyOf("c"), NO_FIELDS, stored(4));

  const left = ["a", "b", "c"].filter((name) => memory.find(keyOf(name), NO_FIELDS));
  assertEquals(left, ["b", "c"]);
});

Deno.test("S18: the order of a newer head decides which responses may replace it", () => {
  const { memory, first } = keeping();
  memory.replace(keyOf("a"), first, stored(5));

  const [older, newer] = [4, 6].map((order) => memory.put(keyOf("a"), NO_FIELDS, stored(order)));

  assertEquals([older, newer], ["superseded", undefined]);
});

/** Starts a copy of a body that is already complete. */
function copyOf(bytes: number) {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array(bytes));
      controller.close();
    },
  });
  return copyFrom(source, Infinity);
}

function copyFrom(source: ReadableStream<Uint8Array>, maxBytes: number) {
  const ends: CopyEnd[] = [];
  const copy = new BodyCopy(source, {
    maxBytes,
    maxMs: Infinity,
    stallMs: Infinity,
    expectedBytes: undefined,
    isFetched: false,
    signal: undefined,
    isAborted: () => false,
    hold: holdIn(),
    onEnd: (end) => {
      ends.push(end);
      return false;
    },
  });
  return { copy, ends };
}

Deno.test("21: a short body that is already complete is passed on in one piece", async () => {
  const { copy, ends } = copyOf(65_536);

  const passed = await copy.bodySoon();

  assert(passed instanceof Uint8Array);
  assertEquals([passed.byteLength, ends], [65_536, ["whole"]]);
});

Deno.test("a long body that is already complete is passed on in one piece, too (promise 34)", async () => {
  const { copy, ends } = copyOf(1_000_000);

  const passed = await copy.bodySoon();

  assert(passed instanceof Uint8Array);
  assertEquals([passed.byteLength, ends], [1_000_000, ["whole"]]);
});

Deno.test("a body over the limit is passed on in one piece if all of it is there (promise 34)", async () => {
  for (const chunks of [1, 2]) {
    const { copy, ends } = copyFrom(spring(chunks, 101).body, chunks * 101 - 1);

    const passed = await copy.bodySoon();

    assert(passed instanceof Uint8Array);
    assertEquals([passed.byteLength, ends], [chunks * 101, ["too-large"]]);
  }
});

Deno.test("21: a body of many chunks is not read beyond the one that exceeds the limit", async () => {
  const source = spring(1_000, 10);
  const { copy } = copyFrom(source.body, 95);

  const passed = await copy.bodySoon();
  await settled();

  assertEquals([passed instanceof ReadableStream, source.made], [true, 10]);
});

Deno.test("a body over the limit is passed on as a stream if more may come (promise 21)", async () => {
  const flow = faucet();
  const { copy } = copyFrom(flow.body, 3);
  flow.drip("long");

  const passed = await copy.bodySoon();

  assert(passed instanceof ReadableStream);
  flow.drip("er");
  flow.close();
  assertEquals(await new Response(passed).text(), "longer");
});

const OPTIONS: readonly (keyof LastGoodOptions)[] = [
  "maxEntries",
  "maxBytes",
  "maxBodyBytes",
  "maxBodyMs",
  "maxVariants",
  "maxStaleMs",
  "serveOn",
  "patienceMs",
  "freshMs",
  "refreshMs",
  "statuses",
  "ignore",
  "key",
  "partition",
  "keep",
  "cacheStatus",
];

Deno.test("undefined lastGood options have the defaults in their doc comments", () => {
  const options = Object.fromEntries(OPTIONS.map((name) => [name, undefined]));

  const settings = lastGoodSettings("test", options);

  assertEquals(settings, {
    maxEntries: 1_000,
    maxBytes: 33_554_432,
    maxBodyBytes: 1_048_576,
    maxBodyMs: 30_000,
    maxVariants: 8,
    maxStaleMs: 86_400_000,
    serveOn: "failure",
    patienceMs: Infinity,
    freshMs: 0,
    refreshMs: 1_000,
    statuses: new Set([200]),
    ignore: new Set<string>(),
    key: undefined,
    partition: undefined,
    keep: undefined,
    dropFields: new Set<string>(),
    cacheStatus: "lastgood",
  });
});
