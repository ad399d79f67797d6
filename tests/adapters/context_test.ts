import { assertEquals } from "@std/assert";
import { breaker, type HonoContextLike } from "@lastgood/breaker/hono";

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
