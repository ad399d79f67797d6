import { checkNames } from "./option_names.ts";

/** A rule for an option: in words for the error, and as a check. */
export interface Rule<T> {
  /** Completes "must be …". */
  readonly mustBe: string;
  /** True for a rule about numbers: a number that breaks it is out of range. */
  readonly isNumber?: boolean | undefined;
  /** Reports whether `value` obeys the rule. */
  accepts(value: unknown): value is T;
}

/** The longest delay that timers take. With a longer one they fire at once, on every runtime. */
const MAX_TIMER_MS = 2_147_483_647;

/** Makes a rule about numbers. Marked as pure, so that bundlers leave out those that nobody uses. */
export function number(mustBe: string, accepts: (value: number) => boolean): Rule<number> {
  return {
    mustBe,
    isNumber: true,
    accepts: (value): value is number => typeof value === "number" && accepts(value),
  };
}

/** A number of things: 1, 2, 3, … */
export const count: Rule<number> = /* @__PURE__ */ number(
  "an integer of at least 1",
  (value) => Number.isSafeInteger(value) && value >= 1,
);

/** The greatest time that a Date can hold, in ms. A longer one would not make a valid `Retry-After`. */
const MAX_DURATION_MS = 8.64e15;

/** A length of time, in ms; it may be 0. */
export const duration: Rule<number> = /* @__PURE__ */ number(
  `a number of milliseconds from 0 to ${MAX_DURATION_MS}`,
  (value) => value >= 0 && value <= MAX_DURATION_MS,
);

/** A length of time, in ms, above 0. */
export const positiveDuration: Rule<number> = /* @__PURE__ */ number(
  `a number of milliseconds above 0 and at most ${MAX_DURATION_MS}`,
  (value) => value > 0 && value <= MAX_DURATION_MS,
);

/** The greatest age of something, in ms: 0 to Infinity. */
export const age: Rule<number> = /* @__PURE__ */ number(
  "a number of milliseconds of at least 0",
  (value) => value >= 0,
);

/** A time limit that a timer can keep, in ms; Infinity for no limit. */
export const limit: Rule<number> = /* @__PURE__ */ number(
  `a number of milliseconds above 0 and at most ${MAX_TIMER_MS}, or Infinity`,
  (value) => value > 0 && (value <= MAX_TIMER_MS || value === Infinity),
);

/** As {@link limit}, but it may be 0. */
export const patience: Rule<number> = /* @__PURE__ */ number(
  `a number of milliseconds from 0 to ${MAX_TIMER_MS}, or Infinity`,
  (value) => value >= 0 && (value <= MAX_TIMER_MS || value === Infinity),
);

/** A share of a whole, above 0. */
export const share: Rule<number> = /* @__PURE__ */ number(
  "a number above 0 and at most 1",
  (value) => value > 0 && value <= 1,
);

/** A share of a whole; it may be 0. */
export const fraction: Rule<number> = /* @__PURE__ */ number(
  "a number from 0 to 1",
  (value) => value >= 0 && value <= 1,
);

/** How many times as large something becomes: it never shrinks. */
export const factor: Rule<number> = /* @__PURE__ */ number(
  "a finite number of at least 1",
  (value) => Number.isFinite(value) && value >= 1,
);

/** Yes or no. */
export const flag: Rule<boolean> = {
  mustBe: "true or false",
  accepts: (value): value is boolean => typeof value === "boolean",
};

/** Any string. */
export const text: Rule<string> = {
  mustBe: "a string",
  accepts: (value): value is string => typeof value === "string",
};

/** Any function. */
// deno-lint-ignore no-explicit-any
export const callback: Rule<(...args: any[]) => any> = {
  mustBe: "a function",
  // deno-lint-ignore no-explicit-any
  accepts: (value): value is (...args: any[]) => any => typeof value === "function",
};

/** Any object except an array. */
export const object: Rule<object> = {
  mustBe: "an object",
  accepts: (value): value is object =>
    typeof value === "object" && value !== null && !Array.isArray(value),
};

/** One of these words. */
export function oneOf<T extends string>(...words: readonly T[]): Rule<T> {
  return {
    mustBe: words.map((word) => `"${word}"`).join(" or "),
    accepts: (value): value is T => words.some((word) => word === value),
  };
}

/** Makes a rule that also accepts undefined. */
export function optional<T>(rule: Rule<T>): Rule<T | undefined> {
  return {
    ...rule,
    accepts: (value): value is T | undefined => value === undefined || rule.accepts(value),
  };
}

/**
 * Returns `value` if it obeys `rule`.
 *
 * @param purpose What the caller wants to do: completes "Cannot …".
 * @param option The name of the option, as the caller wrote it.
 * @throws {RangeError} If `value` is a number that breaks a rule about numbers.
 * @throws {TypeError} If `value` breaks the rule in any other way.
 */
export function check<T>(purpose: string, option: string, value: unknown, rule: Rule<T>): T {
  if (rule.accepts(value)) return value;
  throw rule.isNumber && typeof value === "number"
    ? outOfRange(purpose, option, rule.mustBe, value)
    : invalidOption(purpose, option, rule.mustBe, value);
}

/**
 * Returns `options` if it is an object and has no option but those in `names`.
 *
 * @param lastGood Makes an object with the names that belong into `lastGood`, to be suggested.
 * @throws {TypeError} If it is not, or has.
 */
export function checkOptions<T extends object>(
  purpose: string,
  options: T,
  names: ReadonlySet<string>,
  lastGood?: () => object,
): T {
  check(purpose, "options", options, object);
  checkNames(purpose, options, names, "", lastGood);
  return options;
}

/**
 * Throws if the options are the function to be guarded, which other breakers take.
 *
 * @throws {TypeError} With the way to guard a function here.
 */
export function refuseFunction(purpose: string, options: unknown): void {
  if (typeof options !== "function") return;
  const { message } = invalidOption(purpose, "options", object.mustBe, options);
  throw new TypeError(`${message}; to guard a function, use Circuit.wrap`);
}

/** Makes the error for an option of the wrong type. */
export function invalidOption(
  purpose: string,
  option: string,
  mustBe: string,
  value: unknown,
): TypeError {
  return new TypeError(sentence(purpose, option, mustBe, value));
}

/** Makes the error for an option that is a number, but out of range. */
export function outOfRange(
  purpose: string,
  option: string,
  mustBe: string,
  value: unknown,
): RangeError {
  return new RangeError(sentence(purpose, option, mustBe, value));
}

function sentence(purpose: string, option: string, mustBe: string, value: unknown): string {
  return `Cannot ${purpose} as "${option}" must be ${mustBe}: current value is ${shown(value)}`;
}

/** Describes `value` in a few words, on one line. */
function shown(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "function":
      return "a function";
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "an array" : "an object";
    default:
      return String(value);
  }
}
