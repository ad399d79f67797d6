/** Arguments that send one URL to different places (K3, K6). */
import { createServer } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, fetch as undiciFetch } from "undici";
import { assertEquals } from "std/assert";
import { boundary, outcome } from "./stage/case.ts";
import { HOST } from "./stage/host.ts";
import { RawOrigin, text } from "./stage/origin.ts";
import { watched } from "./stage/watched.ts";

interface HttpClient extends Disposable {
  readonly [symbol: symbol]: unknown;
}
declare const Deno: { createHttpClient(options: object): HttpClient };

const URL_OF_ALL = "http://v.test/";

/** Two places, each with the member of `init` that leads there. */
interface Places extends AsyncDisposable {
  readonly inits: readonly object[];
  close(): void;
}

/** Two servers that answer for every host: proxies on Deno, which knows no sockets in a file. */
async function proxies(): Promise<Places> {
  const origins = [
    await RawOrigin.start(() => text("one")),
    await RawOrigin.start(() => text("two")),
  ];
  const clients = origins.map(({ url }) => Deno.createHttpClient({ proxy: { url } }));
  return {
    inits: clients.map((client) => ({ client })),
    close: () => origins.forEach((origin) => origin.close()),
    [Symbol.asyncDispose]() {
      origins.forEach((origin) => origin.close());
      clients.forEach((client) => client[Symbol.dispose]());
      return Promise.resolve();
    },
  };
}

/** Two servers on sockets in a folder. */
async function sockets(initOf: (path: string) => object): Promise<Places> {
  const folder = await mkdtemp(join(tmpdir(), "told-"));
  const paths = ["one", "two"].map((name) => join(folder, name));
  const servers = await Promise.all(paths.map(async (path, index) => {
    const server = createServer((_, response) => {
      response.setHeader("connection", "close");
      response.end(index === 0 ? "one" : "two");
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return server;
  }));
  const close = () => servers.forEach((server) => server.close());
  return {
    inits: paths.map(initOf),
    close,
    async [Symbol.asyncDispose]() {
      close();
      await rm(folder, { recursive: true });
    },
  };
}

const PLACES = {
  deno: proxies,
  node: () => sockets((socketPath) => ({ dispatcher: new Agent({ connect: { socketPath } }) })),
  bun: () => sockets((unix) => ({ unix })),
};
const MEMBER = { deno: "client", node: "dispatcher", bun: "unix" }[HOST];

boundary(`K6: fetches of one URL that ${MEMBER} sends to two places share no copy`, async () => {
  await using places = await PLACES[HOST]();
  const own = HOST === "node" ? { fetch: undiciFetch as unknown as typeof fetch } : {};
  const w = watched({ threshold: 1_000, ...own });
  const ask = (init: object) =>
    outcome(async () => await (await w.api.fetch(URL_OF_ALL, init)).text());
  const [one = {}, two = {}] = places.inits;
  const live = [await ask(one), await ask(two)];
  await w.ended(2);
  await w.api.idle();
  places.close();

  assertEquals(live, ["one", "two"]);
  assertEquals([await ask(one), await ask(two)], ["one", "two"]);
});

boundary("K3: the host that fetch sends tells its answers apart (deno, bun)", async () => {
  using origin = await RawOrigin.start(({ received }) =>
    text(/^host: (\S+)/im.exec(received)?.[1] ?? "none")
  );
  using client = HOST === "deno" ? Deno.createHttpClient({ allowHost: true }) : undefined;
  const w = watched({ threshold: 1_000 });
  const ask = (host: string) =>
    outcome(async () => {
      const init = { headers: { host }, client };
      return await (await w.api.fetch(origin.url, init)).text();
    });
  const live = await ask("a.test");
  await w.ended(1);
  await w.api.idle();
  origin.close();

  const stale = [await ask("a.test"), await ask("b.test")];

  assertEquals([live, stale[0]], ["a.test", "a.test"]);
  assertEquals(stale[1]?.includes("a.test"), false);
}, ["deno", "bun"]);
