import { type Breaker, breaker, type BreakerEvent, type BreakerOptions } from "@lastgood/breaker";

/** The page that most tests ask for. */
export const PAGE = "https://origin.test/page";

/** When a site's clock starts, in ms. */
export const START = Date.UTC(2026, 0, 1);

/** What an origin is asked. */
export interface Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
}

/** How an origin answers. */
export type Answer = (asked: Asked) => Response | Promise<Response>;

/** The two ways to a breaker that differ in what is known of a body. */
export type Way = "fetch" | "wrap";

/** An origin that can be changed at any time, behind a breaker whose clock stands still. */
export class Site {
  /** In ms. */
  at = START;
  /** How its origin answers now. */
  answer: Answer = page();
  readonly asked: Asked[] = [];
  readonly events: BreakerEvent[] = [];
  readonly api: Breaker;
  readonly #guarded: (request: Request) => Promise<Response>;
  readonly #way: Way;

  constructor(options: BreakerOptions = {}, way: Way = "fetch") {
    const ask = (asked: Asked) => {
      this.asked.push(asked);
      return this.answer(asked);
    };
    this.#way = way;
    this.api = breaker({
      threshold: 1_000,
      timeoutMs: Infinity,
      now: () => this.at,
      onEvent: (event) => this.events.push(event),
      fetch: async (input, init) => await ask(new Arrived(input, init)),
      ...options,
    });
    this.#guarded = this.api.wrap((request) => ask(request));
  }

  /** Asks for a page, and leaves its body to the caller. */
  get(init: RequestInit = {}, url = PAGE): Promise<Response> {
    if (this.#way === "wrap") return this.#guarded(new Request(url, init));
    return this.api.fetch(url, init);
  }

  /** Asks for a page and reads it. */
  async read(init: RequestInit = {}, url = PAGE): Promise<string> {
    return await (await this.get(init, url)).text();
  }

  /** From now on the origin fails. */
  fail(): void {
    this.answer = down();
  }

  /** What is served for a request while the origin fails, read; undefined if nothing is kept. */
  async kept(init: RequestInit = {}, url = PAGE): Promise<string | undefined> {
    const { answer } = this;
    this.fail();
    const response = await this.get(init, url);
    this.answer = answer;
    const text = await response.text();
    return response.status === 503 ? undefined : text;
  }

  /** Why answers were not kept, in their order. */
  get notKept(): string[] {
    return this.events.flatMap((event) => event.type === "not_kept" ? [event.why] : []);
  }
}

/** What `fetch` was called with: without a Request, which refuses some of it. */
class Arrived implements Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;

  constructor(input: RequestInfo | URL, init: RequestInit = {}) {
    const request = input instanceof Request ? input : undefined;
    this.url = request?.url ?? String(input);
    this.method = init.method ?? request?.method ?? "GET";
    this.headers = new Headers(init.headers ?? request?.headers);
  }
}

/** A page with these fields. */
export function page(headers: HeadersInit = {}, body: BodyInit | null = "good", status = 200) {
  return (_: Asked): Response => new Response(body, { status, headers });
}

/** An origin that fails, in its own words. */
export function down(status = 503): Answer {
  return () => new Response("down", { status, headers: { "x-failed": "yes" } });
}

/** A response as a runtime makes it, which a constructor cannot. */
export function madeBy(runtime: Partial<Response>, response = new Response("good")): Response {
  for (const [name, value] of Object.entries(runtime)) {
    Object.defineProperty(response, name, { value });
  }
  return response;
}

/** A body in pieces; an Error among them breaks it. */
export function pieces(...chunks: (string | Uint8Array | Error)[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks[next++];
      if (chunk === undefined) controller.close();
      else if (chunk instanceof Error) controller.error(chunk);
      else controller.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
    },
  });
}
