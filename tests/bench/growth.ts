/** Measures in one process by how much calls take longer among 100,000 pages or circuits than alone. */
import { breaker } from "../../mod.ts";
import { type Effort, interleaved, nsPerCall, type Sample, type Samples } from "./rounds.ts";

const MANY = 100_000;
const CALLS = 1_000;
const NEVER_MS = 3_600_000;
const HOT = 100;

/** Makes a call that goes round so many keys in turn. */
type Subject = (keys: number) => Promise<() => unknown>;

/** Line 6: growth. */
export async function growth(effort: Effort): Promise<Samples> {
  return {
    ...await grown("kept URLs", { "Map.get": mapOfUrls, "api.fetch": ofKept }, effort),
    ...await grown("circuits", { "Map.get": mapOfNames, "circuit.run": ofCircuits }, effort),
    [`hot pages of ${HOT} kept, after ${MANY.toLocaleString("en")} one-time URLs`]:
      await interleaved({ "api.fetch": hotPages }, 1, (count) => count()),
  };
}

/** Measures each subject with one key and with many, and the difference in us. */
async function grown(
  what: string,
  subjects: Readonly<Record<string, Subject>>,
  effort: Effort,
): Promise<Samples> {
  const calls: Record<string, () => unknown> = {};
  const few = (name: string) => `${name}, 1`;
  const many = (name: string) => `${name}, ${MANY.toLocaleString("en")}`;
  for (const [name, subject] of Object.entries(subjects)) {
    calls[few(name)] = await subject(1);
    calls[many(name)] = await subject(MANY);
  }
  // As many calls of each, or a map alone would have its keys in the processor's cache.
  const ns = await nsPerCall(calls, { ...effort, calls: CALLS });
  const us: Sample = {};
  for (const name of Object.keys(subjects)) {
    us[name] = ns[many(name)]!.map((value, round) => (value - ns[few(name)]![round]!) / 1_000);
  }
  return { [`ns per call, by ${what}`]: ns, [`us of growth, by ${what}`]: us };
}

// Every call makes its key anew, as the URLs of requests are: no engine has hashed it before.
const url = (index: number) => `http://a.example/${index}`;
const upstream = (index: number) => `http://${index}.example`;

const mapOfUrls: Subject = (keys) => Promise.resolve(fromMap(url, keys));
const mapOfNames: Subject = (keys) => Promise.resolve(fromMap(upstream, keys));

function fromMap(key: (index: number) => string, keys: number): () => unknown {
  const map = new Map(Array.from({ length: keys }, (_, index) => [key(index), { index }]));
  let next = 0;
  return () => map.get(key(next++ % keys));
}

/** Answers from memory, while the circuit is open. */
async function ofKept(keys: number): Promise<() => unknown> {
  const api = breaker({
    delayMs: NEVER_MS,
    fetch: () => Promise.resolve(new Response("fine")),
    lastGood: { maxEntries: MANY, maxBytes: 1e9 },
  });
  for (let index = 0; index < keys; index++) await (await api.fetch(url(index))).text();
  await api.idle();
  api.circuit("http://a.example").trip();
  let next = 0;
  return () => api.fetch(url(next++ % keys));
}

/** Calls through circuits that a breaker finds by name. */
function ofCircuits(keys: number): Promise<() => unknown> {
  const api = breaker({ maxCircuits: MANY, lastGood: false, timeoutMs: Infinity });
  for (let index = 0; index < keys; index++) api.circuit(upstream(index));
  let next = 0;
  return Promise.resolve(() => api.circuit(upstream(next++ % keys)).run(RESPONDS));
}

const RESPONSE = new Response(null);
const RESPONDS = () => Promise.resolve(RESPONSE);

/** Counts the pages asked for twice that are still kept after a scan of pages asked for once. */
async function hotPages(): Promise<number> {
  let now = 1_000_000;
  const api = breaker({
    timeoutMs: Infinity,
    now: () => now,
    fetch: () => Promise.resolve(new Response("fine")),
  });
  const read = async (page: string) => await (await api.fetch(`http://a.example/${page}`)).text();
  for (let turn = 0; turn < 2; turn++) {
    for (let page = 0; page < HOT; page++) await read(`hot/${page}`);
    now += 2_000;
  }
  for (let page = 0; page < MANY; page++) await read(`${page}`);
  api.circuit("http://a.example").trip();
  let kept = 0;
  for (let page = 0; page < HOT; page++) {
    if (await read(`hot/${page}`).catch(() => "") === "fine") kept++;
  }
  return kept;
}
