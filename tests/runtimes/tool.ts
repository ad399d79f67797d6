import { output } from "./child.ts";

const LIMIT_MS = 120_000;
const found = new Map<string, Promise<string>>();

/** Finds the path of a program from npm; downloads the program if it is missing. */
export function tool(spec: string, name: string): Promise<string> {
  const known = found.get(spec) ?? fetched(spec, name);
  found.set(spec, known);
  return known;
}

/** Finds a major version of Node: the installed one if it matches. */
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
  // Get the path rather than run through npx, so that the program itself can be killed.
  const args = ["--yes", "--package", spec, "--call", `command -v ${name}`];
  // Run outside the project, whose own packages would take precedence.
  return output({ command: "npx", args, cwd: "/", limitMs: LIMIT_MS });
}
