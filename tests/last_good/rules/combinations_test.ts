import { assertEquals } from "@std/assert";
import type { RequestHead } from "../../../src/last_good/request_head.ts";
import { exchange } from "../../../src/last_good/rules/exchange.ts";
import { keepRefusal } from "../../../src/last_good/rules/storable.ts";
import { fieldsLike } from "../../stage/fields.ts";
import { ORIGIN, Site } from "../../stage/site.ts";
import type { Answering, Asking, FieldsByName, Owner } from "../statement/exchange.ts";
import { mayBeKept } from "../statement/keeping.ts";

/** The directives that decide whether a shared cache may keep a response. */
const WORDS = [
  "public",
  "private",
  'private="x"',
  "no-store",
  "no-cache",
  "max-age=60",
  "s-maxage=60",
  "must-revalidate",
  "stale-if-error=60",
  "max-age=abc",
  'public="no"',
] as const;

/** What a client says about itself. */
const CLIENTS: readonly FieldsByName[] = [
  {},
  { authorization: "Bearer x" },
  { cookie: "a=b" },
  { "x-api-key": "x" },
  { authorization: "Bearer x", cookie: "a=b" },
  { "x-tenant-id": "x", "x-vercel-oidc-token": "x" },
  { "cf-cert-presented": "x", "user-agent": "x" },
];

/** What else the origin says. */
const FIELDS: readonly FieldsByName[] = [
  {},
  { "set-cookie": "a=b" },
  { vary: "Accept" },
  { vary: "Accept, Cookie" },
  { vary: "X-API-Key, X-Tenant-ID" },
  { vary: "Cookie, *" },
  { vary: "a b" },
  { "cdn-cache-control": "no-store" },
  { "surrogate-control": "no-store" },
  { pragma: "no-cache" },
  { "access-control-allow-origin": "https://a.test" },
];

const NOTHING: readonly string[] = [];
const OWNERS: readonly Owner[] = [
  { ignore: NOTHING, hasPartitions: false, freshMs: 0 },
  { ignore: NOTHING, hasPartitions: true, freshMs: 0 },
  { ignore: ["must-revalidate"], hasPartitions: false, freshMs: 0 },
  { ignore: ["authorization"], hasPartitions: false, freshMs: 0 },
  {
    ignore: ["no-store", "no-cache", "private", "set-cookie", "cookie"],
    hasPartitions: false,
    freshMs: 0,
  },
];

/** One combination. */
interface Combination {
  readonly asking: Asking;
  readonly answering: Answering;
  readonly owner: Owner;
}

function* combinations(): Generator<Combination> {
  for (let bits = 0; bits < 2 ** WORDS.length; bits++) {
    const words: readonly string[] = WORDS.filter((_, index) => bits & (1 << index));
    // Two directives of one name contradict each other: the parsers' tests cover that.
    if (words.includes("max-age=60") && words.includes("max-age=abc")) continue;
    if (words.includes("public") && words.includes('public="no"')) continue;
    for (const client of CLIENTS) {
      for (const fields of FIELDS) {
        for (const owner of OWNERS) {
          yield {
            asking: {
              place: "fetch",
              path: "/",
              method: "GET",
              fields: owner.hasPartitions ? { ...client, "x-shard": "a" } : client,
            },
            answering: { status: 200, words, fields, body: "good" },
            owner,
          };
        }
      }
    }
  }
}

function fieldsOf({ words, fields }: Answering): FieldsByName {
  return { ...fields, ...words.length > 0 && { "cache-control": words.join(", ") } };
}

Deno.test("S3 to S16: combinations of fields are kept exactly if the rules allow it", () => {
  let count = 0;
  for (const { asking, answering, owner } of combinations()) {
    count++;
    // 3 divides the length of no list, so every third still pairs each with each.
    if (count % 3 !== 0) continue;
    const ask = { method: "GET", headers: fieldsLike(asking.fields) } as Partial<
      RequestHead
    > as RequestHead;
    const response = {
      status: 200,
      statusText: "",
      type: "basic",
      headers: fieldsLike(fieldsOf(answering)),
    } as Response;
    const policy = { statuses: new Set([200]), ignore: new Set(owner.ignore) };

    const found = keepRefusal(exchange(ask, response, owner.hasPartitions, policy));

    const expected = mayBeKept(asking, answering, owner);
    if ((found === undefined) !== expected) {
      assertEquals({ asking, answering, owner, why: found?.why }, {
        asking,
        answering,
        owner,
        why: expected ? undefined : "anything" as never,
      });
    }
  }
  // Of 2,048 lists of directives, three quarters pass each of the two conditions.
  assertEquals(count, 1_152 * CLIENTS.length * FIELDS.length * OWNERS.length);
});

Deno.test("S3 to S16: the breaker agrees on a sample of combinations (promise 19)", async () => {
  let count = 0;
  for (const { asking, answering, owner } of combinations()) {
    // 397 is prime, so the sample does not fall into step with any field.
    if (count++ % 397 !== 0) continue;
    const site = new Site({
      lastGood: {
        ...(owner.hasPartitions && { partition: (request) => request.headers.get("x-shard")! }),
        ignore: owner.ignore as never,
      },
    });
    site.answer = () => new Response("good", { headers: fieldsOf(answering) });

    await site.read({ headers: asking.fields }, ORIGIN);

    const kept = site.events.some((event) => event.type === "kept");
    const expected = mayBeKept(asking, answering, owner);
    if (kept !== expected) {
      assertEquals({ asking, answering, owner, kept }, {
        asking,
        answering,
        owner,
        kept: expected,
      });
    }
  }
});
