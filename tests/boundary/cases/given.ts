/** Fields as handlers give them to the response class of a real server, just after a copy was made. */
import { breaker } from "@lastgood/breaker";
import { assertEquals } from "std/assert";
import { boundary } from "./stage/case.ts";
import { serve } from "./stage/host.ts";
import { WAYS } from "./stage/ways.ts";

const KEPT = { "Content-Type": "text/plain" };

/** Answers that forbid keeping, by the way in which they say so. */
const FORBIDDING: Readonly<Record<string, () => Response>> = {
  "a record": () => new Response("new", { headers: { ...KEPT, "Cache-Control": "no-store" } }),
  "a record alone": () => new Response("new", { headers: { "CACHE-CONTROL": "private" } }),
  "pairs": () => new Response("new", { headers: [["cache-Control", "no-store"]] }),
  "Headers": () => new Response("new", { headers: new Headers({ "Pragma": "no-cache" }) }),
  "a record, changed later": () => {
    const response = new Response("new", { headers: KEPT });
    response.headers.set("cache-control", "private");
    return response;
  },
  "no fields, changed later": () => {
    const response = new Response("new");
    response.headers.set("surrogate-control", "no-store");
    return response;
  },
  "a record, changed after a look at the body": () => {
    const response = new Response("new", { headers: KEPT });
    response.headers.set("x-body", String(response.body !== null));
    response.headers.set("cache-control", "no-store");
    return response;
  },
  "another response": () => {
    const first = new Response("first", { headers: { "Cache-Control": "no-store" } });
    return new Response("new", first);
  },
};

for (const [way, guarded] of Object.entries(WAYS)) {
  for (const [form, forbidding] of Object.entries(FORBIDDING)) {
    boundary(`S17: ${way}: an answer that forbids keeping by ${form} removes at once`, async () => {
      let answer = () => new Response("old", { headers: KEPT });
      // Without `onEvent`, which would have each answer read whole, and in no time.
      const api = breaker({ name: "app", now: () => 1_000 });
      await using served = await serve(guarded(api, () => answer()));
      const ask = async () => {
        const response = await fetch(served.url);
        return response.status === 200 ? await response.text() : response.status;
      };
      const seen = [await ask(), await ask()];
      answer = forbidding;
      seen.push(await ask());
      for (const [, circuit] of api.circuits()) circuit.trip();

      seen.push(await ask());

      assertEquals(seen, ["old", "old", "new", 503]);
    });
  }
}
