/** Timers and signals end with their request: none may serve another request's call. */
import { Circuit } from "@lastgood/breaker";
import { assert, assertEquals } from "@std/assert";
import { route, send, sleep, test, until } from "./host.ts";
import { dripping } from "../../stage/bodies.ts";
import { only, types } from "../../stage/events.ts";
import { ask, stage, WAYS } from "../../stage/worker_stage.ts";

const LIMIT_MS = 40;

/** Fails if the work hangs. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  const late = sleep(1_000).then(() => Promise.reject(new Error("It hangs")));
  return await Promise.race([work, late]);
}

for (const way of WAYS) {
  const path = `/timeout/${way}`;
  const options = { lastGood: false, timeoutMs: LIMIT_MS, threshold: 100 } as const;
  const act = stage(path, way, options);
  const failures = () => only(act.events, "failure");
  const hangs = () => act.answer = () => sleep(1_000).then(() => new Response("late"));
  const timesOut = async () => {
    const before = failures().length;
    hangs();
    await inTime(act.ask().catch(() => {}));
    const [failure] = failures().slice(before);
    assertEquals((failure as { error?: Error } | undefined)?.error?.name, "TimeoutError");
  };

  test(`11, 35: a call times out after another call's request has ended on ${way}`, async () => {
    act.answer = () => new Response("good");
    await act.ask();

    await timesOut();
    await timesOut();
  });

  const gone = stage(`${path}/gone`, way, options);

  test(`11, 35: a call times out although the previous request was cancelled on ${way}`, async () => {
    gone.answer = () => sleep(1_000).then(() => new Response("late"));
    const client = new AbortController();
    const answer = send(`${path}/gone`, { signal: client.signal });
    answer.catch(() => {});
    await until(() => gone.calls === 1);
    client.abort();
    await sleep(5);

    await inTime(gone.ask().catch(() => {}));

    const errors = only(gone.events, "failure").map(({ error }) => error);
    assertEquals(errors.map((error) => (error as Error).name), ["TimeoutError"]);
  });

  const both = stage(`${path}/both`, way, options);

  test(`11: two simultaneous calls time out separately on ${way}`, async () => {
    both.answer = () => sleep(1_000).then(() => new Response("late"));

    await inTime(Promise.all([
      both.ask().catch(() => {}),
      sleep(15).then(() => both.ask().catch(() => {})),
    ]));

    assertEquals(only(both.events, "failure").length, 2);
  });
}

const circuit = new Circuit({ timeoutMs: LIMIT_MS, threshold: 100 });
route("/timeout/circuit", async (request) => {
  const ms = Number(new URL(request.url).searchParams.get("ms"));
  const call = async () => {
    await sleep(ms);
    return "found";
  };
  return new Response(await circuit.run(call).catch((error) => error.name));
});

test("11: a circuit's timeout does not depend on that of a request that has ended", async () => {
  assertEquals((await ask("/timeout/circuit?ms=1")).text, "found");
  assertEquals((await inTime(ask("/timeout/circuit?ms=900"))).text, "TimeoutError");
  assertEquals((await ask("/timeout/circuit?ms=1")).text, "found");
});

const aborting = stage("/timeout/aborting", "fetch", { lastGood: false, threshold: 1 });
route("/timeout/aborts", async (request) => {
  const caller = new AbortController();
  setTimeout(() => caller.abort(new Error("changed my mind")), 10);
  const error = await aborting.api.fetch(request.headers.get("x-url") ?? "", {
    signal: caller.signal,
  }).catch((error) => error);
  return new Response(String(error));
});

test("8: a caller's abort is answered with its own error and counts nothing", async () => {
  aborting.answer = () => sleep(1_000).then(() => new Response("late"));

  const { text } = await inTime(
    ask("/timeout/aborts", { headers: { "x-url": aborting.url } }),
  );

  assertEquals(text, "Error: changed my mind");
  assertEquals(aborting.state, "closed");
  assertEquals(types(aborting.events), ["ignored"]);
});

test("11: a caller's abort does not affect another caller's call on the same circuit", async () => {
  aborting.answer = () => sleep(60).then(() => new Response("good"));

  const other = aborting.ask();
  await ask("/timeout/aborts", { headers: { "x-url": aborting.url } });

  assertEquals((await inTime(other)).text, "good");
});

const streaming = stage("/timeout/streaming", "fetch", { timeoutMs: LIMIT_MS });

test("11: a timeout never ends a body whose head arrived in time", async () => {
  streaming.answer = () => new Response(dripping(Array(5).fill("drop "), 20));

  assertEquals((await inTime(streaming.ask())).text, "drop ".repeat(5));
});

let mine: AbortSignal | undefined;
const signals = new Circuit({ timeoutMs: LIMIT_MS });
route("/timeout/signals", async () => {
  let isSame = false;
  await signals.run((signal) => {
    isSame = signal === mine;
    mine = signal;
    return "found";
  });
  return new Response(String(isSame));
});

test("11: each request's call has its own signal", async () => {
  await ask("/timeout/signals");

  assertEquals((await ask("/timeout/signals")).text, "false");
  assert(mine);
});
