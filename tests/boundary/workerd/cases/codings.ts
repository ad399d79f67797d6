/** Bodies that Workers were told to leave coded. */
import { assert, assertEquals } from "@std/assert";
import { test, until, upstreamOf } from "../border.ts";
import { guarded, HANDLER_WAYS, type Source, told, unguarded, WAYS } from "./ways.ts";

const manual: Source = (request, env, call) =>
  call(upstreamOf(request, env), { encodeResponseBody: "manual" } as RequestInit);

/** A handler that codes its answer itself. */
const coding: Source = async () => {
  const text = new Blob(["coded by the handler ".repeat(100)]);
  const coded = text.stream().pipeThrough(new CompressionStream("gzip"));
  const init = { headers: { "content-encoding": "gzip" }, encodeBody: "manual" } as ResponseInit;
  return new Response(await new Response(coded).arrayBuffer(), init);
};

/** A handler that has Workers code its answer. */
const coded: Source = () =>
  new Response("coded by the runtime ".repeat(100), { headers: { "content-encoding": "gzip" } });

const SOURCES = [
  { what: "fetched without decoding", source: manual, ways: WAYS, kinds: ["gzip", "br"] },
  { what: "coded by its handler", source: coding, ways: HANDLER_WAYS, kinds: [""] },
  { what: "coded by the runtime", source: coded, ways: HANDLER_WAYS, kinds: [""] },
] as const;

for (const [index, { what, source, ways, kinds }] of SOURCES.entries()) {
  const bare = unguarded(`codings-${index}`, source);
  for (const way of ways) {
    const path = guarded(`codings-${index}`, way, source);
    for (const kind of kinds) {
      test(`34: a body ${what} ${kind} arrives as bare through ${way}, live and from memory`, async (border) => {
        const expected = await border.ask(`${bare}/${kind}`);
        const live = await border.ask(`${path}/${kind}`);
        await until(async () => (await told(border, path)).events.includes("kept"));
        border.origin.isDown = true;
        const isKept = kind !== "";
        const stale = isKept ? await border.ask(`${path}/${kind}`) : live;

        assertEquals([live.status, live.text], [200, expected.text]);
        assertEquals([stale.status, stale.text], [200, expected.text]);
        if (isKept) assert(stale.headers.has("cache-status"));
      });
    }
  }
}
