import { assertEquals } from "@std/assert";
import { breaker, type BreakerEvent } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { Hono } from "hono";

type Handler = (request: Request, info: Deno.ServeHandlerInfo) => Response | Promise<Response>;

/** Starts a server, and collects its breaker's events. */
function serving(make: (options: { onEvent: (event: BreakerEvent) => void }) => Handler) {
  const events: BreakerEvent[] = [];
  const heard = Promise.withResolvers<void>();
  const onEvent = (event: BreakerEvent) => {
    events.push(event);
    heard.resolve();
  };
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    make({ onEvent }),
  );
  return { events, heard: heard.promise, server, url: `http://127.0.0.1:${server.addr.port}/` };
}

/** The ways a server's requests reach a breaker. */
const WAYS: Readonly<
  Record<
    string,
    (
      handler: () => Promise<Response>,
      options: { onEvent: (event: BreakerEvent) => void },
    ) => Handler
  >
> = {
  "a wrapped handler": (handler, options) => breaker(options).wrap(handler),
  "Hono": (handler, options) => new Hono().use(middleware(options)).get("/", handler).fetch,
};

for (const [way, make] of Object.entries(WAYS)) {
  Deno.test(`8: a client who leaves while ${way} works does not count as a failure`, async () => {
    const started = Promise.withResolvers<void>();
    const work = Promise.withResolvers<Response>();
    const handler = () => {
      started.resolve();
      return work.promise;
    };
    const { events, heard, server, url } = serving((options) => make(handler, options));
    await using _ = server;
    const client = new AbortController();
    const asked = fetch(url, { signal: client.signal }).catch(() => {});
    await started.promise;

    client.abort();
    await asked;
    await heard;
    work.reject(new Error("too late"));

    assertEquals(events.map((event) => [event.type, "why" in event && event.why]), [
      ["ignored", "aborted"],
    ]);
  });

  Deno.test(`8: ${way} does not read a request's signal for an immediate answer`, async () => {
    let asked = 0;
    const { signal } = Object.getOwnPropertyDescriptors(Request.prototype);
    const counting = {
      ...signal,
      get(this: Request) {
        asked++;
        return signal.get?.call(this);
      },
    };
    const handler = () => Promise.resolve(new Response("fine"));
    const { server, url } = serving((options) => make(handler, options));
    await using _ = server;
    await (await fetch(url)).text();

    Object.defineProperty(Request.prototype, "signal", counting);
    try {
      const client = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
      using _client = client;
      await client.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
      await client.read(new Uint8Array(1_024));
    } finally {
      Object.defineProperty(Request.prototype, "signal", signal);
    }

    assertEquals(asked, 0);
  });
}
