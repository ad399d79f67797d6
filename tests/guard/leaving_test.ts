/** Promise 36: clients who leave are no errors. */

import { assertEquals, assertRejects } from "@std/assert";
import { ORIGIN, stage } from "../stage/breaker_stage.ts";
import { settled } from "../stage/settle.ts";
import { handlerBy, requestWith, type UpstreamCall } from "../stage/ways.ts";

const HANDLERS = ["wrap", "respond", "hono"] as const;

/** Answers when its client leaves. */
const partingCall = (signal: AbortSignal): UpstreamCall => () =>
  new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(new Response("bye", { status: 202 })));
  });

/** Fails when its client leaves. */
const failingCall = (signal: AbortSignal): UpstreamCall => () =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

for (const way of HANDLERS) {
  Deno.test(`36: what a handler of ${way} gives to a client who leaves is the answer`, async () => {
    const act = stage([200], { threshold: 1 });
    const client = new AbortController();
    const handler = handlerBy(way, act.api, partingCall(client.signal));
    const asked = handler(requestWith(ORIGIN, {}, client.signal));
    await settled();
    client.abort();

    const answer = await asked;

    assertEquals([answer.status, await answer.text()], [202, "bye"]);
    assertEquals(act.types, ["ignored"]);
  });

  Deno.test(`36: a handler of ${way} that fails because its client leaves is no error of ours`, async () => {
    const act = stage([200], { threshold: 1 });
    const client = new AbortController();
    const handler = handlerBy(way, act.api, failingCall(client.signal));
    const asked = handler(requestWith(ORIGIN, {}, client.signal));
    await settled();
    client.abort();

    const answer = await asked;

    // Hono answers what its handlers throw, as it does without a breaker.
    const bare = [500, "Internal Server Error"];
    assertEquals([answer.status, await answer.text()], way === "hono" ? bare : [499, ""]);
    assertEquals(act.types, ["ignored"]);
  });
}

Deno.test("F7: an answer that comes as the caller of fetch aborts is cancelled", async () => {
  const client = new AbortController();
  let isCancelled = false;
  const fetch = () =>
    new Promise<Response>((resolve) => {
      client.signal.addEventListener("abort", () => {
        resolve(new Response(new ReadableStream({ cancel: () => void (isCancelled = true) })));
      });
    });
  const act = stage([200], { fetch });
  const asked = act.api.fetch(ORIGIN, { signal: client.signal });
  await settled();
  const reason = new Error("gone");
  client.abort(reason);

  assertEquals(await assertRejects(() => asked), reason);
  assertEquals([isCancelled, act.types], [true, ["ignored"]]);
});
