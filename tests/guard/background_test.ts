import { assertEquals } from "@std/assert";
import { BackgroundWork } from "../../src/guard/background.ts";
import { deferred } from "../stage/deferred.ts";
import { standing } from "../stage/settle.ts";
import { listening } from "../stage/stray.ts";

Deno.test("work: idle resolves at once if there is none", async () => {
  await new BackgroundWork().idle();
});

Deno.test("work: idle waits for all work, whether it succeeds or fails", async () => {
  using stray = listening();
  const [first, second] = [deferred(), deferred()];
  const work = new BackgroundWork();
  work.add(first.promise);
  work.add(second.promise);
  const idle = work.idle();
  first.reject(new Error("failed"));
  assertEquals(await standing(idle), "pending");
  second.resolve();

  await idle;
  await stray.noticed();
  assertEquals(stray.reasons, []);
});

Deno.test("work: idle also waits for work added meanwhile", async () => {
  const [first, second] = [deferred(), deferred()];
  const work = new BackgroundWork();
  work.add(first.promise);
  const idle = work.idle();
  work.add(second.promise);
  first.resolve();
  assertEquals(await standing(idle), "pending");
  second.resolve();

  await idle;
});

Deno.test("work: idle waits for work that never ends only while it is among the last 10,000", async () => {
  const work = new BackgroundWork();
  const never = deferred();
  work.add(never.promise);
  const others = Array.from({ length: 10_000 }, () => deferred());
  for (const { promise } of others) work.add(promise);
  for (const { resolve } of others) resolve();

  await work.idle();
});
