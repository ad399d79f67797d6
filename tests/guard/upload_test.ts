/** Promise 32: what a client does with its upload never counts against the upstream. */

import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { breaker, type BreakerEvent, type BreakerOptions, type Cause } from "@lastgood/breaker";
import { ORIGIN } from "../stage/breaker_stage.ts";

/** Makes an error as a runtime does. */
function made(members: object, type: new (message?: string) => Error = Error): Error {
  return Object.assign(new type(), members);
}

/** What `fetch` rejects with on Deno and Node. */
function fetchFailed(cause: unknown): Error {
  return Object.assign(new TypeError("fetch failed"), { cause });
}

const UNREADABLE = "error reading a body from connection";

/** What handlers reject with when the body of their request breaks. */
const BROKEN: Readonly<Record<string, unknown>> = {
  "Deno, passed on": fetchFailed(
    new Error("Cannot read request body as underlying resource unavailable"),
  ),
  "Deno, read": made({
    name: "BadResource",
    message: "Cannot read body as underlying resource unavailable",
  }),
  "Deno, passed on, reset": fetchFailed(new Error("unexpected EOF while reading HTTP/1 body")),
  "Deno, read, reset": made({ name: "Http", message: "unexpected EOF while reading HTTP/1 body" }),
  "Deno, HTTP/2": fetchFailed(new Error(UNREADABLE)),
  "Node, passed on": fetchFailed(made({ message: "aborted", code: "ECONNRESET" })),
  "Node, read": made({ message: "aborted", code: "ECONNRESET" }),
  "wrapped by a handler": new Error("no copy", {
    cause: made({ message: "aborted", code: "ECONNRESET" }),
  }),
};

/** What `fetch` rejects with when the upstream is to blame. */
const UPSTREAM: Readonly<Record<string, unknown>> = {
  "Deno, refused": fetchFailed(
    new Error("error sending request: client error (Connect): tcp connect error: (os error 111)"),
  ),
  "Deno, reset": fetchFailed(new Error("Connection reset by peer (os error 104)")),
  "Deno, an answer that breaks off": new TypeError(UNREADABLE),
  "Node, refused": fetchFailed(made({ message: "connect ECONNREFUSED", code: "ECONNREFUSED" })),
  "Node, reset": fetchFailed(
    made({ message: "read ECONNRESET", code: "ECONNRESET", syscall: "read" }),
  ),
  "Bun, refused": made({ message: "ECONNREFUSED: Unable to connect", code: "ECONNREFUSED" }),
  "Bun, reset": made({ message: "ECONNRESET: The socket connection", code: "ECONNRESET" }),
  "a handler's own": new Error("no items"),
  "no error": undefined,
};

/** Guards a handler, asks it once, and returns the cause that is told and the circuit's state. */
async function ask(
  request: Request,
  work: () => Promise<Response>,
  options: BreakerOptions = {},
): Promise<[cause: Cause | undefined, state: string]> {
  const events: BreakerEvent[] = [];
  const onEvent = (event: BreakerEvent) => void events.push(event);
  const api = breaker({ threshold: 1, onEvent, ...options });
  await Promise.resolve(api.wrap(work)(request)).catch(() => {});
  const end = events.find((event) => "cause" in event);
  return [end && "cause" in end ? end.cause : undefined, api.circuit("circuit").state];
}

/** What workerd says of a client's body that broke, and of an upstream that is lost. */
const LOST = new Error("Network connection lost.");

const post = (body = "text") => new Request(ORIGIN, { method: "POST", body });
const rejecting = (error: unknown) => () => Promise.reject(error);

Deno.test("32: in doubt on Workers, the body that a handler has read broke", async () => {
  const request = post();
  const handler = async () => {
    await request.text();
    throw LOST;
  };

  assertEquals(await ask(request, handler), ["upload", "closed"]);
});

Deno.test("32: in doubt on Workers, the upstream of a handler that has read no body is lost", async () => {
  assertEquals(await ask(post(), rejecting(LOST)), ["upstream", "open"]);
});

for (const [where, error] of Object.entries(BROKEN)) {
  Deno.test(`32: a client's body that breaks is not the upstream's failure (${where})`, async () => {
    assertEquals(await ask(post(), rejecting(error)), ["upload", "closed"]);
  });

  Deno.test(`32: the same error of a request without a body counts (${where})`, async () => {
    assertEquals(await ask(new Request(ORIGIN), rejecting(error)), ["upstream", "open"]);
  });
}

for (const [what, error] of Object.entries(UPSTREAM)) {
  Deno.test(`32: an honest POST that fails counts (${what})`, async () => {
    assertEquals(await ask(post(), rejecting(error)), ["upstream", "open"]);
  });
}

Deno.test("32: an error that is its own cause counts", async () => {
  const error = new Error("round");
  error.cause = error;

  assertEquals(await ask(post(), rejecting(error)), ["upstream", "open"]);
});

Deno.test("32: an honest POST that is answered with a 5xx counts", async () => {
  const answering = () => Promise.resolve(new Response(null, { status: 502 }));

  assertEquals(await ask(post(), answering), ["upstream", "open"]);
});

/** Asks a handler that never answers, until its time is over. */
async function hanging(request: Request) {
  using time = new FakeTime();
  const asked = ask(request, () => new Promise(() => {}), { timeoutMs: 1_000 });
  await time.tickAsync(1_000);
  return await asked;
}

Deno.test("32: a timeout of a request whose body may still be on its way is the upload's", async () => {
  assertEquals(await hanging(post()), ["upload", "closed"]);
  const headers = { "transfer-encoding": "chunked" };
  const chunked = { method: "POST", url: `${ORIGIN}/`, headers: new Headers(headers) } as Request;
  assertEquals(await hanging(chunked), ["upload", "closed"]);
});

Deno.test("32: a timeout of a request that has no body counts, whatever its method", async () => {
  assertEquals(await hanging(new Request(ORIGIN)), ["timeout", "open"]);
  assertEquals(await hanging(new Request(ORIGIN, { method: "DELETE" })), ["timeout", "open"]);
  const headers = { "content-length": "0" };
  const empty = { method: "POST", url: `${ORIGIN}/`, headers: new Headers(headers) } as Request;
  assertEquals(await hanging(empty), ["timeout", "open"]);
});

Deno.test("32: a handler that fails for its own reasons after its client left counts for nobody", async () => {
  const caller = new AbortController();
  const request = new Request(ORIGIN, { method: "POST", body: "text", signal: caller.signal });
  const info = { remoteAddr: {}, completed: Promise.resolve() };
  const events: BreakerEvent[] = [];
  const api = breaker({ threshold: 1, onEvent: (event) => void events.push(event) });
  const handler = api.wrap((_request: Request, _info: unknown) => {
    caller.abort();
    return Promise.reject(new Error("no items"));
  });
  await Promise.resolve(handler(request, info)).catch(() => {});

  assertEquals(events.map(({ type }) => type), ["ignored"]);
});

// ---- Requests that `fetch` refuses ----

for (const method of ["TRACE", "CONNECT", "TRACK"]) {
  Deno.test(`31: a handler that passes on a ${method} fails by its arguments`, async () => {
    const request = { method, url: `${ORIGIN}/`, headers: new Headers() } as Request;

    assertEquals(await ask(request, rejecting(new TypeError("method"))), ["arguments", "closed"]);
    assertEquals(await ask(request, rejecting(new Error("no items"))), ["upstream", "open"]);
  });
}

Deno.test("31: a handler that passes on a GET with a body fails by its arguments", async () => {
  const headers = new Headers({ "content-length": "4" });
  const request = { method: "GET", url: `${ORIGIN}/`, headers } as Request;

  assertEquals(await ask(request, rejecting(new TypeError("GET"))), ["arguments", "closed"]);
});

Deno.test("31: a TypeError of a handler with an ordinary request counts", async () => {
  const failing = rejecting(new TypeError("no items"));

  assertEquals(await ask(new Request(ORIGIN), failing), ["upstream", "open"]);
  assertEquals(await ask(post(), failing), ["upstream", "open"]);
});
