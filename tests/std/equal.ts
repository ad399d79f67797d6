/**
 * Structural equality on fast-equals, which walks collections, bytes and cycles. Getters, -0, lists
 * like `Headers` and weak collections are handled here: no npm library judges them as `@std/assert`
 * does.
 */

import { createCustomEqual, type State } from "npm:fast-equals@6.2.2";

type Properties = Record<PropertyKey, unknown>;

/** Objects that can be read only later: no two of them are known to be equal. */
const LATER = [Promise, Blob, ReadableStream];

const sameMembers = createCustomEqual({
  circular: true,
  strictNullPrototypeComparison: false,
  createCustomConfig: ({ areArrayBuffersEqual, areMapsEqual, areSetsEqual }) => ({
    areArraysEqual: sameParts,
    areErrorsEqual: sameParts,
    areMapsEqual: (a, b, state) => areMapsEqual(a, b, state) && sameParts(a, b, state),
    areObjectsEqual: sameParts,
    areSetsEqual: (a, b, state) => areSetsEqual(a, b, state) && sameParts(a, b, state),
    areTypedArraysEqual: (a, b) =>
      a.length === b.length && a.every((item: unknown, i: number) => Object.is(item, b[i])),
    areUrlsEqual: (a, b) => a.href === b.href,
    getUnsupportedCustomComparator: (object) => {
      for (const weak of [WeakMap, WeakSet]) {
        if (object instanceof weak) throw new TypeError(`Cannot compare ${weak.name} instances`);
      }
      if (LATER.some((later) => object instanceof later)) return;
      if ("byteLength" in object) return areArrayBuffersEqual;
      return "deref" in object ? sameTarget : sameParts;
    },
  }),
  createInternalComparator: (compare) => (a, b, _keyA, _keyB, _parentA, _parentB, state) => {
    if (Object.is(a, b)) return true;
    if (!isObject(a) || !isObject(b)) return false;
    if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
    if (prototypeOf(a) !== prototypeOf(b)) return false;
    // fast-equals would mistake it for the class.
    if (Object.hasOwn(a, "constructor")) return sameParts(a as Properties, b as Properties, state);
    return compare(a, b, state);
  },
});

/**
 * Compares prototypes, own properties (a missing one is not undefined), getters, the members of
 * collections in any order, bytes, and cycles; functions by identity. Where std is lax (0 and -0,
 * holes at an array's end, boxed values, promises, `Headers`) this is strict: whatever passes here
 * passes there.
 *
 * @throws {TypeError} If two different objects are both a `WeakMap` or both a `WeakSet`.
 */
export function equal(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || sameMembers([a], [b]);
}

/** Compares own properties, getters' values, and iterated items in order. */
function sameParts(a: Properties, b: Properties, state: State<undefined>): boolean {
  const eq = (x: unknown, y: unknown) => state.equals(x, y, undefined, undefined, a, b, state);
  const keys = ownKeys(a);
  return keys.length === ownKeys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && eq(a[key], b[key])) &&
    gettersOf(a).every((key) => eq(a[key], b[key])) &&
    (!isList(a) || eq([...a], [...b as typeof a]));
}

function sameTarget(a: WeakRef<WeakKey>, b: typeof a, state: State<undefined>): boolean {
  return state.equals(a.deref(), b.deref(), undefined, undefined, a, b, state);
}

/** Returns all own keys; for a plain object or an array only the enumerable ones and `length`. */
function ownKeys(object: object): readonly PropertyKey[] {
  if (prototypeOf(object) !== Object.prototype && !Array.isArray(object)) {
    return Reflect.ownKeys(object);
  }
  return Reflect.ownKeys(object).filter((key) =>
    key === "length" || Object.prototype.propertyIsEnumerable.call(object, key)
  );
}

/** Returns the getters of an object's classes: some classes, like `URLPattern`, hide their data. */
function gettersOf(object: object): readonly PropertyKey[] {
  const prototype = prototypeOf(object);
  if (prototype === Object.prototype) return [];
  const getters = Reflect.ownKeys(prototype).filter((key) =>
    Object.getOwnPropertyDescriptor(prototype, key)?.get
  );
  return [...getters, ...gettersOf(prototype)];
}

/** Reports whether an object is a repeatable iterable other than an array, a map or a set. */
function isList(object: object): object is Iterable<unknown> {
  return Symbol.iterator in object && !("next" in object) &&
    ![Array, Map, Set].some((known) => object instanceof known);
}

/** Returns the prototype; an object without one counts as a plain object. */
function prototypeOf(object: object): object {
  return Object.getPrototypeOf(object) ?? Object.prototype;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
