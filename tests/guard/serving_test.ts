import { assert, assertEquals } from "@std/assert";
import { faucet } from "../stage/bodies.ts";
import { ORIGIN, stage, WAYS } from "../stage/breaker_stage.ts";
import { settled, standing } from "../stage/settle.ts";

for (const way of WAYS) {
  Deno.test(`14: on ${way} mode observe refuses nothing, and reports once what it would have done`, async () => {
    const options = { mode: "observe", threshold: 1, lastGood: false } as const;
    const act = stage([500], options, way);

    for (let call = 0; call < 5; call++) assertEquals((await act.ask()).status, 500);

    assertEquals(act.origin.calls, 5);
    assertEquals(act.types.filter((type) => type === "would_refuse").length, 1);
    assertEquals(act.types.includes("refused"), false);
    assertEquals(act.circuit.state, "open");
  });

  Deno.test(`14: on ${way} mode observe still serves the last good answer for failed calls`, async () => {
    const act = stage([{ body: "old" }, 500, 500, { body: "new" }], {
      mode: "observe",
      threshold: 1,
    }, way);
    await act.text();

    const texts = [await act.text(), await act.text(), await act.text()];

    assertEquals([texts, act.origin.calls], [["old", "old", "new"], 4]);
  });

  Deno.test(`14: on ${way} mode observe makes the caller the probe`, async () => {
    const options = { mode: "observe", threshold: 1, waitUntil: () => {} } as const;
    const act = stage([{ body: "old" }, 500, { body: "new" }], options, way);
    await act.text();
    await act.text();
    act.tick(1_000);

    assertEquals(await act.text(), "new");
    assertEquals(act.circuit.state, "closed");
  });

  Deno.test(`14: on ${way} mode off counts nothing, and still serves the kept answer`, async () => {
    const act = stage([{ body: "old" }, 500], { mode: "off", threshold: 1 }, way);
    await act.text();

    for (let call = 0; call < 3; call++) assertEquals(await act.text(), "old");

    assertEquals([act.origin.calls, act.circuit.state], [4, "closed"]);
    assertEquals(act.types.filter((type) => type === "failure" || type === "state"), []);
  });

  Deno.test(`freshMs: ${way} serves a younger kept answer without calling`, async () => {
    const script = [{ body: "one" }, { body: "two" }];
    const act = stage(script, { lastGood: { freshMs: 5_000, refreshMs: 0 } }, way);
    await act.text();
    act.tick(4_999);
    const fresh = await act.ask();
    assertEquals(await fresh.text(), "one");
    assertEquals([fresh.headers.get("cache-status"), fresh.headers.get("age")], [
      "lastgood; hit",
      "4",
    ]);
    act.tick(1);

    assertEquals([await act.text(), act.origin.calls], ["two", 2]);
    assertEquals(act.types.filter((type) => type === "fresh").length, 1);
  });

  Deno.test(`freshMs: ${way} does not count answers served without a call`, async () => {
    const act = stage([{ body: "one" }], { lastGood: { freshMs: 5_000 } }, way);
    await act.text();
    const before = act.types.filter((type) => type === "success").length;
    await act.text();

    assertEquals(act.types.filter((type) => type === "success").length, before);
  });
}

Deno.test("forget: removes every variant of a URL, and nothing else", async () => {
  const script = [1, 2, 3].map((n) => ({ body: `${n}`, headers: { vary: "accept" } }));
  const act = stage([...script, 500], { threshold: 9 });
  const [html, json] = [{ headers: { accept: "html" } }, { headers: { accept: "json" } }];
  await act.text({ path: "/a", ...html });
  await act.text({ path: "/a", ...json });
  await act.text({ path: "/b", ...html });

  act.api.forget(new Request(`${ORIGIN}/a#fragment`));

  assertEquals((await act.ask({ path: "/a", ...html })).status, 500);
  assertEquals((await act.ask({ path: "/a", ...json })).status, 500);
  assertEquals(await act.text({ path: "/b", ...html }), "3");
});

Deno.test("forget: removes everything if called without a request", async () => {
  const act = stage([{ body: "a" }, { body: "b" }, 500], { threshold: 9 });
  await act.text({ path: "/a" });
  await act.text({ path: "/b" });

  act.api.forget();

  assertEquals((await act.ask({ path: "/a" })).status, 500);
  assertEquals((await act.ask({ path: "/b" })).status, 500);
});

Deno.test("forget: prevents an answer in progress from being kept", async () => {
  for (const request of [undefined, new Request(`${ORIGIN}/`)]) {
    const flow = faucet();
    const act = stage([() => new Response(flow.body), 500]);
    await act.ask();
    act.api.forget(request);
    flow.close();
    await settled();

    assertEquals((await act.ask()).status, 500);
    assert(act.events.some((event) => event.type === "not_kept" && event.why === "superseded"));
  }
});

Deno.test("idle: waits for copies and background probes", async () => {
  const flow = faucet();
  const slow = faucet();
  const script = [() => new Response(flow.body), 500, async () => {
    await slow.body.getReader().read();
    return new Response("new");
  }];
  const act = stage(script, { threshold: 1, waitUntil: () => {} });
  await act.ask();
  const copied = act.api.idle();
  assertEquals(await standing(copied), "pending");
  flow.close();
  await copied;
  await act.text();
  act.tick(1_000);
  await act.text();
  const probed = act.api.idle();
  assertEquals(await standing(probed), "pending");
  slow.close();
  await probed;

  assertEquals(act.circuit.state, "closed");
});

Deno.test("idle: does not wait for a body without a reader", async () => {
  const flow = faucet();
  const act = stage([() => new Response(flow.body)], { lastGood: { maxBodyBytes: 2 } });
  await act.ask();
  flow.drip("too long");

  await act.api.idle();
  assertEquals(flow.cancelled, []);
});

Deno.test("idle: resolves at once if there is nothing to do", async () => {
  await stage([200]).api.idle();
});
