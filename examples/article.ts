/**
 * The session of the classic article on circuit breakers: three exceptions open the circuit, however
 * many good calls lie between them, calls are refused with "retry after", and a good one after the
 * delay closes it.
 *
 *     deno run -A examples/article.ts
 *
 * You will see each call with the state after it, and the line "Changed state from …" where it moves.
 * Time is told by hand, so nothing waits.
 *
 * Elsewhere, import from "jsr:@lastgood/breaker".
 */

import { Circuit, logTo, total } from "@lastgood/breaker";

let now = 0;
const circuit = new Circuit<string>({
  name: "article",
  trip: total(3), // a success does not start the count over; with `threshold: 3` it would
  delayMs: 60_000,
  now: () => now,
  onEvent: logTo(console),
});

const success = () => Promise.resolve("Success!");
const failure = () => Promise.reject(new Error("Failed!"));

async function call(what: () => Promise<string>): Promise<void> {
  const result = await circuit.run(what).catch((error) => `${error}`);
  console.log(`${String(now / 1_000).padStart(3)} s  ${circuit.state.padEnd(9)}  ${result}`);
}

await call(success);
await call(failure);
await call(success);
await call(failure);
await call(success);
await call(failure);
await call(success); // refused: retry after 60 secs
now += 59_000;
await call(success); // refused: retry after 1 secs
now += 1_000;
console.log(`${now / 1_000} s  ${circuit.state}`);
await call(failure); // the probe fails: a full delay again
await call(success);
now += 60_000;
await call(success); // the probe is good
