import { assertEquals } from "@std/assert";
import { fetchHead } from "../../src/last_good/request_head.ts";

const PAGE = "https://origin.test/page";

/** A request with this `cache` member, as runtimes show it that know the option. */
function requestWith(cache: PropertyDescriptor): Request {
  return Object.defineProperty(new Request(PAGE), "cache", cache);
}

/** The arguments of a call, and the cache mode that they ask for. */
const MODES: Readonly<
  Record<string, readonly [Parameters<typeof fetchHead>[0], object | undefined, string | undefined]>
> = {
  "a URL": [PAGE, undefined, undefined],
  "init": [PAGE, { cache: "no-store" }, "no-store"],
  "init, with the default": [PAGE, { cache: "default" }, undefined],
  "init, with nonsense": [PAGE, { cache: 1 }, undefined],
  "a Request": [requestWith({ value: "reload" }), undefined, "reload"],
  "a Request, with the default": [requestWith({ value: "default" }), undefined, undefined],
  "a Request, and init that says nothing": [requestWith({ value: "no-cache" }), {}, "no-cache"],
  "a Request, and init": [requestWith({ value: "no-cache" }), { cache: "default" }, undefined],
  "what is like a Request": [
    { url: PAGE, headers: new Headers(), cache: "no-store" } as Request,
    undefined,
    "no-store",
  ],
  "a Request that refuses to show it": [
    requestWith({
      get() {
        throw new TypeError("not implemented");
      },
    }),
    undefined,
    undefined,
  ],
};

for (const [what, [input, init, mode]] of Object.entries(MODES)) {
  Deno.test(`S3, F4: the cache mode of ${what} is ${mode ?? "none"}`, () => {
    assertEquals(fetchHead(input, init).cacheMode, mode);
  });
}
