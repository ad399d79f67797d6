import { type ChildProcess, spawn } from "node:child_process";
import { HOST } from "./host.ts";
import { until } from "./case.ts";

/** A program of its own on this host, from the folder `programs`. */
export interface Program extends Disposable {
  readonly child: ChildProcess;
  /** Everything printed so far. */
  readonly printed: string;
  /** Its exit code, once it has ended. */
  readonly code: Promise<number>;
  /** Waits for the address that it prints. */
  address(): Promise<string>;
}

const DENO = ["run", "-A", "--no-config", "--node-modules-dir=manual"];

/** Starts a program; `flags` come before its file. */
export function startProgram(
  file: string,
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Program {
  const args = [...HOST === "deno" ? DENO : [], ...flags, file];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  child.stdout.on("data", (bytes) => printed += String(bytes));
  child.stderr.on("data", (bytes) => printed += String(bytes));
  const code = new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? -1)));
  return {
    child,
    code,
    get printed() {
      return printed;
    },
    async address() {
      await until(() => /http\S+\/\s/.test(printed), `it listens; it has printed: ${printed}`);
      return /http\S+\//.exec(printed)![0];
    },
    [Symbol.dispose]: () => void child.kill("SIGKILL"),
  };
}

/** Runs a program to its end. */
export async function runProgram(
  file: string,
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Promise<{ readonly code: number; readonly printed: string }> {
  using program = startProgram(file, env, flags);
  const code = await program.code;
  return { code, printed: program.printed };
}
