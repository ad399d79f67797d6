/** A wrapped handler answers in the same turn where nothing has to be waited for. */

import { breaker, type BreakerOptions } from "@lastgood/breaker";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { circuitOf, ORIGIN } from "../stage/breaker_stage.ts";

/** Makes a wrapped handler whose page has a tag, and which has answered once. */
async function wrapped(options: BreakerOptions = {}) {
  const api = breaker({ threshold: 1, timeoutMs: Infinity, ...options });
  const headers = { etag: '"1"' };
  const handler = api.wrap((_: Request, ..._rest: unknown[]) => new Response("kept", { headers }));
  await (await handler(new Request(ORIGIN))).text();
  return { handler, circuit: circuitOf(api) };
}

Deno.test("24: an open wrapped handler answers from memory in the same turn", async () => {
  const { handler, circuit } = await wrapped();
  circuit.trip();

  const answer = handler(new Request(ORIGIN));

  assert(answer instanceof Response);
  assertEquals(await answer.text(), "kept");
});

Deno.test("F5: an open wrapped handler answers a condition with a 304 in the same turn", async () => {
  const { handler, circuit } = await wrapped();
  circuit.trip();

  const answer = handler(new Request(ORIGIN, { headers: { "if-none-match": '"1"' } }));

  assert(answer instanceof Response);
  assertEquals(answer.status, 304);
});

Deno.test("23: an open wrapped handler answers with a 503 in the same turn where nothing is kept", async () => {
  const { handler, circuit } = await wrapped();
  circuit.trip();

  const answer = handler(new Request(`${ORIGIN}/other`));

  assert(answer instanceof Response);
  assertEquals(answer.status, 503);
});

Deno.test("freshMs: a wrapped handler answers in the same turn from what is young enough", async () => {
  const { handler } = await wrapped({ lastGood: { freshMs: 60_000 } });

  assert(handler(new Request(ORIGIN)) instanceof Response);
});

Deno.test("10: what throws on the way into a wrapped handler is a rejection", async () => {
  const { handler } = await wrapped();
  const trap = () => {
    throw new Error("looked into");
  };

  const answer = handler(new Request(ORIGIN), new Proxy({}, { has: trap }));

  assert(answer instanceof Promise);
  await assertRejects(() => answer, Error, "looked into");
});

Deno.test("10: respond is a promise, even for what it answers at once", async () => {
  const api = breaker({ name: "api" });
  api.circuit("api-respond").trip();

  const answer = api.respond(new Request(ORIGIN), () => new Response());

  assert(answer instanceof Promise);
  assertEquals((await answer).status, 503);
});
