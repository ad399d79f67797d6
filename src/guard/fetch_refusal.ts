import { isSignal, type RequestHead } from "../last_good/request_head.ts";
import { isOfNetwork } from "./network_error.ts";
import { isUnfetchable } from "./upload.ts";

/**
 * Reports whether `fetch` has refused its arguments, so that the upstream has heard nothing of it
 * (promise 31). What it says of them differs from host to host, so a Request is made of the same
 * arguments, without their body, to see if they are refused again.
 */
export function isRefusedByFetch(
  error: unknown,
  head: RequestHead,
  init: RequestInit | undefined,
): boolean {
  const { name, message = "", code, cause } = Object(error) as FetchError;
  const origin = Object(cause) as FetchError;
  const text = `${message} ${origin.message}`;
  if (head.hasIntegrity && INTEGRITY.test(text)) return true;
  if (name !== "TypeError") return false;
  if (isUnfetchable(head) || REFUSING.test(String(code ?? origin.code))) return true;
  if (!HTTP.test(head.url) && SCHEME.test(text)) return true;
  // Then it was on its way.
  if (isOfNetwork(error)) return false;
  return (head.hasBody && USED.test(message)) || !canMakeRequest(head, init);
}

interface FetchError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: unknown;
  readonly cause?: unknown;
}

const INTEGRITY = /\bintegrity\b/i;
/** Codes of Bun and undici. */
const REFUSING =
  /^(ERR_INVALID_(ARG|URL)|ERR_BODY_ALREADY_USED|UND_ERR_(INVALID_ARG|NOT_SUPPORTED|REQ_CONTENT_LENGTH))/;
const HTTP = /^https?:/;
const SCHEME = /\bscheme\b|\bload\b/;
/** A body that was read before. */
const USED = /\b(used|unusable|locked|disturbed)\b/;

function canMakeRequest(head: RequestHead, init: RequestInit | undefined): boolean {
  try {
    const { body, signal } = init ?? {};
    if (signal && !isSignal(signal)) return false;
    const isStream = typeof body === "object" && body !== null && Symbol.asyncIterator in body;
    new Request(head.hasUserInfo ? "http://a:b@localhost/" : "http://localhost/", {
      method: head.method,
      ...init,
      signal: null,
      ...(body !== undefined && body !== null && { body: isStream ? new ReadableStream() : "" }),
    });
    return true;
  } catch {
    return false;
  }
}
