/** Facts that the library is built around: if one stops being true, a rule in `src/` can go. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { route, send, sleep, test } from "./host.ts";

const ask = async (path: string) => await (await send(path)).text();

/** Operations that a Worker's global scope forbids. */
const forbidden = {
  setTimeout: () => setTimeout(() => {}, 0),
  "AbortSignal.timeout": () => AbortSignal.timeout(1),
  "crypto.randomUUID": () => crypto.randomUUID(),
  "new Response(text)": () => new Response("text"),
};
const atGlobalScope = {
  now: Date.now(),
  refused: Object.entries(forbidden).flatMap(([name, call]) => refuses(call) ? [name] : []),
};

function refuses(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch {
    return true;
  }
}

test("workerd's global scope has no clock", () => {
  assertEquals(atGlobalScope.now, 0);
});

test("workerd's global scope refuses I/O, timers and random values", () => {
  assertEquals(atGlobalScope.refused, Object.keys(forbidden));
});

let seen = 0;
route("/facts/count", () => new Response(String(++seen)));

test("workerd's requests share one isolate", async () => {
  assertEquals(await ask("/facts/count"), "1");
  assertEquals(await ask("/facts/count"), "2");
});

let kept: Response | undefined;
let bytes: Uint8Array<ArrayBuffer> | undefined;
route("/facts/keep", () => {
  kept = new Response("kept", { status: 203 });
  bytes = new TextEncoder().encode("bytes");
  return new Response("ok");
});
route("/facts/kept-status", () => new Response(String(kept?.status)));
route("/facts/kept-body", () => new Response(kept?.body ?? null));
route("/facts/kept-bytes", () => new Response(bytes ?? null));

test("workerd lets a request read another request's bytes, and the status of its Response", async () => {
  await ask("/facts/keep");

  assertEquals(await ask("/facts/kept-bytes"), "bytes");
  assertEquals(await ask("/facts/kept-status"), "203");
});

test("workerd does not let a request read the body of another request's Response", async () => {
  await ask("/facts/keep");

  await assertRejects(() => ask("/facts/kept-body"), Error, "of a different request");
});

let fired = false;
route("/facts/timer", () => {
  setTimeout(() => fired = true, 5);
  return new Response("ok");
});

test("workerd drops the timers of a request that has ended", async () => {
  await ask("/facts/timer");
  await sleep(50);

  assert(!fired);
});

let outlived = false;
route("/facts/wait-until", (_request, _env, ctx) => {
  ctx.waitUntil(sleep(5).then(() => outlived = true));
  return new Response("ok");
});

test("workerd finishes work given to waitUntil after the answer", async () => {
  await ask("/facts/wait-until");
  await sleep(50);

  assert(outlived);
});

let pending: Promise<void> | undefined;
route("/facts/pend", () => {
  pending = sleep(5);
  return new Response("ok");
});
route("/facts/await-pending", async () => {
  await Promise.race([pending, sleep(100)]);
  return new Response("went on");
});

test("workerd rejects another request's promise once that request has ended", async () => {
  await ask("/facts/pend");

  await assertRejects(() => ask("/facts/await-pending"), Error, "can never settle");
});

const cancelled = { started: false, ended: false };
route("/facts/cancelled", async () => {
  cancelled.started = true;
  try {
    await sleep(30);
  } finally {
    cancelled.ended = true;
  }
  return new Response("ok");
});

test("workerd runs no finally in a request whose client is gone", async () => {
  const client = new AbortController();
  const { signal } = client;

  const answer = send("/facts/cancelled", { signal });
  await sleep(10);
  client.abort();
  await assertRejects(() => answer, DOMException, "aborted");
  await sleep(100);

  assertEquals(cancelled, { started: true, ended: false });
});
