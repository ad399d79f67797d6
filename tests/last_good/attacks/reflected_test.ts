/** Attacks by fields that origins reflect though nobody keys on them (K3). */

import { assert, assertEquals } from "@std/assert";
import { seeded } from "../../stage/random.ts";
import { Site } from "../../stage/site.ts";
import { page } from "../../stage/upstream.ts";
import { EVERY_WAY } from "../../stage/ways.ts";

/** Fields that origins and frameworks build links from, or choose the page by. */
const ECHOED: Readonly<Record<string, string>> = {
  "X-Forwarded-Host": "evil.test",
  "X_Forwarded_Host": "evil.test",
  "x-forwarded_host": "evil.test",
  "X-Forwarded-Server": "evil.test",
  "X-Forwarded-Port": "1337",
  "X-Forwarded-Prefix": "/evil",
  "X-Forwarded-Path": "/evil",
  "X-Forwarded-Uri": "/evil",
  "X-Forwarded-Scheme": "nothttps",
  "X-Forwarded-Proto": "http",
  "X-Forwarded-Protocol": "http",
  "X-Forwarded-Ssl": "off",
  "X-Forwarded-Method": "DELETE",
  "X-Forwarded": "host=evil.test",
  "Forwarded": "host=evil.test",
  "X-Original-Url": "/evil",
  "X-Original-Uri": "/evil",
  "X_Original_Url": "/evil",
  "X-Original-Host": "evil.test",
  "X-Original-Method": "DELETE",
  "X-Rewrite-Url": "/evil",
  "X-Rewrite-Path": "/evil",
  "X-Http-Method": "DELETE",
  "X-Http-Method-Override": "DELETE",
  "X-Http-Host-Override": "evil.test",
  "X-Http-Destinationurl": "http://evil.test",
  "X-Method-Override": "DELETE",
  "Http-Method-Override": "DELETE",
  "X-Host-Override": "evil.test",
  "X-Host": "evil.test",
  "X-Real-Host": "evil.test",
  "X-Backend-Host": "evil.test",
  "X-Proxy-Url": "http://evil.test",
  "X-Url-Scheme": "http",
  "Front-End-Https": "off",
  "X-Middleware-Rewrite": "/evil",
  "X-Middleware-Prefetch": "1",
  "X-Invoke-Path": "/evil",
  "X-Invoke-Status": "404",
  "X-Nextjs-Data": "1",
  "Rsc": "1",
  "Next-Router-State-Tree": "evil",
  "Next-Url": "/evil",
};

/** Fields that carry the client's address, or that every client has another value of. */
const OWN: Readonly<Record<string, string>> = {
  "X-Forwarded-For": "198.51.100.7",
  "X-Original-Forwarded-For": "198.51.100.7",
  "X-Real-Ip": "198.51.100.7",
  "True-Client-Ip": "198.51.100.7",
  "Cf-Connecting-Ip": "198.51.100.7",
  "Fly-Client-Ip": "198.51.100.7",
  "X-Request-Id": "d4f0",
  "X-Amzn-Trace-Id": "Root=1-67891233",
  "Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  "Cf-Ray": "230b030023ae2822-SJC",
  "X-Vercel-Id": "sfo1::7b2kx",
  "X-Vercel-Oidc-Token": "eyJ",
  "X-Vercel-Proxy-Signature": "Bearer 1",
  "X-Nf-Account-Id": "a1",
  "X-Nf-Request-Id": "01",
  "Cf-Cert-Presented": "false",
  "Exposed-Credential-Check": "4",
  "Forwarded": "for=198.51.100.7;by=203.0.113.43",
};

for (const way of EVERY_WAY) {
  Deno.test(`K3: ${way}: a field that the origin echoes poisons nobody else's page`, async () => {
    const poisoned = [];
    for (const [name, value] of Object.entries(ECHOED)) {
      const site = new Site({ lastGood: { refreshMs: 0 } }, way);
      site.answer = ({ headers }) => new Response(headers.get(name) ?? "good");
      await site.read();
      await site.read({ headers: { [name]: value } });
      site.clock.tick(5_000);
      await site.read({ headers: { [name]: value } });

      const found = [await site.kept(), await site.kept({ headers: { [name]: "else" } })];

      if (found[0] !== "good" || found[1] !== undefined) poisoned.push(name);
    }
    assertEquals(poisoned, []);
  });

  Deno.test(`K3: ${way}: a page of which only the attacker has a copy reaches nobody`, async () => {
    const poisoned = [];
    for (const [name, value] of Object.entries(ECHOED)) {
      const site = new Site({}, way);
      await site.read({ headers: { [name]: value } });

      if (await site.kept() !== undefined) poisoned.push(name);
    }
    assertEquals(poisoned, []);
  });

  Deno.test(`K3: ${way}: what a client gets through the same proxy is kept for the next one`, async () => {
    const missing = [];
    for (const [name, value] of Object.entries(ECHOED)) {
      const headers = { [name]: value };
      const site = new Site({}, way);
      await site.read({ headers });

      if (await site.kept({ headers }) !== "good") missing.push(name);
    }
    assertEquals(missing, []);
  });

  Deno.test(`K3, S8b: ${way}: fields that differ for each client split no page`, async () => {
    const split = [];
    for (const [name, value] of Object.entries(OWN)) {
      const site = new Site({}, way);
      await site.read({ headers: { [name]: value } });

      const others = value.replace(/7/g, "8") + "0";
      if (await site.kept({ headers: { [name]: others } }) !== "good") split.push(name);
      else if (await site.kept() !== "good") split.push(name);
    }
    assertEquals(split, []);
  });

  Deno.test(`K3: ${way}: of Forwarded, the host and the proto belong to the key, in any spelling`, async () => {
    const site = new Site({ lastGood: { maxVariants: 100 } }, way);
    const values = [
      "host=evil.test",
      "Host=evil.test",
      'for=192.0.2.1;HOST="evil.test"',
      "for=192.0.2.1 ; host=evil.test",
      'for="[2001:db8::1]", host=evil.test',
      "for=x;proto=http",
      'by="a;b",for=y;proto=gopher',
      "host",
      'host="evil',
      "=host=evil.test",
      ";;;host=evil.test",
    ];
    await site.read();
    site.answer = page({}, "evil");

    for (const value of values) await site.read({ headers: { forwarded: value } });

    assertEquals(await site.kept(), "good");
    for (const value of ["for=192.0.2.1", "for=_hidden;by=203.0.113.43", ""]) {
      const found = await site.kept({ headers: { forwarded: value } });
      assert(found === "good" || found === undefined, value);
    }
  });

  Deno.test(`K3: ${way}: no random Forwarded is answered with the page of another host`, async () => {
    const next = seeded(11);
    const parts = [
      "host=",
      "proto=",
      "for=",
      "by=",
      "a.test",
      "b.test",
      '"',
      ";",
      ",",
      " ",
      "\\",
      "=",
    ];
    const site = new Site({ lastGood: { maxVariants: 5_000, refreshMs: 0 } }, way);
    site.answer = ({ headers }) => new Response(hostIn(headers.get("forwarded") ?? ""));
    const values = Array.from({ length: 400 }, () => {
      let value = "";
      for (let n = 1 + Math.floor(next() * 9); n > 0; n--) {
        value += parts[Math.floor(next() * parts.length)];
      }
      return value.trim();
    });
    for (const forwarded of values) await site.read({ headers: { forwarded } });

    for (const forwarded of values) {
      const found = await site.kept({ headers: { forwarded } });

      assert(
        found === undefined || found === hostIn(forwarded),
        JSON.stringify([forwarded, found]),
      );
    }
  });
}

/** How a careless origin reads Forwarded. */
function hostIn(value: string): string {
  const pairs = value.split(/[;,]/).map((pair) => pair.trim().toLowerCase().split("="));
  return JSON.stringify(pairs.filter(([name]) => name === "host" || name === "proto"));
}
