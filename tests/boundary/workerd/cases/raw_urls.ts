/** URLs and hosts as clients write them: workerd hands them over as they are (K1). */
import { assert, assertEquals } from "@std/assert";
import { type Border, headOf, route, test, until, upstreamOf } from "../border.ts";
import { guarded, HANDLER_WAYS, type Source, told } from "./ways.ts";

/** A page that shows its visitors how they have asked for it. */
const shown: Source = async (request, env, call) => {
  const { status } = await call(upstreamOf(request, env));
  return new Response(`${request.url} ${request.headers.get("host")}`, { status });
};

/** The text that a raw client gets for a target. */
async function raw({ connect }: Border, target: string, host = "site.test"): Promise<string> {
  const head = headOf(target, ["connection: close"]).replace("host: site.test", `host: ${host}`);
  const connection = await connect(head);
  let received = "";
  for (let part; (part = await connection.read()) !== "";) received += part;
  connection.close();
  const [fields = "", body = ""] = received.split("\r\n\r\n");
  return `${fields.split(" ")[1]} ${body}`;
}

for (const way of HANDLER_WAYS) {
  const path = guarded("raw-urls", way, shown, { threshold: 1_000 });

  test(`K1: a raw URL or Host gets nothing of others, nor do they of it, through ${way}`, async (border) => {
    const said = [
      [`${path}/short`, "site.test"],
      [`${path}/short`, "SITE.test"],
      [`${path}/short`, "site.test:80"],
      [`${path}/short`, "other.test"],
      [`${path}/short`, "u@site.test"],
      [`${path}/x/../short`, "site.test"],
      [`${path}/x/%2e%2e/short`, "site.test"],
      [`${path}/x\\..\\short`, "site.test"],
      [`http://other.test${path}/short`, "site.test"],
    ] as const;
    const live: string[] = [];
    for (const [target, host] of said) live.push(await raw(border, target, host));
    await until(async () => (await told(border, path)).events.includes("kept"));
    border.origin.isDown = true;

    const stale: string[] = [];
    for (const [target, host] of said) stale.push(await raw(border, target, host));

    assertEquals(live[0], `200 http://site.test${path}/short site.test`);
    assertEquals(stale[0], live[0]);
    for (const [index, text] of stale.entries()) {
      assert(text === live[index] || text.startsWith("503"), `${said[index]} gets ${text}`);
    }
  });

  const inner = guarded("inner-hosts", way, shown, { threshold: 1_000 });
  const keyed = guarded("keyed-hosts", way, shown, {
    threshold: 1_000,
    lastGood: { refreshMs: 0, key: ({ url }) => new URL(url).pathname },
  });

  for (const [name, target] of [["inner", inner], ["keyed", keyed]] as const) {
    route(
      `/${name}-hosts-from/${way}`,
      (request, { SELF }) => SELF.fetch(new Request(`http://inner.test${target}/short`, request)),
    );

    test(`K1: a service asked by another URL with the client's Host keeps what ${name} allows, through ${way}`, async (border) => {
      const live = await border.ask(`/${name}-hosts-from/${way}`);
      border.origin.isDown = true;

      const { status, text } = await border.ask(`/${name}-hosts-from/${way}`);

      assertEquals(live.text, `http://inner.test${target}/short site.test`);
      assertEquals([status, text], name === "keyed" ? [200, live.text] : [503, live.text]);
    });
  }
}
