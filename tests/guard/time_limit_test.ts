import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { stage, WAYS } from "../stage/breaker_stage.ts";
import { only } from "../stage/events.ts";

const NEVER = new Promise<never>(() => {});

for (const way of WAYS) {
  Deno.test(`9: on ${way} a partition that hangs is given up, and the call goes on without memory`, async () => {
    using time = new FakeTime();
    const options = { timeoutMs: 1_000, threshold: 1, lastGood: { partition: () => NEVER } };
    const act = stage([{ body: "live" }], options, way);

    const asked = act.text();
    await time.tickAsync(1_000);

    assertEquals(await asked, "live");
    assertEquals(only(act.events, "error").map(({ source }) => source), ["partition"]);
    assertEquals(act.circuit.state, "closed");
    assertEquals(time.next(), false);
  });

  Deno.test(`9: on ${way} a fallback that hangs is given up, and the failed answer passes`, async () => {
    using time = new FakeTime();
    const act = stage([500], { timeoutMs: 1_000, fallback: () => NEVER }, way);

    const asked = act.ask();
    await time.tickAsync(1_000);

    assertEquals((await asked).status, 500);
    assertEquals(only(act.events, "error").map(({ source }) => source), ["fallback"]);
  });

  Deno.test(`9: on ${way} a fallback in time leaves no timer`, async () => {
    using time = new FakeTime();
    const fallback = () => Promise.resolve(new Response("instead"));
    const act = stage([500], { timeoutMs: 1_000, fallback }, way);

    assertEquals(await act.text(), "instead");
    assertEquals(time.next(), false);
  });
}

Deno.test("9: a fallback may give a promise of any class", async () => {
  const thenable = { then: (give: (it: Response) => void) => give(new Response("instead")) };
  const act = stage([500], { fallback: () => thenable as unknown as Promise<Response> });

  assertEquals(await act.text(), "instead");
  assertEquals(only(act.events, "error"), []);
});

Deno.test("F7: the body of an answer that a fallback gives too late is cancelled", async () => {
  using time = new FakeTime();
  let give = (_: Response) => {};
  let isCancelled = false;
  const fallback = () => new Promise<Response>((resolve) => give = resolve);
  const act = stage([500], { timeoutMs: 1_000, fallback });
  const asked = act.ask();
  await time.tickAsync(1_000);
  await asked;

  give(new Response(new ReadableStream({ cancel: () => void (isCancelled = true) })));
  await time.runMicrotasks();

  assertEquals(isCancelled, true);
});
