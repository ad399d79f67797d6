import { output } from "./child.ts";

const LIMIT_MS = 120_000;
const found = new Map<string, Promise<string>>();

/** The path of a program from npm, fetched if it is not there yet. */
export function tool(spec: string, name: string): Promise<string> {
  const known = found.get(spec) ?? fetched(spec, name);
  found.set(spec, known);
  return known;
}

/** Node in a major version: the machine's own if it is that one. */
export async function node(
  major: number,
): Promise<{ readonly command: string; readonly version: string }> {
  const own = await nodeVersion("node");
  if (own.startsWith(`${major}.`)) return { command: "node", version: own };
  const command = await tool(`node@${major}`, "node");
  return { command, version: await nodeVersion(command) };
}

async function nodeVersion(command: string): Promise<string> {
  return (await output({ command, args: ["--version"], limitMs: LIMIT_MS })).slice(1);
}

function fetched(spec: string, name: string): Promise<string> {
  // The path, and not npx itself, so that what is started can also be ended.
  const args = ["--yes", "--package", spec, "--call", `command -v ${name}`];
  // Elsewhere than in a project, whose own packages would come first.
  return output({ command: "npx", args, cwd: "/", limitMs: LIMIT_MS });
}
