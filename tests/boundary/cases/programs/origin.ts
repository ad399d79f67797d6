/** An origin in a process of its own, which answers after `DELAY_MS`. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const delayMs = Number(process.env.DELAY_MS);
const server = createServer((_, response) => {
  setTimeout(() => response.end("fine"), delayMs);
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
// Ends by itself if it is forgotten.
setTimeout(() => process.exit(), 20_000);
