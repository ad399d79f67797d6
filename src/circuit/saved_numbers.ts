/**
 * The numbers of a snapshot come from outside, and any may be absurd: those that pass here can be
 * reckoned with, and no sum or product of them is off (promise 15).
 *
 * @module
 */

/** The greatest distance from 1970 that a Date can hold, in ms. */
const MAX_TIME_MS = 8.64e15;

/** Far more than any circuit has seen of anything. */
const MAX_COUNT = 2 ** 31;

/** Reports whether `value` is a time, in ms. */
export function isTime(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= MAX_TIME_MS;
}

/** Reports whether `value` is a count: an integer of at least 0. */
export function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_COUNT;
}
