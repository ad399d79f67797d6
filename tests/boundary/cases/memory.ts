/** What is held for readers who are slow, or never come. */
import { assert, assertEquals } from "std/assert";
import { boundary, until } from "./stage/case.ts";
import { head, RawOrigin } from "./stage/origin.ts";
import { watched } from "./stage/watched.ts";

const MAX_BYTES = 4 * 1_048_576;
const PAGE = new Uint8Array(900_000).fill(200);

boundary(
  "N3: unread answers never hold more than maxBytes, and each is whole when it is read",
  async () => {
    using origin = await RawOrigin.start(() => [head(`content-length: ${PAGE.length}`), PAGE]);
    let now = Date.now();
    const { api, events } = watched({ now: () => now, lastGood: { maxBytes: MAX_BYTES } });
    const unread: Response[] = [];
    let most = 0;
    const ended = () => events.filter(({ type }) => type === "kept" || type === "not_kept").length;
    for (let n = 1; n <= 20; n++) {
      now += 2_000;
      unread.push(await api.fetch(origin.url));
      await until(() => ended() === n, `${n} answers were copied or not`);
      most = Math.max(most, api.kept.bytes);
    }

    const sizes = new Set<number>();
    for (const response of unread) sizes.add((await response.arrayBuffer()).byteLength);

    assert(most <= MAX_BYTES, `${most} bytes are held`);
    assertEquals([...sizes], [PAGE.length]);
    assertEquals(api.kept.entries, 1);
    assert(api.kept.bytes < PAGE.length + 5_000, "once they are read, only what is kept counts");
  },
);
