/** A circuit's state carries over from one request to the next. */
import { Circuit, CircuitOpenError } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { route, sleep, test } from "./host.ts";
import { Clock } from "../../stage/clock.ts";
import { down } from "../../stage/upstream.ts";
import { ask, stage, WAYS } from "../../stage/worker_stage.ts";

for (const way of WAYS) {
  const act = stage(`/states/${way}`, way, { lastGood: false });

  test(`2, 3, 4: a circuit goes through all states from request to request on ${way}`, async () => {
    const seen: unknown[] = [];
    const step = async () => seen.push([(await act.ask()).status, act.state, act.calls]);

    await step();
    act.answer = down(500);
    for (let request = 0; request < 3; request++) await step();
    act.tick(1_000);
    await step();
    await step();
    act.answer = () => new Response("good");
    act.tick(1_000);
    await step();
    act.answer = down(500);
    await step();

    assertEquals(seen, [
      [200, "closed", 1],
      [500, "closed", 2],
      [500, "open", 3],
      [503, "open", 3],
      [500, "open", 4],
      [503, "open", 4],
      [200, "closed", 5],
      [500, "closed", 6],
    ]);
  });
}

const clock = new Clock(0);
const circuit = new Circuit({ threshold: 1, delayMs: 1_000, now: clock.now });
let fails = true;
route("/states/circuit", async () => {
  const call = () => fails ? Promise.reject(new Error("lost")) : "found";
  return new Response(await circuit.run(call).catch((error) => error.name));
});

test("2, 3, 4: a circuit without HTTP goes through all states from request to request", async () => {
  const texts: string[] = [];
  const step = async () => texts.push((await ask("/states/circuit")).text, circuit.state);

  await step();
  await step();
  clock.tick(1_000);
  await step();
  clock.tick(1_000);
  fails = false;
  await step();

  const refused = CircuitOpenError.name;
  assertEquals(texts, ["Error", "open", refused, "open", "Error", "open", "found", "closed"]);
});

const timed = stage("/states/clock", "wrap", {
  lastGood: false,
  delayMs: 30,
  now: () => Date.now(),
});

test("3: a delay passes by the requests' clock, without a timer", async () => {
  timed.answer = down(500);
  await timed.ask();
  await timed.ask();
  assertEquals((await timed.ask()).status, 503);
  timed.answer = () => new Response("good");

  await sleep(40);

  assertEquals((await timed.ask()).text, "good");
  assertEquals(timed.state, "closed");
});
