import {
  type BreakerEvent,
  Circuit,
  type CircuitOptions,
  consecutive,
  failureRate,
  type Permit,
  total,
  type Verdict,
} from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { Model, type ModelCall, type ModelOptions } from "./model.ts";
import { Clock } from "../stage/clock.ts";
import { moves } from "../stage/events.ts";
import { seeded } from "../stage/random.ts";

const RUNS = 2_000;
const STEPS = 60;

function chosen<T>(random: () => number, ...choices: readonly [T, ...T[]]): T {
  return choices[Math.floor(random() * choices.length)] as T;
}

function optionsFor(random: () => number): ModelOptions {
  return {
    kind: chosen(random, "consecutive", "total", "lastCalls"),
    limit: chosen(random, 1, 2, 3, 5),
    delayMs: chosen<ModelOptions["delayMs"]>(random, () => 100, (again) => 40 * (again + 1)),
    probes: chosen(random, 1, 1, 2, 3),
    probeTimeoutMs: chosen(random, 30, 80),
    mode: chosen(random, "enforce", "enforce", "enforce", "enforce", "observe", "off"),
  };
}

function tripFor({ kind, limit }: ModelOptions): Pick<CircuitOptions, "trip"> {
  if (kind === "consecutive") return { trip: consecutive(limit) };
  if (kind === "total") return { trip: total(limit) };
  return { trip: failureRate({ lastCalls: limit, threshold: 0.5 }) };
}

/** Runs a circuit and the model side by side; throws with their story where they differ. */
function compare(seed: number): void {
  const random = seeded(seed);
  const options = optionsFor(random);
  const isHeard = random() < 0.7;
  const events: BreakerEvent[] = [];
  const story: string[] = [];
  const clock = new Clock(1_000);
  const { kind: _kind, limit: _limit, ...settings } = options;
  const make = (state?: CircuitOptions["state"]) =>
    new Circuit({
      ...settings,
      ...tripFor(options),
      now: clock.now,
      ...(isHeard ? { onEvent: (event) => void events.push(event) } : {}),
      ...(state === undefined ? {} : { state }),
    });
  let circuit = make();
  const model = new Model(options);
  let running: [Permit, ModelCall][] = [];
  let held: (() => void)[] = [];

  const acts: Record<string, () => void> = {
    acquire() {
      const permit = circuit.acquire();
      const call = model.acquire(clock.ms);
      assertEquals(permit !== undefined, call !== undefined, "whether a call may pass");
      if (permit !== undefined && call !== undefined) running.push([permit, call]);
    },
    settle() {
      const [permit, call] = running[Math.floor(random() * running.length)] ?? [];
      if (permit === undefined || call === undefined) return;
      const verdict = chosen<Verdict>(
        random,
        "success",
        "success",
        "failure",
        "failure",
        "ignored",
        "ignored",
      );
      const retryAfterMs = random() < 0.1 ? 150 : undefined;
      story.push(verdict);
      permit.settle(verdict, retryAfterMs);
      model.settle(call, verdict, clock.ms, retryAfterMs);
      running = running.filter(([one]) => one !== permit);
    },
    wait: () => clock.tick(Math.floor(random() * 60)),
    jump: () => clock.tick(10_000),
    stepBack: () => clock.tick(-Math.floor(random() * 200)),
    trip() {
      circuit.trip();
      model.trip(clock.ms);
    },
    reset() {
      circuit.reset();
      model.reset();
    },
    isolate() {
      held.push(circuit.isolate());
      model.isolate();
    },
    release() {
      const release = held.pop();
      if (release === undefined) return;
      release();
      release();
      model.release();
    },
    restart() {
      circuit = make(JSON.parse(JSON.stringify(circuit)));
      model.restart();
      running = [];
      held = [];
    },
  };
  const plan = [
    ...Array(14).fill("acquire"),
    ...Array(16).fill("settle"),
    ...Array(10).fill("wait"),
    ...["jump", "stepBack", "trip", "reset", "isolate", "release", "release", "restart"],
  ] as [string, ...string[]];

  for (let step = 0; step < STEPS; step++) {
    const act = chosen(random, ...plan);
    story.push(`${clock.ms} ${act}`);
    try {
      acts[act]?.();
      assertEquals(circuit.retryAfterMs, model.retryAfterMs(clock.ms), "retryAfterMs");
      assertEquals(circuit.state, model.state(clock.ms), "state");
      if (isHeard) assertEquals(moves(events), model.moves, "moves");
    } catch (error) {
      const message = `seed ${seed}, ${JSON.stringify(options)}: ${story.join(", ")}`;
      throw new Error(message, { cause: error });
    }
  }
}

Deno.test("1 to 15: circuit agrees with a naive model, whatever happens", () => {
  for (let seed = 1; seed <= RUNS; seed++) compare(seed);
});
