/** H1: an origin may take the type of a page back after that was served as text. */

import { breaker } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { Clock } from "../stage/clock.ts";
import { PAGE } from "../stage/site.ts";

Deno.test("H1: a page whose type is taken back is served without one, though it was served as text", async () => {
  const clock = new Clock();
  const api = breaker({ name: "app", timeoutMs: Infinity, now: clock.now });
  const types: (string | undefined)[] = ["text/plain", undefined];
  const handler = api.wrap(() => {
    const type = types.shift();
    const headers: HeadersInit = { etag: '"1"', ...type && { "content-type": type } };
    return new Response(new TextEncoder().encode("good"), { headers });
  });
  const ask = async () => {
    const response = await handler(new Request(PAGE));
    return [response.headers.get("content-type"), await response.text()];
  };
  const circuit = api.circuit("app");
  const served: unknown[] = [];
  for (let count = 0; count < 2; count++) {
    circuit.reset();
    await ask();
    circuit.trip();
    served.push(await ask());
    clock.tick(600_000);
  }

  assertEquals(served, [["text/plain", "good"], [null, "good"]]);
});
