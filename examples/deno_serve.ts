/**
 * A handler on Deno, guarded: its last good answer is served when it fails.
 *
 *     deno run -A examples/deno_serve.ts
 *     curl -i http://127.0.0.1:8000/      again and again
 *
 * You will see the time of day, with status 200, though the handler fails nine times out of ten:
 * `Age` says how old the answer is, `Cache-Status` why it is served. The server runs until Ctrl-C.
 *
 * In your own project: `deno add jsr:@lastgood/breaker`, or `npm install @lastgood/breaker`.
 */

import { breaker, logTo } from "@lastgood/breaker";

const guard = breaker({ threshold: 5, delayMs: 10_000, onEvent: logTo(console) });

let calls = 0;

function tellTime(_request: Request): Response {
  if (calls++ % 10 > 0) throw new Error("The clock is broken");
  return new Response(`${new Date().toLocaleTimeString()}\n`);
}

Deno.serve({ hostname: "127.0.0.1" }, guard.wrap(tellTime));
