import { outlivesAnswer } from "../../src/runtime.ts";

/** Makes this runtime look like Workers, which stop work in the background, until disposed. */
export function stopping(): { [Symbol.dispose](): void } {
  if (!outlivesAnswer()) return { [Symbol.dispose]() {} };
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", {
    value: { userAgent: "Cloudflare-Workers" },
    configurable: true,
  });
  return {
    [Symbol.dispose]() {
      Reflect.deleteProperty(globalThis, "navigator");
      if (before !== undefined) Object.defineProperty(globalThis, "navigator", before);
    },
  };
}
