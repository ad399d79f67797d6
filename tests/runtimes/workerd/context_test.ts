/** The places where the breaker finds `waitUntil`. */
import { breaker, type BreakerOptions } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { assertEquals } from "@std/assert";
import { Hono } from "hono";
import { type Env, type ExecutionContext, host, test } from "./host.ts";

/** Makes a context that counts the works it is given. */
function counting() {
  const works: Promise<unknown>[] = [];
  const waitUntil = (work: Promise<unknown>) => void works.push(work);
  return { works, ctx: { waitUntil, passThroughOnException() {} } as ExecutionContext, waitUntil };
}

const request = () => new Request("http://worker/context");
const good = () => new Response("good");

/** Handlers as runtimes call them, each with the Worker's context. */
const handlers: Record<
  string,
  (options: BreakerOptions) => (ctx: ExecutionContext) => Response | Promise<Response>
> = {
  "wrap finds it in (request, env, ctx)": (options) => {
    const handler = breaker(options).wrap((_: Request, _env: Env, _ctx: ExecutionContext) =>
      good()
    );
    return (ctx) => handler(request(), host.env, ctx);
  },
  "wrap finds it in (request, ctx)": (options) => {
    const handler = breaker(options).wrap((_: Request, _ctx: ExecutionContext) => good());
    return (ctx) => handler(request(), ctx);
  },
  "respond is given it": (options) => {
    const api = breaker(options);
    return ({ waitUntil }) => api.respond(request(), good, { waitUntil });
  },
  "Hono's executionCtx has it": (options) => {
    const app = new Hono().use(middleware(options)).get("*", good);
    return (ctx) => app.fetch(request(), host.env, ctx as never);
  },
};

for (const [name, handler] of Object.entries(handlers)) {
  test(`33: ${name}`, async () => {
    const { works, ctx } = counting();

    const response = await handler({})(ctx);

    assertEquals([await response.text(), works.length], ["good", 1]);
    await Promise.all(works);
  });

  test(`33: an explicit waitUntil takes precedence where ${name}`, async () => {
    const found = counting();
    const given = counting();

    const response = await handler({ waitUntil: given.waitUntil })(found.ctx);

    await response.text();
    assertEquals([found.works.length, given.works.length], [0, 1]);
  });

  test(`33: waitUntil is called on its own context where ${name}`, async () => {
    const response = await handler({})(host.ctx);

    assertEquals(await response.text(), "good");
  });
}

test("33: Hono still answers without an executionCtx, whose getter then throws", async () => {
  const app = new Hono().use(middleware()).get("*", good);

  const response = await app.request("/context");

  assertEquals([response.status, await response.text()], [200, "good"]);
});
