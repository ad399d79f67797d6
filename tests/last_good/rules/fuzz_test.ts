import { assert, assertEquals } from "@std/assert";
import type { RequestHead } from "../../../src/last_good/request_head.ts";
import {
  forbiddingWords,
  isOneTag,
  isSameTag,
  isStrong,
  matchesEtag,
  mediaType,
  parseCacheControl,
  parseLength,
  parseVary,
} from "../../../src/http/fields.ts";
import { parseDate, parseRetryAfter, parseSeconds } from "../../../src/http/dates.ts";
import { codingsOf } from "../../../src/http/coding.ts";
import { freshness } from "../../../src/last_good/rules/freshness.ts";
import { exchange } from "../../../src/last_good/rules/exchange.ts";
import { keepRefusal } from "../../../src/last_good/rules/storable.ts";
import { fieldsLike } from "../../stage/fields.ts";
import { seeded } from "../../stage/random.ts";

const ROUNDS = 100_000;

/** The pieces of random values: meaningful words, and separators that may split them. */
const PIECES = [
  "no-store",
  "private",
  "no-cache",
  "public",
  "max-age",
  "s-maxage",
  "must-revalidate",
  "stale-if-error",
  "Private",
  "NO-STORE",
  "x",
  "*",
  "cookie",
  "accept",
  "0",
  "60",
  "99999999999999999999",
  "-1",
  "1.5",
  "Thu, 01 Jan 2026 00:00:00 GMT",
  "=",
  "=",
  ",",
  ",",
  ", ",
  '"',
  '"',
  "\\",
  " ",
  "\t",
  ";",
  "\u00e9",
  "\u0000",
  "\u2028",
  "W/",
];

function valueFrom(next: () => number): string {
  let value = "";
  for (let n = Math.floor(next() * 12); n > 0; n--) {
    value += PIECES[Math.floor(next() * PIECES.length)];
  }
  return value;
}

/**
 * Reads a list of directives character by character, as RFC 9110 §5.6.1 and RFC 9111 §5.2 define
 * it. Returns the names in it, or undefined if it is malformed.
 */
function namesIn(value: string): string[] | undefined {
  const isToken = (letter: string) => /[A-Za-z0-9!#$%&'*+.^_`|~-]/.test(letter);
  const names: string[] = [];
  let at = 0;
  const skip = (holds: (letter: string) => boolean) => {
    const start = at;
    while (at < value.length && holds(value[at] ?? "")) at++;
    return value.slice(start, at);
  };
  const isBlank = (letter: string) => letter === " " || letter === "\t";
  for (;;) {
    skip((letter) => isBlank(letter) || letter === ",");
    if (at === value.length) return names;
    const name = skip(isToken);
    if (name === "") return undefined;
    if (value[at] === "=") {
      at++;
      if (value[at] === '"') {
        at++;
        while (at < value.length && value[at] !== '"') at += value[at] === "\\" ? 2 : 1;
        if (value[at++] !== '"') return undefined;
      } else if (skip(isToken) === "") return undefined;
    }
    names.push(name.toLowerCase());
    skip(isBlank);
    if (at < value.length && value[at] !== ",") return undefined;
  }
}

Deno.test(`fuzz: no parser throws on ${ROUNDS} random values`, () => {
  const next = seeded(1);
  for (let n = 0; n < ROUNDS; n++) {
    const value = valueFrom(next);

    for (const directive of parseCacheControl(value) ?? []) assertEquals(directive.length, 2);
    assert((parseVary(value) ?? []).every((name) => name === name.toLowerCase() && name !== "*"));
    assert((parseSeconds(value) ?? 0) >= 0);
    assert((parseLength(value) ?? 0) >= 0);
    assert(!Number.isNaN(parseDate(value, 0)));
    assert((parseRetryAfter(value, 0) ?? 0) >= 0);
    assertEquals(typeof matchesEtag(value, '"x"'), "boolean");
    assertEquals(typeof isStrong(value), "boolean");
    assert(!isOneTag(value) || matchesEtag(value, value.trim()));
    assert(isSameTag(value, value.trim()));
    assert([...forbiddingWords(value).keys()].every((word) => value.toLowerCase().includes(word)));
    assertEquals(typeof mediaType(value), "string");
    assert(!codingsOf(value).includes(""));
  }
});

Deno.test("fuzz: exactly the well-formed lists of directives are read", () => {
  const next = seeded(2);
  for (let n = 0; n < ROUNDS; n++) {
    const value = valueFrom(next);
    const names = namesIn(value);

    const parsed = parseCacheControl(value);

    // The parser may also refuse well-formed lists that contradict themselves.
    if (names === undefined) assertEquals(parsed, undefined, JSON.stringify(value));
    if (parsed !== undefined) assertEquals(new Set(parsed.keys()), new Set(names), value);
    if (names !== undefined && new Set(names).size === names.length) {
      assert(parsed !== undefined, JSON.stringify(value));
    }
  }
});

/** Splits a value at everything that cannot be part of a word. */
function wordsIn(value: string): string[] {
  return value.toLowerCase().split(/[^a-z0-9_-]+/);
}

Deno.test("fuzz: a malformed list of directives counts as each word against keeping in it (S16, S17)", () => {
  const next = seeded(4);
  const counts = { goes: 0, stays: 0 };
  for (let n = 0; n < ROUNDS; n++) {
    const value = valueFrom(next);
    if (namesIn(value) !== undefined) continue;
    const ask = { method: "GET", headers: fieldsLike({}) } as Partial<RequestHead> as RequestHead;
    const headers = fieldsLike({ "cache-control": value });
    const response = { status: 200, type: "basic", headers } as Response;

    const found = keepRefusal(exchange(ask, response, false, POLICY));

    const word = ["no-store", "private", "no-cache"].find((it) => wordsIn(value).includes(it));
    const [why, old] = word === undefined
      ? ["malformed", "stays"] as const
      : [word, "goes"] as const;
    assertEquals(found, { why, old } as typeof found, JSON.stringify(value));
    counts[old]++;
  }
  assert(Math.min(...Object.values(counts)) > ROUNDS / 20);
});

const POLICY = { statuses: new Set([200]), ignore: new Set<string>() };

Deno.test("fuzz: nothing doubtful is kept", () => {
  const next = seeded(3);
  let kept = 0;
  for (let n = 0; n < ROUNDS; n++) {
    const maybe = (name: string, share: number) =>
      next() < share ? { [name]: valueFrom(next) } : {};
    const fields: Record<string, string> = {
      ...maybe("cache-control", 0.9),
      ...maybe("vary", 0.2),
      ...maybe("age", 0.1),
      ...maybe("date", 0.1),
      ...maybe("expires", 0.3),
      ...maybe("content-type", 0.3),
    };
    const request = { ...maybe("cache-control", 0.2), ...maybe("authorization", 0.2) };
    const ask = { method: "GET", headers: fieldsLike(request) } as Partial<
      RequestHead
    > as RequestHead;
    const response = { status: 200, type: "basic", headers: fieldsLike(fields) } as Response;

    const seen = exchange(ask, response, false, POLICY);
    const found = keepRefusal(seen);

    if (found !== undefined) continue;
    kept++;
    const shown = JSON.stringify([request, fields]);
    const names = namesIn(fields["cache-control"] ?? "");
    assert(names !== undefined, shown);
    for (const name of ["no-store", "private", "no-cache"]) assert(!names.includes(name), shown);
    assert(!namesIn(request["cache-control"] ?? "")?.includes("no-store"), shown);
    assert(!(fields["vary"] ?? "").split(",").some((name) => name.trim() === "*"), shown);
    assert(/^\d*$/.test(fields["age"] ?? ""), shown);
    const isPublic = ["public", "s-maxage", "must-revalidate"].some((name) => names.includes(name));
    assert(!("authorization" in request) || isPublic, shown);
    const { lifetimeMs = 0, staleIfErrorMs = 0 } = freshness(seen, 0);
    assert(lifetimeMs >= 0 && staleIfErrorMs >= 0, shown);
  }
  assert(kept > ROUNDS / 20, `only ${kept} were kept: the values are too wild`);
});

/** Values of 8 KiB that slow down careless parsers. */
const LONG = [
  " ",
  ",",
  "\t",
  '"',
  "\\",
  "=",
  "a",
  "a,",
  "a=",
  'a="',
  'a="\\',
  "a ",
  " a",
  'W/"',
  ";",
]
  .flatMap((piece) => [
    piece.repeat(8_192 / piece.length),
    `private=${piece.repeat(8_192 / piece.length)}x`,
    `"${piece.repeat(8_192 / piece.length)}`,
  ]);

Deno.test("fuzz: no parser throws on the longest values", () => {
  for (const value of LONG) {
    const parsed = parseCacheControl(value);

    assertEquals(parsed === undefined, namesIn(value) === undefined, value.slice(0, 40));
    forbiddingWords(value);
    isOneTag(value);
    isSameTag(value, value);
    parseVary(value);
    parseDate(value, 0);
    parseRetryAfter(value, 0);
    matchesEtag(value, '"x"');
    codingsOf(value);
  }
});

/** The fields that the rules read. */
const READ = [
  "cache-control",
  "cdn-cache-control",
  "surrogate-control",
  "pragma",
  "vary",
  "age",
  "date",
  "expires",
  "content-type",
  "access-control-allow-origin",
];

for (const name of READ) {
  Deno.test(`fuzz: all rules together take less than 1 ms for 8 KiB of ${name}`, () => {
    const slow = LONG.map((value) => [msFor({ [name]: value }), value.slice(0, 40)] as const)
      .filter(([ms]) => ms > 1);

    assertEquals(slow, []);
  });
}

/** The shortest of several times, in ms: other work on the machine only adds to it. */
function msFor(fields: Record<string, string>): number {
  const headers = fieldsLike(fields);
  const ask = { method: "GET", headers } as Partial<RequestHead> as RequestHead;
  const response = { status: 200, type: "basic", headers } as Response;
  let shortest = Infinity;
  for (let n = 0; n < 20; n++) {
    const start = performance.now();
    const seen = exchange(ask, response, false, POLICY);
    keepRefusal(seen);
    freshness(seen, 0);
    shortest = Math.min(shortest, performance.now() - start);
  }
  return shortest;
}
