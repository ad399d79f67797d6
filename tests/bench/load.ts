/** An upstream and its clients on loopback, bounded in time and number. */

/** What a client sends besides Host. */
export type Fields = Readonly<Record<string, string>>;

/** What Chrome sends with a click on a link, without a cookie: with Host, a dozen fields. */
export const BROWSER: Fields = {
  "sec-ch-ua": '"Chromium";v="146", "Not:A-Brand";v="24", "Google Chrome";v="146"',
  "sec-ch-ua-mobile": "?0",
  "sec-ch-ua-platform": '"Windows"',
  "user-agent":
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) " +
    "Chrome/146.0.0.0 Safari/537.36",
  "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp," +
    "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
  "sec-fetch-site": "same-origin",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
  "referer": "http://127.0.0.1/",
  "accept-encoding": "gzip, deflate, br, zstd",
  "accept-language": "en-GB,en;q=0.9,de;q=0.8",
};

/** A client that keeps its own connection open. */
export class Client {
  readonly #connection: Deno.TcpConn;
  readonly #head: string;
  readonly #bytes = new Uint8Array(65_536);

  private constructor(connection: Deno.TcpConn, head: string) {
    this.#connection = connection;
    this.#head = head;
  }

  /** Connects to a server on this machine. */
  static async to(port: number, fields: Fields = {}): Promise<Client> {
    const lines = Object.entries({ host: `127.0.0.1:${port}`, ...fields });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    return new Client(await Deno.connect({ hostname: "127.0.0.1", port }), head);
  }

  /** Requests a path and reads the whole answer; returns the time of the body's first byte. */
  async get(path: string): Promise<{ readonly firstByteAt: number }> {
    let head = await this.ask(path);
    const end = head.indexOf("\r\n\r\n") + 4;
    if (!head.startsWith("HTTP/1.1 200")) throw new Error(`${path}: ${head.slice(0, end)}`);
    let read = head.length - end;
    let firstByteAt = performance.now();
    const length = /^content-length: *(\d+)/im.exec(head.slice(0, end))?.[1];
    const isOver = () => length === undefined ? head.endsWith("0\r\n\r\n") : read >= Number(length);
    while (!isOver()) {
      const part = await this.#read();
      if (read === 0) firstByteAt = performance.now();
      read += part.byteLength;
      // The last bytes of a chunked body mark its end, and may arrive in two parts.
      if (length === undefined) head = head.slice(-5) + LATIN_1.decode(part.subarray(-5));
    }
    return { firstByteAt };
  }

  /** Requests a path, and reads only until the head of the answer is complete. */
  async ask(path: string): Promise<string> {
    const request = `GET ${path} HTTP/1.1\r\n${this.#head}\r\n`;
    await this.#connection.write(UTF_8.encode(request));
    let head = "";
    while (!head.includes("\r\n\r\n")) head += LATIN_1.decode(await this.#read());
    return head;
  }

  async #read(): Promise<Uint8Array> {
    const count = await this.#connection.read(this.#bytes);
    if (count === null) throw new Error("The server has hung up");
    return this.#bytes.subarray(0, count);
  }

  /** Hangs up. */
  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

const UTF_8 = new TextEncoder();
const LATIN_1 = new TextDecoder("latin1");

/** Lets each client send one request after another for `ms`; returns the number of answers. */
export async function load(
  clients: readonly Client[],
  path: () => string,
  ms: number,
): Promise<number> {
  const until = performance.now() + ms;
  let requests = 0;
  await Promise.all(clients.map(async (client) => {
    while (performance.now() < until) {
      await client.get(path());
      requests++;
    }
  }));
  return requests;
}

/**
 * Answers /<number> with that number of bytes, and /trickle/… with ten parts in 90 ms. If the path goes
 * on with /to-be/confirmed, caches may ask whether the answer still holds, and it does; with
 * /to-be/failing, it is good for a second, and a 503 from the second time on.
 */
export function startUpstream(more: Fields = {}): Deno.HttpServer<Deno.NetAddr> {
  const bodies = new Map<string, Uint8Array<ArrayBuffer>>();
  const failing = new Set<string>();
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    const [, what = "", , end = "kept"] = pathname.split("/");
    if (failing.has(pathname)) return new Response(null, { status: 503 });
    if (end === "failing") failing.add(pathname);
    const headers = { "content-type": "application/json", ...more, ...FOR_CACHES[end] };
    if (end === "confirmed" && request.headers.has("if-none-match")) {
      return new Response(null, { status: 304, headers });
    }
    if (what === "trickle") return new Response(trickle(), { headers });
    const size = Number(what);
    if (size > 1_048_576) return new Response(flood(size), { headers });
    let body = bodies.get(what);
    if (body === undefined) bodies.set(what, body = new Uint8Array(size).fill(120));
    return new Response(body, { headers });
  });
}

/** What caches want to see before they keep an answer, by the end of its path. */
const FOR_CACHES: Readonly<Record<string, Fields>> = {
  "confirmed": { "cache-control": "max-age=0", "etag": '"1"' },
  "failing": { "cache-control": "max-age=1, stale-if-error=600" },
};

function trickle(): ReadableStream<Uint8Array> {
  let parts = 0;
  return new ReadableStream({
    async pull(controller) {
      if (parts > 0) await new Promise((resolve) => setTimeout(resolve, 10));
      controller.enqueue(new Uint8Array(1_024).fill(120));
      if (++parts === 10) controller.close();
    },
  });
}

function flood(size: number): ReadableStream<Uint8Array> {
  let left = size;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(65_536).fill(120));
      if ((left -= 65_536) <= 0) controller.close();
    },
  });
}
