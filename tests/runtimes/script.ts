/** The runner for runtimes that run scripts: Node, Bun, edge-runtime. */
import { runAll } from "./collector.ts";

// Not awaited: edge-runtime runs scripts, not modules.
runAll();
