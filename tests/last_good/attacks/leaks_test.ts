/** Whatever becomes of answers and their readers, maxBytes holds, and nothing stays reserved (N3). */

import { assert, assertEquals } from "@std/assert";
import { type Faucet, faucet, spring } from "../../stage/bodies.ts";
import { seeded } from "../../stage/random.ts";
import { settled } from "../../stage/settle.ts";
import { PAGE, Site } from "../../stage/site.ts";
import { page } from "../../stage/upstream.ts";
import type { Way } from "../../stage/ways.ts";

const MAX_BYTES = 60_000;
const STEPS = 400;

/** What the origin may answer, and what its readers may do with it, drawn by lot. */
class Crowd {
  readonly site: Site;
  readonly #next: () => number;
  readonly #held: Response[] = [];
  readonly #flows: Faucet[] = [];

  constructor(way: Way, seed: number) {
    this.#next = seeded(seed);
    this.site = new Site({
      onEvent: () => {},
      waitUntil: () => {},
      lastGood: {
        maxBytes: MAX_BYTES,
        maxBodyBytes: 20_000,
        maxBodyMs: Infinity,
        refreshMs: this.#pick([0, 1_000]),
        ignore: ["set-cookie"],
        keep: () => this.#next() < 0.9,
      },
    }, way);
    this.site.answer = () => this.#answer();
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#next() * list.length)]!;
  }

  #answer(): Response {
    const size = this.#pick([1, 500, 4_000]);
    const flow = faucet();
    return this.#pick<() => Response>([
      page(this.#fields(), "x".repeat(size)),
      page(this.#fields(), "x".repeat(size)),
      page(this.#fields(), spring(this.#pick([1, 3, 9]), size).body),
      page(this.#fields(), spring(this.#pick([1, 3, 9]), size).body),
      page({ "content-length": "9999" }, spring(2, size).body),
      page({}, null, this.#pick([204, 404, 410])),
      page({}, "down", 503),
      () => {
        this.#flows.push(flow);
        flow.drip("x".repeat(size));
        return new Response(flow.body, { headers: this.#fields() });
      },
    ])();
  }

  #fields(): Record<string, string> {
    return this.#pick<Record<string, string>>([
      {},
      {},
      { etag: '"1"' },
      { vary: "x-a" },
      { "cache-control": "no-store" },
      { "set-cookie": "a=b" },
    ]);
  }

  async step(): Promise<void> {
    const { api, clock } = this.site;
    const what = this.#next();
    if (what < 0.02) api.forget(this.#url());
    else if (what < 0.03) api.forget();
    else if (what < 0.06) clock.tick(2_000);
    else if (what < 0.15) this.#flow();
    else if (what < 0.2) this.#held.shift()?.body?.cancel().catch(() => {});
    else await this.#ask();
    await settled(20);
  }

  #url(): string {
    return `${PAGE}/${this.#pick([1, 2, 3, 4, 5])}`;
  }

  #flow(): void {
    const flow = this.#pick(this.#flows);
    try {
      const what = this.#next();
      if (what < 0.6) flow?.drip("x".repeat(2_000));
      else if (what < 0.8) flow?.close();
      else flow?.fail(new TypeError("reset"));
    } catch {
      // It had ended before.
    }
  }

  async #ask(): Promise<void> {
    const controller = new AbortController();
    const headers = { "x-a": this.#pick(["a", "b", "c"]) };
    const method = this.#next() < 0.05 ? this.#pick(["POST", "HEAD"]) : "GET";
    const call = this.site.get({ method, headers, signal: controller.signal }, this.#url());
    if (this.#next() < 0.05) controller.abort();
    const response = await call.catch(() => undefined);
    if (response !== undefined) await this.#read(response, controller);
  }

  async #read(response: Response, controller: AbortController): Promise<void> {
    const what = this.#next();
    if (what < 0.25) this.#held.push(response);
    else if (what < 0.35) response.body?.cancel().catch(() => {});
    else if (what < 0.45) {
      const reader = response.body?.getReader();
      await Promise.race([reader?.read().catch(() => {}), settled()]);
      reader?.cancel().catch(() => {});
    } else if (what < 0.55) {
      this.#held.push(response.clone());
      this.#held.push(response);
    } else if (what < 0.65) {
      const text = response.text().catch(() => {});
      controller.abort();
      await Promise.race([text, settled()]);
    } else await Promise.race([response.text().catch(() => {}), settled(1_000)]);
  }

  /** Ends everything that is still under way. */
  async end(): Promise<void> {
    for (const flow of this.#flows) {
      try {
        flow.close();
      } catch {
        // It had ended before.
      }
    }
    for (const response of this.#held) response.body?.cancel().catch(() => {});
    for (let turn = 0; turn < 20; turn++) await settled(500);
  }
}

for (const way of ["fetch", "wrap", "hono"] as const) {
  Deno.test(`N3: ${way}: after ${STEPS} answers and readers of all kinds, no byte stays reserved`, async () => {
    for (const seed of [1, 2]) {
      const crowd = new Crowd(way, seed);
      const { api } = crowd.site;
      for (let n = 0; n < STEPS; n++) {
        await crowd.step();

        assert(api.kept.bytes <= MAX_BYTES, `${api.kept.bytes} after ${n} steps`);
      }
      await crowd.end();
      api.forget();

      assertEquals([seed, api.kept.entries, api.kept.bytes], [seed, 0, 0]);
    }
  });

  Deno.test(`N3: ${way}: 200 stalled readers of a kept page take no more than maxBytes`, async () => {
    const size = 300_000;
    const site = new Site({ lastGood: { maxBytes: 1_000_000 } }, way);
    site.answer = page({}, "x".repeat(size));
    await site.read();
    site.fail();

    const stalled = [];
    for (let n = 0; n < 200; n++) {
      const reader = (await site.get()).body!.getReader();
      await reader.read();
      stalled.push(reader);
    }
    assert(site.api.kept.bytes <= 1_000_000, `${site.api.kept.bytes} bytes`);
    const another = await site.get();

    assertEquals((await another.text()).length, size);
    for (const reader of stalled) await reader.cancel();
    site.api.forget();
    assertEquals(site.api.kept, { entries: 0, bytes: 0 });
  });
}
