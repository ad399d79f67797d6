/** What an upstream is asked. */
export interface Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
}

/** How an upstream answers. */
export type Answer<A = Asked> = (asked: A) => Response | Promise<Response>;

/** An upstream that can be changed at any time. */
export class Upstream<A = Asked> {
  /** How it answers now. */
  answer: Answer<A>;
  /** What it was asked so far. */
  readonly asked: A[] = [];

  constructor(answer: Answer<A> = page()) {
    this.answer = answer;
  }

  /** How often it was asked. */
  get calls(): number {
    return this.asked.length;
  }

  /** Takes note of a request, and answers it. */
  readonly reply = (asked: A): Response | Promise<Response> => {
    this.asked.push(asked);
    return this.answer(asked);
  };

  /** From now on it fails. */
  fail(answer: Answer<A> = down()): void {
    this.answer = answer;
  }

  /** From now on its answers arrive when the test hands them over. */
  hold(): ((response: Response) => void)[] {
    const arrivals: ((response: Response) => void)[] = [];
    this.answer = () => new Promise((resolve) => arrivals.push(resolve));
    return arrivals;
  }
}

/** What `fetch` was called with: without a Request, which refuses some of it. */
export function asked(input: RequestInfo | URL, init: RequestInit = {}): Asked {
  const request = input instanceof Request ? input : undefined;
  return {
    url: request?.url ?? String(input),
    method: init.method ?? request?.method ?? "GET",
    headers: new Headers(init.headers ?? request?.headers),
  };
}

/** A page with these fields. */
export function page(headers: HeadersInit = {}, body: BodyInit | null = "good", status = 200) {
  return (_?: unknown): Response => new Response(body, { status, headers });
}

/** A failure in the upstream's own words. */
export function down(status = 503): () => Response {
  return page({ "x-failed": "yes" }, "down", status);
}

/** A response as a runtime makes it, which a constructor cannot. */
export function madeBy(runtime: Partial<Response>, response = new Response("good")): Response {
  for (const [name, value] of Object.entries(runtime)) {
    Object.defineProperty(response, name, { value });
  }
  return response;
}
