import { assertEquals, assertStrictEquals } from "@std/assert";
import { asTyped } from "../../src/last_good/typed_body.ts";

const MADE = { url: "", type: "default" } as const;
const FETCHED = { url: "http://origin.test/", type: "default" } as const;
const BYTES = (text: string) => new TextEncoder().encode(text);

/** Runs `act` as if on Bun, whose server adds a type to a text that has none. */
function onBun(act: () => void): void {
  const own = Object.getOwnPropertyDescriptor(globalThis, "Bun");
  if (own === undefined) {
    Object.defineProperty(globalThis, "Bun", { value: {}, configurable: true });
  }
  try {
    act();
  } finally {
    if (own === undefined) Reflect.deleteProperty(globalThis, "Bun");
  }
}

Deno.test("34: on Bun a handler's text without a type goes on as a text", () => {
  onBun(() => {
    for (const text of ["plain", "na\u00efve", "\ufeffmark"]) {
      assertEquals(asTyped(BYTES(text), MADE, false), text);
    }
  });
});

Deno.test("34: on Bun a body with a type, a fetched one and one that is no text stay as they are", () => {
  onBun(() => {
    const bytes = BYTES("plain");
    const binary = Uint8Array.of(0xff, 0xfe);

    assertStrictEquals(asTyped(bytes, MADE, true), bytes);
    assertStrictEquals(asTyped(bytes, FETCHED, false), bytes);
    assertStrictEquals(asTyped(binary, MADE, false), binary);
  });
});

Deno.test("34: elsewhere a body without a type stays as it is", () => {
  if ("Bun" in globalThis) return;
  const bytes = BYTES("plain");

  assertStrictEquals(asTyped(bytes, MADE, false), bytes);
});
