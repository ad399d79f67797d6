import type { BreakerEvent } from "./events.ts";

/**
 * Makes a listener that writes one readable line for each change of state, each last good response
 * that is served, each would-be refusal and each error in a callback. It leaves out the query, the
 * fragment and the credentials of every URL: tokens live there.
 *
 * @param console Where to write: the console, or anything that has its `log`.
 * @returns A listener for the option `onEvent`.
 *
 * @example Watching a breaker
 * ```ts
 * import { Circuit, logTo } from "@lastgood/breaker";
 * import { assertEquals } from "@std/assert";
 *
 * const lines: string[] = [];
 * const circuit = new Circuit({ onEvent: logTo({ log: (line) => lines.push(line) }) });
 *
 * circuit.trip("the upstream is being moved");
 *
 * assertEquals(lines, [
 *   "[circuit] Changed state from closed to open: the upstream is being moved; retry after 60 secs",
 * ]);
 * ```
 */
export function logTo(console: { log(line: string): unknown }): (event: BreakerEvent) => void {
  return (event) => {
    const line = lineFor(event);
    if (line === undefined) return;
    console.log(oneLine(`[${withoutSecrets(event.circuit)}] ${withoutSecrets(line)}`));
  };
}

function lineFor(event: BreakerEvent): string | undefined {
  switch (event.type) {
    case "state": {
      const until = event.retryAfterMs === 0 || event.retryAfterMs === Infinity
        ? ""
        : `; retry after ${Math.ceil(event.retryAfterMs / 1_000)} secs`;
      return `Changed state from ${event.from} to ${event.to}: ${event.reason}${until}`;
    }
    case "stale":
      return `Served the last good response, ${
        Math.floor(event.ageMs / 1_000)
      } secs old (${event.why}): ${event.url}`;
    case "would_refuse":
      return "Would refuse calls now (mode observe)";
    case "error":
      return `Error in ${event.source}: ${inWords(event.error)}`;
    case "success":
    case "failure":
    case "ignored":
    case "refused":
    case "probe":
    case "kept":
    case "not_kept":
    case "removed":
    case "fresh":
    case "evicted":
      return undefined;
  }
}

/** Anything can be thrown, even what cannot be turned into a string. */
function inWords(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "something that has no words";
  }
}

/** Leaves out what may be secret in the URLs of a text, also of a name or an error's message (N8). */
function withoutSecrets(text: string): string {
  return text.replace(/\S+/g, (word) => {
    const isUrl = word.includes("://");
    const end = isUrl ? word.search(/[?#]/) : word.indexOf("?");
    // Without a scheme, a path or a value shows that it is no end of a question.
    const isCut = isUrl || word.lastIndexOf("/", end) >= 0 || word.indexOf("=", end) >= 0;
    const rest = end >= 0 && isCut ? word.slice(0, end) : word;
    return isUrl ? rest.replace(/:\/\/[^/]*@/g, "://") : rest;
  });
}

/** Names, URLs and errors come from outside: none of them may forge a second line. */
function oneLine(line: string): string {
  // deno-lint-ignore no-control-regex
  return line.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, " ");
}
