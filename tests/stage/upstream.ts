/** A request as the upstream receives it. */
export interface Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
}

/** How an upstream answers. */
export type Answer<A = Asked> = (asked: A) => Response | Promise<Response>;

/** An upstream that the test can change at any time. */
export class Upstream<A = Asked> {
  /** How it currently answers. */
  answer: Answer<A>;
  /** The requests so far. */
  readonly asked: A[] = [];

  constructor(answer: Answer<A> = page()) {
    this.answer = answer;
  }

  /** The number of requests so far. */
  get calls(): number {
    return this.asked.length;
  }

  /** Records a request, and answers it. */
  readonly reply = (asked: A): Response | Promise<Response> => {
    this.asked.push(asked);
    return this.answer(asked);
  };

  /** Makes it fail from now on. */
  fail(answer: Answer<A> = down()): void {
    this.answer = answer;
  }

  /** Holds back its answers from now on: each arrives when the test hands it over. */
  hold(): ((response: Response) => void)[] {
    const arrivals: ((response: Response) => void)[] = [];
    this.answer = () => new Promise((resolve) => arrivals.push(resolve));
    return arrivals;
  }
}

/** Reads the arguments of `fetch` without making a Request, which would refuse some of them. */
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

/** Makes an answer that fails with recognizable fields and body. */
export function down(status = 503): () => Response {
  return page({ "x-failed": "yes" }, "down", status);
}

/** Makes a response that only a runtime can make, not a constructor. */
export function madeBy(runtime: Partial<Response>, response = new Response("good")): Response {
  for (const [name, value] of Object.entries(runtime)) {
    Object.defineProperty(response, name, { value });
  }
  return response;
}
