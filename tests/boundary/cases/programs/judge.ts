/** Fetches thrice through a breaker whose judge reads a clone of each answer. */
import { breaker } from "@lastgood/breaker";

const api = breaker({
  lastGood: { refreshMs: 0 },
  judge(outcome) {
    if (outcome.status === "fulfilled") void outcome.value.clone().text();
    return undefined;
  },
});
const texts: string[] = [];
for (let n = 0; n < 3; n++) texts.push(await (await api.fetch(process.env.ORIGIN!)).text());
await api.idle();
console.log(texts.join(" "));
