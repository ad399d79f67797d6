import { assertEquals } from "@std/assert";
import { codingsOf, isDecoded } from "../../src/http/coding.ts";

const TEXT = new TextEncoder().encode("x  plain text");
const GZIP = Uint8Array.of(0x1f, 0x8b, 8, 0);
const ZLIB = Uint8Array.of(0x78, 0x9c, 0x4b, 0x04);
const ZSTD = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
const BINARY = Uint8Array.of(0xff, 0xfe, 0x00, 0x9c);

/** Codings, body, whether it was fetched, its Content-Length, and whether it was decoded. */
const CASES: readonly (readonly [
  string,
  Uint8Array,
  boolean,
  number | undefined,
  boolean | undefined,
])[] = [
  ["", TEXT, true, undefined, false],
  ["identity", TEXT, true, undefined, false],
  ["x-own", TEXT, true, undefined, false],
  ["gzip, x-own", TEXT, true, undefined, false],
  // Every runtime's fetch decodes these, whatever the result.
  ["gzip", GZIP, true, undefined, true],
  ["br", BINARY, true, undefined, true],
  // Some do not decode these.
  ["gzip, identity", GZIP, true, undefined, false],
  ["gzip,", TEXT, true, undefined, true],
  ["gzip, gzip", GZIP, true, undefined, false],
  ["deflate", ZLIB, true, undefined, false],
  ["deflate", TEXT, true, undefined, true],
  ["deflate", BINARY, true, 99, true],
  ["deflate", BINARY, true, BINARY.byteLength, false],
  ["deflate", BINARY, true, undefined, undefined],
  ["zstd", ZSTD, true, undefined, false],
  ["zstd", BINARY, true, undefined, true],
  ["x-gzip", GZIP, true, undefined, false],
  ["x-gzip", TEXT, true, undefined, true],
  // A handler's body may be either.
  ["gzip", GZIP, false, undefined, false],
  ["gzip", TEXT, false, undefined, true],
  ["br", TEXT, false, undefined, true],
  ["br", BINARY, false, undefined, false],
  ["deflate", ZLIB, false, undefined, false],
  ["deflate", TEXT, false, undefined, true],
  ["zstd", ZSTD, false, undefined, false],
];

for (const [field, body, byFetch, length, expected] of CASES) {
  const whence = byFetch ? "a fetched" : "a handler's";
  Deno.test(`H4: ${whence} ${field || "plain"} body [${body}] of ${length}: ${expected}`, () => {
    assertEquals(isDecoded({ field, byFetch, length }, body), expected);
  });
}

/** The same for a fetched body on Workers, where `fetch` may have been told not to decode it. */
const MAYBE_RAW:
  readonly (readonly [string, Uint8Array, number | undefined, boolean | undefined])[] = [
    ["gzip", GZIP, GZIP.byteLength, false],
    ["gzip", GZIP, 99, true],
    ["gzip", GZIP, undefined, undefined],
    ["gzip", TEXT, undefined, true],
    ["br", BINARY, BINARY.byteLength, false],
    ["br", BINARY, undefined, undefined],
    ["br", TEXT, TEXT.byteLength, true],
  ];

for (const [field, body, length, expected] of MAYBE_RAW) {
  Deno.test(`H4: a ${field} body [${body}] of ${length} that may be raw: ${expected}`, () => {
    assertEquals(isDecoded({ field, byFetch: true, length, mayBeRaw: true }, body), expected);
  });
}

Deno.test("H4: codings are read in lower case, without identity", () => {
  assertEquals(codingsOf(null), []);
  assertEquals(codingsOf(" GZip,, identity , BR"), ["gzip", "br"]);
});
