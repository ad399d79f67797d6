import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { breaker, CircuitOpenError } from "@lastgood/breaker";
import { upstream } from "@lastgood/breaker/testing";
import { faucet } from "../stage/bodies.ts";
import { stage, WAYS } from "../stage/breaker_stage.ts";
import { settled } from "../stage/settle.ts";

const GOOD = { body: "good" };
const BAD = { status: 500, body: "bad" };

for (const way of WAYS) {
  Deno.test(`23: for a failed call ${way} prefers the last good answer to the fallback`, async () => {
    const { ask, text } = stage([GOOD, BAD, "reset"], { fallback: () => new Response("F") }, way);
    await text();

    assertEquals(await text(), "good");
    assertEquals(
      (await ask()).headers.get("cache-status"),
      "lastgood; fwd=stale; detail=origin-error",
    );
  });

  Deno.test(`23: for a refused call ${way} prefers the last good answer to the fallback`, async () => {
    const options = { threshold: 1, fallback: () => new Response("F") };
    const { ask, text, origin } = stage([GOOD, BAD], options, way);
    await text();
    await text();

    const refused = await ask();

    assertEquals(await refused.text(), "good");
    assertEquals(refused.headers.get("cache-status"), "lastgood; hit; detail=circuit-open");
    assertEquals(origin.calls, 2);
  });

  Deno.test(`23: ${way} answers with the fallback if nothing is kept`, async () => {
    const causes: unknown[] = [];
    const fallback = (request: Request, cause: unknown) => {
      causes.push(cause);
      return Promise.resolve(new Response(`instead of ${request.url}`));
    };
    const error = new Error("unplugged");
    const { text } = stage([BAD, error], { threshold: 2, fallback }, way);

    for (let call = 1; call <= 3; call++) {
      assertEquals(await text({ path: "/a?b" }), "instead of http://origin.test/a?b");
    }

    const [failed, rejected, refused] = causes;
    assert(failed instanceof Response && failed.status === 500);
    assertStrictEquals(rejected, error);
    assert(refused instanceof CircuitOpenError && refused.retryAfterMs === 1_000);
  });

  Deno.test(`23: ${way} passes on the upstream's own failure as a last resort`, async () => {
    const error = new Error("unplugged");
    const { ask, text } = stage([BAD, error], {}, way);

    assertEquals(await text(), "bad");
    assertStrictEquals(await assertRejects(() => ask()), error);
  });
}

Deno.test("23: fetch rejects with CircuitOpenError if refused and nothing is kept", async () => {
  const { ask, tick } = stage([500], { threshold: 1, delayMs: 5_000 });
  await ask();
  tick(1_500);

  const error = await assertRejects(() => ask(), CircuitOpenError, "retry after 4 secs");

  assertEquals(error.circuit, "http://origin.test");
  assertEquals(error.retryAfterMs, 3_500);
});

for (const way of ["wrap", "respond"] as const) {
  Deno.test(`23: ${way} answers 503 with problem details if refused`, async () => {
    const { ask, tick } = stage([500], { threshold: 1, delayMs: 5_000 }, way);
    await ask();
    tick(1_500);

    const { status, headers, ...rest } = await ask().then(async (response) => ({
      status: response.status,
      headers: response.headers,
      problem: await response.json(),
    }));

    assertEquals(status, 503);
    assertEquals(headers.get("retry-after"), "4");
    assertEquals(headers.get("content-type"), "application/problem+json");
    assertEquals(headers.get("cache-control"), "no-store");
    assertEquals(headers.has("cache-status"), false);
    assertEquals(rest.problem.status, 503);
  });

  Deno.test(`23: ${way} sends no Retry-After while the circuit is isolated`, async () => {
    const { ask, circuit } = await used(way);
    circuit.isolate();

    const response = await ask();

    assertEquals(response.status, 503);
    assertEquals(response.headers.has("retry-after"), false);
  });
}

async function used(way: "wrap" | "respond") {
  const whole = stage([200], { lastGood: false }, way);
  await whole.ask();
  return whole;
}

Deno.test("26: our own Retry-After is rounded up and at least 1", async () => {
  const { ask, tick } = stage([500], { threshold: 1, delayMs: 2_001 }, "wrap");
  await ask();
  const secs = async () => (await ask()).headers.get("retry-after");

  assertEquals(await secs(), "3");
  tick(2_000);
  assertEquals(await secs(), "1");
});

Deno.test("F7: the body of a replaced failed answer is cancelled", async () => {
  const [replaced, answered] = [faucet(), faucet()];
  const script = [GOOD, bad(replaced.body)];
  const { text } = stage(script);
  await text();
  const other = stage([bad(answered.body)], { fallback: () => new Response("F") });

  await text();
  await other.text();
  await settled();

  assertEquals([replaced.cancelled.length, answered.cancelled.length], [1, 1]);
});

Deno.test("23: the fallback may pass on the failed answer, including its body", async () => {
  const same = (_: Request, cause: unknown) => cause as Response;
  const dressed = (_: Request, cause: unknown) =>
    new Response((cause as Response).body, { status: 418 });

  assertEquals(await stage([BAD], { fallback: same }).text(), "bad");
  assertEquals(await stage([BAD], { fallback: dressed }).text(), "bad");
});

Deno.test("23: serveOn open leaves failed calls to the fallback and the upstream's own answer", async () => {
  const lastGood = { serveOn: "open" } as const;
  const { text } = stage([GOOD, BAD], { threshold: 2, lastGood });
  await text();

  assertEquals(await text(), "bad");
  assertEquals(await text(), "bad");
  assertEquals(await text(), "good");
});

Deno.test("23: a breaker without last good answers refuses at once", async () => {
  const api = breaker({ threshold: 1, lastGood: false, fetch: upstream([GOOD, 500]) });
  await (await api.fetch("http://origin.test/")).text();
  await api.fetch("http://origin.test/");

  await assertRejects(() => api.fetch("http://origin.test/"), CircuitOpenError);
});

function bad(body: ReadableStream<Uint8Array>): () => Response {
  return () => new Response(body, { status: 503 });
}
