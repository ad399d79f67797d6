import { outlivesAnswer } from "../runtime.ts";

/** A call that must end in time. */
export interface TimedCall {
  /** Called when its time is over, in the async context in which it was added. */
  timeOut(): void;
  /** The alarm that it waits for; set by {@link Deadlines}. */
  deadline: Alarm | undefined;
}

/**
 * How long before a deadline its timer fires, in ms: the rest is a turn of the event loop for what is
 * already there. A loop that was blocked, or a host that thaws, fires its timers before it reads its
 * sockets (promise 35). One `setTimeout` more is enough for the answer on Deno, Node and Bun; neither
 * `setImmediate` nor a message is on Deno.
 */
const TURN_MS = 2;

/**
 * How many microtasks a call waits for each younger one whose time is over as well, so that an inner
 * call is answered before the outer one counts, and for how many at most.
 */
const MICROTASKS = 48;
const MAX_YOUNGER = 2;

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
    call.deadline = timer.add(call, order);
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
    call.deadline?.stop();
    call.deadline = undefined;
  }
}

/** The place of the youngest call of all. */
let latestOrder = 0;

/** Of the calls whose timers have fired, and of those whose turn is over as well: the youngest. */
let youngestFired = 0;
let youngestDue = 0;

/** Returns the place of a call that begins now: an inner call comes after its outer one. */
export function nextOrder(): number {
  return ++latestOrder;
}

const realSetTimeout = globalThis.setTimeout;

/** Reads a clock that only goes forward, and that nobody replaces after the import. */
const monotonicNow: () => number = performance.now.bind(performance);

/** False while tests move the time. */
function isRealTime(): boolean {
  return globalThis.setTimeout === realSetTimeout;
}

/** Returns the time in ms if tests move it: it may pass between two microtasks. Otherwise 0. */
export function testTime(): number {
  return isRealTime() ? 0 : Date.now();
}

/** A timer, and the alarms that wait for it. */
class Timer {
  /** When it fires, by the monotonic clock, in ms; 0 if it is not shared. */
  readonly due: number;
  /** True while it runs. */
  isWaiting = true;
  /** The alarm of the call that set the timer: it rings in the async context of the timer. */
  #first: Alarm | undefined;
  /** Resolves for all others, each of which has its own context. */
  #passed: Promise<void> | undefined;
  #pass = () => {};
  #alarms = 0;
  #youngest = 0;
  #timer: ReturnType<typeof setTimeout>;

  constructor(due: number, leftMs: number) {
    this.due = due;
    const turnMs = Math.min(TURN_MS, leftMs);
    this.#timer = setTimeout(() => {
      youngestFired = Math.max(youngestFired, this.#youngest);
      this.#timer = setTimeout(() => this.#end(), turnMs);
    }, leftMs - turnMs);
  }

  add(call: TimedCall, order: number): Alarm {
    const alarm = new Alarm(this, call, order);
    this.#alarms++;
    this.#youngest = Math.max(this.#youngest, order);
    if (this.#first === undefined) return this.#first = alarm;
    this.#passed ??= new Promise((resolve) => this.#pass = resolve);
    this.#passed.then(() => alarm.ring());
    return alarm;
  }

  /** Stops the timer with the last alarm. */
  delete(): void {
    if (--this.#alarms > 0 || !this.isWaiting) return;
    clearTimeout(this.#timer);
    this.#end();
  }

  #end(): void {
    this.isWaiting = false;
    youngestDue = Math.max(youngestDue, Math.min(youngestFired, this.#youngest));
    this.#first?.ring();
    this.#pass();
  }
}

/** The alarm of one call. */
export class Alarm {
  readonly #timer: Timer;
  /** Undefined once the call has ended: a timer that others wait for does not keep it. */
  #call: TimedCall | undefined;
  readonly #order: number;

  constructor(timer: Timer, call: TimedCall, order: number) {
    this.#timer = timer;
    this.#call = call;
    this.#order = order;
  }

  stop(): void {
    if (this.#call === undefined) return;
    this.#call = undefined;
    this.#timer.delete();
  }

  /** Ends the call, after younger ones whose time is over: they may be inner calls of this one. */
  ring(): void {
    if (Math.max(youngestFired, youngestDue) > this.#order) this.#ringLast();
    else this.#call?.timeOut();
  }

  async #ringLast(): Promise<void> {
    // Tests let all timers of an instant fire in one go.
    await undefined;
    if (this.#call === undefined) return;
    // The timer of a younger one has fired, but its turn is still to come.
    if (youngestFired > Math.max(youngestDue, this.#order)) {
      await new Promise((resolve) => setTimeout(resolve, TURN_MS));
    }
    const younger = Math.min(youngestDue - this.#order, MAX_YOUNGER);
    for (let turn = younger * MICROTASKS; turn > 0 && this.#call; turn--) await undefined;
    this.#call?.timeOut();
  }
}
