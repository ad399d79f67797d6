/**
 * A circuit around any async function, without HTTP.
 *
 *     deno run -A examples/circuit.ts
 *
 * You will see two failures of the database, two refusals that say how long to wait and, after
 * a delay of one second, a success that closes the circuit.
 *
 * In your own project: `deno add jsr:@lastgood/breaker`, or `npm install @lastgood/breaker`.
 */

import { backoff, Circuit, CircuitOpenError, logTo } from "@lastgood/breaker";

let isDown = true;

function queryDatabase(sql: string): Promise<string> {
  return isDown ? Promise.reject(new Error("Connection lost")) : Promise.resolve(`rows: ${sql}`);
}

const circuit = new Circuit({
  name: "database",
  threshold: 2,
  delayMs: backoff({ baseMs: 1_000, maxMs: 60_000, jitter: 0 }),
  timeoutMs: 5_000,
  onEvent: logTo(console),
});
const query = circuit.wrap(queryDatabase); // the same signature

async function ask(): Promise<void> {
  try {
    console.log(await query("select 1"));
  } catch (error) {
    if (error instanceof CircuitOpenError) console.log(`Refused for ${error.retryAfterMs} ms`);
    else console.log(`Failed: ${error}`);
  }
}

for (let call = 1; call <= 4; call++) await ask();
isDown = false;
await new Promise((resolve) => setTimeout(resolve, circuit.retryAfterMs + 50));
await ask();
