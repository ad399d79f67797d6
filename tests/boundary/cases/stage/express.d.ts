/** The part of Express that the cases use. */
import type { RequestListener } from "node:http";

interface App extends RequestListener {
  set(name: string, value: string): void;
  get(
    path: string,
    handler: (request: unknown, response: { send(body: string): void }) => Promise<void>,
  ): void;
}

export default function express(): App;
