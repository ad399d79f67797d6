import {
  type Breaker,
  breaker,
  type BreakerEvent,
  type BreakerOptions,
  type LastGoodOptions,
} from "@lastgood/breaker";
import { assert } from "@std/assert";
import { Clock } from "./clock.ts";
import { notKept } from "./events.ts";
import { type Answer, asked, page, Upstream } from "./upstream.ts";
import { askerBy, type Way } from "./ways.ts";

/** The two ways through a breaker that differ in what is known about a body. */
export const WAYS = ["fetch", "wrap"] as const satisfies readonly Way[];

export const ORIGIN = "https://origin.test";

/** The page that most tests ask for. */
export const PAGE = `${ORIGIN}/page`;

/** An upstream that the test can change at any time, with a breaker that hardly ever opens. */
export class Site extends Upstream {
  readonly clock = new Clock();
  readonly events: BreakerEvent[] = [];
  readonly api: Breaker;
  readonly #ask: (url: string, init: RequestInit) => Promise<Response>;

  constructor(options: BreakerOptions = {}, way: Way = "fetch") {
    super();
    this.api = breaker({
      threshold: 1_000,
      timeoutMs: Infinity,
      now: this.clock.now,
      onEvent: (event) => this.events.push(event),
      fetch: async (input, init) => await this.reply(asked(input, init)),
      ...options,
    });
    this.#ask = askerBy(way, this.api, this.reply);
  }

  /** Requests a page, and leaves the body to the caller. */
  get(init: RequestInit = {}, url = PAGE): Promise<Response> {
    return this.#ask(url, init);
  }

  /** Requests a page and reads it. */
  async read(init: RequestInit = {}, url = PAGE): Promise<string> {
    return await (await this.get(init, url)).text();
  }

  /** Reads what is served while the upstream fails; undefined if nothing is kept. */
  async kept(init: RequestInit = {}, url = PAGE): Promise<string | undefined> {
    const { answer } = this;
    this.fail();
    const response = await this.get(init, url);
    this.answer = answer;
    const text = await response.text();
    return response.status === 503 ? undefined : text;
  }

  /** The reasons why answers were not kept, in order. */
  get notKept(): string[] {
    return notKept(this.events);
  }
}

/** Lets a site read this answer, and `secs` pass. */
async function after(answer: Answer, secs: number, site: Site): Promise<Site> {
  site.answer = answer;
  await site.read();
  site.clock.tick(secs * 1_000);
  return site;
}

/** Makes a site that has kept a page with these fields `secs` ago. */
export function keeping(
  fields: Record<string, string>,
  secs: number,
  options: BreakerOptions = {},
): Promise<Site> {
  return after(page(fields), secs, new Site(options));
}

/** How a page was kept, and how long ago that was. */
export interface Outage {
  readonly secs?: number;
  readonly options?: LastGoodOptions;
  readonly way?: Way;
}

/** Returns what is served during an outage; fails the test if nothing is. */
export async function served(answer: Answer, outage: Outage = {}): Promise<Response> {
  const { secs = 0, options = {}, way = "fetch" } = outage;
  const site = await after(answer, secs, new Site({ lastGood: options }, way));
  site.fail();
  const response = await site.get();
  assert(response.status !== 503);
  return response;
}
