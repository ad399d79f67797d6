import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertIsError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertNotInstanceOf,
  assertNotMatch,
  assertNotStrictEquals,
  assertObjectMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  equal,
  fail,
  unimplemented,
  unreachable,
} from "./assert.ts";

/** A plain check, so that no assertion tests itself. */
function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Returns what `act` throws; undefined if nothing. */
function thrownBy(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Returns the message of the AssertionError that `act` throws; undefined if it throws nothing. */
function refusal(act: () => unknown): string | undefined {
  const error = thrownBy(act);
  check(error === undefined || error instanceof AssertionError, `Not a refusal: ${error}`);
  return (error as AssertionError | undefined)?.message;
}

async function rejection(promise: Promise<unknown>): Promise<string | undefined> {
  const error = await promise.then(() => undefined, (error) => error);
  return refusal(() => {
    if (error !== undefined) throw error;
  });
}

class Point {
  x = 1;
}
class Spot {
  x = 1;
}
class Hidden {
  readonly #value: number;
  constructor(value: number) {
    this.#value = value;
  }
  get value(): number {
    return this.#value;
  }
}
class Numbers extends Map<number, number> {}

function knot(value: unknown): unknown {
  const self: Record<string, unknown> = { value };
  self["self"] = self;
  return self;
}

function mapKnot(key: string): unknown {
  const self = new Map<string, unknown>();
  return self.set(key, self);
}

const mark = Symbol("mark");
const act = () => {};
const error = new Error("no");

/** Values that count as equal although made twice. */
const SAME: Readonly<Record<string, readonly [unknown, unknown]>> = {
  "NaN": [NaN, NaN],
  "objects whose keys are in another order": [{ a: 1, b: [2] }, { b: [2], a: 1 }],
  "an object without prototype": [{ a: 1 }, Object.assign(Object.create(null), { a: 1 })],
  "an object with a key named constructor": [{ constructor: { a: 1 } }, { constructor: { a: 1 } }],
  "objects of one class": [new Point(), new Point()],
  "what a getter shows": [new Hidden(1), new Hidden(1)],
  "symbol keys": [{ [mark]: 1 }, { [mark]: 1 }],
  "one function": [{ act }, { act }],
  "one error": [{ error }, { error }],
  "holes at one place": [Array(1).concat([1]), Array(1).concat([1])],
  "dates": [new Date(1), new Date(1)],
  "invalid dates": [new Date(NaN), new Date(NaN)],
  "regular expressions": [/a/g, /a/g],
  "URLs": [new URL("http://a.test/"), new URL("http://a.test")],
  "URL parameters": [new URLSearchParams("a=1"), new URLSearchParams({ a: "1" })],
  "headers": [new Headers({ a: "1" }), new Headers({ a: "1" })],
  "locales": [new Intl.Locale("en"), new Intl.Locale("en")],
  "boxed numbers": [new Number(1), new Number(1)],
  "sets in another order": [new Set([1, 2]), new Set([2, 1])],
  "sets of objects": [new Set([{ a: 1 }, { a: 2 }]), new Set([{ a: 2 }, { a: 1 }])],
  "sets of sets": [new Set([new Set([1]), 2]), new Set([2, new Set([1])])],
  "maps in another order": [new Map([[1, 2], [3, 4]]), new Map([[3, 4], [1, 2]])],
  "maps with objects for keys": [new Map([[{ a: 1 }, [2]]]), new Map([[{ a: 1 }, [2]]])],
  "typed arrays": [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  "NaN in a typed array": [new Float64Array([NaN]), new Float64Array([NaN])],
  "part of a buffer": [
    new Uint8Array([0, 1, 2]).subarray(1),
    new Uint8Array([1, 2]),
  ],
  "buffers": [new Uint8Array([1]).buffer, new Uint8Array([1]).buffer],
  "views": [new DataView(new ArrayBuffer(1)), new DataView(new ArrayBuffer(1))],
  "cycles": [knot(1), knot(1)],
  "cycles through maps": [mapKnot("a"), mapKnot("a")],
};

/** Pairs that count as different, however similar. */
const DIFFERENT: Readonly<Record<string, readonly [unknown, unknown]>> = {
  "0 and -0": [0, -0],
  "0 and -0 inside": [{ a: [0] }, { a: [-0] }],
  "0 and -0 in a typed array": [new Float32Array([0]), new Float32Array([-0])],
  "null and undefined": [null, undefined],
  "a number and its text": [1, "1"],
  "a number and its box": [1, new Number(1)],
  "bigint and number": [1n, 1],
  "symbols of one name": [Symbol("a"), Symbol("a")],
  "functions of one text": [() => 1, () => 1],
  "undefined and missing": [{ a: undefined }, {}],
  "undefined under different keys": [{ a: undefined }, { b: undefined }],
  "symbol keys with different values": [{ [mark]: 1 }, { [mark]: 2 }],
  "an array and an object": [[], {}],
  "an array and a longer one": [[1], [1, 2]],
  "an array in another order": [[1, 2], [2, 1]],
  "a hole and undefined": [Array(1), [undefined]],
  "a hole at the end and none": [[1].concat(Array(1)), [1]],
  "an array with a property and one without": [[1], Object.assign([1], { a: 1 })],
  "classes": [new Point(), new Spot()],
  "a class and a plain object": [new Point(), { x: 1 }],
  "a class and its subclass": [new Numbers([[1, 2]]), new Map([[1, 2]])],
  "what a getter shows": [new Hidden(1), new Hidden(2)],
  "dates": [new Date(1), new Date(2)],
  "a date and an invalid one": [new Date(0), new Date(NaN)],
  "flags of regular expressions": [/a/g, /a/],
  "URLs": [new URL("http://a.test/"), new URL("http://a.test/b")],
  "URL parameters": [new URLSearchParams("a=1"), new URLSearchParams("a=2")],
  "headers": [new Headers({ a: "1" }), new Headers({ a: "2" })],
  "locales": [new Intl.Locale("en"), new Intl.Locale("de")],
  "boxed numbers": [new Number(1), new Number(2)],
  "boxed texts": [new String("a"), new String("b")],
  "messages of errors": [new Error("a"), new Error("b")],
  "classes of errors": [new Error("a"), new TypeError("a")],
  "causes of errors": [new Error("a", { cause: 1 }), new Error("a", { cause: 2 })],
  "names of DOMExceptions": [
    new DOMException("a", "AbortError"),
    new DOMException("a", "DataError"),
  ],
  "sets": [new Set([1]), new Set([2])],
  "sets of other sizes": [new Set([1]), new Set([1, 2])],
  "sets of objects": [new Set([{ a: 1 }, { b: 2 }]), new Set([{ a: 1 }, { b: 3 }])],
  "sets with one object twice": [new Set([{ a: 1 }, { a: 1 }]), new Set([{ a: 1 }, { a: 2 }])],
  "sets of sets": [new Set([new Set([1])]), new Set([new Set([2])])],
  "a set and a map": [new Set(), new Map()],
  "values of maps": [new Map([[1, 2]]), new Map([[1, 3]])],
  "keys of maps": [new Map([[1, 2]]), new Map([[2, 2]])],
  "undefined and missing in maps": [new Map([[1, undefined]]), new Map([[2, undefined]])],
  "bytes": [new Uint8Array([1]), new Uint8Array([2])],
  "numbers of bytes": [new Uint8Array(1), new Uint8Array(2)],
  "kinds of typed arrays": [new Uint8Array([1]), new Int8Array([1])],
  "bytes in buffers": [new Uint8Array([1]).buffer, new Uint8Array([2]).buffer],
  "bytes under views": [
    new DataView(new Uint8Array([1]).buffer),
    new DataView(new Uint8Array([2]).buffer),
  ],
  "cycles": [knot(1), knot(2)],
  "cycles through maps": [mapKnot("a"), mapKnot("b")],
  "a cycle and its unrolled form's end": [knot(1), { value: 1, self: { value: 1, self: 1 } }],
  "promises": [Promise.resolve(1), Promise.resolve(1)],
  "a weak map and a weak set": [new WeakMap(), new WeakSet()],
};

for (const [name, [a, b]] of Object.entries(SAME)) {
  Deno.test(`equal() takes for the same: ${name}`, () => {
    check(equal(a, b) === true, "Told apart");
    check(equal(b, a) === true, "Told apart the other way round");
  });
}

for (const [name, [a, b]] of Object.entries(DIFFERENT)) {
  Deno.test(`equal() tells apart: ${name}`, () => {
    check(equal(a, b) === false, "Taken for the same");
    check(equal(b, a) === false, "Taken for the same the other way round");
  });
}

Deno.test("equal() forgets what it took for the same in order to end a cycle", () => {
  const [a, b] = [{ x: 1 }, { x: 2 }];

  const result = equal(new Set([[a, 1], [a, 2]]), new Set([[b, 1], [b, 2]]));

  check(result === false, "Taken for the same");
});

Deno.test("equal() cannot compare what is weak, unless it is one", () => {
  const weak = new WeakMap();

  check(thrownBy(() => equal(new WeakMap(), new WeakMap())) instanceof TypeError, "maps compared");
  check(thrownBy(() => equal(new WeakSet(), new WeakSet())) instanceof TypeError, "sets compared");
  check(equal(weak, weak), "differs from itself");
});

Deno.test("equal() compares what weak references refer to", () => {
  // Workers with an older compatibility date have no WeakRef.
  if (typeof WeakRef === "undefined") return;
  const [a, b, c] = [{ x: 1 }, { x: 1 }, { x: 2 }];

  check(equal(new WeakRef(a), new WeakRef(b)), "Told apart");
  check(!equal(new WeakRef(a), new WeakRef(c)), "Taken for the same");
});

/** A call that passes, one that fails, and words from its message. */
const CALLS: Readonly<Record<string, readonly [() => unknown, () => unknown, string]>> = {
  "assert()": [() => assert(1), () => assert(0), "current value is 0"],
  "assert() with a message": [() => assert("a", "why"), () => assert("", "why"), "why"],
  "assertFalse()": [() => assertFalse(""), () => assertFalse("a", "why"), "why"],
  "assertExists()": [() => assertExists(0), () => assertExists(null), "null"],
  "assertExists() given undefined": [
    () => assertExists(""),
    () => assertExists(undefined, "why"),
    ": why",
  ],
  "assertEquals()": [
    () => assertEquals({ a: [1] }, { a: [1] }),
    () => assertEquals({ a: 1, b: 2 }, { a: 1, b: 3 }, "why"),
    "Values are not equal: why\n\n    - actual\n    + expected\n" +
    "      {\n        a: 1,\n    -   b: 2,\n    +   b: 3,\n      }\n",
  ],
  "assertNotEquals()": [() => assertNotEquals([1], [2]), () => assertNotEquals([1], [1]), "[\n"],
  "assertStrictEquals()": [
    () => assertStrictEquals(NaN, NaN),
    () => assertStrictEquals([1], [1]),
    "same structure",
  ],
  "assertStrictEquals() given zeros": [
    () => assertStrictEquals(-0, -0),
    () => assertStrictEquals(0, -0),
    "+ -0",
  ],
  "assertNotStrictEquals()": [
    () => assertNotStrictEquals([1], [1]),
    () => assertNotStrictEquals(1, 1),
    "strictly equal to: 1",
  ],
  "assertAlmostEquals()": [
    () => assertAlmostEquals(0.1 + 0.2, 0.3),
    () => assertAlmostEquals(0.3001, 0.3),
    "0.3001",
  ],
  "assertAlmostEquals() with a tolerance": [
    () => assertAlmostEquals(1, 2, 1),
    () => assertAlmostEquals(1, 2, 0.9, "why"),
    ": why",
  ],
  "assertAlmostEquals() given NaN": [
    () => assertAlmostEquals(NaN, NaN),
    () => assertAlmostEquals(NaN, 1),
    "NaN",
  ],
  "assertAlmostEquals() given Infinity": [
    () => assertAlmostEquals(Infinity, Infinity),
    () => assertAlmostEquals(1, Infinity),
    "Infinity",
  ],
  "assertGreater()": [() => assertGreater(2, 1), () => assertGreater(1, 1), "1 > 1"],
  "assertGreaterOrEqual()": [
    () => assertGreaterOrEqual(1, 1),
    () => assertGreaterOrEqual(0, 1),
    "0 >= 1",
  ],
  "assertLess()": [() => assertLess(1, 2), () => assertLess(1, 1), "1 < 1"],
  "assertLessOrEqual()": [() => assertLessOrEqual(1, 1), () => assertLessOrEqual(2, 1), "2 <= 1"],
  "assertLess() given NaN": [() => assertLess(0, 1), () => assertLess(NaN, 1), "NaN < 1"],
  "assertMatch()": [() => assertMatch("abc", /b/), () => assertMatch("abc", /d/), "/d/"],
  "assertNotMatch()": [() => assertNotMatch("abc", /d/), () => assertNotMatch("abc", /b/), "/b/"],
  "assertStringIncludes()": [
    () => assertStringIncludes("abc", "bc"),
    () => assertStringIncludes("abc", "ac"),
    '"ac"',
  ],
  "assertArrayIncludes()": [
    () => assertArrayIncludes([{ a: 1 }, 2, 3], [3, { a: 1 }]),
    () => assertArrayIncludes([{ a: 1 }, 2], [2, { a: 3 }]),
    "a: 3",
  ],
  "assertInstanceOf()": [
    () => assertInstanceOf(new TypeError(), Error),
    () => assertInstanceOf(new Error(), TypeError),
    'of "TypeError" but was "Error"',
  ],
  "assertInstanceOf() given nothing": [
    () => assertInstanceOf([], Array),
    () => assertInstanceOf(null, Array),
    'but was "null"',
  ],
  "assertNotInstanceOf()": [
    () => assertNotInstanceOf(new Error(), TypeError),
    () => assertNotInstanceOf(new TypeError(), Error),
    '"Error"',
  ],
  "assertIsError()": [() => assertIsError(new Error()), () => assertIsError("no"), '"no"'],
  "assertIsError() with a class": [
    () => assertIsError(new TypeError("no"), TypeError, "n"),
    () => assertIsError(new Error("no"), TypeError),
    'was "Error"',
  ],
  "assertIsError() with words": [
    () => assertIsError(new Error("one two"), Error, "two"),
    () => assertIsError(new Error("one"), Error, "two", "why"),
    'include "two", but got "one": why',
  ],
  "assertIsError() with a pattern": [
    () => assertIsError(new Error("one"), undefined, /^o/),
    () => assertIsError(new Error("one"), undefined, /^n/),
    "/^n/",
  ],
  "assertThrows()": [
    () =>
      assertThrows(() => {
        throw "anything";
      }),
    () => assertThrows(() => 1, "why"),
    "Expected function to throw: why",
  ],
  "assertThrows() with a class": [
    () => assertThrows(() => new Array(-1), RangeError),
    () => assertThrows(() => new Array(-1), TypeError),
    'was "RangeError"',
  ],
  "assertThrows() with words": [
    () => assertThrows(() => new URL("http://["), TypeError, ""),
    () => assertThrows(() => new Array(-1), RangeError, "two"),
    '"two"',
  ],
  "assertThrows() given what is no error": [
    () => assertThrows(() => new Array(-1), Error),
    () =>
      assertThrows(() => {
        throw "anything";
      }, Error),
    '"anything"',
  ],
  "fail()": [() => 0, () => fail("why"), "Failed assertion: why"],
  "unreachable()": [() => 0, () => unreachable("why"), "Unreachable: why"],
  "unimplemented()": [() => 0, () => unimplemented("why"), "Unimplemented: why"],
};

for (const [name, [passes, fails, words]] of Object.entries(CALLS)) {
  Deno.test(`${name} passes what holds and refuses what does not`, () => {
    const passed = refusal(passes);
    const failed = refusal(fails);

    check(passed === undefined, `Refused: ${passed}`);
    check(failed !== undefined, "Passed");
    check(failed!.includes(words), `Does not say ${words}: ${failed}`);
  });
}

/** An object, and a part of it. */
const PARTS: Readonly<Record<string, readonly [object, object]>> = {
  "itself": [{ a: 1 }, { a: 1 }],
  "fewer keys": [{ a: 1, b: 2 }, { b: 2 }],
  "fewer keys further down": [{ a: { b: 1, c: 2 }, d: 3 }, { a: { c: 2 } }],
  "an array's beginning": [{ a: [{ b: 1, c: 2 }, 3] }, { a: [{ b: 1 }] }],
  "a class's fields": [{ a: new Point() }, { a: { x: 1 } }],
  "a date": [{ a: new Date(1) }, { a: new Date(1) }],
  "a map's entries": [{ a: new Map([[1, { b: 1, c: 2 }], [3, {}]]) }, {
    a: new Map([[1, { c: 2 }]]),
  }],
  "a set's members": [{ a: new Set([1, 2]) }, { a: new Set([2]) }],
  "symbol keys": [{ [mark]: { a: 1, b: 2 } }, { [mark]: { a: 1 } }],
  "cycles": [knot({ a: 1, b: 2 }) as object, knot({ a: 1 }) as object],
};

/** An object, and something that is not a part of it. */
const NO_PARTS: Readonly<Record<string, readonly [object, object]>> = {
  "another value": [{ a: 1 }, { a: 2 }],
  "another key": [{ a: 1 }, { b: 1 }],
  "undefined for missing": [{ a: 1 }, { b: undefined }],
  "more keys further down": [{ a: { b: 1 } }, { a: { b: 1, c: 2 } }],
  "more members of an array": [{ a: [1] }, { a: [1, 2] }],
  "an array's end": [{ a: [1, 2] }, { a: [2] }],
  "an object for a value": [{ a: 1 }, { a: {} }],
  "another date": [{ a: new Date(1) }, { a: new Date(2) }],
  "another pattern": [{ a: /a/ }, { a: /b/ }],
  "a map's entry with another value": [{ a: new Map([[1, 2]]) }, { a: new Map([[1, 3]]) }],
  "another set": [{ a: new Set([1]) }, { a: new Set([2]) }],
  "another cycle": [knot({ a: 1 }) as object, knot({ a: 2 }) as object],
};

for (const [name, [whole, part]] of Object.entries(PARTS)) {
  Deno.test(`assertObjectMatch() passes ${name}`, () => {
    const refused = refusal(() => assertObjectMatch(whole, part as Record<string, unknown>));

    check(refused === undefined, `Refused: ${refused}`);
  });
}

for (const [name, [whole, part]] of Object.entries(NO_PARTS)) {
  Deno.test(`assertObjectMatch() refuses ${name}`, () => {
    const refused = refusal(() => assertObjectMatch(whole, part as Record<string, unknown>, "why"));

    check(refused !== undefined, "Passed");
    check(refused!.startsWith("Values are not equal: why"), refused!);
  });
}

Deno.test("assertThrows() returns what was thrown", () => {
  const result = assertThrows(() => {
    throw error;
  }, Error);

  check(result === error, "Another one");
});

Deno.test("assertRejects() returns what it was rejected with", async () => {
  const result = await assertRejects(() => Promise.reject(error), Error, "no");

  check(result === error, "Another one");
});

Deno.test("assertRejects() passes any rejection when no class is given", async () => {
  const result = await assertRejects(() => Promise.reject("anything"));

  check(result === "anything", "Another one");
});

Deno.test("assertRejects() refuses a promise that is fulfilled", async () => {
  const refused = await rejection(assertRejects(() => Promise.resolve(1), "why"));

  check(refused === "Expected function to reject: why", `${refused}`);
});

Deno.test("assertRejects() refuses another class, other words, and what is no error", async () => {
  const byClass = await rejection(assertRejects(() => Promise.reject(error), TypeError));
  const byWords = await rejection(assertRejects(() => Promise.reject(error), Error, "yes", "why"));
  const byKind = await rejection(assertRejects(() => Promise.reject("anything"), Error));

  check(byClass?.includes('"TypeError", but was "Error"') === true, `${byClass}`);
  check(byWords?.includes('include "yes", but got "no": why') === true, `${byWords}`);
  check(byKind?.includes('"anything"') === true, `${byKind}`);
});

Deno.test("assertRejects() refuses a function that throws or returns no promise", async () => {
  const throwing = await rejection(assertRejects(() => {
    throw error;
  }));
  const returning = await rejection(assertRejects(() => null as unknown as Promise<null>));

  check(throwing?.startsWith("Function throws when expected to reject") === true, `${throwing}`);
  check(returning?.startsWith("Function returns no promise") === true, `${returning}`);
});

Deno.test("AssertionError is an error with a name and a cause", () => {
  const made = new AssertionError("no", { cause: error });

  check(made instanceof Error && made.name === "AssertionError", made.name);
  check(made.message === "no" && made.cause === error, made.message);
});

Deno.test("assertEquals() says so when what differs cannot be shown", () => {
  const refused = refusal(() => assertEquals(Symbol.iterator, Symbol("Symbol.iterator")));

  check(refused?.includes("They differ in what cannot be shown") === true, `${refused}`);
});
