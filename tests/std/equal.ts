/** Two objects that are being compared. */
type Pair = readonly [object, object];

/** What can be read only later: no two of them are known to hold the same. */
const LATER = [Promise, Blob, ReadableStream];
/** A primitive value in the shape of an object. */
const BOXED = [Number, String, Boolean, BigInt, Symbol];

/**
 * Structural equality as `@std/assert` has it: prototypes, own properties (a missing one is not
 * undefined), getters, the members of collections in any order, bytes, and cycles; functions by
 * identity. Where std is lax (0 and -0, holes at an array's end, boxed values, promises, `Headers`)
 * this tells the difference: what passes here passes there.
 *
 * @throws {TypeError} If two different objects are both a `WeakMap` or both a `WeakSet`.
 */
export function equal(a: unknown, b: unknown): boolean {
  return same(a, b, []);
}

/** `outer`: the pairs around this one. Met again inside itself, a pair counts as equal. */
function same(a: unknown, b: unknown, outer: readonly Pair[]): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (prototypeOf(a) !== prototypeOf(b)) return false;
  if (outer.some(([x, y]) => x === a && y === b)) return true;

  const around: readonly Pair[] = [...outer, [a, b]];
  return sameContent(a, b, (x, y) => same(x, y, around));
}

/** Compares two different objects of one prototype. */
function sameContent(a: object, b: object, eq: (x: unknown, y: unknown) => boolean): boolean {
  for (const weak of [WeakMap, WeakSet]) {
    if (a instanceof weak) throw new TypeError(`Cannot compare ${weak.name} instances`);
  }
  if (is(a, LATER)) return false;
  if (is(a, BOXED) && !Object.is(a.valueOf(), b.valueOf())) return false;
  if (isWeakRef(a)) return eq(a.deref(), (b as typeof a).deref());
  if (isTypedArray(a)) return sameItems(a, b as typeof a, Object.is);
  if (isBuffer(a)) return sameItems(new Uint8Array(a), new Uint8Array(b as typeof a), Object.is);
  if (a instanceof Set && b instanceof Set) {
    // Only what is not in both needs a partner.
    if (!sameInAnyOrder(outside(a, b), outside(b, a), eq)) return false;
  } else if (isCollection(a) && isCollection(b)) {
    const sameMembers = a instanceof Map ? sameInAnyOrder : sameItems;
    if (!sameMembers([...a], [...b], eq)) return false;
  }
  return sameProperties(a as Properties, b as Properties, eq);
}

type Properties = Record<PropertyKey, unknown>;

function sameProperties(
  a: Properties,
  b: Properties,
  eq: (x: unknown, y: unknown) => boolean,
): boolean {
  const keys = ownKeys(a);
  return keys.length === ownKeys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && eq(a[key], b[key])) &&
    gettersOf(a).every((key) => eq(a[key], b[key]));
}

/** In any order, each with a partner of its own. */
function sameInAnyOrder(
  a: readonly unknown[],
  b: unknown[],
  eq: (x: unknown, y: unknown) => boolean,
): boolean {
  return a.length === b.length && a.every((member) => {
    const partner = b.findIndex((other) => eq(member, other));
    if (partner >= 0) b.splice(partner, 1);
    return partner >= 0;
  });
}

function outside(set: ReadonlySet<unknown>, other: ReadonlySet<unknown>): unknown[] {
  return [...set].filter((member) => !other.has(member));
}

function sameItems(
  a: ArrayLike<unknown>,
  b: ArrayLike<unknown>,
  eq: (x: unknown, y: unknown) => boolean,
): boolean {
  if (a.length !== b.length) return false;
  // Megabytes are compared, too.
  for (let i = 0; i < a.length; i++) if (!eq(a[i], b[i])) return false;
  return true;
}

/** All own keys; of a plain object or an array only those that a literal has, and `length`. */
function ownKeys(object: object): readonly PropertyKey[] {
  if (prototypeOf(object) !== Object.prototype && !Array.isArray(object)) {
    return Reflect.ownKeys(object);
  }
  return Reflect.ownKeys(object).filter((key) =>
    key === "length" || Object.prototype.propertyIsEnumerable.call(object, key)
  );
}

/** What its classes show of an object, though it is kept elsewhere, as in `URLPattern`. */
function gettersOf(object: object): readonly PropertyKey[] {
  const prototype = prototypeOf(object);
  if (prototype === Object.prototype) return [];
  const described = Object.getOwnPropertyDescriptors(prototype) as Record<
    PropertyKey,
    PropertyDescriptor
  >;
  const own = Reflect.ownKeys(described).filter((key) => described[key]?.get !== undefined);
  return [...own, ...gettersOf(prototype)];
}

/** Without one counts as a plain object. */
function prototypeOf(object: object): object {
  return Object.getPrototypeOf(object) ?? Object.prototype;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function is(object: object, kinds: readonly { readonly prototype: unknown }[]): boolean {
  return kinds.some(({ prototype }) => Object.prototype.isPrototypeOf.call(prototype, object));
}

/** Has members to go through more than once, and no index. */
function isCollection(object: object): object is Iterable<unknown> {
  return !Array.isArray(object) && Symbol.iterator in object && !("next" in object);
}

/** Workers with an older compatibility date have none. */
function isWeakRef(object: object): object is WeakRef<WeakKey> {
  return typeof WeakRef === "function" && object instanceof WeakRef;
}

function isTypedArray(object: object): object is ArrayLike<unknown> & object {
  return ArrayBuffer.isView(object) && !(object instanceof DataView);
}

function isBuffer(object: object): object is ArrayBufferLike {
  return object instanceof ArrayBuffer ||
    typeof SharedArrayBuffer === "function" && object instanceof SharedArrayBuffer;
}
