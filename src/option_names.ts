/**
 * What to write instead of other names: those that opossum and cockatiel use, and our own in the
 * wrong place.
 */
const MEANT: Readonly<Record<string, string>> = {
  delayMs: "resetTimeout halfOpenAfter",
  judge: "errorFilter",
  probes: "halfOpenSampling",
  trip: "breaker",
  "failureRate({ minimumCalls })": "minimumCalls volumeThreshold allowWarmUp minimumRps",
  "failureRate({ threshold })": "errorThresholdPercentage",
  "failureRate({ windowMs })": "windowMs rollingCountTimeout rollingCountBuckets duration",
  "failureRate({ lastCalls })": "lastCalls size",
  "slowRate({ slowMs })": "slowMs",
  "breaker({ lastGood })": "lastGood cache cacheTTL cacheSize cacheGetKey cacheTransport",
  "new Circuit({ state })": "state initialState",
};

/**
 * Throws if an option, own or inherited, has a name that is not known. What every object inherits,
 * and what a class has besides fields, does not count.
 *
 * @param purpose What the caller wants to do: completes "Cannot …".
 * @param path What stands before the names where the caller wrote them.
 * @param lastGood Makes an object with the names that belong into `lastGood`, to be suggested.
 * @throws {TypeError} If a name is not known, with the one that was probably meant.
 */
export function checkNames(
  purpose: string,
  options: object,
  names: ReadonlySet<string>,
  path = "",
  lastGood = () => ({}),
): void {
  for (const name in options) {
    if (names.has(name) || name in Object.prototype) continue;
    const meant = name in lastGood() ? `lastGood.${name}` : meantBy(name, names, path);
    const hint = meant && `: did you mean "${meant}"?`;
    throw new TypeError(
      `Cannot ${purpose} as ${JSON.stringify(path + name)} is not an option${hint}`,
    );
  }
}

/** Finds what a name probably means; "" if it is like no other. */
function meantBy(name: string, names: ReadonlySet<string>, path: string): string {
  for (const meant in MEANT) if (MEANT[meant]!.split(" ").includes(name)) return meant;
  let nearest = "";
  let least = 1 + (Math.floor(name.length * 0.4) || 1);
  for (const known of names) {
    const edits = editsBetween(name.toLowerCase(), known.toLowerCase());
    if (edits < least) [nearest, least] = [path + known, edits];
  }
  return nearest;
}

/** Counts the letters to insert, drop or replace to turn one name into the other. */
function editsBetween(one: string, other: string): number {
  let row = [...other, ""].map((_, index) => index);
  for (const letter of one) {
    const next = [row[0]! + 1];
    for (let index = 0; index < other.length; index++) {
      const replaced = row[index]! + (letter === other[index] ? 0 : 1);
      next.push(Math.min(replaced, row[index + 1]! + 1, next[index]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
