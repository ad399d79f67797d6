import { dropsCodingOfFetched } from "../runtime.ts";
import { BodyCopy, type BodyCopyOptions } from "./body_copy.ts";
import { asFetched, type Fetched } from "./fetched.ts";
import { untypedText } from "./untyped_text.ts";

/** A response on its way to the caller. */
export interface PassingResponse {
  readonly response: Response;
  readonly body: ReadableStream<Uint8Array>;
  readonly fetched: Fetched;
  /** True if `fetch` has decoded its body although its fields still name a coding. */
  readonly isDecoded: boolean;
}

/**
 * Copies the body of a response on its way, and returns the response for the caller as soon as its
 * head may go. All ways of copying begin here.
 */
export async function copiedResponse(
  { response, body, fetched, isDecoded }: PassingResponse,
  options: BodyCopyOptions,
): Promise<Response> {
  const passed = await new BodyCopy(body, options).bodySoon();
  const text = untypedText(response, fetched, passed);
  const init = isDecoded && dropsCodingOfFetched() ? withoutCoding(response) : response;
  const { signal } = options;
  // A stream listens to the signal by itself.
  const isAbortable = signal !== undefined && !(passed instanceof ReadableStream);
  return asFetched(
    new Response(text ?? passed, init),
    isAbortable ? { ...fetched, signal } : fetched,
  );
}

/** What a server must send with a body that was decoded: these fields described the coded one. */
function withoutCoding({ status, statusText, headers }: Response): ResponseInit {
  const left = new Headers(headers);
  for (const name of ["content-encoding", "content-length"]) left.delete(name);
  return { status, statusText, headers: left };
}
