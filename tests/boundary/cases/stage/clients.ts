import { createTRPCClient, httpLink } from "@trpc/client";
import axios from "axios";
import { GraphQLClient } from "graphql-request";
import ky from "ky";
import { createFetch } from "ofetch";
import OpenAI from "openai";
import createClient from "openapi-fetch";
import { fetch as undiciFetch, Request as UndiciRequest } from "undici";
import { type RawAnswer, text } from "./origin.ts";

/** What clients take for `fetch`. */
export type Fetch = typeof fetch;

/** How users ask with a client that takes their `fetch`. */
export interface Client {
  readonly name: string;
  /** What the origin answers, as JSON. */
  readonly body: string;
  /** What the client makes of that. */
  readonly value: unknown;
  /** The `fetch` that a breaker needs to understand the client's requests; the host's by default. */
  readonly fetch?: Fetch;
  /** How it gives up after its time limit: with a `TimeoutError`, or as if its user had left. */
  readonly limit: "deadline" | "abort";
  /** Asks once, without retrying. */
  get(call: Fetch, url: string, limitMs?: number): Promise<unknown>;
}

const ITEMS = { body: '{"items":["a"]}', value: { items: ["a"] } };

/** Every client, each with one GET. */
export const CLIENTS: readonly Client[] = [
  {
    name: "fetch",
    limit: "deadline",
    ...ITEMS,
    get: async (call, url, limitMs) =>
      await (await call(url, limitMs ? { signal: AbortSignal.timeout(limitMs) } : {})).json(),
  },
  {
    name: "ky",
    limit: "abort",
    ...ITEMS,
    get: (call, url, limitMs) =>
      ky.create({ fetch: call, retry: 0, timeout: limitMs ?? false }).get(url).json(),
  },
  {
    name: "ofetch",
    limit: "deadline",
    ...ITEMS,
    get: (call, url, limitMs) =>
      createFetch({ fetch: call, Headers, AbortController })(url, {
        retry: 0,
        ...limitMs && { timeout: limitMs },
      }),
  },
  {
    name: "openapi-fetch",
    limit: "deadline",
    ...ITEMS,
    async get(call, url, limitMs) {
      const client = createClient<Record<string, Record<string, never>>>({
        baseUrl: url,
        fetch: (request) => call(request),
      });
      const signal = limitMs ? AbortSignal.timeout(limitMs) : null;
      const { data } = await client.GET("/items" as never, { signal } as never);
      return data;
    },
  },
  {
    name: "axios",
    limit: "abort",
    ...ITEMS,
    async get(call, url, limitMs) {
      // `env` is missing in its types.
      const config = { adapter: "fetch", env: { fetch: call }, timeout: limitMs ?? 0 };
      const { data } = await axios.create(config as never).get(url);
      return data;
    },
  },
  {
    name: "tRPC",
    limit: "abort",
    body: '{"result":{"data":["a"]}}',
    value: ["a"],
    get(call, url, limitMs) {
      const client = createTRPCClient({ links: [httpLink({ url, fetch: call as never })] });
      const signal = limitMs ? AbortSignal.timeout(limitMs) : undefined;
      // deno-lint-ignore no-explicit-any
      return (client as any).items.query(undefined, { signal });
    },
  },
  {
    name: "the OpenAI SDK",
    limit: "abort",
    body: '{"object":"list","data":[{"id":"a"}]}',
    value: [{ id: "a" }],
    async get(call, url, limitMs) {
      const options = { apiKey: "k", baseURL: url, fetch: call, maxRetries: 0 };
      const client = new OpenAI({ ...options, ...limitMs && { timeout: limitMs } });
      return (await client.models.list()).data;
    },
  },
  {
    name: "graphql-request",
    limit: "deadline",
    body: '{"data":{"items":["a"]}}',
    value: { items: ["a"] },
    get(call, url, limitMs) {
      const client = new GraphQLClient(url, { fetch: call, method: "GET" });
      const signal = limitMs ? AbortSignal.timeout(limitMs) : undefined;
      return client.request({ document: "{ items }", ...signal && { signal } });
    },
  },
  {
    name: "undici's Request",
    fetch: undiciFetch as unknown as Fetch,
    limit: "deadline",
    ...ITEMS,
    async get(call, url, limitMs) {
      const signal = limitMs ? { signal: AbortSignal.timeout(limitMs) } : {};
      return await (await call(new UndiciRequest(url, signal) as never)).json();
    },
  },
];

/** Makes the origin's answer for a client: its requests may carry a key, and still be kept. */
export function answerFor({ body }: Client): RawAnswer {
  return text(body, "content-type: application/json", "cache-control: public");
}
