/** Probes whose request ends first: their `finally` never runs. */
import { breaker, Circuit } from "@lastgood/breaker";
import { assertEquals, assertRejects } from "@std/assert";
import { route, send, sleep, test, until } from "./host.ts";
import { dripping } from "../../stage/bodies.ts";
import { Clock } from "../../stage/clock.ts";
import { down } from "../../stage/upstream.ts";
import { ask, stage, WAYS, type WorkerStage } from "../../stage/worker_stage.ts";

/** Sends a request, and hangs up as soon as it has reached a point. */
async function hangUp(path: string, reached: () => boolean): Promise<void> {
  const client = new AbortController();
  const answer = send(path, { signal: client.signal });
  answer.catch(() => {});
  await until(reached);
  client.abort();
  await assertRejects(() => answer, DOMException, "aborted");
  await sleep(10);
}

const plain = { reached: false, heard: false };
route("/probe/signal", (request) => {
  plain.reached = true;
  request.signal.addEventListener("abort", () => plain.heard = true);
  return sleep(1_000).then(() => new Response("late"));
});

/** Reports whether a request's signal aborts on a hang-up: with newer compatibility dates it does. */
async function signalsHangUps(): Promise<boolean> {
  await hangUp("/probe/signal", () => plain.reached);
  return plain.heard;
}

async function open(act: WorkerStage): Promise<void> {
  act.answer = down(500);
  await act.ask();
  await act.ask();
  assertEquals(act.state, "open");
}

for (const way of WAYS) {
  const path = `/probe/${way}`;
  const act = stage(path, way, { lastGood: false, probeTimeoutMs: 3_000, timeoutMs: 100 });

  test(`7, 8: a probe whose request is cancelled frees its slot on ${way}`, async () => {
    await open(act);
    act.answer = () => sleep(1_000).then(down(500));
    act.tick(1_000);

    await hangUp(path, () => act.calls === 3);
    act.answer = () => new Response("good");
    act.tick(2_999);
    const early = await act.ask();
    act.tick(1);
    const late = await act.ask();

    // A caller's abort frees the slot at once. Without a signal for it, the lease does.
    const heard = way !== "fetch" && await signalsHangUps();
    assertEquals([early.status, late.status], [heard ? 200 : 503, 200]);
    assertEquals(early.headers.get("retry-after"), heard ? null : "1");
    assertEquals(act.state, "closed");
  });
}

let started = 0;
let ended = 0;
let hangs = true;
const clock = new Clock(0);
const circuit = new Circuit({ delayMs: 1_000, probes: 2, probeTimeoutMs: 3_000, now: clock.now });
route("/probe/circuit", async () => {
  const call = async () => {
    started++;
    try {
      if (hangs) await sleep(1_000);
    } finally {
      ended++;
    }
    return "found";
  };
  return new Response(await circuit.run(call).catch((error) => error.name));
});

test("7: two probes whose requests are cancelled free both slots of a circuit", async () => {
  circuit.trip();
  clock.tick(1_000);

  await hangUp("/probe/circuit", () => started === 1);
  await hangUp("/probe/circuit", () => started === 2);
  hangs = false;
  const early = await ask("/probe/circuit");
  clock.tick(3_000);
  const late = [await ask("/probe/circuit"), await ask("/probe/circuit")];

  assertEquals(ended, 2, "finally ran only for the requests that were not cancelled");
  assertEquals(early.text, "CircuitOpenError");
  assertEquals(late.map(({ text }) => text), ["found", "found"]);
  assertEquals(circuit.state, "closed");
});

const closed = stage("/probe/closed", "wrap", { lastGood: false, threshold: 1 });

test("8: calls whose requests are cancelled change nothing in a closed circuit", async () => {
  closed.answer = () => sleep(1_000).then(down(500));

  for (let call = 1; call <= 5; call++) {
    await hangUp("/probe/closed", () => closed.calls === call);
  }
  closed.answer = () => new Response("good");

  assertEquals((await closed.ask()).text, "good");
  assertEquals(closed.events.filter(({ type }) => type === "failure" || type === "state"), []);
});

const halfway = stage("/probe/halfway", "fetch", { probeTimeoutMs: 3_000 });

test("20: a probe whose client hangs up during its body is a success", async () => {
  await open(halfway);
  halfway.tick(1_000);
  halfway.answer = () => new Response(dripping(Array(20).fill("drop"), 10));
  const client = new AbortController();
  const response = await send("/probe/halfway", { signal: client.signal });
  await response.body?.getReader().read();
  client.abort();
  await until(() => halfway.state === "closed");
});

const cancelled = { reached: false };
const idling = breaker({ timeoutMs: 50 });
route("/probe/idling", (request, _env, ctx) => {
  const { pathname } = new URL(request.url);
  return idling.respond(request, async () => {
    cancelled.reached = true;
    await sleep(1_000);
    return new Response(pathname);
  }, { waitUntil: (work) => ctx.waitUntil(work) });
});

test("idle resolves although a request was cancelled", async () => {
  await hangUp("/probe/idling", () => cancelled.reached);

  await Promise.race([idling.idle(), sleep(500).then(() => Promise.reject("hangs"))]);
});
