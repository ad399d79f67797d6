import type { Target } from "./bundle.ts";
import type { Program } from "./child.ts";
import { node, tool } from "./tool.ts";

/** A program that runs the bundled tests. */
export interface Runtime {
  readonly name: string;
  readonly target: Target;
  /** Downloads it, and returns its version. */
  prepare(): Promise<{ readonly version: string; start(file: string): Promise<Program> }>;
}

export const NODE: Target = {
  name: "node",
  platform: "deno",
  conditions: [],
  runner: "script.ts",
  format: "esm",
};
const EDGE: Target = {
  name: "edge",
  platform: "browser",
  conditions: ["edge-light", "worker", "browser"],
  runner: "script.ts",
  format: "iife",
};
export const WORKERD: Target = {
  name: "workerd",
  platform: "browser",
  conditions: ["workerd", "worker", "browser"],
  runner: "worker.ts",
  format: "esm",
};

export const BUN_VERSION = "1.4.5";
const EDGE_VERSION = "4.0.1";
export const WORKERD_VERSION = "1.20261117.1";
/** The newest date that this workerd knows: the date in its version. */
export const WORKERD_DATE = "2026-11-17";

/** Every runtime except Deno, which runs the tests without a bundle. */
export const RUNTIMES: readonly Runtime[] = [
  nodeRuntime(20),
  nodeRuntime(22),
  nodeRuntime(24),
  {
    name: "bun",
    target: NODE,
    async prepare() {
      const command = await tool(`bun@${BUN_VERSION}`, "bun");
      return { version: BUN_VERSION, start: (file) => Promise.resolve({ command, args: [file] }) };
    },
  },
  workerdRuntime("workerd", WORKERD_DATE),
  workerdRuntime("workerd-2025", "2025-01-01"),
  {
    name: "edge-runtime",
    target: EDGE,
    async prepare() {
      const command = await tool(`edge-runtime@${EDGE_VERSION}`, "edge-runtime");
      return { version: EDGE_VERSION, start: (file) => Promise.resolve({ command, args: [file] }) };
    },
  },
];

function nodeRuntime(major: number): Runtime {
  return {
    name: `node${major}`,
    target: NODE,
    async prepare() {
      const { command, version } = await node(major);
      return { version, start: (file) => Promise.resolve({ command, args: [file] }) };
    },
  };
}

function workerdRuntime(name: string, date: string): Runtime {
  return {
    name,
    target: WORKERD,
    async prepare() {
      const command = await tool(`workerd@${WORKERD_VERSION}`, "workerd");
      return {
        version: `${WORKERD_VERSION}, ${date}`,
        async start(file) {
          const config = `${file}.capnp`;
          await Deno.writeTextFile(config, workerdConfig(file, date));
          return { command, args: ["test", config] };
        },
      };
    },
  };
}

function workerdConfig(file: string, date: string): string {
  const name = file.slice(file.lastIndexOf("/") + 1);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(
    name = "suite",
    worker = (
      modules = [(name = "${name}", esModule = embed "${name}")],
      compatibilityDate = "${date}",
      bindings = [(name = "SELF", service = "suite")],
      globalOutbound = "suite",
    ),
  )],
);
`;
}

/** Writes the configuration as `wrangler deploy` would, with the upstream on this machine. */
export function servingConfig(file: string, upstream: string): string {
  const name = file.slice(file.lastIndexOf("/") + 1);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (
      name = "app",
      worker = (
        modules = [(name = "${name}", esModule = embed "${name}")],
        compatibilityDate = "${WORKERD_DATE}",
        bindings = [(name = "UPSTREAM", text = "${upstream}")],
      ),
    ),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "app")],
);
`;
}
