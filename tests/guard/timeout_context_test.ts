import { assertEquals } from "@std/assert";
import { breaker } from "../../mod.ts";
import { settled } from "../stage/settle.ts";

interface Storage {
  run<R>(store: string, work: () => R): R;
  getStore(): string | undefined;
}

/** Vercel Edge and Workers without nodejs_compat have none. */
function storage(): Storage | undefined {
  const { process } = globalThis as {
    process?: {
      getBuiltinModule?(name: string): { AsyncLocalStorage: new () => Storage } | undefined;
    };
  };
  const hooks = process?.getBuiltinModule?.("node:async_hooks");
  return hooks && new hooks.AsyncLocalStorage();
}

Deno.test("35: the timeouts of fetch that pass together abort each in its own async context", async () => {
  const user = storage();
  if (user === undefined) return;
  const heard: string[] = [];
  const api = breaker({
    timeoutMs: 30,
    fetch: (input, init) =>
      new Promise(() => {
        init?.signal?.addEventListener("abort", () => heard.push(`${input} by ${user.getStore()}`));
      }),
  });
  const ask = (name: string) =>
    user.run(name, () => api.fetch(`http://${name}.test/`).catch(() => undefined));

  await Promise.all(["alice", "bob"].map(ask));

  assertEquals(heard.sort(), ["http://alice.test/ by alice", "http://bob.test/ by bob"]);
});

Deno.test("35: bodies that fallbacks give too late are cancelled each in its own async context", async () => {
  const user = storage();
  if (user === undefined) return;
  const heard: string[] = [];
  const given: (() => void)[] = [];
  const api = breaker({
    timeoutMs: 30,
    fetch: () => Promise.reject(new TypeError("down")),
    fallback: (request) =>
      new Promise((resolve) => {
        const cancel = () => void heard.push(`${request.url} by ${user.getStore()}`);
        given.push(() => resolve(new Response(new ReadableStream({ cancel }))));
      }),
  });
  const ask = (name: string) =>
    user.run(name, () => api.fetch(`http://${name}.test/`).catch(() => undefined));
  await Promise.all(["alice", "bob"].map(ask));

  for (const give of given) give();
  await settled();

  assertEquals(heard.sort(), ["http://alice.test/ by alice", "http://bob.test/ by bob"]);
});
