import { checkNames } from "../option_names.ts";
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
import { type Obstacle, OBSTACLES } from "./rules/exchange.ts";

/**
 * Options for the last good responses: which are kept, for whom, for how long, and when they are
 * served.
 */
export interface LastGoodOptions {
  /**
   * Up to how many responses are kept, over all URLs and variants.
   * @default {1_000}
   */
  readonly maxEntries?: number | undefined;
  /**
   * Up to how many bytes are held in memory by what is kept, what is being copied, and what waits for
   * slow readers. What is remembered of removals takes less than a megabyte more.
   * @default {33_554_432}
   */
  readonly maxBytes?: number | undefined;
  /**
   * A longer body is not kept, in bytes.
   * @default {1_048_576}
   */
  readonly maxBodyBytes?: number | undefined;
  /**
   * A body that takes longer is not kept, in ms; Infinity for no limit.
   * @default {30_000}
   */
  readonly maxBodyMs?: number | undefined;
  /**
   * Up to how many variants of one URL are kept, whatever made them: `Vary` (RFC 9111 §4.1), fields
   * that origins reflect, or who asked; each partition counts for itself.
   * @default {8}
   */
  readonly maxVariants?: number | undefined;
  /**
   * For how long a stale response may be served, in ms: from the end of its freshness or, where the
   * origin names none, from its reception. The origin's `stale-if-error` may shorten it.
   * @default {86_400_000}
   */
  readonly maxStaleMs?: number | undefined;
  /**
   * When the kept response is served: "open" while the circuit refuses calls, "failure" also when
   * a call has just failed.
   * @default {"failure"}
   */
  readonly serveOn?: "failure" | "open" | undefined;
  /**
   * Serves the kept response when the upstream takes longer than this, in ms; the call goes on in
   * the background. Has no effect in Hono, where a handler cannot run after its answer is sent.
   * @default {Infinity}
   */
  readonly patienceMs?: number | undefined;
  /**
   * Serves the kept response without calling the upstream while it is younger than this, in ms.
   * @default {0}
   */
  readonly freshMs?: number | undefined;
  /**
   * A response is not copied again within this time after the last copy, in ms.
   * @default {1_000}
   */
  readonly refreshMs?: number | undefined;
  /**
   * Responses with these statuses are kept: any from 200 to 499 except 206 and 304.
   * @default {[200]}
   */
  readonly statuses?: readonly number[] | undefined;
  /**
   * Obstacles to keeping that are ignored. The app's owner then answers for what is served to whom.
   * @default {[]}
   */
  readonly ignore?: readonly Obstacle[] | undefined;
  /**
   * Names what a response is kept for, in place of its URL. Returning undefined keeps and serves
   * nothing. With it, requests count whose `Host` is not the host of their URL, too, as behind a proxy
   * that changes one of them. Default: the URL.
   */
  readonly key?: ((request: Request) => string | undefined) | undefined;
  /**
   * Names the user, tenant or group that a response belongs to. Within a partition, private
   * responses and responses to requests with credentials are kept, too. The name is hashed before
   * it is used. Returning undefined applies the rules for shared responses; `""` does so, too, but is
   * reported as a mistake. Default: no partitions.
   */
  readonly partition?:
    | ((request: Request) => string | undefined | Promise<string | undefined>)
    | undefined;
  /**
   * A veto, called when the body is whole: if it returns false, the response is not kept, and the older
   * one stays. It gets the request and the response without their bodies, and the bytes of the
   * response's body, decoded if `fetch` has decoded it. Its reader waits for nothing.
   * Default: no veto.
   */
  readonly keep?:
    | ((request: Request, response: Response, body: Uint8Array<ArrayBuffer>) => boolean)
    | undefined;
  /**
   * Names of further response fields that are not kept; those of one moment, like `Retry-After`,
   * never are. The rules still obey the fields that they read, such as `Cache-Control` and `Vary`:
   * these are only not sent. `Date`, `Content-Type` and `Content-Encoding` stay, as an answer cannot
   * be read without them.
   * @default {[]}
   */
  readonly dropFields?: readonly string[] | undefined;
  /**
   * This breaker's name in the Cache-Status field (RFC 9211); false omits the field.
   * @default {"lastgood"}
   */
  readonly cacheStatus?: string | false | undefined;
}

/** The options, checked and complete, under the same names. */
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
  readonly key: LastGoodOptions["key"];
  readonly partition: LastGoodOptions["partition"];
  readonly keep: LastGoodOptions["keep"];
  /** In lower case. */
  readonly dropFields: ReadonlySet<string>;
  /** As it stands in the field; undefined omits the field. */
  readonly cacheStatus: string | undefined;
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If a number is out of range.
 */
export function lastGoodSettings(purpose: string, options: LastGoodOptions): LastGoodSettings {
  check(purpose, "lastGood", options, { ...object, mustBe: "an object or false" });
  const { maxEntries = 1_000, maxBytes = 33_554_432, maxBodyBytes = 1_048_576 } = options;
  const { maxBodyMs = 30_000, maxVariants = 8, maxStaleMs = 86_400_000 } = options;
  const { serveOn = "failure", patienceMs = Infinity, freshMs = 0, refreshMs = 1_000 } = options;
  const { statuses = [200], ignore = [], key, partition, keep, cacheStatus = "lastgood" } = options;
  const { dropFields = [] } = options;
  const checked = <T>(option: string, value: unknown, rule: Rule<T>): T =>
    check(purpose, `lastGood.${option}`, value, rule);
  const settings = {
    maxEntries: checked("maxEntries", maxEntries, count),
    maxBytes: checked("maxBytes", maxBytes, count),
    maxBodyBytes: checked("maxBodyBytes", maxBodyBytes, count),
    maxBodyMs: checked("maxBodyMs", maxBodyMs, limit),
    maxVariants: checked("maxVariants", maxVariants, count),
    maxStaleMs: checked("maxStaleMs", maxStaleMs, age),
    serveOn: checked("serveOn", serveOn, oneOf("failure", "open")),
    patienceMs: checked("patienceMs", patienceMs, patience),
    freshMs: checked("freshMs", freshMs, age),
    refreshMs: checked("refreshMs", refreshMs, duration),
    statuses: new Set(checkedList(purpose, "lastGood.statuses", statuses, STATUS)),
    ignore: new Set(checkedList(purpose, "lastGood.ignore", ignore, OBSTACLE)),
    key: checked("key", key, optional(callback)),
    partition: checked("partition", partition, optional(callback)),
    keep: checked("keep", keep, optional(callback)),
    dropFields: new Set(
      checkedList(purpose, "lastGood.dropFields", dropFields, NAME).map((name) =>
        name.toLowerCase()
      ),
    ),
    cacheStatus: cacheStatus === false ? undefined : cacheName(purpose, cacheStatus),
  };
  checkNames(purpose, options, new Set(Object.keys(settings)), "lastGood.");
  return settings;
}

/** An upstream's errors are not good answers; a 206 is a part, a 304 only a confirmation (S2). */
const STATUS: Rule<number> = {
  mustBe: "a list of integers from 200 to 499, but 206 and 304",
  accepts: (value): value is number =>
    Number.isInteger(value) && value as number >= 200 && value as number < 500 &&
    value !== 206 && value !== 304,
};

const OBSTACLE: Rule<Obstacle> = {
  get mustBe() {
    return `a list of ${OBSTACLES.map((word) => `"${word}"`).join(", ")}`;
  },
  accepts: (value): value is Obstacle => (OBSTACLES as readonly unknown[]).includes(value),
};

/** RFC 9110 §5.1. */
const NAME: Rule<string> = {
  mustBe: "a list of field names",
  accepts: (value): value is string =>
    typeof value === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(value),
};

/** Returns `list` if every member obeys `rule`, whose words are about the list. */
function checkedList<T>(
  purpose: string,
  option: string,
  list: unknown,
  { mustBe, accepts }: Rule<T>,
): readonly T[] {
  if (!Array.isArray(list)) throw invalidOption(purpose, option, mustBe, list);
  for (const value of list) {
    if (accepts(value)) continue;
    const error = typeof value === "number" ? outOfRange : invalidOption;
    throw error(purpose, option, mustBe, value);
  }
  return list;
}

/** Writes a name as a token or a string of structured fields (RFC 9211 §2, RFC 8941 §3.3). */
function cacheName(purpose: string, name: unknown): string {
  const mustBe = "visible ASCII characters, or false";
  if (typeof name !== "string" || !/^[\x20-\x7e]+$/.test(name)) {
    throw invalidOption(purpose, "lastGood.cacheStatus", mustBe, name);
  }
  if (/^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/.test(name)) return name;
  return `"${name.replace(/["\\]/g, "\\$&")}"`;
}
