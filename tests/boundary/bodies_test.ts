import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { assert, assertEquals } from "@std/assert";
import { breaker, type BreakerEvent, type LastGoodOptions } from "@lastgood/breaker";
import { chunk, head, LAST, type Piece, RawOrigin } from "./raw_origin.ts";

const TEXT = "The quick brown fox jumps over the lazy dog. ".repeat(50);
const BYTES = new TextEncoder().encode(TEXT);

interface Seen {
  readonly headers?: Record<string, string>;
  readonly [more: string]: unknown;
}

/**
 * What a server can send: Deno's drops these fields of a fetched answer whose body it has decoded, but
 * not those of a copy, which comes without them.
 */
function asServed({ headers = {}, ...seen }: Seen): Seen {
  if (!["gzip", "br"].includes(headers["content-encoding"] ?? "")) return { ...seen, headers };
  const { "content-encoding": _coding, "content-length": _length, ...served } = headers;
  return { ...seen, headers: served };
}

/** Collects everything a reader can observe of a response, in order. */
async function seen(call: Promise<Response>, url: string): Promise<Seen> {
  try {
    const response = await call;
    const { status, statusText, redirected, type, headers } = response;
    const known = {
      status,
      statusText,
      redirected,
      type,
      url: response.url === url,
      headers: Object.fromEntries(headers),
    };
    const bytes: number[] = [];
    try {
      const reader = response.body?.getReader();
      for (;;) {
        const value = (await reader?.read())?.value;
        if (value === undefined) return { ...known, bytes };
        bytes.push(...value);
      }
    } catch (error) {
      return { ...known, bytes, error: named(error) };
    }
  } catch (error) {
    return { error: named(error) };
  }
}

function named(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function length(bytes: Uint8Array): string {
  return `content-length: ${bytes.byteLength}`;
}

const GZIP = gzipSync(BYTES);
const BROTLI = brotliCompressSync(BYTES);
const DEFLATE = deflateSync(BYTES);
const RAW_DEFLATE = deflateRawSync(BYTES);

/** The bytes sent, the text a client reads if the body is kept, or why it is not kept. */
const BODIES: readonly {
  readonly what: string;
  readonly pieces: readonly Piece[];
  readonly options?: LastGoodOptions;
  readonly why?: string;
}[] = [
  { what: "by length", pieces: [head(length(BYTES)), BYTES] },
  { what: "empty", pieces: [head("content-length: 0")] },
  {
    what: "chunked",
    pieces: [head("transfer-encoding: chunked"), chunk(TEXT), chunk("more"), LAST],
  },
  { what: "ended by closing the connection", pieces: [head("connection: close"), BYTES] },
  {
    what: "in HTTP/1.0",
    pieces: ["HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\n", BYTES],
  },
  { what: "gzip by length", pieces: [head("content-encoding: gzip", length(GZIP)), GZIP] },
  { what: "gzip to the end", pieces: [head("content-encoding: gzip"), GZIP] },
  { what: "br by length", pieces: [head("content-encoding: br", length(BROTLI)), BROTLI] },
  { what: "br to the end", pieces: [head("content-encoding: br"), BROTLI] },
  {
    what: "deflate by length",
    pieces: [head("content-encoding: deflate", length(DEFLATE)), DEFLATE],
  },
  { what: "deflate to the end", pieces: [head("content-encoding: deflate"), DEFLATE] },
  {
    what: "deflate without its header",
    pieces: [head("content-encoding: deflate", length(RAW_DEFLATE)), RAW_DEFLATE],
  },
  {
    what: "of an unknown coding",
    pieces: [head("content-encoding: x-own", length(BYTES)), BYTES],
  },
  {
    what: "cut short by length",
    pieces: [head("content-length: 5000"), BYTES],
    why: "broken",
  },
  {
    what: "cut short within a chunk",
    pieces: [head("transfer-encoding: chunked"), "ffff\r\n", BYTES],
    why: "broken",
  },
  {
    what: "cut short between chunks",
    pieces: [head("transfer-encoding: chunked"), chunk(TEXT)],
    why: "broken",
  },
  {
    what: "cut short in gzip",
    pieces: [head("content-encoding: gzip", "content-length: 5000"), GZIP.subarray(0, 60)],
    why: "broken",
  },
  {
    what: "over the limit",
    pieces: [head(length(BYTES)), BYTES],
    options: { maxBodyBytes: 100 },
    why: "too-large",
  },
  {
    what: "over the limit once decoded",
    pieces: [head("content-encoding: gzip", length(GZIP)), GZIP],
    options: { maxBodyBytes: 1_000 },
    why: "too-large",
  },
];

for (const { what, pieces, options = {}, why } of BODIES) {
  Deno.test(`a body ${what} reads as it does without a breaker: ${why ?? "kept"} (promise 34)`, async () => {
    await using origin = new RawOrigin(() => pieces);
    const events: BreakerEvent[] = [];
    const api = breaker({ lastGood: options, onEvent: (event) => events.push(event) });
    const { url } = origin;

    const bare = asServed(await seen(fetch(url), url));
    const guarded = await seen(api.fetch(url), url);
    await api.idle();

    assertEquals(guarded, bare);
    const last = events.at(-1);
    assertEquals(last?.type === "not_kept" ? last.why : last?.type, why ?? "kept");
  });

  if (why !== undefined) continue;

  Deno.test(`a kept body ${what} reaches the clients of a server in front of it`, async () => {
    let isDown = false;
    await using origin = new RawOrigin(() => isDown ? [] : pieces);
    const api = breaker();
    const { url } = origin;
    const bare = await fetch(url);
    const expected = new Uint8Array(await bare.arrayBuffer());
    const sent = pieces.at(-1);
    const isAsSent = sent instanceof Uint8Array && sent.byteLength === expected.byteLength;
    await using edge = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => api.fetch(url),
    );

    for (const isStale of [false, true]) {
      isDown = isStale;
      const response = await fetch(`http://127.0.0.1:${edge.addr.port}/`);
      const coding = response.headers.get("content-encoding");
      const bytes = new Uint8Array(await response.arrayBuffer());
      await api.idle();

      assertEquals(bytes, expected);
      assertEquals(coding, isAsSent ? bare.headers.get("content-encoding") : null);
      assertEquals(response.headers.has("cache-status"), isStale);
    }
  });
}

Deno.test("S12: a truncated body leaves the older one in place", async () => {
  let pieces = [head("content-length: 4"), "good"];
  await using origin = new RawOrigin(() => pieces);
  const api = breaker({ lastGood: { refreshMs: 0 } });
  await (await api.fetch(origin.url)).text();

  const cut = [
    [head("content-length: 9"), "bad"],
    [head("transfer-encoding: chunked"), chunk("bad")],
  ];
  for (pieces of cut) await (await api.fetch(origin.url)).text().catch(() => {});
  pieces = [];

  assertEquals(await (await api.fetch(origin.url)).text(), "good");
});

Deno.test("an endless body reaches its reader, is not kept, and ends when the reader leaves", async () => {
  const chunks = function* () {
    yield head("transfer-encoding: chunked");
    for (;;) yield chunk("x".repeat(65_536));
  };
  await using origin = new RawOrigin(chunks);
  const events: BreakerEvent[] = [];
  const api = breaker({ onEvent: (event) => events.push(event) });

  const reader = (await api.fetch(origin.url)).body?.getReader();
  let size = 0;
  while (size < 8 * 1_048_576) size += (await reader?.read())?.value?.byteLength ?? NaN;
  await reader?.cancel();

  const last = events.at(-1);
  assertEquals(last?.type === "not_kept" && last.why, "too-large");
  await api.idle();
});

Deno.test("a slow body reaches its reader byte by byte, at once", async () => {
  const gates = Array.from("slow", () => Promise.withResolvers<void>());
  const pieces = function* (): Generator<Piece> {
    yield head("content-length: 4");
    for (const [index, gate] of gates.entries()) {
      yield gate.promise;
      yield "slow"[index] ?? "";
    }
  };
  await using origin = new RawOrigin(pieces);
  const api = breaker();

  const reader = (await api.fetch(origin.url)).body?.getReader();
  for (const [index, gate] of gates.entries()) {
    gate.resolve();
    const { value } = await reader?.read() ?? {};
    assertEquals(new TextDecoder().decode(value), "slow"[index]);
  }
  assertEquals((await reader?.read())?.done, true);

  await api.idle();
});

Deno.test("a short body that arrives with its head is kept, and its connection stays usable", async () => {
  const ports = new Set<number>();
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request, { remoteAddr }) => {
      ports.add(remoteAddr.port);
      return new Response(new URL(request.url).pathname);
    },
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  let bytes = 0;
  const api = breaker({
    onEvent: (event) => event.type === "kept" ? bytes += event.bytes : undefined,
  });

  for (let n = 100; n < 150; n++) {
    assertEquals(await (await api.fetch(`${origin}/${n}`)).text(), `/${n}`);
  }

  assertEquals([bytes, ports.size], [200, 1]);
});

const MIB = 1_048_576;

function* mebibytes(count: number, ...fields: string[]): Generator<Piece> {
  const block = new Uint8Array(MIB).fill(120);
  yield head("connection: close", ...fields);
  for (let n = 0; n < count; n++) yield block;
}

Deno.test("a body of 256 MiB passes without being held in memory (N1)", async () => {
  await using origin = new RawOrigin(() => mebibytes(256));
  const api = breaker();

  const reader = (await api.fetch(origin.url)).body?.getReader();
  const before = Deno.memoryUsage();
  let size = 0;
  let peak = 0;
  let chunks = 0;
  for (;;) {
    const value = (await reader?.read())?.value;
    if (value === undefined) break;
    size += value.byteLength;
    if (chunks++ % 64 !== 0) continue;
    const { heapUsed, external } = Deno.memoryUsage();
    peak = Math.max(peak, heapUsed + external - before.heapUsed - before.external);
  }

  assertEquals(size, 256 * MIB);
  assert(peak < 128 * MIB, `${peak} bytes more than before`);
});

for (const fields of [[`content-length: ${64 * MIB}`], []]) {
  const said = fields.length === 0 ? "does not give its size" : "gives its size";
  Deno.test(`a client that stops reading a body that ${said} also stops the origin`, async () => {
    await using origin = new RawOrigin(() => mebibytes(64, ...fields));
    const api = breaker();

    const response = await api.fetch(origin.url);
    const reader = response.body?.getReader();
    await reader?.read();
    await api.idle();
    // Wait until the sockets' buffers are full and the origin can send no more.
    for (let before = -1; before !== origin.sent;) {
      before = origin.sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const { sent } = origin;
    await reader?.cancel();

    assert(sent < 32 * MIB, `${sent} bytes were read without a reader`);
  });
}
