import { outlivesAnswer } from "../../src/runtime.ts";

/** Makes this runtime look like Workers, which stop work in the background, until disposed. */
export function stopping(): { [Symbol.dispose](): void } {
  if (!outlivesAnswer()) return { [Symbol.dispose]() {} };
  Object.assign(globalThis, { WebSocketPair: class {} });
  return { [Symbol.dispose]: () => void Reflect.deleteProperty(globalThis, "WebSocketPair") };
}
