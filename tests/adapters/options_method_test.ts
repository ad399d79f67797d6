import { assertEquals } from "@std/assert";
import { cors } from "hono/cors";
import { moves, only } from "../stage/events.ts";
import { down, Edge, thrown } from "../stage/hono_stage.ts";

const PREFLIGHT = {
  method: "OPTIONS",
  headers: { origin: "https://a.test", "access-control-request-method": "POST" },
};
const POST = { method: "POST", body: "x" };

for (const [failure, answer] of Object.entries({ "returned 503": down, "thrown error": thrown })) {
  Deno.test(`30: preflights between failing POSTs do not keep the circuit closed, ${failure}`, async () => {
    const edge = new Edge({ inner: [cors()] }, { threshold: 3 });
    edge.fail(answer);

    for (let turn = 0; turn < 3; turn++) {
      const preflight = await edge.get(PREFLIGHT);
      assertEquals(preflight.status, 204);
      await edge.read(POST);
    }

    assertEquals(edge.types.filter((type) => type !== "ignored"), [
      "failure",
      "failure",
      "failure",
      "state",
    ]);
    assertEquals(only(edge.events, "ignored").map(({ why, status }) => [why, status]), [
      ["method", 204],
      ["method", 204],
      ["method", 204],
    ]);
  });
}

for (const status of [200, 204, 404, 405]) {
  Deno.test(`30: OPTIONS answered by ${status} counts neither way`, async () => {
    const edge = new Edge({}, { threshold: 2 });
    edge.fail();
    await edge.read(POST);
    edge.answer = () => new Response(null, { status });
    await edge.read({ method: "OPTIONS" });
    edge.fail();
    await edge.read(POST);

    assertEquals(edge.types, ["failure", "ignored", "failure", "state"]);
  });
}

for (const [failure, answer] of Object.entries({ "returned 503": down, "thrown error": thrown })) {
  Deno.test(`30: OPTIONS that fails counts, ${failure}`, async () => {
    const edge = new Edge({}, { threshold: 2 });
    edge.fail(answer);

    await edge.read({ method: "OPTIONS" });
    await edge.read({ method: "OPTIONS" });

    assertEquals(edge.types, ["failure", "failure", "state"]);
  });
}

Deno.test("8, 30: preflights while half open neither close the circuit nor open it again", async () => {
  const edge = new Edge({ inner: [cors()] }, { threshold: 1 });
  edge.fail(thrown);
  await edge.read(POST);
  edge.clock.tick(1_000);
  edge.answer = (c) => c.text("good");

  for (let turn = 0; turn < 5; turn++) await edge.read(PREFLIGHT);
  const before = moves(edge.events);
  await edge.read(POST);

  assertEquals(before, ["closed > open", "open > half_open"]);
  assertEquals(moves(edge.events).at(-1), "half_open > closed");
});

Deno.test("30: judge may count OPTIONS", async () => {
  const edge = new Edge({}, { threshold: 2, judge: () => "success" });
  edge.answer = () => new Response(null, { status: 204 });

  await edge.read({ method: "OPTIONS" });

  assertEquals(edge.types, ["success"]);
});
