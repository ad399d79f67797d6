import { assert } from "@std/assert";

const MIB = 1_048_576;
const MAX_BYTES = 4 * MIB;
/** What more than `maxBytes` may be taken over what it takes without a breaker. */
const SLACK = 20 * MIB;

/** A server of one page. */
function pageOf(bytes: number): Deno.HttpServer<Deno.NetAddr> {
  const page = new Uint8Array(bytes).fill(200);
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(page, { headers: { "content-type": "text/plain" } }),
  );
}

/** A program that holds answers, in a process of its own. */
class Holder implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(way: string, what: string, origin: string) {
    const program = new URL("./programs/holding.ts", import.meta.url).pathname;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--v8-flags=--expose-gc", program, way, what, origin],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Reads the number that it prints next. */
  async number(): Promise<number> {
    while (!this.#text.includes("\n")) this.#text += (await this.#lines.read()).value ?? "\n";
    const end = this.#text.indexOf("\n");
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return Number(line);
  }

  async go(): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new Uint8Array([10]));
    await writer.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lines.cancel();
    await this.#child.stdin.close().catch(() => {});
    await this.#child.status;
  }
}

Deno.test("N3: 300 unread answers of one URL take no more than maxBytes over those without a breaker", async () => {
  await using origin = pageOf(900_000);
  const url = `http://127.0.0.1:${origin.addr.port}/`;
  const taken: number[] = [];
  const left: number[] = [];
  for (const way of ["bare", "guarded"]) {
    await using holder = new Holder(way, "unread", url);
    taken.push(await holder.number());
    left.push(await holder.number());
  }

  const [bare = 0, guarded = NaN] = taken;
  // Once the app has forgotten them, only what is kept counts.
  assert(left[1]! < MIB, `${left[1]} bytes are still held`);
  assert(guarded - bare <= MAX_BYTES + SLACK, `${(guarded - bare) / MIB} MiB more`);
});

/** Opens connections that ask for the page and read only the beginning of the answer. */
async function stall(port: number, count: number): Promise<Disposable> {
  const connections: Deno.TcpConn[] = [];
  const request = new TextEncoder().encode("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
  const one = async () => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connections.push(connection);
    await connection.write(request);
    await connection.read(new Uint8Array(64));
  };
  await Promise.all(Array.from({ length: count }, one));
  return { [Symbol.dispose]: () => connections.forEach((connection) => connection.close()) };
}

for (const what of ["stalled", "stale"]) {
  Deno.test(`N3: 200 stalled clients of a ${what === "stale" ? "stale" : "live"} page take no more than maxBytes over those without a breaker`, async () => {
    await using origin = pageOf(MIB);
    const url = `http://127.0.0.1:${origin.addr.port}/`;
    const taken: number[] = [];
    for (const way of ["bare", "guarded"]) {
      await using holder = new Holder(way, what, url);
      using _clients = await stall(await holder.number(), 200);
      await holder.go();
      taken.push(await holder.number());
    }

    const [bare = 0, guarded = NaN] = taken;
    assert(guarded - bare <= MAX_BYTES + SLACK, `${(guarded - bare) / MIB} MiB more`);
  });
}
