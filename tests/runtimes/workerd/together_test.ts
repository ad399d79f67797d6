/** Simultaneous requests on one circuit. */
import { assertEquals } from "@std/assert";
import { sleep, test, until } from "./host.ts";
import { down } from "../../stage/upstream.ts";
import { type Seen, stage, WAYS, type WorkerStage } from "../../stage/worker_stage.ts";

function crowd(act: WorkerStage, size: number): Promise<Seen[]> {
  return Promise.all(Array.from({ length: size }, () => act.ask()));
}

function slowly(answer: () => Response): () => Promise<Response> {
  return () => sleep(20).then(answer);
}

for (const way of WAYS) {
  const act = stage(`/together/${way}`, way, { lastGood: false });

  test(`2, 5: simultaneous requests count on one circuit, and one is the probe, on ${way}`, async () => {
    act.answer = slowly(down(500));
    const failed = await crowd(act, 2);
    const state = act.state;
    act.tick(1_000);
    act.answer = slowly(() => new Response("good"));
    const probing = await crowd(act, 5);

    assertEquals([failed.map(({ status }) => status), state], [[500, 500], "open"]);
    assertEquals(probing.map(({ status }) => status).sort(), [200, 503, 503, 503, 503]);
    assertEquals([act.calls, act.state], [3, "closed"]);
  });

  const served = stage(`/together/served/${way}`, way);

  test(`24: with a response kept, one of 50 reaches the upstream and none waits, on ${way}`, async () => {
    await served.ask();
    served.answer = down(500);
    await crowd(served, 2);
    served.tick(1_000);
    served.answer = slowly(() => new Response("new"));
    const before = served.calls;

    const answers = await crowd(served, 50);
    await until(() => served.state === "closed");

    assertEquals(served.calls - before, 1);
    assertEquals(answers.filter(({ text }) => text === "good").length >= 49, true);
  });

  const late = stage(`/together/late/${way}`, way, { lastGood: false });

  test(`6: a result from before the circuit opened changes nothing on ${way}`, async () => {
    late.answer = () => sleep(60).then(() => new Response("good"));
    const old = late.ask();
    await until(() => late.calls === 1);
    late.answer = down(500);
    await crowd(late, 2);

    assertEquals((await old).text, "good");
    assertEquals(late.state, "open");
  });
}
