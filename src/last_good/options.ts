import {
  age,
  callback,
  check,
  count,
  duration,
  invalidOption,
  limit,
  object,
  oneOf,
  optional,
  outOfRange,
  patience,
  type Rule,
} from "../validation.ts";
import { type Obstacle, OBSTACLES } from "./rules/storable.ts";

/** What is kept as the last good response, for whom, for how long, and when it is served. */
export interface LastGoodOptions {
  /**
   * How many responses are kept, of all URLs and variants together.
   * @default {1_000}
   */
  readonly maxEntries?: number;
  /**
   * How many bytes are kept, keys and fields included.
   * @default {33_554_432}
   */
  readonly maxBytes?: number;
  /**
   * A longer body is not kept, in bytes.
   * @default {1_048_576}
   */
  readonly maxBodyBytes?: number;
  /**
   * A body that takes longer is not kept, in ms.
   * @default {30_000}
   */
  readonly maxBodyMs?: number;
  /**
   * How many variants of one key are kept (`Vary`, RFC 9111 §4.1).
   * @default {8}
   */
  readonly maxVariants?: number;
  /**
   * How stale a response may be served, in ms: counted from the end of its freshness or, where
   * its origin names none, from its reception. An origin's `stale-if-error` may shorten it.
   * @default {86_400_000}
   */
  readonly maxStaleMs?: number;
  /**
   * "failure": also when this very call failed; "open": only when the circuit refuses.
   * @default {"failure"}
   */
  readonly serveOn?: "failure" | "open";
  /**
   * Serves the kept response if the upstream takes longer, in ms; the call goes on behind it.
   * Not in Hono, where a handler cannot run behind its own answer.
   * @default {Infinity}
   */
  readonly patienceMs?: number;
  /**
   * Serves the kept response without calling while it is younger, in ms.
   * @default {0}
   */
  readonly freshMs?: number;
  /**
   * What was kept so recently, in ms, is not copied again.
   * @default {1_000}
   */
  readonly refreshMs?: number;
  /**
   * Which statuses are kept: from 200 to 499, but 206 and 304.
   * @default {[200]}
   */
  readonly statuses?: readonly number[];
  /** Obstacles to look past. With it, the app's owner answers for what is served to whom. */
  readonly ignore?: readonly Obstacle[];
  /** What a response is kept for, instead of its URL; undefined keeps and serves nothing. */
  readonly key?: (request: Request) => string | undefined;
  /**
   * Whose response it is: within a partition, private responses and those to requests with
   * credentials are kept. Its value is hashed before it is used. Undefined: nobody's in particular.
   */
  readonly partition?: (request: Request) => string | undefined | Promise<string | undefined>;
  /** A veto: false keeps nothing. The response it gets has no body. */
  readonly keep?: (request: Request, response: Response) => boolean;
  /**
   * Our name in Cache-Status (RFC 9211); false leaves the field out.
   * @default {"lastgood"}
   */
  readonly cacheStatus?: string | false;
}

/** The options, checked and complete. */
export interface LastGoodSettings {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxBodyBytes: number;
  readonly maxBodyMs: number;
  readonly maxVariants: number;
  readonly maxStaleMs: number;
  readonly serveOn: "failure" | "open";
  readonly patienceMs: number;
  readonly freshMs: number;
  readonly refreshMs: number;
  readonly statuses: ReadonlySet<number>;
  readonly ignore: ReadonlySet<string>;
  readonly key: LastGoodOptions["key"] | undefined;
  readonly partition: LastGoodOptions["partition"] | undefined;
  readonly keep: LastGoodOptions["keep"] | undefined;
  /** As it stands in the field. */
  readonly cacheStatus: string | undefined;
}

/** Checks the options and fills in the defaults. */
export function lastGoodSettings(purpose: string, options: LastGoodOptions): LastGoodSettings {
  check(purpose, "lastGood", options, { ...object, mustBe: "an object or false" });
  const { maxEntries = 1_000, maxBytes = 33_554_432, maxBodyBytes = 1_048_576 } = options;
  const { maxBodyMs = 30_000, maxVariants = 8, maxStaleMs = 86_400_000 } = options;
  const { serveOn = "failure", patienceMs = Infinity, freshMs = 0, refreshMs = 1_000 } = options;
  const { statuses = [200], ignore = [], key, partition, keep, cacheStatus = "lastgood" } = options;
  const checkOwn = <T>(option: string, value: unknown, rule: Rule<T>): T =>
    check(purpose, `lastGood.${option}`, value, rule);
  return {
    maxEntries: checkOwn("maxEntries", maxEntries, count),
    maxBytes: checkOwn("maxBytes", maxBytes, count),
    maxBodyBytes: checkOwn("maxBodyBytes", maxBodyBytes, count),
    maxBodyMs: checkOwn("maxBodyMs", maxBodyMs, limit),
    maxVariants: checkOwn("maxVariants", maxVariants, count),
    maxStaleMs: checkOwn("maxStaleMs", maxStaleMs, age),
    serveOn: checkOwn("serveOn", serveOn, oneOf("failure", "open")),
    patienceMs: checkOwn("patienceMs", patienceMs, patience),
    freshMs: checkOwn("freshMs", freshMs, age),
    refreshMs: checkOwn("refreshMs", refreshMs, duration),
    statuses: new Set(members(purpose, "lastGood.statuses", statuses, isStatus, STATUS)),
    ignore: new Set(members(purpose, "lastGood.ignore", ignore, isObstacle, OBSTACLE)),
    key: checkOwn("key", key, optional(callback)),
    partition: checkOwn("partition", partition, optional(callback)),
    keep: checkOwn("keep", keep, optional(callback)),
    cacheStatus: cacheStatus === false ? undefined : fieldName(purpose, cacheStatus),
  };
}

const STATUS = "a list of integers from 200 to 499, but 206 and 304";
const OBSTACLE = `a list of ${OBSTACLES.map((word) => `"${word}"`).join(", ")}`;

/** S2: errors of the upstream are no good answers, and parts and confirmations no whole ones. */
function isStatus(value: unknown): value is number {
  return Number.isInteger(value) && value as number >= 200 && value as number < 500 &&
    value !== 206 && value !== 304;
}

function isObstacle(value: unknown): value is Obstacle {
  return (OBSTACLES as readonly unknown[]).includes(value);
}

function members<T>(
  purpose: string,
  option: string,
  list: unknown,
  holds: (value: unknown) => value is T,
  says: string,
): readonly T[] {
  if (!Array.isArray(list)) throw invalidOption(purpose, option, says, list);
  for (const value of list) {
    if (holds(value)) continue;
    throw (typeof value === "number" ? outOfRange : invalidOption)(purpose, option, says, value);
  }
  return list;
}

/** RFC 9211 §2: a token or a string (RFC 8941 §3.3). */
function fieldName(purpose: string, name: unknown): string {
  if (typeof name !== "string" || !/^[\x20-\x7e]+$/.test(name)) {
    throw invalidOption(
      purpose,
      "lastGood.cacheStatus",
      "visible ASCII characters, or false",
      name,
    );
  }
  if (/^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/.test(name)) return name;
  return `"${name.replace(/["\\]/g, "\\$&")}"`;
}
