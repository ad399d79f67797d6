import type { CacheKey, Variant } from "../../src/last_good/cache_key.ts";
import type { StoredResponse } from "../../src/last_good/stored_response.ts";

/** Makes a key from the given parts. */
export function keyOf(primary: string, added = "", place = "fetch", owner = ""): CacheKey {
  return { primary, place, added, owner };
}

/** Makes a stored response for which only order, size and variant matter. */
export function stored(order: number, size = 1, variant: Variant = []): StoredResponse {
  return {
    body: new Uint8Array(0),
    variant,
    copiedAt: 0,
    head: {
      status: 200,
      statusText: "",
      type: "default",
      url: "",
      fields: {},
      order,
      receivedAt: 0,
      initialAgeMs: 0,
      freshness: {
        lifetimeMs: undefined,
        onlyWhileFresh: false,
        staleIfErrorMs: undefined,
        isPublic: false,
        isReplayed: false,
      },
      etag: undefined,
    },
    size,
    kind: 0,
  };
}
