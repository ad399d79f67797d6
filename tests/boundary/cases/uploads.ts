/** Clients who send their bodies slowly, or half of them. */
import { assertEquals } from "std/assert";
import { boundary, elapsed, outcome, until } from "./stage/case.ts";
import { type Handler, HOST, serve } from "./stage/host.ts";
import { deadUrl, nothing, RawClient, RawOrigin, text } from "./stage/origin.ts";
import { type Watched, watched } from "./stage/watched.ts";
import { WAYS } from "./stage/ways.ts";

const LENGTH = 100;
const POST = `POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: ${LENGTH}\r\n\r\n`;

/** How handlers pass an upload on. */
const UPLOADS: Readonly<Record<string, (request: Request, url: string) => Promise<Response>>> = {
  "with the signal": ({ body, signal }, url) => passOn(url, body, signal),
  "without the signal": ({ body }, url) => passOn(url, body, null),
  "once it is whole": async (request, url) => passOn(url, await request.text(), null),
};

function passOn(url: string, body: BodyInit | null, signal: AbortSignal | null) {
  return fetch(url, { method: "POST", body, signal, duplex: "half" } as RequestInit);
}

/** Answers a POST when its last byte, which is a Z, has arrived. */
function answersUploads(): Promise<RawOrigin> {
  return RawOrigin.start(function* (arrival) {
    if (arrival.received.startsWith("POST")) {
      yield until(() => arrival.received.includes("Z"), "the upload is whole", 9_000);
    }
    yield* text("fine", "cache-control: public");
  });
}

for (const [way, guard] of Object.entries(WAYS)) {
  for (const [how, upload] of Object.entries(UPLOADS)) {
    boundary(`32: halves of POSTs through ${way}, passed on ${how}, do not count`, async () => {
      using origin = await answersUploads();
      const w = watched({ threshold: 2, timeoutMs: 300 });
      let started = 0;
      const handler: Handler = (request) => {
        if (request.method === "GET") return fetch(origin.url);
        started++;
        return upload(request, origin.url);
      };
      await using served = await serve(guard(w.api, handler));

      for (let n = 1; n <= 3; n++) {
        using client = await RawClient.to(served.port, `${POST}half`);
        await until(() => started === n || w.state === "open", "the handler is called");
        if (w.state === "open") break;
        client.leave();
        await w.ended(n);
      }
      const honest = await (await fetch(served.url)).text();

      assertEquals(w.ends.filter((end) => end.startsWith("failure")), []);
      assertEquals(honest, "fine");
    });

    boundary(`32: POSTs that trickle through ${way}, passed on ${how}, do not count`, async () => {
      using origin = await answersUploads();
      const w = watched({ threshold: 2, timeoutMs: 150 });
      const handler: Handler = (request) =>
        request.method === "GET" ? fetch(origin.url) : upload(request, origin.url);
      await using served = await serve(guard(w.api, handler));
      await (await fetch(served.url)).text();
      await w.ended(1);

      const trickle = async () => {
        using client = await RawClient.to(served.port, POST);
        // It goes on until it has its answer, which the end of the connection may overtake.
        const isOver = () => client.received !== "" || client.socket.destroyed;
        for (let sent = 1; sent < LENGTH && !isOver(); sent++) {
          await client.say("x");
          await elapsed(10);
        }
        if (!isOver()) await client.say("Z");
        await until(isOver, "an answer");
      };
      await Promise.all([trickle(), trickle(), trickle()]);
      await w.ended(4);
      const honest = await fetch(served.url);
      origin.close();
      const stale = await fetch(served.url);

      assertEquals(w.ends.slice(0, 4).filter((end) => end.startsWith("failure")), []);
      assertEquals([honest.status, await honest.text()], [200, "fine"]);
      assertEquals([stale.status, await stale.text()], [200, "fine"]);
    });
  }
}

/** Bodies that break or dawdle on their way to `api.fetch`. */
function stream(end: (controller: ReadableStreamDefaultController<Uint8Array>) => Promise<void>) {
  let isFirst = true;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (!isFirst) return end(controller);
      isFirst = false;
      controller.enqueue(new TextEncoder().encode("half"));
      return undefined;
    },
  });
}

boundary("32: a body stream that errors is not the upstream's failure", async () => {
  using origin = await answersUploads();
  const w = watched({ threshold: 2 });
  const breaks = () => stream((controller) => Promise.resolve(controller.error(new Error("gone"))));
  const send = (call: typeof fetch) =>
    outcome(() => call(origin.url, { method: "POST", body: breaks(), duplex: "half" } as never));
  const bare = await send(fetch);

  const guarded: unknown[] = [];
  for (let n = 0; n < 3; n++) guarded.push(await send(w.api.fetch as typeof fetch));

  assertEquals(guarded, Array(3).fill(bare));
  assertEquals(w.ends.filter((end) => end.startsWith("failure")), []);
});

boundary(
  "32: a body stream that outlasts the time limit is not the upstream's failure",
  async () => {
    using origin = await RawOrigin.start(nothing);
    const w = watched({ threshold: 2, timeoutMs: 60 });
    const dawdles = () => stream(() => new Promise(() => {}));

    for (let n = 0; n < 3; n++) {
      await outcome(() =>
        w.api.fetch(origin.url, { method: "POST", body: dawdles(), duplex: "half" } as never)
      );
    }

    assertEquals(w.ends, Array(3).fill("ignored upload"));
  },
);

boundary(
  "28: a body stream of a refused call is cancelled, so is that of an aborted one",
  async () => {
    const w = watched();
    w.api.circuit("http://a.test").trip();
    const cancelled: unknown[] = [];
    const body = () => new ReadableStream({ cancel: (reason) => void cancelled.push(reason) });
    const send = (url: string, signal: AbortSignal | null) =>
      outcome(() =>
        w.api.fetch(url, { method: "POST", body: body(), signal, duplex: "half" } as RequestInit)
      );

    await send("http://a.test/", null);
    await send("http://b.test/", AbortSignal.abort());
    await until(() => cancelled.length >= 2, "both are cancelled", 500);

    assertEquals(cancelled.length, 2);
  },
);

/** How a proxy passes a request on by `api.fetch` itself. */
const PROXIES: Readonly<
  Record<string, (request: Request, url: string) => [string | Request, object?]>
> = {
  "its body": ({ body }, url) => [url, { method: "POST", body, duplex: "half" }],
  "a new Request": ({ body, headers }, url) => {
    const own = new Headers(headers);
    own.delete("host");
    return [new Request(url, { method: "POST", headers: own, body, duplex: "half" } as never)];
  },
};

for (const [how, passing] of Object.entries(PROXIES)) {
  boundary(`32: halves of POSTs that api.fetch passes on as ${how} do not count`, async () => {
    using origin = await answersUploads();
    const w = watched({ threshold: 2, timeoutMs: 300 });
    let started = 0;
    await using served = await serve(async (request) => {
      started++;
      const [input, init] = passing(request, origin.url);
      return await w.api.fetch(input, init).catch(() => new Response(null, { status: 502 }));
    });

    for (let n = 1; n <= 3; n++) {
      using client = await RawClient.to(served.port, `${POST}half`);
      await until(() => started === n, "the handler is called");
      await elapsed(30);
      client.leave();
      await w.ended(n);
    }

    assertEquals(w.ends, Array(3).fill("ignored upload"));
  });

  boundary(`32: POSTs that trickle through api.fetch as ${how} do not count`, async () => {
    using origin = await answersUploads();
    const w = watched({ threshold: 2, timeoutMs: 100 });
    await using served = await serve(async (request) => {
      const [input, init] = passing(request, origin.url);
      return await w.api.fetch(input, init).catch(() => new Response(null, { status: 504 }));
    });

    const trickle = async () => {
      using client = await RawClient.to(served.port, POST);
      for (let sent = 0; sent < 9; sent++) {
        await client.say("x".repeat(LENGTH / 10));
        await elapsed(20);
      }
      await client.say("Z".repeat(LENGTH / 10));
      await until(() => client.received.startsWith("HTTP/1.1 "), "an answer");
    };
    await Promise.all([trickle(), trickle(), trickle()]);
    await w.ended(3);

    assertEquals(w.ends, Array(3).fill("ignored upload"));
  });
}

/** Bodies that end, in every form. */
const ENDING: Readonly<Record<string, () => [init: object, isRequest?: boolean]>> = {
  "a text": () => [{ body: "text" }],
  "bytes": () => [{ body: new Uint8Array(3) }],
  "a form": () => [{ body: new FormData() }],
  "a JSON Request": () => [{ body: "{}", headers: { "content-type": "application/json" } }, true],
  "a Request with parameters": () => [{ body: new URLSearchParams("a=b") }, true],
  "a stream": () => [{ body: stream((it) => Promise.resolve(it.close())), duplex: "half" }],
};

for (const [what, make] of Object.entries(ENDING)) {
  const call = (api: Watched["api"], url: string) => {
    const [given, isRequest] = make();
    const init = { method: "POST", ...given };
    return outcome(() => isRequest ? api.fetch(new Request(url, init)) : api.fetch(url, init));
  };

  boundary(`32: ${what} to a dead port counts`, async () => {
    const w = watched({ threshold: 1 });

    await call(w.api, await deadUrl());

    assertEquals(w.ends, ["failure upstream"]);
  });

  // Only Deno and Node show whether a stream has ended.
  if (what === "a stream" && HOST === "bun") continue;

  boundary(`32: ${what} to a silent origin counts`, async () => {
    using origin = await RawOrigin.start(nothing);
    const w = watched({ threshold: 1, timeoutMs: 100 });

    await call(w.api, origin.url);

    assertEquals(w.ends, ["failure timeout"]);
  });
}
