/** The result of a program that has ended. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
  /** True if it was killed because it took too long. */
  readonly late: boolean;
}

/** A program to start. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

/** How to run a program. */
export interface Run extends Program {
  readonly cwd?: string | URL;
  readonly env?: Readonly<Record<string, string>>;
  readonly limitMs: number;
  /** When this appears in the output the program is done, and is killed if it does not exit. */
  readonly until?: string;
  /** Hears all that it has printed on stderr so far, each time that there is more. */
  readonly heardStderr?: (text: string) => void;
}

/** How long a finished program may take to exit, and its pipes to close after that. */
const GRACE_MS = 1_000;

/** Runs a program for a limited time. It never outlives this call. */
export async function run(options: Run): Promise<Finished> {
  const { command, args, cwd, env, limitMs, until, heardStderr } = options;
  const startedAt = performance.now();
  const child = new Deno.Command(command, {
    args: [...args],
    ...(cwd !== undefined && { cwd }),
    env: { NO_COLOR: "1", npm_config_update_notifier: "false", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();

  let late = false;
  let ended = false;
  let doneMs: number | undefined;
  let grace: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  };
  const limit = setTimeout(() => {
    late = true;
    end();
  }, limitMs);

  const stdout = gather(child.stdout, (text) => {
    if (until === undefined || doneMs !== undefined || !text.includes(until)) return;
    doneMs = performance.now() - startedAt;
    grace = setTimeout(() => {
      ended = true;
      end();
    }, GRACE_MS);
  });
  const stderr = gather(child.stderr, heardStderr);
  const { code } = await child.status;
  clearTimeout(limit);
  clearTimeout(grace);
  const ms = Math.round(doneMs ?? performance.now() - startedAt);
  // A child of this program may hold the pipes open.
  const closed = setTimeout(() => Promise.all([stdout.cancel(), stderr.cancel()]), GRACE_MS);
  const texts = { stdout: await stdout.text, stderr: await stderr.text };
  clearTimeout(closed);
  return { code: ended ? 0 : code, ms, late, ...texts };
}

/** Runs a program that must not fail, and returns its output. */
export async function output(options: Run): Promise<string> {
  const { code, late, stdout, stderr } = await run(options);
  if (!late && code === 0) return stdout.trim();
  const why = late ? `Still running after ${options.limitMs} ms` : `Exit code ${code}`;
  throw new Error(`${why}: ${options.command} ${options.args.join(" ")}\n${stdout}${stderr}`);
}

/** A program that serves until disposed. */
export interface Server extends AsyncDisposable {
  readonly url: string;
  /** Returns everything printed so far. */
  printed(): string;
}

/** Matches the address a program listens on, in its words or in workerd's `--control-fd` format. */
const LISTENS = /(http:\/\/127\.0\.0\.1:\d+)|"event":"listen".*"port":(\d+)/;

/** Starts a program that prints its address on 127.0.0.1. */
export async function serve(options: Omit<Run, "until">): Promise<Server> {
  const { command, args, cwd, env, limitMs } = options;
  const child = new Deno.Command(command, {
    args: [...args],
    ...(cwd !== undefined && { cwd }),
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const said = { stdout: "", stderr: "" };
  const { promise: url, resolve, reject } = Promise.withResolvers<string>();
  const hear = (stream: keyof typeof said) => (text: string) => {
    said[stream] = text;
    const [, address, port] = LISTENS.exec(text) ?? [];
    if (address ?? port) resolve(address ?? `http://127.0.0.1:${port}`);
  };
  const pipes = [gather(child.stdout, hear("stdout")), gather(child.stderr, hear("stderr"))];
  const printed = () => `${said.stdout}${said.stderr}`.trim();
  const refuse = (why: string) => reject(new Error(`${why}: ${command}\n${printed()}`));
  const limit = setTimeout(() => refuse(`Not listening after ${limitMs} ms`), limitMs);
  child.status.then(({ code }) => refuse(`Ended with code ${code}`));
  const stop = async () => {
    clearTimeout(limit);
    // workerd may ignore a gentler signal while requests hang.
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await child.status;
    await Promise.all(pipes.map((pipe) => pipe.cancel()));
  };
  try {
    return { url: await url, printed, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(limit);
  }
}

function gather(stream: ReadableStream<Uint8Array>, heard?: (text: string) => void) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  const read = async () => {
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return text;
      text += value;
      heard?.(text);
    }
  };
  return { text: read(), cancel: () => reader.cancel() };
}
