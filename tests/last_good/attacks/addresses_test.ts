/** Attacks by what router and memory may read differently: raw URLs, and Host (K1). */

import { assertEquals } from "@std/assert";
import { ORIGIN, PAGE, Site } from "../../stage/site.ts";
import { page } from "../../stage/upstream.ts";

/** A request whose URL is what a server has read from the wire. */
function raw(url: string, headers: HeadersInit = {}): Request {
  const request = new Request(PAGE, { headers });
  return Object.defineProperty(request, "url", { value: url });
}

const RAW = [
  `${ORIGIN}/x/../page`,
  `${ORIGIN}/./page`,
  `${ORIGIN}/x/%2e%2e/page`,
  `${ORIGIN}/x/%2E%2e/page`,
  `${ORIGIN}/x/.%2e/page`,
  `${ORIGIN}/%2e/page`,
  `${ORIGIN}\\page`,
  `${ORIGIN}/x\\..\\page`,
  `${ORIGIN}/page#admin`,
  `${ORIGIN}#/page`,
  "https://ORIGIN.test/pa\tge",
  `${ORIGIN}/page `,
  ` ${PAGE}`,
  "https://origin.test@evil.test/../page",
  "https:origin.test/page",
  "https:/origin.test/page",
];

Deno.test("K1: wrap: a URL that the parser changes is neither kept nor answered from memory", async () => {
  const wrong = [];
  for (const url of RAW) {
    const site = new Site();
    let text = "good";
    const handler = site.api.wrap(() =>
      text === "down" ? new Response("down", { status: 503 }) : new Response(text)
    );
    const ask = async (request: Request) => await (await handler(request)).text();

    // It must not be kept ...
    text = "evil";
    await ask(raw(url));
    text = "down";
    const afterEvil = await ask(new Request(PAGE));
    // ... nor get the page ...
    text = "good";
    await ask(new Request(PAGE));
    text = "down";
    const forRaw = await ask(raw(url));
    // ... nor take it away.
    text = "gone";
    const removing = site.api.wrap(() => new Response(null, { status: 410 }));
    await ask(raw(url));
    await (await removing(raw(url))).text();
    text = "down";
    const left = await ask(new Request(PAGE));

    const found = [afterEvil, forRaw, left];
    if (JSON.stringify(found) !== JSON.stringify(["down", "down", "good"])) {
      wrong.push([url, ...found]);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("K1: wrap: a URL that is only escaped is kept and served as it is", async () => {
  for (
    const path of [
      "/a%20b",
      "/a?b=../c",
      "/a//b",
      "/~a",
      "/%7Ea",
      "/a;b",
      "/?",
      "/a?x=%2e%2e/",
      "/.well-known/a",
      "/a..b",
      "/...",
    ]
  ) {
    const site = new Site({}, "wrap");
    await site.read({}, ORIGIN + path);

    assertEquals([path, await site.kept({}, ORIGIN + path)], [path, "good"]);
  }
});

for (const way of ["wrap", "respond", "hono"] as const) {
  Deno.test(`K1: ${way}: another host in Host is neither kept nor answered from memory`, async () => {
    const wrong = [];
    for (
      const host of [
        "evil.test",
        "origin.test:8443",
        "origin.test.",
        "xorigin.test",
        "origin.test#",
        "origin.test/x",
        "origin.test, evil.test",
        "",
      ]
    ) {
      const site = new Site({}, way);
      site.answer = ({ headers }) => new Response(headers.get("host") ?? "good");
      await site.read({ headers: { host } });
      const poisoned = await site.kept();
      await site.read();
      const found = [poisoned, await site.kept({ headers: { host } }), await site.kept()];
      if (JSON.stringify(found) !== JSON.stringify([undefined, undefined, "good"])) {
        wrong.push([host, ...found]);
      }
    }
    assertEquals(wrong, []);
  });

  Deno.test(`K1: ${way}: the URL's own host in Host is no doubt, but for case and default port`, async () => {
    for (const host of ["origin.test", "ORIGIN.test", "origin.test:443"]) {
      const site = new Site({}, way);
      await site.read({ headers: { host } });

      assertEquals([host, await site.kept({ headers: { host } })], [host, "good"]);
    }
  });

  Deno.test(`K1: ${way}: another host in Host is the owner's decision once there is a key`, async () => {
    const key = ({ url, headers }: Request) => headers.get("host") + new URL(url).pathname;
    const site = new Site({ lastGood: { key } }, way);
    site.answer = ({ headers }) => new Response(headers.get("host"));
    for (const host of ["a.test", "b.test"]) await site.read({ headers: { host } });

    for (const host of ["a.test", "b.test"]) {
      assertEquals(await site.kept({ headers: { host } }), host);
    }
    assertEquals(await site.kept({ headers: { host: "c.test" } }), undefined);
  });

  Deno.test(`K1, S17, S19: ${way}: a request with another host in Host takes no page away`, async () => {
    const site = new Site({ lastGood: { refreshMs: 0 } }, way);
    await site.read();
    site.answer = page({ "cache-control": "no-store" }, null, 410);

    for (let n = 0; n < 3; n++) await site.read({ headers: { host: "evil.test" } });

    assertEquals(await site.kept(), "good");
  });
}
