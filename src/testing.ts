/**
 * For testing apps that use a breaker: an upstream that answers as a script says.
 *
 * @module
 */

import { check, count, duration, invalidOption, optional, type Rule } from "./validation.ts";

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
  const delayMs = check(purpose, "delayMs", options.delayMs ?? 0, duration);
  const requests: Request[] = [];

  async function call(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const answer = script[Math.min(requests.length, script.length - 1)] as ScriptedAnswer;
    const request = new Request(input, init);
    requests.push(request);
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    signal?.throwIfAborted();
    const ownMs = isScripted(answer) ? answer.delayMs : undefined;
    await elapsed(answer === "hang" ? Infinity : ownMs ?? delayMs, signal ?? undefined);
    return await answered(answer, request);
  }

  return Object.defineProperties(call, {
    calls: { get: () => requests.length },
    requests: { get: () => requests },
  }) as ScriptedUpstream;
}

function checkAnswer(purpose: string, answer: unknown): void {
  if (isStatus(answer) || answer === "hang" || answer === "reset") return;
  if (typeof answer === "function") return;
  const mustBe =
    'a status from 200 to 599, "hang", "reset", an Error, a Response, a function or a ' +
    "scripted response";
  if (typeof answer !== "object" || answer === null) {
    throw invalidOption(purpose, "script", mustBe, answer);
  }
  if (!isScripted(answer as Error | Response | ScriptedResponse)) return;
  const { status, delayMs } = answer as ScriptedResponse;
  check(purpose, "script.status", status, optional(aStatus));
  check(purpose, "script.delayMs", delayMs, optional(duration));
}

function isStatus(value: unknown): value is number {
  return Number.isInteger(value) && value as number >= 200 && value as number <= 599;
}

const aStatus: Rule<number> = { mustBe: "a status from 200 to 599", accepts: isStatus };

function isScripted(answer: ScriptedAnswer): answer is ScriptedResponse {
  return typeof answer === "object" && !(answer instanceof Error) && !(answer instanceof Response);
}

function answered(
  answer: ScriptedAnswer,
  request: Request,
): Response | Promise<Response> {
  if (typeof answer === "number") return new Response(null, { status: answer });
  if (typeof answer === "function") return answer(request);
  if (answer instanceof Error) throw answer;
  if (answer instanceof Response) return answer.clone();
  if (typeof answer === "string") throw new TypeError("error sending request: connection reset");
  const { status = 200, headers = {}, body = null } = answer;
  return new Response(body, { status, headers });
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
