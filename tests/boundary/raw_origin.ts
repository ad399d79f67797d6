/** A part of an answer: bytes, or a promise to wait for. */
export type Piece = string | Uint8Array | Promise<unknown>;

/** The bytes as they go over the wire; then the connection closes. */
export type RawAnswer = Iterable<Piece>;

/** A server on a free port that sends exactly the given bytes. */
export class RawOrigin {
  /** The number of bytes sent so far. */
  sent = 0;
  /** Makes the answer to the next connection. */
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
    // Wait for the client to close: closing earlier might reset bytes that are still on their way.
    while (await connection.read(request) !== null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await Promise.all(this.#connections);
  }
}

/** Closes a connection, unless a failed write has closed it already. */
function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** Makes the head of an answer, with the blank line. */
export function head(...fields: string[]): string {
  return ["HTTP/1.1 200 OK", ...fields, "", ""].join("\r\n");
}

/** Encodes a text as one chunk of a chunked body. */
export function chunk(text: string): string {
  return `${new TextEncoder().encode(text).byteLength.toString(16)}\r\n${text}\r\n`;
}

/** The last chunk. */
export const LAST = "0\r\n\r\n";
