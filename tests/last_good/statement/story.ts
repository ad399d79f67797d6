import { seeded } from "../../stage/random.ts";
import {
  type Answering,
  type Asking,
  HARMLESS,
  IDENTITY,
  type Owner,
  type PlaceName,
  PLACES,
  REFLECTED,
  TOLD,
} from "./exchange.ts";
import { MALFORMED } from "./keeping.ts";

/** One step of a story: time passes, something may be forgotten, and a request is answered. */
export interface Step {
  readonly tickMs: number;
  readonly forgets?: { readonly path: string; readonly soft: boolean } | undefined;
  readonly asking: Asking;
  readonly answering: Answering;
}

/** A sequence of requests to a breaker of an owner. */
export interface Story {
  readonly owner: Owner;
  readonly steps: readonly Step[];
}

const PATHS = ["/a", "/b"];

/** Makes a story of some length, always the same for a seed. */
export function storyOf(seed: number, length: number): Story {
  const dice = new Dice(seed);
  const world = worldOf(dice);
  const steps: Step[] = [];
  for (let n = 1; n <= length; n++) {
    const asking = askingOf(dice, world, `"${dice.pick([n - 1, n - 2, n])}"`);
    steps.push({
      tickMs: dice.pick([1_001, 1_001, 4_000, 30_000, 100_000]),
      forgets: dice.chance(0.03) ? { path: dice.pick(PATHS), soft: dice.chance(0.5) } : undefined,
      asking,
      answering: answeringOf(dice, world, asking, n),
    });
  }
  return { owner: world.owner, steps };
}

/** Draws from lists, the same for a seed. */
class Dice {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seeded(seed);
  }

  chance(share: number): boolean {
    return this.#next() < share;
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#next() * list.length)]!;
  }
}

/** The things that may happen in one sequence: few, so that they meet again. */
interface World {
  readonly places: readonly PlaceName[];
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly vary: readonly string[];
  readonly told: readonly (string | undefined)[];
  readonly owner: Owner;
}

function worldOf(dice: Dice): World {
  const both = (name: string) => [[name, "a"], [name, "b"]] as const;
  return {
    places: [dice.pick(PLACES), dice.pick(PLACES)],
    fields: [
      ...both(dice.pick(REFLECTED)),
      ...both(dice.pick(IDENTITY)),
      ...both(dice.pick(HARMLESS)),
      ...both(dice.pick(["authorization", "cookie", "origin"])),
      ...both(dice.pick(["user-agent", "accept", "accept-language", "x-a"])),
      ["x-shard", dice.pick(["a", "b"])],
      dice.pick([
        ["upgrade", "h2c"],
        ["range", "bytes=0-1"],
        ["if-none-match", "*"],
        ["x-a", "c"],
      ]),
    ],
    vary: [
      dice.pick(["", "", "accept-language", "x-a", "Cookie, X-A", "a b", "x-a, *"]),
      dice.pick(["", "", "Origin", ...IDENTITY]),
    ],
    told: [undefined, undefined, dice.pick(Object.keys(TOLD)), dice.pick(Object.keys(TOLD))],
    owner: {
      ignore: dice.pick([[], [], [], ["authorization"], ["must-revalidate"], ["cookie"], [
        "private",
        "no-store",
        "no-cache",
        "set-cookie",
      ]]),
      hasPartitions: dice.chance(0.3),
      freshMs: dice.pick([0, 0, 10_000]),
    },
  };
}

function askingOf(dice: Dice, { places, fields, told }: World, etag: string): Asking {
  const place = dice.pick(places);
  const isFetch = place === "fetch";
  const own = fields.filter(() => dice.chance(0.12));
  if (dice.chance(0.1)) own.push(["if-none-match", etag]);
  if (dice.chance(0.1)) {
    own.push([
      "cache-control",
      dice.pick(["only-if-cached", "no-store", "no-cache", "max-age=0", "max-stale=5"]),
    ]);
  }
  return {
    place,
    path: dice.pick(PATHS),
    method: dice.chance(0.1) ? dice.pick(["HEAD", "POST", "OPTIONS"]) : "GET",
    fields: Object.fromEntries(own),
    cache: isFetch && dice.chance(0.1) ? dice.pick(["no-store", "reload", "no-cache"]) : undefined,
    told: isFetch && dice.chance(0.3) ? dice.pick(told) : undefined,
  };
}

const WORDS = [
  "public",
  'public="no"',
  "public=1",
  "private",
  'private=""',
  "no-store",
  "no-cache",
  "max-age=60",
  "max-age=5",
  "s-maxage=60",
  "must-revalidate",
  "proxy-revalidate",
  "stale-if-error=0",
  "stale-if-error=20",
  ...MALFORMED,
];

function answeringOf(dice: Dice, { vary }: World, asking: Asking, version: number): Answering {
  const etag = `"${version}"`;
  if (dice.chance(0.3)) {
    return plain(dice.pick([500, 503, 504]), asking.method === "HEAD" ? "" : "down");
  }
  const words = dice.chance(0.3) ? [dice.pick(WORDS)] : [];
  if (dice.chance(0.1)) words.push(dice.pick(WORDS));
  const isConfirmed = asking.fields["if-none-match"] === etag && asking.method === "GET";
  const status = isConfirmed && dice.chance(0.7)
    ? 304
    : dice.chance(0.25)
    ? dice.pick([204, 206, 301, 302, 400, 401, 403, 404, 404, 410, 413])
    : 200;
  const isEmpty = status === 304 || status === 204 || asking.method === "HEAD";
  const maybe = (name: string, value: string, share: number) =>
    dice.chance(share) ? { [name]: value } : {};
  return {
    status,
    words: distinct(words),
    fields: {
      etag,
      ...maybe("vary", dice.pick(vary), 0.5),
      ...maybe("access-control-allow-origin", dice.pick(["*", "a"]), 0.1),
      ...maybe("set-cookie", "a=b", 0.05),
      ...maybe("cdn-cache-control", "no-store", 0.03),
      ...maybe("surrogate-control", "no-store", 0.03),
      ...maybe("pragma", "no-cache", 0.03),
      ...maybe("age", "x", 0.02),
      ...maybe("date", "x", 0.02),
      ...maybe("location", dice.pick(PATHS), 0.1),
    },
    body: isEmpty ? "" : `${asking.place} ${version}`,
  };
}

/** Without two directives of one name, which contradict each other. */
function distinct(words: readonly string[]): string[] {
  const nameOf = (word: string) => word.split(/[=; ]/, 1)[0];
  return words.filter((word, at) =>
    words.findIndex((other) => nameOf(other) === nameOf(word)) === at
  );
}

function plain(status: number, body: string): Answering {
  return { status, words: [], fields: {}, body };
}
