import { assert, assertEquals } from "@std/assert";
import { FieldMap } from "../../../src/http/fields.ts";
import { fieldRole } from "../../../src/last_good/rules/field_role.ts";
import { identityFields, reflectedFields } from "../../../src/last_good/rules/field_names.ts";
import { fieldsLike } from "../../stage/fields.ts";
import { seeded } from "../../stage/random.ts";
import { Site } from "../../stage/site.ts";
import type { Way } from "../../stage/ways.ts";

const WAYS: readonly Way[] = ["fetch", "wrap", "hono"];

/**
 * Fields that say who asks, beside those of platforms_test.ts, from the documentation of:
 *
 * - RFC 9110 §11.7.2, RFC 9449, RFC 9421, RFC 9440, https://www.iana.org/assignments/http-fields
 * - https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonRequestHeaders.html
 * - https://docs.gitlab.com/api/rest/authentication/, https://shopify.dev/docs/api/admin-rest
 * - https://developer.wordpress.org/rest-api/using-the-rest-api/authentication/
 * - https://docs.stripe.com/api, https://docs.github.com/webhooks
 * - https://hasura.io/docs/2.0/auth/authentication/, https://supabase.com/docs/guides/api
 * - https://docs.parseplatform.org/rest/guide/, https://www.algolia.com/doc/rest-api/search
 * - https://developer.hashicorp.com/vault/api-docs, https://developer.hashicorp.com/consul/api-docs
 * - https://grafana.com/docs/loki/latest/operations/multi-tenancy/
 * - https://grafana.com/docs/grafana/latest/setup-grafana/configure-security/configure-authentication/
 * - https://platform.openai.com/docs/api-reference, https://docs.anthropic.com/en/api
 * - https://docs.rapidapi.com, https://dev.twitch.tv/docs/api, https://docs.datadoghq.com/api
 * - https://laravel.com/docs/csrf, https://angular.dev/best-practices/security
 * - https://docs.djangoproject.com/en/stable/howto/csrf/, https://guides.rubyonrails.org/security.html
 * - https://firebase.google.com/docs/app-check, https://core.telegram.org/bots/api
 * - https://github.com/vouch/vouch-proxy, https://www.keycloak.org/docs, https://www.ory.sh/docs
 * - https://fiware-orion.readthedocs.io, https://docs.snowplow.io, https://jellyfin.org/docs
 * - https://fly.io/docs/networking/dynamic-request-routing/, https://vercel.com/docs/deployment-protection
 * - https://shibboleth.atlassian.net/wiki/spaces/SP3, https://www.okx.com/docs-v5/
 */
const IDENTITY = `
  proxy-authorization dpop signature signature-input client-cert client-cert-chain
  x-wsse x-ticket x-passport x-grant x-api-key api-key apikey api_key x-apikey xapikey api-token x-api-token x-api-secret x-app-key
  x-app-token x-app-id x-access-key x-access-token accesstoken x-accesstoken access-token id-token
  x-id-token x-refresh-token x-token token x-key x-secret x-client-id client-id x-client-key
  x-client-secret client-secret clientid x-auth x-auth-token x-auth-key x-auth-user x-auth-email
  x-auth-username x-auth-userid x-authtoken authtoken auth-token auth authentication authenticated-user
  x-authorization x-authorization-user x-authenticated-user x-authenticated-by x-oauth-token
  x-oauth-scopes x-original-authorization x-forwarded-authorization x-jwt x-jwt-token
  x-jwt-assertion x-jwt-payload x-bearer-token x-basic-auth x-password x-passwd x-passphrase
  x-otp x-github-otp x-totp x-mfa-token x-pin
  x-session x-session-id session-id sessionid x-session-token x-sessiontoken sid x-sid
  x-user user x-user-id user-id userid x-userid x-user-name username x-username x-user-email
  x-user-role x-user-roles x-user-groups x-user-token x-user-uuid x-end-user x-current-user
  x-remote-user x-webauth-user x-webauth-email x-webauth-name x-proxy-user x-sso-user x-saml-user
  x-email x-mail x-login x-login-id x-uid x-upn x-subject x-sub x-identity x-principal
  x-principal-name x-account x-account-id accountid x-customer x-customer-id customerid
  x-consumer x-tenant x-tenant-id tenantid x-tenantid tenant x-org x-org-id x-orgid
  x-organization x-organization-id x-organisation-id x-workspace x-workspace-id x-team-id
  x-company-id x-merchant-id x-shop-id x-store-id x-member-id x-employee-id x-project-id x-group-id
  x-owner-id x-partner-id x-profile-id x-device-id x-deviceid x-visitor-id x-player-id x-site-id
  x-impersonate-user x-impersonate x-act-as x-on-behalf-of sudo x-run-as x-admin x-is-admin
  x-role x-roles x-scope x-scopes x-permissions x-claims
  x-csrf-token x-csrftoken x-xsrf-token csrf-token x-wp-nonce x-cookie cookie2
  x-amz-security-token x-amz-date x-amz-content-sha256 x-amz-account-id x-aws-ec2-metadata-token
  x-gitlab-token private-token job-token deploy-token circle-token x-vault-token x-vault-namespace
  x-consul-token x-nomad-token x-shopify-access-token x-shopify-storefront-access-token
  x-shopify-hmac-sha256 stripe-account stripe-signature x-hub-signature x-hub-signature-256
  x-slack-signature x-line-signature x-twilio-signature x-telegram-bot-api-secret-token
  x-goog-user-project x-goog-channel-token x-firebase-appcheck-token x-firebase-auth
  x-hasura-admin-secret x-hasura-role x-hasura-user-id x-parse-session-token x-parse-rest-api-key
  x-parse-master-key x-parse-application-id x-algolia-api-key x-algolia-application-id
  x-rapidapi-key x-mashape-key x-rapidapi-user openai-organization openai-project
  anthropic-api-key dd-api-key dd-application-key x-honeycomb-team x-sentry-auth x-sentry-token
  x-grafana-org-id x-scope-orgid fiware-service fiware-servicepath x-plex-token x-emby-token
  x-emby-authorization x-mediabrowser-token x-figma-token x-ibm-client-id x-ibm-client-secret
  x-mashery-oauth-client-id x-wx-openid x-wx-unionid x-vouch-user x-vouch-idp-accesstoken
  x-msisdn x-up-calling-line-id x-nokia-msisdn x-acr x-uidh x-imsi x-imei
  x-ssl-client-verify x-ssl-client-dn x-client-dn x-tls-client-cert ssl-client-s-dn x-ssl-cert
  fly-src-signature x-vercel-protection-bypass x-pagerduty-signature x-license-key x-wallet-address x-sub-account
  x-assertion csrf xsrf x-saml-response displayname nickname x-logon tls-client-serial api-key-1
  x-appid companyid playerid shopid storeid visitorid employeeid groupid guestid ownerid profileid
  roleid siteid studentid x-2fa x-acct x-creds x-mfa x-pwd x-sig x-sso x-company x-realm x-member
  x-merchant x-owner x-partner x-phone x-acting-as x-staff x-family-name x-first-name x-given-name
  x-last-name x-preferred-name x-full-name x-bearer memberid x-pass x-vouch patientid x-patient
  x-privileges memberid-2 projectid x-persona teamid x-subscriber merchantid x-student
  x-firebase-appcheck ok-access-sign eppn phpsessid affiliation entitlement x-actor
`.trim().split(/\s+/);

/**
 * Fields that origins and frameworks route, link or choose a page by, from:
 *
 * - https://portswigger.net/research/practical-web-cache-poisoning and the Web Security Academy
 * - RFC 7239, https://developer.mozilla.org/docs/Web/HTTP/Headers/X-Forwarded-Host and its siblings
 * - https://docs.djangoproject.com/en/stable/ref/settings/#secure-proxy-ssl-header
 * - https://docs.spring.io/spring-framework/reference/web/webmvc/filters.html
 * - https://symfony.com/doc/current/deployment/proxies.html, https://laravel.com/docs/requests
 * - https://docs.gunicorn.org/en/stable/settings.html, https://werkzeug.palletsprojects.com
 * - https://learn.microsoft.com/aspnet/core/host-and-deploy/proxy-load-balancer
 * - https://learn.microsoft.com/iis/extensions/url-rewrite-module
 * - https://github.com/vercel/next.js, https://htmx.org/reference/#request_headers
 * - https://inertiajs.com/docs/v2/core-concepts/the-protocol, https://turbo.hotwired.dev/reference
 */
const ROUTING = `
  forwarded x-forwarded x-forwarded-host x-forwarded-hostname x-forwarded-proto x-forwarded-protocol
  x-forwarded-scheme x-forwarded-ssl x-forwarded-https x-forwarded-port x-forwarded-server
  x-forwarded-prefix x-forwarded-path x-forwarded-pathbase x-forwarded-uri x-forwarded-url
  x-forwarded-method x-forwarded-by x-forwarded-base x-forwarded-context x-forwarded-proto-version
  x-original-url x-original-uri x-original-host x-original-proto x-original-prefix x-original-path
  x-original-method x-original-scheme x-rewrite-url x-rewrite-uri x-http-method
  x-http-method-override x-http-host-override x-http-destinationurl x-http-path-override x-host
  x-real-host x-backend-host x-host-override x-method-override x-scheme-override x-path-override
  x-uri-override x-override x-proxy-url x-proxy-host x-url-scheme x-scheme x-proto x-protocol
  x-url x-uri x-path x-request-uri x-base-url x-base-path x-script-name
  front-end-https x-https x-method x-matched-path x-now-route-matches x-ms-original-url
  x-waws-unencoded-url x-envoy-original-path x-envoy-original-host cloudfront-forwarded-proto
  fly-forwarded-proto proxy-host proxy-url http-host authority x-authority base-url request-uri url uri
  x-middleware-subrequest x-middleware-rewrite x-middleware-prefetch x-middleware-next
  x-invoke-path x-invoke-query x-invoke-status x-invoke-error x-invoke-output x-nextjs-data
  x-nextjs-rewrite rsc next-router-state-tree next-router-prefetch
  next-router-segment-prefetch next-url next-action hx-request hx-boosted hx-target
  forwarded-port x-prefix x-original-query x-rewrite-base
  turbo-frame x-inertia x-inertia-partial-data x-inertia-version x-pjax x-pjax-container
`.trim().split(/\s+/);

/** Fields that are neither: of browsers, HTTP itself, tracing, and the client's address. */
const PLAIN = `
  accept accept-encoding accept-language accept-charset accept-datetime accept-signature
  access-control-request-method access-control-request-headers alt-used x-author author
  cache-control cache-key surrogate-key surrogate-capability connection content-length content-type
  content-encoding content-language content-location content-security-policy date device-memory dnt
  downlink dpr early-data ect expect from host-name-hint if-match if-modified-since if-none-match
  if-range idempotency-key x-idempotency-key keep-alive last-event-id max-forwards origin pragma
  prefer priority purpose range referer rtt save-data sec-ch-ua sec-fetch-user sec-gpc
  sec-websocket-key sec-websocket-protocol service-worker te trailer transfer-encoding upgrade
  upgrade-insecure-requests user-agent user_agent x-user-agent x-original-user-agent x-useragent via
  viewport-width want-content-digest warning x-requested-with x-keyboard x-keyword x-purpose
  x-wap-profile x-client-data x-client-version x-app-version x-platform x-locale x-timezone
  traceparent tracestate baggage b3 x-b3-traceid x-b3-parentspanid x-request-id request-id
  x-correlation-id correlation-id x-trace-id x-span-id x-transaction-id x-amzn-requestid
  x-amzn-trace-id x-cloud-trace-context uber-trace-id jaeger-debug-id grpc-trace-bin sentry-trace
  x-datadog-trace-id x-datadog-parent-id newrelic x-newrelic-id elastic-apm-traceparent
  x-request-start x-forwarded-for x-original-forwarded-for x-original-for forwarded-for x-real-ip
  x-client-ip client-ip true-client-ip cf-connecting-ip x-cluster-client-ip x-remote-ip
  x-remote-addr x-originating-ip x-forwarded-ip x-forwarded-client-ip x-original-remote-addr
  x-user-ip wl-proxy-client-ip x-remote-host x-client-port x-forwarded-client-port x-client-host
  x-user-addr x-forwarded-address x-http-trace-id x-source-host hx-prompt current-path
  x-forwarded-tlsversion x-nextjs-request-id x-turbo-request-id hx-current-url x-referer-url cf-warp-tag-id x-apollo-operation-id
`.trim().split(/\s+/).filter((name) => name !== "host-name-hint");

/** Ids of a request, of the machines that it passes, and of what runs there. */
const IDS_OF_REQUESTS = `
  activity attempt backend batch build call cluster datacenter edge hop instance invocation job log machine message msg node now
  opaque pod pop process ray release revision run server task txn version worker zone
`.trim().split(/\s+/).map((what) => `x-${what}-id`);

/** What these add to a request is about themselves, if it ends in "-id". */
const IDS_OF_PLATFORMS = `
  akamai fastly render x-akamai x-appengine x-arr x-azure x-cf x-envoy x-istio x-k8se x-nf x-railway
`.trim().split(/\s+/).map((platform) => `${platform}-app-id`);

/** The names of a list whose role is another. */
function misjudged(names: readonly string[], role: string): string[] {
  return names.filter((name) => fieldRole(name) !== role && fieldRole(name) !== "certificate");
}

Deno.test("S8b: fields that say who asks are found by their names", () => {
  assertEquals(misjudged(IDENTITY, "identity"), []);
  assert(new Set(IDENTITY).size >= 200);
});

Deno.test("K3: fields that origins route by are found by their names", () => {
  assertEquals(misjudged(ROUTING, "routing"), []);
});

Deno.test("S8b, K3: ordinary fields are neither", () => {
  assertEquals(misjudged(PLAIN, "plain"), []);
});

Deno.test("S8b: ids of requests, machines and platforms say nothing about who asks", () => {
  assertEquals(misjudged([...IDS_OF_REQUESTS, ...IDS_OF_PLATFORMS], "plain"), []);
});

Deno.test("S8b: only a proxy's own names for certificates depend on their values", () => {
  assertEquals(fieldRole("x-ssl-client-verify"), "certificate");
  assertEquals(fieldRole("own-ssl-client-verify"), "identity");
});

Deno.test("S8b, K3: neither case nor the separator changes what a name means", () => {
  for (const [names, role] of [[IDENTITY, "identity"], [ROUTING, "routing"]] as const) {
    assertEquals(misjudged(names.map((name) => name.toUpperCase()), role), []);
    assertEquals(misjudged(names.map((name) => name.replaceAll("-", "_")), role), []);
  }
});

Deno.test("S8b: Authorization and Cookie have rules of their own, the host counts for fetch alone", () => {
  const roles = ["authorization", "cookie", "host"].map(fieldRole);

  assertEquals(roles, ["plain", "plain", "host"]);
});

for (const way of WAYS) {
  Deno.test(`K3: ${way}: whatever an origin reflects, others never see it`, async () => {
    const site = new Site({}, way);
    for (const name of [...ROUTING, "X_Forwarded_Host", "x_original_url"]) {
      const url = `https://origin.test/${name}`;
      site.answer = ({ headers }) => new Response(headers.get(name) ?? "none");
      await site.read({ headers: { [name]: "evil.test" } }, url);

      const crossed = [
        await site.kept({}, url),
        await site.kept({ headers: { [name]: "other" } }, url),
        await site.kept({ headers: { [name]: "" } }, url),
      ];
      const own = await site.kept({ headers: { [name]: "evil.test" } }, url);

      assertEquals([name, ...crossed, own], [name, undefined, undefined, undefined, "evil.test"]);
    }
  });

  Deno.test(`S8b: ${way}: a field that says who asks is allowed if Vary names it or the origin permits it`, async () => {
    const site = new Site({}, way);
    const ann = { headers: { "x-api-key": "ann", "x-tenant-id": "a" } };
    const answers = [
      [{ "cache-control": "public" }, true],
      [{ "cache-control": "s-maxage=60" }, true],
      [{ "cache-control": "must-revalidate, max-age=60" }, true],
      [{ vary: "X-Tenant-Id, X-Api-Key" }, true],
      [{ vary: "X-Api-Key" }, false],
      [{ "cache-control": "max-age=60" }, false],
      [{ "cache-control": "public=1" }, false],
      [{ "cache-control": 'public="no"' }, false],
      [{ "cache-control": "must-revalidate=x" }, false],
    ] as const;
    for (const [index, [headers, isKept]] of answers.entries()) {
      const url = `https://origin.test/${index}`;
      site.answer = () => new Response("good", { headers: { ...headers } });
      await site.read(ann, url);

      const kept = await site.kept(ann, url);

      assertEquals([headers, kept], [headers, isKept ? "good" : undefined]);
    }
  });
}

Deno.test("S8b: a field that Vary names is served to nobody who sends another value, or none", async () => {
  const site = new Site();
  site.answer = ({ headers }) =>
    new Response(headers.get("x-api-key"), { headers: { vary: "x-api-key" } });
  await site.read({ headers: { "x-api-key": "ann" } });

  assertEquals(await site.kept(), undefined);
  assertEquals(await site.kept({ headers: { "x-api-key": "bob" } }), undefined);
  assertEquals(await site.kept({ headers: { "x-api-key": "ann" } }), "ann");
});

Deno.test("S8b: ignore and partition lift it", async () => {
  const request = { headers: { "x-api-key": "ours" } };
  for (const lastGood of [{ ignore: ["authorization"] as const }, { partition: () => "me" }]) {
    const site = new Site({ lastGood });
    await site.read(request);

    assertEquals(await site.kept(request), "good");
  }
});

Deno.test("S8b: a field about a certificate counts unless it says that there is none", () => {
  const counted = [
    ["ssl-client-verify", "NONE"],
    ["x-client-cert-present", "false"],
    ["x-client-cert-error", "client_cert_not_provided"],
    ["x-ssl-client-s-dn", ""],
    ["ssl-client-verify", "SUCCESS"],
    ["ssl-client-verify", "FAILED:expired"],
    ["x-client-cert-present", "true"],
    ["x-ssl-client-s-dn", "CN=ann"],
  ].filter((field) =>
    identityFields(new FieldMap(new Headers([field as [string, string]]))).length > 0
  );

  assertEquals(counted.map(([, value]) => value), ["SUCCESS", "FAILED:expired", "true", "CN=ann"]);
});

/** Values of Forwarded, and what of them belongs to the key; undefined if nothing does. */
const FORWARDED: readonly (readonly [value: string, target: string | undefined])[] = [
  ["for=192.0.2.60;proto=http;by=203.0.113.43", "proto=http"],
  ["for=192.0.2.43, for=198.51.100.17", undefined],
  ['for="[2001:db8:cafe::17]:4711"', undefined],
  ['For="_gazonk"', undefined],
  ["for=unknown;host=a.test;proto=https", "host=a.test;proto=https"],
  ["for=1.2.3.4;Host=a.test", "Host=a.test"],
  ["for=1.2.3.4; host=a.test ; proto=https", "host=a.test;proto=https"],
  ["for=a;host=a.test, for=b;host=b.test", "host=a.test,host=b.test"],
  ["for=a, for=b;host=b.test", ",host=b.test"],
  ["host=a.test;for=a;sig=0QmVhcmVyIDlm=;exp=1747211866", "host=a.test"],
  ["for=1.2.3.4,", undefined],
  ["host=a.test:8443", "host=a.test:8443"],
  // Nobody knows what an origin makes of these, so the whole value counts.
  ["", ""],
  ["evil.test", "evil.test"],
  ["for=1.2.3.4;evil", "for=1.2.3.4;evil"],
  ['for="1.2.3.4', 'for="1.2.3.4'],
  ['for="a;host=evil.test"', 'for="a;host=evil.test"'],
  ['for="a\\";host=evil.test"', 'for="a\\";host=evil.test"'],
  ["for=host=evil.test", "for=host=evil.test"],
  ['for="<script>"', 'for="<script>"'],
  ["for=a b;host=a.test", "for=a b;host=a.test"],
  ["xhost=evil.test", "xhost=evil.test"],
  ["for=a,".repeat(400), "for=a,".repeat(400)],
  ["for=1.2.3.4;x-proto=http", "x-proto=http"],
];

for (const [value, target] of FORWARDED) {
  Deno.test(`K3: of Forwarded: ${value.slice(0, 80)}, the key has ${target?.slice(0, 80) ?? "nothing"}`, () => {
    const parts = reflectedFields(fieldsLike({ forwarded: value }));

    assertEquals(parts, target === undefined ? undefined : ["forwarded", target]);
  });
}

Deno.test("K3: X-Forwarded is read like Forwarded", () => {
  assertEquals(reflectedFields(fieldsLike({ "x-forwarded": "for=1.2.3.4" })), undefined);
  assertEquals(reflectedFields(fieldsLike({ "x-forwarded": "for=a;host=b" })), [
    "x-forwarded",
    "host=b",
  ]);
});

for (
  const [name, value] of [
    ["x-forwarded-server", "cache-mad22037-MAD, evil.test"],
    ["x-forwarded-server", "evil.test, cache-mad22037-MAD"],
    ["x-forwarded-host", "cache-mad22037-MAD"],
  ] as const
) {
  Deno.test(`K3: ${name}: ${value} is more than the name of a Fastly node`, () => {
    assertEquals(reflectedFields(fieldsLike({ [name]: value })), [name, value]);
  });
}

Deno.test("K3: the host counts in a request that fetch sends, and not in one that came in", () => {
  const headers = new FieldMap(new Headers({ host: "a.test", "x-host": "b" }));

  assertEquals(reflectedFields(headers), ["x-host", "b"]);
  assertEquals(reflectedFields(headers, true), ["host", "a.test", "x-host", "b"]);
});

Deno.test("K3: fetch: a host that the app names is part of the key", async () => {
  const site = new Site();
  site.answer = ({ headers }) => new Response(headers.get("host") ?? "none");
  await site.read({ headers: { host: "a.test" } });

  assertEquals(await site.kept(), undefined);
  assertEquals(await site.kept({ headers: { host: "b.test" } }), undefined);
  assertEquals(await site.kept({ headers: { host: "a.test" } }), "a.test");
});

Deno.test("K3: the order of the fields does not count", () => {
  const fields = [["x-url", "1"], ["rsc", "2"], ["x-host", "3"]] as const;
  const forward = reflectedFields(fieldsLike(Object.fromEntries(fields)));
  const backward = reflectedFields(fieldsLike(Object.fromEntries([...fields].reverse())));

  assertEquals(forward, ["rsc", "2", "x-host", "3", "x-url", "1"]);
  assertEquals(backward, forward);
});

const WORDS = [...IDENTITY, ...ROUTING, ...PLAIN].flatMap((name) => name.split(/[-_]/));
const TCHARS = "abcxyzABC0189!#$%&'*+-.^_`|~";

/** Makes a name of words, or of any characters that a name may have. */
function nameFrom(next: () => number): string {
  const pick = <T>(items: ArrayLike<T>) => items[Math.floor(next() * items.length)]!;
  const length = 1 + Math.floor(next() ** 3 * 40);
  return next() < 0.5
    ? Array.from({ length: 1 + Math.floor(next() * 4) }, () => pick(WORDS)).join(pick("-_."))
    : Array.from({ length }, () => pick(TCHARS)).join("");
}

Deno.test("fuzz: K3, S8b: any name has one role, however often and in whatever company it comes", () => {
  const next = seeded(11);
  const first = new Map<string, string>();
  for (let n = 0; n < 100_000; n++) {
    const name = nameFrom(next);

    const role = fieldRole(name);

    assertEquals(fieldRole(name.toUpperCase()), role, name);
    if (n % 20 === 0) first.set(name, role);
  }
  for (const [name, role] of first) assertEquals(fieldRole(name), role, name);
  assertEquals(misjudged(IDENTITY, "identity"), []);
  assertEquals(misjudged(ROUTING, "routing"), []);
});

/** Names and values of 8 KiB that slow down careless patterns. */
const LONG = [
  ...'a-_.;,="\t ',
  ...["a-", "x-", "host", "for=a;", "for=a,", 'for="', "host-", "-id", "key", "auth", "author"],
  ...["x-forwarded-", "proto =", "cache-a1, ", "method-", "clientid-", "first-"],
].map((piece) => piece.repeat(8_192 / piece.length));

Deno.test("fuzz: K3, S8b: the longest names and values are not looked into for long", () => {
  for (const text of LONG) {
    const names = [text, `x-${text}`, `x-forwarded-${text}`].flatMap((
      name,
    ) => [name, name.slice(0, 128)]);
    const startedAt = performance.now();

    names.forEach(fieldRole);
    reflectedFields(fieldsLike({ forwarded: text, "x-forwarded-server": text }));

    // 1 ms each, with room for a busy machine.
    assert(performance.now() - startedAt < 50, text.slice(0, 20));
  }
});

Deno.test("S8b: a name longer than any that is in use says who asks, in doubt", () => {
  assertEquals(fieldRole("x".repeat(129)), "identity");
});
