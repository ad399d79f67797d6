import { assertEquals } from "@std/assert";
import { addressOf } from "../../src/last_good/address.ts";

/** Parts from which URLs are made that a parser changes, refuses, or leaves as they are. */
const SCHEMES = ["http://", "https://", "HTTP://", "https:/", "http:\\\\", "ftp://"];
const LABELS = [
  ..."a b-c x1 1x 127 0 0x7f 0X7F 1e3 xn--a xn--bcher-kva a--b -a a- A ä %61 _ a_b".split(" "),
  "",
];
const PORTS = ["", "", "", ":", ":80", ":443", ":8080", ":08", ":1", ":65535", ":99999", ":80a"];
const SEGMENTS = [
  ..."a A.b a. .a . .. ... %2e %2E. a%20b a|b a^b a[b] a'b a\"b a`b a{b} a\\b a@b a:b a;b=c ~ _ é"
    .split(
      " ",
    ),
  "",
  "a b",
  "a\tb",
  "\0",
];
const QUERIES = [
  "",
  "",
  "?",
  "?a=b&c",
  "?a=%zz",
  "?a='b'",
  '?"',
  "?a/../b",
  "?a?b",
  "?é",
  "?a b",
  "#",
  "#a",
  "?a#b",
];

/** Numbers that look random and are the same in each run. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor(state / 2_147_483_648 * below);
  };
}

/** Makes URLs of plain parts, of which one kind may be odd, or all. */
function* urls(count: number): Iterable<string> {
  const below = numbersFrom(7);
  for (let left = count; left > 0; left--) {
    const odd = below(6);
    const one = (texts: readonly string[], kind: number, plain: number) =>
      texts[below(odd === kind || odd === 5 ? texts.length : plain)]!;
    const some = (most: number, make: () => string) =>
      Array.from({ length: below(most + 1) }, make);
    const label = () => one(LABELS, 1, 3);
    const user = below(20) === 0 ? "user:pass@" : "";
    const host = [...some(2, label), label()].join(".");
    const path = some(3, () => `/${one(SEGMENTS, 3, 2)}`).join("");
    yield one(SCHEMES, 0, 2) + user + host + one(PORTS, 2, 3) + path + one(QUERIES, 4, 2);
  }
}

Deno.test("K1: the parts of a URL are those of the URL parser", () => {
  let plain = 0;
  for (const text of urls(40_000)) {
    let parsed: URL | undefined;
    try {
      parsed = new URL(text);
    } catch {
      // Then there are no parts either.
    }
    let seen: unknown;
    try {
      const { url, origin, host, isDoubtful, written } = addressOf(text);
      seen = [url, origin, host];
      if (text === url) {
        plain++;
        assertEquals([isDoubtful, written], [false, ""], text);
      }
    } catch {
      seen = undefined;
    }

    if (parsed === undefined) {
      assertEquals(seen, undefined, text);
      continue;
    }
    const { href, origin, host, username, password } = parsed;
    const user = password === "" ? username : `${username}:${password}`;
    const whole = href.replace(/#.*$/, "");
    const url = user === "" ? whole : whole.replace(`${user}@`, "");
    assertEquals(seen, [url, origin, host], text);
  }
  assertEquals(plain > 3_000, true, `${plain} plain ones`);
});
