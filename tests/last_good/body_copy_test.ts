import { assert, assertEquals, assertRejects } from "@std/assert";
import { BodyCopy, type CopyEnd } from "../../src/last_good/body_copy.ts";
import { type Faucet, faucet, pieces, spring } from "../stage/bodies.ts";
import { stage } from "../stage/breaker_stage.ts";
import { holdIn } from "../stage/holds.ts";
import { settled } from "../stage/settle.ts";

/** Starts a copy, and records how it ends. */
function copying(
  source: ReadableStream<Uint8Array>,
  limits: { maxBytes?: number; stallMs?: number; isFetched?: boolean } = {},
) {
  const ends: [CopyEnd, string][] = [];
  const copy = new BodyCopy(source, {
    maxBytes: limits.maxBytes ?? 100,
    maxMs: Infinity,
    stallMs: limits.stallMs ?? Infinity,
    expectedBytes: undefined,
    isFetched: limits.isFetched ?? false,
    signal: undefined,
    isAborted: () => false,
    hold: holdIn(),
    onEnd: (end, bytes) => {
      ends.push([end, new TextDecoder().decode(bytes)]);
      return false;
    },
  });
  return {
    soon: () => copy.bodySoon(),
    get body() {
      return copy.body;
    },
    ends,
  };
}

function textOf(body: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(body).text();
}

Deno.test("21: the copy is completed even without a reader", async () => {
  const { body, ends } = copying(spring(5, 10).body);
  await settled();

  assertEquals(ends, [["whole", "a".repeat(50)]]);
  assertEquals(await textOf(body), "a".repeat(50));
});

Deno.test("21: each chunk reaches the reader as soon as it arrives", async () => {
  const flow = faucet();
  const reader = copying(flow.body).body.getReader();

  for (const text of ["one", "two", "three"]) {
    flow.drip(text);
    const { value } = await reader.read();
    assertEquals(new TextDecoder().decode(value), text);
  }
  flow.close();
  assertEquals((await reader.read()).done, true);
});

Deno.test("21: a waiting reader is served before the next chunk arrives", async () => {
  const flow = faucet();
  const reader = copying(flow.body).body.getReader();
  const read = reader.read();
  await settled();
  flow.drip("now");

  assertEquals(new TextDecoder().decode((await read).value), "now");
  flow.close();
});

Deno.test("21, N1: the copy reads ahead no further than the chunk that exceeds maxBytes", async () => {
  const source = spring(1_000, 10);
  const { body, ends } = copying(source.body, { maxBytes: 95 });
  await settled();

  assertEquals(source.made, 10);
  assertEquals(ends, [["too-large", ""]]);
  assertEquals((await textOf(body)).length, 10_000);
});

Deno.test("21: once the copy is given up, only requested chunks are read", async () => {
  const source = spring(1_000, 10);
  const reader = copying(source.body, { maxBytes: 15 }).body.getReader();
  await settled();
  for (let chunk = 0; chunk < 5; chunk++) await reader.read();
  await settled();

  assertEquals(source.made, 5);
  await reader.cancel();
});

Deno.test("21: a reader who has the stream gets all of a body that is too large and ends at once", async () => {
  const flow = faucet();
  const { body, ends } = copying(flow.body, { maxBytes: 15 });
  await settled();
  flow.drip("0123456789");
  flow.drip("0123456789");
  flow.close();
  await settled();

  assertEquals(await textOf(body), "01234567890123456789");
  assertEquals(ends, [["too-large", ""]]);
});

Deno.test("21: a body that is too large and breaks off at once is broken for its reader", async () => {
  const { soon } = copying(pieces("0123456789", "0123456789", new Error("cut")), { maxBytes: 15 });

  const body = await soon();

  assert(body instanceof ReadableStream);
  await assertRejects(() => textOf(body), Error, "cut");
});

Deno.test("21: a body whose copy has ended before it is read sets no timer", async () => {
  const { setTimeout } = globalThis;
  let timers = 0;
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
    timers++;
    return setTimeout(...args);
  }) as typeof setTimeout;
  try {
    const { soon } = copying(spring(9, 10).body, { maxBytes: 15, stallMs: 1_000 });
    await new Response(await soon()).arrayBuffer();
  } finally {
    globalThis.setTimeout = setTimeout;
  }

  assertEquals(timers, 0);
});

Deno.test("21: an error reaches the reader after everything that came before it", async () => {
  const flow = faucet();
  const { body, ends } = copying(flow.body);
  const error = new Error("cut");
  flow.drip("one");
  await settled();
  flow.drip("two");
  await settled();
  flow.fail(error);
  await settled();
  const reader = body.getReader();

  const chunks = [await reader.read(), await reader.read()];

  assertEquals(chunks.map(({ value }) => new TextDecoder().decode(value)), ["one", "two"]);
  assertEquals(await assertRejects(() => reader.read()), error);
  assertEquals(ends, [["broken", ""]]);
});

Deno.test("21: a reader who cancels ends the copy, and the upstream gets the reason", async () => {
  const flow = faucet();
  const { body, ends } = copying(flow.body);
  await body.cancel("enough");

  assertEquals(ends, [["cancelled", ""]]);
  assertEquals(flow.cancelled, ["enough"]);
});

Deno.test("21: cancelling after the copy is complete does not undo it", async () => {
  const { body, ends } = copying(spring(1, 3).body);
  await settled();
  await body.cancel();

  assertEquals(ends, [["whole", "aaa"]]);
});

Deno.test("21: a reader's changes to a chunk do not show in the copy", async () => {
  const flow = faucet();
  const { body, ends } = copying(flow.body);
  const reader = body.getReader();
  flow.drip("good");
  const { value } = await reader.read();
  value!.fill(0);
  flow.close();
  await reader.read();

  assertEquals(ends, [["whole", "good"]]);
});

Deno.test("21: a fetched chunk that a reader has waited for is the reader's own", async () => {
  const flow = faucet();
  const { body, ends } = copying(flow.body, { isFetched: true });
  const reader = body.getReader();
  for (let count = 0; count < 2; count++) {
    const read = reader.read();
    await settled();
    flow.drip("good");
    (await read).value?.fill(120);
  }
  flow.close();
  await reader.read();

  assertEquals(ends, [["whole", "goodgood"]]);
});

Deno.test("21: a chunk that is not bytes reaches the reader, and ends the copy", async () => {
  const source = new ReadableStream({
    start(controller) {
      controller.enqueue("text" as unknown as Uint8Array);
      controller.close();
    },
  });
  const { body, ends } = copying(source);
  const { value } = await body.getReader().read();

  assertEquals([value as unknown, ends], ["text", [["broken", ""]]]);
});

Deno.test("21: an empty body is complete at once", async () => {
  const { body, ends } = copying(spring(0, 0).body);

  assertEquals(await textOf(body), "");
  assertEquals(ends, [["whole", ""]]);
});

Deno.test("21: a caller who never reads does not count against the upstream", async () => {
  const act = stage([() => new Response(spring(100, 1_000).body)], {
    threshold: 1,
    lastGood: { maxBodyBytes: 10_000, maxBodyMs: Infinity },
  });
  const unread = await act.ask();
  await settled();

  assertEquals(act.types, ["success", "not_kept"]);
  await unread.body!.cancel();
  assertEquals(act.circuit.state, "closed");
});

Deno.test("21, 34: the caller reads the same bytes, fields, status and URL as without a copy", async () => {
  const response = () =>
    Object.defineProperty(
      new Response(spring(3, 4).body, {
        status: 200,
        statusText: "Fine",
        headers: { "x-a": "1", "content-type": "text/plain" },
      }),
      "url",
      { value: "http://origin.test/final" },
    );
  const answer = await stage([response]).ask();

  assertEquals(answer.url, "http://origin.test/final");
  assertEquals([answer.status, answer.statusText, answer.ok], [200, "Fine", true]);
  assertEquals([...answer.headers], [...response().headers]);
  assertEquals(await answer.text(), "a".repeat(12));
});

Deno.test("21: a clone of the answer is as complete as the answer", async () => {
  const act = stage([() => new Response(spring(3, 4).body)]);
  const answer = await act.ask();
  const clone = answer.clone();

  assertEquals(await answer.text(), await clone.text());
});

Deno.test("21: a body that is already read or locked is left alone", async () => {
  const locked: Faucet = faucet();
  const response = new Response(locked.body);
  const reader = response.body!.getReader();
  const act = stage([() => response]);

  const answer = await act.ask();

  assert(answer === response);
  assertEquals(act.events.map((event) => event.type === "not_kept" && event.why), [
    false,
    "body-used",
  ]);
  reader.releaseLock();
});

Deno.test("N3: a chunk that is a small part of a large buffer does not hold all of it", async () => {
  const sizes: number[] = [];
  const copy = new BodyCopy(pieces(new Uint8Array(1_000).subarray(0, 10)), {
    maxBytes: 100,
    maxMs: Infinity,
    stallMs: Infinity,
    expectedBytes: undefined,
    isFetched: true,
    signal: undefined,
    isAborted: () => false,
    hold: holdIn(),
    onEnd: (_end, { buffer }) => {
      sizes.push(buffer.byteLength);
      return false;
    },
  });

  await new Response(await copy.bodySoon()).arrayBuffer();

  assertEquals(sizes, [10]);
});
