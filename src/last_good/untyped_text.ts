import { hidesTypeOfText } from "../runtime.ts";
import type { Fetched } from "./fetched.ts";

/** The type that Bun sends a text under. */
export const TEXT_TYPE = "text/plain;charset=utf-8";

/**
 * Returns the text that a handler has answered with and given no type, where a server adds one to
 * texts: Bun's does not show it, and sends the same text as bytes under another.
 */
export function untypedText(
  { headers }: Response,
  { url }: Fetched,
  body: unknown,
): string | undefined {
  if (!hidesTypeOfText() || url !== "" || headers.has("content-type")) return undefined;
  if (!(body instanceof Uint8Array) || body.length === 0) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return undefined;
  }
}
