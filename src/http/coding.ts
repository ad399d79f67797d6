/** The codings that at least one runtime's `fetch` decodes, leaving Content-Encoding in place. */
const DECODABLE: ReadonlySet<string> = new Set(["gzip", "x-gzip", "deflate", "br", "zstd"]);

/** The codings that every runtime decodes: Deno decodes no others, and Node 20 all but zstd. */
const ALWAYS_DECODED: ReadonlySet<string> = new Set(["gzip", "br"]);

/** Lists the codings in a Content-Encoding field in lower case, without "identity". */
export function codingsOf(value: string | null): readonly string[] {
  if (value === null) return [];
  return value.toLowerCase().split(",").map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity");
}

/** Reports whether a body with these codings may have been decoded on its way here. */
export function isDecodable(codings: readonly string[]): boolean {
  return codings.length > 0 && codings.every((coding) => DECODABLE.has(coding));
}

/**
 * Reports whether `fetch` decodes a body with this Content-Encoding on every runtime. If it names more
 * than one coding, be it "identity" or nothing between two commas, some do and some do not.
 */
export function isAlwaysDecoded(field: string | null): boolean {
  return field !== null && ALWAYS_DECODED.has(field.trim().toLowerCase());
}

/** The fields and the origin of a coded body. */
export interface CodedBody {
  /** Its Content-Encoding. */
  readonly field: string | null;
  /** True if it comes straight from `fetch`. A handler's body may be decoded or not. */
  readonly byFetch: boolean;
  /** Its Content-Length, which counts the coded bytes; undefined if it has none. */
  readonly length: number | undefined;
  /** True if `fetch` may have been told not to decode it, or cannot. */
  readonly mayBeRaw?: boolean;
}

/**
 * Reports whether a body was decoded on its way here although its fields still name a coding.
 *
 * @returns Undefined if neither its length nor its bytes show it.
 */
export function isDecoded(
  { field, byFetch, length, mayBeRaw = false }: CodedBody,
  body: Uint8Array,
): boolean | undefined {
  const codings = codingsOf(field);
  if (!isDecodable(codings)) return false;
  if (byFetch && !mayBeRaw && isAlwaysDecoded(field)) return true;
  // `fetch` rejects a body that does not have the length in its fields: this one was decoded.
  if (byFetch && length !== undefined && length !== body.byteLength) return true;
  const coded = looksCoded(codings.at(-1) ?? "", body);
  if (mayBeRaw && byFetch && coded && length === undefined) return undefined;
  if (coded !== undefined) return !coded;
  return length === body.byteLength ? false : undefined;
}

/** Judges by the first bytes; returns undefined if they do not show it. */
function looksCoded(coding: string, body: Uint8Array): boolean | undefined {
  const [first = 0, second = 0, third = 0, fourth = 0] = body;
  switch (coding) {
    case "gzip":
    case "x-gzip": // RFC 1952 §2.3.1
      return first === 0x1f && second === 0x8b;
    case "zstd": // RFC 8878 §3.1.1
      return first === 0x28 && second === 0xb5 && third === 0x2f && fourth === 0xfd;
    case "deflate": // RFC 1950 §2.2. Some servers omit this header: then only text is certain.
      if (isText(body)) return false;
      return (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0 ? true : undefined;
    default: // Brotli has no magic number, but its output is never valid text.
      return !isText(body);
  }
}

function isText(body: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(body);
    return true;
  } catch {
    return false;
  }
}
