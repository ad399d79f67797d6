import { assertEquals, assertNotEquals } from "@std/assert";
import config from "../deno.json" with { type: "json" };

/** Every room may import these: they know neither half. */
const SHARED = [
  "src/errors.ts",
  "src/observe/events.ts",
  "src/option_names.ts",
  "src/runtime.ts",
  "src/validation.ts",
];

/**
 * Who may import whom, from the top down. The first line that matches a file is the file's line.
 * `folder/` matches everything below a folder, `folder/*` only its own files.
 */
const PICTURE: readonly (readonly [files: string[], mayImport: string[]])[] = [
  [["mod.ts"], ["src/"]],
  // An adapter knows how to call the breaker, and no more.
  [["src/adapters/"], ["src/adapters/", "src/breaker.ts", "src/http/", ...SHARED]],
  // Options in, three ways to make a call out: here both halves and the guard are put together.
  [["src/breaker.ts"], ["src/circuit/", "src/last_good/", "src/guard/", "src/http/", ...SHARED]],
  // THE GUARD: the only room that knows both halves.
  [["src/guard/"], ["src/guard/", "src/circuit/", "src/last_good/", "src/http/", ...SHARED]],
  // WHEN to stop calling: knows no requests, responses or servers.
  [["src/circuit/"], ["src/circuit/", ...SHARED]],
  // WHAT to serve instead: knows responses, but no circuits. Only its order of eviction knows the LRU library.
  [["src/last_good/rules/"], ["src/last_good/", "src/http/", "src/observe/events.ts"]],
  [["src/last_good/eviction_order.ts"], ["src/last_good/", "src/http/", ...SHARED, "lru-cache"]],
  [["src/last_good/"], ["src/last_good/", "src/http/", ...SHARED]],
  // The RFCs' grammar: parsers that know only text and bytes.
  [["src/http/raw_answer.ts"], ["src/runtime.ts"]],
  [["src/http/"], ["src/http/"]],
  // The events, and who listens to them.
  [["src/observe/"], ["src/observe/"]],
  [["src/testing.ts"], ["src/option_names.ts", "src/validation.ts"]],
  [["src/validation.ts"], ["src/option_names.ts"]],
  [["src/"], []],
];

/** The modules that users import. They are at the top: no file of ours imports them. */
const ENTRIES = Object.values(config.exports).map((path) => path.replace("./", ""));

/** The one file that may ask where the code runs, and the names that reveal it. */
const HOST = "src/runtime.ts";
const HOST_NAMES = ["Bun", "Deno", "EdgeRuntime", "navigator", "process"];

/** A circuit must not know HTTP: it stops calls of any kind. */
const HTTP_NAMES = ["Headers", "Request", "Response", "fetch"];

/** Names that only Node has. */
const NODE_NAMES = ["Buffer", "__dirname", "__filename", "require"];

interface Source {
  readonly path: string;
  readonly imports: Import[];
  /** Every identifier, and every string literal, which could be one. */
  readonly names: Set<string>;
  /** Exports without a name. */
  readonly nameless: string[];
}

interface Import {
  /** A path from the root of the project, or the specifier of an external module. */
  readonly target: string;
  readonly typeOnly: boolean;
}

const ROOT = new URL("../", import.meta.url);
const SOURCES = await Promise.all([...await filesBelow("src/"), "mod.ts"].sort().map(read));

Deno.test("architecture: every line of the picture matches a file", () => {
  const about = SOURCES.map(({ path }) => lineFor(path));

  assertEquals(PICTURE.filter((line) => !about.includes(line)), []);
  for (const path of PICTURE.flatMap(([files]) => files).filter((path) => path.endsWith(".ts"))) {
    assertNotEquals(SOURCES.find((source) => source.path === path), undefined, path);
  }
});

Deno.test("architecture: files import only what the picture allows", () => {
  const wrong = importsOf(SOURCES).filter(({ from, target }) =>
    !lineFor(from)?.[1].some((pattern) => fits(target, pattern))
  );

  assertEquals(wrong.map(arrow), []);
});

Deno.test("architecture: no file imports a module that users import", () => {
  const wrong = importsOf(SOURCES).filter(({ target }) => ENTRIES.includes(target));

  assertEquals(wrong.map(arrow), []);
});

Deno.test("architecture: imports are acyclic, except for types", () => {
  const next = new Map(SOURCES.map(({ path, imports }) => [
    path,
    imports.filter(({ typeOnly }) => !typeOnly).map(({ target }) => target),
  ]));

  const circles = SOURCES.flatMap(({ path }) => pathBack(path, next) ?? []);

  assertEquals(circles, []);
});

Deno.test("architecture: only runtime.ts asks where the code runs", () => {
  assertEquals(usesOf(HOST_NAMES).filter(({ path }) => path !== HOST), []);
});

Deno.test("architecture: circuits know no requests or responses", () => {
  const uses = usesOf(HTTP_NAMES).filter(({ path }) => path.startsWith("src/circuit/"));

  assertEquals(uses, []);
});

Deno.test("architecture: rules are pure and import only types from rooms other than http", () => {
  const rules = SOURCES.filter(({ path }) => path.startsWith("src/last_good/rules/"));

  const taken = rules.flatMap(({ path, imports }) =>
    imports.filter(({ typeOnly }) => !typeOnly).map(({ target }) => ({ from: path, target }))
  );

  const isPure = ({ target }: { target: string }) =>
    fits(target, "src/last_good/rules/") || fits(target, "src/http/");
  assertEquals(taken.filter((it) => !isPure(it)).map(arrow), []);
});

Deno.test("architecture: no file uses what only Node has", () => {
  assertEquals(usesOf(NODE_NAMES), []);
  assertEquals(importsOf(SOURCES).filter(({ target }) => target.startsWith("node:")), []);
});

Deno.test("architecture: every export is named", () => {
  assertEquals(SOURCES.flatMap(({ path, nameless }) => nameless.map((it) => `${path}: ${it}`)), []);
});

function lineFor(path: string): (typeof PICTURE)[number] | undefined {
  return PICTURE.find(([files]) => files.some((pattern) => fits(path, pattern)));
}

function fits(path: string, pattern: string): boolean {
  if (pattern.endsWith("/")) return path.startsWith(pattern);
  if (!pattern.endsWith("*")) return path === pattern;
  const folder = pattern.slice(0, -1);
  return path.startsWith(folder) && !path.slice(folder.length).includes("/");
}

function importsOf(sources: readonly Source[]): { from: string; target: string }[] {
  return sources.flatMap(({ path, imports }) =>
    imports.map(({ target }) => ({ from: path, target }))
  );
}

function arrow({ from, target }: { from: string; target: string }): string {
  return `${from} -> ${target}`;
}

function usesOf(names: readonly string[]): { path: string; name: string }[] {
  return SOURCES.flatMap((source) =>
    names.filter((name) => source.names.has(name)).map((name) => ({ path: source.path, name }))
  );
}

/** Finds a chain of imports that leads back to its start. */
function pathBack(
  start: string,
  next: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const ways = [[start]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const target of next.get(way.at(-1)!) ?? []) {
      if (target === start) return [...way, target].join(" -> ");
      if (!seen.has(target)) ways.push([...way, target]);
      seen.add(target);
    }
  }
  return undefined;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(new URL(folder, ROOT)));
  const found = await Promise.all(entries.map(({ name, isDirectory }) => {
    if (isDirectory) return filesBelow(`${folder}${name}/`);
    return name.endsWith(".ts") ? [folder + name] : [];
  }));
  return found.flat();
}

/** Reads a file's syntax tree, so that comments and prose do not count. */
async function read(path: string): Promise<Source> {
  const text = await Deno.readTextFile(new URL(path, ROOT));
  const source: Source = {
    path,
    imports: [],
    names: new Set(),
    nameless: [],
  };
  const note = (specifier: string, typeOnly: boolean) =>
    source.imports.push({ target: targetOf(specifier, path), typeOnly });

  const visitor: Deno.lint.LintVisitor = {
    ImportDeclaration({ source: { value }, importKind, specifiers }) {
      const areTypes = specifiers.length > 0 &&
        specifiers.every((it) => it.type === "ImportSpecifier" && it.importKind === "type");
      note(value, importKind === "type" || areTypes);
    },
    ExportNamedDeclaration({ source: from, exportKind }) {
      if (from) note(from.value, exportKind === "type");
    },
    ExportAllDeclaration({ source: { value } }) {
      note(value, false);
      source.nameless.push(`export * from "${value}"`);
    },
    ExportDefaultDeclaration() {
      source.nameless.push("export default");
    },
    ExportSpecifier({ exported }) {
      if (exported.type === "Identifier" && exported.name === "default") {
        source.nameless.push("export { … as default }");
      }
    },
    ImportExpression({ source: from }) {
      note(from.type === "Literal" ? String(from.value) : "import(…)", false);
    },
    Identifier({ name }) {
      source.names.add(name);
    },
    TSImportType({ argument }) {
      if (argument.type !== "TSLiteralType" || argument.literal.type !== "Literal") return;
      note(String(argument.literal.value), true);
    },
    Literal({ value }) {
      source.names.add(String(value));
    },
  };
  const rules = { look: { create: () => visitor } };
  Deno.lint.runPlugin({ name: "architecture", rules }, path, text);
  return source;
}

function targetOf(specifier: string, path: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return new URL(specifier, new URL(path, ROOT)).href.slice(ROOT.href.length);
}
