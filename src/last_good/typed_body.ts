import { hidesTypeOfText } from "../runtime.ts";
import type { Fetched } from "./fetched.ts";
import type { StoredBody } from "./stored_response.ts";

/**
 * Returns a body in the form that its server sends under the same type as the original. Bun's adds a
 * type to a response without one: "text/plain" to a text, another one to the bytes of the same text.
 *
 * @param hasType True if the response names its type.
 */
export function asTyped(body: StoredBody, { url }: Fetched, hasType: boolean): StoredBody {
  if (hasType || url !== "" || typeof body === "string" || !hidesTypeOfText()) return body;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return body;
  }
}
