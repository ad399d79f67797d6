import { MemoryBudget } from "../../src/last_good/budget.ts";
import { Copies, type Hold, type Need } from "../../src/last_good/copies.ts";
import { keyOf } from "./stored.ts";

/** Makes a budget for copies, with nothing kept that could go. */
export function budgetOf(maxBytes = Infinity): MemoryBudget {
  return new MemoryBudget(maxBytes, { evictableBytes: () => 0, evict: () => {} });
}

/** A copy that needs nothing but the room for its body. */
export const NO_NEED: Need = { overhead: 0, mayEvict: () => false };

/** Makes what a copy under test holds. */
export function holdIn(budget = budgetOf(), url = "/"): Hold {
  return new Copies(budget, Infinity).begin(keyOf(url), 0, 0, NO_NEED)!;
}
