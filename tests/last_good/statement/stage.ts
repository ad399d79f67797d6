import { type Breaker, breaker, type BreakerOptions } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { Hono } from "hono";
import { Clock } from "../../stage/clock.ts";
import { ORIGIN } from "../../stage/site.ts";
import { type Answering, type Asking, type Owner, TOLD } from "./exchange.ts";
import type { Outcome } from "./serving.ts";

/** A breaker with all its places, before an origin that answers what it is told. */
export class Stage {
  readonly clock = new Clock();
  readonly api: Breaker;
  #answering: Answering | undefined;
  readonly #handlers: Readonly<
    Record<string, (request: Request) => Response | Promise<Response>>
  >;

  constructor({ ignore, hasPartitions, freshMs }: Owner) {
    const reply = () => Promise.resolve(this.#reply());
    const options: BreakerOptions = {
      threshold: 1e6,
      timeoutMs: Infinity,
      now: this.clock.now,
      fetch: reply,
      lastGood: {
        refreshMs: 0,
        maxVariants: 1_000,
        freshMs,
        ignore: ignore as never,
        ...(hasPartitions && {
          partition: (request: Request) => request.headers.get("x-shard") ?? undefined,
        }),
      },
    };
    const api = this.api = breaker(options);
    const app = new Hono().use(middleware(api)).all("*", reply);
    this.#handlers = {
      "wrap 1": api.wrap(reply),
      "wrap 2": api.wrap(reply),
      "respond a": (request) => api.respond(request, reply, { key: "a" }),
      "respond b": (request) => api.respond(request, reply, { key: "b" }),
      "hono": async (request) => await app.fetch(request),
    };
  }

  async ask(asking: Asking, answering: Answering): Promise<Outcome> {
    this.#answering = answering;
    const { place, path, method, fields, cache, told } = asking;
    const init = { method, headers: fields };
    const url = ORIGIN + path;
    const response = place === "fetch"
      ? await this.api.fetch(url, { ...init, ...cache && { cache }, ...TOLD[told ?? ""] })
      : await this.#handlers[place]!(new Request(url, init));
    const { status, headers } = response;
    const body = await response.text();
    if (headers.has("cache-status")) return { from: "memory", status, body };
    if (this.#answering !== undefined) return { from: "breaker", status: 504 };
    return { from: "upstream", status, body };
  }

  #reply(): Response {
    const { status, words, fields, body } = this.#answering!;
    this.#answering = undefined;
    const headers = { ...fields, ...words.length > 0 && { "cache-control": words.join(", ") } };
    const isEmpty = body === "";
    return new Response(isEmpty ? null : body, { status, headers });
  }
}
