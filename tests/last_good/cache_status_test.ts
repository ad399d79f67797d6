import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { ORIGIN, Site } from "../stage/site.ts";
import { type Answer, page } from "../stage/upstream.ts";

const MAX_AGE = { "cache-control": "max-age=60" };

Deno.test("H3: Cache-Status of a refused call", async () => {
  const site = new Site();
  site.answer = page(MAX_AGE);
  await site.read();
  site.api.circuit(ORIGIN).trip();
  site.clock.tick(1_000);

  const response = await site.get();

  await response.text();
  assertEquals(response.headers.get("cache-status"), "lastgood; hit; ttl=59; detail=circuit-open");
});

/** How the origin fails, and the Cache-Status 472 seconds later. */
const STATUSES: readonly (readonly [string, Answer, Record<string, string>, string])[] = [
  [
    "a 503",
    page({}, null, 503),
    MAX_AGE,
    "lastgood; fwd=stale; fwd-status=503; ttl=-412; detail=origin-error",
  ],
  [
    "a network error",
    () => Promise.reject(new TypeError("evil\r\nX: y")),
    MAX_AGE,
    "lastgood; fwd=stale; ttl=-412; detail=origin-error",
  ],
  [
    "a failure without a freshness lifetime",
    page({}, null, 500),
    {},
    "lastgood; fwd=stale; fwd-status=500; detail=origin-error",
  ],
  [
    "a failure after an empty field",
    page({}, null, 500),
    { "cache-status": "" },
    "lastgood; fwd=stale; fwd-status=500; detail=origin-error",
  ],
  [
    "a failure after another cache's entry",
    page({}, null, 500),
    { "cache-status": "edge; hit" },
    "edge; hit, lastgood; fwd=stale; fwd-status=500; detail=origin-error",
  ],
];

for (const [what, answer, fields, status] of STATUSES) {
  Deno.test(`H3: Cache-Status of ${what}`, async () => {
    const site = new Site();
    site.answer = page(fields);
    await site.read();
    site.clock.tick(472_000);
    site.answer = answer;

    const response = await site.get();

    await response.text();
    assertEquals(response.headers.get("cache-status"), status);
    assertEquals([response.headers.get("warning"), response.headers.get("x-cache")], [null, null]);
  });
}

for (const way of ["wrap", "hono"] as const) {
  Deno.test(`H3: ${way}: a served answer says why, and our own 503 does not`, async () => {
    const site = new Site({ threshold: 1 }, way);
    await site.read();
    site.fail();

    const failed = await site.get();
    const refused = await site.get();
    const unserved = await site.get({}, `${ORIGIN}/other`);

    const answers = await Promise.all([failed, refused, unserved].map(async (answer) => {
      await answer.text();
      return [answer.status, answer.headers.get("cache-status")];
    }));
    assertEquals(answers, [
      [200, "lastgood; fwd=stale; fwd-status=503; detail=origin-error"],
      [200, "lastgood; hit; detail=circuit-open"],
      [503, null],
    ]);
  });

  Deno.test(`H3: ${way}: the 504 of our own timeout has no Cache-Status`, async () => {
    using time = new FakeTime();
    const site = new Site({ timeoutMs: 1_000 }, way);
    site.answer = () => new Promise(() => {});

    const answer = site.get();
    await time.tickAsync(1_000);
    const { status, headers } = await answer;

    assertEquals([status, headers.get("cache-status")], [504, null]);
  });
}

Deno.test("H3: Cache-Status of our timeout, and of a slow call", async () => {
  using time = new FakeTime();
  for (const [patienceMs, detail] of [[Infinity, "timeout"], [500, "slow"]] as const) {
    const site = new Site({
      timeoutMs: 1_000,
      lastGood: { patienceMs },
      waitUntil: () => {},
    });
    await site.read();
    site.answer = () => new Promise(() => {});

    const answer = site.get();
    await time.tickAsync(1_000);
    const response = await answer;

    await response.text();
    assertEquals(response.headers.get("cache-status"), `lastgood; fwd=stale; detail=${detail}`);
    await site.api.idle();
  }
});

for (
  const [cacheStatus, expected] of [
    ["edge-1", "edge-1; hit; detail=circuit-open"],
    ['my "own" cache', '"my \\"own\\" cache"; hit; detail=circuit-open'],
    [false, null],
  ] as const
) {
  Deno.test(`H3: cacheStatus ${cacheStatus} names us ${expected}`, async () => {
    const site = new Site({ lastGood: { cacheStatus } });
    await site.read();
    site.api.circuit(ORIGIN).trip();

    const response = await site.get();

    await response.text();
    assertEquals(response.headers.get("cache-status"), expected);
  });
}
