/** Measures in MB how much a server holds for those who do not read on. */
import { Client } from "./load.ts";
import { interleaved, pause, type Samples } from "./rounds.ts";
import { loaded, type Server } from "./server_process.ts";

const MIB = 1_048_576;

/** Measures each time on a server of its own. */
export async function held(
  server: Server,
  subjects: Readonly<Record<string, string>>,
  rounds: number,
): Promise<Samples> {
  const samples: Samples = {};
  for (
    const [measure, grownMb] of Object.entries({
      "MB for a client that stalls": stalled,
      "MB for 300 unread answers": unread,
      "MB at the peak, 1 MB cold": peak,
    })
  ) {
    samples[measure] = await interleaved(
      subjects,
      rounds,
      (subject) => server.alone((other) => grownMb(other, subject)),
    );
  }
  return samples;
}

/** The server's growth while a client stalls in the middle of 64 MB. */
async function stalled(server: Server, subject: string): Promise<number> {
  await server.get(`/${subject}/1024`);
  const before = await server.rssMb();
  using client = await Client.to(server.port);
  await client.ask(`/${subject}/${64 * MIB}`);
  await pause(1_500);
  return await server.rssMb() - before;
}

/** The server's growth when it has asked 300 times for a page of 0.9 MB and reads none. */
async function unread(server: Server, subject: string): Promise<number> {
  return Number(await server.get(`/unread/${subject}`));
}

/** The server's peak growth while clients request 1 MB at ever new keys. */
async function peak(server: Server, subject: string): Promise<number> {
  await server.get(`/${subject}/1024`);
  const before = await server.rssMb();
  let key = 0;
  let most = 0;
  let isOver = false;
  const watch = async () => {
    while (!isOver) {
      most = Math.max(most, await server.rssMb());
      await pause(50);
    }
  };
  const watching = watch();
  await loaded({ port: server.port, path: () => `/${subject}/${MIB}?${key++}` }, 1_500);
  isOver = true;
  await watching;
  return most - before;
}
