/** The codings that some runtime's `fetch` decodes, leaving Content-Encoding as it was. */
const DECODABLE: ReadonlySet<string> = new Set(["gzip", "x-gzip", "deflate", "br", "zstd"]);

/** Those that all of them decode: Deno leaves the others as they are, Node 20 zstd. */
const ALWAYS_DECODED: ReadonlySet<string> = new Set(["gzip", "br"]);

/** The codings in a Content-Encoding field, in lower case; none for "identity". */
export function codingsOf(value: string | null): readonly string[] {
  if (value === null) return [];
  return value.toLowerCase().split(",").map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity");
}

/** Whether a body with these codings may have been decoded on its way here. */
export function isDecodable(codings: readonly string[]): boolean {
  return codings.length > 0 && codings.every((coding) => DECODABLE.has(coding));
}

/** What is known of a coded body beside its bytes. */
export interface CodedBody {
  readonly codings: readonly string[];
  /** Whether it comes straight from `fetch`. A handler's body may be decoded or not. */
  readonly byFetch: boolean;
  /** Its Content-Length, which is that of the coded bytes; undefined if it has none. */
  readonly length: number | undefined;
}

/**
 * Whether a body was decoded on its way here although its fields say it is coded.
 *
 * @returns Undefined if nothing tells.
 */
export function isDecoded(
  { codings, byFetch, length }: CodedBody,
  body: Uint8Array,
): boolean | undefined {
  const [only = ""] = codings;
  if (!isDecodable(codings)) return false;
  if (byFetch && codings.length === 1 && ALWAYS_DECODED.has(only)) return true;
  // `fetch` would have failed at a body whose length is not the one that was said.
  if (byFetch && length !== undefined && length !== body.byteLength) return true;
  const looks = looksCoded(codings.at(-1) ?? "", body);
  if (looks !== undefined) return !looks;
  return length === body.byteLength ? false : undefined;
}

/** By its first bytes; undefined if they do not tell. */
function looksCoded(coding: string, body: Uint8Array): boolean | undefined {
  const [first = 0, second = 0, third = 0, fourth = 0] = body;
  switch (coding) {
    case "gzip":
    case "x-gzip": // RFC 1952 §2.3.1
      return first === 0x1f && second === 0x8b;
    case "zstd": // RFC 8878 §3.1.1
      return first === 0x28 && second === 0xb5 && third === 0x2f && fourth === 0xfd;
    case "deflate": // RFC 1950 §2.2. Some send it without its header, then only text is sure.
      if (isText(body)) return false;
      return (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0 ? true : undefined;
    default: // Brotli has no mark, but its output is no text.
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
