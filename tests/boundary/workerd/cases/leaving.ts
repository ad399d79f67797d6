/** Clients who leave are no errors: nothing is logged that is not logged bare. */
import { assertEquals } from "@std/assert";
import { type Border, route, test, until, upstreamOf } from "../border.ts";
import { guarded, type Source, unguarded, WAYS } from "./ways.ts";

/** How many calls have been made. */
let calls = 0;

const SOURCES: Readonly<Record<string, Source>> = {
  "calls an upstream": (request, env, call) => {
    calls++;
    return call(upstreamOf(request, env));
  },
  "passes its signal on": (request, env, call) => {
    calls++;
    return call(upstreamOf(request, env), { signal: request.signal });
  },
};

/** What the client is waiting for when it leaves. */
const KINDS = { hang: "the head", slow: "the body" } as const;

// workerd does not notice that a socket closes, so the client is a request of its own.
route("/leaving/client", async (request, env) => {
  const { href } = new URL(request.url);
  for (let asked = 0; asked < 3; asked++) {
    const client = new AbortController();
    const before = calls;
    const answer = env.SELF.fetch(href.replace("/leaving/client", ""), { signal: client.signal });
    answer.catch(() => {});
    await until(() => calls > before);
    if (href.endsWith("slow")) await (await answer).body?.getReader().read();
    else await new Promise((resolve) => setTimeout(resolve, 10));
    client.abort();
  }
  return new Response("left");
});

/** Leaves three times, and collects what is logged. */
function leaves(border: Border, path: string): Promise<string> {
  return border.logged(async () => {
    assertEquals((await border.ask(`/leaving/client${path}`)).text, "left");
  });
}

for (const [index, [what, source]] of Object.entries(SOURCES).entries()) {
  const bare = unguarded(`leaving-${index}`, source);

  for (const way of WAYS) {
    const path = guarded(`leaving-${index}`, way, source, { threshold: 100 });

    for (const kind of ["hang", "slow"] as const) {
      test(`36: a client who leaves before ${KINDS[kind]} of ${way} that ${what} makes no exception`, async (border) => {
        const expected = await leaves(border, `${bare}/${kind}`);

        const logged = await leaves(border, `${path}/${kind}`);

        assertEquals(logged, expected);
      });
    }
  }
}
