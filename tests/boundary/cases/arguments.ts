/** What a call is given arrives at the origin as it does without a breaker. */
import { breaker } from "@lastgood/breaker";
import { fetch as undiciFetch, Request as UndiciRequest } from "undici";
import { assert, assertEquals } from "std/assert";
import { boundary, outcome, until } from "./stage/case.ts";
import { type Arrival, deadUrl, RawOrigin, text } from "./stage/origin.ts";
import { runProgram } from "./stage/program.ts";
import { watched } from "./stage/watched.ts";

type Call = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** The first line of a request and its own fields, without what hosts add. */
function sent({ received }: Arrival): string[] {
  const [head = "", body = ""] = received.split("\r\n\r\n");
  const [line = "", ...fields] = head.split("\r\n");
  const own = fields.map((field) => field.toLowerCase())
    .filter((field) => /^(x-|content-|transfer-|authorization|if-)/.test(field));
  return [line, ...own.sort(), body];
}

/** Calls in every form that `fetch` takes. Each makes its arguments anew. */
const CALLS: Readonly<Record<string, (call: Call, url: string) => Promise<Response>>> = {
  "a URL": (call, url) => call(new URL(`${url}a?b#c`)),
  "an object with an href": (call, url) => call({ toString: () => `${url}a` } as never),
  "text and a method in lower case": (call, url) => call(url, { method: "put", body: "x" }),
  "a Request with a text": (call, url) => call(new Request(url, { method: "PUT", body: "text" })),
  "a Request with a form": (call, url) =>
    call(new Request(url, { method: "POST", body: new URLSearchParams("a=b") })),
  "a Request with bytes": (call, url) =>
    call(new Request(url, { method: "POST", body: new TextEncoder().encode("bytes") })),
  "a Request and its changes": (call, url) =>
    call(new Request(url, { headers: { "x-a": "1" } }), { method: "POST", body: "changed" }),
  "a Request as init": (call, url) =>
    call(url, new Request(url, { method: "POST", headers: { "x-a": "1" } }) as RequestInit),
  "an inherited init": (call, url) =>
    call(url, Object.create({ method: "POST", headers: { "x-a": "1" }, body: "x" })),
  "an init of a class": (call, url) =>
    call(
      url,
      new class {
        get method() {
          return "POST";
        }
        get headers() {
          return { "x-a": "1" };
        }
      }(),
    ),
  "fields as a one-shot iterable": (call, url) =>
    call(url, { headers: new Map([["x-a", "1"]]).entries() as never }),
  "fields as a Map": (call, url) => call(url, { headers: new Map([["x-a", "1"]]) as never }),
  "fields as pairs": (call, url) => call(url, { headers: [["x-a", "1"], ["x-a", "2"]] }),
  "fields as Headers": (call, url) => call(url, { headers: new Headers({ "x-a": "1" }) }),
};

for (const [what, ask] of Object.entries(CALLS)) {
  for (
    const [how, options] of Object.entries({ "": {}, " with a partition": { partition: later } })
  ) {
    boundary(`28: ${what}${how} arrives as without a breaker`, async () => {
      using origin = await RawOrigin.start(() => text("fine"));
      const { api } = watched({ lastGood: options });
      const read = (call: Call) => outcome(async () => await (await ask(call, origin.url)).text());

      const bare = await read(fetch);
      const guarded = await read(api.fetch);

      assertEquals(guarded, bare);
      const [expected, actual] = origin.arrivals;
      assertEquals(actual && sent(actual), expected && sent(expected));
    });
  }
}

async function later(): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  return "a";
}

boundary("28: a URL, its fields and its init may change as soon as the call is made", async () => {
  using origin = await RawOrigin.start(({ received }) => text(received.split(" ")[1] ?? ""));
  const w = watched({ lastGood: { partition: later } });
  const url = new URL(origin.url);
  const headers = new Headers();
  const init: { method?: string; headers: Headers } = { headers };

  const calls: Promise<Response>[] = [];
  for (const page of ["/a", "/b", "/c"]) {
    url.pathname = page;
    headers.set("x-page", page);
    calls.push(w.api.fetch(url, init));
  }
  url.pathname = "/none";
  headers.set("x-page", "/none");
  init.method = "DELETE";
  const texts = await Promise.all(calls.map(async (call) => await (await call).text()));
  await w.ended(3);
  await w.api.idle();
  origin.close();
  const stale = await Promise.all(
    ["a", "b", "c"].map(async (page) => await (await w.api.fetch(origin.url + page)).text()),
  );

  assertEquals(texts, ["/a", "/b", "/c"]);
  assertEquals(stale, ["/a", "/b", "/c"]);
  assertEquals(
    origin.arrivals.map(({ received }) => /x-page: (\S+)/.exec(received)?.[1]).sort(),
    ["/a", "/b", "/c"],
  );
});

/** Makes requests of some class for a breaker whose `fetch` understands them. */
const REQUESTS: Readonly<
  Record<string, { make(url: string, init: RequestInit): unknown; fetch?: Call }>
> = {
  "the host's Request": { make: (url, init) => new Request(url, init) },
  "undici's Request": {
    make: (url, init) => new UndiciRequest(url, init as never),
    fetch: undiciFetch as unknown as Call,
  },
};

for (const [what, { make, fetch: call }] of Object.entries(REQUESTS)) {
  boundary(`28: the fields of ${what} reach the origin in a conditional probe, too`, async () => {
    let isDown = false;
    using origin = await RawOrigin.start(({ received }) => {
      if (isDown) return [];
      if (!/authorization: secret/i.test(received)) {
        return ["HTTP/1.1 401 No\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno"];
      }
      return text("fine", 'etag: "1"', "cache-control: public");
    });
    const w = watched({ threshold: 1, delayMs: 10, fetch: call });
    const ask = async () => {
      const request = make(origin.url, { headers: { authorization: "secret", "x-own": "1" } });
      return await (await w.api.fetch(request as Request)).text();
    };
    await ask();
    await w.ended(1);
    isDown = true;
    await ask();
    isDown = false;
    await until(() => w.state === "half_open", "half open");

    const texts = [await ask()];
    await w.ended(3);
    await w.api.idle();
    texts.push(await ask());

    const probe = origin.arrivals[2]?.received ?? "";
    assertEquals(texts, ["fine", "fine"]);
    assert(/x-own: 1/i.test(probe) && /if-none-match: "1"/i.test(probe), probe);
    assertEquals(w.state, "closed");
  });
}

boundary("28: further arguments reach the breaker's fetch", async () => {
  const heard: unknown[][] = [];
  const call = (...args: unknown[]) => {
    heard.push(args.slice(2));
    return Promise.resolve(new Response("fine"));
  };
  const { api } = watched({ fetch: call });
  const ask = api.fetch as (...args: unknown[]) => Promise<Response>;

  await ask("http://a.test/", {}, { cf: 1 });

  assertEquals(heard, [[{ cf: 1 }]]);
});

boundary("28: a breaker may take the place of the global fetch", async () => {
  using origin = await RawOrigin.start(() => text("fine"));

  const { code, printed } = await runProgram("global.mjs", { ORIGIN: origin.url });

  assertEquals([code, printed.trim()], [0, "fine fine"]);
});

boundary("28: relative URLs work where fetch takes them (deno)", async () => {
  using origin = await RawOrigin.start(() => text("fine"));
  const flags = ["--location", origin.url];

  const { code, printed } = await runProgram("relative.mjs", {}, flags);

  assertEquals([code, printed.trim()], [0, "fine fine"]);
  assertEquals(origin.arrivals.map(sent).map(([line]) => line), [
    "GET /items?a=b HTTP/1.1",
    "GET /items?a=b HTTP/1.1",
  ]);
}, ["deno"]);

boundary("16: inherited options are read", () => {
  const api = breaker(Object.create({ delayMs: 5_000, lastGood: Object.create({ freshMs: 1 }) }));

  api.circuit("a").trip();

  assert(api.circuit("a").retryAfterMs <= 5_000);
});

boundary(
  "28: the caller stays in the stack of an error where it stays without a breaker",
  async () => {
    const url = await deadUrl();
    const { api } = watched();
    const stackOf = async (call: Call) => {
      async function theCaller() {
        return await call(url);
      }
      return await theCaller().then(() => "", (error) => String(error.stack));
    };

    const bare = await stackOf(fetch);
    const guarded = await stackOf(api.fetch);

    assert(!bare.includes("theCaller") || guarded.includes("theCaller"), guarded);
    assertEquals(guarded.split("\n")[0], bare.split("\n")[0]);
  },
);
