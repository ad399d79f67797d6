/** A request as Hono's server for Node hands it over: its `Headers` are made when they are asked for. */

import { breaker } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { PAGE } from "../stage/site.ts";

const incoming = Symbol("incoming");
const headers = Symbol("headers");

interface Incoming {
  readonly rawHeaders: string[];
  readonly headers: Record<string, string>;
}

interface Light {
  [incoming]: Incoming;
  [headers]?: Headers;
}

/** How often `Headers` were made. */
let made = 0;

/** Makes a class of requests whose `Headers` are made like this. */
function lightClass(headersOf: (incoming: Incoming) => Headers): object {
  return Object.create(Request.prototype, {
    method: { value: "GET" },
    url: { value: PAGE },
    headers: {
      get(this: Light) {
        if (this[headers] === undefined) made++;
        return this[headers] ??= headersOf(this[incoming]);
      },
    },
  });
}

const ofLines = lightClass(({ rawHeaders }) => {
  const all = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (!name.startsWith(":")) all.append(name, rawHeaders[at + 1]!);
  }
  return all;
});

const ofParsed = lightClass(({ headers }) => new Headers(headers));

/** As Node parses them: repeated lines are joined, of a repeated Host the first one counts. */
function parsed(rawHeaders: readonly string[]): Record<string, string> {
  const all: Record<string, string> = {};
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    const value = rawHeaders[at + 1]!;
    if (all[name] === undefined) all[name] = value;
    else if (name !== "host") all[name] += `, ${value}`;
  }
  return all;
}

function lightRequest(...rawHeaders: string[]): Request & Light {
  return ofClass(ofLines, rawHeaders);
}

function ofClass(light: object, rawHeaders: string[]): Request & Light {
  return Object.assign(Object.create(light), {
    [incoming]: { rawHeaders, headers: parsed(rawHeaders) },
  });
}

const HOST = ["Host", new URL(PAGE).host];

/** An open wrapped handler that has kept the page of a request with a host alone. */
async function opened() {
  const api = breaker({ name: "app", timeoutMs: Infinity });
  const handler = api.wrap(({ headers }) =>
    new Response(headers.get("x-forwarded-host") ?? "ours", { headers: { etag: '"1"' } })
  );
  await (await handler(lightRequest(...HOST))).text();
  api.circuit("app").trip();
  const status = async (request: Request) => {
    const response = await handler(request);
    const text = await response.text();
    return text === "ours" ? text : response.status;
  };
  return { status };
}

const ORDINARY = [
  ...HOST,
  "User-Agent",
  "x",
  "Accept-Encoding",
  "gzip",
  "Upgrade-Insecure-Requests",
  "1",
];

Deno.test("K3: a light request whose fields do not matter is served without Headers", async () => {
  const { status } = await opened();
  // Elsewhere nobody knows whether a middleware has put something over it.
  const { process } = globalThis as unknown as {
    process?: { getBuiltinModule?(name: string): object | undefined };
  };
  const isKnown = process?.getBuiltinModule?.("node:util") !== undefined;
  made = 0;

  assertEquals([await status(lightRequest(...ORDINARY)), made], ["ours", isKnown ? 0 : 1]);
});

Deno.test("K1, K3, S8b, F2, F5: each line of a light request that matters is heard", async () => {
  const { status } = await opened();
  const lines = {
    "X-Forwarded-Host": "evil.test",
    "X_Original_URL": "/admin",
    "Host": "other.test",
    "If-None-Match": '"1"',
    "If-Match": '"1"',
    "Upgrade": "websocket",
    "Transfer-Encoding": "chunked",
    "Cache-Control": "max-stale=0",
  };
  const seen: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(lines)) {
    seen[name] = await status(lightRequest(...ORDINARY, name, value));
  }

  assertEquals(seen, {
    "X-Forwarded-Host": 503,
    "X_Original_URL": 503,
    "Host": 503,
    "If-None-Match": 304,
    "If-Match": 503,
    "Upgrade": 503,
    "Transfer-Encoding": 503,
    "Cache-Control": 503,
  });
});

Deno.test("K3: a field that the app has set in a light request is heard", async () => {
  const { status } = await opened();
  const request = lightRequest(...ORDINARY);
  request.headers.set("x-forwarded-host", "other.test");

  assertEquals(await status(request), 503);
});

Deno.test("K3: fields that the app has put over those of a light request are heard", async () => {
  const { status } = await opened();
  const value = new Headers([["host", HOST[1]!], ["x-forwarded-host", "other.test"]]);
  const request = Object.defineProperty(lightRequest(...ORDINARY), "headers", { value });

  assertEquals(await status(request), 503);
});

Deno.test("K3: fields that a Proxy of a light request adds are heard", async () => {
  const { status } = await opened();
  const headers = new Headers([["host", HOST[1]!], ["x-forwarded-host", "other.test"]]);
  const request = new Proxy(lightRequest(...ORDINARY), {
    get: (target, name) => name === "headers" ? headers : Reflect.get(target, name, target),
  });

  assertEquals(await status(request), 503);
});

Deno.test("K3: a light request with an unknown host field among many is read whole", async () => {
  const { status } = await opened();

  for (let count = 0; count < 1_100; count++) {
    assertEquals(await status(lightRequest(...HOST, `X-Number-${count}`, "1")), "ours");
  }
  assertEquals(await status(lightRequest(...ORDINARY, "X-Forwarded-Proto", "http")), 503);
});

Deno.test("K1: a light request with two hosts is read whole, whichever comes last", async () => {
  const { status } = await opened();

  assertEquals(await status(lightRequest("Host", "other.test", ...ORDINARY)), 503);
  assertEquals(await status(lightRequest(...ORDINARY, "Host", "other.test")), 503);
});

Deno.test("K3: fields that stand before those of a light request are heard", async () => {
  const { status } = await opened();
  const own = new Headers({ host: HOST[1]!, "x-forwarded-host": "other.test" });
  const request = Object.create(lightRequest(...ORDINARY), { headers: { value: own } });

  assertEquals(await status(request), 503);
});

Deno.test("K3: a light request whose lines Node has parsed into something else is read whole", async () => {
  const { status } = await opened();
  const changes: readonly ((headers: Record<string, string>) => unknown)[] = [
    (headers) => headers["x-added"] = "1",
    (headers) => headers["user-agent"] = "changed",
    (headers) => delete headers["user-agent"],
  ];
  for (const change of changes) {
    const request = lightRequest(...ORDINARY);
    change(request[incoming].headers);
    made = 0;

    assertEquals([await status(request), made], ["ours", 1]);
  }
});

Deno.test("K3: a light request that is read whole after all finds what others have kept", async () => {
  const api = breaker({ name: "app", timeoutMs: Infinity });
  const handler = api.wrap(() => new Response("ours"));
  const proxied = () => lightRequest(...HOST, "X-Forwarded-Proto", "https", "X-Last", "1");
  await (await handler(proxied())).text();
  api.circuit("app").trip();
  const changed = proxied();
  changed[incoming].headers["x-last"] = "2";

  const answers = [await handler(proxied()), await handler(changed)];

  assertEquals(answers.map(({ status }) => status), [200, 200]);
});

Deno.test("K3: a light request by HTTP/2 is read whole, as its pseudo-fields are no fields", async () => {
  const { status } = await opened();
  made = 0;

  assertEquals([await status(lightRequest(":path", "/page", ...ORDINARY)), made], ["ours", 1]);
});

Deno.test("K3: a server that makes Headers of anything but the lines is read whole", async () => {
  const { status } = await opened();
  const request = ofClass(ofParsed, [...ORDINARY]);
  await status(request);
  const changed = ofClass(ofParsed, [...ORDINARY]);
  changed[incoming].headers["x-forwarded-host"] = "other.test";
  made = 0;

  assertEquals([await status(ofClass(ofParsed, [...ORDINARY])), made], ["ours", 1]);
  assertEquals([await status(changed), made], [503, 2]);
});

/** What a handler may do to its own request. */
const CHANGES: readonly (readonly [what: string, change: (request: Request & Light) => void])[] = [
  ["sets a field that says who asks", ({ headers }) => headers.set("x-user-id", "ann")],
  ["removes the field that its answer varies on", ({ headers }) => headers.delete("accept")],
  ["changes the field that its answer varies on", ({ headers }) => headers.set("accept", "b")],
  ["changes the lines that came", ({ [incoming]: lines }) => lines?.rawHeaders.splice(0)],
  ["changes what Node has parsed", ({ [incoming]: lines }) => {
    if (lines !== undefined) lines.headers["accept"] = "b";
  }],
  ["puts other fields in their place", (request) => {
    Object.defineProperty(request, "headers", { value: new Headers({ accept: "b" }) });
  }],
];

const REQUESTS = {
  "a light request": (accept: string) => lightRequest(...HOST, "Accept", accept),
  "a Request": (accept: string) =>
    new Request(PAGE, { headers: [[...HOST], ["Accept", accept]] as [string, string][] }),
};

for (const [what, change] of CHANGES) {
  for (const [whose, requestOf] of Object.entries(REQUESTS)) {
    Deno.test(`K2, S8b: a handler that ${what} of ${whose} changes nothing about what is kept`, async () => {
      const api = breaker({ name: "app", timeoutMs: Infinity });
      const handler = api.wrap((request) => {
        const accept = request.headers.get("accept");
        change(request as Request & Light);
        return new Response(`for ${accept}`, { headers: { vary: "Accept" } });
      });
      await (await handler(requestOf("a"))).text();
      api.circuit("app").trip();

      const kept = await (await handler(requestOf("a"))).text();
      const other = await handler(requestOf("b"));
      await other.body?.cancel();

      assertEquals([kept, other.status], ["for a", 503]);
    });
  }
}
