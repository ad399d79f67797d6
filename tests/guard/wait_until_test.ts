import { assert, assertEquals, assertRejects } from "@std/assert";
import { due, ORIGIN, SCRIPT, type Stage, stage, waiting } from "../stage/breaker_stage.ts";
import { stopping } from "../stage/hosting.ts";
import type { BreakerOptions } from "@lastgood/breaker";
import { outlivesAnswer } from "../../src/runtime.ts";
import { only } from "../stage/events.ts";

Deno.test("24, 33: without waitUntil the probe runs in the background only if work outlives the answer", async () => {
  const act = await due("fetch", SCRIPT);

  assertEquals(await act.text(), outlivesAnswer() ? "old" : "new");
  await act.api.idle();

  assertEquals([act.origin.calls, act.circuit.state], [3, "closed"]);
});

Deno.test("24, 33: without waitUntil the caller is the probe if the runtime stops background work", async () => {
  using _ = stopping();
  const act = await due("fetch", SCRIPT);

  assertEquals(await act.text(), "new");

  assertEquals([act.origin.calls, act.circuit.state], [3, "closed"]);
});

Deno.test("24, 33: with waitUntil the probe runs in the background even if the runtime would stop work", async () => {
  using _ = stopping();
  const { works, waitUntil } = waiting();
  const act = await due("fetch", SCRIPT, { waitUntil });

  assertEquals(await act.text(), "old");
  await Promise.all(works);
  assertEquals(await act.text(), "new");
});

Deno.test("33: a wrapped handler finds waitUntil in a Worker's or an edge function's context", async () => {
  using _ = stopping();
  for (const shape of ["worker", "edge"]) {
    const works: Promise<unknown>[] = [];
    const context = {
      works,
      waitUntil(work: Promise<unknown>) {
        this.works.push(work);
      },
    };
    const rest = shape === "worker" ? [{ KEY: "env" }, context] : [context];
    const act = stage(SCRIPT, { threshold: 1 });
    const handler = act.api.wrap((request: Request, ..._rest: unknown[]) =>
      act.origin(request.url)
    );
    const text = async () => await (await handler(new Request(ORIGIN), ...rest)).text();
    await text();
    await text();
    act.tick(1_000);

    assertEquals(await text(), "old", shape);
    await Promise.all(works);
    assertEquals(await text(), "new", shape);
  }
});

Deno.test("33: the waitUntil option takes precedence over the context's", async () => {
  const own = waiting();
  const context = waiting();
  const act = stage(SCRIPT, { threshold: 1, waitUntil: own.waitUntil });
  const handler = act.api.wrap((request: Request, _ctx: unknown) => act.origin(request.url));
  await (await handler(new Request(ORIGIN), context)).text();

  assertEquals([own.works.length, context.works.length], [1, 0]);
});

Deno.test("33: a waitUntil that throws is reported, and changes nothing", async () => {
  const error = new Error("too late");
  const waitUntil = () => {
    throw error;
  };
  const act = await due("fetch", SCRIPT, { waitUntil });

  assertEquals(await act.text(), "old");
  await act.api.idle();

  assertEquals(await act.text(), "new");
  assert(act.events.some((it) => it.type === "error" && it.source === "waitUntil"));
});

/** Sets a stage where a page is kept and a probe is due for a wrapped handler. */
async function wrapped(self: unknown, rest: readonly unknown[], options: BreakerOptions = {}) {
  const act: Stage = stage(SCRIPT, { threshold: 1, ...options });
  const handler = act.api.wrap((request: Request, ..._rest: unknown[]) => act.origin(request.url));
  const text = async () => await (await handler.call(self, new Request(ORIGIN), ...rest)).text();
  await text();
  await text();
  act.tick(1_000);
  return { act, text };
}

/** Claims to have every method, as a Worker's RPC stub does. */
const STUB: unknown = new Proxy(() => {}, {
  get: (_, name) => typeof name === "string" ? STUB : undefined,
  apply: () => STUB,
});

/** Throws whatever it is asked for. */
const THROWING: unknown = new Proxy({}, {
  get(_, name) {
    throw new Error(`There is no ${String(name)}`);
  },
});

Deno.test("33: a method of a Worker's class finds waitUntil in its this.ctx", async () => {
  using _ = stopping();
  const { works, waitUntil } = waiting();
  const { text } = await wrapped({ ctx: { waitUntil }, env: {} }, []);

  assertEquals(await text(), "old");

  await works.at(-1);
  assertEquals(await text(), "new");
});

Deno.test("33: the context among the arguments takes precedence over this.ctx", async () => {
  using _ = stopping();
  const [own, context] = [waiting(), waiting()];
  const { text } = await wrapped({ ctx: own }, [{}, context]);

  assertEquals(await text(), "old");

  assertEquals(own.works, []);
  await Promise.all(context.works);
});

for (
  const [what, self, rest] of [
    ["among the arguments", undefined, [STUB]],
    ["that is this", STUB, []],
    ["that is this.ctx", { ctx: STUB }, []],
  ] as const
) {
  Deno.test(`33: an RPC stub ${what} is no context`, async () => {
    using _ = stopping();
    const { act, text } = await wrapped(self, rest);

    assertEquals(await text(), "new");

    assertEquals(only(act.events, "error"), []);
  });
}

Deno.test("33: a context is found behind arguments that throw when they are read", async () => {
  using _ = stopping();
  const { works, waitUntil } = waiting();
  const { act, text } = await wrapped(undefined, [THROWING, STUB, { waitUntil }]);

  assertEquals(await text(), "old");

  await Promise.all(works);
  assertEquals(only(act.events, "error"), []);
});

Deno.test("10, 33: a getter that throws is heard, and the handler runs as without the breaker", async () => {
  using _ = stopping();
  const { act, text } = await wrapped(undefined, [THROWING]);

  assertEquals(await text(), "new");

  assertEquals(
    new Set(only(act.events, "error").map(({ source }) => source)),
    new Set(["waitUntil"]),
  );
  assertEquals(act.circuit.state, "closed");
});

Deno.test("10, 33: a waitUntil getter of respond's context that throws is heard once per request", async () => {
  const error = new Error("no context");
  const act = stage([{ body: "fine" }]);
  const context = {
    get waitUntil(): undefined {
      throw error;
    },
  };
  const answer = await act.api.respond(new Request(ORIGIN), ({ url }) => act.origin(url), context);

  assertEquals(await answer.text(), "fine");

  assertEquals(only(act.events, "error").map(({ source, error }) => [source, error]), [
    ["waitUntil", error],
  ]);
});

Deno.test("10: a key getter of respond's context that throws is a rejection", async () => {
  const { api } = stage([200]);
  const context = {
    get key(): string {
      throw new TypeError("no key");
    },
  };
  const asked = api.respond(new Request(ORIGIN), () => new Response(), context);

  await assertRejects(() => asked, TypeError, "no key");
});

Deno.test("33: respond takes key, waitUntil and background from its context, and nothing else", async () => {
  const { api } = stage([200]);
  let signal: AbortSignal | undefined;
  const context = { key: "mine", takesSignal: false, justArrived: true };
  await api.respond(new Request(ORIGIN), (_request, given) => {
    signal = given;
    return new Response();
  }, context);

  assert(signal instanceof AbortSignal);
});

// ---- The option `background` ----

Deno.test("33: with background: false no call goes on behind its answer, whatever keeps work alive", async () => {
  for (const way of ["fetch", "wrap", "respond"] as const) {
    const act = await due(way, SCRIPT, { background: false, waitUntil: waiting().waitUntil });

    assertEquals(await act.text(), "new", way);
  }
});

Deno.test("33: background: true says that the host lives on", async () => {
  using _ = stopping();
  for (const way of ["fetch", "wrap", "respond"] as const) {
    const act = await due(way, SCRIPT, { background: true });

    assertEquals(await act.text(), "old", way);
    await act.api.idle();
    assertEquals(await act.text(), "new", way);
  }
});

Deno.test("33: background of respond's context wins over the option, except over false", async () => {
  using _ = stopping();
  for (
    const [option, own, text] of [
      [undefined, true, "old"],
      [true, false, "new"],
      [true, undefined, "old"],
      [false, true, "new"],
    ] as const
  ) {
    const act = stage(SCRIPT, { threshold: 1, background: option });
    const ask = async () => {
      const produce = ({ url }: Request) => act.origin(url);
      return await (await act.api.respond(new Request(ORIGIN), produce, { background: own }))
        .text();
    };
    await ask();
    await ask();
    act.tick(1_000);

    assertEquals(await ask(), text, `${option}, ${own}`);
    await act.api.idle();
  }
});
