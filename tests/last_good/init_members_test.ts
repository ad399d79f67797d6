/** K6: what `fetch` is told besides URL and fields tells its answers apart. */

import { assertEquals } from "@std/assert";
import { breaker } from "@lastgood/breaker";
import { deferred } from "../stage/deferred.ts";
import { PAGE, Site } from "../stage/site.ts";
import { down } from "../stage/upstream.ts";

type Fetch = (...args: unknown[]) => Promise<Response>;

/** Fetches through a breaker whose upstream numbers its answers. */
class Told {
  readonly #ask: Fetch;
  #count = 0;
  #isDown = false;

  /** @param way How the upstream is given: by the option, or in place of the global `fetch`. */
  constructor(way: "own" | "global" = "own") {
    const upstream = () =>
      Promise.resolve(this.#isDown ? down()() : new Response(`${++this.#count}`));
    this.#ask = way === "own"
      ? breaker({ threshold: 1_000, fetch: upstream }).fetch as Fetch
      : global(upstream);
  }

  /** Reads a live answer. */
  async read(...args: unknown[]): Promise<string> {
    return await (await this.#ask(...args)).text();
  }

  /** Reads what is served while the upstream fails; undefined if nothing is. */
  async kept(...args: unknown[]): Promise<string | undefined> {
    this.#isDown = true;
    const text = await this.read(...args);
    this.#isDown = false;
    return text === "down" ? undefined : text;
  }
}

/** The `fetch` of a breaker whose upstream is the global one, replaced during each call. */
function global(upstream: () => Promise<Response>): Fetch {
  const api = breaker({ threshold: 1_000 });
  return (...args) => {
    const before = globalThis.fetch;
    globalThis.fetch = upstream;
    try {
      return (api.fetch as Fetch)(...args);
    } finally {
      globalThis.fetch = before;
    }
  };
}

/** A request on Workers: it has a `cf`. */
function requestWith(cf: unknown, init: RequestInit = {}): Request {
  return Object.defineProperty(new Request(PAGE, init), "cf", { value: cf });
}

/** What Workers say of the clients of two requests, after their documentation and workerd itself. */
const CLIENTS = [
  {
    asn: 395747,
    asOrganization: "Google Cloud",
    botManagement: { score: 99, verifiedBot: false, ja3Hash: "1", detectionIds: [15] },
    city: "Austin",
    clientAcceptEncoding: "gzip, deflate, br",
    clientIp: "192.0.2.1:56850",
    clientTcpRtt: 22,
    clientTrustScore: 90,
    colo: "DFW",
    continent: "NA",
    country: "US",
    edgeL4: { deliveryRate: 123456 },
    edgeRequestKeepAliveStatus: 1,
    hostMetadata: { plan: "a" },
    httpProtocol: "HTTP/2",
    isEUCountry: "1",
    latitude: "30.27130",
    longitude: "-97.74260",
    metroCode: "635",
    postalCode: "78701",
    region: "Texas",
    regionCode: "TX",
    requestHeaderNames: {},
    requestPriority: "weight=192;exclusive=0",
    timezone: "America/Chicago",
    tlsCipher: "AEAD-AES128-GCM-SHA256",
    tlsClientAuth: { certPresented: "1", certSubjectDN: "CN=ann" },
    tlsClientCiphersSha1: "a=",
    tlsClientExtensionsSha1: "b=",
    tlsClientExtensionsSha1Le: "c=",
    tlsClientHelloLength: "1746",
    tlsClientRandom: "d=",
    tlsExportedAuthenticator: { clientFinished: "e" },
    tlsVersion: "TLSv1.3",
    verifiedBotCategory: "Search Engine Crawler",
  },
  { asn: 3320, colo: "FRA", country: "DE", clientQuicRtt: 42, httpProtocol: "HTTP/3" },
];

/** Options in `cf`, each with two values. */
const CF_OPTIONS: Readonly<Record<string, readonly [unknown, unknown]>> = {
  apps: [true, false],
  cacheControl: ["max-age=1", "max-age=2"],
  cacheEverything: [true, false],
  cacheKey: ["a", "b"],
  cacheTags: [["a"], ["b"]],
  cacheTtl: [60, 61],
  cacheTtlByStatus: [{ "200-299": 1 }, { "200-299": 2 }],
  image: [{ width: 100 }, { width: 200 }],
  minify: [{ css: true }, { css: false }],
  mirage: [true, false],
  polish: ["lossy", "lossless"],
  r2: [{ bucketColoId: 1 }, { bucketColoId: 2 }],
  resolveOverride: ["a.test", "b.test"],
  scrapeShield: [true, false],
  vary: [{ default: {} }, { headers: {} }],
  "not known yet": [1, "1"],
};

class Connection {}

/** The arguments of two calls. */
type Pair = readonly (readonly unknown[])[];

/** Arguments that two calls of `fetch` differ in. */
const APART: Readonly<Record<string, Pair>> = {
  "cf": [[PAGE, { cf: { image: { width: 1 } } }], [PAGE, { cf: { image: { width: 2 } } }]],
  "cf of a Request": [
    [requestWith({ ...CLIENTS[0], image: { width: 1 } })],
    [requestWith({ ...CLIENTS[0], image: { width: 2 } })],
  ],
  "cf of a Request and none": [[requestWith({ image: { width: 1 } })], [PAGE]],
  "cf of init and of a Request": [
    [requestWith({ cacheKey: "a" }), { cf: { cacheKey: "b" } }],
    [requestWith({ cacheKey: "a" })],
  ],
  "encodeResponseBody": [[PAGE, { encodeResponseBody: "manual" }], [PAGE]],
  "client": [[PAGE, { client: {} }], [PAGE, { client: {} }]],
  "dispatcher": [[PAGE, { dispatcher: new Connection() }], [PAGE, {
    dispatcher: new Connection(),
  }]],
  "unix": [[PAGE, { unix: "/a.sock" }], [PAGE, { unix: "/b.sock" }]],
  "tls": [[PAGE, { tls: { ca: "a" } }], [PAGE, { tls: { ca: "a" } }]],
  "proxy": [[PAGE, { proxy: "http://a" }], [PAGE, { proxy: "http://b" }]],
  "proxy objects": [[PAGE, { proxy: { url: "a" } }], [PAGE, { proxy: { url: "a" } }]],
  "proxy and unix": [[PAGE, { proxy: "a" }], [PAGE, { unix: "a" }]],
  "two members": [[PAGE, { unix: "a", proxy: "b" }], [PAGE, { unix: 'a","proxy","b' }]],
  "redirect": [[PAGE, { redirect: "manual" }], [PAGE]],
  "redirect of a Request": [[new Request(PAGE, { redirect: "manual" })], [PAGE]],
  "credentials": [[PAGE, { credentials: "include" }], [PAGE, { credentials: "omit" }]],
  "referrer": [[PAGE, { referrer: `${PAGE}/a` }], [PAGE]],
  "a number and its text": [[PAGE, { decompress: 1 }], [PAGE, { decompress: "1" }]],
  "true and none": [[PAGE, { decompress: false }], [PAGE]],
  "null and none": [[PAGE, { proxy: null }], [PAGE]],
  "next": [[PAGE, { next: { tags: ["a"] } }], [PAGE, { next: { tags: ["b"] } }]],
};

/** Members that no global `fetch` reads, but one of the app's own may. */
const UNKNOWN: Readonly<Record<string, Pair>> = {
  "an unknown member": [[PAGE, { own: { tags: ["a"] } }], [PAGE, { own: { tags: ["b"] } }]],
  "__proto__": [
    [PAGE, JSON.parse('{ "__proto__": 1 }')],
    [PAGE, JSON.parse('{ "__proto__": 2 }')],
  ],
  "constructor": [[PAGE, { constructor: 1 }], [PAGE]],
  "functions": [[PAGE, { agent() {} }], [PAGE, { agent() {} }]],
};

const DIFFERENT = [
  ...Object.entries(APART).map((entry) => [...entry, ["own", "global"]] as const),
  ...Object.entries(UNKNOWN).map((entry) => [...entry, ["own"]] as const),
];

for (const [what, [one = [], other = []], ways] of DIFFERENT) {
  for (const way of ways as readonly ("own" | "global")[]) {
    Deno.test(`K6: calls of the ${way} fetch that differ in ${what} never share a copy`, async () => {
      const told = new Told(way);

      await told.read(...one);

      assertEquals([await told.kept(...one), await told.kept(...other)], ["1", undefined]);
      await told.read(...other);
      assertEquals([await told.kept(...one), await told.kept(...other)], ["1", "2"]);
    });
  }
}

for (const [option, values] of Object.entries(CF_OPTIONS)) {
  Deno.test(`K6: cf.${option} belongs to the key`, async () => {
    const told = new Told();
    const [one, other] = values.map((value) => ({ cf: { [option]: value } }));

    await told.read(PAGE, one);

    assertEquals(await told.kept(PAGE, one), "1");
    assertEquals(await told.kept(PAGE, other), undefined);
    assertEquals(await told.kept(PAGE), undefined);
  });
}

const AGENT = new Connection();
const HOOK = () => {};

/** Arguments that make no difference. */
const SAME: Readonly<Record<string, Pair>> = {
  "the same object": [[PAGE, { client: AGENT }], [PAGE, { client: AGENT }]],
  "the same function": [[PAGE, { agent: HOOK }], [PAGE, { agent: HOOK }]],
  "equal data": [[PAGE, { cf: { image: { width: 1 } } }], [PAGE, { cf: { image: { width: 1 } } }]],
  "data without a prototype": [
    [PAGE, { cf: Object.assign(Object.create(null), { cacheTtl: 1 }) }],
    [PAGE, { cf: { cacheTtl: 1 } }],
  ],
  "what is undefined": [
    [PAGE, { client: undefined, cf: { cacheTtl: undefined, cacheKey: "a" } }],
    [PAGE, { cf: { cacheKey: "a" } }],
  ],
  "defaults": [[PAGE, { redirect: "follow", credentials: "same-origin", mode: "cors" }], [PAGE]],
  "a Request and its URL": [[new Request(PAGE)], [PAGE]],
  "what changes no answer": [
    [PAGE, {
      signal: null,
      keepalive: true,
      priority: "low",
      duplex: "half",
      window: null,
    }],
    [PAGE],
  ],
  "limits, retries and hooks of a client": [
    [PAGE, { timeout: 1, retry: 2, retryDelay: () => 1, onResponse() {} }],
    [PAGE, { timeout: 2, retry: { limit: () => 1 }, onResponse() {} }],
  ],
  "an empty cf": [[PAGE, { cf: {} }], [PAGE]],
  "the client of an incoming Request": [[requestWith(CLIENTS[0])], [requestWith(CLIENTS[1])]],
  "the client of an incoming Request, and none": [[requestWith(CLIENTS[0])], [PAGE]],
  "the client, with an option": [
    [PAGE, { cf: { ...CLIENTS[0], cacheTtl: 5 } }],
    [PAGE, { cf: { ...CLIENTS[1], cacheTtl: 5 } }],
  ],
  "a Request in place of init": [
    [PAGE, new Request("https://v.test/a")],
    [PAGE, new Request("https://v.test/b")],
  ],
};

for (const [what, [one = [], other = []]] of Object.entries(SAME)) {
  for (const way of ["own", "global"] as const) {
    Deno.test(`K6: to the ${way} fetch, it makes no difference: ${what}`, async () => {
      const told = new Told(way);

      await told.read(...one);

      assertEquals([await told.kept(...one), await told.kept(...other)], ["1", "1"]);
    });
  }
}

Deno.test("K6: a Request in place of init is told apart by its cf and redirect", async () => {
  const told = new Told();
  const image = requestWith({ image: { width: 1 } });
  await told.read(PAGE, image);

  assertEquals(await told.kept(PAGE, image), "1");
  assertEquals(await told.kept(PAGE, requestWith({ image: { width: 2 } })), undefined);
  assertEquals(await told.kept(PAGE, new Request(PAGE, { redirect: "manual" })), undefined);
  assertEquals(await told.kept(PAGE), undefined);
});

const CYCLE: Record<string, unknown> = {};
CYCLE.self = CYCLE;

/** Values of `cf` that JSON cannot show, or shows as another one. */
const INCOMPARABLE: Readonly<Record<string, unknown>> = {
  "a cycle": CYCLE,
  "a BigInt": { cacheTtl: 1n },
  "a function": { image: { draw() {} } },
  "a symbol": { image: Symbol("a") },
  "an element that is undefined": { cacheTags: [undefined] },
  "a hole": { cacheTags: Array(1) },
  "NaN": { cacheTtl: NaN },
  "a Map": { image: new Map([["width", 1]]) },
  "a Date": { image: new Date(0) },
  "bytes": { image: new Uint8Array(1) },
  "a class within": { image: new Connection() },
  "a class of its own": new Connection(),
  "a toJSON": { image: { toJSON: () => "a" } },
  "a getter that throws": {
    get image() {
      throw new Error("gone");
    },
  },
  "a getter within that throws": {
    image: {
      get width() {
        throw new Error("gone");
      },
    },
  },
  "a proxy that throws": new Proxy({}, {
    ownKeys() {
      throw new Error("gone");
    },
  }),
  "a proxy that was revoked": revoked(),
};

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

for (const [what, cf] of Object.entries(INCOMPARABLE)) {
  for (const way of ["own", "global"] as const) {
    Deno.test(`K6: with ${what} in cf, the ${way} fetch answers, and nothing is kept or served`, async () => {
      const told = new Told(way);
      await told.read(PAGE);

      assertEquals(await told.read(PAGE, { cf }), "2");

      assertEquals([await told.kept(PAGE, { cf }), await told.kept(PAGE)], [undefined, "1"]);
    });
  }
}

Deno.test("K6, S19: a POST with a cf that cannot be compared removes the page all the same", async () => {
  const site = new Site();
  await site.read();

  await site.read({ method: "POST", cf: CYCLE } as RequestInit);

  assertEquals(await site.kept(), undefined);
});

Deno.test("K6, S19: a POST with any members removes the page that was fetched with others", async () => {
  const site = new Site();
  const image = { cf: { image: { width: 1 } } } as RequestInit;
  await site.read(image);

  await site.read({ method: "POST", unix: "/a.sock" } as RequestInit);

  assertEquals(await site.kept(image), undefined);
});

Deno.test("K6: a fetch of the app's own is told apart by further arguments, the global one is not", async () => {
  const own = new Told("own");
  const context = new Connection();
  await own.read(PAGE, undefined, "a", context);
  const global = new Told("global");
  await global.read(PAGE, undefined, "a");

  assertEquals(await own.kept(PAGE, undefined, "a", context), "1");
  assertEquals(await own.kept(PAGE, undefined, "a", new Connection()), undefined);
  assertEquals(await own.kept(PAGE, undefined, "b", context), undefined);
  assertEquals(await own.kept(PAGE, undefined, context, "a"), undefined);
  assertEquals(await own.kept(PAGE), undefined);
  assertEquals(await own.kept(PAGE, undefined, CYCLE), undefined);
  assertEquals(await global.kept(PAGE, undefined, "b"), "1");
});

Deno.test("K6: what no global fetch reads tells nothing apart for it", async () => {
  for (const [one = [], other = []] of Object.values(UNKNOWN)) {
    const told = new Told("global");

    await told.read(...one);

    assertEquals([await told.kept(...one), await told.kept(...other)], ["1", "1"]);
  }
});

Deno.test("K6: what an app does to its cf after the call changes nothing", async () => {
  const owner = deferred<undefined>();
  const site = new Site({ lastGood: { partition: () => owner.promise } });
  const cf = { image: { width: 1 } };

  const reading = site.read({ cf } as RequestInit);
  cf.image.width = 2;
  owner.resolve(undefined);
  await reading;

  assertEquals(await site.kept({ cf: { image: { width: 1 } } } as RequestInit), "good");
  assertEquals(await site.kept({ cf } as RequestInit), undefined);
});
