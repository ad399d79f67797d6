import type { BreakerEvent, LastGoodOptions } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { faucet, pieces } from "../stage/bodies.ts";
import { settled } from "../stage/settle.ts";
import { PAGE, Site } from "../stage/site.ts";
import { page } from "../stage/upstream.ts";
import type { Way } from "../stage/ways.ts";

type Keep = NonNullable<LastGoodOptions["keep"]>;

const EVERY_WAY = ["fetch", "wrap", "hono"] as const satisfies readonly Way[];

function vetoing(keep: Keep, way: Way = "fetch"): Site {
  return new Site({ lastGood: { keep, refreshMs: 0 } }, way);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A veto against pages that say 200, but are none. */
const noMaintenance: Keep = (_request, _response, body) =>
  body.length > 0 && !textOf(body).includes("maintenance");

for (const way of EVERY_WAY) {
  for (const body of ["Down for maintenance", "", null]) {
    Deno.test(`keep: a veto against the body ${JSON.stringify(body)} leaves the older copy, by ${way}`, async () => {
      const site = vetoing(noMaintenance, way);
      await site.read();
      site.answer = page({}, body);

      assertEquals(await site.read(), body ?? "");

      assertEquals(site.notKept, ["veto"]);
      assertEquals(await site.kept(), "good");
    });
  }
}

Deno.test("keep: sees request, head and bytes, and no body to read", async () => {
  const seen: unknown[] = [];
  const site = vetoing((request, response, body) => {
    seen.push(request.url, response.status, response.headers.get("x-own"), response.body);
    seen.push(request.body ?? null, textOf(body));
    return true;
  });
  site.answer = page({ "x-own": "1" }, pieces("go", "od"));

  assertEquals(await site.read(), "good");

  assertEquals(seen, [PAGE, 200, "1", null, null, "good"]);
});

Deno.test("keep: sees the fields as they came, not as the caller has changed them", async () => {
  const seen: unknown[] = [];
  const flow = faucet();
  const site = vetoing((_request, { headers }) => {
    seen.push(headers.get("x-own"));
    return true;
  }, "wrap");
  site.answer = page({ "x-own": "1" }, flow.body);

  const live = await site.get();
  live.headers.set("x-own", "2");
  flow.close();
  await live.text();

  assertEquals(seen, ["1"]);
});

Deno.test("keep: what it does to the bytes shows in no answer", async () => {
  for (const body of ["good", pieces("go", "od")]) {
    const site = vetoing((_request, _response, bytes) => bytes.fill(0).length > 0);
    site.answer = page({ "content-type": "text/plain" }, body);

    assertEquals([await site.read(), await site.kept()], ["good", "good"]);
  }
});

Deno.test("keep: it is asked once, when the body is whole, and its reader waits for nothing", async () => {
  let asked = 0;
  const flow = faucet();
  const site = vetoing(() => ++asked > 0);
  site.answer = page({}, flow.body);
  const reader = (await site.get()).body!.getReader();
  flow.drip("go");

  assertEquals(textOf((await reader.read()).value!), "go");
  assertEquals(asked, 0);

  flow.drip("od");
  flow.close();
  assertEquals(textOf((await reader.read()).value!), "od");
  await settled();
  assertEquals(asked, 1);
});

Deno.test("keep: it is not asked about a body that breaks off", async () => {
  let asked = 0;
  const site = vetoing(() => ++asked > 0);
  site.answer = page({}, pieces("go", new Error("cut")));

  await site.read().catch(() => {});

  assertEquals([asked, site.notKept], [0, ["broken"]]);
});

/** Results that are neither true nor false. */
const NONSENSE: readonly (readonly [string, () => unknown])[] = [
  ["a promise", () => Promise.resolve(false)],
  ["a promise that rejects", () => Promise.reject(new Error("later"))],
  ["undefined", () => undefined],
  ["0", () => 0],
  ["an error", () => {
    throw new Error("wrong");
  }],
];

for (const [what, result] of NONSENSE) {
  Deno.test(`9: keep that gives ${what} is heard as an error, and the answer is kept`, async () => {
    const site = vetoing(result as Keep);

    assertEquals(await site.read(), "good");

    const isError = (event: BreakerEvent) => event.type === "error" && event.source === "keep";
    assertEquals(site.events.filter(isError).length, 1);
    assertEquals(await site.kept(), "good");
  });
}
