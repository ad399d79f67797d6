import { assert, assertEquals } from "@std/assert";
import { compress } from "hono/compress";
import { Edge, MAKERS, orders } from "../stage/hono_stage.ts";

const LONG = "good ".repeat(1_000);
const GZIP = { headers: { "accept-encoding": "gzip" } };

/** Reads a response as a client that decodes gzip. */
async function unzipped(response: Response): Promise<string> {
  const coding = response.headers.get("content-encoding");
  if (coding === null || response.body === null) return await response.text();
  assertEquals(coding, "gzip");
  return await new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).text();
}

for (const [order, chain] of orders(() => compress())) {
  for (const [maker, make] of MAKERS) {
    Deno.test(`K2: compress ${order}, ${maker}: each client gets what it can decode`, async () => {
      const edge = new Edge(chain);
      edge.answer = (c) => make(c, LONG, { "content-type": "text/plain" });
      const good = await edge.get(GZIP);
      assertEquals(good.headers.get("content-encoding"), "gzip");
      assertEquals([await unzipped(good), await edge.read()], [LONG, LONG]);
      edge.fail();

      const zipped = await edge.get(GZIP);
      const plain = await edge.get();

      assert(zipped.headers.has("age") && plain.headers.has("age"));
      assertEquals(await unzipped(zipped), LONG);
      assertEquals(plain.headers.get("content-encoding"), null);
      assertEquals(await plain.text(), LONG);
    });

    Deno.test(`K2: compress ${order}, ${maker}: coded bytes never reach a client that did not ask for them`, async () => {
      const edge = new Edge(chain);
      edge.answer = (c) => make(c, LONG, { "content-type": "text/plain" });
      await unzipped(await edge.get(GZIP));
      edge.fail();

      const plain = await edge.get();

      assertEquals(plain.headers.get("content-encoding"), null);
      assertEquals(await plain.text(), order === "outside" ? LONG : "down");
    });
  }
}

for (const vary of ["Accept-Encoding", "X-Theme, Accept-Encoding", "ACCEPT-ENCODING ,X-Theme"]) {
  Deno.test(`K2: a plain answer for which a Vary: ${vary} is set outside is one for all codings`, async () => {
    const edge = new Edge({
      outer: [async (c, next) => {
        await next();
        c.header("vary", vary);
      }],
    });
    await edge.read(GZIP);
    edge.fail();

    assertEquals(await edge.read(), "good");
  });
}
