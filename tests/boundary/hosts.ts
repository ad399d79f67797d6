import type { Program } from "../runtimes/child.ts";
import { BUN_VERSION } from "../runtimes/runtimes.ts";
import { node, tool } from "../runtimes/tool.ts";

/** A host whose own servers, clients and requests the cases meet. */
export interface Host {
  readonly name: string;
  /** Downloads it, and returns its version and how it runs a module. */
  prepare(): Promise<{ readonly version: string; start(file: string): Program }>;
}

/** All hosts but Workers. Each runs the same cases, but for those that name one host. */
export const HOSTS: readonly Host[] = [
  {
    name: "deno",
    prepare: () =>
      Promise.resolve({
        version: Deno.version.deno,
        start: (file) => ({
          command: Deno.execPath(),
          args: [
            "run",
            "-A",
            // Like a user without a deno.json, with packages from node_modules.
            ...["--no-config", "--node-modules-dir=manual", "--v8-flags=--expose-gc"],
            file,
          ],
        }),
      }),
  },
  nodeHost(20),
  nodeHost(24),
  {
    name: "bun",
    async prepare() {
      const command = await tool(`bun@${BUN_VERSION}`, "bun");
      return { version: BUN_VERSION, start: (file) => ({ command, args: [file] }) };
    },
  },
];

function nodeHost(major: number): Host {
  return {
    name: `node${major}`,
    async prepare() {
      const { command, version } = await node(major);
      return { version, start: (file) => ({ command, args: ["--expose-gc", file] }) };
    },
  };
}
