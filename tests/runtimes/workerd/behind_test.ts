/** Work behind the answer: with `waitUntil` it goes on, without it is not begun or harmlessly lost. */
import { type Breaker, breaker } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { type ExecutionContext, type Handler, route, sleep, test, until } from "./host.ts";
import { ask, down } from "../../stage/worker_stage.ts";

/** An upstream that takes its time, in a request of its own. */
interface SlowOrigin {
  readonly url: string;
  calls: number;
  isDown: boolean;
}

/** A breaker whose upstream takes 40 ms for a body of three pieces, and what the Worker makes of it. */
function slow(path: string, handler: (api: Breaker, url: string) => Handler) {
  const origin: SlowOrigin = { url: `http://worker${path}/origin`, calls: 0, isDown: false };
  let now = 0;
  const api = breaker({
    threshold: 1,
    delayMs: 1_000,
    probeTimeoutMs: 5_000,
    now: () => now,
    lastGood: { refreshMs: 0 },
  });
  route(path, handler(api, origin.url));
  route(`${path}/origin`, async () => {
    const text = `answer ${++origin.calls}`;
    if (origin.isDown) return down();
    await sleep(20);
    return inPieces(text);
  });
  return {
    api,
    origin,
    tick: (ms: number) => void (now += ms),
    ask: () => ask(path),
    get state() {
      return [...api.circuits()][0]?.[1].state;
    },
  };
}

function inPieces(text: string): Response {
  const pieces = [...text].map((letter) => new TextEncoder().encode(letter));
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await sleep(2);
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
  return new Response(body);
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

type Slow = ReturnType<typeof slow>;

/** Kept, open, and the delay over: a probe is due. */
async function due(act: Slow): Promise<void> {
  assertEquals((await act.ask()).text, "answer 1");
  act.origin.isDown = true;
  await act.ask();
  assertEquals(act.state, "open");
  act.origin.isDown = false;
  act.tick(1_000);
}

const probing = slow("/behind/probing", wrapped);

test("24, 33: a probe under waitUntil outlives the answer from memory", async () => {
  await due(probing);

  const { text, headers } = await probing.ask();
  const atOnce = probing.state;
  await until(() => probing.state === "closed");

  assertEquals([text, headers.get("age"), atOnce], ["answer 1", "1", "half_open"]);
  assertEquals(probing.origin.calls, 3);
  probing.origin.isDown = true;
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
  keeping.origin.isDown = true;

  assertEquals((await keeping.ask()).text, "status 200");
  assertEquals(keeping.origin.calls, 2);
});

const losing = slow("/behind/losing", (api, url) => unread(without(api, url)));

test("21: keeping that is lost with its request, without waitUntil, breaks nothing", async () => {
  assertEquals((await losing.ask()).text, "status 200");
  await sleep(100);
  losing.origin.isDown = true;
  assertEquals((await losing.ask()).text, "status 500");
  losing.origin.isDown = false;
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
  read.origin.isDown = true;

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
