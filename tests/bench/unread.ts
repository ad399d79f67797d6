/** Answers that an app gets and never reads. */
import { breaker } from "../../mod.ts";
import { pause, settledRss } from "./rounds.ts";

const MIB = 1_048_576;
const ANSWERS = 300;
const BYTES = 900_000;
/** More than the time for which a URL is not kept again. */
const STEP_MS = 2_000;

/** Gets as many answers, and returns by how many MB the process has grown. */
export async function unreadMb(upstream: string, isKeeping: boolean): Promise<number> {
  let now = Date.now();
  let ended = 0;
  const api = breaker({
    threshold: 1e9,
    now: () => now,
    lastGood: { maxBytes: 4 * MIB },
    onEvent: ({ type }) => {
      if (type === "kept" || type === "not_kept") ended++;
    },
  });
  const get = isKeeping ? api.fetch : fetch;
  const url = `${upstream}/${BYTES}`;
  // What the engine allocates once and for all does not count: compiled code above all.
  for (let n = 0; n < 50; n++) await (await get(url)).arrayBuffer();
  await api.idle();
  api.forget();
  ended = 0;
  const before = await settledRss();
  const unread: Response[] = [];
  for (let n = 1; n <= ANSWERS; n++) {
    now += STEP_MS;
    unread.push(await get(url));
    while (isKeeping && ended < n) await pause(1);
  }
  const grown = (await settledRss() - before) / MIB;
  unread.length = 0;
  return grown;
}
