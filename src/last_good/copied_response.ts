import { BodyCopy, type BodyCopyOptions } from "./body_copy.ts";
import type { StoredBody } from "./stored_response.ts";

/** Limits of a copy, what is known about its source, and who hears of its end. */
export interface CopyOptions extends Omit<BodyCopyOptions, "onEnd"> {
  /**
   * Hears how the copy ended, before the reader does.
   *
   * @returns The body as it is kept; undefined if it is not.
   */
  readonly onEnd: (...end: Parameters<BodyCopyOptions["onEnd"]>) => StoredBody | undefined;
}

/**
 * Copies the body of a response on its way, and returns the response for the caller as soon as its
 * head may go. All ways of copying begin here.
 */
export async function copiedResponse(
  response: Response,
  body: ReadableStream<Uint8Array>,
  options: CopyOptions,
): Promise<Response> {
  let kept: StoredBody | undefined;
  const copy = new BodyCopy(body, {
    ...options,
    onEnd: (end, bytes) => void (kept = options.onEnd(end, bytes)),
  });
  const passed = await copy.bodySoon();
  return withBody(response, passed instanceof Uint8Array ? kept ?? passed : passed);
}

/** Returns the same response with another body. */
function withBody(response: Response, body: BodyInit): Response {
  const passed = new Response(body, response);
  // A constructed response has no URL, and callers resolve links against it.
  const { url } = response;
  return url === "" ? passed : Object.defineProperty(passed, "url", { value: url });
}
