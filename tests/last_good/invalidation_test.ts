import { assertEquals } from "@std/assert";
import { only } from "../stage/events.ts";
import { settled } from "../stage/settle.ts";
import { PAGE, Site } from "../stage/site.ts";
import { type Answer, page } from "../stage/upstream.ts";

const status = (code: number) => page({}, null, code);

const LOCATED = "https://origin.test/located";

/** Unsafe calls, and whether PAGE and LOCATED are still kept afterwards. */
const UNSAFE: readonly (readonly [string, string, Answer, page: boolean, located: boolean])[] = [
  ...["POST", "PUT", "PATCH", "DELETE", "FOO", "post"].map((method) =>
    [`${method} with 200`, method, page(), false, true] as const
  ),
  ...[201, 204, 302, 303].map((code) =>
    [`POST with ${code}`, "POST", status(code), false, true] as const
  ),
  ...[400, 404, 409, 429, 500, 503].map((code) =>
    [`POST with ${code}`, "POST", status(code), true, true] as const
  ),
  ["POST with a hang-up", "POST", () => Promise.reject(new TypeError("reset")), true, true],
  ["POST with an error response", "POST", () => Response.error(), true, true],
  ["a mock of a POST with 500", "POST", () => ({ status: 500 }) as Response, true, true],
  ["a mock of a POST with 200", "POST", () => ({ status: 200 }) as Response, false, true],
  ...["HEAD", "OPTIONS", "QUERY"].map((method) =>
    [`${method} with 200`, method, page(), true, true] as const
  ),
  ["POST with Location", "POST", page({ location: LOCATED }), false, false],
  ["POST with a relative Location", "POST", page({ location: "located" }), false, false],
  ["POST with Content-Location", "POST", page({ "content-location": "/located" }), false, false],
  ["POST with 500 and Location", "POST", page({ location: LOCATED }, "", 500), true, true],
  ["POST with Location as its own URL", "POST", page({ location: "#new" }), false, true],
  ["POST elsewhere", "POST", page({ location: "https://other.test/located" }), false, true],
  ["POST with a bad Location", "POST", page({ location: "http://[" }), false, true],
];

for (const [what, method, answer, keepsPage, keepsLocated] of UNSAFE) {
  Deno.test(`S19: ${what} ${keepsPage ? "leaves" : "removes"} the kept page`, async () => {
    const site = new Site();
    await site.read();
    await site.read({ headers: { "x-forwarded-host": "a" } });
    await site.read({}, LOCATED);
    await site.read({}, "https://other.test/located");
    site.answer = answer;

    await site.get({ method }).then((response) => response.arrayBuffer()).catch(() => {});

    const removed = [...keepsPage ? [] : [PAGE], ...keepsLocated ? [] : [LOCATED]];
    assertEquals(
      only(site.events, "removed").map(({ url, why }) => [url, why]),
      removed.map((url) => [url, "method"]),
    );
    const page = keepsPage ? "good" : undefined;
    assertEquals(await site.kept(), page);
    assertEquals(await site.kept({ headers: { "x-forwarded-host": "a" } }), page);
    assertEquals(await site.kept({}, LOCATED), keepsLocated ? "good" : undefined);
    assertEquals(await site.kept({}, "https://other.test/located"), "good");
  });
}

Deno.test("S19: a POST removes the kept page in every partition", async () => {
  const whose = (request: Request) => request.headers.get("x-user") ?? undefined;
  const site = new Site({ lastGood: { partition: whose } });
  const ann = { headers: { "x-user": "ann" } };
  await site.read(ann);
  await site.read();

  await site.read({ method: "POST", headers: { "x-user": "bob" } });

  assertEquals(await site.kept(ann), undefined);
  assertEquals(await site.kept(), undefined);
});

for (const way of ["wrap", "hono"] as const) {
  Deno.test(`S19: ${way}: a POST removes the kept page only if it succeeds`, async () => {
    const site = new Site({}, way);
    await site.read();
    for (
      const answer of [status(404), status(500), () => Promise.reject(new TypeError("reset"))]
    ) {
      site.answer = answer;
      await site.get({ method: "POST" }).then((it) => it.text()).catch(() => {});
    }
    assertEquals(await site.kept(), "good");
    site.answer = status(303);

    await site.read({ method: "POST" });

    assertEquals(await site.kept(), undefined);
  });
}

for (const key of [undefined, (request: Request) => request.url]) {
  Deno.test(`K1, S19: a POST for another Host ${key ? "with" : "without"} the option key ${key ? "removes" : "leaves"} what it names`, async () => {
    const site = new Site({ lastGood: { key } }, "wrap");
    await site.read();
    await site.read({}, LOCATED);
    site.answer = page({ location: LOCATED });

    await site.read({ method: "POST", headers: { host: "evil.test" } });

    const left = key === undefined ? "good" : undefined;
    assertEquals([await site.kept(), await site.kept({}, LOCATED)], [left, left]);
  });
}

Deno.test("S19: a POST whose caller has left removes nothing", async () => {
  const site = new Site();
  await site.read();
  const leaving = new AbortController();
  site.answer = () => {
    leaving.abort();
    return page()();
  };

  await site.get({ method: "POST", signal: leaving.signal }).catch(() => {});

  assertEquals(await site.kept(), "good");
});

Deno.test("S19: a timed-out POST leaves the kept page", async () => {
  const site = new Site({ timeoutMs: 1 });
  await site.read();
  site.answer = () => new Promise(() => {});

  const error = await site.get({ method: "POST" }).catch((error) => error);

  assertEquals((error as Error).name, "TimeoutError");
  assertEquals(await site.kept(), "good");
});

Deno.test("S19: an answer in progress during a POST is not kept", async () => {
  const site = new Site();
  const arrivals = site.hold();
  const older = site.read();
  await settled();
  site.answer = page();
  await site.read({ method: "POST" });

  arrivals[0]?.(new Response("older"));
  await older;

  assertEquals(await site.kept(), undefined);
});

Deno.test("S19: an unsafe call removes pages under the key option's key", async () => {
  const site = new Site({ lastGood: { key: (request) => new URL(request.url).pathname } });
  await site.read({}, "https://origin.test/page?a");

  await site.read({ method: "DELETE" }, "https://origin.test/page?b");

  assertEquals(await site.kept({}, "https://origin.test/page?a"), undefined);
});

for (const how of ["POST", "forget", "forget, softly"]) {
  Deno.test(`K1, S19: ${how} for a URL without a key leaves the pages that have one`, async () => {
    const key = ({ url }: Request) => url === PAGE ? PAGE : undefined;
    const site = new Site({ lastGood: { key, freshMs: 60_000 } });
    const unkeyed = "https://origin.test/unkeyed";
    await site.read();

    if (how === "POST") await site.read({ method: "POST" }, unkeyed);
    else site.api.forget(unkeyed, { soft: how !== "forget" });

    site.answer = page({}, "newer");
    assertEquals(await site.read(), "good");
  });
}

Deno.test("S19: a refused POST removes nothing", async () => {
  const site = new Site();
  await site.read();
  site.api.circuit("https://origin.test").trip();

  await site.get({ method: "POST" }).catch(() => {});

  assertEquals(await (await site.get()).text(), "good");
});

Deno.test("forget removes every variant and partition of one URL, or everything", async () => {
  const whose = ({ headers }: Request) => headers.get("x-user") ?? undefined;
  const site = new Site({ lastGood: { partition: whose } });
  const other = "https://origin.test/other";
  site.answer = page({ vary: "x-a" });
  const inits = [{}, { headers: { "x-a": "1" } }, { headers: { "x-user": "ann" } }];
  for (const init of inits) {
    await site.read(init);
    await site.read(init, other);
  }

  site.api.forget(new Request("https://origin.test/page#part"));
  site.api.forget(PAGE);

  for (const init of inits) {
    assertEquals(await site.kept(init), undefined);
    assertEquals(await site.kept(init, other), "good");
  }
  site.api.forget();
  site.api.forget();
  for (const init of inits) assertEquals(await site.kept(init, other), undefined);
  const { ms: at } = site.clock;
  const about = { type: "removed", circuit: "circuit", at, why: "forgotten" } as const;
  assertEquals(only(site.events, "removed"), [{ ...about, url: PAGE }, { ...about, url: "" }]);
});
