/**
 * An origin in a process of its own, which answers after `DELAY_MS`. It prints what it is asked for,
 * and makes a file in `FOLDER` when the answer has been sent: who waits for that may stand still.
 */
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const { DELAY_MS, FOLDER } = process.env;
const server = createServer(({ url }, response) => {
  console.log(`asked for ${url}`);
  const sent = () => writeFileSync(`${FOLDER}${url}`, "");
  setTimeout(() => response.end("fine", sent), Number(DELAY_MS));
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
// Ends by itself if it is forgotten.
setTimeout(() => process.exit(), 20_000);
