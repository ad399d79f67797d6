import { assert, assertEquals } from "@std/assert";
import { parseDate, parseSeconds } from "../../src/http/dates.ts";
import { parseCacheControl } from "../../src/http/fields.ts";
import type { Clock } from "../stage/clock.ts";
import { seeded } from "../stage/random.ts";
import { ORIGIN, Site } from "../stage/site.ts";

/** The fields by which a browser or CDN behind us reckons how long it may keep an answer. */
const RECKONED = ["cache-control", "expires", "date"] as const;

type Fields = Readonly<Record<string, string>>;

/** What an origin has said of a page, and when that arrived. */
interface Said {
  readonly fields: Fields;
  readonly at: number;
}

/** How long a browser keeps an answer: its lifetime in ms; undefined if it is not told. */
function lifetimeMs(fields: Fields, at: number): number | undefined {
  const maxAge = parseCacheControl(fields["cache-control"] ?? null)?.get("max-age");
  if (maxAge !== undefined) return parseSeconds(maxAge)! * 1_000;
  const { expires, date = "" } = fields;
  if (expires === undefined) return undefined;
  return (parseDate(expires, at) ?? 0) - (parseDate(date, at) ?? at);
}

/** How old an answer with these fields is on arrival, in ms: RFC 9111 §4.2.3 without any delay. */
function ageMs({ age = "0", date = "" }: Fields, at: number): number {
  return Math.max(0, at - (parseDate(date, at) ?? at), parseSeconds(age)! * 1_000);
}

/** Makes answers of all kinds, on a clock that mostly goes forward. */
class Origin {
  readonly #random: () => number;
  readonly #clock: Clock;
  /** All that it has said, by the `x-said` of the answer. */
  readonly said = new Map<string, Said>();
  #etag = '"0"';

  constructor(random: () => number, clock: Clock) {
    this.#random = random;
    this.#clock = clock;
  }

  /** Gives one of these. */
  any<T>(...values: readonly T[]): T {
    return values[Math.floor(this.#random() * values.length)]!;
  }

  answer(): Response {
    if (this.any(true, false)) this.#etag = this.any('"1"', '"2"', 'W/"1"', "");
    const fields = { ...this.#fields(), ...(this.#etag === "" ? {} : { etag: this.#etag }) };
    this.said.set(fields["x-said"], { fields, at: this.#clock.ms });
    return new Response("good", { headers: fields });
  }

  /** Confirms what was said last under this name: what it does not repeat still holds. */
  confirm(name: string): Response {
    const { date: _, age: __, ...before } = this.said.get(name)!.fields;
    const fields = this.#fields();
    this.said.set(fields["x-said"], { fields: { ...before, ...fields }, at: this.#clock.ms });
    return new Response(null, { status: 304, headers: fields });
  }

  #fields(): Fields & { readonly "x-said": string } {
    const at = this.#clock.ms;
    const dateMs = this.any(undefined, at, at, at - 20_000, at + 20_000);
    const expiresMs = this.any(undefined, undefined, at - 1_000, at + 5_000, at + 60_000);
    const fields = {
      "cache-control": this.any(undefined, undefined, "public", "max-age=5", "max-age=60"),
      age: this.any(undefined, undefined, "3", "30"),
      date: dateMs && new Date(dateMs).toUTCString(),
      expires: expiresMs && new Date(expiresMs).toUTCString(),
      "x-said": String(this.said.size),
    };
    const there = Object.entries(fields).filter(([, value]) => value !== undefined);
    return Object.fromEntries(there) as Fields & { readonly "x-said": string };
  }

  /** Lets some time pass; now and then the clock steps back. */
  wait(): void {
    this.#clock.tick(this.any(0, 1, 400, 999, 1_000, 1_001, 4_321, 30_000, -700, -10_000));
  }
}

/** Compares an answer from memory with what its origin has said. */
function check({ headers }: Response, said: Said, now: number): void {
  const served: Fields = Object.fromEntries(headers);
  const made = new Date(said.at).toUTCString();
  const own: Fields = { date: made, ...said.fields };
  for (const name of RECKONED) assertEquals(served[name], own[name], name);

  // A clock that steps back makes nothing younger than it came.
  const keptMs = Math.max(0, now - said.at);
  const ownAgeMs = ageMs(said.fields, said.at) + keptMs;
  const secs = Math.floor(ownAgeMs / 1_000);
  assert(Number(served["age"]) >= secs, `Age ${served["age"]} of ${secs}`);
  const lifetime = lifetimeMs(served, now);
  assertEquals(lifetime, lifetimeMs(own, said.at));
  if (lifetime !== undefined) assert(lifetime - ageMs(served, now) <= lifetime - secs * 1_000);
}

for (let seed = 0; seed < 20; seed++) {
  Deno.test(`H10, H2: no answer from memory lives longer downstream, sequence ${seed}`, async () => {
    const random = seeded(seed);
    const site = new Site({ delayMs: 1, waitUntil: () => {} });
    const origin = new Origin(random, site.clock);
    let served = 0;

    for (let step = 0; step < 150; step++) {
      origin.wait();
      site.answer = () => origin.answer();
      const kept = await lookAt(site);
      if (kept !== undefined) {
        served++;
        check(kept, origin.said.get(kept.headers.get("x-said")!)!, site.clock.ms);
        if (origin.any(true, false, false)) {
          await confirmed(site, origin, kept.headers.get("x-said")!);
          continue;
        }
      }
      if (origin.any(true, true, false)) await site.read();
    }

    assert(served > 50);
  });
}

/** Returns what is served while the upstream fails; undefined if nothing is. */
async function lookAt(site: Site): Promise<Response | undefined> {
  const { answer } = site;
  site.fail();
  const response = await site.get();
  await response.text();
  site.answer = answer;
  return response.status === 200 ? response : undefined;
}

/** Lets a probe in the background of an answer ask whether the copy is still good. */
async function confirmed(site: Site, origin: Origin, name: string): Promise<void> {
  site.api.circuit(ORIGIN).trip();
  site.clock.tick(1);
  site.answer = ({ headers }) =>
    headers.has("if-none-match") ? origin.confirm(name) : origin.answer();
  await site.read();
  await site.api.idle();
}

/** A handler that passes on what `fetch` of the same breaker gives it, a while after that was good. */
async function passingOn(secs: number, freshMs: number) {
  const site = new Site({ lastGood: { maxStaleMs: 100_000, freshMs } });
  const handler = site.api.wrap(async (request: Request) => {
    const { body, status, headers } = await site.api.fetch(request.url);
    return new Response(body, { status, headers });
  });
  const ask = () => handler(new Request(ORIGIN));
  await (await ask()).text();
  site.fail();
  site.clock.tick(secs * 1_000);
  await (await ask()).text();
  return { site, ask };
}

Deno.test("H10, F3: a handler that passes on what was served from memory makes it no younger", async () => {
  const { site, ask } = await passingOn(90, 0);

  assertEquals(await (await ask()).text(), "good");
  site.clock.tick(20_000);

  assertEquals((await ask()).status, 503);
});

Deno.test("H10: what a breaker within the handler serves in an outage is not fresh for freshMs", async () => {
  const { site, ask } = await passingOn(90, 50_000);
  const { length } = site.asked;

  const response = await ask();

  assertEquals([await response.text(), response.headers.get("age")], ["good", "90"]);
  assertEquals(site.asked.length, length + 1);
});
