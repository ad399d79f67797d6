/** Who is to blame: what `fetch` itself refuses, and what an honest upstream has failed. */
import { breaker as middleware } from "@lastgood/breaker/hono";
import { Hono } from "hono";
import { assertEquals } from "std/assert";
import { boundary, outcome, within } from "./stage/case.ts";
import { serve } from "./stage/host.ts";
import { deadUrl, exchange, RawOrigin, text } from "./stage/origin.ts";
import { WAYS } from "./stage/ways.ts";
import { watched } from "./stage/watched.ts";

type Call = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

async function used(url: string): Promise<Request> {
  const request = new Request(url, { method: "POST", body: "x" });
  await request.text();
  return request;
}

/** Calls that `fetch` refuses, on some hosts at least. */
const REFUSED: Readonly<Record<string, (call: Call, url: string) => Promise<Response>>> = {
  "TRACE": (call, url) => call(url, { method: "TRACE" }),
  "CONNECT": (call, url) => call(url, { method: "CONNECT" }),
  "a method with a space": (call, url) => call(url, { method: "A B" }),
  "a GET with a body": (call, url) => call(url, { body: "x" }),
  "a used Request": async (call, url) => call(await used(url)),
  "a used body": async (call, url) => {
    const { body } = await used(url);
    return call(url, { method: "POST", body, duplex: "half" } as RequestInit);
  },
  "a bogus redirect": (call, url) => call(url, { redirect: "bogus" as never }),
  "a bogus mode": (call, url) => call(url, { mode: "bogus" as never }),
  "a bogus cache": (call, url) => call(url, { cache: "bogus" as never }),
  "a field with a space": (call, url) => call(url, { headers: { "x space": "y" } }),
  "a signal that is none": (call, url) => call(url, { signal: {} as never }),
  "a URL without a host": (call) => call("http://"),
  "a URL of another scheme": (call) => call("bogus://a.test/"),
  "a mismatching integrity": (call, url) => call(url, { integrity: `sha256-${btoa("x")}` }),
  "an integrity for another body": (call, url) =>
    call(url, { integrity: "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=" }),
};

for (const [what, ask] of Object.entries(REFUSED)) {
  boundary(`31: ${what} ends as without a breaker, and never counts`, async () => {
    using origin = await RawOrigin.start(() => text("fine"));
    const w = watched({ threshold: 2 });
    const read = async (call: Call) => {
      try {
        return await (await ask(call, origin.url)).text();
      } catch (error) {
        // Texts may differ: a breaker needs the URL before `fetch` does.
        return (error as Error).name;
      }
    };
    const bare = await read(fetch);

    const guarded: string[] = [];
    for (let n = 0; n < 4; n++) guarded.push(await read(w.api.fetch));

    assertEquals(guarded, Array(4).fill(bare));
    assertEquals(w.ends.filter((end) => end.startsWith("failure")), []);
  });
}

/** Handlers that pass a request on, as proxies do. */
const PROXIES: Readonly<Record<string, (request: Request, url: string) => Promise<Response>>> = {
  "with its method": ({ method }, url) => fetch(url, { method }),
  "as a new Request": (request, url) => fetch(new Request(url, request)),
};

for (const method of ["TRACE", "CONNECT"]) {
  for (const [how, pass] of Object.entries(PROXIES)) {
    for (const [way, guard] of Object.entries(WAYS)) {
      boundary(
        `31: a raw ${method} through ${way} that passes it on ${how} never counts`,
        async () => {
          using origin = await RawOrigin.start(() => text("fine"));
          const w = watched({ threshold: 2 });
          const handler = (request: Request) => pass(request, origin.url);
          await using bare = await serve(handler);
          await using served = await serve(guard(w.api, handler));
          const target = method === "CONNECT" ? "a.test:80" : "/";
          const said =
            `${method} ${target} HTTP/1.1\r\nhost: a.test:80\r\nconnection: close\r\n\r\n`;
          const ask = async (port: number) => {
            const answer = await outcome(() => within(exchange(port, said), "the exchange", 1_000));
            return typeof answer === "string" ? answer : answer.status;
          };
          const expected = await ask(bare.port);

          const statuses = [await ask(served.port), await ask(served.port), await ask(served.port)];
          const after = await (await fetch(served.url)).text();

          assertEquals(statuses, Array(3).fill(expected));
          assertEquals(after, "fine");
          assertEquals(w.ends.filter((end) => end.startsWith("failure")), []);
        },
      );
    }
  }
}

boundary("31: an origin that answers 500 to GET and POST opens the circuit", async () => {
  using origin = await RawOrigin.start(() => [
    "HTTP/1.1 500 Broken\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
  ]);
  const w = watched({ threshold: 2 });

  await w.api.fetch(origin.url, { method: "POST", body: "x" });
  await w.api.fetch(origin.url);

  assertEquals([w.ends, w.state], [["failure upstream", "failure upstream"], "open"]);
});

boundary("31: an origin that hangs up on every call opens the circuit", async () => {
  using origin = await RawOrigin.start(() => []);
  const w = watched({ threshold: 2 });

  await outcome(() => w.api.fetch(origin.url, { method: "POST", body: "x" }));
  await outcome(() => w.api.fetch(origin.url, { method: "POST", body: "x" }));

  assertEquals([w.ends, w.state], [["failure upstream", "failure upstream"], "open"]);
});

/** Honest POSTs. Their bodies are whole. */
const POSTS: Readonly<Record<string, (call: Call, url: string) => Promise<Response>>> = {
  "of text": (call, url) => call(url, { method: "POST", body: "x" }),
  "of bytes": (call, url) => call(url, { method: "POST", body: new Uint8Array(9) }),
  "of a form": (call, url) => call(url, { method: "POST", body: new URLSearchParams("a=b") }),
  "of a Request": (call, url) => call(new Request(url, { method: "POST", body: "x" })),
};

for (const [what, post] of Object.entries(POSTS)) {
  boundary(`32: POSTs ${what} to a dead port open the circuit`, async () => {
    const url = await deadUrl();
    const w = watched({ threshold: 2 });

    for (let n = 0; n < 2; n++) await outcome(() => post(w.api.fetch, url));

    assertEquals([w.ends, w.state], [["failure upstream", "failure upstream"], "open"]);
  });

  boundary(`32: POSTs ${what} to an origin that hangs open the circuit`, async () => {
    using origin = await RawOrigin.start(() => [new Promise(() => {})]);
    const w = watched({ threshold: 2, timeoutMs: 50 });

    for (let n = 0; n < 2; n++) await outcome(() => post(w.api.fetch, origin.url));

    assertEquals([w.ends, w.state], [["failure timeout", "failure timeout"], "open"]);
  });
}

for (const [way, guard] of Object.entries(WAYS)) {
  for (const body of ["its text", "its stream"]) {
    boundary(
      `32: POSTs that ${way} passes on to a dead port, ${body}, open the circuit`,
      async () => {
        const url = await deadUrl();
        const w = watched({ threshold: 2 });
        const handler = async (request: Request) =>
          await fetch(url, {
            method: "POST",
            body: body === "its text" ? await request.text() : request.body,
            duplex: "half",
          } as RequestInit);
        await using served = await serve(guard(w.api, handler));

        for (let n = 0; n < 2; n++) {
          await (await fetch(served.url, { method: "POST", body: "whole" })).text();
        }
        await w.ended(2);

        assertEquals([w.ends, w.state], [["failure upstream", "failure upstream"], "open"]);
      },
    );
  }
}

boundary("30: a failing OPTIONS counts, one answered by a CORS middleware does not", async () => {
  const w = watched({ threshold: 2 });
  const app = new Hono()
    .use(middleware(w.api) as never)
    .options("*", (c) => c.body(null, 204))
    .post("*", () => Promise.reject(new Error("down")))
    .onError((_, c) => c.text("down", 500));
  await using served = await serve(app.fetch);
  const ask = async (method: string) => (await (await fetch(served.url, { method })).text());

  for (const method of ["POST", "OPTIONS", "POST"]) await ask(method);

  assertEquals(w.state, "open");
});
