/** Measures what can be measured of workerd from outside: when a slow body's first byte arrives. */
import { serve } from "../runtimes/child.ts";
import { servingConfig, WORKERD_VERSION } from "../runtimes/runtimes.ts";
import { tool } from "../runtimes/tool.ts";
import { trickles } from "./http.ts";
import { startUpstream } from "./load.ts";
import type { Samples } from "./rounds.ts";
import { bundle } from "./runtime.ts";

const LIMIT_MS = 60_000;

/** Part of line 3, in a Worker. */
export async function keepOnWorkerd(folder: string, rounds: number): Promise<Samples> {
  await using upstream = startUpstream();
  const worker = new URL("worker.ts", import.meta.url).pathname;
  const file = `${folder}/worker.mjs`;
  await bundle(worker, file, "browser");
  const config = `${file}.capnp`;
  await Deno.writeTextFile(config, servingConfig(file, `http://127.0.0.1:${upstream.addr.port}`));
  await using server = await serve({
    command: await tool(`workerd@${WORKERD_VERSION}`, "workerd"),
    args: ["serve", "--control-fd=1", config],
    limitMs: LIMIT_MS,
  });
  const port = Number(new URL(server.url).port);
  return { "ms to the first byte of a trickle": await trickles(port, 2 * rounds) };
}
