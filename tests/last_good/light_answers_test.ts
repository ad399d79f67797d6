/** Answers as handlers make them under Hono's server for Node, while what is kept was kept a moment ago. */

import { breaker } from "@lastgood/breaker";
import { breaker as middleware } from "@lastgood/breaker/hono";
import { assert, assertEquals } from "@std/assert";
import { type Context, Hono } from "hono";
import { proxyTest } from "../../src/runtime.ts";
import { withLightResponses } from "../stage/light_response.ts";
import { PAGE } from "../stage/site.ts";

type Fields = Record<string, string>;
type Answer = (c?: Context) => Response;
type Way = "wrap" | "hono";

const KEPT: Fields = { "Content-Type": "text/plain", "x-one": "1" };
const plain: Answer = () => new Response("ours", { headers: KEPT });

/** Makes a breaker that gives these answers, one after the other, and opens it for the last request. */
async function served(way: Way, ...answers: Answer[]): Promise<string | number> {
  const rest = [...answers];
  const api = breaker({ name: "app", timeoutMs: Infinity, now: () => 1_000 });
  const app = new Hono();
  app.use(middleware(api));
  app.get("*", (c) => rest.shift()!(c));
  const wrapped = api.wrap(() => rest.shift()!());
  const ask = async () => {
    const request = new Request(PAGE);
    const response = await (way === "hono" ? app.fetch(request) : wrapped(request));
    return response.status === 200 ? await response.text() : response.status;
  };
  while (rest.length > 0) await ask();
  for (const [, circuit] of api.circuits()) circuit.trip();
  return await ask();
}

/** Ways of giving a field. */
const FORMS: Readonly<Record<string, (name: string, value: string) => Answer>> = {
  "in a record": (name, value) => () =>
    new Response("new", { headers: { ...KEPT, [name]: value } }),
  "in mixed case": (name, value) => () =>
    new Response("new", { headers: { ...KEPT, [name.replaceAll("c", "C")]: value } }),
  "twice": (name, value) => () =>
    new Response("new", { headers: { [name.toUpperCase()]: "x", ...KEPT, [name]: value } }),
  "in pairs": (name, value) => () =>
    new Response("new", { headers: [...Object.entries(KEPT), [name, value]] }),
  "in Headers": (name, value) => () =>
    new Response("new", { headers: new Headers({ ...KEPT, [name]: value }) }),
  "later": (name, value) => () => {
    const response = new Response("new", { headers: KEPT });
    response.headers.append(name, value);
    return response;
  },
  "after a look at the body": (name, value) => () => {
    const response = new Response("new", { headers: KEPT });
    assert(response.body !== null);
    response.headers.append(name, value);
    return response;
  },
};

const HONO_FORMS: typeof FORMS = {
  "by c.header": (name, value) => (c) => {
    c!.header(name, value);
    return c!.body("new", 200, KEPT);
  },
  "on c.res": (name, value) => (c) => {
    c!.res = new Response("new", { headers: KEPT });
    c!.res.headers.set(name, value);
    return c!.res;
  },
  "by c.header at the end": (name, value) => (c) => {
    c!.res = new Response("new", { headers: KEPT });
    c!.header(name, value);
    return c!.res;
  },
};

const REMOVING: Fields = {
  "cache-control": "no-store",
  "Cache-Control": "max-age=60, private",
  "cdn-cache-control": "no-store",
  "surrogate-control": "no-store",
  "pragma": "no-cache",
};

const FORBIDDING: Fields = { ...REMOVING, "set-cookie": "sid=1", "vary": "*" };

function formsOf(way: Way) {
  return Object.entries(way === "hono" ? { ...FORMS, ...HONO_FORMS } : FORMS);
}

for (const way of ["wrap", "hono"] as const) {
  Deno.test(`${way}: a light answer that changes nothing is passed on without Headers`, async () => {
    await withLightResponses(async (made) => {
      let before = 0;
      let after = 0;
      const watched: Answer = () => {
        before = made.headers;
        return plain();
      };
      const last: Answer = () => {
        after = made.headers;
        return plain();
      };

      assertEquals(await served(way, plain, watched, last), "ours");
      // Elsewhere nobody knows whether somebody has put fields over them.
      assertEquals(after - before, proxyTest() === undefined ? 1 : 0);
    });
  });

  for (const [form, given] of formsOf(way)) {
    Deno.test(`S17: ${way}: a light answer that forbids keeping, given ${form}, removes at once`, async () => {
      await withLightResponses(async () => {
        for (const [name, value] of Object.entries(REMOVING)) {
          assertEquals(await served(way, plain, given(name, value)), 503, `${name}: ${value}`);
        }
      });
    });

    Deno.test(`S3, S4, S7, S10: ${way}: a light answer that forbids keeping, given ${form}, is not kept`, async () => {
      await withLightResponses(async () => {
        for (const [name, value] of Object.entries(FORBIDDING)) {
          assertEquals(await served(way, given(name, value)), 503, `${name}: ${value}`);
        }
      });
    });
  }
}
