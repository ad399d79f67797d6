/**
 * A drop-in `fetch`: when the upstream fails, the last good answer is served instead.
 *
 *     deno run -A examples/quick_start.ts
 *
 * You will see the answer "fine" six times, though the upstream fails from the second call on:
 * first with the detail "origin-error" and, after three failures, "circuit-open". The upstream was
 * called four times.
 *
 * In your own project: `deno add jsr:@lastgood/breaker`, or `npm install @lastgood/breaker`.
 */

import { breaker, logTo } from "@lastgood/breaker";

// Stands in for an upstream on the network. Only the first call succeeds.
let calls = 0;
const server = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen() {} },
  () => ++calls === 1 ? new Response("fine") : new Response("broken", { status: 500 }),
);
const url = `http://127.0.0.1:${server.addr.port}/items`;

const api = breaker({ threshold: 3, delayMs: 60_000, timeoutMs: 10_000, onEvent: logTo(console) });

for (let n = 1; n <= 6; n++) {
  const response = await api.fetch(url);
  const { status, headers } = response;
  console.log(status, await response.text(), "-", headers.get("Cache-Status") ?? "the upstream's");
}

console.log(`The upstream was called ${calls} times`);
await server.shutdown();
