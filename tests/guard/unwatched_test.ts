/** Calls whose promise nobody waits for: they end like all others. */
import { breaker, Circuit } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";

const EDGE = "http://edge.test/";

/** Resolves with the name of the reason when the signal aborts. */
function aborted(signal: AbortSignal | null | undefined): Promise<string> {
  return new Promise((resolve) => {
    signal?.addEventListener("abort", () => resolve((signal.reason as Error).name));
  });
}

/** Makes a breaker whose calls hang, and says how the last one's signal aborts. */
function hanging(options: { timeoutMs: number; background?: boolean }) {
  const heard: Promise<string>[] = [];
  const api = breaker({
    ...options,
    lastGood: false,
    fetch(_input, init) {
      heard.push(aborted(init?.signal));
      return new Promise(() => {});
    },
  });
  return { api, heard };
}

Deno.test("11: the timeout of a fetch that nobody waits for aborts its work", async () => {
  const { api, heard } = hanging({ timeoutMs: 30 });

  api.fetch(EDGE).catch(() => {});

  assertEquals(await heard[0], "TimeoutError");
});

Deno.test("11: the timeout of a run that nobody waits for aborts its work", async () => {
  const circuit = new Circuit({ timeoutMs: 30, threshold: 1 });
  let heard: Promise<string> | undefined;

  circuit.run((signal) => {
    heard = aborted(signal);
    return new Promise(() => {});
  }).catch(() => {});

  assertEquals([await heard, circuit.state], ["TimeoutError", "open"]);
});

Deno.test("11: the timeout of a response that nobody waits for aborts the signal of its handler", async () => {
  const { api } = hanging({ timeoutMs: 30 });
  let heard: Promise<string> | undefined;

  api.respond(new Request(EDGE), (_, signal) => {
    heard = aborted(signal);
    return new Promise(() => {});
  });

  assertEquals(await heard, "TimeoutError");
});

Deno.test("11: the timeout of a probe in the background aborts its work", async () => {
  let hangs = false;
  let time = 1_000_000;
  const heard: Promise<string>[] = [];
  const api = breaker({
    timeoutMs: 30,
    threshold: 1,
    delayMs: 1_000,
    background: true,
    now: () => time,
    fetch(_input, init) {
      if (time < 1_002_000) {
        return Promise.resolve(new Response("page", { status: hangs ? 500 : 200 }));
      }
      heard.push(aborted(init?.signal));
      return new Promise(() => {});
    },
  });
  await (await api.fetch(EDGE)).text();
  await api.idle();
  hangs = true;
  await (await api.fetch(EDGE)).text();
  time += 60_000;

  const served = await (await api.fetch(EDGE)).text();

  assertEquals([served, await heard[0]], ["page", "TimeoutError"]);
});
