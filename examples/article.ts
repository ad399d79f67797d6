/**
 * The session from the classic article on circuit breakers: three exceptions open the circuit, even
 * if calls in between succeed; further calls are refused with "retry after"; a success after the
 * delay closes it.
 *
 *     deno run -A examples/article.ts
 *
 * You will see each call with the state after it, and a line "Changed state from …" at each change.
 * The clock is moved by hand, so nothing waits.
 *
 * In your own project: `deno add jsr:@lastgood/breaker`, or `npm install @lastgood/breaker`.
 */

import { Circuit, logTo, total } from "@lastgood/breaker";

let now = 0;
const circuit = new Circuit<string>({
  name: "article",
  trip: total(3), // a success does not reset the count; with `threshold: 3` it would
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
await call(success); // the probe succeeds
