/** Asks for a relative URL, bare and through a breaker. */
import { breaker } from "@lastgood/breaker";

const texts: string[] = [];
for (const call of [fetch, breaker().fetch]) {
  texts.push(await (await call("/items?a=b")).text());
}
console.log(texts.join(" "));
