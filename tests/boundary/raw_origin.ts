/** What a connection sends after its request: bytes, or a wait until the test goes on. */
export type Piece = string | Uint8Array | Promise<unknown>;

/** Bytes as they go over the wire; then the connection ends. */
export type RawAnswer = Iterable<Piece>;

/** A server that sends exactly the bytes it is told, on a port of its own. */
export class RawOrigin {
  /** How many bytes it has got rid of. */
  sent = 0;
  /** What the next connection gets. */
  readonly #answer: () => RawAnswer;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Promise<void>>();

  constructor(answer: () => RawAnswer) {
    this.#answer = answer;
    this.#accept();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}/`;
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      const served = this.#serve(connection).catch(() => {}).finally(() => {
        close(connection);
        this.#connections.delete(served);
      });
      this.#connections.add(served);
    }
  }

  async #serve(connection: Deno.TcpConn): Promise<void> {
    const request = new Uint8Array(65_536);
    await connection.read(request);
    const writer = connection.writable.getWriter();
    for (const piece of this.#answer()) {
      if (piece instanceof Promise) {
        await piece;
        continue;
      }
      const bytes = typeof piece === "string" ? new TextEncoder().encode(piece) : piece;
      await writer.write(bytes);
      this.sent += bytes.byteLength;
    }
    await connection.closeWrite();
    // Until the client closes, too: to close earlier might reset what is still on its way.
    while (await connection.read(request) !== null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await Promise.all(this.#connections);
  }
}

/** A connection that broke while it was written to has closed itself. */
function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** The head of an answer, with the blank line. */
export function head(...fields: string[]): string {
  return ["HTTP/1.1 200 OK", ...fields, "", ""].join("\r\n");
}

/** Bytes as one chunk of a chunked body. */
export function chunk(text: string): string {
  return `${new TextEncoder().encode(text).byteLength.toString(16)}\r\n${text}\r\n`;
}

/** The last chunk. */
export const LAST = "0\r\n\r\n";
