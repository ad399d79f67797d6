import { assertEquals } from "@std/assert";
import { Site } from "../../stage/site.ts";
import type { Way } from "../../stage/ways.ts";

const WAYS: readonly Way[] = ["fetch", "wrap", "hono"];

/** The values that a field has in the requests of two clients; one value for both if they are alike. */
type Fields = Readonly<Record<string, string | readonly [ann: string, bob: string]>>;

const IPS = ["203.0.113.7", "198.51.100.9"] as const;
const SOCKETS = ["203.0.113.7:46066", "198.51.100.9:51234"] as const;
const IDS = ["01KRBCN30H905H5HW4V0ATGK3H", "01JM2RB8VTJ5T1KA9JFYFSKFT1"] as const;
const TIMES = ["1778498833623", "1778498833917"] as const;
const TRACES = [
  "00-019e16ca8c11480b12c784d815a84c71-98a737e33c491c30-01",
  "00-1cedd7863a4cf506da722549bfe8fefc-997f2f82cb2906a7-00",
] as const;

/** What any proxy in front of a site adds. */
const PROXY: Fields = {
  "x-forwarded-for": IPS,
  "x-forwarded-proto": "https",
  "x-request-id": IDS,
};

/**
 * What platforms add to every request, by their own documentation or as echo services show it:
 *
 * - https://developers.cloudflare.com/fundamentals/reference/http-headers/
 * - https://developers.cloudflare.com/rules/transform/managed-transforms/reference/
 * - https://vercel.com/docs/headers/request-headers, https://vercel.com/docs/oidc
 * - https://docs.netlify.com/functions/api, https://github.com/netlify/primitives
 * - https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
 * - https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html
 * - https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-http.html
 * - https://cloud.google.com/appengine/docs/standard/reference/request-headers
 * - https://cloud.google.com/load-balancing/docs/https
 * - https://learn.microsoft.com/azure/frontdoor/front-door-http-headers-protocol
 * - https://learn.microsoft.com/azure/app-service/overview-security
 * - https://learn.microsoft.com/azure/application-gateway/how-application-gateway-works
 * - https://www.fastly.com/documentation/reference/http/http-headers/
 * - https://techdocs.akamai.com/property-mgr/docs
 * - https://fly.io/docs/networking/request-headers/
 * - https://render.com/docs/web-services, https://docs.railway.com/reference/public-networking
 * - https://devcenter.heroku.com/articles/http-routing
 * - https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/
 * - https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers
 * - https://docs.cloudfoundry.org/concepts/http-routing.html
 */
const PLATFORMS: Readonly<Record<string, Fields>> = {
  "Cloudflare": {
    "cf-connecting-ip": IPS,
    "cf-connecting-ipv6": ["2001:db8::1", "2001:db8::2"],
    "cf-pseudo-ipv4": IPS,
    "true-client-ip": IPS,
    "x-forwarded-for": IPS,
    "x-forwarded-proto": "https",
    "cf-ray": ["9e665d472c4f266d-SIN", "93f90c03cb630270-MAD"],
    "cf-visitor": '{"scheme":"https"}',
    "cf-ipcountry": ["SG", "ES"],
    "cf-ipcity": ["Singapore", "Madrid"],
    "cf-ipcontinent": ["AS", "EU"],
    "cf-iplatitude": ["1.28967", "37.98610"],
    "cf-iplongitude": ["103.85007", "-1.12130"],
    "cf-region": ["", "Murcia"],
    "cf-region-code": ["", "MC"],
    "cf-metro-code": ["0", "505"],
    "cf-postal-code": ["018989", "30001"],
    "cf-timezone": ["Asia/Singapore", "Europe/Madrid"],
    "cf-cert-presented": "false",
    "cf-cert-revoked": "false",
    "cf-cert-verified": "false",
    "cf-bot-score": ["92", "30"],
    "cf-verified-bot": ["false", "true"],
    "cf-threat-score": ["0", "10"],
    "cf-ja3-hash": ["a", "b"],
    "cf-ja4": ["t13d1412h2_e33ad33b3d25_6b314db333b6", "t13d1516h2_8daaf6152771_02713d6af862"],
    "cf-worker": "example.com",
    "cf-warp-tag-id": "7d1a1c1e-2f4b-4f0e-9d2b-6f0c8b1d2a3e",
    "cf-connecting-o2o": "1",
    "cf-device-type": ["desktop", "mobile"],
    "cf-ew-via": "15",
    "cdn-loop": "cloudflare; loops=1",
    "exposed-credential-check": ["1", "4"],
  },
  "Vercel": {
    "x-vercel-id": ["sin1::iad1::abc-1", "fra1::iad1::def-2"],
    "x-vercel-forwarded-for": IPS,
    "x-vercel-proxied-for": IPS,
    "x-forwarded-for": IPS,
    "x-real-ip": IPS,
    "x-forwarded-host": "example.com",
    "x-forwarded-proto": "https",
    "x-vercel-deployment-url": "example-3cdl82fjs.vercel.app",
    "x-vercel-ip-continent": ["AS", "EU"],
    "x-vercel-ip-country": ["SG", "ES"],
    "x-vercel-ip-country-region": ["01", "MD"],
    "x-vercel-ip-city": ["Singapore", "Madrid"],
    "x-vercel-ip-latitude": ["1.2", "40.4"],
    "x-vercel-ip-longitude": ["103.8", "-3.6"],
    "x-vercel-ip-timezone": ["Asia/Singapore", "Europe/Madrid"],
    "x-vercel-ip-postal-code": ["018989", "28085"],
    "x-vercel-ip-as-number": ["21859", "3352"],
    "x-vercel-ja4-digest": ["t13d1412h2_e33ad33b3d25", "t13d1516h2_8daaf6152771"],
    "x-vercel-oidc-token": ["eyJhbGciOiJSUzI1NiJ9.e30.a", "eyJhbGciOiJSUzI1NiJ9.e30.b"],
    "x-vercel-proxy-signature": ["Bearer 9fea86f0", "Bearer 0b22aa11"],
    "x-vercel-proxy-signature-ts": ["1747211866", "1747211899"],
    "x-vercel-sc-headers": ['{"Authorization":"Bearer a"}', '{"Authorization":"Bearer b"}'],
    "x-vercel-sc-host": [
      "iad1.suspense-cache.vercel-infra.com",
      "fra1.suspense-cache.vercel-infra.com",
    ],
    "x-vercel-sc-basepath": "",
    "x-vercel-internal-ingress-bucket": ["bucket0", "bucket7"],
    "x-vercel-internal-bot-check": "skip",
    "x-vercel-internal-intra-session": ["a", "b"],
    "x-matched-path": "/page",
    "forwarded": [
      "for=203.0.113.7;host=example.com;proto=https;sig=0QmVhcmVyIDlmZWE4NmYwYjIyM2RmZQ==;exp=1747211866",
      "for=198.51.100.9;host=example.com;proto=https;sig=0QmVhcmVyIDBiMjJhYTExOWMwMDQ4Zg=;exp=1747211899",
    ],
  },
  "Netlify": {
    "x-nf-account-id": "5e2b91527eb7a24fb0054390",
    "x-nf-account-tier": "account_type_pro",
    "x-nf-account-info": "eyJpZCI6IjEifQ==",
    "x-nf-site-id": "5d797a9d-fe11-4582-8837-9986a4673158",
    "x-nf-site-info": "eyJpZCI6IjEifQ==",
    "x-nf-deploy-id": "626b1bc6a7f6c1000902602e",
    "x-nf-deploy-context": "production",
    "x-nf-deploy-published": "1",
    "x-nf-client-connection-ip": IPS,
    "client-ip": IPS,
    "x-bb-ip": IPS,
    "x-bb-client-request-uuid": IDS,
    "x-forwarded-for": IPS,
    "x-forwarded-proto": "https",
    "x-nf-geo": ["eyJjaXR5IjoiQSJ9", "eyJjaXR5IjoiQiJ9"],
    "x-country": ["LU", "US"],
    "x-language": ["fr", "en"],
    "x-nf-request-id": IDS,
    "x-nf-request-start": TIMES,
    "x-nf-trace-span-id": ["ca31e4259f35f26a", "98a737e33c491c30"],
    "x-nf-invocation-metadata": ["a", "b"],
    "netlify-agent-category": ["tooling; custom-code", "browser"],
    "netlify-invocation-source": "client",
    "traceparent": TRACES,
    "cdn-loop": "netlify",
  },
  "AWS: ALB and CloudFront": {
    ...PROXY,
    "x-forwarded-port": "443",
    "x-amzn-trace-id": ["Root=1-67891233-abcdef012345678912345678", "Root=1-686cb93b-1620bb3e6f7f"],
    "x-amzn-tls-version": ["TLSv1.3", "TLSv1.2"],
    "x-amzn-tls-cipher-suite": ["TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
    "x-amz-cf-id": ["k6WGMNkEzR5BEM_SaF47gjtX9zBDO2m349OY2an0QPEaUum1ZOLrow==", "b=="],
    "via": ["2.0 abc.cloudfront.net (CloudFront)", "1.1 def.cloudfront.net (CloudFront)"],
    "cloudfront-viewer-address": SOCKETS,
    "cloudfront-viewer-asn": ["21859", "3352"],
    "cloudfront-viewer-city": ["Singapore", "Madrid"],
    "cloudfront-viewer-country": ["SG", "ES"],
    "cloudfront-viewer-country-name": ["Singapore", "Spain"],
    "cloudfront-viewer-country-region": ["01", "MD"],
    "cloudfront-viewer-country-region-name": ["Central", "Madrid"],
    "cloudfront-viewer-http-version": ["2.0", "3.0"],
    "cloudfront-viewer-ja3-fingerprint": ["a", "b"],
    "cloudfront-viewer-ja4-fingerprint": ["a", "b"],
    "cloudfront-viewer-header-order": ["Host:User-Agent", "User-Agent:Host"],
    "cloudfront-viewer-header-count": ["12", "14"],
    "cloudfront-viewer-latitude": ["1.2", "40.4"],
    "cloudfront-viewer-longitude": ["103.8", "-3.6"],
    "cloudfront-viewer-metro-code": ["0", "505"],
    "cloudfront-viewer-postal-code": ["018989", "28085"],
    "cloudfront-viewer-time-zone": ["Asia/Singapore", "Europe/Madrid"],
    "cloudfront-viewer-tls": [
      "TLSv1.3:TLS_AES_128_GCM_SHA256:sessionResumed",
      "TLSv1.2:a:fullHandshake",
    ],
    "cloudfront-forwarded-proto": "https",
    "cloudfront-is-desktop-viewer": ["true", "false"],
    "cloudfront-is-mobile-viewer": ["false", "true"],
    "cloudfront-is-ios-viewer": ["false", "true"],
  },
  "AWS: API Gateway": {
    "x-amzn-trace-id": ["Root=1-67891233-abcdef012345678912345678", "Root=1-686cb93b-1620bb3e6f7f"],
    "x-amzn-apigateway-api-id": "a1b2c3d4",
    "x-amzn-vpc-id": "vpc-1",
    "x-amzn-vpce-id": "vpce-1",
    "x-amzn-vpce-config": "1",
    "x-amzn-cipher-suite": "ECDHE-RSA-AES128-GCM-SHA256",
    "x-amzn-request-context": ['{"requestId":"1"}', '{"requestId":"2"}'],
    "x-amzn-lambda-context": ['{"request_id":"1"}', '{"request_id":"2"}'],
    "x-amzn-remapped-host": "example.com",
    "x-amzn-remapped-x-forwarded-for": IPS,
    "forwarded": [
      "by=3.22.31.23;for=203.0.113.7;host=a.execute-api.us-east-2.amazonaws.com;proto=https",
      "by=3.22.31.24;for=198.51.100.9;host=a.execute-api.us-east-2.amazonaws.com;proto=https",
    ],
    "via": "HTTP/1.1 AmazonAPIGateway",
  },
  "Google: App Engine and Functions": {
    "x-appengine-country": ["US", "PL"],
    "x-appengine-region": ["tx", "mz"],
    "x-appengine-city": ["dallas", "warsaw"],
    "x-appengine-citylatlong": ["32.776664,-96.796988", "52.2,21.0"],
    "x-appengine-user-ip": IPS,
    "x-appengine-remote-addr": IPS,
    "x-appengine-https": "on",
    "x-appengine-timeout-ms": ["599999", "599998"],
    "x-appengine-default-version-hostname": "q7ab5b185cafaefa5-tp.appspot.com",
    "x-appengine-default-namespace": "",
    "x-appengine-request-log-id": IDS,
    "x-appengine-request-id-hash": ["A1B2", "C3D4"],
    "x-appengine-api-ticket": ["d21c5e2d02199fc5", "d21c5e2d02199fc6"],
    "function-execution-id": ["vm6xzjq9oi06", "jswhd7yg32y2"],
    "x-cloud-trace-context": [
      "0c57630f6bae7ea3/7783831052114685448;o=1",
      "1cedd7863a4cf506/1106;o=1",
    ],
    "traceparent": TRACES,
    "forwarded": ['for="203.0.113.7";proto=https', 'for="198.51.100.9";proto=https'],
    "x-forwarded-for": IPS,
    "x-forwarded-proto": "https",
  },
  "Google: load balancer": {
    ...PROXY,
    "via": "1.1 google",
    "x-cloud-trace-context": [
      "0c57630f6bae7ea3/7783831052114685448;o=1",
      "1cedd7863a4cf506/1106;o=1",
    ],
    "x-client-region": ["US", "PL"],
    "x-client-city": ["Dallas", "Warsaw"],
    "x-client-geo-location": ["US,Dallas", "PL,Warsaw"],
    "x-client-rtt-msec": ["12", "40"],
    "x-client-cert-present": "false",
    "x-client-cert-chain-verified": "false",
    "x-client-cert-error": "client_cert_not_provided",
    "x-client-cert-sha256-fingerprint": "",
    "x-client-protocol": ["HTTP/2", "HTTP/3"],
  },
  "Azure: Front Door": {
    "via": ["2.0 Azure", "1.1 Azure"],
    "x-azure-clientip": IPS,
    "x-azure-socketip": IPS,
    "x-azure-ref": ["0zxV+XAAAAABKMMOjBv2NT4TY6SQVjC0z", "0HSeCAgAAAAAL2Ex5RtZjRYNOL5mJ"],
    "x-azure-requestchain": "hops=1",
    "x-azure-fdid": "55ce4ed1-4b06-4bf1-b40e-4638452104da",
    "x-azure-ja4-fingerprint": ["a", "b"],
    "x-forwarded-for": IPS,
    "x-forwarded-host": "example.com",
    "x-forwarded-proto": "https",
    "x-fd-healthprobe": "0",
  },
  "Azure: App Service": {
    "client-ip": SOCKETS,
    "disguised-host": "example.azurewebsites.net",
    "was-default-hostname": "example.azurewebsites.net",
    "max-forwards": "10",
    "x-arr-log-id": [
      "74ac0989-87dd-4446-8226-0e3f6bed3aba",
      "881073f0-7185-4812-9f17-4db69faf2b68",
    ],
    "x-arr-ssl": ["2048|256|CN=a|CN=b", "2048|128|CN=a|CN=b"],
    "x-client-ip": IPS,
    "x-client-port": ["29444", "46066"],
    "x-forwarded-for": SOCKETS,
    "x-forwarded-proto": "https",
    "x-appservice-proto": "https",
    "x-forwarded-tlsversion": ["1.3", "1.2"],
    "x-original-url": "/page",
    "x-waws-unencoded-url": "/page",
    "x-site-deployment-id": "example",
    "x-ms-request-root-id": IDS,
    "x-ms-original-url": "https://example.com/page",
  },
  "Azure: Container Apps and Application Gateway": {
    ...PROXY,
    "x-arr-ssl": "true",
    "x-envoy-expected-rq-timeout-ms": "1800000",
    "x-envoy-external-address": IPS,
    "x-k8se-app-kind": "web",
    "x-k8se-app-name": "gateway--ccdquo8",
    "x-k8se-app-namespace": "k8se-apps",
    "x-k8se-protocol": "http1",
    "x-ms-containerapp-name": "gateway",
    "x-ms-containerapp-revision-name": "gateway--ccdquo8",
    "x-original-host": "example.com",
    "x-appgw-trace-id": IDS,
    "x-ms-client-request-id": IDS,
    "x-ms-client-tracking-id": IDS,
    "request-id": ["|a.1", "|b.2"],
    "request-context": "appId=cid-v1:1",
  },
  "Fastly": {
    "fastly-client-ip": IPS,
    "fastly-client": "1",
    "fastly-ff": ["a!MAD!cache-mad1", "b!SIN!cache-sin1"],
    "fastly-ssl": "1",
    "fastly-temp-xff": IPS,
    "fastly-orig-accept-encoding": ["gzip, br", "gzip"],
    "x-forwarded-for": IPS,
    "x-forwarded-host": "example.com",
    "x-forwarded-server": ["cache-mad22037-MAD", "cache-sin18028-SIN, cache-iad2120001-IAD"],
    "x-varnish": ["3391447110", "3391447111"],
    "x-timer": ["S1778498833.623,VS0", "S1778498833.917,VS0"],
    "x-sigsci-requestid": IDS,
    "x-sigsci-tags": ["", "SQLI"],
    "cdn-loop": "Fastly",
    "surrogate-capability": 'fastly="ESI/1.0"',
  },
  "Akamai": {
    "true-client-ip": IPS,
    "x-forwarded-for": IPS,
    "x-forwarded-proto": "https",
    "akamai-origin-hop": ["1", "2"],
    "x-akamai-sr-hop": "1",
    "x-akamai-config-log-detail": "true",
    "x-akamai-edgescape": ["georegion=1,country_code=SG", "georegion=2,country_code=ES"],
    "x-akamai-device-characteristics": ["is_mobile=true", "is_mobile=false"],
    "x-akamai-request-id": IDS,
    "akamai-bot": ["", "Verified Bot"],
    "akamai-reputation": ["ID=203.0.113.7;DOSATCK=5", "ID=198.51.100.9;DOSATCK=7"],
    "via": ["1.1 v1-akamaitech.net(ghost)", "1.1 akamai.net(ghost)"],
    "cdn-loop": "akamai;v=1.0;c=1",
    "surrogate-capability": 'akamai="ESI/1.0"',
  },
  "Fly": {
    ...PROXY,
    "fly-client-ip": IPS,
    "fly-forwarded-port": "443",
    "fly-forwarded-proto": "https",
    "fly-forwarded-ssl": "on",
    "fly-region": ["mad", "sin"],
    "fly-request-id": IDS,
    "fly-traceparent": TRACES,
    "fly-tracestate": ["a", "b"],
    "x-forwarded-port": "443",
    "x-forwarded-ssl": "on",
    "x-request-start": TIMES,
    "via": ["2 fly.io", "1.1 fly.io"],
  },
  "Render": {
    ...PROXY,
    "rndr-id": ["423ac5e9-ba1b-4ad9", "9d56bbdd-4a56-4694"],
    "render-proxy-ttl": "4",
    "true-client-ip": IPS,
    "cf-connecting-ip": IPS,
    "cf-ray": ["a28d7d1c8ca60721-HKG", "a28d8f27dad5dc87-HKG"],
  },
  "Railway": {
    ...PROXY,
    "x-railway-edge": ["railway/us-west2", "railway/europe-west4-drams3a"],
    "x-railway-request-id": IDS,
    "x-real-ip": IPS,
    "x-request-start": TIMES,
    "x-envoy-external-address": IPS,
    "x-forwarded-host": "example.com",
  },
  "Heroku": {
    ...PROXY,
    "x-forwarded-port": "443",
    "x-request-start": TIMES,
    "connect-time": ["0", "1"],
    "total-route-time": ["0", "2"],
    "via": ["1.1 vegur", "1.1 heroku-router"],
  },
  "ingress-nginx": {
    ...PROXY,
    "x-real-ip": IPS,
    "x-forwarded-host": "example.com",
    "x-forwarded-port": "443",
    "x-forwarded-scheme": "https",
    "x-scheme": "https",
    "x-original-forwarded-for": IPS,
    "ssl-client-verify": "NONE",
    "x-ingress-name": "web",
    "x-service-name": "web",
  },
  "Envoy and Istio": {
    ...PROXY,
    "x-envoy-attempt-count": ["1", "2"],
    "x-envoy-decorator-operation": "web.default.svc.cluster.local:80/*",
    "x-envoy-downstream-service-cluster": "gateway",
    "x-envoy-downstream-service-node": ["gateway-1", "gateway-2"],
    "x-envoy-expected-rq-timeout-ms": ["14999", "15000"],
    "x-envoy-external-address": IPS,
    "x-envoy-internal": "true",
    "x-envoy-original-path": "/page",
    "x-envoy-peer-metadata": ["ChQKDkFQUF9DT05U", "ChkKDUlTVElPX1ZF"],
    "x-envoy-peer-metadata-id": ["router~10.60.1.7~gw-1.istio-system~a", "router~10.60.1.8~gw-2~a"],
    "x-client-trace-id": IDS,
    "x-ot-span-context": ["a", "b"],
    "x-b3-traceid": ["592684309259c81b0d1cad44daba2c00", "247b83e5daa40c342726bc3627f7dd92"],
    "x-b3-spanid": ["0d1cad44daba2c00", "2726bc3627f7dd92"],
    "x-b3-parentspanid": ["0d1cad44daba2c01", "2726bc3627f7dd93"],
    "x-b3-sampled": ["0", "1"],
  },
  "Cloud Foundry": {
    ...PROXY,
    "x-vcap-request-id": IDS,
    "x-cf-applicationid": "a1",
    "x-cf-instanceid": ["i1", "i2"],
    "x-cf-instanceindex": ["0", "1"],
    "x-cf-proxy-signature": ["a", "b"],
    "x-cf-proxy-metadata": ["a", "b"],
    "x-request-start": TIMES,
    "b3": ["a-b", "c-d"],
  },
  "OpenShift and HAProxy": {
    "forwarded": [
      "for=203.0.113.7;host=example.com;proto=https;proto-version=h2",
      "for=198.51.100.9;host=example.com;proto=https;proto-version=h2",
    ],
    "x-forwarded-for": IPS,
    "x-forwarded-host": "example.com",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
    "x-forwarded-proto-version": "h2",
    "x-unique-id": IDS,
  },
  "browsers and tracing": {
    "user-agent": ["Mozilla/5.0 (X11)", "Mozilla/5.0 (Mac)"],
    "accept": ["text/html", "*/*"],
    "accept-language": ["en", "de"],
    "sec-ch-ua": ['"Chromium";v="146"', '"Not-A.Brand";v="24"'],
    "sec-fetch-user": "?1",
    "sec-gpc": "1",
    "dnt": ["1", "0"],
    "device-memory": ["8", "4"],
    "viewport-width": ["1280", "390"],
    "x-requested-with": ["XMLHttpRequest", "com.example.app"],
    "x-client-data": ["CIm2yQE=", "CJbJygE="],
    "idempotency-key": IDS,
    "traceparent": TRACES,
    "tracestate": ["a=1", "b=2"],
    "baggage": ["a=1", "b=2"],
    "sentry-trace": ["a", "b"],
    "x-datadog-trace-id": IDS,
    "x-datadog-parent-id": IDS,
    "x-datadog-sampling-priority": ["1", "0"],
    "x-newrelic-id": IDS,
    "newrelic": ["a", "b"],
    "x-correlation-id": IDS,
    "x-transaction-id": IDS,
    "dictionary-id": IDS,
  },
};

/** One client's fields; 0 is Ann, 1 is Bob. */
function fieldsOf(fields: Fields, client: 0 | 1): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === "string" ? value : value[client],
    ]),
  );
}

for (const way of WAYS) {
  for (const [platform, fields] of Object.entries(PLATFORMS)) {
    Deno.test(`S8b, K3: ${way}: two clients behind a platform share one copy: ${platform}`, async () => {
      const site = new Site({}, way);
      await site.read({ headers: fieldsOf(fields, 0) });

      const kept = await site.kept({ headers: fieldsOf(fields, 1) });

      assertEquals([site.notKept, kept], [[], "good"]);
    });
  }
}

/**
 * What says who asks, by those who add it:
 *
 * - https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/
 * - https://developers.cloudflare.com/cloudflare-one/access-controls/service-credentials/service-tokens/
 * - https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
 * - https://cloud.google.com/iap/docs/identity-howto
 * - https://cloud.google.com/endpoints/docs/openapi/authenticating-users-custom
 * - https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
 * - https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html
 * - https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-key-source.html
 * - https://oauth2-proxy.github.io/oauth2-proxy/configuration/integration
 * - https://www.authelia.com/integration/trusted-header-sso/introduction/
 * - https://docs.goauthentik.io/add-secure-apps/providers/proxy/
 * - https://www.pomerium.com/docs/capabilities/getting-users-identity
 * - https://developer.konghq.com/plugins/key-auth/
 * - https://doc.traefik.io/traefik/middlewares/http/passtlsclientcert/
 * - https://tailscale.com/docs/features/tailscale-serve
 * - https://kubernetes.github.io/ingress-nginx/examples/auth/client-certs/
 * - https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers
 * - https://kubernetes.io/docs/reference/access-authn-authz/authentication/
 */
const WHO: Readonly<Record<string, readonly string[]>> = {
  "Cloudflare Access": [
    "cf-access-jwt-assertion",
    "cf-access-authenticated-user-email",
    "cf-access-client-id",
    "cf-access-client-secret",
    "cf-access-token",
  ],
  "Azure Easy Auth": [
    "x-ms-client-principal",
    "x-ms-client-principal-id",
    "x-ms-client-principal-name",
    "x-ms-client-principal-idp",
    "x-ms-client-display-name",
    "x-ms-token-aad-access-token",
    "x-ms-token-aad-id-token",
    "x-ms-token-google-id-token",
    "x-arr-clientcert",
  ],
  "Azure API Management and Functions": ["ocp-apim-subscription-key", "x-functions-key"],
  "Google IAP": [
    "x-goog-iap-jwt-assertion",
    "x-goog-authenticated-user-email",
    "x-goog-authenticated-user-id",
    "x-serverless-authorization",
  ],
  "Google App Engine and Endpoints": [
    "x-appengine-user-email",
    "x-appengine-user-id",
    "x-appengine-user-nickname",
    "x-appengine-user-organization",
    "x-endpoint-api-userinfo",
    "x-apigateway-api-userinfo",
    "x-forwarded-authorization",
    "x-goog-api-key",
  ],
  "AWS": [
    "x-amzn-oidc-accesstoken",
    "x-amzn-oidc-identity",
    "x-amzn-oidc-data",
    "x-amzn-mtls-clientcert",
    "x-amzn-mtls-clientcert-subject",
    "x-amzn-mtls-clientcert-serial-number",
    "x-api-key",
    "x-amz-security-token",
    "x-amz-date",
    "x-amz-content-sha256",
  ],
  "oauth2-proxy": [
    "x-auth-request-user",
    "x-auth-request-email",
    "x-auth-request-groups",
    "x-auth-request-preferred-username",
    "x-auth-request-access-token",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-access-token",
    "x-user",
    "x-email",
  ],
  "Authelia": ["remote-user", "remote-groups", "remote-email", "remote-name"],
  "Authentik": [
    "x-authentik-username",
    "x-authentik-groups",
    "x-authentik-entitlements",
    "x-authentik-email",
    "x-authentik-name",
    "x-authentik-uid",
    "x-authentik-jwt",
  ],
  "Pomerium": ["x-pomerium-jwt-assertion", "x-pomerium-claim-email", "x-pomerium-claim-groups"],
  "Kong": [
    "x-consumer-id",
    "x-consumer-custom-id",
    "x-consumer-username",
    "x-consumer-groups",
    "x-credential-identifier",
    "x-authenticated-userid",
    "x-authenticated-scope",
    "x-anonymous-consumer",
    "apikey",
  ],
  "Traefik": ["x-forwarded-tls-client-cert", "x-forwarded-tls-client-cert-info"],
  "Tailscale": [
    "tailscale-user-login",
    "tailscale-user-name",
    "tailscale-user-profile-pic",
    "tailscale-app-capabilities",
  ],
  "certificates": [
    "x-forwarded-client-cert",
    "x-client-cert",
    "x-ssl-client-cert",
    "x-ssl-client-s-dn",
    "ssl-client-cert",
    "ssl-client-subject-dn",
    "ssl-client-issuer-dn",
    "ssl-client-verify",
    "client-cert",
    "client-cert-chain",
    "x-client-cert-serial-number",
    "cf-client-cert-sha256",
  ],
  "Kubernetes": ["x-remote-user", "x-remote-group", "impersonate-user", "impersonate-group"],
};

for (const way of WAYS) {
  for (const [who, names] of Object.entries(WHO)) {
    Deno.test(`S8b: ${way}: nothing crosses by what says who asks: ${who}`, async () => {
      const site = new Site({}, way);
      for (const name of names) {
        site.answer = ({ headers }) => new Response(headers.get(name));
        await site.read({ headers: { [name]: "ann" } });

        const crossed = [
          await site.kept(),
          await site.kept({ headers: { [name]: "bob" } }),
          await site.kept({ headers: { [name]: "ann" } }),
        ];

        assertEquals([name, ...crossed], [name, undefined, undefined, undefined]);
      }
      assertEquals(site.notKept, names.map(() => "identity"));
    });
  }
}
