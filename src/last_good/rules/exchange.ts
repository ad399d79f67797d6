import {
  type Directives,
  FieldMap,
  type Fields,
  parseCacheControl,
  parseVary,
} from "../../http/fields.ts";
import type { RequestHead } from "../request_head.ts";

/** An obstacle to keeping that the option `ignore` can lift. */
export type Obstacle =
  | "no-store"
  | "no-cache"
  | "private"
  | "must-revalidate"
  | "set-cookie"
  | "cookie"
  | "authorization";

/** All members of {@link Obstacle}. */
export const OBSTACLES: readonly Obstacle[] = [
  "no-store",
  "no-cache",
  "private",
  "must-revalidate",
  "set-cookie",
  "cookie",
  "authorization",
];

/** The decisions of the app's owner about keeping. */
export interface KeepingPolicy {
  readonly statuses: ReadonlySet<number>;
  readonly ignore: ReadonlySet<string>;
}

/** A request and the head of its response, as the rules read them. */
export interface Exchange {
  readonly request: RequestHead;
  readonly response: Response;
  /** The fields of the response. */
  readonly fields: FieldMap;
  /** True if the response is kept for its owner alone. */
  readonly partitioned: boolean;
  readonly policy: KeepingPolicy;
  /** The request's Cache-Control; undefined if it is malformed. */
  readonly requestDirectives: Directives | undefined;
  /** The response's Cache-Control; undefined if it is malformed. */
  readonly responseDirectives: Directives | undefined;
  /** The names of the fields that the response varies on; undefined if Vary is `*` or malformed. */
  readonly vary: readonly string[] | undefined;
}

/**
 * Reads the fields of an exchange, once for all rules.
 *
 * @param fields The fields of the response: its own, unless it has others besides.
 */
export function exchange(
  request: RequestHead,
  response: Response,
  partitioned: boolean,
  policy: KeepingPolicy,
  fields: FieldMap = new FieldMap(response.headers),
): Exchange {
  return {
    request,
    response,
    fields,
    partitioned,
    policy,
    requestDirectives: parseCacheControl(request.headers.get("cache-control")),
    responseDirectives: parseCacheControl(fields.get("cache-control")),
    vary: varyOf(fields),
  };
}

/** What is allowed to one origin was made for it, even if Vary does not say so (S10). */
function varyOf(fields: Fields): readonly string[] | undefined {
  const names = parseVary(fields.get("vary"));
  const allowed = fields.get("access-control-allow-origin");
  if (names === undefined || allowed === null || allowed === "*") return names;
  return names.includes("origin") ? names : [...names, "origin"].sort();
}
