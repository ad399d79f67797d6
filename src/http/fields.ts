/**
 * Parsers for the fields that decide about keeping. They run in linear time, never throw, and
 * give undefined where a value is in doubt.
 */

/** The fields of a message, as the rules ask for them: by names in lower case. */
export type Fields = Pick<Headers, "get" | "has">;

/** Fields taken down at once: on every runtime, to ask `Headers` for five of them takes longer. */
export class FieldMap implements Fields {
  /** Names in lower case. Repeated fields are joined; of Set-Cookie, which cannot be, there is one. */
  readonly all: Map<string, string> = new Map();

  constructor(headers: Headers | undefined) {
    headers?.forEach((value, name) => this.all.set(name, value));
  }

  get(name: string): string | null {
    return this.all.get(name) ?? null;
  }

  has(name: string): boolean {
    return this.all.has(name);
  }
}

/** The fields of a message that has none. */
export const NO_FIELDS: Fields = new FieldMap(undefined);

/** Directives of a Cache-Control field (RFC 9111 §5.2) with their arguments, "" where there is none. */
export type Directives = ReadonlyMap<string, string>;

/** No field that is longer is looked at: what is kept has 16 KiB of fields at most. */
const MAX_FIELD_LENGTH = 16_384;

/** One directive: a token, and maybe a token or a quoted string as its argument. */
const DIRECTIVE =
  /[\t ,]*([\w!#$%&'*+.^`|~-]+)(?:=(?:([\w!#$%&'*+.^`|~-]+)|"((?:[^"\\]|\\.)*)"))?[\t ]*(?:,|$)/y;

/** No directives. */
export const NONE: Directives = new Map();

/** Parses a Cache-Control field; undefined if anything in it is malformed or contradicts itself. */
export function parseCacheControl(value: string | null): Directives | undefined {
  if (value === null) return NONE;
  if (value.length > MAX_FIELD_LENGTH) return undefined;
  const directives = new Map<string, string>();
  const end = lengthWithoutTail(value);
  DIRECTIVE.lastIndex = 0;
  while (DIRECTIVE.lastIndex < end) {
    const match = DIRECTIVE.exec(value);
    if (match === null) return undefined;
    const name = match[1]!.toLowerCase();
    const argument = match[2] ?? match[3]?.replace(/\\(.)/g, "$1") ?? "";
    const before = directives.get(name);
    // `private` and `no-cache` mean the same to us in any form; two ages do not.
    if (before !== undefined && before !== argument && !ANY_FORM.has(name)) return undefined;
    directives.set(name, argument);
  }
  return directives;
}

/** Without commas and blanks at the end: by hand, as a regular expression takes quadratic time. */
function lengthWithoutTail(value: string): number {
  let length = value.length;
  while (length > 0 && "\t ,".includes(value[length - 1]!)) length--;
  return length;
}

const ANY_FORM: ReadonlySet<string> = new Set(["private", "no-cache", "no-store"]);

/** Parses delta-seconds (RFC 9111 §1.2.2), greater values are as good as its maximum. */
export function parseSeconds(value: string): number | undefined {
  return /^\d{1,64}$/.test(value) ? Math.min(Number(value), 2_147_483_648) : undefined;
}

/** Parses a Content-Length (RFC 9110 §8.6). */
export function parseLength(value: string): number | undefined {
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

const NO_NAMES: readonly string[] = [];

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** The names in a Vary field, in lower case, sorted; undefined for `*` and for what is no name. */
export function parseVary(value: string | null): readonly string[] | undefined {
  if (value === null) return NO_NAMES;
  if (value.length > MAX_FIELD_LENGTH) return undefined;
  const names = new Set<string>();
  for (const part of value.split(",")) {
    const name = part.trim().toLowerCase();
    if (name === "") continue;
    if (name === "*" || !TOKEN.test(name)) return undefined;
    names.add(name);
  }
  return [...names].sort();
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const TIME = "(\\d\\d):(\\d\\d):(\\d\\d)";
const MONTH = `(${MONTHS.join("|")})`;
const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day";
/** The three forms of RFC 9110 §5.6.7: the one in use, RFC 850's and asctime's. */
const FIXDATE = new RegExp(`^${DAY}, (\\d\\d) ${MONTH} (\\d{4}) ${TIME} GMT$`);
const RFC850 = new RegExp(`^${LONG_DAY}, (\\d\\d)-${MONTH}-(\\d\\d) ${TIME} GMT$`);
const ASCTIME = new RegExp(`^${DAY} ${MONTH} ([\\d ]\\d) ${TIME} (\\d{4})$`);

/**
 * Parses an HTTP date (RFC 9110 §5.6.7).
 *
 * @param now In ms: a year of two digits is taken for the nearest that is not 50 years ahead of it.
 * @returns In ms since the epoch; undefined if it is none.
 */
export function parseDate(value: string, now: number): number | undefined {
  // Each answer's is looked at twice, and that of many is the same: they come within a second.
  if (value !== latest.value) latest = { value, ms: fixdate(value) };
  return latest.ms ?? obsoleteDate(value, now);
}

let latest: { readonly value: string; readonly ms: number | undefined } = {
  value: "",
  ms: undefined,
};

function fixdate(value: string): number | undefined {
  const match = FIXDATE.exec(value);
  if (match === null) return undefined;
  return utc(match[3]!, match[2]!, match[1]!, match[4]!, match[5]!, match[6]!);
}

function obsoleteDate(value: string, now: number): number | undefined {
  let match = ASCTIME.exec(value);
  if (match !== null) return utc(match[6]!, match[1]!, match[2]!, match[3]!, match[4]!, match[5]!);
  match = RFC850.exec(value);
  if (match === null) return undefined;
  const thisYear = new Date(now).getUTCFullYear();
  let year = thisYear - (thisYear % 100) + Number(match[3]);
  if (year > thisYear + 50) year -= 100;
  return utc(String(year), match[2]!, match[1]!, match[4]!, match[5]!, match[6]!);
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 1 && isLeap ? 29 : DAYS[month]!;
}

/** Undefined for a day that is in no calendar, or a time that is on no clock. */
function utc(
  year: string,
  month: string,
  day: string,
  hour: string,
  minute: string,
  second: string,
): number | undefined {
  const [y, m, d] = [Number(year), MONTHS.indexOf(month), Number(day)];
  const ms = Date.UTC(y, m, d, Number(hour), Number(minute), Number(second));
  const exists = y >= 100 && d >= 1 && d <= daysIn(y, m) && Number(hour) < 24 &&
    Number(minute) < 60 && Number(second) <= 60;
  return exists ? ms : undefined;
}

/**
 * How long the upstream asks us to wait (RFC 9110 §10.2.3: seconds, or a date).
 *
 * @returns In ms; undefined if it does not say, or says junk.
 */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const seconds = parseSeconds(value.trim());
  if (seconds !== undefined) return seconds * 1_000;
  const date = parseDate(value.trim(), now);
  return date === undefined ? undefined : Math.max(0, date - now);
}

/** Whether an If-None-Match field names `etag`, by weak comparison (RFC 9110 §8.8.3.2). */
export function matchesEtag(field: string, etag: string): boolean {
  if (field.trim() === "*") return true;
  const opaque = opaqueTag(etag);
  return (field.match(/(?:W\/)?"[^"]*"/g) ?? []).some((tag) => opaqueTag(tag) === opaque);
}

function opaqueTag(etag: string): string {
  return etag.startsWith("W/") ? etag.slice(2) : etag;
}

/** Whether `etag` is a strong validator (RFC 9110 §8.8.3). */
export function isStrong(etag: string): boolean {
  return /^"[^"]*"$/.test(etag);
}

/** The type and subtype of a Content-Type field, in lower case. */
export function mediaType(value: string | null): string {
  return value === null ? "" : value.split(";", 1)[0]!.trim().toLowerCase();
}
