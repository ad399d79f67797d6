import { assertEquals, assertStrictEquals } from "@std/assert";
import { Hono } from "hono";
import { breaker, type HonoContextLike } from "@lastgood/breaker/hono";
import { sets } from "../stage/hono_stage.ts";

/** A context other than Hono's: it cannot be constructed for a trial, and merges nothing. */
class ForeignContext implements HonoContextLike {
  readonly req: { readonly raw: Request };
  readonly error = undefined;
  finalized = false;
  #res: Response | undefined;

  constructor(request: Request, outer: HeadersInit) {
    if (!(request instanceof Request && outer !== undefined)) throw new TypeError("Two arguments");
    this.req = { raw: request };
    this.#res = new Response(null, { headers: outer });
  }

  get res(): Response | undefined {
    return this.#res;
  }

  set res(response: Response | undefined) {
    this.#res = response;
    this.finalized = response !== undefined;
  }

  get executionCtx(): never {
    throw new Error("There is none");
  }

  newResponse(): Response {
    return new Response(null);
  }
}

Deno.test("H6: fields on the response of a foreign context reach the client", async () => {
  const context = new ForeignContext(new Request("http://edge.test/"), { "x-client": "ann" });
  const guard = breaker({ timeoutMs: Infinity, lastGood: { maxBodyMs: Infinity } });

  await guard(context, () => {
    context.res = new Response("good");
    return Promise.resolve();
  });

  assertEquals(context.res?.headers.get("x-client"), "ann");
  assertEquals(await context.res?.text(), "good");
});

for (
  const [fields, has] of [[{ "x-client": "ann", "content-type": "a/b" }, true], [
    {},
    false,
  ]] as const
) {
  const which = has ? "with fields" : "without fields";

  Deno.test(`30: with lastGood: false the response of a foreign context ${which} is left alone`, async () => {
    const context = new ForeignContext(new Request("http://edge.test/"), fields);
    const before = context.res;
    let seen: unknown[] = [];

    await breaker({ timeoutMs: Infinity, lastGood: false })(context, () => {
      seen = [context.finalized, has ? context.res : before];
      context.res = new Response("good");
      return Promise.resolve();
    });

    assertEquals(seen[0], false);
    assertStrictEquals(seen[1], before);
    assertEquals(context.res?.headers.get("x-client"), null);
  });

  Deno.test(`H6: with lastGood: false a refusal in a foreign context ${which} carries them`, async () => {
    const guard = breaker({ timeoutMs: Infinity, lastGood: false });
    guard.breaker.circuit("circuit").trip();
    const context = new ForeignContext(new Request("http://edge.test/"), fields);

    await guard(context, () => Promise.resolve());

    assertEquals(context.res?.status, 503);
    assertEquals(context.res?.headers.get("x-client"), has ? "ann" : null);
    assertEquals(context.res?.headers.get("content-type"), "application/problem+json");
  });
}

Deno.test("H6: with lastGood: false a content type set outside is not that of a fallback without one", async () => {
  const app = new Hono();
  const fallback = () => new Response(new Uint8Array([1]));
  app.use(
    sets("c.header", () => ({ "content-type": "a/b", "x-outer": "1" })),
    breaker({ timeoutMs: Infinity, lastGood: false, fallback }),
  );
  app.get("*", () => new Response("down", { status: 500 }));

  const { headers } = await app.request("http://edge.test/");

  assertEquals([headers.get("content-type"), headers.get("x-outer")], [null, "1"]);
});

Deno.test("34: an answer with fields that no constructor takes passes", async () => {
  const odd = new Response(null, { status: 404 });
  const headers = { has: () => false, get: () => null, "bad name": "x" };
  Object.defineProperty(odd, "headers", { value: headers });
  const context = new ForeignContext(new Request("http://edge.test/"), { "x-client": "ann" });

  await breaker({ timeoutMs: Infinity })(context, () => {
    context.res = odd;
    return Promise.resolve();
  });

  // workerd takes any.
  assertEquals(context.res?.status, 404);
});
