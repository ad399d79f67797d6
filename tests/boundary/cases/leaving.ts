/** Clients who leave, and requests that hardly are requests. */
import { breaker as middleware } from "@lastgood/breaker/hono";
import { Hono } from "hono";
import { assertEquals } from "std/assert";
import { boundary, Deferred, elapsed, outcome, until, within } from "./stage/case.ts";
import { type Handler, serve } from "./stage/host.ts";
import { chunk, exchange, head, nothing, RawOrigin } from "./stage/origin.ts";
import { watched } from "./stage/watched.ts";
import { WAYS } from "./stage/ways.ts";

/** What handlers do while their client leaves: `left` resolves once that is known. */
const WORK: Readonly<
  Record<string, (request: Request, left: Promise<void>, hanging: string) => Promise<Response>>
> = {
  "passes the signal on": ({ signal }, _left, hanging) => fetch(hanging, { signal }),
  "does not look": async (_request, left) => {
    await left;
    return new Response("too late");
  },
  "fails later": async (_request, left) => {
    await left;
    throw new Error("too late");
  },
};

type Work = (request: Request, left: Promise<void>) => Promise<Response>;

/** Counts the errors that a server hears when three clients leave. */
async function errorsHeard(
  make: (handler: Handler, heard: unknown[]) => Handler,
  work: Work,
  isKnown: (clients: number) => Promise<void>,
): Promise<number> {
  const heard: unknown[] = [];
  let started = new Deferred();
  let left = new Deferred();
  const handler: Handler = (request) => {
    started.resolve();
    return work(request, left.promise);
  };
  await using served = await serve(make(handler, heard));
  for (let clients = 1; clients <= 3; clients++) {
    started = new Deferred();
    left = new Deferred();
    const client = new AbortController();
    const asked = fetch(served.url, { signal: client.signal }).catch(() => {});
    await within(started.promise, "the handler is called");
    client.abort();
    await asked;
    await isKnown(clients);
    left.resolve();
    await quiet();
  }
  return heard.length + served.errors.length;
}

/** Waits, as nothing tells that a server has heard of all errors. */
function quiet(): Promise<void> {
  return elapsed(50);
}

for (const [way, guard] of Object.entries(WAYS)) {
  for (const [what, work] of Object.entries(WORK)) {
    boundary(`36: clients who leave while a handler in ${way} ${what} are no errors`, async () => {
      using origin = await RawOrigin.start(nothing);
      const w = watched({ threshold: 2 });
      const pending: Work = (request, left) => work(request, left, origin.url);
      const bare = await errorsHeard(
        (handler) =>
          way === "Hono" ? new Hono().all("*", (c) => handler(c.req.raw)).fetch : handler,
        pending,
        quiet,
      );

      const guarded = await errorsHeard((handler) => guard(w.api, handler), pending, w.ended);

      assertEquals(Math.max(guarded, bare), bare);
      assertEquals(w.ends, Array(3).fill("ignored abort"));
    });
  }
}

for (const [way, guard] of Object.entries(WAYS)) {
  boundary(
    `K4: a client of ${way} who leaves while the partition hangs is let go, uncounted`,
    async () => {
      const asked = new Deferred();
      const ended = new Deferred<number>();
      const partition = () => {
        asked.resolve();
        return new Promise<string>(() => {});
      };
      const w = watched({ timeoutMs: Infinity, lastGood: { partition } });
      const guarded = guard(w.api, () => new Response("never"));
      await using served = await serve(async (request, ...rest) => {
        const answer = await guarded(request, ...rest);
        ended.resolve(answer.status);
        return answer;
      });
      const client = new AbortController();
      const answer = fetch(served.url, { signal: client.signal }).catch(() => {});
      await within(asked.promise, "the partition is asked");
      client.abort();
      await answer;

      assertEquals(await within(ended.promise, "the request"), 499);
      assertEquals([w.ends, w.events, served.errors], [[], [], []]);
    },
  );
}

boundary("36: app.onError hears of no client who leaves", async () => {
  const w = watched();
  const app = (isGuarded: boolean) => (handler: Handler, heard: unknown[]): Handler => {
    const made = new Hono().onError((error, c) => {
      heard.push(error);
      return c.text("down", 500);
    });
    if (isGuarded) made.use(middleware(w.api));
    return made.all("*", (c) => handler(c.req.raw)).fetch;
  };
  const work: Work = async (_request, left) => {
    await left;
    return new Response("too late");
  };

  const bare = await errorsHeard(app(false), work, quiet);
  const guarded = await errorsHeard(app(true), work, w.ended);

  assertEquals([guarded, bare], [0, 0]);
});

/** Reports if the upstream's connection ends when a client leaves in the middle of its answer. */
async function endsUpstream(make: (handler: Handler) => Handler): Promise<boolean> {
  using origin = await RawOrigin.start(() => [
    head("content-type: text/event-stream", "transfer-encoding: chunked"),
    chunk("first"),
    new Promise(() => {}),
  ]);
  await using served = await serve(make(() => fetch(origin.url)));
  const client = new AbortController();
  const response = await fetch(served.url, { signal: client.signal });
  await response.body!.getReader().read();
  client.abort();
  try {
    await until(() => origin.arrivals[0]?.isClosed === true, "the connection is closed", 1_000);
    return true;
  } catch {
    return false;
  }
}

for (const [way, guard] of Object.entries(WAYS)) {
  boundary(
    `21: a client of ${way} who leaves in the middle of a stream ends it, as without us`,
    async () => {
      const w = watched();
      const bare = await endsUpstream((handler) =>
        way === "Hono" ? new Hono().all("*", (c) => handler(c.req.raw)).fetch : handler
      );

      const guarded = await endsUpstream((handler) => guard(w.api, handler));

      assertEquals(guarded, bare);
      assertEquals(w.ends.filter((end) => end.startsWith("failure")), []);
    },
  );
}

/** Requests as scanners send them. */
const ODD: Readonly<Record<string, string>> = {
  "HTTP/1.0 without Host": "GET /path HTTP/1.0\r\n\r\n",
  "HTTP/1.1 without Host": "GET /path HTTP/1.1\r\nconnection: close\r\n\r\n",
  "Host: a b": "GET /path HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n",
  "Host: a:99999": "GET /path HTTP/1.1\r\nhost: a:99999\r\nconnection: close\r\n\r\n",
  "Host: v.test#": "GET /path HTTP/1.1\r\nhost: v.test#\r\nconnection: close\r\n\r\n",
  "an empty Host": "GET /path HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n",
  "an absolute form":
    "GET http://b.test/path HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n",
  "OPTIONS *": "OPTIONS * HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n",
  "dots": "GET /a/../path HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n",
  "two slashes": "GET //path HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n",
};

for (const [what, said] of Object.entries(ODD)) {
  for (const [way, guard] of Object.entries(WAYS)) {
    boundary(`37: ${what} reaches a handler in ${way} as without us`, async () => {
      const w = watched();
      const handler = () => new Response("fine");
      await using bare = await serve(
        way === "Hono" ? new Hono().all("*", handler).fetch : handler,
      );
      await using guarded = await serve(guard(w.api, handler));
      const ask = (port: number) =>
        outcome(async () => {
          const { status, body } = await within(exchange(port, said), "the exchange", 2_000);
          return `${status}: ${new TextDecoder().decode(body)}`;
        });
      const expected = await ask(bare.port);

      assertEquals([await ask(guarded.port), await ask(guarded.port)], [expected, expected]);
    });
  }
}
