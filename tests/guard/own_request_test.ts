/** Promise 33: only a plain `Request` may be rebuilt, so only its handler runs in the background. */

import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { type Breaker, type BreakerOptions, signalOf } from "@lastgood/breaker";
import { ORIGIN, SCRIPT, stage, waiting } from "../stage/breaker_stage.ts";
import { only } from "../stage/events.ts";
import { settled } from "../stage/settle.ts";
import { requestWith } from "../stage/ways.ts";

class WithGetter extends Request {
  get nextUrl(): URL {
    return new URL(this.url);
  }
}

class OfOwnClass extends Request {}

/** A request of another package: the same members, but none of the runtime's own state. */
class Foreign {
  readonly method = "GET";
  readonly url = `${ORIGIN}/`;
  readonly headers = new Headers();
}

function withOwn(members: PropertyDescriptorMap): Request {
  return Object.defineProperties(new Request(ORIGIN), members);
}

/** A request with a prototype before the usual one, as servers make it. */
function between(members: PropertyDescriptorMap): Request {
  const prototype = Object.create(Request.prototype, members);
  return Object.setPrototypeOf(new Request(ORIGIN), prototype);
}

const NOT_PLAIN: Readonly<Record<string, () => Request>> = {
  "with members of a framework's class": () => new WithGetter(ORIGIN),
  "of a class of its own": () => new OfOwnClass(ORIGIN),
  "with params on a prototype": () => between({ params: { value: { id: "1" } } }),
  "with params": () => withOwn({ params: { value: { id: "1" } } }),
  "with a symbol that others can look up": () => withOwn({ [Symbol.for("user")]: { value: 1 } }),
  "with a member that hides its own": () => withOwn({ url: { value: `${ORIGIN}/` } }),
  "of another package": () => new Foreign() as unknown as Request,
  "that is a plain object": () =>
    ({ method: "GET", url: `${ORIGIN}/`, headers: new Headers() }) as Request,
};

const WAYS = ["wrap", "respond"] as const;

/** Sets a stage where a page is kept and a probe is due, and notes what the handler gets. */
async function due(way: typeof WAYS[number], options: BreakerOptions = {}) {
  const { works, waitUntil } = waiting();
  const act = stage(SCRIPT, { threshold: 1, waitUntil, ...options });
  const seen: Request[] = [];
  const handler = (request: Request) => {
    seen.push(request);
    return act.origin(request.url);
  };
  const ask = asking(way, act.api, handler);
  const text = async (request: Request) => await (await ask(request)).text();
  await text(new Request(ORIGIN));
  await text(new Request(ORIGIN));
  act.tick(1_000);
  return Object.assign(act, { ask, read: text, seen, works });
}

function asking(
  way: typeof WAYS[number],
  api: Breaker,
  handler: (request: Request) => Promise<Response>,
): (request: Request) => Response | Promise<Response> {
  return way === "wrap" ? api.wrap(handler) : (request) => api.respond(request, handler);
}

/** Replaces the global `Request` by one that cannot rebuild this request, until disposed. */
function refusing(request: Request, error: Error): { [Symbol.dispose](): void } {
  const { Request: original } = globalThis;
  const become = (value: typeof Request) => {
    globalThis.Request = value;
    Object.defineProperty(original.prototype, "constructor", { value });
  };
  become(
    new Proxy(original, {
      construct(target, args: [Request]) {
        if (args[0] === request) throw error;
        return Reflect.construct(target, args);
      },
    }),
  );
  return { [Symbol.dispose]: () => become(original) };
}

for (const way of WAYS) {
  for (const [what, make] of Object.entries(NOT_PLAIN)) {
    Deno.test(`33: on ${way} the caller is the probe if its request is one ${what}`, async () => {
      const act = await due(way);
      const request = make();

      assertEquals(await act.read(request), "new");

      assertStrictEquals(act.seen.at(-1), request);
      assertEquals(only(act.events, "error"), []);
    });
  }

  Deno.test(`33: on ${way} a plain request's handler runs in the background, with one of its own`, async () => {
    const act = await due(way);
    const request = new Request(`${ORIGIN}/`, { headers: { "x-name": "value" } });

    assertEquals(await act.read(request), "old");
    await Promise.all(act.works);

    const own = act.seen.at(-1)!;
    assertNotStrictEquals(own, request);
    assertEquals([own.url, own.method, own.headers.get("x-name")], [request.url, "GET", "value"]);
  });

  Deno.test(`33: on ${way} a prototype that adds nothing leaves a request plain`, async () => {
    const act = await due(way);

    assertEquals(await act.read(between({ json: { value: () => ({}) } })), "old");

    await Promise.all(act.works);
  });

  Deno.test(`33: on ${way} a rebuild that fails is heard, and the caller is the probe`, async () => {
    const act = await due(way);
    const error = new Error("no copy");
    const request = new Request(ORIGIN);
    using _ = refusing(request, error);

    assertEquals(await act.read(request), "new");

    assertEquals(only(act.events, "error").map(({ source, error }) => [source, error]), [
      ["request", error],
    ]);
    assertEquals([act.circuit.state, only(act.events, "failure").length], ["closed", 1]);
  });

  Deno.test(`25, 33: on ${way} patienceMs has no effect on a request that is not plain`, async () => {
    using time = new FakeTime();
    const { waitUntil } = waiting();
    const act = stage([{ body: "old" }, { body: "new", delayMs: 300 }], {
      lastGood: { patienceMs: 100, refreshMs: 0 },
      now: () => Date.now(),
      waitUntil,
    });
    const ask = asking(way, act.api, (request) => act.origin(request.url));
    await (await ask(new Request(ORIGIN))).text();
    const asked = ask(new WithGetter(ORIGIN));
    await time.tickAsync(300);

    assertEquals(await (await asked).text(), "new");
  });

  Deno.test(`33: the signal of ${way}'s background call outlives its caller`, async () => {
    const act = stage([200], { threshold: 1, waitUntil: waiting().waitUntil });
    const caller = new AbortController();
    let answer = () => Promise.resolve(new Response("old"));
    let seen: Request | undefined;
    const ask = asking(way, act.api, (request) => {
      seen = request;
      return answer();
    });
    await (await ask(new Request(ORIGIN))).text();
    answer = () => Promise.resolve(new Response(null, { status: 500 }));
    await (await ask(new Request(ORIGIN))).text();
    act.tick(1_000);
    answer = () => new Promise(() => {});
    await (await ask(requestWith(ORIGIN, {}, caller.signal))).text();

    caller.abort();
    await settled();

    assert(seen !== undefined);
    assertEquals(signalOf(seen).aborted, false);
  });

  Deno.test(`33: our timeout stops ${way}'s background call`, async () => {
    using time = new FakeTime();
    const options = { threshold: 1, timeoutMs: 1_000, lastGood: { maxBodyMs: Infinity } };
    const act = stage([200], { ...options, waitUntil: waiting().waitUntil });
    let answer = () => Promise.resolve(new Response("old"));
    let signal: AbortSignal | undefined;
    const ask = asking(way, act.api, (request) => {
      signal = signalOf(request);
      return answer();
    });
    await (await ask(new Request(ORIGIN))).text();
    answer = () => Promise.resolve(new Response(null, { status: 500 }));
    await (await ask(new Request(ORIGIN))).text();
    act.tick(1_000);
    answer = () => new Promise(() => {});

    assertEquals(await (await ask(new Request(ORIGIN))).text(), "old");
    assertEquals(signal?.aborted, false);
    await time.tickAsync(1_000);

    assertEquals([signal?.aborted, signal?.reason?.name], [true, "TimeoutError"]);
  });
}
