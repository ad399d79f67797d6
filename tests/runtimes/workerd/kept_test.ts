/** Responses kept by one request, and served by others. */
import { assert, assertEquals } from "@std/assert";
import { test } from "./host.ts";
import { down } from "../../stage/upstream.ts";
import { stage, WAYS } from "../../stage/worker_stage.ts";

const MANY = 50;

for (const way of WAYS) {
  const one = stage(`/kept/${way}`, way);

  test(`20: a response kept by one request is served in full by ${MANY} others on ${way}`, async () => {
    one.answer = () => new Response("good", { headers: { etag: '"1"', "x-own": "kept" } });
    await one.ask();
    one.answer = down(500);

    for (let request = 0; request < MANY; request++) {
      one.tick(10);
      const { status, text, headers } = await one.ask();
      assertEquals([status, text, headers.get("x-own")], [200, "good", "kept"], `${request}`);
      assertEquals(headers.get("age"), String(Math.floor((request + 1) / 100)));
    }
    assertEquals(one.calls, 3);
  });

  const crowd = stage(`/kept/crowd/${way}`, way);

  test(`20: a response kept by one request is served in full to ${MANY} at once on ${way}`, async () => {
    await crowd.ask();
    crowd.answer = down(500);

    const answers = await Promise.all(Array.from({ length: MANY }, () => crowd.ask()));

    for (const { status, text } of answers) assertEquals([status, text], [200, "good"]);
  });

  const large = stage(`/kept/large/${way}`, way);

  test(`20: a body of many chunks comes back byte for byte on ${way}`, async () => {
    const text = "0123456789abcdef".repeat(20_000);
    large.answer = () => new Response(text);
    await large.ask();
    large.answer = down(500);

    const answers = await Promise.all([large.ask(), large.ask(), large.ask()]);

    for (const answer of answers) assert(answer.text === text);
  });
}

const newer = stage("/kept/newer", "wrap", { lastGood: { refreshMs: 0 } });

test("S18: a later request's response replaces the one an earlier request kept", async () => {
  await newer.ask();
  newer.answer = () => new Response("newer");
  await newer.ask();
  newer.answer = down(500);

  assertEquals((await newer.ask()).text, "newer");
});

const fresh = stage("/kept/fresh", "wrap", { lastGood: { freshMs: 1_000 } });

test("a response kept by one request answers others without a call while it is fresh", async () => {
  await fresh.ask();

  assertEquals((await fresh.ask()).text, "good");
  assertEquals(fresh.calls, 1);
});

const users = stage("/kept/users", "wrap", {
  lastGood: { partition: (request) => request.headers.get("x-user") ?? undefined },
});

test("K4: a response kept by one request for a user is served only to that user", async () => {
  const as = (user: string) => users.ask({ headers: { "x-user": user } });
  await as("a");
  users.answer = down(500);

  assertEquals((await as("a")).text, "good");
  assertEquals((await as("b")).text, "down");
});

const gone = stage("/kept/forget", "wrap");

test("one request can forget a response that another kept", async () => {
  await gone.ask();
  gone.answer = down(500);

  gone.api.forget();

  assertEquals((await gone.ask()).text, "down");
});
