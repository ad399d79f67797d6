import { outlivesAnswer } from "../../src/runtime.ts";

/** Makes this runtime look like Workers, which stop work in the background, until disposed. */
export function stopping(): { [Symbol.dispose](): void } {
  if (!outlivesAnswer()) return { [Symbol.dispose]() {} };
  Object.assign(globalThis, { WebSocketPair: class {} });
  return { [Symbol.dispose]: () => void Reflect.deleteProperty(globalThis, "WebSocketPair") };
}

/** Makes this runtime be taken for Workers until disposed. */
export function asWorkers(): { [Symbol.dispose](): void } {
  if ("WebSocketPair" in globalThis) return { [Symbol.dispose]() {} };
  Object.assign(globalThis, { WebSocketPair: class {} });
  return { [Symbol.dispose]: () => void Reflect.deleteProperty(globalThis, "WebSocketPair") };
}
