import { assertEquals } from "@std/assert";
import { PAGE, served, Site, WAYS } from "../stage/site.ts";
import { madeBy, page } from "../stage/upstream.ts";

const coded = (coding: string, body: BodyInit = "good") =>
  page({ "content-encoding": coding, "content-length": "24", "etag": '"1"' }, body);

for (const coding of ["gzip", "GZIP", "deflate", "br", "zstd"]) {
  Deno.test(`H4: a body decoded from ${coding} loses the fields that described the encoded one`, async () => {
    const response = await served(coded(coding));

    const { headers } = response;
    assertEquals(await response.text(), "good");
    assertEquals(headers.get("content-encoding"), null);
    assertEquals([headers.get("content-length"), headers.get("etag")], ["4", 'W/"1"']);
  });
}

Deno.test("H4: a weak ETag stays as it is", async () => {
  const response = await served(page({ "content-encoding": "gzip", "etag": 'W/"1"' }));

  assertEquals([await response.text(), response.headers.get("etag")], ["good", 'W/"1"']);
});

for (const coding of ["x-own", "gzip, x-own"]) {
  Deno.test(`H4: ${coding} is not decoded, and its fields stay`, async () => {
    const answer = page({ "content-encoding": coding, "etag": '"1"' });
    const response = await served(answer);

    assertEquals(await response.text(), "good");
    assertEquals(response.headers.get("content-encoding"), coding);
    assertEquals(response.headers.get("etag"), '"1"');
  });
}

Deno.test("H4: a plain body keeps its strong ETag", async () => {
  const response = await served(page({ etag: '"1"', "content-length": "4" }));

  assertEquals([await response.text(), response.headers.get("etag")], ["good", '"1"']);
});

const GZIPPED = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0);

Deno.test("H4: a handler's encoded bytes stay encoded", async () => {
  const answer = page({ "content-encoding": "gzip", "etag": '"1"' }, GZIPPED);
  const response = await served(answer, { way: "wrap" });

  assertEquals(new Uint8Array(await response.arrayBuffer()), GZIPPED);
  assertEquals(response.headers.get("content-encoding"), "gzip");
  assertEquals(response.headers.get("etag"), '"1"');
});

Deno.test("H4: encoded bytes stay encoded when the same ETag freshens their copy", async () => {
  const site = new Site({}, "wrap");
  for (const own of ["1", "2"]) {
    site.answer = page({ "content-encoding": "gzip", etag: '"1"', "x-own": own }, GZIPPED);
    await site.read();
    site.clock.tick(60_000);
  }
  site.fail();

  const { headers, body } = await site.get();

  await body?.cancel();
  const names = ["x-own", "content-encoding", "etag"];
  assertEquals(names.map((name) => headers.get(name)), ["2", "gzip", '"1"']);
});

Deno.test("H4: a handler that passes on a fetched body is recognized", async () => {
  for (
    const answer of [coded("gzip"), () => madeBy({ url: PAGE }, coded("br")(undefined as never))]
  ) {
    const response = await served(answer, { way: "wrap" });

    assertEquals(await response.text(), "good");
    assertEquals(response.headers.get("content-encoding"), null);
  }
});

/** Bodies whose length or first bytes decide, and the coding under which they are served. */
const DECIDED: readonly (readonly [what: string, HeadersInit, BodyInit, string | null])[] = [
  [
    "without gzip's magic number and of a length that fits by chance",
    {
      "content-encoding": "gzip",
      "content-length": "4",
    },
    "good",
    null,
  ],
  [
    "that has gzip's magic number, and more bytes than it says",
    {
      "content-encoding": "gzip",
      "content-length": "9",
    },
    GZIPPED,
    null,
  ],
  ["that br cannot begin with", { "content-encoding": "br" }, "<p>good</p>", null],
  [
    "in br, of a length that fits",
    {
      "content-encoding": "br",
      "content-length": "8",
    },
    Uint8Array.of(0x8b, 1, 0x80, 0x67, 0x6f, 0x6f, 0x64, 3),
    "br",
  ],
];

for (const way of WAYS) {
  for (const [what, headers, body, coding] of DECIDED) {
    Deno.test(`H4: a body ${what} is served as ${coding ?? "decoded"}, by ${way}`, async () => {
      const response = await served(page(headers, body), { way });

      assertEquals(response.headers.get("content-encoding"), coding);
      const expected = await new Response(body).arrayBuffer();
      assertEquals(await response.arrayBuffer(), expected);
    });
  }

  Deno.test(`H4: a text in br whose length fits or is missing may be either: it is not kept, by ${way}`, async () => {
    const text = "The quick brown fox";
    const fields: HeadersInit = { "content-encoding": "br" };
    const site = new Site({}, way);
    for (const length of [{}, { "content-length": String(text.length) }]) {
      site.answer = page({ ...fields, ...length }, text);
      await site.read();
    }

    assertEquals(site.notKept, ["malformed", "malformed"]);
  });
}

Deno.test("S12: a handler's encoded bytes that are cut short are not kept", async () => {
  const site = new Site({}, "wrap");
  site.answer = page({ "content-encoding": "gzip", "content-length": "99" }, GZIPPED);

  await (await site.get()).arrayBuffer();

  assertEquals(site.notKept, ["truncated"]);
});
