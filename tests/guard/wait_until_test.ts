import { assert, assertEquals } from "@std/assert";
import { due, ORIGIN, SCRIPT, stage, waiting } from "../stage/breaker_stage.ts";
import { stopping } from "../stage/hosting.ts";
import { outlivesAnswer } from "../../src/runtime.ts";

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
