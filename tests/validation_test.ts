import { assertEquals, assertThrows } from "@std/assert";
import {
  age,
  callback,
  check,
  count,
  duration,
  factor,
  fraction,
  invalidOption,
  limit,
  object,
  oneOf,
  optional,
  patience,
  positiveDuration,
  type Rule,
  share,
  text,
} from "../src/validation.ts";

const MAX = 2_147_483_647;

/** For each rule, values that obey it and values that just miss it. */
const RULES: Record<string, [rule: Rule<unknown>, obey: unknown[], break_: unknown[]]> = {
  count: [count, [1, 2, Number.MAX_SAFE_INTEGER], [0, -1, 1.5, "1", Infinity, 2 ** 53]],
  duration: [duration, [0, 0.5, 8.64e15], [-1, 8.65e15, Infinity]],
  positiveDuration: [positiveDuration, [Number.MIN_VALUE, 1, 8.64e15], [
    0,
    -0,
    -1,
    1e300,
    Infinity,
  ]],
  age: [age, [0, 1, Infinity], [-1, -Infinity]],
  limit: [limit, [0.1, MAX, Infinity], [0, -1, MAX + 1, -Infinity]],
  patience: [patience, [0, MAX, Infinity], [-1, MAX + 1]],
  share: [share, [Number.MIN_VALUE, 0.5, 1], [0, -0.1, 1.01, Infinity]],
  fraction: [fraction, [0, 0.5, 1], [-0.1, 1.01, Infinity]],
  factor: [factor, [1, 1.5, 1e9], [0, 0.99, -2, Infinity]],
  text: [text, ["", "x"], [0, new String("x")]],
  callback: [callback, [() => {}, class {}], [{}, "f"]],
  object: [object, [{}, new Map()], [[], () => {}, "x"]],
  oneOf: [oneOf("a", "b"), ["a", "b"], ["", "c", "A", ["a"]]],
};

for (const [name, [rule, obeying, breaking]] of Object.entries(RULES)) {
  Deno.test(`18: rule ${name} accepts what obeys it, up to the very edge`, () => {
    for (const value of obeying) assertEquals(rule.accepts(value), true, String(value));
    for (const value of [...breaking, NaN, null, undefined, true, 1n, Symbol("x")]) {
      assertEquals(rule.accepts(value), false, String(value));
    }
  });
}

Deno.test("18: optional adds undefined to what a rule accepts, and nothing else", () => {
  const rule = optional(count);

  const held = [undefined, 1, null, 0, "1"].map((value) => rule.accepts(value));

  assertEquals([held, rule.mustBe], [[true, true, false, false, false], count.mustBe]);
});

Deno.test("18: check returns a value that obeys the rule", () => {
  assertEquals(check("do it", "n", 3, count), 3);
});

Deno.test("18: a bad number is a RangeError, anything else a TypeError", () => {
  assertThrows(() => check("do it", "n", NaN, count), RangeError, "current value is NaN");
  assertThrows(() => check("do it", "n", "3", count), TypeError, 'current value is "3"');
});

Deno.test("18: an error names purpose, option, rule and value on one line", () => {
  const shown: [unknown, string][] = [
    [-1, "-1"],
    [null, "null"],
    [undefined, "undefined"],
    ["a\nb", '"a\\nb"'],
    [[1], "an array"],
    [{}, "an object"],
    [() => {}, "a function"],
    [Symbol("x"), "Symbol(x)"],
    [5n, "5"],
    [true, "true"],
  ];
  for (const [value, words] of shown) {
    const { message } = invalidOption("do it", "option", "a rule", value);

    assertEquals(message, `Cannot do it as "option" must be a rule: current value is ${words}`);
  }
});
