/**
 * Points and lengths of time in HTTP fields. The parsers run in linear time, never throw, and return
 * undefined for a value that is malformed.
 */

/** Parses delta-seconds (RFC 9111 §1.2.2). Values beyond the RFC's maximum count as that maximum. */
export function parseSeconds(value: string): number | undefined {
  return /^\d{1,64}$/.test(value) ? Math.min(Number(value), 2_147_483_648) : undefined;
}

/**
 * Parses a Retry-After field: seconds or a date (RFC 9110 §10.2.3).
 *
 * @returns The time to wait, in ms; undefined if the field is absent or malformed.
 */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const seconds = parseSeconds(value.trim());
  if (seconds !== undefined) return seconds * 1_000;
  const date = parseDate(value.trim(), now);
  return date === undefined ? undefined : Math.max(0, date - now);
}

/**
 * Parses an HTTP date (RFC 9110 §5.6.7).
 *
 * @param now In ms. A two-digit year is one of the current century unless that is over 50 years ahead.
 * @returns In ms since the epoch; undefined if it is not a date.
 */
export function parseDate(value: string, now: number): number | undefined {
  // Each response's date is read twice, and responses of the same second carry the same one.
  if (value !== latest.value) latest = { value, ms: fixdate(value) };
  return latest.ms ?? obsoleteDate(value, now);
}

let latest: { readonly value: string; readonly ms: number | undefined } = {
  value: "",
  ms: undefined,
};

const MONTH = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
const TIME = "(\\d\\d:\\d\\d:\\d\\d)";
const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day";
/** The three forms of RFC 9110 §5.6.7: today's, that of RFC 850, and that of asctime. */
const FIXDATE = /* @__PURE__ */ new RegExp(`^${DAY}, (\\d\\d) ${MONTH} (\\d{4}) ${TIME} GMT$`);
const RFC850 = /* @__PURE__ */ new RegExp(`^${LONG_DAY}, (\\d\\d)-${MONTH}-(\\d\\d) ${TIME} GMT$`);
const ASCTIME = /* @__PURE__ */ new RegExp(`^${DAY} ${MONTH} ([\\d ]\\d) ${TIME} (\\d{4})$`);

function fixdate(value: string): number | undefined {
  const match = FIXDATE.exec(value);
  return match === null ? undefined : utc(Number(match[3]), match[2]!, match[1]!, match[4]!);
}

function obsoleteDate(value: string, now: number): number | undefined {
  let match = ASCTIME.exec(value);
  if (match !== null) return utc(Number(match[4]), match[1]!, match[2]!, match[3]!);
  match = RFC850.exec(value);
  if (match === null) return undefined;
  const thisYear = new Date(now).getUTCFullYear();
  let year = thisYear - (thisYear % 100) + Number(match[3]);
  if (year > thisYear + 50) year -= 100;
  return utc(year, match[2]!, match[1]!, match[4]!);
}

/** Returns undefined for a day that no calendar has, or a time that no clock shows. */
function utc(year: number, monthName: string, day: string, time: string): number | undefined {
  const month = (MONTH.indexOf(monthName) - 1) / 4;
  const [date, hour, minute, second] = [
    Number(day),
    Number(time.slice(0, 2)),
    Number(time.slice(3, 5)),
    Number(time.slice(6)),
  ];
  const exists = year >= 100 && date >= 1 && date <= daysIn(year, month) && hour < 24 &&
    minute < 60 && second <= 60;
  return exists ? Date.UTC(year, month, date, hour, minute, second) : undefined;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 1 && isLeap ? 29 : DAYS[month]!;
}
