/** What can be seen of a copied answer, and answers that hardly are responses. */
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import nodeFetch3 from "node-fetch";
import nodeFetch2 from "node-fetch-2";
import { assert, assertEquals } from "std/assert";
import { boundary, outcome, until } from "./stage/case.ts";
import { serve } from "./stage/host.ts";
import { RawOrigin, text } from "./stage/origin.ts";
import { runProgram } from "./stage/program.ts";
import { watched } from "./stage/watched.ts";

type Call = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Everything that can be seen of an answer. */
async function seen(call: Call, url: string): Promise<unknown> {
  return await outcome(async () => {
    const response = await call(url);
    const shown = ({ status, statusText, ok, url, type, redirected, headers }: Response) => ({
      status,
      statusText,
      ok,
      url,
      type,
      redirected,
      headers: [...headers],
    });
    const clone = response.clone();
    return [shown(response), shown(clone), await response.text(), await clone.text()];
  });
}

boundary("34: a copied answer shows what it shows without us, and so does its clone", async () => {
  using origin = await RawOrigin.start(() => text("fine", "content-type: text/plain"));
  const { api } = watched();

  const expected = await seen(fetch, origin.url);

  assertEquals([await seen(api.fetch, origin.url)], [expected]);
});

boundary("34: the last good answer has the url of the one it stands for", async () => {
  using origin = await RawOrigin.start(() => text("fine"));
  const w = watched();
  const url = `${origin.url}page?a=b`;
  await (await w.api.fetch(url)).text();
  await w.ended(1);
  origin.close();

  const stale = await w.api.fetch(url);

  assertEquals([stale.url, stale.clone().url, await stale.text()], [url, url, "fine"]);
});

/** Reads a body into a buffer that the reader brings. */
async function byob(call: Call, url: string): Promise<string> {
  return await outcome(async () => {
    const response = await call(url);
    const reader = response.body!.getReader({ mode: "byob" });
    let read = "";
    for (;;) {
      const { value, done } = await reader.read(new Uint8Array(3));
      if (done) return read;
      read += new TextDecoder().decode(value);
    }
  });
}

boundary(
  "34: BYOB readers read copies and the last good where they read live answers",
  async () => {
    using origin = await RawOrigin.start(() => text("fine words"));
    const w = watched({ lastGood: { refreshMs: 0 } });
    // Bun makes its bodies of one kind or the other, by chance.
    const live: string[] = [];
    for (let n = 0; n < 3; n++) live.push(await byob(fetch, origin.url));
    const copied = await byob(w.api.fetch, origin.url);
    if (copied !== "fine words") await (await w.api.fetch(origin.url)).text();
    await w.ended(1);
    await w.api.idle();
    origin.close();

    const stale = await byob(w.api.fetch, origin.url);

    const words = Array(5).fill("fine words");
    if (live.every((read) => read === "fine words")) assertEquals([copied, stale, ...live], words);
  },
);

boundary("11: the caller's abort reaches a body that has been copied already", async () => {
  using origin = await RawOrigin.start(() => text("fine", "content-type: text/plain"));
  const w = watched();
  const aborted = async (call: Call, isCopied: () => boolean) => {
    const controller = new AbortController();
    const response = await call(origin.url, { signal: controller.signal });
    await until(isCopied, "it is copied");
    controller.abort();
    // Hosts word the error differently before and after the body has arrived.
    return await outcome(async () => await response.text().catch(({ name }) => name));
  };
  const expected = await aborted(fetch, () => true);

  const guarded = await aborted(w.api.fetch, () => w.events.some(({ type }) => type === "kept"));

  assertEquals(guarded, expected);
});

boundary("34: a request with integrity is never answered from memory", async () => {
  using origin = await RawOrigin.start(() => text("fine"));
  const w = watched();
  const integrity = `sha256-${createHash("sha256").update("fine").digest("base64")}`;
  const right = await w.api.fetch(origin.url, { integrity });
  const live = await right.text();
  await (await w.api.fetch(origin.url)).text();
  await w.ended(2);
  await w.api.idle();
  origin.close();

  const named = await outcome(() => w.api.fetch(origin.url, { integrity }));
  const unnamed = await w.api.fetch(origin.url);

  assertEquals([live, await unnamed.text()], ["fine", "fine"]);
  assertEquals(typeof named, "string", "an error");
});

/** Heads that a client may take and a constructor refuses. */
const ODD: Readonly<Record<string, string>> = {
  "a reason beyond Latin-1": "HTTP/1.1 200 成功\r\n",
  "a reason in Latin-1": "HTTP/1.1 200 Tr\u00e8s bien\r\n",
  "no reason": "HTTP/1.1 200\r\n",
  "a field with a space in its name": "HTTP/1.1 200 OK\r\nX Space: y\r\n",
  "a field with a control character": "HTTP/1.1 200 OK\r\nx-odd: a\u0001b\r\n",
  "a field beyond Latin-1": "HTTP/1.1 200 OK\r\nx-odd: 成功\r\n",
};

for (const [what, line] of Object.entries(ODD)) {
  boundary(`34: ${what} passes as without us, and harms no last good answer`, async () => {
    let isOdd = false;
    using origin = await RawOrigin.start(() =>
      isOdd ? [`${line}connection: close\r\ncontent-length: 3\r\n\r\nodd`] : text("good")
    );
    const w = watched({ lastGood: { refreshMs: 0 } });
    await (await w.api.fetch(origin.url)).text();
    await w.ended(1);
    await w.api.idle();
    isOdd = true;
    const expected = await outcome(async () => (await fetch(origin.url)).status);

    const statuses: unknown[] = [];
    for (let n = 0; n < 3 && typeof expected === "number"; n++) {
      const response = await w.api.fetch(origin.url);
      statuses.push(response.status);
      assertEquals(await response.text(), "odd");
    }
    await w.api.idle();
    origin.close();
    const stale = await w.api.fetch(origin.url);

    assertEquals(statuses, typeof expected === "number" ? Array(3).fill(expected) : []);
    assert(["good", "odd"].includes(await stale.text()));
    assertEquals(stale.status, 200);
    assertEquals(w.events.filter(({ type }) => type === "error"), []);
  });
}

for (const [version, nodeFetch] of Object.entries({ 2: nodeFetch2, 3: nodeFetch3 })) {
  boundary(`34: answers of node-fetch ${version} pass, count and hold no permit`, async () => {
    using origin = await RawOrigin.start(() => text('{"a":1}'));
    const w = watched({ fetch: nodeFetch as unknown as Call, threshold: 1 });

    const read: unknown[] = [];
    for (let n = 0; n < 3; n++) read.push(await (await w.api.fetch(origin.url)).json());
    await w.ended(3);
    await w.api.idle();

    assertEquals(read, Array(3).fill({ a: 1 }));
    assertEquals(w.ends, Array(3).fill("success upstream"));
  });

  boundary(
    `34: failed answers of node-fetch ${version} are replaced without stray errors`,
    async () => {
      using origin = await RawOrigin.start(() => [
        "HTTP/1.1 500 Broken\r\nconnection: close\r\ncontent-length: 4\r\n\r\ndown",
      ]);
      const w = watched({
        fetch: nodeFetch as unknown as Call,
        fallback: () => new Response("instead"),
      });

      assertEquals(await (await w.api.fetch(origin.url)).text(), "instead");
      await w.api.idle();
    },
  );
}

/** What test suites hand over in place of responses. */
const MOCKS: Readonly<Record<string, unknown>> = {
  "with json() alone": { status: 200, ok: true, json: () => Promise.resolve({ a: 1 }) },
  "with fields but no body": {
    status: 200,
    ok: true,
    headers: new Headers({ "content-type": "application/json" }),
    json: () => Promise.resolve({ a: 1 }),
  },
  "with fields as an object": { status: 200, headers: { a: "b" }, json: () => ({ a: 1 }) },
  "that failed": { status: 500, ok: false, json: () => Promise.resolve({ a: 1 }) },
};

for (const [what, mock] of Object.entries(MOCKS)) {
  boundary(`34: a mock ${what} passes as without us`, async () => {
    const w = watched({ fetch: () => Promise.resolve(mock as Response) });

    const response = await w.api.fetch("http://a.test/");

    assert(response === mock);
    assertEquals(await response.json(), { a: 1 });
    assertEquals(w.ends.length, 1);
  });
}

boundary("34: a mock of a request reaches a wrapped handler", async () => {
  const w = watched();
  const request = { method: "GET", url: "http://a.test/", headers: { get: () => null } };
  const handler = w.api.wrap((request) => Promise.resolve(new Response(request.url)));

  const response = await handler(request as unknown as Request);

  assertEquals(await response.text(), "http://a.test/");
});

boundary("34: an answer that @hono/node-server has sent already is never kept (node)", async () => {
  let isDown = false;
  const w = watched({ threshold: 9 });
  const handler = w.api.wrap((_: Request, { outgoing }: { outgoing: ServerResponse }) => {
    if (isDown) throw new Error("down");
    outgoing.end("sent by hand");
    return RESPONSE_ALREADY_SENT;
  });
  await using served = await serve(handler);
  const first = await (await fetch(served.url)).text();
  const second = await (await fetch(served.url)).text();
  isDown = true;

  const { status } = await fetch(served.url);

  assertEquals([first, second, status], ["sent by hand", "sent by hand", 500]);
}, ["node"]);

for (const body of ["fine", ""]) {
  const what = body === "" ? "an empty answer" : "an answer";
  boundary(`34: a judge that reads a clone of ${what} does not end the process`, async () => {
    using origin = await RawOrigin.start(() => text(body));

    const { code, printed } = await runProgram("judge.mjs", { ORIGIN: origin.url });

    assertEquals([code, printed.trim()], [0, Array(3).fill(body).join(" ").trim()]);
  });
}
