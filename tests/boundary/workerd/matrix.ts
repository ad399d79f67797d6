import { serve, type Server } from "../../runtimes/child.ts";
import { WORKERD_DATE, WORKERD_VERSION } from "../../runtimes/runtimes.ts";
import { tool } from "../../runtimes/tool.ts";

/** How a Worker is deployed. */
export interface Deployment {
  readonly name: string;
  readonly date: string;
  readonly flags: readonly string[];
  /** What `navigator.userAgent` says; undefined for what the runtime says. */
  readonly userAgent?: string | undefined;
  /** True if its requests have a signal that aborts when their client leaves. */
  readonly hasRequestSignal: boolean;
}

function deployment(date: string, ...flags: readonly string[]): Deployment {
  const hasRequestSignal = date === WORKERD_DATE && !flags.includes("disable_request_signal");
  return { name: [date, ...flags].join(" "), date, flags, hasRequestSignal };
}

/**
 * The oldest date that is supported, one before br was decoded, and today's, which switches
 * `nodejs_compat` and `enable_request_signal` on: with and without each.
 */
export const MATRIX: readonly Deployment[] = [
  deployment("2023-03-01"),
  deployment("2024-01-01"),
  deployment(WORKERD_DATE),
  deployment(WORKERD_DATE, "no_nodejs_compat"),
  deployment(WORKERD_DATE, "disable_request_signal"),
  deployment(WORKERD_DATE, "no_nodejs_compat", "disable_request_signal"),
  deployment(WORKERD_DATE, "no_global_navigator"),
  {
    ...deployment(WORKERD_DATE),
    name: `${WORKERD_DATE} shimmed navigator`,
    userAgent: "Mozilla/5.0",
  },
];

const LIMIT_MS = 30_000;

/** Starts a Worker in front of an origin. */
export async function start(
  deployment: Deployment,
  folder: string,
  origin: string,
): Promise<Server> {
  const config = `${folder}/${deployment.name.replaceAll(" ", "-")}.capnp`;
  await Deno.writeTextFile(config, configOf(deployment, origin));
  return await serve({
    command: await tool(`workerd@${WORKERD_VERSION}`, "workerd"),
    args: ["serve", "--control-fd=1", config],
    limitMs: LIMIT_MS,
  });
}

/** The configuration, beside which lie `entry.js` and the bundled `app.mjs`. */
function configOf({ date, flags, userAgent }: Deployment, origin: string): string {
  const shim = userAgent === undefined
    ? ""
    : `Object.defineProperty(globalThis, "navigator", { value: { userAgent: "${userAgent}" } });`;
  const { host } = new URL(origin);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "site", worker = (
      modules = [
        (name = "entry", esModule = embed "entry.js"),
        (name = "shim", esModule = ${JSON.stringify(shim)}),
        (name = "app", esModule = embed "app.mjs"),
      ],
      compatibilityDate = "${date}",
      compatibilityFlags = [${flags.map((flag) => `"${flag}"`).join(", ")}],
      bindings = [
        (name = "ORIGIN", text = "${origin}"),
        (name = "SELF", service = "site"),
        (name = "RPC", service = (name = "site", entrypoint = "Rpc")),
        (name = "SITE", service = (name = "site", entrypoint = "Site")),
        (name = "R2", r2Bucket = "origin"),
      ],
      cacheApiOutbound = "origin",
    )),
    (name = "origin", external = (address = "${host}", http = ())),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "site")],
);
`;
}
