import {
  brotliCompressSync,
  brotliDecompressSync,
  deflateRawSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync,
} from "node:zlib";
import { breaker } from "@lastgood/breaker";
import { assert, assertEquals } from "@std/assert";
import { seeded } from "../stage/random.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const CODERS = [
  { coding: "gzip", code: gzipSync },
  { coding: "br", code: brotliCompressSync },
  { coding: "deflate", code: deflateSync },
  { coding: "deflate", code: deflateRawSync },
];

/** Decodes a body as browsers do: deflate with or without its header. */
function decoded(bytes: Bytes, coding: string | null): Bytes {
  if (coding === null) return bytes;
  return new Uint8Array(
    coding === "gzip"
      ? gunzipSync(bytes)
      : coding === "br"
      ? brotliDecompressSync(bytes)
      : inflateSync(bytes),
  );
}

interface Page {
  readonly coding: string;
  readonly body: Bytes;
  readonly coded: Bytes;
  readonly hasLength: boolean;
}

const random = seeded(7);
const below = (limit: number) => Math.floor(random() * limit);
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
const letters = (count: number) => Array.from({ length: count }, () => pick([..."etaoin, .<{x^2"]));
const encode = (text: string): Bytes => new TextEncoder().encode(text);

/** Short texts and bytes, and files that are coded themselves. */
const BODIES: readonly (() => Bytes)[] = [
  () => encode(letters(below(60)).join("")),
  () => encode(`x^${below(9)} + ${pick(["y", "sin(x)", "1"])}`),
  () => encode(`{"${letters(3).join("")}":${below(1_000)}}`),
  () => encode(pick(["a", "ab", "good "]).repeat(below(40))),
  () => Uint8Array.from({ length: below(60) }, () => below(256)),
  () => new Uint8Array(gzipSync(encode(letters(20).join("")))),
  () => new Uint8Array(brotliCompressSync(encode(letters(20).join("")))),
];

function somePage(): Page {
  const { coding, code } = pick(CODERS);
  const body = pick(BODIES)();
  return { coding, body, coded: new Uint8Array(code(body)), hasLength: below(2) === 0 };
}

function answerWith({ coding, coded, hasLength }: Page): Response {
  const headers: Record<string, string> = { "content-encoding": coding };
  if (hasLength) headers["content-length"] = String(coded.length);
  return new Response(hasLength ? coded : new Blob([coded]).stream(), { headers });
}

/** How a handler hands over what its origin sends. */
const WAYS: Readonly<Record<string, (url: string, page: Page) => Response | Promise<Response>>> = {
  "passed on by a handler": (url) => fetch(url),
  "rebuilt by a handler": async (url) => {
    const response = await fetch(url);
    return new Response(response.body, response);
  },
  "made by a handler": (_url, page) => answerWith(page),
};

const PAGES = Array.from({ length: 1_500 }, somePage);

for (const way of ["fetched", ...Object.keys(WAYS)]) {
  Deno.test(`H4: no short coded body is ever served wrong when it is ${way}`, async () => {
    let isDown = false;
    await using origin = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => answerWith(PAGES[Number(new URL(request.url).pathname.slice(1))]!),
    );
    const base = `http://127.0.0.1:${origin.addr.port}`;
    const produce = WAYS[way];
    const api = breaker({
      threshold: 1e9,
      lastGood: { maxEntries: 2_000 },
      fetch: (input, init) => isDown ? Promise.reject(new TypeError("down")) : fetch(input, init),
    });
    const handler = api.wrap((request: Request) => {
      if (isDown) return new Response(null, { status: 500 });
      return produce!(request.url, PAGES[Number(new URL(request.url).pathname.slice(1))]!);
    });
    const ask = async (at: number) => {
      const url = `${base}/${at}`;
      const response = await (produce === undefined
        ? api.fetch(url).catch(() =>
          undefined
        )
        : handler(new Request(url)));
      const bytes = new Uint8Array(await response?.arrayBuffer() ?? []);
      return response?.headers.has("cache-status") ? { response, bytes } : undefined;
    };
    for (const at of PAGES.keys()) await ask(at);
    isDown = true;

    let kept = 0;
    for (const [at, { body, coding, hasLength }] of PAGES.entries()) {
      const served = await ask(at);
      if (served === undefined || isHidden(way, PAGES[at]!)) continue;
      kept++;
      const { response: { headers }, bytes } = served;
      const seen = decodes(bytes, headers.get("content-encoding"), body);
      assert(seen, `page ${at}, ${body.length} bytes in ${coding}, with length: ${hasLength}`);
    }

    assert(kept > PAGES.length / 2, `${kept} of ${PAGES.length} are kept`);
  });
}

/** Nothing tells a decoded file that is coded itself, without its length, from a coded page. */
function isHidden(way: string, { coding, body, hasLength }: Page): boolean {
  return way.startsWith("rebuilt") && coding === "gzip" && body[0] === 0x1f && !hasLength;
}

/** Reports whether a client gets this body, however its coder has framed it. */
function decodes(bytes: Bytes, coding: string | null, body: Bytes): boolean {
  try {
    assertEquals(decoded(bytes, coding), body);
    return true;
  } catch {
    return coding === "deflate" && String(bytes) === String(new Uint8Array(deflateRawSync(body)));
  }
}
