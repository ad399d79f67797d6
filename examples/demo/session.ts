/** The article's session, step by step, over real HTTP: what must come, and what came. */

import type { Circuit, CircuitState } from "@lastgood/breaker";
import type { Upstream } from "./upstream.ts";

/** What an answer must be. */
interface Expected {
  readonly status: readonly number[];
  /** The circuit after it. */
  readonly state: CircuitState;
  /** Whether the upstream was called for it. */
  readonly called: boolean;
  /** What must be in its head and body. */
  readonly says?: readonly RegExp[];
}

/**
 * Plays the session and prints it.
 *
 * @param lines What the breaker logs: printed below the request that made it do so.
 * @returns Whether every step went as it must.
 */
export async function playSession(
  url: string,
  circuit: Circuit<Response>,
  upstream: Upstream,
  lines: string[],
): Promise<boolean> {
  let isGood = true;

  function check(what: string, came: string, holds: boolean): void {
    if (holds) return;
    isGood = false;
    console.log(`      WRONG: expected ${what}, but it was ${came}`);
  }

  async function ask(path: string, expected: Expected): Promise<void> {
    const before = upstream.calls;
    const response = await fetch(url + path);
    const body = await response.text();
    const { status, headers } = response;
    const head = ["age", "cache-status", "retry-after"]
      .flatMap((name) => headers.has(name) ? [`${name}: ${headers.get(name)}`] : []);

    const detail = head.length > 0 ? head.join(", ") : body;
    console.log(`  GET ${path}  ${status}  ${circuit.state.padEnd(9)}  ${detail}`);
    for (const line of lines.splice(0)) console.log(`      ${line}`);
    check(`status ${expected.status.join(" or ")}`, `${status}`, expected.status.includes(status));
    check(expected.state, circuit.state, circuit.state === expected.state);
    const calls = upstream.calls - before;
    check(`${Number(expected.called)} calls`, `${calls}`, calls === Number(expected.called));
    const said = [...head, body].join("\n");
    for (const pattern of expected.says ?? []) check(`${pattern}`, said, pattern.test(said));
  }

  function heading(text: string): void {
    console.log(`\n${text}`);
  }

  heading("The upstream is well: its answers pass, and the last good one is kept.");
  for (let call = 1; call <= 2; call++) {
    await ask("/api/success", { status: [200], state: "closed", called: true, says: [/Success!/] });
  }

  heading("Five failures, every other one too slow, open the circuit.");
  for (let call = 1; call <= 5; call++) {
    const state = call < 5 ? "closed" : "open";
    await ask("/api/failure", { status: [500, 504], state, called: true });
  }

  heading("It is open: nothing is kept for this path, so the visitor is told when to come back.");
  await ask("/api/failure", {
    status: [503],
    state: "open",
    called: false,
    says: [/^retry-after: [12]$/m, /retry after [12] secs/],
  });

  heading("For this one the last good answer is served, with its age. Nobody calls the upstream.");
  await ask("/api/success", {
    status: [200],
    state: "open",
    called: false,
    says: [/^age: \d+$/m, /^cache-status: lastgood; hit; detail=circuit-open$/m, /Success!/],
  });

  heading("The delay goes by.");
  await until(() => circuit.state !== "open", circuit.retryAfterMs + 1_000);
  console.log(`  The circuit is ${circuit.state}: the next request is the probe.`);
  check("half_open", circuit.state, circuit.state === "half_open");

  heading("The probe is good, and the circuit closes.");
  await ask("/api/success", { status: [200], state: "closed", called: true, says: [/Success!/] });

  console.log(isGood ? "\nEvery step went as it must." : "\nNot every step went as it must.");
  return isGood;
}

async function until(isSo: () => boolean, limitMs: number): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!isSo() && Date.now() < limit) await new Promise((resolve) => setTimeout(resolve, 20));
}
