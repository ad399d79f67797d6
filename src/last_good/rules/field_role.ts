/**
 * What a request field may do to the answer, judging by its name:
 *
 * - `routing`: origins choose a page or build links by it, although no cache has it in its key (K3);
 * - `host`: the host that the request is for (K3);
 * - `identity`: it says who asks (S8b);
 * - `certificate`: it says who asks if its value names a certificate (S8b);
 * - `plain`: none of these.
 */
export type FieldRole = "routing" | "host" | "identity" | "certificate" | "plain";

/** The roles of names that came lately. Clients choose names, so their number is bounded. */
const roles = new Map<string, FieldRole>();
const MAX_NAMES = 512;
/** No field that anybody reads has a longer name; in doubt such a one says who asks. */
const MAX_NAME_LENGTH = 128;

/** Returns the role of a field. Only its name counts, so each name is looked into once. */
export function fieldRole(name: string): FieldRole {
  const known = roles.get(name);
  if (known !== undefined) return known;
  if (name.length > MAX_NAME_LENGTH) return "identity";
  // Python and CGI take `X_Forwarded_Host` for `X-Forwarded-Host`.
  const role = roleOf(name.toLowerCase().replace(/[^a-z0-9]/g, "-"));
  if (roles.size >= MAX_NAMES) roles.clear();
  roles.set(name, role);
  return role;
}

/** @param name In lower case, all separators "-". */
function roleOf(name: string): FieldRole {
  // Rules of their own are about these two (S8, S9).
  if (name === "authorization" || name === "cookie") return "plain";
  if (name === "host") return "host";
  if (CERTIFICATE.test(name)) return "certificate";
  if (saysWhoAsks(name)) return "identity";
  return ROUTING.test(name) && !OF_THE_CLIENT.test(name) ? "routing" : "plain";
}

function saysWhoAsks(name: string): boolean {
  if (HARMLESS.test(name)) return false;
  return IDENTITY_PARTS.test(name) || IDENTITY_WORDS.test(name) ||
    (name.endsWith("-id") && !OF_THE_REQUEST.test(name));
}

/** These say who asks wherever they stand in a name: also `xapikey`, `authtoken`, `userid`. */
const IDENTITY_PARTS = /* @__PURE__ */ new RegExp(
  "auth(?!or(?!i[sz]))|token|secret|session|passw|passphrase|credential|signature|hmac|nonce|" +
    "jwt|dpop|oidc|openid|unionid|eppn|saml|bearer|assertion|claim|csrf|xsrf|cookie|cert|" +
    "appcheck|sessid|" +
    "user(?!-?agent)|login|logon|email|msisdn|displayname|nickname|vouch|impersonat|" +
    "tenant|identity|principal|account|customer|consumer|subscri|organi[sz]ation|workspace|" +
    "permission|privilege|(?:ssl|tls)-client|keys?(?:-|$)|" +
    "(?:client|device|visitor|member|company|org|app|team|shop|store|merchant|project|player|" +
    "person|profile|guest|owner|employee|patient|student|group|role|site)id(?:-|$)",
);

/** These say who asks as whole words. */
const IDENTITY_WORDS = /* @__PURE__ */ new RegExp(
  "(?:^|-)(?:sid|uid|uidh|upn|dn|pin|otp|totp|mfa|2fa|sso|pass|pwd|creds?|acct|sign?|wsse|ticket|passport|grant|" +
    "roles?|scopes?|groups?|orgs?|team|company|project|realm|subject|sub|admin|sudo|bypass|" +
    "behalf|mail|phone|imsi|imei|acr|wallet|licen[cs]e|member|persona|merchant|partner|owner|" +
    "employee|staff|patient|student|(?:act|acting|run)-as|" +
    "actor|affiliation|entitlements?|" +
    "(?:remote|display|full|first|last|given|family|preferred)-name)(?:-|$)|" +
    "^fiware-service|^x-vault-namespace$|^tailscale-app-capabilities$|" +
    "^x-amz-(?:date|content-sha256)$",
);

/**
 * These contain such words but do not say who asks: what browsers send, keys of caches and of repeated
 * requests, the client's address, and what a platform adds to every request.
 */
const HARMLESS = /* @__PURE__ */ new RegExp(
  "^(?:sec|accept)-|(?:idempoten(?:cy|t)|surrogate|cache)-?keys?$|" +
    "-(?:ip(?:v[46])?|addr)$|^cf-cert-|^exposed-credential-check$|^x-appengine-api-ticket$|" +
    "^x-nf-account-|" +
    "^x-vercel-(?:oidc-token$|sc-|internal-)|^x-(?:vercel|cf)-proxy-signature(?:-ts)?$",
);

/** Ids of a request, of the machines it passes, of what runs there, and the platforms' own. */
const OF_THE_REQUEST = /* @__PURE__ */ new RegExp(
  "(?:^|-)(?:req(?:uest)?|root|correlation|trac(?:e|k?ing)|span|parent|transaction|txn|message|msg|" +
    "event|operation|invocation|execution|activity|call|job|task|run|batch|attempt|unique|opaque|" +
    "ref|debug|dictionary|deploy(?:ment)?|build|release|version|revision|ray|log|hop|edge|pop|" +
    "region|zone|datacenter|cluster|pod|node|server|backend|instance|machine|worker|process|" +
    "metadata|rndr|now|newrelic)-id$|-cf-id$|^cf-(?!access-)(?:.*-)?id$|" +
    "^(?:x-(?:amzn|nf|vercel|azure|arr|envoy|istio|appengine|akamai|railway|k8se|cf)|" +
    "fly|fastly|akamai|render)-(?:.*-)?id$",
);

/** What proxies that ask for certificates add: for clients without one, too. */
const CERTIFICATE = /^(?:x-client-cert|(?:x-)?ssl-client)-/;

/** Names of what origins route and link by, and by which frameworks ask for a part of a page. */
const ROUTING = /* @__PURE__ */ new RegExp(
  "^forwarded$|^x-forwarded|(?:^|-)forwarded-|-override$|" +
    "^x-(?:original|rewrite|http|middleware|invoke|nextjs|inertia|pjax)(?:-|$)|" +
    "^next-|^rsc$|^hx-|^turbo-frame$|^x-now-route-matches$|-script-name$|^x-(?:.*-)?method$|" +
    "(?:^|-)(?:host(?:name)?|authority|ur[il]|scheme|proto(?:col)?|(?:base)?path|prefix|https)$",
);

/** What is named like that and differs from client to client: each would have its own copy. */
const OF_THE_CLIENT = /* @__PURE__ */ new RegExp(
  "-for$|-(?:ip(?:v[46])?|addr|address|user-agent|tls-?version|(?:request|trace)-id)$|" +
    "(?:client|remote|source)-(?:host(?:name)?|port|proto(?:col)?)$|" +
    "(?:current|referr?er)-(?:ur[il]|path)$|^sec-|^x-vercel-sc-|^hx-prompt$",
);
