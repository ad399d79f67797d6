/** A server whose requests have lines and `Headers` that do not say the same. It must be the first one. */

import { breaker } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { PAGE } from "../stage/site.ts";

const incoming = Symbol("incoming");
const headers = Symbol("headers");

const LINES = ["Host", new URL(PAGE).host, "Accept", "*/*"];

/** Requests whose server adds a field that came with no line. */
const adding = Object.create(Request.prototype, {
  method: { value: "GET" },
  url: { value: PAGE },
  headers: {
    get(this: { [headers]?: Headers }) {
      return this[headers] ??= new Headers({
        host: LINES[1]!,
        accept: "*/*",
        "x-forwarded-host": "other.test",
      });
    },
  },
});

Deno.test("K3: a field that a server adds to those of the lines is heard", async () => {
  const api = breaker({ name: "app", timeoutMs: Infinity });
  const handler = api.wrap(() => new Response("ours"));
  await (await handler(new Request(PAGE))).text();
  api.circuit("app").trip();
  const ask = async () => {
    const lines = { [incoming]: { rawHeaders: LINES } };
    const { status } = await handler(Object.assign(Object.create(adding), lines));
    return status;
  };

  assertEquals([await ask(), await ask()], [503, 503]);
});
