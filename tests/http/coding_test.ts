import { assertEquals } from "@std/assert";
import { type CodedBody, codingsOf, isDecoded } from "../../src/http/coding.ts";

const ascii = (text: string) => new TextEncoder().encode(text);
const hex = (digits: string) =>
  Uint8Array.from(digits.match(/../g) ?? [], (byte) => parseInt(byte, 16));

/** "good", coded. */
const GZIP = hex("1f8b08000000000000034bcfcf4f0100924e846c04000000");
const ZLIB = hex("789c4bcfcf4f0100042f01aa");
const RAW = hex("4bcfcf4f0100");
const BROTLI = hex("8b0180676f6f6403");
const ZSTD = hex("28b52ffd2004210000676f6f64");
const TEXT = ascii("good, and longer than any coded text that looks like one");
/** A text that could begin a body in br, but in no other coding. */
const ANY_BR = ascii("The quick brown fox");
const BINARY = hex("fffe009c1122334455");

type Decided = boolean | undefined;
type Case = readonly [coding: string, body: Uint8Array, length: number | undefined, Decided];

const BY_HANDLERS: readonly Case[] = [
  // Nothing to decode.
  ["", TEXT, undefined, false],
  ["identity", TEXT, undefined, false],
  ["x-own", TEXT, undefined, false],
  ["gzip, x-own", GZIP, 99, false],
  // With its length.
  ["gzip", GZIP, GZIP.length, false],
  ["x-gzip", GZIP, GZIP.length, false],
  ["deflate", ZLIB, ZLIB.length, false],
  ["deflate", RAW, RAW.length, false],
  ["br", BROTLI, BROTLI.length, false],
  ["zstd", ZSTD, ZSTD.length, false],
  ["deflate, gzip", GZIP, GZIP.length, false],
  // With its length by chance.
  ["gzip", TEXT, TEXT.length, true],
  ["gzip", BINARY, BINARY.length, true],
  ["zstd", TEXT, TEXT.length, true],
  ["deflate", TEXT, TEXT.length, true],
  ["deflate", ascii("x^2 + 1"), 7, true],
  ["br", ascii('{"good":1}'), 10, true],
  ["br", ascii("<p>good</p>"), 11, true],
  ["br", ANY_BR, ANY_BR.length, undefined],
  // With another length: decoded.
  ["gzip", ascii("good"), GZIP.length, true],
  ["deflate", ascii("good"), ZLIB.length, true],
  ["br", ascii("good"), BROTLI.length, true],
  ["br", ANY_BR, 24, true],
  ["zstd", ascii("good"), ZSTD.length, true],
  ["br", BINARY, 5, true],
  ["deflate", BINARY, 5, true],
  // A coded file within a coded body.
  ["gzip", GZIP, GZIP.length - 1, true],
  ["zstd", ZSTD, ZSTD.length - 1, true],
  // Too short for its length: cut short, if it may be coded.
  ["gzip", GZIP, GZIP.length + 1, false],
  ["gzip", GZIP.subarray(0, 1), GZIP.length, false],
  ["zstd", ZSTD.subarray(0, 1), ZSTD.length, false],
  ["deflate", ZLIB.subarray(0, 1), ZLIB.length, false],
  ["deflate", RAW.subarray(0, 2), RAW.length, false],
  ["br", BROTLI.subarray(0, 3), BROTLI.length, false],
  // Without a length.
  ["gzip", GZIP, undefined, false],
  ["gzip", TEXT, undefined, true],
  ["deflate", ZLIB, undefined, false],
  ["deflate", RAW, undefined, undefined],
  ["deflate", ascii("good"), undefined, true],
  ["br", ascii('{"good":1}'), undefined, true],
  ["br", BROTLI, undefined, undefined],
  ["br", ANY_BR, undefined, undefined],
  ["zstd", ZSTD, undefined, false],
  ["zstd", hex("502a4d1800000000"), undefined, false],
  // Nothing at all is no coded body.
  ["gzip", hex(""), undefined, true],
  ["br", hex(""), 0, true],
  ["deflate", hex(""), undefined, true],
];

/** From a `fetch` that decodes or not. */
const FETCHED: readonly Case[] = [
  ["gzip", TEXT, undefined, true],
  ["gzip", GZIP, GZIP.length, false],
  ["gzip", GZIP, GZIP.length + 1, true],
  // Not decoded, or a file within it.
  ["gzip", GZIP, undefined, undefined],
  ["br", BROTLI, BROTLI.length, false],
  ["br", BROTLI, undefined, undefined],
  ["br", BROTLI, BROTLI.length + 1, true],
  ["br", ANY_BR, undefined, true],
  ["br", ANY_BR, ANY_BR.length, true],
];

function check(who: string, cases: readonly Case[], from: Omit<CodedBody, "codings" | "length">) {
  for (const [field, body, length, expected] of cases) {
    Deno.test(`H4: a ${field || "plain"} body [${body}] of ${length} from ${who}: ${expected}`, () => {
      assertEquals(isDecoded({ codings: codingsOf(field), length, ...from }, body), expected);
    });
  }
}

check("a handler", BY_HANDLERS, { isFetched: false, decodes: true });
check("a fetch that may decode", FETCHED, { isFetched: true, decodes: undefined });
check("a fetch that decodes", [
  ["gzip", GZIP, GZIP.length, true],
  ["br", BROTLI, undefined, true],
  ["x-own", TEXT, undefined, false],
], { isFetched: true, decodes: true });
check("a fetch that does not decode", [
  ["zstd", ZSTD, undefined, false],
  ["deflate", ZLIB, undefined, false],
], { isFetched: true, decodes: false });

Deno.test("H4: codings are read in lower case, without identity", () => {
  assertEquals(codingsOf(null), []);
  assertEquals(codingsOf(" GZip,, identity , BR"), ["gzip", "br"]);
});
