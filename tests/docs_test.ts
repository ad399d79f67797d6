/**
 * Checks the rules and promises in `docs/` against the numbers that `src/`, `tests/` and `docs/`
 * cite.
 *
 * - `docs/rules.md` defines a rule by a heading: `### S17 What removes a copy`.
 * - `docs/promises.md` defines a promise: `### Promise 26: Retry-After, theirs and ours`.
 * - A paragraph that begins with `**Still to come (0.2):**` lists what is not done yet. If it goes
 *   on with "all of it", no part of the rule is done, and no test may name it.
 * - Prose and comments cite a rule by its number alone (S17), and a promise with the word: "promise
 *   26", "promises 24 and 25".
 * - A test's name begins with the numbers it tests, where a bare number is a promise ("S3, S4: …",
 *   "26: …", "S3 to S16: …"), or ends with them: "… (S13)", "… (promise 5)". A number inside a
 *   sentence does not count: it may be Amazon's S3.
 */

import { assertEquals } from "@std/assert";

interface Definition {
  /** "S17", or "promise 26". */
  readonly id: string;
  readonly isStillToCome: boolean;
}

interface File {
  /** Relative to the project's root. */
  readonly path: string;
  readonly text: string;
}

interface Citation {
  readonly id: string;
  /** Path and line. */
  readonly place: string;
}

const ROOT = new URL("../", import.meta.url);

/** Tests of tests: the numbers in them are not the project's promises. */
const ASIDE = ["tests/bench/", "tests/docs_test.ts", "tests/std/"];

const RULE = String.raw`[SKFHN]\d{1,2}b?`;
/** A space, or a line break within a comment. */
const GAP = String.raw`(?: |\n *(?:\* |// )?)`;
const LIST = String.raw`(?:, | and |, and | to )`;

const HEADING = new RegExp(String.raw`^### (?:(${RULE}) |Promise (\d+): )(?=\S)`);
const MARK = /^[\s*_>-]*still to come/i;
const WELL_FORMED_MARK = /^\*\*Still to come \(\d+\.\d+\):\*\* (all of it[.;])?/;

/** In any text. */
const CITED_RULE = new RegExp(String.raw`\b${RULE}\b`, "g");
const CITED_PROMISES = new RegExp(String.raw`\bpromises?${GAP}(\d+(?:${LIST}\d+)*)`, "gi");

/** In a test's name, next to its opening or closing quotation mark. */
const NUMBER = String.raw`(?:${RULE}|\d{1,2})`;
const NAME_BEGINS = new RegExp(String.raw`["'\`](${NUMBER}(?:${LIST}${NUMBER})*): `, "g");
const NAME_ENDS = new RegExp(
  String.raw`\(((?:promises? \d+|${RULE})(?:${LIST}(?:promises? \d+|${NUMBER}))*)\)["'\`]`,
  "g",
);

const DOCS = ["docs/promises.md", "docs/rules.md"];
const paragraphs = (await Promise.all(DOCS.map(read))).flatMap(paragraphsOf);
const definitions = definitionsIn(paragraphs);
const files = (await Promise.all(["docs/", "src/", "tests/"].map(filesBelow))).flat()
  .filter((path) => !ASIDE.some((aside) => path.startsWith(aside)));
const texts: File[] = await Promise.all(
  files.sort().map(async (path) => ({ path, text: await read(path) })),
);
const tested = texts.filter(({ path }) => path.endsWith("_test.ts")).flatMap(testedIn);

Deno.test("docs: every rule and promise is defined once", () => {
  const ids = definitions.map(({ id }) => id);

  assertEquals(ids.filter((id, index) => ids.indexOf(id) !== index), []);
  assertEquals(definitions.length > 0, true);
});

Deno.test("docs: every cited number is defined", () => {
  const known = new Set(definitions.map(({ id }) => id));

  const unknown = texts.flatMap(citationsIn).filter(({ id }) => !known.has(id));

  assertEquals([...new Set(unknown.map(({ id, place }) => `${id} in ${place}`))], []);
});

Deno.test("docs: every rule and promise has a test that names it", () => {
  const named = new Set(tested.map(({ id }) => id));

  const untested = definitions.filter(({ id, isStillToCome }) => !isStillToCome && !named.has(id));

  assertEquals(untested.map(({ id }) => `${id} has no test`), []);
});

Deno.test("docs: no rule with a test is wholly still to come", () => {
  const toCome = new Set(definitions.filter((it) => it.isStillToCome).map(({ id }) => id));

  const done = tested.filter(({ id }) => toCome.has(id));

  assertEquals(done.map(({ id, place }) => `${id} in ${place}, but all of it is to come`), []);
});

Deno.test("docs: every still-to-come mark is well-formed", () => {
  const marks = paragraphs.filter((text) => MARK.test(text));

  assertEquals(marks.filter((text) => !WELL_FORMED_MARK.test(text)), []);
});

Deno.test("docs: every function and file that how-it-works.md names exists", async () => {
  const page = await read("docs/how-it-works.md");
  const sources = texts.filter(({ path }) => path.startsWith("src/"));

  const functions = [...page.matchAll(/\b(\w+)\(\)/g)].map(([, name]) => name!);
  const paths = [...page.matchAll(/\b[\w/]+\.ts\b/g)].map(([path]) => path);

  const isDefined = (name: string) => {
    const definition = new RegExp(String.raw`\b${name}(?:<[^(]*>)?\(`);
    return sources.some(({ text }) => definition.test(text));
  };
  assertEquals(functions.filter((name) => !isDefined(name)), []);
  const known = ["mod.ts", ...texts.map(({ path }) => path)];
  const isThere = (path: string) => known.some((one) => `/${one}`.endsWith(`/${path}`));
  assertEquals(paths.filter((path) => !isThere(path)), []);
  assertEquals(functions.length > 0 && paths.length > 0, true);
});

function paragraphsOf(text: string): string[] {
  return text.split(/\n\n+/);
}

function definitionsIn(paragraphs: readonly string[]): Definition[] {
  const found: { id: string; isStillToCome: boolean }[] = [];
  let current: { id: string; isStillToCome: boolean } | undefined;
  for (const paragraph of paragraphs) {
    if (paragraph.startsWith("#")) {
      const [, rule, promise] = HEADING.exec(paragraph) ?? [];
      const id = rule ?? (promise && `promise ${promise}`);
      current = id === undefined ? undefined : { id, isStillToCome: false };
      if (current !== undefined) found.push(current);
    } else if (current !== undefined && WELL_FORMED_MARK.exec(paragraph)?.[1] !== undefined) {
      current.isStillToCome = true;
    }
  }
  return found;
}

/** Finds all numbers that a file cites: in prose and comments, and at either end of test names. */
function citationsIn(file: File): Citation[] {
  return [
    ...matchesIn(file, CITED_RULE).map(({ text, place }) => ({ id: text, place })),
    ...[CITED_PROMISES, NAME_BEGINS, NAME_ENDS].flatMap((pattern) =>
      matchesIn(file, pattern).flatMap(idsIn)
    ),
  ];
}

/** Finds the numbers that test names claim. A range does not count: one test cannot cover it. */
function testedIn(file: File): Citation[] {
  return [NAME_BEGINS, NAME_ENDS]
    .flatMap((pattern) => matchesIn(file, pattern))
    .filter(({ text }) => !text.includes(" to "))
    .flatMap(idsIn);
}

/** Finds a pattern's group, or the whole match if it has none. */
function matchesIn({ path, text }: File, pattern: RegExp): { text: string; place: string }[] {
  return [...text.matchAll(pattern)].map((match) => ({
    text: match[1] ?? match[0],
    place: `${path}:${text.slice(0, match.index).split("\n").length}`,
  }));
}

/** A bare number is a promise. */
function idsIn({ text, place }: { text: string; place: string }): Citation[] {
  return [...text.matchAll(new RegExp(NUMBER, "g"))]
    .map(([id]) => ({ id: /^\d/.test(id) ? `promise ${Number(id)}` : id, place }));
}

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(new URL(folder, ROOT)));
  const found = await Promise.all(entries.map(({ name, isDirectory }) => {
    if (isDirectory) return filesBelow(`${folder}${name}/`);
    return /\.(ts|md)$/.test(name) ? [folder + name] : [];
  }));
  return found.flat();
}
