/** The upstream: a real server on loopback, whose answers are chosen by the path. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { brotliCompressSync, gzipSync } from "node:zlib";

/** A server that runs until disposed. */
export interface Origin extends AsyncDisposable {
  readonly url: string;
  /** While true, every answer is a 503. */
  isDown: boolean;
  /** How many requests have come for paths that begin with this. */
  calls(path: string): number;
  /** How many bytes of bodies it has handed to sockets. */
  readonly sent: number;
}

/** Digits that hardly compress, so that a coded body has many chunks, too. */
export const TEXT = Array.from({ length: 20_000 }, (_, n) => String(n * 7_919 % 99_991)).join(",");
export const SHORT = "a short answer";
const CODED: Readonly<Record<string, Uint8Array>> = {
  gzip: gzipSync(TEXT),
  br: brotliCompressSync(TEXT),
};

type Answering = (request: IncomingMessage, response: ServerResponse) => void;

/** The answers, by the last segment of the path. */
const ANSWERS: Readonly<Record<string, Answering>> = {
  short: (_, response) => known(response, new TextEncoder().encode(SHORT)),
  long: (_, response) => known(response, new TextEncoder().encode(TEXT)),
  empty: (_, response) => known(response, new Uint8Array(0)),
  chunked: (_, response) => {
    response.write("one, ");
    setTimeout(() => response.end("two"), 20);
  },
  gzip: (_, response) => known(response, CODED["gzip"]!, "gzip"),
  br: (_, response) => known(response, CODED["br"]!, "br"),
  "gzip-chunked": (_, response) => {
    response.setHeader("content-encoding", "gzip");
    response.write(CODED["gzip"]!.subarray(0, 1_000));
    setTimeout(() => response.end(CODED["gzip"]!.subarray(1_000)), 20);
  },
  half: (_, response) => {
    response.setHeader("content-length", 1_000);
    response.write("half of it");
    setTimeout(() => response.destroy(), 20);
  },
  slow: (_, response) => {
    response.setHeader("content-length", 40);
    let sent = 0;
    const timer = setInterval(() => {
      if (++sent < 10) return void response.write("slow");
      clearInterval(timer);
      response.end("slow");
    }, 20);
  },
  hang: () => {},
  echo: (request, response) => {
    let size = 0;
    request.on("data", (chunk) => size += chunk.length);
    request.on("end", () => response.end(String(size)));
  },
  put: (request, response) => {
    request.resume();
    request.on("end", () => response.writeHead(204).end());
  },
};

/** Starts the origin. */
export function startOrigin(): Promise<Origin> {
  const paths: string[] = [];
  let sent = 0;
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://origin").pathname;
    paths.push(path);
    if (origin.isDown) return void response.writeHead(503).end("down");
    const kind = path.slice(path.lastIndexOf("/") + 1);
    if (request.method === "PUT") return ANSWERS["put"]!(request, response);
    response.setHeader("content-type", "text/plain");
    if (kind === "endless") return endless(response, (size) => sent += size);
    (ANSWERS[kind] ?? ANSWERS["short"]!)(request, response);
  });
  const origin = {
    url: "",
    isDown: false,
    calls: (path: string) => paths.filter((one) => one.startsWith(path)).length,
    get sent() {
      return sent;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      origin.url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
      resolve(origin);
    })
  );
}

function known(response: ServerResponse, bytes: Uint8Array, coding?: string): void {
  if (coding !== undefined) response.setHeader("content-encoding", coding);
  response.setHeader("content-length", bytes.length);
  response.end(bytes);
}

/** Up to 64 MiB, as fast as they are taken. */
function endless(response: ServerResponse, onSent: (size: number) => void): void {
  const block = new Uint8Array(65_536).fill(120);
  let left = 1_024;
  const write = () => {
    while (left-- > 0) {
      onSent(block.length);
      if (!response.write(block)) return void response.once("drain", write);
    }
    response.end();
  };
  write();
}
