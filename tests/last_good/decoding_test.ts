import { assertEquals } from "@std/assert";
import { PAGE, served, Site } from "../stage/site.ts";
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

Deno.test("H4: a handler that passes on a fetched body is recognized", async () => {
  for (
    const answer of [coded("gzip"), () => madeBy({ url: PAGE }, coded("br")(undefined as never))]
  ) {
    const response = await served(answer, { way: "wrap" });

    assertEquals(await response.text(), "good");
    assertEquals(response.headers.get("content-encoding"), null);
  }
});

Deno.test("S12: a handler's encoded bytes that are cut short are not kept", async () => {
  const site = new Site({}, "wrap");
  site.answer = page({ "content-encoding": "gzip", "content-length": "99" }, GZIPPED);

  await (await site.get()).arrayBuffer();

  assertEquals(site.notKept, ["truncated"]);
});
