import { outlivesAnswer } from "../runtime.ts";

/** A call that must end in time. */
export interface TimedCall {
  /** Called when its time is over, in whatever async context: it stops no work of the call's own. */
  timeOut(): void;
  /** The deadline that it waits for; set by {@link Deadlines}. */
  deadline: Deadline | undefined;
}

/**
 * How long before a deadline its timer fires, in ms: the rest is a turn of the event loop for what is
 * already there. A loop that was blocked, or a host that thaws, fires its timers before it reads its
 * sockets (promise 35). One `setTimeout` more is enough for the answer on Deno, Node and Bun; neither
 * `setImmediate` nor a message is on Deno.
 */
const TURN_MS = 2;

/**
 * A timer that fires later than this, in ms, was held up with all else. Then one turn may not be
 * enough: a Deno that has just started took several for an answer that had been there for 160 ms.
 */
const LATE_MS = 5;
const TURNS_WHEN_LATE = 8;

/**
 * For how many microtasks a call waits for what becomes of a younger one that is due as well, so that
 * the caller of an inner call goes on before the outer one ends, and for how many at most.
 */
const MICROTASKS = 48;
const MAX_YOUNGER = 2;

/**
 * How many near deadlines are looked at: thousands may pass at once, and those of a Worker's cancelled
 * requests never do.
 */
const MAX_NEAR = 100;

/**
 * The deadlines of calls that may all take equally long.
 *
 * Calls that began in the same millisecond share a timer, as a timer for each call costs 1.7 µs on
 * Deno (0.1 elsewhere). On Workers a timer belongs to a request and ends with it, so there each call
 * has its own, and so it has where somebody has replaced `setTimeout`: on a clock that tests move, no
 * two moments are known to be the same. A timer is never set again: neither a clock that jumps nor
 * the lateness of timers moves a deadline (promise 12).
 */
export class Deadlines {
  /** How long each call may take, in ms. */
  readonly ms: number;
  /** Asked for at the first call. */
  #areShared: boolean | undefined;
  #latest: Timer | undefined;

  constructor(ms: number) {
    this.ms = ms;
  }

  /**
   * Starts the time of a call.
   *
   * @param order The call's place among all calls, see {@link nextOrder}.
   * @param passedMs How long ago it began, in ms.
   */
  add(call: TimedCall, order: number = nextOrder(), passedMs = 0): void {
    this.#areShared ??= outlivesAnswer();
    const leftMs = Math.max(0, this.ms - Math.max(0, passedMs));
    // What has passed in a test's time has passed: nobody may move it once more.
    if (leftMs === 0 && !isRealTime()) return call.timeOut();
    const timer = this.#areShared && isRealTime() ? this.#shared(leftMs) : new Timer(0, leftMs);
    call.deadline = new Deadline(timer, call, order);
  }

  /** Returns the timer of the calls whose time is over in this millisecond, or at the end of it. */
  #shared(leftMs: number): Timer {
    const now = monotonicNow();
    const due = Math.ceil(now + leftMs);
    const latest = this.#latest;
    if (latest?.isWaiting && latest.due === due) return latest;
    return this.#latest = new Timer(due, Math.ceil(due - now));
  }

  /** Stops the time of a call that has ended. Doing so twice is harmless. */
  delete(call: TimedCall): void {
    call.deadline?.cancel();
    call.deadline = undefined;
  }
}

/** The place of the youngest call of all. */
let latestOrder = 0;

/** The calls whose deadlines are near, by their places: true once they are due. */
const near = new Map<number, boolean>();

/** Returns the place of a call that begins now: an inner call comes after its outer one. */
export function nextOrder(): number {
  return ++latestOrder;
}

/** Deno makes its timers when they are first read, which takes 3 ms: not at the import. */
const { get: atImport } = Object.getOwnPropertyDescriptor(globalThis, "setTimeout") ?? {};
let realSetTimeout = atImport === undefined ? globalThis.setTimeout : undefined;

/** Reads a clock that only goes forward, and that nobody replaces after the import. */
const monotonicNow: () => number = performance.now.bind(performance);

/** False while tests move the time. */
function isRealTime(): boolean {
  return globalThis.setTimeout === (realSetTimeout ??= atImport!.call(globalThis));
}

/** Returns the time in ms if tests move it: it may pass between two microtasks. Otherwise 0. */
export function testTime(): number {
  return isRealTime() ? 0 : Date.now();
}

/** A timer, and the deadlines that pass with it. */
class Timer {
  /** When they pass, by the monotonic clock, in ms; 0 if the timer is not shared. */
  readonly due: number;
  /** True while it runs. */
  isWaiting = true;
  /** The last of its deadlines. Being a list of their own saves 0.03 µs per call over a Set. */
  #last: Deadline | undefined;
  #timer: ReturnType<typeof setTimeout>;

  constructor(due: number, leftMs: number) {
    this.due = due;
    const turnMs = Math.min(TURN_MS, leftMs);
    this.#timer = setTimeout(() => {
      this.#mark(false);
      const isLate = due > 0 && monotonicNow() > due + LATE_MS;
      this.#endAfter(isLate ? TURNS_WHEN_LATE : 1, turnMs);
    }, leftMs - turnMs);
  }

  #endAfter(turns: number, turnMs: number): void {
    this.#timer = setTimeout(() => {
      if (turns > 1) this.#endAfter(turns - 1, turnMs);
      else this.#end();
    }, turnMs);
  }

  add(deadline: Deadline): void {
    deadline.before = this.#last;
    if (this.#last !== undefined) this.#last.after = deadline;
    this.#last = deadline;
  }

  /** Stops the timer with the last deadline. */
  delete({ before, after }: Deadline): void {
    if (before !== undefined) before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    if (this.#last !== undefined || !this.isWaiting) return;
    this.isWaiting = false;
    clearTimeout(this.#timer);
  }

  #end(): void {
    this.isWaiting = false;
    this.#mark(true);
    for (let next = this.#last; next !== undefined; next = next.before) next.pass();
  }

  #mark(isDue: boolean): void {
    if (near.size >= MAX_NEAR) near.clear();
    for (let next = this.#last; next !== undefined && near.size < MAX_NEAR; next = next.before) {
      near.set(next.order, isDue);
    }
  }
}

function isYoungerNear(order: number): boolean {
  for (const other of near.keys()) if (other > order) return true;
  return false;
}

/** The deadline of one call. */
export class Deadline {
  readonly order: number;
  readonly #timer: Timer;
  /** Undefined once the call has ended: a timer that others wait for does not keep it. */
  #call: TimedCall | undefined;
  #hasPassed = false;
  /** Ends a wait for younger calls at once: no timer outlives its call. */
  #endTurn: (() => void) | undefined;
  /** Its neighbours among those of the timer. */
  before: Deadline | undefined;
  after: Deadline | undefined;

  constructor(timer: Timer, call: TimedCall, order: number) {
    this.order = order;
    this.#timer = timer;
    this.#call = call;
    timer.add(this);
  }

  /** The call has ended. */
  cancel(): void {
    this.#timer.delete(this);
    if (this.#hasPassed) return;
    this.#call = undefined;
    this.#endTurn?.();
    if (near.size > 0) near.delete(this.order);
  }

  /**
   * Ends the call, which remains near until its caller has gone on. The youngest call of all ends at
   * once; older ones may be waiting for it.
   */
  async pass(): Promise<void> {
    if (isYoungerNear(this.order)) {
      // Timers that fire together: the younger ones among them are due in a moment, too.
      await undefined;
      await this.#youngerOnes();
    }
    if (this.#call === undefined) return;
    this.#hasPassed = true;
    this.#call.timeOut();
    for (let turn = 0; turn < MICROTASKS; turn++) await undefined;
    this.#call = undefined;
    near.delete(this.order);
  }

  /**
   * Waits for the younger calls that are near: they may be inner calls of this one. A loop that is held
   * up between their timers makes one late and not the other.
   */
  async #youngerOnes(): Promise<void> {
    const younger = [...near.keys()].filter((order) => order > this.order);
    const isWaited = () => younger.some((order) => near.get(order) === false);
    for (let turn = 0; turn < TURNS_WHEN_LATE && this.#call !== undefined && isWaited(); turn++) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, TURN_MS);
        this.#endTurn = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const turns = Math.min(younger.length, MAX_YOUNGER) * MICROTASKS;
    for (let turn = 0; turn < turns && this.#call !== undefined; turn++) await undefined;
  }
}
