/**
 * The demo: a flaky upstream, an edge app with the breaker in front of it, and a page that shows
 * what is going on.
 *
 *     deno task demo                 open the address it prints, press "Break", then "Heal"
 *     deno task demo --port 9000     on another port
 *     deno task demo --once          no browser: plays a session of a few seconds and ends
 */

import { parseArgs } from "node:util";
import { type BreakerEvent, logTo } from "@lastgood/breaker";
import { makeApp } from "./app.ts";
import { playSession } from "./session.ts";
import { startUpstream } from "./upstream.ts";

const HELP = "Usage: deno task demo [--port NUMBER] [--once]";

interface Flags {
  readonly once: boolean;
  readonly port: number;
}

function readFlags(args: string[]): Flags | string {
  try {
    const options = { port: { type: "string" }, once: { type: "boolean" } } as const;
    const { port, once = false } = parseArgs({ args, options }).values;
    // The session needs no well-known address: any free port will do.
    const chosen = port ?? (once ? "0" : "8000");
    if (/^\d{1,5}$/.test(chosen) && Number(chosen) < 65_536) return { once, port: Number(chosen) };
    return `Cannot listen as "--port" must be a number from 0 to 65535: current value is ${chosen}`;
  } catch (error) {
    return (error as Error).message;
  }
}

function listen(
  port: number,
  handler: (request: Request) => Response | Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> | undefined {
  try {
    return Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, handler);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    return undefined;
  }
}

function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    Deno.addSignalListener("SIGINT", stop);
    Deno.addSignalListener("SIGTERM", stop);
    function stop(): void {
      // A second Ctrl-C ends the process at once, as usual.
      Deno.removeSignalListener("SIGINT", stop);
      Deno.removeSignalListener("SIGTERM", stop);
      resolve();
    }
  });
}

/** @returns The exit code. */
async function main(flags: Flags): Promise<number> {
  const { once, port } = flags;
  let failures = 0;
  // In the session, every other failure is slow.
  const upstream = once ? startUpstream(() => failures++ % 2) : startUpstream();
  const lines: string[] = [];
  const log = logTo({ log: (line) => once ? lines.push(line) : console.log(line) });
  const app = makeApp(upstream, {
    delayMs: once ? 2_000 : 8_000,
    timeoutMs: once ? 500 : 1_000,
    onEvent: (event: BreakerEvent) => event.type === "stale" ? undefined : log(event),
  });
  const server = listen(port, app.fetch);
  if (server === undefined) {
    console.error(`Port ${port} is taken: choose another one, as in "deno task demo --port 0"`);
    await upstream.stop();
    return 1;
  }
  const url = `http://127.0.0.1:${server.addr.port}`;
  try {
    if (once) return await playSession(url, app.circuit, upstream, lines) ? 0 : 1;
    console.log(`
  The demo is on ${url}/

  Open it in a browser and press "Break": the page keeps getting the last good answer.
  Press "Heal": the next probe closes the circuit. Or, in another terminal:

    curl -i ${url}/api/success       200, kept as the last good answer
    curl -i ${url}/api/failure       500, half the time too slow: five in a row open the circuit
    curl -i ${url}/api/random        one or the other
    curl -X POST ${url}/upstream/broken        or slow, or well

  Ctrl-C ends it.
`);
    await untilInterrupted();
    console.log("\nStopped.");
    return 0;
  } finally {
    app.live.end();
    await upstream.stop();
    await server.shutdown();
  }
}

const flags = readFlags(Deno.args);
if (typeof flags === "string") {
  console.error(`${flags}\n${HELP}`);
  Deno.exitCode = 2;
} else {
  Deno.exitCode = await main(flags);
}
