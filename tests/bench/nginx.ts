/**
 * Nginx as the cache of a server that is down: what a user would put in front of it instead. One
 * worker, on loopback only, with files of its own, and it ends itself even if the run never stops it.
 */
import { startUpstream } from "./load.ts";
import { pause } from "./rounds.ts";
import type { Measurable } from "./server_process.ts";

const LIMIT_S = 600;
const START_MS = 5_000;
const FRESH_MS = 1_000;
/** As many as our answers carry. */
const FIELDS = { "x-one": "1", "x-two": "2" };
const MISSING = "not measured: nginx is not installed (apt-get install nginx-light)";

export class Nginx implements Measurable {
  readonly port: number;
  readonly #folder: string;
  readonly #child: Deno.ChildProcess;
  #worker = "";

  private constructor(port: number, folder: string, child: Deno.ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#child = child;
  }

  /**
   * Starts it, lets it keep these paths, and takes its upstream away; undefined, and a word, if it is
   * not installed.
   */
  static async stale(paths: readonly string[]): Promise<Nginx | undefined> {
    const version = await versionOf("nginx");
    console.log(version ?? MISSING);
    if (version === undefined) return undefined;
    const upstream = startUpstream(FIELDS);
    const nginx = await Nginx.#start(upstream.addr.port);
    for (const path of paths) await nginx.#get(path);
    await upstream.shutdown();
    await pause(FRESH_MS + 1_000);
    for (const path of paths) {
      const status = await nginx.#get(path);
      if (status !== "STALE") throw new Error(`nginx: ${path}: ${status}`);
    }
    return nginx;
  }

  static async #start(upstreamPort: number): Promise<Nginx> {
    const port = freePort();
    const folder = await Deno.makeTempDir({ prefix: "breaker-nginx-" });
    await Deno.writeTextFile(`${folder}/nginx.conf`, config(folder, port, upstreamPort));
    const child = new Deno.Command("timeout", {
      args: [`${LIMIT_S}`, "nginx", "-p", folder, "-c", `${folder}/nginx.conf`],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const nginx = new Nginx(port, folder, child);
    await nginx.#ready();
    return nginx;
  }

  /** Returns the answer's Cache-Status. */
  async #get(path: string): Promise<string | null> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`);
    await response.arrayBuffer();
    return response.headers.get("cache-status");
  }

  /** The worker's, from Linux. `stat` beside it counts only hundredths of a second. */
  async cpuUs(): Promise<number> {
    const [ns] = (await Deno.readTextFile(`/proc/${this.#worker}/schedstat`)).split(" ");
    return Number(ns) / 1_000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Deno.kill(await this.#master(), "SIGTERM");
    await this.#child.status;
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #ready(): Promise<void> {
    const until = performance.now() + START_MS;
    while (this.#worker === "") {
      if (performance.now() > until) throw new Error("nginx does not start");
      await pause(50);
      this.#worker = await this.#findWorker().catch(() => "");
    }
  }

  async #findWorker(): Promise<string> {
    const master = await this.#master();
    const children = await Deno.readTextFile(`/proc/${master}/task/${master}/children`);
    for (const pid of children.trim().split(" ")) {
      const title = await Deno.readTextFile(`/proc/${pid}/cmdline`);
      if (title.includes("worker process")) return pid;
    }
    return "";
  }

  async #master(): Promise<number> {
    return Number(await Deno.readTextFile(`${this.#folder}/pid`));
  }
}

async function versionOf(command: string): Promise<string | undefined> {
  try {
    const { stderr } = await new Deno.Command(command, { args: ["-v"] }).output();
    return new TextDecoder().decode(stderr).trim();
  } catch {
    return undefined;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/**
 * Only of two servers or more does nginx mark one down, so the upstream is there twice. No sendfile, as
 * is nginx's default: for pages of this size it costs more.
 */
function config(folder: string, port: number, upstreamPort: number): string {
  const upstream = `server 127.0.0.1:${upstreamPort} max_fails=1 fail_timeout=1h;`;
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((what) => `${what}_temp_path ${folder}/${what};`);
  return `
    daemon off;
    ${Deno.uid() === 0 ? "user root;" : ""}
    worker_processes 1;
    pid ${folder}/pid;
    error_log ${folder}/error.log crit;
    events {}
    http {
      access_log off;
      keepalive_requests 1000000;
      ${temporary.join(" ")}
      proxy_cache_path ${folder}/cache keys_zone=pages:1m inactive=1h use_temp_path=off;
      upstream origin { ${upstream} ${upstream} }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://origin;
          proxy_cache pages;
          proxy_cache_valid 200 ${FRESH_MS / 1_000}s;
          proxy_cache_use_stale error timeout http_500 http_502 http_503 http_504;
          add_header Cache-Status $upstream_cache_status;
        }
      }
    }
  `;
}
