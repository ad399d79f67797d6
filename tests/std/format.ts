const INDENT = "  ";
/** Stands before lines that both have. */
const SAME = "  ";
/** Tables for longer texts cost more than they tell. */
const MAX_DIFF_LINES = 2_000;

/** A value over several lines, with keys in order, so that two of them compare line by line. */
export function format(value: unknown): string {
  return show(value, []);
}

/** Both values, with `-` before lines that only `actual` has and `+` before those it lacks. */
export function difference(actual: unknown, expected: unknown): string {
  const lines = diffLines(format(actual).split("\n"), format(expected).split("\n"));
  const differ = lines.some((line) => !line.startsWith(SAME));
  const head = differ ? ["- actual", "+ expected"] : ["They differ in what cannot be shown:"];
  return [...head, ...lines].map((line) => `    ${line}`).join("\n");
}

function show(value: unknown, outer: readonly object[]): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `[Function: ${value.name}]`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value !== "object" || value === null) return String(value);
  if (outer.includes(value)) return "[Circular]";
  return showObject(value, [...outer, value]);
}

function showObject(object: object, outer: readonly object[]): string {
  const name: string = Object.getPrototypeOf(object)?.constructor?.name ?? "";
  const prefix = name === "Object" || name === "Array" || name === "" ? "" : `${name} `;
  if (object instanceof Date) return prefix + (isNaN(+object) ? "NaN" : object.toISOString());
  if (object instanceof RegExp || object instanceof URL) return prefix + String(object);
  if (object instanceof Map) {
    return prefix +
      block("{}", [...object].map(([k, v]) => `${show(k, outer)} => ${show(v, outer)}`));
  }
  const isList = Array.isArray(object) || ArrayBuffer.isView(object);
  const members = isList || !(Symbol.iterator in object)
    ? []
    : Array.from(object as Iterable<unknown>, (member) => show(member, outer));
  return prefix + block(isList ? "[]" : "{}", [...members, ...properties(object, isList, outer)]);
}

function properties(object: object, isList: boolean, outer: readonly object[]): string[] {
  const entries = shownKeys(object).map((key) => {
    const value = show(Reflect.get(object, key), outer);
    if (typeof key === "symbol") return `[${String(key)}]: ${value}`;
    return isList && /^\d+$/.test(key) ? value : `${key}: ${value}`;
  });
  return isList ? entries : entries.sort();
}

function shownKeys(object: object): (string | symbol)[] {
  const keys = Reflect.ownKeys(object).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(object, key) || key === "cause"
  );
  return object instanceof Error ? [...new Set(["name", "message", ...keys])] : keys;
}

function block(brackets: string, entries: readonly string[]): string {
  if (entries.length === 0) return brackets;
  const lines = entries.flatMap((entry) => `${entry},`.split("\n"));
  return [brackets[0], ...lines.map((line) => INDENT + line), brackets[1]].join("\n");
}

/** The longest common subsequence of lines, and what stands between. */
function diffLines(a: readonly string[], b: readonly string[]): string[] {
  if (Math.max(a.length, b.length) > MAX_DIFF_LINES) {
    return [...a.map((line) => `- ${line}`), ...b.map((line) => `+ ${line}`)];
  }
  const common = commonLengths(a, b);
  const result: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      result.push(`${SAME}${a[i]}`);
      i++;
      j++;
    } else if (j >= b.length || i < a.length && common[i + 1]![j]! >= common[i]![j + 1]!) {
      result.push(`- ${a[i++]}`);
    } else {
      result.push(`+ ${b[j++]}`);
    }
  }
  return result;
}

/** How many lines `a` from `i` and `b` from `j` on have in common, as a table. */
function commonLengths(a: readonly string[], b: readonly string[]): number[][] {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i]![j] = a[i] === b[j]
        ? table[i + 1]![j + 1]! + 1
        : Math.max(table[i + 1]![j]!, table[i]![j + 1]!);
    }
  }
  return table;
}
