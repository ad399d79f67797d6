/** Runs the cases; `ONLY` in the environment limits them to names that contain it. */
import { runAll } from "../../runtimes/collector.ts";
import "./clients.ts";
import "./deadlines.ts";
import "./blame.ts";
import "./uploads.ts";
import "./coding.ts";
import "./shapes.ts";
import "./arguments.ts";
import "./foreign.ts";
import "./nesting.ts";
import "./leaving.ts";
import "./signals.ts";
import "./frozen.ts";
import "./servers.ts";
import "./given.ts";
import "./raw_urls.ts";
import "./told.ts";
import "./attacks.ts";
import "./chain.ts";
import "./memory.ts";

await runAll();
