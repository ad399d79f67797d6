/** What an option must be: in words for the error, and as a check. */
export interface Rule<T> {
  /** Completes the sentence "must be …". */
  readonly mustBe: string;
  /** Whether it is about numbers: then a number that breaks it is out of range. */
  readonly isNumber?: boolean;
  /** Whether `value` obeys the rule. */
  accepts(value: unknown): value is T;
}

/** The longest delay that timers take: more fires at once, on every runtime. */
const MAX_TIMER_MS = 2_147_483_647;

function number(says: string, holds: (value: number) => boolean): Rule<number> {
  return {
    mustBe: says,
    isNumber: true,
    accepts: (value): value is number => typeof value === "number" && holds(value),
  };
}

/** How many: 1, 2, 3, … */
export const count: Rule<number> = number(
  "an integer of at least 1",
  (value) => Number.isSafeInteger(value) && value >= 1,
);

/** A length of time in ms, 0 included. */
export const duration: Rule<number> = number(
  "a finite number of milliseconds of at least 0",
  (value) => Number.isFinite(value) && value >= 0,
);

/** A length of time in ms that cannot be nothing. */
export const positiveDuration: Rule<number> = number(
  "a finite number of milliseconds above 0",
  (value) => Number.isFinite(value) && value > 0,
);

/** How old something may be, in ms: 0 to Infinity. */
export const age: Rule<number> = number(
  "a number of milliseconds of at least 0",
  (value) => value >= 0,
);

/** A time limit in ms that a timer keeps; Infinity for none. */
export const limit: Rule<number> = number(
  `a number of milliseconds above 0 and at most ${MAX_TIMER_MS}, or Infinity`,
  (value) => value > 0 && (value <= MAX_TIMER_MS || value === Infinity),
);

/** As {@link limit}, but may be over at once. */
export const patience: Rule<number> = number(
  `a number of milliseconds from 0 to ${MAX_TIMER_MS}, or Infinity`,
  (value) => value >= 0 && (value <= MAX_TIMER_MS || value === Infinity),
);

/** A share of a whole that is more than nothing. */
export const share: Rule<number> = number(
  "a number above 0 and at most 1",
  (value) => value > 0 && value <= 1,
);

/** A share of a whole, nothing included. */
export const fraction: Rule<number> = number(
  "a number from 0 to 1",
  (value) => value >= 0 && value <= 1,
);

/** A number by which something grows or stays. */
export const factor: Rule<number> = number(
  "a finite number of at least 1",
  (value) => Number.isFinite(value) && value >= 1,
);

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

/** Any object, arrays aside. */
export const object: Rule<object> = {
  mustBe: "an object",
  accepts: (value): value is object =>
    typeof value === "object" && value !== null && !Array.isArray(value),
};

/** One of the words given. */
export function oneOf<T extends string>(...words: readonly T[]): Rule<T> {
  return {
    mustBe: words.map((word) => `"${word}"`).join(" or "),
    accepts: (value): value is T => words.some((word) => word === value),
  };
}

/** Either `rule`, or not given at all. */
export function optional<T>(rule: Rule<T>): Rule<T | undefined> {
  return {
    mustBe: rule.mustBe,
    accepts: (value): value is T | undefined => value === undefined || rule.accepts(value),
  };
}

/**
 * Returns `value` if it obeys `rule`.
 *
 * @param purpose What cannot be done otherwise, after "Cannot".
 * @param option The name of the option, as the caller wrote it.
 * @throws {RangeError} If it is a number that breaks the rule.
 * @throws {TypeError} If it is anything else that breaks the rule.
 */
export function check<T>(purpose: string, option: string, value: unknown, rule: Rule<T>): T {
  if (rule.accepts(value)) return value;
  throw rule.isNumber && typeof value === "number"
    ? outOfRange(purpose, option, rule.mustBe, value)
    : invalidOption(purpose, option, rule.mustBe, value);
}

/**
 * Returns `options` if they are an object.
 *
 * @throws {TypeError} If they are not.
 */
export function checkOptions<T>(purpose: string, options: T): T {
  check(purpose, "options", options, object);
  return options;
}

/** The error for an option of the wrong kind. */
export function invalidOption(
  purpose: string,
  option: string,
  says: string,
  value: unknown,
): TypeError {
  return new TypeError(sentence(purpose, option, says, value));
}

/** The error for an option that is a number, but not one of those that it may be. */
export function outOfRange(
  purpose: string,
  option: string,
  says: string,
  value: unknown,
): RangeError {
  return new RangeError(sentence(purpose, option, says, value));
}

function sentence(purpose: string, option: string, says: string, value: unknown): string {
  return `Cannot ${purpose} as "${option}" must be ${says}: current value is ${shown(value)}`;
}

/** `value` in a few words, on one line. */
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
