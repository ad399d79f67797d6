import { bundleEntry, lower, type Target } from "../bundle.ts";
import { type Program, serve, type Server } from "../child.ts";
import type { Result } from "../result.ts";
import {
  BUN_VERSION,
  NODE,
  servingConfig,
  WORKERD,
  WORKERD_DATE,
  WORKERD_VERSION,
} from "../runtimes.ts";
import { node, tool } from "../tool.ts";
import { type Deployed, OUTAGE } from "./outage.ts";
import { startUpstream } from "./upstream.ts";

/** A platform on which users deploy the Worker from the examples. */
export interface Deployment {
  readonly name: string;
  /** Prepares it in a folder, ready to start. */
  prepare(folder: string): Promise<{ readonly version: string; readonly program: Prepared }>;
}

/** Starts it in front of an upstream. */
type Prepared = (upstream: string) => Program | Promise<Program>;

const LIMIT_MS = 20_000;

/** Every platform, with the app from the same file. */
export const DEPLOYMENTS: readonly Deployment[] = [
  {
    name: "app-deno",
    prepare: () =>
      Promise.resolve({
        version: Deno.version.deno,
        program: () => ({
          command: Deno.execPath(),
          args: [
            "serve",
            "-A",
            "--no-check",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            here("clocked.ts"),
          ],
        }),
      }),
  },
  {
    name: "app-bun",
    async prepare(folder) {
      const [command, file] = [
        await tool(`bun@${BUN_VERSION}`, "bun"),
        await made("bun", NODE, folder),
      ];
      return { version: BUN_VERSION, program: () => ({ command, args: [file] }) };
    },
  },
  ...[20, 22, 24].map((major): Deployment => ({
    name: `app-node${major}`,
    async prepare(folder) {
      const { command, version } = await node(major);
      const file = await made("node", NODE, folder);
      return { version, program: () => ({ command, args: [file] }) };
    },
  })),
  {
    name: "app-workerd",
    async prepare(folder) {
      const command = await tool(`workerd@${WORKERD_VERSION}`, "workerd");
      const file = await made("clocked", WORKERD, folder);
      return {
        version: `${WORKERD_VERSION}, ${WORKERD_DATE}`,
        async program(upstream) {
          const config = `${file}.capnp`;
          await Deno.writeTextFile(config, servingConfig(file, upstream));
          return { command, args: ["serve", "--control-fd=1", config] };
        },
      };
    },
  },
];

/** Deploys the app, and plays an outage of its upstream. */
export async function appResult({ name, prepare }: Deployment, folder: string): Promise<Result> {
  const { version, program } = await prepare(folder);
  await using upstream = startUpstream();
  const startedAt = performance.now();
  await using server = await serve({
    ...await program(upstream.url),
    env: { UPSTREAM: upstream.url },
    limitMs: LIMIT_MS,
  });
  const problems = await goThrough({ url: server.url, upstream, aheadMs: 0 }, server);
  const own = Object.keys(OUTAGE).length;
  return {
    runtime: name,
    version,
    portable: undefined,
    own,
    passed: own - problems.length,
    failed: problems.length,
    leftOut: 0,
    ms: Math.round(performance.now() - startedAt),
    problems,
  };
}

async function goThrough(deployed: Deployed, server: Server): Promise<string[]> {
  const problems: string[] = [];
  for (const [name, step] of Object.entries(OUTAGE)) {
    try {
      await step(deployed);
    } catch (error) {
      problems.push(`failed: ${name}\n${error}\n${server.printed()}`);
    }
  }
  return problems;
}

const files = new Map<string, Promise<string>>();

/** Makes one module of an entry in this folder, in a form that the runtime can read. */
function made(entry: string, target: Target, folder: string): Promise<string> {
  const known = files.get(entry) ?? make(entry, target, folder);
  files.set(entry, known);
  return known;
}

async function make(entry: string, target: Target, folder: string): Promise<string> {
  const file = `${folder}/app-${entry}.mjs`;
  const bundled = await bundleEntry(
    { ...target, name: `app-${entry}` },
    here(`${entry}.ts`),
    folder,
  );
  await lower(bundled, file, "esm", []);
  return file;
}

function here(name: string): string {
  return new URL(name, import.meta.url).href;
}
