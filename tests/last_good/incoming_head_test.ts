/** K1: the router and the memory mean the same page, whatever a client writes for its URL and Host. */

import { assertEquals, assertThrows } from "@std/assert";
import { breaker, type BreakerEvent, type LastGoodOptions } from "@lastgood/breaker";
import { requestHead } from "../../src/last_good/incoming_head.ts";
import { notKept, only } from "../stage/events.ts";
import { down, page, Upstream } from "../stage/upstream.ts";
import { handlerBy } from "../stage/ways.ts";

const WAYS = ["wrap", "respond", "hono"] as const;
const PAGE = "https://v.test/page";

/** What a client sends, as a server hands it over that leaves the URL as it was written. */
interface Sent {
  readonly url?: string;
  readonly host?: string;
  readonly method?: string;
}

function requestOf({ url = PAGE, host, method = "GET" }: Sent): Request {
  const headers: HeadersInit = host === undefined ? {} : { host };
  return Object.defineProperty(new Request(PAGE, { method, headers }), "url", { value: url });
}

/** A handler behind a breaker, with what it answers and how it was asked. */
class App extends Upstream<Request> {
  readonly #events: BreakerEvent[] = [];
  readonly api;
  readonly #handler;

  constructor(way: typeof WAYS[number] = "wrap", lastGood: LastGoodOptions = {}) {
    super();
    this.api = breaker({
      threshold: 1_000,
      timeoutMs: Infinity,
      lastGood: { refreshMs: 0, ...lastGood },
      onEvent: (event) => this.#events.push(event),
    });
    this.#handler = handlerBy(way, this.api, (request) => this.reply(request));
  }

  async read(sent: Sent = {}): Promise<string> {
    return await (await this.#handler(requestOf(sent))).text();
  }

  /** Reads what is served while the handler fails; undefined if nothing is. */
  async kept(sent: Sent = {}): Promise<string | undefined> {
    const { answer } = this;
    this.fail();
    const text = await this.read(sent);
    this.answer = answer;
    return text === "down" ? undefined : text;
  }

  get errors() {
    return only(this.#events, "error");
  }

  /** The reasons why answers were not kept, in order. */
  get notKept(): string[] {
    return notKept(this.#events);
  }
}

/** URLs that a router may take for another page than the parser does, and what that makes of them. */
const DOUBTFUL: readonly (readonly [written: string, parsed: string])[] = [
  ["https://v.test/x/../page", PAGE],
  ["https://v.test/x/%2e%2e/page", PAGE],
  ["https://v.test/x/.%2E/page", PAGE],
  ["https://v.test/./page", PAGE],
  ["https://v.test\\page", PAGE],
  ["https://v.test/x\\..\\page", PAGE],
  ["https://v.test/page#x", PAGE],
  ["https://v.test/page#", PAGE],
  ["https://v.test#/page", "https://v.test/"],
  ["https://v.test?/page", "https://v.test/?/page"],
  ["https://v.test", "https://v.test/"],
  ["https://me@v.test/page", PAGE],
  ["https://me:pass@v.test/page", PAGE],
  ["https://v.test:/page", PAGE],
  ["https://v.test:0443/page", PAGE],
  ["https://v.%74est/page", PAGE],
  ["https:/v.test/page", PAGE],
  ["https:v.test/page", PAGE],
  ["https:\\\\v.test/page", PAGE],
  ["https://v.test/pa\tge", PAGE],
  [" https://v.test/page", PAGE],
  ["https://v.test/page?a='", "https://v.test/page?a=%27"],
  ['https://v.test/"page"', "https://v.test/%22page%22"],
  ["https://v.test/ü", "https://v.test/%C3%BC"],
  ["http://0x7f.1/page", "http://127.0.0.1/page"],
];

for (const [written, parsed] of DOUBTFUL) {
  const what = JSON.stringify(written);

  Deno.test(`K1: what a handler answers to ${what} is not kept`, async () => {
    for (const way of WAYS) {
      const app = new App(way);

      for (let n = 0; n < 2; n++) assertEquals(await app.read({ url: written }), "good");

      assertEquals(await app.kept({ url: parsed }), undefined);
      assertEquals(await app.kept({ url: written }), undefined);
    }
  });

  Deno.test(`K1, S17, S19: ${what} gets nothing from memory, and removes nothing`, async () => {
    for (const way of WAYS) {
      const app = new App(way);
      await app.read({ url: parsed });

      assertEquals(await app.kept({ url: written }), undefined);
      app.answer = page({ "cache-control": "no-store" }, "gone", 410);
      for (const method of ["GET", "GET", "POST", "DELETE"]) {
        await app.read({ url: written, method });
      }

      assertEquals(await app.kept({ url: parsed }), "good");
    }
  });
}

Deno.test("K1: the option key is not asked about a URL that routers may read in another way", async () => {
  const keys: string[] = [];
  const key = ({ url }: Request) => {
    keys.push(url);
    return "key";
  };
  const app = new App("wrap", { key });

  for (const [url] of DOUBTFUL) await app.read({ url });

  assertEquals([await app.kept(), keys, app.errors], [undefined, [PAGE], []]);
});

Deno.test("K1: forget takes any URL that the parser takes", async () => {
  for (const [written, parsed] of DOUBTFUL) {
    const app = new App();
    await app.read({ url: parsed });

    app.api.forget(written);

    assertEquals(await app.kept({ url: parsed }), undefined);
  }
});

/** Hosts that are not the URL's. */
const OTHER_HOSTS = [
  "w.test",
  "v.test, w.test",
  "v.test, v.test",
  "v.test:80",
  "v.test:8443",
  "v.test:",
  "v.test.",
  "v.test/x",
  "v.test#",
  "u@v.test",
  "xv.test",
  "v.tes",
  "",
];

for (const host of OTHER_HOSTS) {
  const what = JSON.stringify(host);

  Deno.test(`K1, S17, S19: a request for the Host ${what} neither uses nor changes what is kept`, async () => {
    for (const way of WAYS) {
      const app = new App(way);
      app.answer = page({}, "other");
      for (let n = 0; n < 2; n++) await app.read({ host });
      assertEquals([await app.kept(), await app.kept({ host })], [undefined, undefined]);
      app.answer = page();
      await app.read({ host: "v.test" });

      assertEquals(await app.kept({ host }), undefined);
      app.answer = page({ "cache-control": "no-store" }, "gone", 410);
      for (const method of ["GET", "GET", "POST", "DELETE"]) await app.read({ host, method });

      assertEquals(await app.kept(), "good");
    }
  });

  Deno.test(`K1: with the option key, a page is kept for the Host ${what}, and for no other one`, async () => {
    for (const way of WAYS) {
      const app = new App(way, { key: ({ url }) => new URL(url).pathname });
      app.answer = ({ headers }) => new Response(`for ${headers.get("host")}`);
      await app.read({ host });

      assertEquals(await app.kept({ host }), `for ${host}`);
      assertEquals(await app.kept({ host: "z.test" }), undefined);
      assertEquals(await app.kept(), undefined);
    }
  });

  Deno.test(`K1: with the option key, the page of the URL's own host is not served to the Host ${what}`, async () => {
    for (const way of WAYS) {
      const app = new App(way, { key: ({ url }) => new URL(url).pathname });
      for (const own of [{}, { host: "v.test" }]) await app.read(own);

      assertEquals(await app.kept({ host }), undefined);
      assertEquals(await app.kept(), "good");
    }
  });
}

/** Other ways to write the same host. */
const SAME_HOSTS: readonly Sent[] = [
  { host: "V.TEST" },
  { host: "v.test:443" },
  { host: "V.test:443" },
  { url: "https://V.TEST/page" },
  { url: "https://v.test:443/page" },
  { url: "HTTPS://v.test/page" },
  { url: "https://V.TEST:443/page", host: "V.TEST:443" },
  { url: "https://V.TEST:443/page", host: "v.test" },
];

for (const sent of SAME_HOSTS) {
  Deno.test(`K1: a host that a handler shows as in ${JSON.stringify(sent)} poisons nobody else`, async () => {
    for (const way of WAYS) {
      const app = new App(way);
      app.answer = ({ url, headers }) => new Response(`${url} ${headers.get("host")}`);
      const shown = await app.read(sent);

      assertEquals(await app.kept(sent), shown);
      for (const other of [{}, { host: "v.test" }, ...SAME_HOSTS.filter((it) => it !== sent)]) {
        assertEquals(await app.kept(other), undefined);
      }
    }
  });

  Deno.test(`K1: the usual page is served for ${JSON.stringify(sent)}, unless it has one of its own`, async () => {
    for (const way of WAYS) {
      const app = new App(way);
      await app.read({ host: "v.test" });
      const usual = await app.kept(sent);
      app.answer = page({}, "its own");
      await app.read(sent);

      assertEquals([usual, await app.kept(sent), await app.kept()], ["good", "its own", "good"]);
    }
  });

  Deno.test(`K1, S19: a POST with ${JSON.stringify(sent)} removes the page for all`, async () => {
    const app = new App();
    for (const each of [{}, ...SAME_HOSTS]) await app.read(each);

    await app.read({ ...sent, method: "POST" });

    for (const each of [{}, ...SAME_HOSTS]) assertEquals(await app.kept(each), undefined);
  });
}

/** Requests whose URL and Host are beyond doubt, and so one with the request without a Host. */
const PLAIN: readonly Required<Pick<Sent, "url" | "host">>[] = [
  { url: PAGE, host: "v.test" },
  { url: "http://v.test:8080/page?a=b&c", host: "v.test:8080" },
  { url: "https://v.test/%61//b/~%7e|", host: "v.test" },
  { url: "http://[::1]:8000/", host: "[::1]:8000" },
  { url: "http://xn--bcher-kva.test/?", host: "xn--bcher-kva.test" },
];

for (const { url, host } of PLAIN) {
  Deno.test(`K1: ${url} is one page, with its Host and without`, async () => {
    for (const way of WAYS) {
      const app = new App(way);
      await app.read({ url, host });

      assertEquals([await app.kept({ url, host }), await app.kept({ url })], ["good", "good"]);
    }
  });
}

Deno.test("K1: a Host with the default port of a URL without TLS is that URL's", async () => {
  const app = new App();
  const sent = { url: "http://[::1]/page", host: "[::1]:80" };
  await app.read(sent);

  assertEquals(await app.kept(sent), "good");
  assertEquals(await app.kept({ ...sent, host: "[::1]:443" }), undefined);
});

Deno.test("K1: what fetch is given is normalized by fetch itself", async () => {
  for (const [written, parsed] of DOUBTFUL) {
    let isDown = false;
    const api = breaker({
      fetch: () => Promise.resolve(isDown ? down()() : new Response("good")),
      lastGood: { ignore: ["authorization"] },
    });
    await (await api.fetch(written)).text();
    isDown = true;

    assertEquals(await (await api.fetch(parsed)).text(), "good", written);
  }
});

Deno.test("F4: the cache mode is not read of a request that a server has just made", () => {
  const request = new Request(PAGE);
  let reads = 0;
  Object.defineProperty(request, "cache", { get: () => (reads++, "no-store") });

  const modes = [true, false].map((justArrived) => requestHead(request, justArrived).cacheMode);

  assertEquals([modes, reads], [[undefined, "no-store"], 1]);
});

const DOUBTS:
  readonly (readonly [what: string, sent: Sent, options: LastGoodOptions, why: string])[] = [
    ["a raw URL", { url: "https://v.test/a/../page" }, {}, "raw-url"],
    ["another Host", { host: "w.test" }, {}, "foreign-host"],
    ["another Host under a key", { host: "w.test" }, { key: () => "page" }, ""],
    ["another Host without a key", { host: "w.test" }, { key: () => undefined }, ""],
  ];

for (const [what, sent, options, why] of DOUBTS) {
  Deno.test(`K1: an answer to a request with ${what} is not kept for ${why || "no such reason"}`, async () => {
    const app = new App("wrap", options);

    await app.read(sent);

    assertEquals(app.notKept, why === "" ? [] : [why]);
  });
}

Deno.test("K1: forget refuses a URL that is relative to nothing", () => {
  const api = breaker();

  const error = assertThrows(() => api.forget("/page"), TypeError);

  assertEquals(error.message.includes("absolute URL"), true);
});
