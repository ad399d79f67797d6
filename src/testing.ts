/**
 * For testing apps that use a breaker: an upstream that answers as a script says.
 *
 * @module
 */

import { checkNames } from "./option_names.ts";
import {
  check,
  checkOptions,
  count,
  invalidOption,
  optional,
  patience,
  type Rule,
} from "./validation.ts";

/** One answer of a scripted upstream. */
export type ScriptedAnswer =
  /** A response with this status and an empty body. */
  | number
  /** Never answers: the call ends only when it is aborted. */
  | "hang"
  /** Fails like a connection that was reset. */
  | "reset"
  /** Rejects with this error. */
  | Error
  /** Answers with a copy of this response. */
  | Response
  /** Answers with what this function returns. */
  | ((request: Request) => Response | Promise<Response>)
  /** Answers with a response made of these parts, perhaps after a delay. */
  | ScriptedResponse;

/** The parts of a response in a script. */
export interface ScriptedResponse {
  /**
   * The status.
   * @default {200}
   */
  readonly status?: number | undefined;
  /** The header fields. */
  readonly headers?: RequestInit["headers"] | undefined;
  /** The body. */
  readonly body?: RequestInit["body"] | undefined;
  /**
   * How long it takes until the head is there, in ms.
   * @default {0}
   */
  readonly delayMs?: number | undefined;
}

/** A `fetch` that answers as its script says. */
export interface ScriptedUpstream {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** The number of calls so far. */
  readonly calls: number;
  /** The requests of these calls, in order. */
  readonly requests: readonly Request[];
}

/** Options of {@link upstream}. */
export interface UpstreamOptions {
  /**
   * How long each answer takes until its head is there, in ms, unless a scripted response has a delay
   * of its own.
   * @default {0}
   */
  readonly delayMs?: number | undefined;
}

/**
 * Makes an upstream that gives the answers of a script one after the other, and goes on with the last
 * one for ever. It waits with `setTimeout`, so `FakeTime` controls its delays.
 *
 * @param script The answers, call by call.
 * @param options How long the answers take.
 * @throws {TypeError} If the script is not a list, or something in it is not an answer.
 * @throws {RangeError} If the script is empty, or a number is out of range.
 *
 * @example An upstream that fails, hangs, and recovers
 * ```ts
 * import { breaker } from "@lastgood/breaker";
 * import { upstream } from "@lastgood/breaker/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const origin = upstream([500, "reset", 200]);
 * const api = breaker({ fetch: origin });
 *
 * assertEquals((await api.fetch("http://origin.test/")).status, 500);
 * await assertRejects(() => api.fetch("http://origin.test/"), TypeError, "reset");
 * assertEquals((await api.fetch("http://origin.test/")).status, 200);
 * assertEquals(origin.calls, 3);
 * ```
 */
export function upstream(
  script: readonly ScriptedAnswer[],
  options: UpstreamOptions = {},
): ScriptedUpstream {
  const purpose = "make an upstream";
  if (!Array.isArray(script)) throw invalidOption(purpose, "script", "a list of answers", script);
  check(purpose, "script.length", script.length, count);
  for (const answer of script) checkAnswer(purpose, answer);
  checkOptions(purpose, options, UPSTREAM_OPTIONS);
  const delayMs = check(purpose, "delayMs", options.delayMs ?? 0, patience);
  const requests: Request[] = [];
  const streams: Streams = new WeakMap();

  async function call(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const answer = script[Math.min(requests.length, script.length - 1)] as ScriptedAnswer;
    const request = requestFrom(input, init);
    requests.push(request);
    const signal = init?.signal ?? (isRequest(input) ? input.signal : undefined) ?? undefined;
    if (signal?.aborted) throw signal.reason;
    const ownMs = isScripted(answer) ? answer.delayMs : undefined;
    await elapsed(answer === "hang" ? Infinity : ownMs ?? delayMs, signal);
    return await answered(answer, request, streams);
  }

  return Object.defineProperties(call, {
    calls: { get: () => requests.length },
    requests: { get: () => requests },
  }) as ScriptedUpstream;
}

const UPSTREAM_OPTIONS = new Set<keyof UpstreamOptions>(["delayMs"]);
const ANSWER_PARTS = new Set<keyof ScriptedResponse>(["status", "headers", "body", "delayMs"]);

// ---- Requests ----

/** Tells a request by its shape, as other packages have classes of their own. */
function isRequest(input: string | URL | Request): input is Request {
  return typeof input === "object" && "url" in input;
}

function requestFrom(input: string | URL | Request, init: RequestInit | undefined): Request {
  if (!isRequest(input) || input instanceof Request) return new Request(input, init);
  const { url, method, headers, body } = input as Request;
  const parts = { method, headers: new Headers(headers), body, duplex: "half" };
  return new Request(new Request(url, parts), init);
}

// ---- Answers ----

function checkAnswer(purpose: string, answer: unknown): void {
  if (isStatus(answer) || answer === "hang" || answer === "reset") return;
  if (typeof answer === "function") return;
  const mustBe =
    'a status from 200 to 599, "hang", "reset", an Error, an unread Response, a function or a ' +
    "scripted response";
  if (typeof answer !== "object" || answer === null || (answer as Response).bodyUsed) {
    throw invalidOption(purpose, "script", mustBe, answer);
  }
  if (!isScripted(answer as Error | Response | ScriptedResponse)) return;
  checkNames(purpose, answer, ANSWER_PARTS, "script.");
  const { status, body, delayMs } = answer as ScriptedResponse;
  check(purpose, "script.status", status, optional(aStatus));
  check(purpose, "script.delayMs", delayMs, optional(patience));
  if (body instanceof ReadableStream && body.locked) {
    throw invalidOption(purpose, "script.body", "unread", body);
  }
}

function isStatus(value: unknown): value is number {
  return Number.isInteger(value) && value as number >= 200 && value as number <= 599;
}

const aStatus: Rule<number> = { mustBe: "a status from 200 to 599", accepts: isStatus };

function isScripted(answer: ScriptedAnswer): answer is ScriptedResponse {
  return typeof answer === "object" && !(answer instanceof Error) && !isResponse(answer);
}

/** Tells a response by its shape, as other packages have classes of their own. */
function isResponse(answer: object): answer is Response {
  return "clone" in answer;
}

function answered(
  answer: ScriptedAnswer,
  request: Request,
  streams: Streams,
): Response | Promise<Response> {
  if (typeof answer === "number") return new Response(null, { status: answer });
  if (typeof answer === "function") return answer(request);
  if (answer instanceof Error) throw answer;
  if (typeof answer === "string") throw new TypeError("error sending request: connection reset");
  if (isResponse(answer)) return answer.clone();
  const { status = 200, headers = {}, body = null } = answer;
  return new Response(copyOf(body, streams), { status, headers });
}

/** The streams of a script that have been asked for. */
type Streams = WeakMap<ReadableStream, SharedStream>;

function copyOf(body: ScriptedResponse["body"], streams: Streams): ScriptedResponse["body"] {
  if (!(body instanceof ReadableStream)) return body;
  const shared = streams.get(body) ?? new SharedStream(body);
  streams.set(body, shared);
  return shared.copy();
}

/** A stream of the script, which can be read once, for any number of answers. */
class SharedStream {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #pieces: Promise<{ done: boolean; value?: Uint8Array | undefined }>[] = [];

  constructor(stream: ReadableStream) {
    this.#reader = stream.getReader();
  }

  /** Makes a stream of all pieces from the first one on; cancelling it is nothing to the others. */
  copy(): ReadableStream {
    let index = 0;
    const pull = async (copy: ReadableStreamDefaultController) => {
      const { done, value } = await (this.#pieces[index++] ??= this.#reader.read());
      if (done) copy.close();
      else copy.enqueue(value?.slice());
    };
    return new ReadableStream({ pull }, { highWaterMark: 0 });
  }
}

/** Waits for `ms`; rejects with the signal's reason as soon as that aborts. */
function elapsed(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (ms === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = ms === Infinity ? undefined : setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
