/** Requests of other classes, from the servers that make them. */
import { assertEquals } from "std/assert";
import { boundary, elapsed, until } from "./stage/case.ts";
import type { Handler, Served } from "./stage/host.ts";
import { RawOrigin, text } from "./stage/origin.ts";
import { startProgram } from "./stage/program.ts";
import { SERVERS } from "./stage/servers.ts";
import { watched } from "./stage/watched.ts";
import { WAYS } from "./stage/ways.ts";

/** How often a client asks before an app counts as stuck. */
const PATIENCE = 20;

/** Asks until the answer is this one; returns all answers. */
async function askUntil(served: Served, expected: string): Promise<string[]> {
  const texts: string[] = [];
  while (texts.at(-1) !== expected && texts.length < PATIENCE) {
    texts.push(await (await fetch(`${served.url}item`)).text());
  }
  return texts;
}

for (const [server, { on, start, expect }] of Object.entries(SERVERS)) {
  for (const [way, guard] of Object.entries(WAYS)) {
    // Hono hands over its own context, not the request's class.
    const expected = way === "Hono" ? undefined : expect;

    boundary(`33: ${server}, ${way}: the app recovers as soon as the upstream does`, async () => {
      let page = "one";
      using origin = await RawOrigin.start(() => page === "" ? [] : text(page));
      const w = watched({ threshold: 1, delayMs: 30, timeoutMs: 1_000 });
      const handler: Handler = (request) => {
        expected?.(request);
        return fetch(origin.url, { signal: request.signal });
      };
      await using served = await start(guard(w.api, handler));
      const first = await (await fetch(`${served.url}item`)).text();
      await w.ended(1);
      await w.api.idle();
      page = "";
      const stale = await (await fetch(`${served.url}item`)).text();
      page = "two";
      await until(() => w.state === "half_open", "half open");

      const texts = await askUntil(served, "two");

      assertEquals([first, stale, texts.at(-1)], ["one", "one", "two"]);
      assertEquals(w.state, "closed");
      assertEquals(
        w.ends.filter((end) => end !== "failure upstream"),
        [
          "success upstream",
          "success upstream",
        ].concat(Array(Math.max(0, w.ends.length - 3)).fill("success upstream")),
      );
      assertEquals(w.events.filter(({ type }) => type === "error"), []);
    }, on);

    boundary(`33: ${server}, ${way}: with patienceMs, slow answers become new copies`, async () => {
      let page = "one";
      using origin = await RawOrigin.start(function* () {
        const current = page;
        if (current === "two") yield elapsed(40);
        yield* text(current);
      });
      const w = watched({ lastGood: { patienceMs: 5, refreshMs: 0 }, timeoutMs: 1_000 });
      const handler: Handler = (request) => {
        expected?.(request);
        return fetch(origin.url, { signal: request.signal });
      };
      await using served = await start(guard(w.api, handler));
      await (await fetch(`${served.url}item`)).text();
      await w.ended(1);
      await w.api.idle();
      page = "two";

      await askUntil(served, "two");
      await w.api.idle();
      page = "three";
      const texts = await askUntil(served, "three");

      assertEquals(texts.at(-1), "three");
      assertEquals(w.ends.filter((end) => end !== "success upstream"), []);
    }, on);
  }
}

// In a process of its own, because any other server of this package replaces the global objects.
for (const way of ["wrap", "respond", "hono"]) {
  for (const patience of ["", "5"]) {
    const how = patience === "" ? "" : ", patienceMs";
    boundary(
      `33: @hono/node-server with Node's own Request, ${way}${how}: the app recovers (node)`,
      async () => {
        let page = "one";
        using origin = await RawOrigin.start(() => page === "" ? [] : text(page));
        const env = { ORIGIN: origin.url, WAY: way, PATIENCE_MS: patience };
        using program = startProgram("app.mjs", { ...env, GLOBAL_OBJECTS: "node's" });
        const url = await program.address();
        const ask = async (path = "") => await (await fetch(url + path)).text();
        const first = await ask();
        page = "";
        const stale = await ask();
        page = "two";

        let last = "";
        for (let asked = 0; asked < 200 && last !== "two"; asked++) {
          last = await ask();
          // Its circuit stays open for a while.
          await elapsed(5);
        }
        const { state } = JSON.parse(await ask("state"));

        assertEquals([first, stale, last, state], ["one", "one", "two", "closed"]);
      },
      ["node"],
    );
  }
}
