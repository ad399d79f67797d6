/** Attacks on what belongs to one visitor: nothing of it reaches another (S4, S7 to S9, F4, F8). */

import type { LastGoodOptions } from "@lastgood/breaker";
import { assertEquals } from "@std/assert";
import { Site } from "../../stage/site.ts";
import { page } from "../../stage/upstream.ts";
import { EVERY_WAY, type Way } from "../../stage/ways.ts";

/** Fields that say who asks, as APIs, proxies and platforms name them. */
const IDENTITIES = [
  "Proxy-Authorization",
  "X-Api-Key",
  "X_API_KEY",
  "Api-Key",
  "X-Auth-Token",
  "X-Access-Token",
  "Private-Token",
  "X-Session-Id",
  "X-Secret",
  "X-User-Id",
  "X-Remote-User",
  "X-Account-Id",
  "X-Tenant-Id",
  "X-Identity",
  "X-Principal",
  "X-Consumer-Username",
  "X-Customer-Id",
  "X-Login",
  "X-Oidc-Sub",
  "X-User-Email",
  "X-Client-Cert",
  "X-Credential",
  "X-Signature",
  "X-Jwt-Payload",
  "DPoP",
  "Cf-Access-Jwt-Assertion",
  "Cf-Access-Authenticated-User-Email",
  "X-Forwarded-User",
  "X-Forwarded-Email",
  "X-Forwarded-Access-Token",
  "X-Auth-Request-User",
  "Remote-User",
  "Tailscale-User-Login",
  "X-Amzn-Oidc-Identity",
  "X-Amzn-Oidc-Data",
  "X-Goog-Iap-Jwt-Assertion",
  "X-Goog-Authenticated-User-Email",
  "X-Ms-Client-Principal",
  "X-Ms-Client-Principal-Id",
  "X-Ms-Token-Aad-Access-Token",
  "X-Authentik-Username",
  "X-Vault-Token",
  "X-Shopify-Access-Token",
];

/** Reads a page as ann, and returns what others get in an outage. */
async function othersGet(
  way: Way,
  ann: RequestInit,
  others: readonly RequestInit[],
  answer: HeadersInit,
  lastGood: LastGoodOptions = {},
): Promise<(string | undefined)[]> {
  const site = new Site({ lastGood }, way);
  site.answer = page(answer, "ann's");
  assertEquals(await site.read(ann), "ann's");
  const found = [];
  for (const other of others) found.push(await site.kept(other));
  return found;
}

for (const way of EVERY_WAY) {
  Deno.test(`S8b: ${way}: no field that says who asks carries a page to others`, async () => {
    const leaks = [];
    for (const name of IDENTITIES) {
      const others = [{}, { headers: { [name]: "bob" } }, { headers: { [name]: "ann" } }];

      const found = await othersGet(way, { headers: { [name]: "ann" } }, others, {});

      if (found.some((text) => text !== undefined)) leaks.push(name);
    }
    assertEquals(leaks, []);
  });

  Deno.test(`S8b: ${way}: what its origin calls public is kept for all, whoever asked`, async () => {
    const missing = [];
    for (const name of IDENTITIES) {
      const headers = { [name]: "ann" };

      const [again] = await othersGet(way, { headers }, [{ headers }], {
        "cache-control": "max-age=5, public",
      });

      if (again !== "ann's") missing.push(name);
    }
    assertEquals(missing, []);
  });

  Deno.test(`S8b: ${way}: a page that varies on the field is each visitor's own`, async () => {
    const wrong = [];
    for (const name of IDENTITIES) {
      const [ann, bob] = [{ headers: { [name]: "ann" } }, { headers: { [name]: "bob" } }];

      const found = await othersGet(way, ann, [ann, bob, {}], { vary: `Accept, ${name}` });

      if (JSON.stringify(found) !== JSON.stringify(["ann's", undefined, undefined])) {
        wrong.push(name);
      }
    }
    assertEquals(wrong, []);
  });

  Deno.test(`S1, S8, S8b, S9, N3: ${way}: why an answer is not kept is told`, async () => {
    const reasons = [
      ["authorization", "authorization"],
      ["cookie", "cookie"],
      ["x-api-key", "identity"],
      ["tailscale-user-login", "identity"],
      ["upgrade", "upgrade"],
    ] as const;
    for (const [name, why] of reasons) {
      const site = new Site({}, way);

      await site.read({ headers: { [name]: "ann" } });

      assertEquals([name, ...site.notKept], [name, why]);
    }
  });

  Deno.test(`S8b, S8: ${way}: two credentials need two permissions`, async () => {
    const headers = { "x-api-key": "ann", "x-tenant-id": "one" };

    const found = await othersGet(way, { headers }, [{ headers }, {}], { vary: "x-api-key" });

    assertEquals(found, [undefined, undefined]);
  });

  Deno.test(`S8b: ${way}: ignoring Authorization lifts it, and no rule about cookies or private`, async () => {
    const lifted = { ignore: ["authorization"] } as const;
    const key = { headers: { "x-api-key": "ours" } };
    const cookie = { headers: { cookie: "sid=ann" } };

    const withKey = await othersGet(way, key, [key, {}], {}, lifted);
    const withCookie = await othersGet(way, cookie, [cookie, {}], {}, lifted);
    const withPrivate = await othersGet(
      way,
      key,
      [key, {}],
      { "cache-control": "private" },
      lifted,
    );

    assertEquals(withKey, ["ann's", "ann's"]);
    assertEquals(withCookie, [undefined, undefined]);
    assertEquals(withPrivate, [undefined, undefined]);
  });

  const permissions = [
    ["public", true],
    ["Public", true],
    ["s-maxage=60", true],
    ["max-age=1, must-revalidate", true],
    ["max-age=60", false],
    ["proxy-revalidate", false],
    ["immutable", false],
    ['public="no"', false],
    ["public=1", false],
    ['public=""', false],
    ["public ;", false],
    ["public;", false],
    ["public private", false],
    ["s-maxage", false],
    ["s-maxage=x", false],
  ] as const;
  Deno.test(`S8, S8b, S16: ${way}: only a permission that is well-formed lets an answer to credentials be kept`, async () => {
    for (const name of ["authorization", "x-auth-token"]) {
      for (const [permission, isOne] of permissions) {
        const ann = { headers: { [name]: "Bearer a" } };

        const found = await othersGet(way, ann, [{}], { "cache-control": permission });

        assertEquals([name, permission, ...found], [name, permission, isOne ? "ann's" : undefined]);
      }
    }
  });

  Deno.test(`S8, S6: ${way}: s-maxage permits nothing where its own limit is lifted`, async () => {
    for (const name of ["authorization", "x-api-key"]) {
      for (const permission of ["s-maxage=60", "max-age=60, must-revalidate"]) {
        const ann = { headers: { [name]: "ann" } };

        const found = await othersGet(way, ann, [ann, {}], { "cache-control": permission }, {
          ignore: ["must-revalidate"],
        });

        assertEquals([name, permission, ...found], [name, permission, undefined, undefined]);
      }
    }
  });

  Deno.test(`S8: ${way}: an answer kept for its must-revalidate reaches nobody once it is stale`, async () => {
    const site = new Site({}, way);
    site.answer = page({ "cache-control": "max-age=10, must-revalidate" }, "ann's");
    await site.read({ headers: { authorization: "ann" } });

    assertEquals(await site.kept(), "ann's");
    site.clock.tick(10_000);

    assertEquals(await site.kept(), undefined);
    assertEquals(await site.kept({ headers: { authorization: "ann" } }), undefined);
  });

  Deno.test(`S9: ${way}: a cookie's page is kept only if it is public or varies on it`, async () => {
    const ann = { headers: { cookie: "sid=ann" } };
    const bob = { headers: { cookie: "sid=bob" } };
    const table = [
      [{}, [undefined, undefined, undefined]],
      [{ "cache-control": "s-maxage=60" }, [undefined, undefined, undefined]],
      [{ "cache-control": 'public="yes"' }, [undefined, undefined, undefined]],
      [{ vary: "cookies" }, [undefined, undefined, undefined]],
      [{ vary: "Accept,cookie" }, ["ann's", undefined, undefined]],
      [{ "cache-control": "public" }, ["ann's", "ann's", "ann's"]],
    ] as const;

    for (const [fields, expected] of table) {
      const found = await othersGet(way, ann, [ann, bob, {}], fields);

      assertEquals([fields, found], [fields, expected]);
    }
  });

  Deno.test(`S4, S7: ${way}: private in every spelling, and every cookie that is set, stays with its visitor`, async () => {
    for (
      const fields of [
        { "cache-control": 'private=""' },
        { "cache-control": 'private="x", private' },
        { "cache-control": "public, PRIVATE" },
        { "cache-control": 'max-age=9,private="set-cookie"' },
        { "cache-control": "private ;" },
        { "cache-control": "private=x=y" },
        { "set-cookie": "" },
        { "set-cookie": "theme=dark" },
      ]
    ) {
      assertEquals([fields, ...await othersGet(way, {}, [{}], fields)], [fields, undefined]);
    }
  });
}
