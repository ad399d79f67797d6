/** Judges the sizes of bundles against those that the commits before have said they need. */

const WRITE = "npx -y deno@2.9 run -A tests/pack/size.ts --write";
/** A bundle may be smaller by this share before size.json must follow. */
const SLACK = 0.005;
/** Another version of zlib may compress worse by this share. */
const OTHER_GZIP = 0.005;

/** The sizes of one bundle, in bytes. */
export interface Size {
  readonly minified: number;
  readonly gzip: number;
}

/** Says what is wrong with a size; undefined if it is as it was. */
export function complaint(name: string, now: Size, allowed: Size | undefined): string | undefined {
  if (allowed === undefined) return `${name} is not in size.json. Run\n  ${WRITE}`;
  const grown = (["minified", "gzip"] as const).filter((kind) =>
    now[kind] > allowed[kind] * (1 + (kind === "gzip" ? OTHER_GZIP : 0))
  );
  if (grown.length > 0) {
    const by = grown.map((kind) => `${count(now[kind] - allowed[kind])} bytes ${kind}`).join(", ");
    return `${name} has grown by ${by} over size.json. If it is worth that, run\n  ${WRITE}\n` +
      "and say in the commit what the bytes are for";
  }
  const saved = allowed.minified - now.minified;
  if (saved <= allowed.minified * SLACK) return undefined;
  return `${name} has ${count(saved)} bytes less than in size.json. So that it stays like this, ` +
    `run\n  ${WRITE}`;
}

/** Formats a number of bytes. */
export function count(bytes: number): string {
  return bytes.toLocaleString("en");
}
