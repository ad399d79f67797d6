import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { discard } from "../../src/http/body.ts";
import { WAYS } from "../stage/breaker_stage.ts";
import { PAGE, Site } from "../stage/site.ts";
import { listening } from "../stage/stray.ts";
import { type Answer, madeBy, page } from "../stage/upstream.ts";

/** Fields that a parser let through, as `Headers` would not. */
function loose(fields: Record<string, string>): Headers {
  return new Map(Object.entries(fields)) as unknown as Headers;
}

/** A stream of Node, as node-fetch has it for a body. */
function nodeStream() {
  const calls: string[] = [];
  const body = {
    pipe: () => calls.push("pipe"),
    on: () => calls.push("on"),
    destroy: () => calls.push("destroy"),
  };
  return { calls, body: body as unknown as ReadableStream<Uint8Array<ArrayBuffer>> };
}

/** A mock of a response, and all that it has. */
function mock(members: object): Response {
  return members as Response;
}

const json = () => Promise.resolve({});

const UNCOPYABLE: Readonly<Record<string, () => Response>> = {
  "with a reason phrase in another script": () => madeBy({ statusText: "成功" }),
  "with a control character in its reason phrase": () => madeBy({ statusText: "a\x01b" }),
  "with a blank in a field's name": () => madeBy({ headers: loose({ "x space": "y" }) }),
  "with an empty name of a field": () => madeBy({ headers: loose({ "": "y" }) }),
  "with a line feed in a field": () => madeBy({ headers: loose({ "x-a": "y\nz" }) }),
  "with a field beyond Latin-1": () => madeBy({ headers: loose({ "x-a": "成" }) }),
  "whose body is a stream of Node": () => madeBy({ body: nodeStream().body }),
  "that was sent already": () => new Response(null, { headers: { "x-hono-already-sent": "true" } }),
  "that is a mock without a body": () => mock({ status: 200, headers: new Headers(), json }),
  "that is a mock with a plain object for fields": () =>
    mock({ status: 200, headers: { get: () => null }, json }),
  "that is a mock without fields": () => mock({ status: 200, json }),
};

for (const way of WAYS) {
  for (const [what, make] of Object.entries(UNCOPYABLE)) {
    Deno.test(`34: an answer of ${way} ${what} passes as it is, and the older copy stays`, async () => {
      const site = new Site({ lastGood: { refreshMs: 0, keep: () => true } }, way);
      await site.read();
      const answer = make();
      site.answer = () => answer;

      assertStrictEquals(await site.get(), answer);
      site.answer = page();
      assertEquals([site.notKept, await site.kept()], [["uncopyable"], "good"]);
      assertEquals(
        site.events.filter(({ type }) => type === "error" || type === "failure").length,
        1,
      );
    });
  }
}

Deno.test("34: an answer that has no content by its status, yet a body, passes as it is", async () => {
  const site = new Site({ lastGood: { statuses: [204] } });
  const answer = madeBy({ status: 204 });
  site.answer = () => answer;

  assertStrictEquals(await site.get(), answer);
  assertEquals(site.notKept, ["uncopyable"]);
});

Deno.test("S1, 34: the answer to a WebSocket handshake is not kept", async () => {
  const site = new Site({}, "wrap");

  await site.read({ headers: { upgrade: "WebSocket", connection: "Upgrade" } });

  assertEquals(site.notKept, ["upgrade"]);
});

Deno.test("34: a 304 that no constructor accepts changes nothing that is kept", async () => {
  const site = new Site({ threshold: 1, delayMs: 1_000, lastGood: { refreshMs: 0 } });
  site.answer = page({ etag: '"1"', "x-own": "old" });
  await site.read();
  site.fail();
  await site.read();
  site.clock.tick(1_000);
  site.answer = () =>
    madeBy({ status: 304, headers: loose({ etag: '"1"', "x own": "new" }) }, new Response(null));
  await site.read();
  await site.api.idle();
  site.fail();

  const answer = await site.get();

  assertEquals([answer.headers.get("x-own"), await answer.text()], ["old", "good"]);
});

Deno.test("34: every head that passes the rules can be constructed", async () => {
  const site = new Site({ lastGood: { refreshMs: 0 } });
  const letters = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).concat("成");

  for (const letter of letters) {
    for (
      const head of [
        { statusText: `a${letter}b` },
        { headers: loose({ [`x${letter}y`.toLowerCase()]: "1" }) },
        { headers: loose({ "x-own": `a${letter}b` }) },
      ]
    ) {
      site.answer = () => madeBy(head);
      assertEquals(await site.read(), "good");
      assertEquals(await site.kept(), site.notKept.length > 0 ? undefined : "good");
      site.api.forget();
      site.events.length = 0;
    }
  }
});

Deno.test("34: a mock with fields and a web stream passes, and is served under its URL", async () => {
  const site = new Site();
  site.answer = () =>
    mock({ status: 200, headers: new Headers({ etag: '"1"' }), body: new Response("good").body });

  assertEquals(await new Response((await site.get()).body).text(), "good");
  await site.api.idle();
  // Workers copy only responses of their own.
  if ("WebSocketPair" in globalThis) return;
  site.fail();
  const stale = await site.get();
  assertEquals([stale.url, stale.type, await stale.text()], [PAGE, "default", "good"]);
});

Deno.test("34: a web stream of a polyfill is copied as the runtime's own", async () => {
  const { body } = new Response("good");
  const ours = body!.getReader();
  const reader = {
    read: (...args: unknown[]) => args.length > 0 ? Promise.reject(args) : ours.read(),
    cancel: (reason: unknown) => ours.cancel(reason),
  };
  const foreign = { locked: false, getReader: () => reader };
  const site = new Site();
  site.answer = () => madeBy({ body: foreign as unknown as NonNullable<Response["body"]> });

  assertEquals([await site.read(), site.notKept, await site.kept()], ["good", [], "good"]);
});

// ---- Mocks ----

const MOCKS: readonly (readonly [string, object, string])[] = [
  ["without a status", { ok: true, json }, "success"],
  ["with a good status", { status: 201, json }, "success"],
  ["with a bad status", { status: 500, json }, "failure"],
  ["with a status that says nothing", { status: 429, json }, "ignored"],
  ["with a bad status, and fields", { status: 502, headers: new Headers(), json }, "failure"],
];

for (const [what, members, verdict] of MOCKS) {
  Deno.test(`34: a mock ${what} is handed on, and counts as ${verdict}`, async () => {
    const site = new Site({ threshold: 1 });
    const answer = mock(members);
    site.answer = () => answer;

    assertStrictEquals(await site.get(), answer);
    assertEquals(site.events.find(({ type }) => type !== "not_kept")?.type, verdict);
  });
}

Deno.test("34: a mock ends its probe, and a mock of a POST removes what is kept", async () => {
  const site = new Site({ threshold: 1, delayMs: 1_000 });
  await site.read();
  site.fail();
  await site.get({}, "https://origin.test/other");
  site.clock.tick(1_000);
  site.answer = () => mock({ status: 200, json });

  await site.get({ method: "POST" });

  assertEquals([...site.api.circuits()].map(([, { state }]) => state), ["closed"]);
  assertEquals(await site.kept(), undefined);
});

// ---- Discarding ----

Deno.test("34: a body that is a stream of Node is destroyed when it is not read", () => {
  const { calls, body } = nodeStream();

  discard(madeBy({ body }));

  assertEquals(calls, ["destroy"]);
});

const BODIES: readonly unknown[] = [
  undefined,
  null,
  "text",
  {},
  { cancel: () => undefined },
  {
    cancel() {
      throw new Error("cancel");
    },
  },
  { cancel: () => Promise.reject(new Error("cancel")) },
  {
    destroy() {
      throw new Error("destroy");
    },
  },
];

Deno.test("34: no body can throw when it is not read (promise 10)", async () => {
  using stray = listening();

  for (const body of BODIES) discard({ status: 500, body });
  for (const nothing of [undefined, null, 1, "text"]) discard(nothing);
  await stray.noticed();

  assertEquals(stray.reasons, []);
});

const FAILED: Answer = () => mock({ status: 500, headers: new Headers(), body: nodeStream().body });

Deno.test("34: a failed answer of node-fetch gives way to what is kept", async () => {
  const site = new Site();
  await site.read();
  site.answer = FAILED;

  const answer = await site.get();

  assert(answer.headers.get("cache-status")?.includes("fwd-status=500"));
  assertEquals(await answer.text(), "good");
});
