/** A body that its client is still sending is not the upstream's. */
import { assertEquals } from "@std/assert";
import { route, test, until, upstreamOf } from "../border.ts";
import { guarded, HANDLER_WAYS, type Source, told } from "./ways.ts";

let begun = 0;
route("/uploads/begun", () => new Response(String(begun)));

const SOURCES: Readonly<Record<string, Source>> = {
  "passes it on": (request, env, call) => {
    begun++;
    return call(upstreamOf(request, env), { method: "POST", body: request.body });
  },
  "reads it": async (request) => {
    begun++;
    return new Response(String((await request.text()).length));
  },
};

for (const [index, [what, source]] of Object.entries(SOURCES).entries()) {
  for (const way of HANDLER_WAYS) {
    const path = guarded(`uploads-${index}`, way, source, { threshold: 2, timeoutMs: 250 });
    const post = `POST ${path}/echo HTTP/1.1\r\nhost: site.test\r\nconnection: close\r\n` +
      "content-length: 10\r\n\r\n";

    test(`32: half a POST and a hang-up count nothing where ${way} ${what}`, async (border) => {
      const count = async () => Number((await border.ask("/uploads/begun")).text);
      const ended = async () => (await told(border, path)).events.length;
      for (let asked = 0; asked < 3; asked++) {
        const [before, endedBefore] = [await count(), await ended()];
        const client = await border.connect(`${post}half`);
        await until(async () => await count() > before);
        client.close();
        await until(async () => await ended() > endedBefore);
      }

      assertEquals((await told(border, path)).states, ["closed"]);
    });

    test(`32: a POST that trickles beyond timeoutMs counts nothing where ${way} ${what}`, async (border) => {
      for (let asked = 0; asked < 3; asked++) {
        const client = await border.connect(post);
        for (const letter of "slow ones ") {
          await client.write(letter).catch(() => {});
          await new Promise((resolve) => setTimeout(resolve, 40));
        }
        await client.read().catch(() => {});
        client.close();
      }

      assertEquals((await told(border, path)).states, ["closed"]);
    });
  }
}
