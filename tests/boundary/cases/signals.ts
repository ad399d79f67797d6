/** Signals and timers: who stops, who gathers, and whose timer fires. */
import { AsyncLocalStorage } from "node:async_hooks";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { type Breaker, breaker, signalOf } from "@lastgood/breaker";
import { assert, assertEquals } from "std/assert";
import { boundary, Deferred, elapsed, outcome, until } from "./stage/case.ts";
import { type Handler, HOST, serve } from "./stage/host.ts";
import { nothing, RawOrigin } from "./stage/origin.ts";
import { startProgram } from "./stage/program.ts";
import { watched } from "./stage/watched.ts";
import { WAYS } from "./stage/ways.ts";

for (const [way, guard] of Object.entries(WAYS)) {
  boundary(
    `11: a hundred hanging handlers in ${way} stop by signalOf at our time limit`,
    async () => {
      using origin = await RawOrigin.start(nothing);
      const w = watched({ threshold: 1_000, timeoutMs: 100 });
      let running = 0;
      let most = 0;
      const handler: Handler = async (request) => {
        most = Math.max(most, ++running);
        try {
          return await fetch(origin.url, { signal: signalOf(request) });
        } finally {
          running--;
        }
      };
      await using served = await serve(guard(w.api, handler));

      const statuses = await Promise.all(Array.from({ length: 100 }, async () => {
        const response = await fetch(served.url);
        await response.text();
        return response.status;
      }));
      await until(() => running === 0, `all have stopped, not ${running}`, 2_000);

      assertEquals(statuses, Array(100).fill(504));
      assert(most > 1);
    },
  );

  boundary(`11: a handler in ${way} stops by signalOf when its client leaves`, async () => {
    using origin = await RawOrigin.start(nothing);
    const w = watched();
    let running = 0;
    const handler: Handler = async (request) => {
      running++;
      try {
        return await fetch(origin.url, { signal: signalOf(request) });
      } finally {
        running--;
      }
    };
    await using served = await serve(guard(w.api, handler));
    const client = new AbortController();
    const asked = fetch(served.url, { signal: client.signal }).catch(() => {});
    await until(() => running === 1, "the handler runs");

    client.abort();
    await asked;
    await until(() => running === 0, "it has stopped", 2_000);

    await w.ended(1);
    assertEquals(w.ends, ["ignored abort"]);
  });
}

const LIMIT_MS = 100;

/** The ways in which a call waits for an origin while the event loop stands still. */
const WAITING: Readonly<Record<string, (api: Breaker, url: string) => Handler>> = {
  "api.fetch": (api, url) => ({ url: asked }) => api.fetch(url + new URL(asked).pathname),
  "a wrapped handler": (api, url) =>
    api.wrap(({ url: asked }) => fetch(url + new URL(asked).pathname)),
};

/** Stands still until this much time is enough, though not for ever. */
function block(isEnough: (blockedMs: number) => boolean): void {
  const start = performance.now();
  for (let ms = 0; ms < 3_000 && !isEnough(ms);) ms = performance.now() - start;
}

for (const [way, make] of Object.entries(WAITING)) {
  boundary(`35: ${way} gets answers that arrive while the event loop is blocked`, async () => {
    const folder = await mkdtemp(`${tmpdir()}/boundary-`);
    using program = startProgram("origin.mjs", { DELAY_MS: "20", FOLDER: folder });
    const url = (await program.address()).slice(0, -1);
    const w = watched({ threshold: 2, timeoutMs: LIMIT_MS, lastGood: false });
    const handler = make(w.api, url);

    const statuses: unknown[] = [];
    for (const page of ["a", "b", "c"]) {
      const call = outcome(async () =>
        (await handler(new Request(`http://a.test/${page}`))).status
      );
      await until(() => program.printed.includes(`asked for /${page}`), "the origin is asked");
      block((blockedMs) => blockedMs > 2 * LIMIT_MS && existsSync(`${folder}/${page}`));
      statuses.push(await call);
    }
    await rm(folder, { recursive: true });

    assertEquals(statuses, [200, 200, 200]);
    assertEquals(w.ends, Array(3).fill("success upstream"));
  });
}

boundary("11: calls at once with one signal give no MaxListenersExceededWarning", async () => {
  const warnings: string[] = [];
  const heard = (warning: Error) => void warnings.push(warning.name);
  process.on("warning", heard);
  try {
    for (const patienceMs of [Infinity, 1_000]) {
      using origin = await RawOrigin.start(nothing);
      const api = breaker({ lastGood: { patienceMs } });
      const { signal } = new AbortController();
      const over = new Deferred();
      const calls = Array.from({ length: 15 }, (_, n) => {
        const url = `${origin.url}${n}`;
        return Promise.race([
          outcome(() => api.fetch(url, { signal })),
          over.promise,
        ]);
      });
      await until(() => origin.arrivals.length === 15, "all have arrived");
      over.resolve();
      await Promise.all(calls);
    }
    await elapsed(1);
  } finally {
    process.off("warning", heard);
  }

  assertEquals(warnings.filter((name) => name === "MaxListenersExceededWarning"), []);
});

/** The bytes in use after a full collection. */
async function heap(): Promise<number> {
  for (let n = 0; n < 3; n++) {
    await elapsed(1);
    if (HOST === "bun") Bun.gc(true);
    else (globalThis as unknown as { gc(): void }).gc();
  }
  return process.memoryUsage().heapUsed;
}

declare const Bun: { gc(isSync: boolean): void };

const LIMITS = {
  "limits": {},
  "patienceMs": { patienceMs: 1_000, refreshMs: 0 },
  "limits but no AbortSignal.any": {},
  "patienceMs but no AbortSignal.any": { patienceMs: 1_000, refreshMs: 0 },
};

for (const [how, lastGood] of Object.entries(LIMITS)) {
  boundary(`11: a signal for a process's life gathers nothing, with ${how}`, async () => {
    const { signal } = new AbortController();
    const api = breaker({
      lastGood,
      timeoutMs: 5_000,
      fetch: async () => {
        // Later than a moment, so that a signal of its own is made.
        await new Promise((resolve) => setTimeout(resolve, 0));
        return new Response("fine");
      },
    });
    const calls = async (count: number) => {
      for (let n = 0; n < count; n += 50) {
        await Promise.all(Array.from({ length: 50 }, async () => {
          await (await api.fetch("http://a.test/", { signal })).text();
        }));
      }
    };
    const { any } = AbortSignal;
    let grown = NaN;
    if (how.endsWith("any")) Reflect.set(AbortSignal, "any", undefined);
    try {
      await calls(1_000);
      const before = await heap();

      await calls(2_000);

      grown = (await heap() - before) / 2_000;
    } finally {
      AbortSignal.any = any;
    }

    // A listener and its closures take more than 1,000; Node 20's own AbortSignal.any leaves 80.
    assert(grown < 500, `${grown} bytes per call`);
    assertEquals(signal.aborted, false);
  });
}

boundary("35: abort listeners run in the async context of their own call", async () => {
  const user = new AsyncLocalStorage<string>();
  const seen: string[] = [];
  const hangs = (name: string, signal: AbortSignal | null | undefined) =>
    new Promise<Response>((_, reject) => {
      signal!.addEventListener("abort", () => {
        seen.push(`${name} in ${user.getStore()}'s`);
        reject(signal!.reason);
      });
    });
  const api = breaker({
    timeoutMs: 50,
    fetch: (input, init) => hangs(new URL(String(input)).hostname.split(".")[0]!, init?.signal),
  });

  await Promise.all(
    ["alice", "bob", "carol"].map((name) =>
      user.run(name, () => outcome(() => api.fetch(`http://${name}.test/`)))
    ),
  );

  assertEquals(seen.sort(), ["alice in alice's", "bob in bob's", "carol in carol's"]);
});
