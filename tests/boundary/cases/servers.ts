/** Servers that answer our errors, and servers and streams behind a breaker. */
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import { initTRPC } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { type Breaker, CircuitOpenError } from "@lastgood/breaker";
// It has no types of its own.
// @ts-types="./stage/express.d.ts"
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { proxy } from "hono/proxy";
import OpenAI from "openai";
import { assert, assertEquals } from "std/assert";
import { boundary, Deferred, outcome } from "./stage/case.ts";
import { type Handler, listening, serve, type Served } from "./stage/host.ts";
import { chunk, head, LAST, nothing, RawOrigin, text } from "./stage/origin.ts";
import { watched } from "./stage/watched.ts";
import { SERVERS } from "./stage/servers.ts";

/** Apps that call an upstream through a breaker, and leave errors to their framework. */
const FRAMEWORKS: Readonly<Record<string, (api: Breaker, url: string) => Promise<Served>>> = {
  "Express 5": (api, url) => {
    const app = express();
    app.set("env", "test");
    app.get("/", async (_, response) => {
      response.send(await (await api.fetch(url)).text());
    });
    return listening(app);
  },
  "Fastify 5": async (api, url) => {
    const app = fastify();
    app.get("/", async () => await (await api.fetch(url)).text());
    const address = await app.listen({ host: "127.0.0.1", port: 0 });
    return {
      url: `${address}/`,
      port: Number(new URL(address).port),
      errors: [],
      [Symbol.asyncDispose]: async () => {
        app.server.closeAllConnections?.();
        await app.close();
      },
    };
  },
  "Hono": (api, url) => {
    const app = new Hono().get("/", async (c) => c.text(await (await api.fetch(url)).text()));
    return serve(app.fetch);
  },
};

for (const [name, start] of Object.entries(FRAMEWORKS)) {
  boundary(`${name} answers a CircuitOpenError with 503 and Retry-After`, async () => {
    using origin = await RawOrigin.start(nothing);
    const { api } = watched({ delayMs: 42_000 });
    api.circuit(new URL(origin.url).origin).trip();
    await using served = await start(api, origin.url);

    const { status, headers } = await fetch(served.url);

    assertEquals([status, headers.get("retry-after")], [503, "42"]);
  });

  boundary(`23: ${name} serves the last good answer of an upstream that is down`, async () => {
    using origin = await RawOrigin.start(() => text("fine"));
    const w = watched();
    await using served = await start(w.api, origin.url);
    await (await fetch(served.url)).text();
    await w.ended(1);
    origin.close();

    const response = await fetch(served.url);

    assertEquals([response.status, await response.text()], [200, "fine"]);
  });
}

for (const [name, { on, start, expect }] of Object.entries(SERVERS)) {
  boundary(`23: ${name} in front of a wrapped handler serves the last good answer`, async () => {
    using origin = await RawOrigin.start(() => text("fine", "content-type: text/plain"));
    const w = watched({ threshold: 2 });
    const handler: Handler = (request) => {
      expect?.(request);
      return fetch(origin.url);
    };
    await using served = await start(w.api.wrap(handler));
    const ask = async () => {
      const response = await fetch(`${served.url}item`);
      return [response.status, await response.text(), response.headers.get("content-type")];
    };
    const live = await ask();
    await w.ended(1);
    origin.close();

    const stale = [await ask(), await ask(), await ask()];

    assertEquals([live, ...stale], Array(4).fill([200, "fine", "text/plain"]));
    assertEquals(w.state, "open");
  }, on);
}

boundary(
  "23: hono/proxy over api.fetch passes fields on, and serves the last good answer",
  async () => {
    using origin = await RawOrigin.start(({ received }) =>
      text(/x-own: (\S+)/i.exec(received)?.[1] ?? "none")
    );
    const w = watched();
    const app = new Hono().all("*", (c) =>
      proxy(origin.url, {
        ...c.req,
        headers: { ...c.req.header(), host: undefined },
        customFetch: (request: Request) => w.api.fetch(request),
      } as never));
    await using served = await serve(app.fetch);
    const ask = async () =>
      await (await fetch(served.url, { headers: { "x-own": "mine" } })).text();
    const live = await ask();
    await w.ended(1);
    await w.api.idle();
    origin.close();

    assertEquals([live, await ask()], ["mine", "mine"]);
  },
);

boundary("23: a tRPC server behind a wrapped handler serves the last good answer", async () => {
  let isDown = false;
  const t = initTRPC.create();
  const router = t.router({
    items: t.procedure.query(() => {
      if (isDown) throw new Error("down");
      return ["a"];
    }),
  });
  const w = watched({ threshold: 2 });
  const handler = (req: Request) => fetchRequestHandler({ endpoint: "/", req, router });
  await using served = await serve(w.api.wrap(handler));
  const client = createTRPCClient<typeof router>({ links: [httpBatchLink({ url: served.url })] });
  const live = await client.items.query();
  await w.ended(1);
  isDown = true;

  const stale = [await client.items.query(), await client.items.query()];

  assertEquals([live, ...stale], Array(3).fill(["a"]));
  assertEquals(w.state, "open");
});

/** One event of a completion. */
function delta(content: string): string {
  const choices = [{ index: 0, delta: { content } }];
  return `data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", choices })}\n\n`;
}

boundary("21: the OpenAI SDK reads a stream through api.fetch as it comes", async () => {
  const gates = [new Deferred(), new Deferred(), new Deferred()];
  using origin = await RawOrigin.start(function* () {
    yield head("content-type: text/event-stream", "transfer-encoding: chunked");
    for (const [index, gate] of gates.entries()) {
      yield gate.promise;
      yield chunk(delta(`word${index}`));
    }
    yield chunk("data: [DONE]\n\n") + LAST;
  });
  const w = watched();
  const client = new OpenAI({
    apiKey: "k",
    baseURL: origin.url,
    fetch: w.api.fetch as typeof fetch,
    maxRetries: 0,
  });
  const asked = client.chat.completions.create({ model: "m", messages: [], stream: true });
  gates[0]!.resolve();

  const words: string[] = [];
  for await (const { choices } of await asked) {
    words.push(choices[0]?.delta.content ?? "");
    // The next one is sent only when this one has been read.
    gates[words.length]?.resolve();
  }

  assertEquals(words, ["word0", "word1", "word2"]);
  await w.ended(1);
  assertEquals(w.ends, ["success upstream"]);
});

boundary("the OpenAI SDK passes on the refusal of a streaming call", async () => {
  using origin = await RawOrigin.start(nothing);
  const w = watched();
  w.api.circuit(new URL(origin.url).origin).trip();
  const client = new OpenAI({
    apiKey: "k",
    baseURL: origin.url,
    fetch: w.api.fetch as typeof fetch,
    maxRetries: 0,
  });

  let refusal: unknown;
  await outcome(async () => {
    try {
      await client.chat.completions.create({ model: "m", messages: [], stream: true });
    } catch (error) {
      refusal = error;
    }
  });

  assert(CircuitOpenError.in(refusal) instanceof CircuitOpenError);
});
