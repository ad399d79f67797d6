import { assert, assertEquals, assertNotStrictEquals } from "@std/assert";
import { CircuitOpenError } from "@lastgood/breaker";
import { problem } from "../src/errors.ts";

const TIMES: readonly (readonly [retryAfterMs: number, secs: string])[] = [
  [60_000, "60"],
  [59_001, "60"],
  [1_000, "1"],
  [1, "1"],
  [0, "1"],
];

for (const [retryAfterMs, secs] of TIMES) {
  Deno.test(`26: an error with ${retryAfterMs} ms to wait says ${secs} secs everywhere`, async () => {
    const error = new CircuitOpenError("stock", retryAfterMs);
    const response = error.getResponse();

    assertEquals(error.message, `Circuit "stock" is open, retry after ${secs} secs`);
    assertEquals(response.headers.get("retry-after"), secs);
    assertEquals(
      (await response.json()).detail,
      `The upstream is failing, retry after ${secs} secs`,
    );
  });
}

Deno.test("23: a CircuitOpenError has the circuit and the time in fields, and its own name", () => {
  const error = new CircuitOpenError("stock", 1_500);

  assert(error instanceof Error);
  assertEquals([error.name, error.circuit, error.retryAfterMs], [
    "CircuitOpenError",
    "stock",
    1_500,
  ]);
  assertEquals(String(error), 'CircuitOpenError: Circuit "stock" is open, retry after 2 secs');
});

Deno.test("23: the stack of a CircuitOpenError begins with its name", () => {
  const error = new CircuitOpenError("stock", 1_500);

  assertEquals(Object.keys(error), ["circuit", "retryAfterMs"]);
  // Not every engine puts the name in the stack.
  if (error.stack?.includes("Error:")) {
    assertEquals(
      error.stack.split("\n")[0],
      'CircuitOpenError: Circuit "stock" is open, retry after 2 secs',
    );
  }
});

Deno.test("23: the error of an isolated circuit gives no time", async () => {
  const error = new CircuitOpenError("stock", Infinity);
  const response = error.getResponse();

  assertEquals(error.message, 'Circuit "stock" is held open');
  assertEquals(response.headers.has("retry-after"), false);
  assertEquals((await response.json()).detail, "The upstream is held off");
});

Deno.test("23: the response is problem details with no-store", async () => {
  const response = new CircuitOpenError("stock", 1_000).getResponse();

  assertEquals(response.status, 503);
  assertEquals(response.headers.get("content-type"), "application/problem+json");
  assertEquals(response.headers.get("cache-control"), "no-store");
  const { detail: _, ...rest } = await response.json();
  assertEquals(rest, { type: "about:blank", title: "Service Unavailable", status: 503 });
});

Deno.test("23: each response is a new one, and does not reveal the circuit's name", async () => {
  const error = new CircuitOpenError("http://internal:8080", 1_000);
  const [first, second] = [error.getResponse(), error.getResponse()];

  assertNotStrictEquals(first, second);
  assertEquals((await first.text()).includes("internal"), false);
  assertEquals(await second.text() !== "", true);
});

Deno.test("23: problem details take any status and extra header fields", async () => {
  const response = problem(504, "Gateway Timeout", "Nothing", { "x-a": "1" });

  assertEquals([response.status, response.headers.get("x-a")], [504, "1"]);
  assertEquals((await response.json()).title, "Gateway Timeout");
});
