/**
 * Stands in for `@std/assert` where JSR is out of reach: with the same names, arguments and
 * verdicts, which no npm library has. Anything longer than a line uses npm: see equal.ts and
 * format.ts.
 */

import { equal } from "./equal.ts";
import { difference, format } from "./format.ts";

export { equal };

/** A class, for `instanceof`. */
// deno-lint-ignore no-explicit-any
type Class<T> = abstract new (...args: any[]) => T;

/** Values that count as false in an `if`. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

/** Thrown when an assertion does not hold. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Throws an error about `what`, followed by the author's message if there is one. */
function refuse(what: string, msg?: string, detail = ""): never {
  throw new AssertionError(`${what}${msg ? `: ${msg}` : "."}${detail && `\n\n${detail}\n`}`);
}

export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg || `Expected a truthy value: current value is ${expr}`);
}

export function assertFalse(expr: unknown, msg = ""): asserts expr is Falsy {
  if (expr) {
    throw new AssertionError(msg || `Expected a falsy value: current value is ${format(expr)}`);
  }
}

export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    refuse(`Expected actual: "${actual}" to not be null or undefined`, msg);
  }
}

export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) refuse("Values are not equal", msg, difference(actual, expected));
}

export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) refuse(`Expected actual not to equal: ${format(expected)}`, msg);
}

export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  if (format(actual) === format(expected)) {
    refuse("Values have the same structure but are not reference-equal", msg, format(actual));
  }
  refuse("Values are not strictly equal", msg, difference(actual, expected));
}

export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void {
  if (Object.is(actual, expected)) {
    refuse(`Expected "actual" to not be strictly equal to: ${format(actual)}`, msg);
  }
}

export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance: number = Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7,
  msg?: string,
): void {
  if (Object.is(actual, expected) || Math.abs(expected - actual) <= tolerance) return;
  refuse(`Expected actual: "${actual}" to be within ${tolerance} of "${expected}"`, msg);
}

export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual > expected)) refuse(`Expected ${format(actual)} > ${format(expected)}`, msg);
}

export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual >= expected)) refuse(`Expected ${format(actual)} >= ${format(expected)}`, msg);
}

export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual < expected)) refuse(`Expected ${format(actual)} < ${format(expected)}`, msg);
}

export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual <= expected)) refuse(`Expected ${format(actual)} <= ${format(expected)}`, msg);
}

export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (!expected.test(actual)) refuse(`Expected actual: "${actual}" to match: "${expected}"`, msg);
}

export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void {
  if (expected.test(actual)) {
    refuse(`Expected actual: "${actual}" to not match: "${expected}"`, msg);
  }
}

export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) {
    refuse(`Expected actual: "${actual}" to contain: "${expected}"`, msg);
  }
}

export function assertArrayIncludes<T>(
  actual: ArrayLike<T> & object,
  expected: ArrayLike<T> & object,
  msg?: string,
): void {
  const given = Array.from(actual);
  const missing = Array.from(expected).filter((item) => !given.some((other) => equal(item, other)));
  if (missing.length > 0) {
    refuse(`Expected actual: ${format(actual)} to include: ${format(missing)}`, msg);
  }
}

/** Holds if `expected` is a part of `actual`, at every depth; the rest of `actual` may be anything. */
export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  assertEquals(part(actual, expected, []), part(expected, expected, []), msg);
}

type Loose = Record<PropertyKey, unknown>;
/** A part that is taken or being taken, with the object it is from and the one it is for. */
type Taken = readonly [whole: object, by: object, part: unknown];

/** Takes from `actual` only what `expected` has. `taken` keeps cycles from going on forever. */
function part(actual: unknown, expected: unknown, taken: Taken[]): unknown {
  if (!hasParts(actual) || !hasParts(expected)) return actual;
  const known = taken.find(([whole, by]) => whole === actual && by === expected);
  if (known) return known[2];
  const keep = <T>(part: T): T => {
    taken.push([actual, expected, part]);
    return part;
  };

  if (actual instanceof Set && expected instanceof Set) {
    return keep(new Set([...actual].filter((member) => expected.has(member))));
  }
  if (actual instanceof Map && expected instanceof Map) {
    const map = keep(new Map());
    for (const [key, value] of actual) {
      if (expected.has(key)) map.set(key, part(value, expected.get(key), taken));
    }
    return map;
  }
  const result = keep(Array.isArray(actual) && Array.isArray(expected) ? [] : {});
  for (const key of Reflect.ownKeys(expected)) {
    if (!Object.hasOwn(actual, key) || key === "length" && Array.isArray(result)) continue;
    const value = part((actual as Loose)[key], (expected as Loose)[key], taken);
    Object.defineProperty(result, key, { value, enumerable: true });
  }
  return result;
}

function hasParts(value: unknown): value is object {
  return typeof value === "object" && value !== null &&
    !(value instanceof Date) && !(value instanceof RegExp);
}

export function assertInstanceOf<T extends Class<unknown>>(
  actual: unknown,
  expectedType: T,
  msg = "",
): asserts actual is InstanceType<T> {
  if (actual instanceof expectedType) return;
  const was = actual === null || actual === undefined
    ? String(actual)
    : (typeof actual === "object" && actual.constructor?.name) || typeof actual;
  refuse(`Expected object to be an instance of "${expectedType.name}" but was "${was}"`, msg);
}

export function assertNotInstanceOf<A, T>(
  actual: A,
  unexpectedType: Class<T>,
  msg?: string,
): asserts actual is Exclude<A, T> {
  if (actual instanceof unexpectedType) {
    refuse(`Expected object to not be an instance of "${unexpectedType.name}"`, msg);
  }
}

export function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: Class<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  // On edge-runtime a DOMException is not an Error of this realm.
  if (!(error instanceof Error) && !(ErrorClass && error instanceof ErrorClass)) {
    refuse(`Expected "error" to be an Error object: current value is ${format(error)}`, msg);
  }
  if (ErrorClass && !(error instanceof ErrorClass)) {
    const was = error.constructor.name;
    refuse(
      `Expected error to be instance of "${ErrorClass.name}", but was "${was}"`,
      msg,
      error.stack,
    );
  }
  const matches = typeof msgMatches === "string"
    ? error.message.includes(msgMatches)
    : msgMatches?.test(error.message) ?? true;
  if (!matches) {
    const wanted = typeof msgMatches === "string" ? JSON.stringify(msgMatches) : msgMatches;
    refuse(
      `Expected error message to include ${wanted}, but got ${JSON.stringify(error.message)}`,
      msg,
    );
  }
}

export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error>(
  fn: () => unknown,
  ErrorClassOrMsg?: Class<E> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const wanted = readWanted(ErrorClassOrMsg, msgIncludes, msg);
  try {
    fn();
  } catch (error) {
    return wanted.check(error);
  }
  refuse("Expected function to throw", wanted.msg);
}

export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClassOrMsg?: Class<E> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const wanted = readWanted(ErrorClassOrMsg, msgIncludes, msg);
  const promise = called(fn, wanted.msg);
  try {
    await promise;
  } catch (error) {
    return wanted.check(error);
  }
  refuse("Expected function to reject", wanted.msg);
}

/** Calls `fn`, which must return a promise: throwing is not rejecting. */
function called(fn: () => PromiseLike<unknown>, msg?: string): PromiseLike<unknown> {
  let result: unknown;
  try {
    result = fn();
  } catch (error) {
    refuse(`Function throws when expected to reject: ${format(error)}`, msg);
  }
  if (typeof result === "object" && result !== null && "then" in result) {
    return result as PromiseLike<unknown>;
  }
  refuse(`Function returns no promise when expected to reject: ${format(result)}`, msg);
}

/** Reads the two forms of arguments that assertThrows and assertRejects share. */
function readWanted<E extends Error>(
  ErrorClassOrMsg: Class<E> | string | undefined,
  msgIncludes: string | undefined,
  msg: string | undefined,
): { msg: string | undefined; check(error: unknown): unknown } {
  if (typeof ErrorClassOrMsg !== "function") {
    return { msg: ErrorClassOrMsg ?? msg, check: (error) => error };
  }
  return {
    msg,
    check: (error) => {
      assertIsError(error, ErrorClassOrMsg, msgIncludes, msg);
      return error;
    },
  };
}

export function fail(msg?: string): never {
  refuse("Failed assertion", msg);
}

export function unreachable(msg?: string): never {
  refuse("Unreachable", msg);
}

export function unimplemented(msg?: string): never {
  refuse("Unimplemented", msg);
}
