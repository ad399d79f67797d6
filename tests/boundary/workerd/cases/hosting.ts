/** What is peculiar to Workers: timers, contexts, service bindings, methods of services, `cf`. */
import { assertEquals } from "@std/assert";
import { breaker, Circuit } from "@lastgood/breaker";
import { type Border, type Context, type Env, route, test, until, upstreamOf } from "../border.ts";
import { guarded, HANDLER_WAYS, heardBy, type Source, told } from "./ways.ts";

const proxied: Source = (request, env, call) => call(upstreamOf(request, env));

// ---- Timers ----

let calls = 0;

for (const way of HANDLER_WAYS) {
  const source: Source = (request, env, call) => {
    calls++;
    return call(upstreamOf(request, env));
  };
  const options = { lastGood: false, timeoutMs: 200, threshold: 1_000 } as const;
  const path = guarded("timers", way, source, options);

  route(`/timers/crowd-${way}`, async (request, env) => {
    const before = calls;
    const leaving = new AbortController();
    const ask = (signal?: AbortSignal) =>
      env.SELF.fetch(new URL(`${path}/hang`, request.url).href, signal && { signal })
        .then(() => "in time", () => "in time");
    const others: Promise<string>[] = [];
    for (let pair = 0; pair < 20; pair++) {
      ask(leaving.signal);
      others.push(ask());
    }
    await until(() => calls - before === 2 * others.length);
    leaving.abort();
    const late = new Promise<string>((resolve) => setTimeout(resolve, 2_000, "late"));
    return Response.json(await Promise.all(others.map((other) => Promise.race([other, late]))));
  });

  test(`35: a call of ${way} times out although another one that began with it is gone`, async (border) => {
    const { text } = await border.ask(`/timers/crowd-${way}`);

    assertEquals([...new Set(JSON.parse(text))], ["in time"]);
  });
}

// ---- Contexts ----

const PROBING = { threshold: 1, delayMs: 50 };

/** Handlers that find their context in one place each. */
const CONTEXTS = {
  "the third argument": () =>
    heardBy("/contexts/third", PROBING)((_request: Request, _env: Env, _ctx: Context) => answer()),
  "the second argument": () =>
    heardBy("/contexts/second", PROBING)((_request: Request, _ctx: Context) => answer()),
  "an argument behind a stub": () =>
    heardBy("/contexts/behind", PROBING)((_request: Request, _rpc: unknown, _ctx: Context) =>
      answer()
    ),
  "this.ctx": () => heardBy("/contexts/this", PROBING)((_request: Request) => answer()),
};

let latest: Env | undefined;

function answer(): Promise<Response> {
  return fetch(`${latest?.ORIGIN}/short`);
}

const third = CONTEXTS["the third argument"]();
const second = CONTEXTS["the second argument"]();
const behind = CONTEXTS["an argument behind a stub"]();

/** The handler of the class that is the parent of its own context. */
export const siteFetch: (request: Request) => Response | Promise<Response> = CONTEXTS["this.ctx"]();

const CALLS: Readonly<Record<string, (request: Request, env: Env, ctx: Context) => unknown>> = {
  third: (request, env, ctx) => third(request, env, ctx),
  second: (request, _env, ctx) => second(request, ctx),
  behind: (request, env, ctx) => behind(request, env.RPC, ctx),
  this: (request, env) => env.SITE.fetch(request),
};

for (const [place, call] of Object.entries(CALLS)) {
  route(`/contexts/${place}`, (request, env, ctx) => {
    latest = env;
    return call(request, env, ctx) as Promise<Response>;
  });

  test(`33: a probe runs in the background with the context in ${place}`, async (border) => {
    const path = `/contexts/${place}`;
    await border.ask(path);
    await until(async () => (await told(border, path)).events.includes("kept"));
    border.origin.isDown = true;
    await border.ask(path);
    border.origin.isDown = false;
    await until(async () => (await told(border, path)).states.includes("half_open"));

    const { headers } = await border.ask(path);

    assertEquals(headers.get("cache-status"), "lastgood; hit; detail=probing");
    await until(async () => (await told(border, path)).states.includes("closed"));
  });
}

// ---- Services ----

route(
  "/services/fetch",
  (_request, env) => breaker({ fetch: env.RPC as never }).fetch("http://api.test/"),
);

test("28: a service binding is given as `fetch` as it is", async (border) => {
  assertEquals((await border.ask("/services/fetch")).text, "from the service");
});

route("/services/method", async (_request, env) => {
  return new Response(String(await new Circuit().wrap(env.RPC.add)(1, 2)));
});

test("10: a method of a service can be wrapped", async (border) => {
  assertEquals((await border.ask("/services/method")).text, "3");
}, hasMethods);

/** Services have methods from 2024-04-03 on. */
function hasMethods({ date }: Border): boolean {
  return date >= "2024-04-03";
}

// ---- request.cf ----

const countryOf = (request: Request) => (request as { cf?: { country?: string } }).cf?.country;

for (const way of HANDLER_WAYS) {
  const path = guarded("cf", way, proxied, { key: (request) => `in ${countryOf(request)}` });
  const kept = guarded("cf-kept", way, proxied, {
    lastGood: { refreshMs: 0, key: (request) => countryOf(request) },
  });

  for (const [name, inner] of [["key", path], ["kept", kept]]) {
    route(`/cf-${name}-from/${way}`, (request, { SELF }) => {
      const { searchParams, origin } = new URL(request.url);
      const init = { method: searchParams.get("method") ?? "GET", cf: { country: "NL" } };
      return SELF.fetch(`${origin}${inner}/short`, init);
    });
  }

  test(`28: key sees cf, also of a POST, through ${way}`, async (border) => {
    for (const method of ["GET", "POST"]) await border.ask(`/cf-key-from/${way}?method=${method}`);

    assertEquals((await told(border, path)).keys, ["in NL"]);
  });

  test(`S19: a POST removes what is kept by a key from cf, through ${way}`, async (border) => {
    await border.ask(`/cf-kept-from/${way}`);
    await until(async () => (await told(border, kept)).events.includes("kept"));
    await border.ask(`/cf-kept-from/${way}?method=POST`);
    border.origin.isDown = true;

    assertEquals((await border.ask(`/cf-kept-from/${way}`)).status, 503);
  });
}
