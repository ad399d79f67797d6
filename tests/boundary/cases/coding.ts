/** Compressed answers through real servers, to clients who decode. */
import {
  brotliCompressSync,
  brotliDecompressSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync,
} from "node:zlib";
import type { Breaker } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { Hono } from "hono";
import { proxy } from "hono/proxy";
import { assertEquals } from "std/assert";
import { boundary, outcome, within } from "./stage/case.ts";
import { type Handler, HOST, serve } from "./stage/host.ts";
import { ask, head, RawOrigin, text, type WireAnswer } from "./stage/origin.ts";
import { watched } from "./stage/watched.ts";

const TEXT = "The quick brown fox jumps over the lazy dog. ".repeat(50);

const CODINGS = {
  gzip: { code: gzipSync, decode: gunzipSync },
  br: { code: brotliCompressSync, decode: brotliDecompressSync },
  deflate: { code: deflateSync, decode: inflateSync },
};

/** Servers that pass on an origin's answer, without a breaker and with one. */
const PROXIES: Readonly<
  Record<string, { bare(url: string): Handler; guarded(url: string, api: Breaker): Handler }>
> = {
  "a wrapped handler": {
    bare: (url) => () => fetch(url),
    guarded: (url, api) => api.wrap(() => fetch(url)),
  },
  "api.fetch": {
    bare: (url) => () => fetch(url),
    guarded: (url, api) => () => api.fetch(url),
  },
  "Hono": {
    bare: (url) => new Hono().get("*", () => fetch(url)).fetch,
    guarded: (url, api) => new Hono().use(middleware(api)).get("*", () => fetch(url)).fetch,
  },
  "hono/proxy in a wrapped handler": {
    bare: (url) => () => proxy(url),
    guarded: (url, api) => api.wrap(() => proxy(url)),
  },
  "hono/proxy over api.fetch": {
    bare: (url) => () => proxy(url),
    guarded: (url, api) => () => proxy(url, { customFetch: (request) => api.fetch(request) }),
  },
  "hono/proxy under Hono's middleware": {
    bare: (url) => new Hono().get("*", () => proxy(url)).fetch,
    guarded: (url, api) => new Hono().use(middleware(api)).get("*", () => proxy(url)).fetch,
  },
};

/** What a client makes of an answer that it decodes. */
function decoded({ status, fields, body }: WireAnswer): string {
  const coding = fields.get("content-encoding") as keyof typeof CODINGS | undefined;
  const length = fields.get("content-length");
  if (length !== undefined && Number(length) !== body.byteLength) {
    return `${status}: ${body.byteLength} of ${length} bytes`;
  }
  try {
    const bytes = coding === undefined ? body : CODINGS[coding].decode(body);
    return `${status}: ${new TextDecoder().decode(bytes)}`;
  } catch {
    return `${status}: does not decode as ${coding}`;
  }
}

/** Reads an answer as curl --compressed does, and as `fetch` does. */
async function read(port: number): Promise<string[]> {
  const answer = await ask(port, "accept-encoding: gzip, deflate, br");
  const url = `http://127.0.0.1:${port}/`;
  const fetching = async () => {
    const response = await fetch(url);
    return `${response.status}: ${await response.text()}`;
  };
  // On Node 20, fetch may wait for ever for the end of what does not decode.
  const fetched = await outcome(() => within(fetching(), "fetching", 500));
  // Each host words its errors in its own way.
  return [decoded(answer), fetched.startsWith("2") ? fetched : "an error"];
}

const RIGHT = `200: ${TEXT}`;

/** Deno's fetch leaves deflate as it is. */
function isUndecoded(coding: string): boolean {
  return HOST === "deno" && coding === "deflate";
}

for (const [coding, { code }] of Object.entries(CODINGS)) {
  for (const size of ["with its length", "chunked"]) {
    const bytes = code(new TextEncoder().encode(TEXT));
    const length = size === "chunked" ? [] : [`content-length: ${bytes.byteLength}`];
    const coded = () => [
      head(`content-encoding: ${coding}`, "content-type: text/plain", ...length),
      bytes,
    ];

    for (const [way, { bare, guarded }] of Object.entries(PROXIES)) {
      // hono/proxy takes it for decoded.
      if (isUndecoded(coding) && way.startsWith("hono/proxy")) continue;
      boundary(`34: ${coding} ${size} through ${way}: copied or not, as without us`, async () => {
        using origin = await RawOrigin.start(coded);
        const w = watched({ lastGood: { refreshMs: 0 } });
        const uncopied = watched({ lastGood: false });
        await using plain = await serve(bare(origin.url));
        await using copying = await serve(guarded(origin.url, w.api));
        await using passing = await serve(guarded(origin.url, uncopied.api));

        const expected = await read(plain.port);
        const live = await read(copying.port);
        const again = await read(copying.port);
        const notCopied = await read(passing.port);

        assertEquals([live, again, notCopied], [expected, expected, expected]);
        if (HOST === "deno") assertEquals(expected[0], RIGHT);
      });

      boundary(`34: ${coding} ${size} through ${way}: the last good one is right`, async () => {
        using origin = await RawOrigin.start(coded);
        const w = watched();
        await using served = await serve(guarded(origin.url, w.api));
        await ask(served.port);
        await w.ended(1);
        await w.api.idle();
        origin.close();

        const [raw, fetched] = await read(served.port);

        assertEquals(raw, RIGHT);
        if (!isUndecoded(coding)) assertEquals(fetched, RIGHT);
      });
    }
  }
}

for (const [way, { bare, guarded }] of Object.entries(PROXIES)) {
  // Bun's server knows a length or not by chance, with and without us.
  boundary(`34: a known length through ${way} is as known as without us (deno, node)`, async () => {
    using origin = await RawOrigin.start(() => text(TEXT, "content-type: text/plain"));
    const w = watched({ lastGood: { refreshMs: 0 } });
    await using plain = await serve(bare(origin.url));
    await using served = await serve(guarded(origin.url, w.api));
    const lengthOf = async (port: number) => {
      const { fields, body } = await ask(port, "accept-encoding: identity");
      return [fields.get("content-length"), new TextDecoder().decode(body)];
    };

    const expected = await lengthOf(plain.port);
    const live = [await lengthOf(served.port), await lengthOf(served.port)];
    await w.ended(2);
    origin.close();
    const stale = await lengthOf(served.port);

    assertEquals([...live, stale], Array(3).fill(expected));
  }, ["deno", "node"]);
}
