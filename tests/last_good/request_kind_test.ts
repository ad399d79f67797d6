import { assert, assertEquals } from "@std/assert";
import { requestKind } from "../../src/last_good/request_kind.ts";
import { fieldsLike } from "../stage/fields.ts";

/** Fields of two requests, and whether both are of one kind. */
const KINDS: readonly (readonly [Record<string, string>, Record<string, string>, boolean])[] = [
  [{}, {}, true],
  [{ "user-agent": "a" }, { "user-agent": "b" }, false],
  [{ accept: "a" }, { accept: "b" }, false],
  [{ "accept-language": "a" }, { "accept-language": "b" }, false],
  [{ "accept-language": "" }, {}, false],
  [{ accept: "a", "user-agent": "b" }, { "user-agent": "b", accept: "a" }, true],
  [{ accept: "a", "user-agent": "b" }, { accept: "b", "user-agent": "a" }, false],
  [{ cookie: "a=1" }, { cookie: "a=2" }, false],
  [{ authorization: "a" }, {}, false],
  [{ "x-api-key": "a" }, { "x-api-key": "b" }, false],
  [{ "x-api-key": "a" }, { "x-app-key": "a" }, false],
  [{ "x-host": "a", "x-api-key": "b" }, { "x-api-key": "b", "x-host": "a" }, true],
  [{ "x-api-key": "a", "x-user": "b" }, { "x-user": "b", "x-api-key": "a" }, true],
  [{ "x-forwarded-host": "a" }, {}, false],
  [{ "x-forwarded-for": "1.1.1.1" }, { "x-forwarded-for": "1.1.1.2" }, true],
  [{ "x-request-id": "1" }, { "x-request-id": "2" }, true],
  [{ forwarded: "for=1.1.1.1" }, { forwarded: "for=1.1.1.2" }, true],
  [{ forwarded: "for=a;proto=http" }, { forwarded: "for=a;proto=https" }, false],
  [{ "x-host": "a", "x-url": "b" }, { "x-host": 'a","x-url","b' }, false],
];

for (const [one, other, isSame] of KINDS) {
  const shown = `${JSON.stringify(one)} and ${JSON.stringify(other)}`;
  Deno.test(`S17: ${shown} are ${isSame ? "one kind" : "two kinds"} of request`, () => {
    assertEquals(requestKind(fieldsLike(one)) === requestKind(fieldsLike(other)), isSame);
  });
}

Deno.test("S17: a hundred thousand kinds are as many numbers", () => {
  const kinds = new Set<number>();
  for (let n = 0; n < 100_000; n++) kinds.add(requestKind(fieldsLike({ cookie: `sid=${n}` })));

  assertEquals(kinds.size, 100_000);
  assert([...kinds].every(Number.isSafeInteger));
});
