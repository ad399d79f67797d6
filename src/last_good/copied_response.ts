import { dropsCodingOfFetched, isWorkerd } from "../runtime.ts";
import { BodyCopy, type BodyCopyOptions } from "./body_copy.ts";
import { asFetched, type Fetched } from "./fetched.ts";
import type { StoredBody } from "./stored_response.ts";
import { asTyped } from "./typed_body.ts";
import { copiedOnWorkers } from "./workers_copy.ts";

/** A response on its way to the caller. */
export interface PassingResponse {
  readonly response: Response;
  readonly body: ReadableStream<Uint8Array>;
  readonly fetched: Fetched;
  /** True if it names its type. */
  readonly hasType: boolean;
  /** True if `fetch` has decoded its body although its fields still name a coding. */
  readonly isDecoded: boolean;
}

/**
 * Copies the body of a response on its way, and returns the response for the caller as soon as its
 * head may go. All ways of copying begin here.
 */
export async function copiedResponse(
  passing: PassingResponse,
  options: BodyCopyOptions,
): Promise<Response> {
  const { response, body, fetched } = passing;
  const { signal, isFetched } = options;
  try {
    const native = isWorkerd() ? await copiedOnWorkers(response, body, options) : undefined;
    // The runtime itself ends a fetched one.
    if (native instanceof Response) {
      return isFetched ? native : asFetched(native, { ...fetched, signal });
    }
    const passed = native ?? await new BodyCopy(response.body ?? body, options).bodySoon();
    return withBody(passed, passing, signal);
  } catch (error) {
    options.hold.abandon();
    throw error;
  }
}

/** Makes the response for the caller, around the body that is copied. */
function withBody(
  passed: ReadableStream<Uint8Array> | StoredBody,
  { response, fetched, hasType, isDecoded }: PassingResponse,
  signal: AbortSignal | undefined,
): Response {
  const init = isDecoded && dropsCodingOfFetched() ? withoutCoding(response) : response;
  if (passed instanceof ReadableStream) return asFetched(new Response(passed, init), fetched);
  const whole = new Response(asTyped(passed, fetched, hasType), init);
  return asFetched(whole, signal === undefined ? fetched : { ...fetched, signal });
}

/** What a server must send with a body that was decoded: these fields described the coded one. */
function withoutCoding({ status, statusText, headers }: Response): ResponseInit {
  const left = new Headers(headers);
  for (const name of ["content-encoding", "content-length"]) left.delete(name);
  return { status, statusText, headers: left };
}
