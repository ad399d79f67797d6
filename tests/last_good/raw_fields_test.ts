/** A request as Hono's server for Node hands it over: its `Headers` are made when they are asked for. */

import { breaker } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { PAGE } from "../stage/site.ts";

const incoming = Symbol("incoming");
const headers = Symbol("headers");

interface Light {
  [incoming]: { rawHeaders: readonly string[] };
  [headers]?: Headers;
}

/** How often `Headers` were made. */
let made = 0;

const light = Object.create(Request.prototype, {
  method: { value: "GET" },
  url: { value: PAGE },
  headers: {
    get(this: Light) {
      return this[headers] ??= headersOf(this[incoming]);
    },
  },
});

function headersOf({ rawHeaders }: Light[typeof incoming]): Headers {
  made++;
  const all = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    all.append(rawHeaders[at]!, rawHeaders[at + 1]!);
  }
  return all;
}

function lightRequest(...rawHeaders: string[]): Request {
  return Object.assign(Object.create(light), { [incoming]: { rawHeaders } });
}

const HOST = ["Host", new URL(PAGE).host];

/** Makes an open wrapped handler that has kept the page of a request with a host alone. */
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
  // The first one shows how such requests are made.
  await status(lightRequest(...HOST));
  return { status };
}

const ordinary = [
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
  const isKnown = "process" in globalThis && "getBuiltinModule" in (globalThis.process as object);
  made = 0;

  assertEquals([await status(lightRequest(...ordinary)), made], ["ours", isKnown ? 0 : 1]);
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
    seen[name] = await status(lightRequest(...ordinary, name, value));
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
  const request = lightRequest(...ordinary);
  request.headers.set("x-forwarded-host", "other.test");

  assertEquals(await status(request), 503);
});

Deno.test("K3: fields that the app has put over those of a light request are heard", async () => {
  const { status } = await opened();
  const value = new Headers([["host", HOST[1]!], ["x-forwarded-host", "other.test"]]);
  const request = Object.defineProperty(lightRequest(...ordinary), "headers", { value });

  assertEquals(await status(request), 503);
});

Deno.test("K3: fields that a Proxy of a light request adds are heard", async () => {
  const { status } = await opened();
  const headers = new Headers([["host", HOST[1]!], ["x-forwarded-host", "other.test"]]);
  const request = new Proxy(lightRequest(...ordinary), {
    get: (target, name) => name === "headers" ? headers : Reflect.get(target, name, target),
  });

  assertEquals(await status(request), 503);
});

Deno.test("K3: a light request with an unknown host field among many is read whole", async () => {
  const { status } = await opened();

  for (let count = 0; count < 1_100; count++) {
    assertEquals(await status(lightRequest(...HOST, `X-Number-${count}`, "1")), "ours");
  }
  assertEquals(await status(lightRequest(...ordinary, "X-Forwarded-Proto", "http")), 503);
});

Deno.test("K1: a light request with two hosts is read whole, whichever comes last", async () => {
  const { status } = await opened();

  assertEquals(await status(lightRequest("Host", "other.test", ...ordinary)), 503);
  assertEquals(await status(lightRequest(...ordinary, "Host", "other.test")), 503);
});

Deno.test("K3: fields that stand before those of a light request are heard", async () => {
  const { status } = await opened();
  const own = new Headers({ host: HOST[1]!, "x-forwarded-host": "other.test" });
  const request = Object.create(lightRequest(...ordinary), { headers: { value: own } });

  assertEquals(await status(request), 503);
});
