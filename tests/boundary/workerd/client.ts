import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { headOf } from "./border.ts";

/** An answer as it was on the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The bytes of the body, without the framing of chunks. */
  readonly bytes: Uint8Array;
  /** The body as a client that decodes reads it. */
  readonly text: string;
  /** False if the connection ended before the body did. */
  readonly isWhole: boolean;
}

/** A connection to the Worker. */
export interface Connection {
  write(text: string): Promise<void>;
  /** Reads until something has come. */
  read(): Promise<string>;
  /** Leaves, whatever is still to come. */
  close(): void;
}

const LIMIT_MS = 8_000;

/** Sends one request, and reads its answer to the end of the connection. */
export async function ask(port: number, path: string, lines: readonly string[]): Promise<Answer> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const limit = setTimeout(() => connection.close(), LIMIT_MS);
  try {
    const asked = ["accept-encoding: gzip, br", "connection: close", ...lines];
    await writeAll(connection, headOf(path, asked));
    const bytes = new Uint8Array(await new Response(connection.readable).arrayBuffer());
    return answerFrom(bytes);
  } finally {
    clearTimeout(limit);
  }
}

/** Opens a connection, and sends a text over it. */
export async function connect(port: number, text: string): Promise<Connection> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(connection, text);
  return {
    write: (text) => writeAll(connection, text),
    async read() {
      const buffer = new Uint8Array(65_536);
      const size = await connection.read(buffer) ?? 0;
      return new TextDecoder().decode(buffer.subarray(0, size));
    },
    close: () => connection.close(),
  };
}

async function writeAll(connection: Deno.TcpConn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

function answerFrom(bytes: Uint8Array): Answer {
  const latin1 = new TextDecoder("latin1").decode(bytes);
  const end = latin1.indexOf("\r\n\r\n");
  if (end < 0) throw new Error(`No answer: ${latin1}`);
  const [statusLine = "", ...lines] = latin1.slice(0, end).split("\r\n");
  const headers = new Headers(
    lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
  );
  const rest = bytes.subarray(end + 4);
  const { body, isWhole } = headers.get("transfer-encoding") === "chunked"
    ? unchunked(rest)
    : { body: rest, isWhole: rest.length === Number(headers.get("content-length") ?? rest.length) };
  const text = isWhole ? new TextDecoder().decode(decoded(body, headers)) : "";
  return { status: Number(statusLine.split(" ")[1]), headers, bytes: body, text, isWhole };
}

function unchunked(rest: Uint8Array): { body: Uint8Array; isWhole: boolean } {
  const latin1 = new TextDecoder("latin1").decode(rest);
  const parts: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    const line = latin1.indexOf("\r\n", at);
    const size = line < 0 ? NaN : parseInt(latin1.slice(at, line), 16);
    if (size > 0) parts.push(rest.subarray(line + 2, line + 2 + size));
    if (!(size > 0)) break;
    at = line + 2 + size + 2;
  }
  const isWhole = latin1.slice(at).startsWith("0\r\n");
  const body = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    body.set(part, offset);
    offset += part.length;
  }
  return { body, isWhole };
}

function decoded(body: Uint8Array, headers: Headers): Uint8Array {
  switch (headers.get("content-encoding")) {
    case "gzip":
      return gunzipSync(body);
    case "br":
      return brotliDecompressSync(body);
    default:
      return body;
  }
}
