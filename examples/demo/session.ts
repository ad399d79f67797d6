/** Plays the article's session step by step over real HTTP, and checks each answer. */

import type { Circuit, CircuitState } from "@lastgood/breaker";
import type { Upstream } from "./upstream.ts";

/** Describes the expected answer. */
interface Expected {
  readonly status: readonly number[];
  /** The circuit's state after it. */
  readonly state: CircuitState;
  /** True if it takes a call to the upstream. */
  readonly called: boolean;
  /** Patterns that its head or body must match. */
  readonly says?: readonly RegExp[];
}

/**
 * Plays the session and prints it.
 *
 * @param lines The breaker's log lines; each is printed below the request that caused it.
 * @returns True if every step went as expected.
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

  heading("The upstream is healthy: its answers pass, and the last good one is kept.");
  for (let call = 1; call <= 2; call++) {
    await ask("/api/success", { status: [200], state: "closed", called: true, says: [/Success!/] });
  }

  heading("Five failures, every other one too slow, open the circuit.");
  for (let call = 1; call <= 5; call++) {
    const state = call < 5 ? "closed" : "open";
    await ask("/api/failure", { status: [500, 504], state, called: true });
  }

  heading("It is open: nothing is kept for this path, so the answer says when to come back.");
  await ask("/api/failure", {
    status: [503],
    state: "open",
    called: false,
    says: [/^retry-after: [12]$/m, /retry after [12] secs/],
  });

  heading(
    "For this path the last good answer is served, with its age. The upstream is not called.",
  );
  await ask("/api/success", {
    status: [200],
    state: "open",
    called: false,
    says: [/^age: \d+$/m, /^cache-status: lastgood; hit; detail=circuit-open$/m, /Success!/],
  });

  heading("The delay passes.");
  await until(() => circuit.state !== "open", circuit.retryAfterMs + 1_000);
  console.log(`  The circuit is ${circuit.state}: the next request is the probe.`);
  check("half_open", circuit.state, circuit.state === "half_open");

  heading("The probe succeeds, and the circuit closes.");
  await ask("/api/success", { status: [200], state: "closed", called: true, says: [/Success!/] });

  console.log(isGood ? "\nEvery step went as expected." : "\nNot every step went as expected.");
  return isGood;
}

async function until(isSo: () => boolean, limitMs: number): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!isSo() && Date.now() < limit) await new Promise((resolve) => setTimeout(resolve, 20));
}
