import { assert, assertEquals, assertRejects } from "@std/assert";
import { CircuitOpenError } from "@lastgood/breaker";
import { pieces } from "../stage/bodies.ts";
import { seeded } from "../stage/random.ts";
import { settled } from "../stage/settle.ts";
import { ORIGIN, PAGE, Site, WAYS } from "../stage/site.ts";
import { page } from "../stage/upstream.ts";

for (const way of WAYS) {
  Deno.test(`attack: ${way}: an evil X-Forwarded-Host that is echoed reaches no other client`, async () => {
    const site = new Site({}, way);
    site.answer = ({ headers }) =>
      new Response(`<script src="//${headers.get("x-forwarded-host") ?? "origin.test"}/a.js">`);
    const evil = { headers: { "x-forwarded-host": "evil.test" } };

    await site.read(evil);
    await site.read();
    await site.read(evil);

    assertEquals(await site.kept(), '<script src="//origin.test/a.js">');
  });

  Deno.test(`attack: ${way}: two hosts with the same path each get their own answer or nothing`, async () => {
    const site = new Site({}, way);
    site.answer = ({ url }) => new Response(new URL(url).host);

    await site.read({}, "https://a.test/page");
    await site.read({}, "https://b.test/page");

    assertEquals(await site.kept({}, "https://a.test/page"), "a.test");
    assertEquals(await site.kept({}, "https://b.test/page"), "b.test");
    assertEquals(await site.kept({}, "https://c.test/page"), undefined);
  });

  const secrets = [
    ["Authorization", { headers: { authorization: "ann" } }, {}],
    ["Cookie", { headers: { cookie: "sid=ann" } }, {}],
    ["Set-Cookie", {}, { "set-cookie": "sid=ann" }],
    ["Vary: Cookie", { headers: { cookie: "sid=ann" } }, { vary: "cookie" }],
    ["Vary: Authorization", { headers: { authorization: "ann" } }, { vary: "authorization" }],
    ["Vary: Authorization, public", { headers: { authorization: "ann" } }, {
      vary: "authorization",
      "cache-control": "public",
    }],
    ["private", {}, { "cache-control": "private" }],
  ] as const;
  for (const [what, request, fields] of secrets) {
    Deno.test(`attack: ${way}: nothing crosses between users: ${what}`, async () => {
      const site = new Site({}, way);
      site.answer = page(fields, "ann's");

      await site.read(request);

      for (const [name, value] of [["cookie", "sid=bob"], ["authorization", "bob"], ["x-a", "b"]]) {
        assertEquals(
          await site.kept({ headers: { [name as string]: value as string } }),
          undefined,
        );
      }
      assertEquals(await site.kept(), undefined);
    });
  }
}

Deno.test("attack: an error page is never kept as good", async () => {
  const site = new Site();
  for (const status of [400, 403, 429, 500, 502, 503, 504]) {
    site.answer = page({ "cache-control": "public, max-age=600" }, "error", status);
    await site.read();
  }
  assertEquals(await site.kept(), undefined);
});

for (const status of [400, 413, 414, 431]) {
  Deno.test(`attack: a provoked ${status} evicts nothing`, async () => {
    const site = new Site();
    await site.read();
    site.answer = page({ "cache-control": "no-store" }, "no", status);

    for (let n = 0; n < 10; n++) await site.read({ headers: { "x-evil": "x".repeat(9_000) } });

    assertEquals(await site.kept(), "good");
  });
}

Deno.test("attack: 100 answers with 404 do not trip the circuit", async () => {
  const site = new Site({ threshold: 1 });
  site.answer = page({}, null, 404);

  for (let n = 0; n < 100; n++) await site.read({}, `${PAGE}/${n}`);

  assertEquals(site.api.circuit(ORIGIN).state, "closed");
});

for (const way of WAYS) {
  Deno.test(`attack: ${way}: 100 aborts at random moments do not trip the circuit`, async () => {
    const site = new Site({ threshold: 1 }, way);
    const next = seeded(7);
    const reasons = [undefined, null, 0, "gone", new Error("x"), { status: 500 }, new TypeError()];
    site.answer = async () => {
      await settled(next() * 10);
      return new Response(pieces("a", "b", "c", "d"));
    };

    for (let n = 0; n < 100; n++) {
      const controller = new AbortController();
      const call = site.get({ signal: controller.signal }, `${PAGE}/${n}`);
      await settled(next() * 20);
      controller.abort(reasons[n % reasons.length]);
      await call.then((response) => response.body?.cancel()).catch(() => {});
    }

    assertEquals([...site.api.circuits()].map(([, { state }]) => state), ["closed"]);
  });
}

Deno.test("attack: endless variants and reflected fields do not evict a hot key", async () => {
  const site = new Site({ lastGood: { maxEntries: 50, maxBytes: 100_000 } });
  await site.read({}, `${ORIGIN}/hot`);
  site.answer = ({ headers, url }) =>
    new Response(url, { headers: { vary: "x-a", "x-echo": headers.get("x-a") ?? "" } });

  for (let n = 0; n < 1_000; n++) {
    await site.read({ headers: { "x-a": `${n}`, "x-host": `${n % 7}` } });
    await site.read({}, `${PAGE}?${n}`);
    if (n % 10 === 0) assertEquals(await site.kept({}, `${ORIGIN}/hot`), "good");
  }

  assertEquals(await site.kept({}, `${ORIGIN}/hot`), "good");
  assertEquals(await site.kept({ headers: { "x-a": "0", "x-host": "0" } }), undefined);
});

Deno.test("attack: names from Object.prototype are keys and fields like any other", async () => {
  const site = new Site({ lastGood: { key: (request) => new URL(request.url).pathname.slice(1) } });
  const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"];
  for (const name of names) assertEquals(await site.kept({}, `${ORIGIN}/${name}`), undefined);
  for (const name of names) {
    site.answer = page([["vary", name], [name, name]], name);
    await site.read({ headers: [[name, "a"]] }, `${ORIGIN}/${name}`);
  }

  for (const name of names) {
    const url = `${ORIGIN}/${name}`;
    assertEquals(await site.kept({ headers: [[name, "a"]] }, url), name);
    assertEquals(await site.kept({ headers: [[name, "b"]] }, url), undefined);
  }
  assertEquals(Object.keys(Object.prototype).length, 0);
});

Deno.test("attack: control characters in errors, partitions and keys reach no header field", async () => {
  const evil = "x\r\nset-cookie: evil=1\0\u2028";
  const site = new Site({
    name: evil,
    lastGood: { key: () => evil, partition: () => evil },
  });
  await site.read();
  site.answer = () => Promise.reject(new Error(evil));

  const stale = await site.get();

  assertEquals(await stale.text(), "good");
  assert(!JSON.stringify([...stale.headers]).includes("evil"));
  site.api.forget();
  site.api.circuit(ORIGIN).trip(evil);
  const error = await assertRejects(() => site.get(), CircuitOpenError);
  const { headers } = error.getResponse();
  assert(!JSON.stringify([...headers]).includes("evil"));
});

Deno.test("attack: of 1,000 requests when a probe is due, one reaches the upstream", async () => {
  const site = new Site({ threshold: 1, delayMs: 1_000, waitUntil: () => {} });
  await site.read();
  site.api.circuit(ORIGIN).trip();
  site.clock.tick(1_000);

  const answers = await Promise.all(Array.from({ length: 1_000 }, () => site.get()));

  const texts = await Promise.all(answers.map((answer) => answer.text()));
  assertEquals(new Set(texts), new Set(["good"]));
  assertEquals(site.asked.length, 2);
  await site.api.idle();
  assertEquals(site.api.circuit(ORIGIN).state, "closed");
});

Deno.test("attack: a body of one byte at a time is bounded, and each byte is passed on at once", async () => {
  const site = new Site({ lastGood: { maxBodyBytes: 100 } });
  site.answer = page({}, pieces(...Array.from({ length: 1_000 }, () => "x")));

  assertEquals(await site.read(), "x".repeat(1_000));
  assertEquals(site.notKept, ["too-large"]);
});
