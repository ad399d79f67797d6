/**
 * Makes npm's README from README.md. Parts for Deno only are between `<!-- deno -->` and
 * `<!-- /deno -->`, each on a separate line.
 */

const MARKED = /^<!-- deno -->\n[^]*?^<!-- \/deno -->\n+/gm;
/** A Markdown link to a file or folder of the repository: neither an anchor nor a URL. */
const RELATIVE_LINK = /\]\((?!#|\/\/|[a-z][a-z+.-]*:)([^)\s]+)\)/g;

/** Patterns that npm's README must not contain, by their names in an error. */
const LEFTOVERS: Readonly<Record<string, RegExp>> = {
  "a mark": /<!-- \/?deno -->/,
  "a specifier": /\b(?:npm|jsr):(?=[@\w])/,
  "a module from JSR": /@std\//,
  "a deno command": /\bdeno(?:@[\d.]+)? (?:add|bench|check|install|run|serve|task|test)\b/,
  "an API of Deno": /\bDeno\.\w/,
  "a relative link": RELATIVE_LINK,
};

/**
 * Makes npm's version of README.md: without the parts for Deno, with links into the repository.
 *
 * @param repository The repository's address, without a trailing slash.
 */
export function npmReadme(text: string, repository: string): string {
  return text
    .replace(MARKED, "")
    .replace(RELATIVE_LINK, (_link, path: string) => {
      const kind = path.endsWith("/") ? "tree" : "blob";
      return `](${repository}/${kind}/main/${path.replace(/^\.?\//, "").replace(/\/$/, "")})`;
    });
}

/** Finds lines in npm's README that make sense only on Deno or in the repository, with reasons. */
export function leftovers(readme: string): string[] {
  return readme.split("\n").flatMap((line, index) =>
    Object.entries(LEFTOVERS)
      .filter(([, pattern]) => line.search(pattern) !== -1)
      .map(([what]) => `line ${index + 1}: ${what}: ${line}`)
  );
}

/** Extracts the TypeScript code blocks from Markdown. */
export function snippets(text: string): string[] {
  return [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code!);
}
