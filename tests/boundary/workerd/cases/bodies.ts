/** A copied answer is the answer, for clients and for what else reads bodies on Workers. */
import { assert, assertEquals } from "@std/assert";
import { type Border, route, test, until, upstreamOf } from "../border.ts";
import type { Answer } from "../client.ts";
import { guarded, HANDLER_WAYS, type Source, told, unguarded, WAYS } from "./ways.ts";

const proxied: Source = (request, env, call) => call(upstreamOf(request, env));

const KINDS = ["short", "long", "empty", "chunked", "gzip", "br", "gzip-chunked", "slow"] as const;

const BARE = unguarded("bodies", proxied);

/** What a client that decodes knows of an answer. */
function read({ status, headers, text, isWhole }: Answer) {
  return { status, type: headers.get("content-type"), text, isWhole };
}

async function kept(border: Border, path: string, before: number): Promise<void> {
  const count = async () =>
    (await told(border, path)).events.filter((event) => event === "kept").length;
  await until(async () => await count() > before);
}

for (const way of WAYS) {
  const path = guarded("bodies", way, proxied);

  for (const kind of KINDS) {
    test(`34: a ${kind} body through ${way} reaches a decoding client as it does bare`, async (border) => {
      const bare = await border.ask(`${BARE}/${kind}`);
      const keptBefore = (await told(border, path)).events.filter((one) => one === "kept").length;

      const live = await border.ask(`${path}/${kind}`);
      await kept(border, path, keptBefore);
      border.origin.isDown = true;
      const stale = await border.ask(`${path}/${kind}`);

      assertEquals(read(live), read(bare));
      assertEquals(read(stale), read(bare));
      assert(stale.headers.get("cache-status")?.includes("fwd=stale"), "it was not down");
    });
  }

  test(`34: a body of known length through ${way} goes out with that length`, async (border) => {
    const bare = await border.ask(`${BARE}/long`);

    const live = await border.ask(`${path}/long`);

    assertEquals(live.headers.get("content-length"), bare.headers.get("content-length"));
    assertEquals(live.headers.get("transfer-encoding"), null);
  });

  const cut = guarded("cut", way, proxied, { threshold: 100 });

  test(`20: a body that is cut short through ${way} is broken for its reader and not kept`, async (border) => {
    const live = await border.ask(`${cut}/half`);
    await until(async () => (await told(border, cut)).events.length > 0);

    assertEquals(live.isWhole, false);
    const { events } = await told(border, cut);
    assertEquals(events.filter((event) => event === "kept"), []);
  });

  test(`34: a body that is cut short through ${way} logs what it logs bare`, async (border) => {
    const asked = async (path: string) => {
      const { isWhole } = await border.ask(`${path}/half`);
      assertEquals(isWhole, false);
    };
    const bare = await border.logged(() => asked(BARE));

    const logged = await border.logged(() => asked(cut));

    assertEquals(logged, bare);
  });

  const endless = guarded("endless", way, proxied);

  test(`21: a client that stops reading a body through ${way} also stops the origin`, async (border) => {
    const before = border.origin.sent;
    const client = await border.connect(
      `GET ${endless}/endless HTTP/1.1\r\nhost: site.test\r\n\r\n`,
    );
    await client.read();
    let last = -1;
    await until(async () => {
      const isSame = last === border.origin.sent;
      last = border.origin.sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return isSame;
    });
    client.close();

    const sent = border.origin.sent - before;
    assert(sent < 40 * 1_048_576, `${sent} bytes were read without a reader`);
  });
}

for (const way of HANDLER_WAYS) {
  const made = guarded("made", way, () => Response.json({ made: "here" }));

  test(`34: JSON that a handler makes keeps its length through ${way}`, async (border) => {
    const lengths: unknown[] = [];
    for (let asked = 0; asked < 20; asked++) {
      const { headers } = await border.ask(`${made}/json`);
      lengths.push(headers.get("content-length"));
    }

    assertEquals([...new Set(lengths)], ["15"]);
  });
}

// ---- Readers in the Worker ----

type Reading = (response: Response, env: Parameters<Source>[1], url: string) => Promise<unknown>;

const READINGS: Readonly<Record<string, Reading>> = {
  "a BYOB reader": async ({ body }) => {
    const { value } = await body!.getReader({ mode: "byob" }).read(new Uint8Array(5));
    return new TextDecoder().decode(value);
  },
  "cache.put": async (response, _env, url) => {
    const { default: cache } = caches as unknown as { default: Cache };
    await cache.put(url, response);
    return "put";
  },
  "R2.put": async ({ body }, { R2 }) => {
    const error = await R2.put("key", body).then(() => undefined, String);
    return error?.includes("known length") ? error : "taken";
  },
  "a Request with a length": async ({ body }, { SELF }) => {
    const init: RequestInit = { method: "POST", body };
    return await (await SELF.fetch("http://site.test/readings/length", init)).text();
  },
  "text of a clone": async (response) => await response.clone().text(),
  "url, type and redirected": (response) => {
    const { url, type, redirected } = response;
    const clone = response.clone();
    const cloned = [clone.url.replace(/.*\//, ""), clone.type, clone.redirected];
    return Promise.resolve([url.replace(/.*\//, ""), type, redirected, cloned]);
  },
};

route("/readings/length", async (request) => {
  await request.arrayBuffer();
  return new Response(request.headers.get("content-length"));
});

const readBy: Source = async (request, env, call) => {
  const reading = decodeURIComponent(new URL(request.url).search.slice(1));
  const response = await call(upstreamOf(request, env).replace(/\?.*/, ""));
  try {
    return Response.json(await READINGS[reading]!(response, env, request.url));
  } catch (error) {
    return new Response(String(error));
  }
};

const READ_BARE = unguarded("readings", readBy);

for (const way of ["fetch", "fetch, kept alive"] as const) {
  const path = guarded("readings", way, readBy);

  for (const reading of Object.keys(READINGS)) {
    const query = encodeURIComponent(reading);

    test(`34: ${reading} finds in an answer of ${way} what it finds bare`, async (border) => {
      const bare = await border.ask(`${READ_BARE}/short?${query}`);

      const live = await border.ask(`${path}/short?${query}`);
      const again = await border.ask(`${path}/short?${query}`);
      border.origin.isDown = true;
      const stale = await border.ask(`${path}/short?${query}`);

      assertEquals([live.text, again.text, stale.text], [bare.text, bare.text, bare.text]);
    });
  }
}
