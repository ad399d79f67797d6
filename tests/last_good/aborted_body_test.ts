import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { abortable, faucet, pieces, spring } from "../stage/bodies.ts";
import { stage } from "../stage/breaker_stage.ts";
import { listenersOf } from "../stage/listeners.ts";
import { settled } from "../stage/settle.ts";

const GONE = new Error("gone");

/** Bodies that are copied before anybody reads. */
const BODIES: Readonly<Record<string, () => BodyInit>> = {
  "in one piece": () => "good",
  "in a stream": () => spring(30, 4).body,
};

const CONSUMERS: Readonly<Record<string, (answer: Response) => Promise<unknown>>> = {
  "text()": (answer) => answer.text(),
  "json()": (answer) => answer.json(),
  "arrayBuffer()": (answer) => answer.arrayBuffer(),
  "blob()": (answer) => answer.blob(),
  "its reader": (answer) => answer.body!.getReader().read(),
  "pipeTo()": (answer) => answer.body!.pipeTo(new WritableStream()),
  "the text of its clone": (answer) => answer.clone().text(),
};

for (const [what, body] of Object.entries(BODIES)) {
  for (const [how, consume] of Object.entries(CONSUMERS)) {
    Deno.test(`11: an abort reaches a body ${what} that is copied already, by ${how}`, async () => {
      const client = new AbortController();
      const act = stage([() => new Response(body())]);
      const answer = await act.ask({ signal: client.signal });
      await act.api.idle();
      assertEquals(act.types, ["success", "kept"]);

      client.abort(GONE);

      assertStrictEquals(await assertRejects(() => consume(answer)), GONE);
    });
  }
}

Deno.test("11: an abort between two chunks ends a body that is copied already", async () => {
  const client = new AbortController();
  const act = stage([() => new Response(spring(30, 4).body)]);
  const reader = (await act.ask({ signal: client.signal })).body!.getReader();
  await act.api.idle();
  assertEquals((await reader.read()).value?.byteLength, 4);

  client.abort(GONE);

  assertStrictEquals(await assertRejects(() => reader.read()), GONE);
});

Deno.test("11: an abort during a body that is not there yet gives the upstream's own error", async () => {
  const client = new AbortController();
  const upstream = (request: Request) => {
    const flow = abortable(request.signal ?? client.signal);
    flow.drip("first");
    return new Response(flow.body);
  };
  const act = stage([upstream]);
  const reader = (await act.ask({ signal: client.signal })).body!.getReader();
  await settled();

  client.abort(GONE);

  assertStrictEquals(await assertRejects(() => reader.read()), GONE);
  assertEquals(act.types, ["success", "not_kept"]);
});

Deno.test("11: an abort ends a body whose upstream knows nothing of it, and cancels that", async () => {
  const client = new AbortController();
  const flow = faucet();
  const act = stage([() => new Response(flow.body)]);
  const reader = (await act.ask({ signal: client.signal })).body!.getReader();
  flow.drip("first");
  await reader.read();

  client.abort(GONE);

  assertStrictEquals(await assertRejects(() => reader.read()), GONE);
  assertEquals([flow.cancelled, act.types], [[GONE], ["success", "not_kept"]]);
});

Deno.test("11: an abort after a body was read to its end changes nothing", async () => {
  const client = new AbortController();
  const act = stage([() => new Response("good"), () => new Response(pieces("go", "od"))]);
  const texts = [];
  for (const path of ["/1", "/2"]) {
    texts.push(await (await act.ask({ path, signal: client.signal })).text());
  }

  client.abort(GONE);

  assertEquals(texts, ["good", "good"]);
});

Deno.test("11: a body that could be aborted is read to its end, also as a stream", async () => {
  const { signal } = new AbortController();
  const act = stage([{ body: "good" }]);
  const answer = await act.ask({ signal });

  const text = await new Response(answer.body).text();

  assertEquals([text, answer.bodyUsed], ["good", true]);
});

Deno.test("11: a copied body adds no listener to its caller's signal, read or not", async () => {
  const counts: number[] = [];
  for (const lastGood of [{}, false] as const) {
    const { signal } = new AbortController();
    const listeners = listenersOf(signal);
    const act = stage([{ body: "good" }], { lastGood });
    for (let n = 0; n < 5; n++) await act.ask({ path: `/${n}`, signal });
    await act.api.idle();
    counts.push(listeners.count);
  }

  assertEquals(counts[0], counts[1]);
});

Deno.test("11: a handler's body is its server's to abort", async () => {
  const client = new AbortController();
  const act = stage([() => new Response("good")], {}, "wrap");
  const answer = await act.ask({ signal: client.signal });

  client.abort(GONE);

  assertEquals(await answer.text(), "good");
});

Deno.test("11: an abort does not reach what a caller got from memory", async () => {
  const client = new AbortController();
  const act = stage([{ body: "good" }, 500]);
  await act.text();
  const answer = await act.ask({ signal: client.signal });

  client.abort(GONE);

  assertEquals(await answer.text(), "good");
});

Deno.test("11: a reader who cancels an abortable body in one piece is heard", async () => {
  const flow = faucet();
  const { signal } = new AbortController();
  const act = stage([() => new Response(flow.body)]);
  const answer = await act.ask({ signal });

  await answer.body!.cancel("enough");

  assertEquals([flow.cancelled, answer.bodyUsed], [["enough"], true]);
});
