import {
  type Answering,
  type Asking,
  IDENTITY,
  type Owner,
  partitionOf,
  says,
  variesOn,
} from "./exchange.ts";

/** Directives that cannot be parsed, or whose argument cannot (S16). */
export const MALFORMED: readonly string[] = [
  "max-age=abc",
  "max-age = 60",
  "public ;",
  "no-store;",
  "a b",
];

/** Reports whether the rules let an answer be kept: whether nothing in the list stands against it. */
export function mayBeKept(asking: Asking, answering: Answering, owner: Owner): boolean {
  return !isAgainstRequest(asking, answering, owner) && !isAgainstAnswer(asking, answering, owner);
}

/** What is wrong with the request, who may be anybody: never a reason to remove what others need. */
export function isAgainstRequest(asking: Asking, answering: Answering, owner: Owner): boolean {
  const { method, fields, cache } = asking;
  const isOwned = partitionOf(asking, owner) !== undefined;
  const lifts = (obstacle: string) => owner.ignore.includes(obstacle);
  const varies = variesOn(answering);
  // S8: two of the three permit it because they forbid stale reuse.
  const isPermitted = says(answering, "public") ||
    (says(answering, "s-maxage=60", "must-revalidate") && !lifts("must-revalidate"));
  return [
    // S1
    method !== "GET",
    fields["upgrade"] !== undefined,
    // S3
    (fields["cache-control"] === "no-store" || cache === "no-store") && !lifts("no-store"),
    // S8
    fields["authorization"] !== undefined && !isOwned && !lifts("authorization") && !isPermitted,
    // S8b
    !isOwned && !lifts("authorization") && !isPermitted &&
    IDENTITY.some((name) => fields[name] !== undefined && !varies.includes(name)),
    // S9
    fields["cookie"] !== undefined && !isOwned && !lifts("cookie") &&
    !says(answering, "public") && !varies.includes("cookie"),
    // S11
    fields["range"] !== undefined,
  ].includes(true);
}

/** What the origin says, or leaves in doubt. */
function isAgainstAnswer(asking: Asking, answering: Answering, owner: Owner): boolean {
  const { status, words, fields } = answering;
  const isOwned = partitionOf(asking, owner) !== undefined;
  const lifts = (obstacle: string) => owner.ignore.includes(obstacle);
  return [
    // S2
    status !== 200,
    // S3
    says(answering, "no-store") && !lifts("no-store"),
    isForbiddenElsewhere(answering) && !lifts("no-store"),
    // S4
    says(answering, ...PRIVATE) && !lifts("private") && !isOwned,
    // S5
    says(answering, ...NO_CACHE) && !lifts("no-cache"),
    // S7
    fields["set-cookie"] !== undefined && !lifts("set-cookie"),
    // S10
    variesOn(answering).includes("*"),
    // S16
    words.some((word) => MALFORMED.includes(word)),
    fields["vary"] === "a b",
    fields["age"] === "x",
    fields["date"] === "x",
  ].includes(true);
}

export const PRIVATE: readonly string[] = ["private", 'private="x"', 'private=""'];
export const NO_CACHE: readonly string[] = ["no-cache", 'no-cache="x"'];

/** The other fields in which an origin says no-store (S3). */
export function isForbiddenElsewhere({ words, fields }: Answering): boolean {
  return fields["cdn-cache-control"] === "no-store" || fields["surrogate-control"] === "no-store" ||
    (fields["pragma"] === "no-cache" && words.length === 0);
}
