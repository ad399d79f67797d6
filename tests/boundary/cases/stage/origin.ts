import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** A part of an answer: bytes, or a promise to wait for. */
export type Piece = string | Uint8Array | Promise<unknown>;

/** The bytes of an answer as they go over the wire; then the connection closes. */
export type RawAnswer = Iterable<Piece>;

/** What came in on one connection, and the connection. */
export interface Arrival {
  /** Everything received so far, as Latin-1. */
  received: string;
  /** True once the client has closed the connection. */
  isClosed: boolean;
  readonly socket: Socket;
}

/** An upstream that sends exactly the given bytes, and that a test can close and open again. */
export class RawOrigin {
  readonly arrivals: Arrival[] = [];
  answer: (arrival: Arrival) => RawAnswer;
  #server: Server | undefined;
  #port = 0;

  private constructor(answer: (arrival: Arrival) => RawAnswer) {
    this.answer = answer;
  }

  static async start(answer: (arrival: Arrival) => RawAnswer): Promise<RawOrigin> {
    const origin = new RawOrigin(answer);
    await origin.open();
    return origin;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  get port(): number {
    return this.#port;
  }

  /** Listens, on the same port as before. */
  async open(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Closes the port: whoever calls is refused. */
  close(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const { socket } of this.arrivals) socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #serve(socket: Socket): void {
    const arrival: Arrival = { received: "", isClosed: false, socket };
    this.arrivals.push(arrival);
    let isAnswered = false;
    socket.setEncoding("latin1");
    socket.on("error", () => {});
    socket.on("close", () => arrival.isClosed = true);
    socket.on("end", () => socket.end());
    socket.on("data", (text: string | Uint8Array) => {
      arrival.received += String(text);
      if (isAnswered || !arrival.received.includes("\r\n\r\n")) return;
      isAnswered = true;
      this.#send(arrival).catch(() => socket.destroy());
    });
  }

  async #send(arrival: Arrival): Promise<void> {
    const { socket } = arrival;
    for (const piece of this.answer(arrival)) {
      if (piece instanceof Promise) await piece;
      else await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    }
    socket.end();
  }
}

/** Makes an answer by its body, with a length. */
export function text(body: string, ...fields: string[]): RawAnswer {
  const length = new TextEncoder().encode(body).byteLength;
  return [head(`content-length: ${length}`, ...fields), body];
}

/** Makes the head of an answer, with the blank line. The connection closes after it. */
export function head(...fields: string[]): string {
  return ["HTTP/1.1 200 OK", "connection: close", ...fields, "", ""].join("\r\n");
}

/** Makes an answer that never comes. */
export function nothing(): RawAnswer {
  return [new Promise(() => {})];
}

/** Finds a port where nobody listens. */
export async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/`;
}

/** A client that says exactly what it is told. */
export class RawClient {
  readonly socket: Socket;
  readonly isClosed: Promise<void>;
  #received = "";

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("error", () => {});
    socket.on("data", (bytes: string | Uint8Array) => this.#received += String(bytes));
    this.isClosed = new Promise((resolve) => socket.on("close", () => resolve()));
  }

  static async to(port: number, said: string): Promise<RawClient> {
    const socket = connect(port, "127.0.0.1");
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    await client.say(said);
    return client;
  }

  say(bytes: string): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, "latin1", () => resolve()));
  }

  /** Everything received so far, as Latin-1. */
  get received(): string {
    return this.#received;
  }

  leave(): void {
    this.socket.destroy();
  }

  [Symbol.dispose](): void {
    this.leave();
  }
}

/** An answer as it came over the wire. */
export interface WireAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  /** Without the chunks' frames; still coded. */
  readonly body: Uint8Array;
}

/** Sends one request over a socket of its own, and reads the answer to the end. */
export async function exchange(port: number, said: string): Promise<WireAnswer> {
  using client = await RawClient.to(port, said);
  await client.isClosed;
  return wireAnswer(client.received);
}

/** Asks for the page that `fetch` asks for, in a request after which the connection closes. */
export function ask(port: number, ...fields: string[]): Promise<WireAnswer> {
  const lines = ["GET / HTTP/1.1", `host: 127.0.0.1:${port}`, "connection: close", ...fields];
  return exchange(port, [...lines, "", ""].join("\r\n"));
}

function wireAnswer(received: string): WireAnswer {
  const end = received.indexOf("\r\n\r\n");
  const [line = "", ...lines] = received.slice(0, Math.max(end, 0)).split("\r\n");
  const fields = new Map(lines.map((field) => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
  }));
  const sent = end < 0 ? "" : received.slice(end + 4);
  const body = fields.get("transfer-encoding") === "chunked" ? dechunked(sent) : sent;
  return {
    status: Number(line.split(" ")[1] ?? 0),
    fields,
    body: Uint8Array.from(body, (char) => char.charCodeAt(0)),
  };
}

function dechunked(sent: string): string {
  let body = "";
  for (let at = 0;;) {
    const end = sent.indexOf("\r\n", at);
    const size = parseInt(sent.slice(at, end), 16);
    if (end < 0 || !(size > 0)) return body;
    body += sent.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
}

/** Encodes a text as one chunk of a chunked body. */
export function chunk(text: string): string {
  return `${new TextEncoder().encode(text).byteLength.toString(16)}\r\n${text}\r\n`;
}

/** The last chunk. */
export const LAST = "0\r\n\r\n";
