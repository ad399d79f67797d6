/** Puts a breaker in the place of the global fetch, and asks twice. */
import { breaker } from "@lastgood/breaker";

globalThis.fetch = breaker().fetch as typeof fetch;
const texts: string[] = [];
for (let n = 0; n < 2; n++) texts.push(await (await fetch(process.env.ORIGIN!)).text());
console.log(texts.join(" "));
