/** Work in the background: `waitUntil` keeps it alive; without, it never begins or harmlessly ends. */
import { type Breaker, breaker, signalOf } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { type ExecutionContext, type Handler, sleep, test, until } from "./host.ts";
import { dripping } from "../../stage/bodies.ts";
import { down } from "../../stage/upstream.ts";
import { outlivesAnswer } from "../../../src/runtime.ts";
import { WorkerStage } from "../../stage/worker_stage.ts";

/** Sets a stage with a slow upstream, and the Worker's handler for it. */
function slow(path: string, handler: (api: Breaker, url: string) => Handler): WorkerStage {
  const act = new WorkerStage(path, {
    threshold: 1,
    probeTimeoutMs: 5_000,
    lastGood: { refreshMs: 0 },
  });
  recover(act);
  return act.runs(handler(act.api, act.url));
}

/** Makes the upstream answer its number of calls from now on, letter by letter over about 40 ms. */
function recover(act: WorkerStage): void {
  act.answer = async () => {
    const letters = [...`answer ${act.calls}`];
    await sleep(20);
    return new Response(dripping(letters, 2));
  };
}

/** Guards `fetch` in a Worker's handler, with or without the handler's context. */
const wrapped = (api: Breaker, url: string): Handler => api.wrap(() => fetch(url));
const without = (api: Breaker, url: string): Handler => {
  const handler = api.wrap(() => fetch(url));
  return (request) => handler(request);
};
/** Answers before the upstream's body arrives, and reads none of it. */
const unread = (handler: Handler): Handler => async (...args) => {
  const { status } = await handler(...args);
  return new Response(`status ${status}`);
};

/** Gets an answer kept, the circuit opened and its delay over, so that a probe is due. */
async function due(act: WorkerStage): Promise<void> {
  assertEquals((await act.ask()).text, "answer 1");
  act.fail(down(500));
  await act.ask();
  assertEquals(act.state, "open");
  recover(act);
  act.tick(1_000);
}

const probing = slow("/background/probing", wrapped);

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

const alone = slow("/background/alone", without);

test("24, 33: without waitUntil the caller is the probe", async () => {
  await due(alone);

  assertEquals((await alone.ask()).text, "answer 3");
  assertEquals(alone.state, "closed");
});

const keeping = slow("/background/keeping", (api, url) => unread(wrapped(api, url)));

test("21: keeping under waitUntil outlives an answer that does not read the body", async () => {
  assertEquals((await keeping.ask()).text, "status 200");
  await sleep(100);
  keeping.fail(down(500));

  assertEquals((await keeping.ask()).text, "status 200");
  assertEquals(keeping.calls, 2);
});

const losing = slow("/background/losing", (api, url) => unread(without(api, url)));

test("21: without waitUntil, a copy lost with its request does no harm", async () => {
  assertEquals((await losing.ask()).text, "status 200");
  await sleep(100);
  losing.fail(down(500));
  assertEquals((await losing.ask()).text, "status 500");
  recover(losing);
  losing.tick(1_000);

  assertEquals((await losing.ask()).text, "status 200");
  // The probe's copy is lost, too: its good head counts when its lease is over.
  losing.tick(5_000);
  assertEquals((await losing.ask()).text, "status 200");
  assertEquals(losing.state, "closed");
});

const read = slow("/background/read", without);

test("21: an answer that its client reads is kept without waitUntil", async () => {
  await read.ask();
  read.fail(down(500));

  assertEquals((await read.ask()).text, "answer 1");
});

const patient = slow("/background/patient", (_api, url) => {
  const api = breaker({ lastGood: { patienceMs: 5, refreshMs: 0 } });
  return api.wrap(() => fetch(url));
});

test("25: a slow call under waitUntil continues in the background, and is kept", async () => {
  await patient.ask();
  const second = await patient.ask();
  await sleep(150);
  const third = await patient.ask();

  assertEquals(second.text, "answer 1");
  assertEquals(third.text, "answer 2");
  assertEquals(third.headers.get("cache-status"), "lastgood; fwd=stale; detail=slow");
});

/** The number of works that each request's context was given. */
const given: number[] = [];
const owned = slow("/background/owned", (api, url) => {
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

test("33: work is given to the context of the request that begins it", async () => {
  await due(owned);
  await owned.ask();
  await until(() => owned.state === "closed");

  // Kept; failed and served; probed in the background.
  assertEquals(given, [1, 0, 1]);
});

const asMethod = slow("/background/method", (api, url) => {
  const handler = api.wrap(() => fetch(url));
  return (request, env, ctx) => handler.call({ env, ctx }, request);
});

test("33: a method of a Worker's class finds waitUntil in its this.ctx", async () => {
  await due(asMethod);
  const { text } = await asMethod.ask();
  await until(() => asMethod.state === "closed");

  assertEquals(text, "answer 1");
});

const withStub = slow("/background/stub", (api, url) => {
  const handler = api.wrap((_request: Request, _stub: unknown) => fetch(url));
  return (request, env) => {
    const stub = env.SELF as unknown as { waitUntil: unknown };
    // What it claims: calling it would ask the other Worker.
    assertEquals(typeof stub.waitUntil, "function");
    return handler(request, stub);
  };
});

test("33: an RPC stub among the arguments is no context: the caller is the probe", async () => {
  await due(withStub);

  assertEquals((await withStub.ask()).text, "answer 3");
  assertEquals(withStub.state, "closed");
});

const MODULE = "cloudflare:workers";
let imported: (work: Promise<unknown>) => void = () => {};
const importing = slow("/background/imported", (_api, url) => {
  const api = breaker({
    threshold: 1,
    delayMs: 10,
    lastGood: { refreshMs: 0 },
    waitUntil: (work) => imported(work),
  });
  return () => api.fetch(url);
});

test("33: the waitUntil of cloudflare:workers works as an option at module scope", async () => {
  const { waitUntil } = await import(MODULE);
  if (waitUntil === undefined) return;
  imported = waitUntil;
  assertEquals((await importing.ask()).text, "answer 1");
  importing.fail(down(500));
  assertEquals((await importing.ask()).text, "answer 1");
  recover(importing);
  await sleep(20);

  assertEquals((await importing.ask()).text, "answer 1");
  await until(() => importing.calls === 3);
  await sleep(100);
  assertEquals((await importing.ask()).text, "answer 4");
});

test("33: Workers stop work behind their answers, whatever else they look like", () => {
  assertEquals(outlivesAnswer(), false);
  const shimmed = Object.create(globalThis, { navigator: { value: {} } });
  assertEquals(outlivesAnswer(shimmed), false);
});

let stopped = 0;
const leaving = slow("/background/signal", (_api, url) => {
  const api = breaker({ timeoutMs: 20, lastGood: false });
  return api.wrap(async (request: Request) => {
    try {
      return await fetch(url, { signal: signalOf(request) });
    } catch (error) {
      stopped++;
      throw error;
    }
  });
});

test("11: signalOf stops the fetch of a handler that has timed out", async () => {
  leaving.answer = async () => {
    await sleep(500);
    return new Response("late");
  };

  const { status } = await leaving.ask();
  await sleep(50);

  assertEquals([status, stopped], [504, 1]);
});
