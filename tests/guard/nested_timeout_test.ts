import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { ORIGIN, type Stage, stage } from "../stage/breaker_stage.ts";

const EDGE = "http://edge.test/";

/** Ways to fetch through a breaker from within a handler of the same one. */
const HANDLERS: Record<string, (act: Stage) => (request: Request) => Response | Promise<Response>> =
  {
    "wrap": (act) => act.api.wrap(() => act.api.fetch(`${ORIGIN}/`)),
    "wrap, some steps on the way": (act) =>
      act.api.wrap(async () => {
        for (let step = 0; step < 5; step++) await undefined;
        return await act.api.fetch(`${ORIGIN}/`);
      }),
    "respond": (act) => (request) => act.api.respond(request, () => act.api.fetch(`${ORIGIN}/`)),
    "respond, signal passed on": (act) => (request) =>
      act.api.respond(request, (_, signal) => act.api.fetch(`${ORIGIN}/`, { signal })),
  };

for (const [way, handlerFor] of Object.entries(HANDLERS)) {
  for (const time of ["fake", "real"] as const) {
    Deno.test(`35: the inner of two nested breakers serves what it kept, and only it counts (${way}, ${time} time)`, async () => {
      using fake = time === "fake" ? new FakeTime() : undefined;
      const page = { body: "kept", headers: { "cache-control": "max-age=60" } };
      const act = stage([page, "hang"], { timeoutMs: 60, threshold: 1 });
      await (await act.api.fetch(`${ORIGIN}/`)).text();
      const handler = handlerFor(act);

      const asked = Promise.resolve(handler(new Request(EDGE))).then((response) => response.text());
      asked.catch(() => {});
      await fake?.tickAsync(60);
      const answer = await asked.catch(({ name }) => name);

      const open = [...act.api.circuits()].filter(([, { state }]) => state === "open");
      assertEquals([answer, open.map(([name]) => name)], ["kept", [ORIGIN]]);
    });
  }
}
