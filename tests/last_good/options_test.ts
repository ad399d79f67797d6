import { assert, assertEquals } from "@std/assert";
import { Site } from "../stage/site.ts";

Deno.test("S2: statuses refuses 206, 304, 1xx and 5xx", () => {
  for (const status of [100, 199, 206, 304, 500, 503, 599, 200.5, NaN]) {
    let error: unknown;
    try {
      new Site({ lastGood: { statuses: [status] } });
    } catch (thrown) {
      error = thrown;
    }
    assertEquals((error as Error)?.name, "RangeError", String(status));
  }
});

Deno.test("ignore refuses unknown words", () => {
  for (const ignore of ["vary", "No-Store", "", 1, undefined]) {
    let error: unknown;
    try {
      new Site({ lastGood: { ignore: [ignore] as never } });
    } catch (thrown) {
      error = thrown;
    }
    assertEquals(error instanceof Error, true, String(ignore));
  }
});

Deno.test("H3: a cacheStatus that would break the field is refused", () => {
  for (const cacheStatus of ["", "a\r\nb", "a\nb", "\u00e9", 1, true, null]) {
    let error: unknown;
    try {
      new Site({ lastGood: { cacheStatus: cacheStatus as string } });
    } catch (thrown) {
      error = thrown;
    }
    assert(error instanceof TypeError || error instanceof RangeError, String(cacheStatus));
  }
});
