import { assertEquals, assertObjectMatch, assertStrictEquals } from "@std/assert";
import { stage, WAYS } from "../stage/breaker_stage.ts";
import { only } from "../stage/events.ts";

/** A response whose fields can be looked up, but not read as a whole: we fail to copy it. */
function unreadable(): Response {
  const fields = new Headers();
  for (const name of ["entries", "forEach", Symbol.iterator]) {
    Object.defineProperty(fields, name, {
      value() {
        throw new Error("these fields are not for reading");
      },
    });
  }
  return Object.defineProperty(new Response("live"), "headers", { value: fields });
}

for (const way of WAYS) {
  Deno.test(`31: an error of ours on ${way} is heard, counts for nothing, and the answer passes`, async () => {
    const answers = Array.from({ length: 3 }, unreadable);
    const script = answers.map((answer) => () => answer);
    const act = stage(script, { threshold: 1 }, way);

    for (const answer of answers) assertStrictEquals(await act.ask(), answer);

    assertEquals(act.circuit.state, "closed");
    assertEquals(only(act.events, "error").map(({ source }) => source), Array(3).fill("breaker"));
    assertObjectMatch(only(act.events, "ignored")[0]!, { cause: "ours", why: "ours" });
  });

  Deno.test(`31: every end of ${way} has its cause: the upstream's answers and errors`, async () => {
    const act = stage([200, 429, 500, "reset"], { threshold: 9, lastGood: false }, way);
    for (let call = 1; call <= 4; call++) await act.ask().catch(() => {});

    const ends = act.events.map((event) => [event.type, "cause" in event && event.cause]);

    assertEquals(ends, [
      ["success", "upstream"],
      ["ignored", "upstream"],
      ["failure", "upstream"],
      ["failure", "upstream"],
    ]);
  });
}
