/** A Hono app whose types must survive the middleware. None of it runs. */

import { type Breaker, breaker as makeBreaker } from "@lastgood/breaker";
import {
  breaker,
  type BreakerMiddleware,
  type BreakerOptions,
  type HonoContextLike,
} from "@lastgood/breaker/hono";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { hc } from "hono/client";
import { createFactory, createMiddleware } from "hono/factory";

type Env = { Bindings: { NAME: string }; Variables: { user: string } };

const guard: BreakerMiddleware = breaker({ threshold: 5 });
export const shared: BreakerMiddleware = breaker(makeBreaker());
export const api: Breaker = guard.breaker;
export const options: BreakerOptions = { lastGood: { patienceMs: 0 } };

// ---- A client of its own API ----

const app = new Hono<Env>()
  .use(guard)
  .get("/items/:id", breaker(), (c) => c.json({ id: c.req.param("id") }))
  .post("/items", breaker(), guard, (c) => c.json({ made: true }, 201));
const client = hc<typeof app>("https://app.test");

export async function ask(): Promise<string> {
  const response = await client.items[":id"].$get({ param: { id: "1" } });
  const { id } = await response.json();
  // @ts-expect-error Not in the answer.
  response.json().then((item) => item.made);
  return id;
}

export async function make(): Promise<boolean> {
  const response = await client.items.$post();
  const status: 201 = response.status;
  return (await response.json()).made && status === 201;
}

// ---- Handlers and middleware made by a factory ----

const factory = createFactory<Env>();
const handlers = factory.createHandlers(guard, (c) => {
  c.set("user", c.env.NAME);
  // @ts-expect-error Not a variable of the app.
  c.get("nothing");
  return c.json({ user: c.var.user });
});
const users = new Hono<Env>().get("/user", ...handlers);

export async function user(): Promise<string> {
  const response = await hc<typeof users>("https://app.test").user.$get();
  const { user } = await response.json();
  // @ts-expect-error A string.
  const wrong: number = user;
  return user ?? wrong;
}

export const middlewares: readonly MiddlewareHandler<Env>[] = [
  guard,
  createMiddleware<Env>(guard),
  createMiddleware<Env>(async (c, next) => {
    c.set("user", "ann");
    await guard(c, next);
  }),
  factory.createMiddleware((c, next) => guard(c, next)),
];

export const run = (c: Context<Env>): Promise<void> => guard(c, () => Promise.resolve());
export const like = (c: Context): HonoContextLike => c;
