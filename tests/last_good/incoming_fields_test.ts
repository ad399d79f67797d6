/** The fields of a request that came in say the same, however they are held. */

import { assertEquals, assertThrows } from "@std/assert";
import { FieldMap, type Fields } from "../../src/http/fields.ts";
import { IncomingFields } from "../../src/last_good/incoming_fields.ts";
import { requestKind } from "../../src/last_good/request_kind.ts";
import { identityFields, reflectedFields } from "../../src/last_good/rules/field_names.ts";

/** Each is there and is missing in one of the requests below. */
const FIELDS = [
  ["host", "v.test"],
  ["x-forwarded-host", "a.test"],
  ["x_original_url", "/b"],
  ["x-user-id", "ann"],
  ["x-ssl-client-verify", "NONE"],
  ["x-client-cert", "cert"],
  ["cookie", "sid=1"],
  ["authorization", "Bearer 1"],
  ["accept", "text/html"],
  ["cache-control", "no-cache"],
  ["content-length", "0"],
  ["transfer-encoding", "chunked"],
  ["upgrade", "websocket"],
  ["if-match", '"1"'],
  ["if-none-match", '"1"'],
  ["if-modified-since", "x"],
  ["if-unmodified-since", "x"],
  ["range", "bytes=0-"],
] as const;

type Visit = (value: string, name: string) => void;

function read(fields: Fields): unknown[] {
  const all: [string, string][] = [];
  fields.forEach((value, name) => all.push([name, value]));
  return [
    reflectedFields(fields),
    reflectedFields(fields, true),
    [...identityFields(fields)].sort(),
    requestKind(fields),
    FIELDS.map(([name]) => [fields.get(name), fields.has(name)]),
    all.sort(),
  ];
}

for (const isLive of [false, true]) {
  const how = isLive ? "read where they are" : "taken down";

  Deno.test(`K3, S8b, F5: fields that are ${how} read as a copy of all`, () => {
    for (let which = 0; which < 400; which++) {
      const some = FIELDS.filter((_, index) => (which * 7919) >> (index % 12) & 1);
      const headers = new Headers(some.map(([name, value]) => [name, value]));
      const whole = read(new FieldMap(headers));

      const fields = new IncomingFields({ headers } as Request, isLive);
      assertEquals(read(fields), whole, String(some));
      fields.takeDown();
      assertEquals(read(fields), whole, String(some));
    }
  });
}

Deno.test("K2: of a field whose lines are not joined, the last one is read, as of a copy of all", () => {
  const headers = new Headers([["set-cookie", "a=1"], ["accept", "a"], ["set-cookie", "b=2"]]);

  const fields = new IncomingFields({ headers } as Request, false);

  assertEquals(fields.get("set-cookie"), new FieldMap(headers).get("set-cookie"));
});

Deno.test("K3: Headers of an app's own that make other fields be read disturb no others", () => {
  const inner = new Headers({ "x-user-id": "ann" });
  const headers = new Headers({ host: "v.test", "x-forwarded-host": "a.test" });
  const whole = read(new FieldMap(headers));
  const nesting = Object.assign(new Headers(headers), {
    forEach(visit: Visit) {
      headers.forEach((value, name) => {
        visit(value, name);
        new IncomingFields({ headers: inner } as Request, false);
      });
    },
  });

  const fields = new IncomingFields({ headers: nesting } as Request, false);

  assertEquals(read(fields), whole);
});

Deno.test("K3: fields whose reading fails disturb no others", () => {
  const failing = Object.assign(new Headers(), {
    forEach() {
      throw new Error("unreadable");
    },
  });
  const nesting = Object.assign(new Headers(), {
    forEach(visit: Visit) {
      assertThrows(() => new IncomingFields({ headers: failing } as unknown as Request, false));
      visit("a.test", "x-forwarded-host");
    },
  });

  const fields = new IncomingFields({ headers: nesting } as Request, false);

  assertEquals(fields.marked, ["x-forwarded-host"]);
});

Deno.test("K3: a field is found however its name is written, and whatever was asked before", () => {
  for (const name of ["accept", "cookie", "x-user-id", "x".repeat(200)]) {
    for (const written of [name, name.toUpperCase()]) {
      const headers = { forEach: (visit: Visit) => visit("1", written) };
      const fields = new IncomingFields({ headers } as unknown as Request, false);

      assertEquals(fields.get(name), "1");
    }
  }
});
