/** The fields of a request that came in say the same, however they are held. */

import { assertEquals } from "@std/assert";
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

for (const use of ["look", "copy", "leave"] as const) {
  Deno.test(`K3, S8b, F5: fields that are held by "${use}" read as a copy of all`, () => {
    for (let which = 0; which < 400; which++) {
      const some = FIELDS.filter((_, index) => (which * 7919) >> (index % 12) & 1);
      const headers = new Headers(some.map(([name, value]) => [name, value]));
      const whole = read(new FieldMap(headers));

      const fields = new IncomingFields({ headers } as Request, use);
      assertEquals(read(fields), whole, String(some));
      fields.takeDown();
      assertEquals(read(fields), whole, String(some));
    }
  });
}
