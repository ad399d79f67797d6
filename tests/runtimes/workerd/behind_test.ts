/** Work behind the answer: with `waitUntil` it goes on, without it is not begun or harmlessly lost. */
import { type Breaker, breaker } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { type ExecutionContext, type Handler, sleep, test, until } from "./host.ts";
import { dripping } from "../../stage/bodies.ts";
import { down } from "../../stage/upstream.ts";
import { WorkerStage } from "../../stage/worker_stage.ts";

/** A Worker whose upstream takes its time, and what the Worker makes of it. */
function slow(path: string, handler: (api: Breaker, url: string) => Handler): WorkerStage {
  const act = new WorkerStage(path, {
    threshold: 1,
    probeTimeoutMs: 5_000,
    lastGood: { refreshMs: 0 },
  });
  recover(act);
  return act.runs(handler(act.api, act.url));
}

/** From now on the upstream takes about 40 ms to say how often it was asked, letter by letter. */
function recover(act: WorkerStage): void {
  act.answer = async () => {
    const letters = [...`answer ${act.calls}`];
    await sleep(20);
    return new Response(dripping(letters, 2));
  };
}

/** Guards `fetch` as a Worker's handler, with the context it is given or none. */
const wrapped = (api: Breaker, url: string): Handler => api.wrap(() => fetch(url));
const without = (api: Breaker, url: string): Handler => {
  const handler = api.wrap(() => fetch(url));
  return (request) => handler(request);
};
/** Answers before the upstream's body is there, and reads none of it. */
const unread = (handler: Handler): Handler => async (...args) => {
  const { status } = await handler(...args);
  return new Response(`status ${status}`);
};

/** Kept, open, and the delay over: a probe is due. */
async function due(act: WorkerStage): Promise<void> {
  assertEquals((await act.ask()).text, "answer 1");
  act.fail(down(500));
  await act.ask();
  assertEquals(act.state, "open");
  recover(act);
  act.tick(1_000);
}

const probing = slow("/behind/probing", wrapped);

test("24, 33: a probe under waitUntil outlives the answer from memory", async () => {
  await due(probing);

  const { text, headers } = await probing.ask();
  const atOnce = probing.state;
  await until(() => probing.state === "closed");

  assertEquals([text, headers.get("age"), atOnce], ["answer 1", "1", "half_open"]);
  assertEquals(probing.calls, 3);
  probing.fail(down(500));
  assertEquals((await probing.ask()).text, "answer 3");
});

const alone = slow("/behind/alone", without);

test("24, 33: without waitUntil the caller is the probe", async () => {
  await due(alone);

  assertEquals((await alone.ask()).text, "answer 3");
  assertEquals(alone.state, "closed");
});

const keeping = slow("/behind/keeping", (api, url) => unread(wrapped(api, url)));

test("21: keeping under waitUntil outlives an answer that reads no body", async () => {
  assertEquals((await keeping.ask()).text, "status 200");
  await sleep(100);
  keeping.fail(down(500));

  assertEquals((await keeping.ask()).text, "status 200");
  assertEquals(keeping.calls, 2);
});

const losing = slow("/behind/losing", (api, url) => unread(without(api, url)));

test("21: keeping that is lost with its request, without waitUntil, breaks nothing", async () => {
  assertEquals((await losing.ask()).text, "status 200");
  await sleep(100);
  losing.fail(down(500));
  assertEquals((await losing.ask()).text, "status 500");
  recover(losing);
  losing.tick(1_000);

  assertEquals((await losing.ask()).text, "status 200");
  // The copy of the probe is lost as well: its good head counts when its lease is over.
  losing.tick(5_000);
  assertEquals((await losing.ask()).text, "status 200");
  assertEquals(losing.state, "closed");
});

const read = slow("/behind/read", without);

test("21: an answer that its client reads is kept without waitUntil", async () => {
  await read.ask();
  read.fail(down(500));

  assertEquals((await read.ask()).text, "answer 1");
});

const patient = slow("/behind/patient", (_api, url) => {
  const api = breaker({ lastGood: { patienceMs: 5, refreshMs: 0 } });
  return api.wrap(() => fetch(url));
});

test("25: a slow call under waitUntil goes on behind the answer, and is kept", async () => {
  await patient.ask();
  const second = await patient.ask();
  await sleep(150);
  const third = await patient.ask();

  assertEquals(second.text, "answer 1");
  assertEquals(third.text, "answer 2");
  assertEquals(third.headers.get("cache-status"), "lastgood; fwd=stale; detail=slow");
});

/** What each request's own context was given. */
const given: number[] = [];
const owned = slow("/behind/owned", (api, url) => {
  const handler = api.wrap((_request: Request, _env: unknown, _ctx: ExecutionContext) =>
    fetch(url)
  );
  return (request, env, ctx) => {
    const index = given.push(0) - 1;
    const counting: ExecutionContext = {
      waitUntil(work) {
        given[index]!++;
        ctx.waitUntil(work);
      },
    };
    return handler(request, env, counting);
  };
});

test("33: work is given to the context of the very request that begins it", async () => {
  await due(owned);
  await owned.ask();
  await until(() => owned.state === "closed");

  // Kept; failed and served; probed behind.
  assertEquals(given, [1, 0, 1]);
});
