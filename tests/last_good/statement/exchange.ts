/**
 * A request and its answer, as the second statement of the rules sees them. Nothing in this folder
 * shares code with `src/`: whoever misreads a rule should have to do it twice.
 */

/** Fields by name, in lower case. */
export type FieldsByName = Readonly<Record<string, string>>;

/** Where a request enters the breaker; each has a memory of its own (K5). */
export const PLACES = ["fetch", "wrap 1", "wrap 2", "respond a", "respond b", "hono"] as const;
export type PlaceName = typeof PLACES[number];

/** A request. */
export interface Asking {
  readonly place: PlaceName;
  readonly path: string;
  readonly method: string;
  readonly fields: FieldsByName;
  /** The member `cache` of init; only for `fetch`. */
  readonly cache?: "no-store" | "reload" | "no-cache" | undefined;
  /** What `fetch` is told besides: the name of an entry of {@link TOLD} (K6). */
  readonly told?: string | undefined;
}

/** What the origin would answer. */
export interface Answering {
  readonly status: number;
  /** The directives of Cache-Control, in order; none for no such field. */
  readonly words: readonly string[];
  /** All other fields. */
  readonly fields: FieldsByName;
  readonly body: string;
}

/** What the app's owner has decided. */
export interface Owner {
  readonly ignore: readonly string[];
  /** True if the field `x-shard` names the partition. */
  readonly hasPartitions: boolean;
  readonly freshMs: number;
}

/** Members of init that change the answer without being fields (K6). */
export const TOLD: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "cf a": { cf: { image: { width: 1 } } },
  "cf b": { cf: { image: { width: 2 } } },
  "dispatcher a": { dispatcher: { id: "a" } },
  "dispatcher b": { dispatcher: { id: "b" } },
  "unix": { unix: "/a.sock" },
};

/** Fields that origins reflect: they belong to the key (K3). */
export const REFLECTED: readonly string[] = [
  "forwarded",
  "x-forwarded-host",
  "x_forwarded_host",
  "x-forwarded-port",
  "x-forwarded-prefix",
  "x-forwarded-proto",
  "x-original-url",
  "x-rewrite-url",
  "x-http-method-override",
  "x-http-host-override",
  "x-method-override",
  "x-host",
  "x-real-host",
  "x-backend-host",
  "x-proxy-url",
  "x-url-scheme",
  "front-end-https",
  "x-middleware-rewrite",
  "x-invoke-path",
  "x-nextjs-data",
  "rsc",
  "next-router-state-tree",
];

/** Fields other than Authorization and Cookie that say who asks (S8b). */
export const IDENTITY: readonly string[] = [
  "proxy-authorization",
  "x-api-key",
  "x-auth-token",
  "cf-access-jwt-assertion",
  "tailscale-user-login",
  "x-amzn-oidc-identity",
  "x-goog-iap-jwt-assertion",
  "x-ms-client-principal",
  "x-tenant-id",
  "x-customer-id",
  "x-session-id",
  "dpop",
];

/** Fields that platforms and browsers add to everybody's requests: they decide nothing. */
export const HARMLESS: readonly string[] = [
  "cf-cert-presented",
  "exposed-credential-check",
  "x-vercel-oidc-token",
  "x-vercel-proxy-signature",
  "x-nf-account-id",
  "x-forwarded-for",
  "x-original-forwarded-for",
  "x-real-ip",
  "true-client-ip",
  "cf-connecting-ip",
  "idempotency-key",
  "sec-fetch-user",
];

/** An answer to a request that differs in one of these is about a different kind of request (S17). */
const KIND: readonly string[] = [
  ...REFLECTED,
  ...IDENTITY,
  "authorization",
  "cookie",
  "user-agent",
  "accept",
  "accept-language",
];

/** The fields of a request among these names, in a form that can be compared. */
function selected({ fields }: Asking, names: readonly string[]): string {
  return JSON.stringify(names.map((name) => fields[name] ?? null));
}

/** What two requests share if they may share a copy, but for what its Vary names: K1, K3, K4, K6. */
export function keyOf(asking: Asking, owner: Owner): string {
  const { path, told = "" } = asking;
  return JSON.stringify([path, selected(asking, REFLECTED), told, partitionOf(asking, owner)]);
}

/** To whom the answer belongs; undefined for no one in particular (K4). */
export function partitionOf({ fields }: Asking, { hasPartitions }: Owner): string | undefined {
  return hasPartitions ? fields["x-shard"] : undefined;
}

/** The kind of a request (S17). */
export function kindOf(asking: Asking): string {
  return selected(asking, KIND);
}

/** The names that an answer varies on, sorted; "*" among them if it never matches (S10, K2). */
export function variesOn({ fields }: Answering): string[] {
  const named = (fields["vary"] ?? "").toLowerCase().split(",").map((name) => name.trim());
  const origin = fields["access-control-allow-origin"] ?? "*";
  const names = origin === "*" ? named : [...named, "origin"];
  return [...new Set(names.filter((name) => name !== ""))].sort();
}

/** Reports whether an answer has a directive, in this very spelling. */
export function says({ words }: Answering, ...wanted: readonly string[]): boolean {
  return wanted.some((word) => words.includes(word));
}

/** The argument of a directive in seconds; undefined if it is absent. */
export function seconds(words: readonly string[], name: string): number | undefined {
  const word = words.find((word) => word.startsWith(`${name}=`));
  return word === undefined ? undefined : Number(word.slice(name.length + 1));
}
