import { format as prettyFormat, type NewPlugin } from "npm:@vitest/pretty-format@5.1.2";
import { diffArrays } from "npm:diff@9.0.0";

/** Precedes lines that both values have. */
const SAME = "  ";
/** Texts that differ in more lines are shown one after the other: pairing them would take long. */
const MAX_EDITS = 2_000;

/** Shows errors with their fields and causes. */
const errors: NewPlugin = {
  test: (value) => value instanceof Error,
  serialize(error: Error, config, indent, depth, refs, print) {
    if (refs.includes(error)) return "[Circular]";
    const fields = { ...error, message: error.message, cause: error.cause };
    return `${error.name} ${print(fields, config, indent, depth, [...refs, error])}`;
  },
};

/** Shows the contents of `Headers`, `FormData` and `URLSearchParams`. */
const pairs: NewPlugin = {
  test: (value) => typeof value?.append === "function",
  serialize: (value: Headers, config, indent, depth, refs, print) =>
    `${value.constructor.name} ${print([...value], config, indent, depth, refs)}`,
};

/** Formats a value over several lines with sorted keys, so that two values compare line by line. */
export function format(value: unknown): string {
  return prettyFormat(value, {
    plugins: [errors, pairs],
    printBasicPrototype: false,
    quoteKeys: false,
  });
}

/** Formats both values, with `-` before lines only in `actual` and `+` before those it lacks. */
export function difference(actual: unknown, expected: unknown): string {
  const lines = diffLines(format(actual).split("\n"), format(expected).split("\n"));
  const differ = lines.some((line) => !line.startsWith(SAME));
  const head = differ ? ["- actual", "+ expected"] : ["They differ in what cannot be shown:"];
  return [...head, ...lines].map((line) => `    ${line}`).join("\n");
}

function diffLines(actual: string[], expected: string[]): string[] {
  const parts = diffArrays(actual, expected, { maxEditLength: MAX_EDITS }) ?? [
    { value: actual, removed: true, added: false },
    { value: expected, removed: false, added: true },
  ];
  return parts.flatMap(({ value, removed, added }) =>
    value.map((line) => `${removed ? "- " : added ? "+ " : SAME}${line}`)
  );
}
