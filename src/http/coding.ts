import { membersOf } from "./fields.ts";
import { looksCoded } from "./first_bytes.ts";

/** The codings that at least one runtime's `fetch` decodes, leaving Content-Encoding in place. */
const DECODABLE: ReadonlySet<string> = new Set(["gzip", "x-gzip", "deflate", "br", "zstd"]);

/** Lists the codings in a Content-Encoding field in lower case, without "identity". */
export function codingsOf(value: string | null): readonly string[] {
  if (value === null) return [];
  return membersOf(value.toLowerCase()).filter((coding) => coding !== "identity");
}

/** Reports whether a body with these codings may have been decoded on its way here. */
export function isDecodable(codings: readonly string[]): boolean {
  return codings.length > 0 && codings.every((coding) => DECODABLE.has(coding));
}

/** What is known of a body in addition to its bytes. */
export interface CodedBody {
  /** Its codings, in the order in which they were applied. */
  readonly codings: readonly string[];
  /** Its Content-Length, which counts the coded bytes; undefined if it has none. */
  readonly length: number | undefined;
  /** True if the runtime's own `fetch` gave it. */
  readonly isFetched: boolean;
  /** What that `fetch` does with these codings: true if it decodes them, undefined if it may. */
  readonly decodes: boolean | undefined;
}

/**
 * Reports whether a body was decoded on its way here although its fields still name a coding (H4).
 *
 * @returns Undefined if neither its length nor its bytes show it.
 */
export function isDecoded(
  { codings, length, isFetched, decodes }: CodedBody,
  body: Uint8Array,
): boolean | undefined {
  if (!isDecodable(codings)) return false;
  if (isFetched && decodes) return true;
  const size = body.length;
  const saidSize = length ?? size;
  const coding = codings.at(-1)!;
  const looks = looksCoded(coding, body, Math.max(size, saidSize));
  if (looks === false || size > saidSize) return true;
  // It was decoded or cut short. `fetch` rejects the latter; a text of some length is not coded.
  if (size < saidSize) return isFetched || (size >= (coding === "br" ? 4 : 16) && isText(body));
  // A coded file within a coded body begins like the body itself.
  if (looks) return length === undefined && isFetched && decodes !== false ? undefined : false;
  if (isText(body)) return isFetched || undefined;
  return length === undefined ? undefined : false;
}

/**
 * Reports whether a body reads as a text without control characters. Of 150,000 coded bodies none did,
 * but for the one byte of an empty one in br; so one that does is at least doubtful.
 */
function isText(body: Uint8Array): boolean {
  try {
    // deno-lint-ignore no-control-regex
    return !/[\0-\x08\x0b\x0e-\x1f\x7f]/.test(
      new TextDecoder("utf-8", { fatal: true }).decode(body),
    );
  } catch {
    return false;
  }
}
