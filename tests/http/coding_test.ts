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
  // With windows of 2^10, 2^16, 2^17, 2^18 and 2^24 bytes, in one block.
  ["br", hex("a11804c06fa474f356f50bcf199cf4217b8b002380a6eb9301"), 25, false],
  ["br", hex("621000bf91d2cd5bd52f3c6770d287ec2d028c009aae4f06"), 24, false],
  ["br", hex("811804c06fa474f356f50bcf199cf4217b8b002380a6eb9301"), 25, false],
  ["br", hex("138300f88d946edeaa7ee13983933e646f116004d0747d32"), 24, false],
  ["br", hex("1f8300f88d946edeaa7ee13983933e646f116004d0747d32"), 24, false],
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
  // Almost the header of zlib: a wrong check, a dictionary, too large a window; a rare window.
  ["deflate", hex("789d4bcfcf4f0100"), 8, true],
  ["deflate", hex("78bb4bcfcf4f0100"), 8, true],
  ["deflate", hex("f8004bcfcf4f0100"), 8, true],
  ["deflate", hex("68814bcfcf4f0100"), undefined, undefined],
  // Blocks with a wrong length, or with codes that do not use up all patterns.
  ["deflate", hex("0104000400676f6f64"), 9, true],
  ["deflate", hex("05000000000000"), 7, true],
  // Blocks in br that are not compressed, and metadata; some that are too short or malformed.
  ["br", hex("000010414203"), 6, false],
  ["br", hex("000030414203"), 6, true],
  ["br", hex("00001041"), 4, true],
  ["br", hex("0c03"), 2, false],
  ["br", hex("0c"), 1, true],
  ["br", hex("1c03"), 2, true],
  ["br", hex("1a0003"), 3, true],
  ["br", hex("2c004103"), 4, false],
  ["br", hex("2c0041"), 3, true],
  ["br", hex("4c00004103"), 5, true],
  ["br", hex(`4c8000${"41".repeat(257)}03`), 261, false],
  // More after the end, a length with a leading zero, a window that does not exist.
  ["br", hex("0641f0"), 3, true],
  ["br", hex("04000000"), 4, true],
  ["br", hex("1100000000"), 5, true],
  // Almost a frame to be skipped.
  ["zstd", hex("602a4d1800000000"), undefined, true],
  ["zstd", ascii("Page"), undefined, true],
  ["deflate", ascii("x"), 1, true],
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
    Deno.test(`H4: a ${field || "plain"} body [${body.subarray(0, 24)}] of ${length} from ${who}: ${expected}`, () => {
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

// ---- Deflate ----

const WITH_LENGTH = { isFetched: false, decodes: undefined };

/** Whole bodies as zlib makes them, without a header. */
const DEFLATED: readonly (readonly [what: string, digits: string])[] = [
  ["a word", "4bcfcf4f0100"],
  ["a word beyond ASCII", "4b2f3abce7f0fc5485c30b149eec98f67c6a0f00"],
  ["high bytes", "eb9ff0fff80900"],
  ["one byte many times", "7bf972148c02ea0300"],
  [
    "a text that comes again",
    "4b5428484c4fd55148cc4b51484c4fccccb3524884098169b04c7e5e2a84939b5f94aa0700",
  ],
  [
    "a text far away",
    "2bc9485528484c4f553030343236313533b7b04c4c4a4e494d4bcfc8cccacec9cdcb2f282c2a2e292d2bafa8" +
    "ac22468d4209d44400",
  ],
  [
    "rows with codes of their own",
    "6dd1390a80301445d1bda4b6f0bf38255b110b4105c1ca6825eedd421024b73dc51fb8fde5d6c9c5b2706b" +
    "727119b734dfc56b0626300f56bd76ece747754e4d4e2d0cebc0021d8c5f58bec404e6c12a1a58133684f48" +
    "c75b027e4a6120c9350135114d13b822e82306ac1a88c7e698607",
  ],
  ["a word that is not compressed", "010400fbff676f6f64"],
];

for (const [what, digits] of DEFLATED) {
  Deno.test(`H4: ${what} in deflate is taken for coded, whole or cut short`, () => {
    const bare = hex(digits);
    const codings = ["deflate"];

    for (const body of [bare, Uint8Array.of(0x78, 0x9c, ...bare, 1, 2, 3, 4)]) {
      const { length } = body;
      for (let size = 1; size <= length; size++) {
        const decided = isDecoded({ codings, length, ...WITH_LENGTH }, body.subarray(0, size));
        assertEquals(decided, false, `${size} of ${length}`);
      }
    }
  });
}

/** A last block with fixed codes: numbers with their bits, codes as strings (RFC 1951 §3.1.1). */
function block(...parts: (string | readonly [value: number, bits: number])[]): Uint8Array {
  const bits = [1, 1, 0];
  for (const part of parts) {
    if (typeof part === "string") bits.push(...Array.from(part, Number));
    else for (let bit = 0; bit < part[1]; bit++) bits.push(part[0] >> bit & 1);
  }
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, at) => bytes[at >> 3]! |= bit << (at & 7));
  return bytes;
}

/** The byte 0, the lengths 3, 12 and 258, the end. */
const [ZERO, THREE, TWELVE, MOST, END] = [
  ["00110000"],
  ["0000001"],
  ["0001001", [1, 1]],
  ["11000101"],
  ["0000000"],
] as const;
const zeros = (count: number) => Array.from({ length: count }, () => ZERO[0]);

/** Blocks that repeat no more, or one byte more than came before, and others that cannot be. */
const BLOCKS: readonly (readonly [what: string, body: Uint8Array, isCoded: boolean])[] = [
  ["one byte back after one", block(...ZERO, ...THREE, "00000", ...END), true],
  ["two bytes back after one", block(...ZERO, ...THREE, "00001", ...END), false],
  ["four back after four", block(...ZERO, ...THREE, "00000", ...THREE, "00011", ...END), true],
  ["five back after four", block(...zeros(4), ...THREE, "00100", [0, 1], ...END), false],
  [
    "13 back after 13",
    block(...ZERO, ...TWELVE, "00000", ...THREE, "00111", [0, 2], ...END),
    true,
  ],
  [
    "14 back after 13",
    block(...ZERO, ...TWELVE, "00000", ...THREE, "00111", [1, 2], ...END),
    false,
  ],
  [
    "259 back after 259",
    block(...ZERO, ...MOST, "00000", ...THREE, "10000", [2, 7], ...END),
    true,
  ],
  [
    "260 back after 259",
    block(...ZERO, ...MOST, "00000", ...THREE, "10000", [3, 7], ...END),
    false,
  ],
  ["102 back after 100", block(...zeros(100), ...THREE, "01101", [5, 5], ...END), false],
  ["the longest length", block(...ZERO, ...MOST, "00000", ...END), true],
  ["a longer length", block(...ZERO, "11000110", "000000", "00000", ...END), false],
  ["a distance that does not exist", block(...ZERO, ...THREE, "11110", ...END), false],
  ["no end", block(...zeros(3)), false],
];

for (const [what, body, isCoded] of BLOCKS) {
  Deno.test(`H4: a block in deflate with ${what} ${isCoded ? "may be" : "is not"} coded`, () => {
    const { length } = body;

    const decided = isDecoded({ codings: ["deflate"], length, ...WITH_LENGTH }, body);

    assertEquals(decided, !isCoded);
  });
}
