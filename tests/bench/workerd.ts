/** What workerd itself lets measure from outside: when the first byte of a slow body comes. */
import { serve } from "../runtimes/child.ts";
import { WORKERD_DATE, WORKERD_VERSION } from "../runtimes/runtimes.ts";
import { tool } from "../runtimes/tool.ts";
import { trickles } from "./http.ts";
import { startUpstream } from "./load.ts";
import type { Samples } from "./rounds.ts";
import { bundle } from "./runtime.ts";

export { WORKERD_VERSION };

const LIMIT_MS = 60_000;

/** Part of line 3, in a Worker. */
export async function keepOnWorkerd(folder: string, rounds: number): Promise<Samples> {
  await using upstream = startUpstream();
  const worker = new URL("worker.ts", import.meta.url).pathname;
  await bundle(worker, `${folder}/worker.mjs`, "browser");
  const config = `${folder}/worker.capnp`;
  await Deno.writeTextFile(config, configFor(`http://127.0.0.1:${upstream.addr.port}`));
  await using server = await serve({
    command: await tool(`workerd@${WORKERD_VERSION}`, "workerd"),
    args: ["serve", "--control-fd=1", config],
    limitMs: LIMIT_MS,
  });
  const port = Number(new URL(server.url).port);
  return { "ms to the first byte of a trickle": await trickles(port, { rounds, ms: 250 }) };
}

function configFor(upstream: string): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (
      name = "worker",
      worker = (
        modules = [(name = "worker.mjs", esModule = embed "worker.mjs")],
        compatibilityDate = "${WORKERD_DATE}",
        bindings = [(name = "UPSTREAM", text = "${upstream}")],
      ),
    ),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
`;
}
