import { type Directives, FieldMap, parseCacheControl, parseVary } from "../../http/fields.ts";
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
  /** The names in the response's Vary; undefined if it is `*` or malformed. */
  readonly vary: readonly string[] | undefined;
}

/** Reads the fields of an exchange, once for all rules. */
export function exchange(
  request: RequestHead,
  response: Response,
  partitioned: boolean,
  policy: KeepingPolicy,
): Exchange {
  const fields = new FieldMap(response.headers);
  return {
    request,
    response,
    fields,
    partitioned,
    policy,
    requestDirectives: parseCacheControl(request.headers.get("cache-control")),
    responseDirectives: parseCacheControl(fields.get("cache-control")),
    vary: parseVary(fields.get("vary")),
  };
}
