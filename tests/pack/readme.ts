/**
 * Makes npm's README from README.md. What only Deno has stands there between `<!-- deno -->` and
 * `<!-- /deno -->`, each on a line of its own.
 */

const MARKED = /^<!-- deno -->\n[^]*?^<!-- \/deno -->\n+/gm;
/** A Markdown link to a file or folder of the repository: neither an anchor nor a URL. */
const RELATIVE_LINK = /\]\((?!#|\/\/|[a-z][a-z+.-]*:)([^)\s]+)\)/g;

/** What npm's README must not contain, by what it is called in an error. */
const LEFTOVERS: Readonly<Record<string, RegExp>> = {
  "a mark": /<!-- \/?deno -->/,
  "a specifier": /\b(?:npm|jsr):(?=[@\w])/,
  "a module from JSR": /@std\//,
  "a deno command": /\bdeno(?:@[\d.]+)? (?:add|bench|check|install|run|serve|task|test)\b/,
  "a relative link": RELATIVE_LINK,
};

/**
 * README.md as npm shows it: without what is marked for Deno, with links into the repository.
 *
 * @param repository The address of the repository, without a slash at its end.
 */
export function npmReadme(text: string, repository: string): string {
  return text
    .replace(MARKED, "")
    .replace(RELATIVE_LINK, (_link, path: string) => {
      const kind = path.endsWith("/") ? "tree" : "blob";
      return `](${repository}/${kind}/main/${path.replace(/^\.?\//, "").replace(/\/$/, "")})`;
    });
}

/** The lines of npm's README that make sense on Deno or in the repository alone, with the reason. */
export function leftovers(readme: string): string[] {
  return readme.split("\n").flatMap((line, index) =>
    Object.entries(LEFTOVERS)
      .filter(([, pattern]) => line.search(pattern) !== -1)
      .map(([what]) => `line ${index + 1}: ${what}: ${line}`)
  );
}

/** The TypeScript code blocks of a Markdown text. */
export function snippets(text: string): string[] {
  return [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code!);
}
