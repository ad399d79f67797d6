import { assertEquals } from "@std/assert";
import {
  isStrong,
  matchesEtag,
  mediaType,
  parseCacheControl,
  parseLength,
  parseVary,
} from "../../src/http/fields.ts";
import { parseDate, parseRetryAfter, parseSeconds } from "../../src/http/dates.ts";

const NOW = Date.UTC(2026, 0, 1);

const DIRECTIVES: readonly (readonly [string | null, Record<string, string> | undefined])[] = [
  [null, {}],
  ["", {}],
  [" ,\t, ", {}],
  ["public", { public: "" }],
  ['public=""', { public: '""' }],
  ["public=1", { public: "1" }],
  ["Max-Age=60 , PUBLIC,", { "max-age": "60", public: "" }],
  ['private="set-cookie, x"', { private: "set-cookie, x" }],
  ['x="a\\"b\\\\c"', { x: 'a"b\\c' }],
  ['max-age="60"', { "max-age": "60" }],
  ["max-age=1, max-age=1", { "max-age": "1" }],
  ['private="x", private', { private: "" }],
  ["no-cache=x, No-Cache", { "no-cache": "" }],
  ["no-store=1, no-store", { "no-store": "" }],
  ["max-age=1, max-age=2", undefined],
  ["max-age = 1", undefined],
  ["max-age=", undefined],
  ["a b", undefined],
  ['x="', undefined],
  ['x="\\"', undefined],
  ['x="a"b', undefined],
  ["=x", undefined],
  ["a;b", undefined],
  ["\u00e9", undefined],
  [`x=${"1".repeat(20_000)}`, undefined],
];

for (const [value, expected] of DIRECTIVES) {
  const shown = JSON.stringify(value)?.slice(0, 40);
  Deno.test(`S16: Cache-Control ${shown} is read as ${JSON.stringify(expected)}`, () => {
    const parsed = parseCacheControl(value);

    assertEquals(parsed && Object.fromEntries(parsed), expected);
  });
}

const VARY: readonly (readonly [string | null, readonly string[] | undefined])[] = [
  [null, []],
  ["", []],
  [" , ", []],
  ["B, a,b", ["a", "b"]],
  ["*", undefined],
  ["a, *", undefined],
  ["a b", undefined],
  ["a:b", undefined],
  ["a, ".repeat(6_000), undefined],
];

for (const [value, expected] of VARY) {
  Deno.test(`K2: Vary ${JSON.stringify(value)?.slice(0, 40)} is read as ${expected}`, () => {
    assertEquals(parseVary(value), expected);
  });
}

Deno.test("S16: seconds are digits only, and bounded", () => {
  assertEquals(["0", "60", "007", "9".repeat(30)].map(parseSeconds), [0, 60, 7, 2_147_483_648]);
  for (const value of ["", "-1", "+1", "1.0", "1e3", " 1", "1 ", "\u0661", "0x1", "9".repeat(65)]) {
    assertEquals(parseSeconds(value), undefined, value);
  }
});

Deno.test("S12: a length is digits only", () => {
  assertEquals(["0", "5"].map(parseLength), [0, 5]);
  for (const value of ["", "-5", "5, 5", "5.0", "9".repeat(16)]) {
    assertEquals(parseLength(value), undefined, value);
  }
});

const DATES: readonly (readonly [string, number | undefined])[] = [
  ["Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777_000],
  ["Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777_000],
  ["Sun Nov  6 08:49:37 1994", 784_111_777_000],
  ["Friday, 06-Nov-75 08:49:37 GMT", Date.UTC(2075, 10, 6, 8, 49, 37)],
  ["Friday, 06-Nov-77 08:49:37 GMT", Date.UTC(1977, 10, 6, 8, 49, 37)],
  ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
  ["Thu, 29 Feb 2024 00:00:00 GMT", Date.UTC(2024, 1, 29)],
  ["Sat, 31 Dec 2016 23:59:60 GMT", Date.UTC(2017, 0, 1)],
  ["Wed, 29 Feb 2023 00:00:00 GMT", undefined],
  ["Sun, 06 Nov 1994 24:00:00 GMT", undefined],
  ["Sun, 00 Nov 1994 08:49:37 GMT", undefined],
  ["Sun, 06 Nov 0094 08:49:37 GMT", undefined],
  ["Sun, 06 Nov 1994 08:60:00 GMT", undefined],
  ["Sun, 6 Nov 1994 08:49:37 GMT", undefined],
  ["Sun, 06 Nov 1994 08:49:37 UTC", undefined],
  ["Sun, 06 Nov 1994 08:49:37", undefined],
  ["sun, 06 nov 1994 08:49:37 gmt", undefined],
  ["1994-11-06T08:49:37Z", undefined],
  ["0", undefined],
  ["", undefined],
];

for (const [value, expected] of DATES) {
  Deno.test(`S16: Date ${JSON.stringify(value)} is read as ${expected}`, () => {
    assertEquals(parseDate(value, NOW), expected);
  });
}

Deno.test("26: Retry-After is seconds or a date, and junk is ignored", () => {
  assertEquals(parseRetryAfter("5", NOW), 5_000);
  assertEquals(parseRetryAfter(" 5 ", NOW), 5_000);
  assertEquals(parseRetryAfter("Thu, 01 Jan 2026 00:00:07 GMT", NOW), 7_000);
  assertEquals(parseRetryAfter("Wed, 31 Dec 2025 00:00:00 GMT", NOW), 0);
  for (const value of [null, "", "-1", "1.5", "soon", "5, 5", "Infinity"]) {
    assertEquals(parseRetryAfter(value, NOW), undefined, String(value));
  }
});

Deno.test("F5: entity tags are compared weakly, against a list", () => {
  for (const field of ['"a"', 'W/"a"', '"b", "a"', '"b",W/"a"', ' "a" ']) {
    assertEquals(matchesEtag(field, '"a"'), true, field);
    assertEquals(matchesEtag(field, 'W/"a"'), true, field);
  }
  for (const field of ["a", '"A"', '"b"', "", '"b, a"', "'a'"]) {
    assertEquals(matchesEtag(field, '"a"'), false, field);
  }
});

Deno.test("a strong entity tag has quotes and no W/", () => {
  assertEquals(['"a"', '""', 'W/"a"', "a", '"a"b"', ""].map(isStrong), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

Deno.test("S13: a media type is returned without parameters, in lower case", () => {
  assertEquals([null, "", "Text/HTML ; charset=x", " a/b"].map(mediaType), [
    "",
    "",
    "text/html",
    "a/b",
  ]);
});
