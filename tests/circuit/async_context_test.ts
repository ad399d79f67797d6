import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { rig } from "../stage/circuit_stage.ts";

interface Storage {
  run<R>(store: string, work: () => R): R;
  getStore(): string | undefined;
}

interface Hooks {
  readonly AsyncLocalStorage: new () => Storage;
}

/** Vercel Edge and Workers without nodejs_compat have none. */
function storage(): Storage | undefined {
  const { process } = globalThis as {
    process?: { getBuiltinModule?(name: string): Hooks | undefined };
  };
  const hooks = process?.getBuiltinModule?.("node:async_hooks");
  return hooks && new hooks.AsyncLocalStorage();
}

for (const time of ["real", "fake"] as const) {
  Deno.test(`35: each call's timeout aborts in its own async context (${time} time)`, async () => {
    const user = storage();
    if (user === undefined) return;
    using fake = time === "fake" ? new FakeTime() : undefined;
    const { circuit } = rig({ timeoutMs: 30, threshold: 100 });
    const heard: [string, string | undefined][] = [];
    const call = (name: string) =>
      user.run(name, () =>
        circuit.run((signal) => {
          signal.addEventListener("abort", () => heard.push([name, user.getStore()]));
          return new Promise(() => {});
        }).catch(() => heard.push([`${name}, after`, user.getStore()])));

    const calls = ["alice", "bob", "carol"].map(call);
    await fake?.tickAsync(30);
    await Promise.all(calls);

    assertEquals(new Map(heard).size, 6);
    for (const [name, store] of heard) assertEquals(store, name.split(",")[0]);
  });
}
