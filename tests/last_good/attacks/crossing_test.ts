/**
 * Nobody gets what is another's, whatever overlaps: calls, probes in the background, failures and
 * late answers come in any order, and every page says for whom it was made (K1 to K6, S8b, S10, F8).
 */

import { type Breaker, breaker, type BreakerEvent } from "@lastgood/breaker";
import { assert, assertEquals } from "@std/assert";
import { Clock } from "../../stage/clock.ts";
import { only } from "../../stage/events.ts";
import { seeded } from "../../stage/random.ts";
import { settled } from "../../stage/settle.ts";
import { ORIGIN } from "../../stage/site.ts";
import { handlerBy } from "../../stage/ways.ts";

const STEPS = 800;

/** For whom a page was made, or who asks. */
interface Visitor {
  readonly place: string;
  readonly path: string;
  readonly forwarded: string | null;
  readonly origin: string | null;
  readonly told: string | null;
  readonly name: string | null;
}

/** A page that says for whom it was made. */
interface Made extends Visitor {
  readonly isPublic: boolean;
  readonly isForOrigin: boolean;
}

/** Says what is wrong if a visitor gets a page; undefined if nothing is. */
function wrong(asks: Visitor, got: Made): string | undefined {
  const { place, path, forwarded, told } = got;
  if (place !== asks.place) return "made at another place";
  if (path !== asks.path) return "another page";
  if (forwarded !== asks.forwarded) return "poisoned by a field";
  if (told !== asks.told) return "fetched by other means";
  if (got.isForOrigin && got.origin !== asks.origin) return "made for another origin";
  return got.name === null || got.isPublic || got.name === asks.name ? undefined : "another's";
}

/** An app with several places, and an origin whose answers come in any order. */
class World {
  readonly clock = new Clock();
  readonly events: BreakerEvent[] = [];
  readonly #next: () => number;
  readonly #waiting: ((response: Response) => void)[] = [];
  readonly #made = new Map<(response: Response) => void, Visitor>();
  readonly #places: Readonly<Record<string, (visitor: Visitor) => Promise<Response>>>;
  readonly #api: Breaker;
  answered = 0;
  #arrivals = 0;

  constructor(seed: number) {
    this.#next = seeded(seed);
    this.#api = breaker({
      threshold: 3,
      delayMs: 1_000,
      timeoutMs: Infinity,
      now: this.clock.now,
      waitUntil: () => {},
      onEvent: (event) => void this.events.push(event),
      fetch: (input, init) => this.#upstream("fetch", String(input), init as never),
      lastGood: { refreshMs: 0, maxBodyMs: Infinity, freshMs: 500, maxVariants: 50 },
    });
    const handler = (place: string) => (request: Request) =>
      this.#upstream(place, request.url, request);
    const handlers = {
      wrap: handlerBy("wrap", this.#api, handler("wrap")),
      hono: handlerBy("hono", this.#api, handler("hono")),
    };
    const asked = (visitor: Visitor) =>
      new Request(ORIGIN + visitor.path, { headers: fieldsOf(visitor) });
    this.#places = {
      fetch: ({ path, told, ...visitor }) =>
        this.#api.fetch(ORIGIN + path, {
          headers: fieldsOf(visitor),
          ...told !== null && { cf: { told } },
        } as RequestInit),
      wrap: (visitor) => handlers.wrap(asked(visitor)),
      hono: (visitor) => handlers.hono(asked(visitor)),
    };
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#next() * list.length)]!;
  }

  visitor(): Visitor {
    const place = this.pick(["fetch", "wrap", "hono"]);
    return {
      place,
      path: this.pick(["/a", "/b"]),
      forwarded: this.pick([null, null, "a.test", "b.test"]),
      origin: this.pick([null, null, "https://a.test", "https://b.test"]),
      told: place === "fetch" ? this.pick([null, null, "a", "b"]) : null,
      name: this.pick([null, null, "ann", "bob"]),
    };
  }

  #upstream(
    place: string,
    url: string,
    { headers, cf }: { headers: HeadersInit; cf?: { told: string } },
  ): Promise<Response> {
    const fields = new Headers(headers);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#made.set(resolve, {
        place,
        path: new URL(url).pathname,
        forwarded: fields.get("x-forwarded-host"),
        origin: fields.get("origin"),
        told: cf?.told ?? null,
        name: fields.get("x-api-key"),
      });
    });
  }

  /** Lets one of the calls that wait be answered, whichever. */
  async arrive(): Promise<void> {
    const [resolve] = this.#waiting.splice(Math.floor(this.#next() * this.#waiting.length), 1);
    if (resolve !== undefined) resolve(this.#answer(this.#made.get(resolve)!));
    await settled(60);
    // On Workers, reading a body takes more than microtasks.
    if (++this.#arrivals % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }

  #answer(visitor: Visitor): Response {
    const what = this.#next();
    if (what < 0.3) return new Response("down", { status: 503 });
    if (what < 0.35) return new Response(null, { status: this.pick([404, 302, 410]) });
    const [isPublic, isForOrigin] = [this.#next() < 0.2, this.#next() < 0.3];
    const made: Made = { ...visitor, isPublic, isForOrigin };
    const headers = {
      ...isPublic && { "cache-control": "public" },
      ...isForOrigin && { "access-control-allow-origin": visitor.origin ?? "null" },
      ...this.#next() < 0.2 && { vary: "x-api-key" },
    };
    return Response.json(made, { headers });
  }

  async ask(): Promise<void> {
    const asks = this.visitor();
    const response = await this.#places[asks.place]!(asks).catch(() => undefined);
    if (response?.status !== 200) return;
    const got: Made = await response.json();
    this.answered++;
    assertEquals([wrong(asks, got), asks, got], [undefined, asks, got]);
  }
}

function fieldsOf({ forwarded, origin, name }: Omit<Visitor, "path" | "told">) {
  return {
    ...forwarded !== null && { "x-forwarded-host": forwarded },
    ...origin !== null && { origin },
    ...name !== null && { "x-api-key": name },
  };
}

Deno.test("K1 to K6, S8b, S10, F8: whatever overlaps, nobody gets what is another's", async () => {
  for (const seed of [1, 2]) {
    const world = new World(seed);
    const asked: Promise<void>[] = [];
    for (let n = 0; n < STEPS; n++) {
      const what = world.pick(["ask", "ask", "arrive", "arrive", "arrive", "tick"]);
      if (what === "ask") asked.push(world.ask());
      else if (what === "arrive") await world.arrive();
      else world.clock.tick(world.pick([1, 300, 1_100]));
    }
    for (let n = 0; n < STEPS; n++) await world.arrive();
    await Promise.all(asked);

    const { length } = only(world.events, "stale");
    assert(length > 15 && world.answered > 100, `${length} of ${world.answered} were stale`);
  }
});
