import { assert, assertEquals } from "@std/assert";
import { type BreakerEvent, logTo } from "@lastgood/breaker";
import { stage } from "../stage/breaker_stage.ts";
import { only } from "../stage/events.ts";

const BASE = { circuit: "stock", at: 1 };
const PAGE = { url: "http://a.test/x" };

/** One event of each type, with its line in the log. It does not compile if a type is missing. */
const LINES: {
  readonly [T in BreakerEvent["type"]]: readonly [event: BreakerEvent & { type: T }, line?: string];
} = {
  state: [
    {
      ...BASE,
      type: "state",
      from: "closed",
      to: "open",
      reason: "5 failed",
      retryAfterMs: 59_001,
    },
    "[stock] Changed state from closed to open: 5 failed; retry after 60 secs",
  ],
  stale: [
    { ...BASE, ...PAGE, type: "stale", why: "open", ageMs: 412_999 },
    "[stock] Served the last good response, 412 secs old (open): http://a.test/x",
  ],
  would_refuse: [
    { ...BASE, type: "would_refuse", retryAfterMs: 5, why: "open" },
    "[stock] Would refuse calls now (mode observe)",
  ],
  error: [
    { ...BASE, type: "error", source: "judge", error: new TypeError("no") },
    "[stock] Error in judge: TypeError: no",
  ],
  success: [{ ...BASE, type: "success", cause: "upstream", durationMs: 1, status: 200 }],
  failure: [{ ...BASE, type: "failure", cause: "upstream", durationMs: 1, error: "x" }],
  ignored: [{ ...BASE, type: "ignored", cause: "abort", why: "aborted" }],
  refused: [{ ...BASE, type: "refused", retryAfterMs: 5, why: "probing" }],
  probe: [{ ...BASE, type: "probe" }],
  kept: [{ ...BASE, ...PAGE, type: "kept", bytes: 1 }],
  not_kept: [{ ...BASE, ...PAGE, type: "not_kept", why: "cookie" }],
  fresh: [{ ...BASE, ...PAGE, type: "fresh", ageMs: 1 }],
  removed: [{ ...BASE, ...PAGE, type: "removed", why: "status" }],
  evicted: [{ ...BASE, type: "evicted" }],
};

function logged(event: BreakerEvent): string[] {
  const lines: string[] = [];
  logTo({ log: (...args: string[]) => lines.push(...args) })(event);
  return lines;
}

for (const [type, [event, line]] of Object.entries(LINES)) {
  Deno.test(`logTo writes ${line === undefined ? "nothing" : "one line"} for ${type}`, () => {
    assertEquals(logged(event as BreakerEvent), line === undefined ? [] : [line]);
  });
}

Deno.test("logTo gives no time if there is none", () => {
  const move = { ...BASE, type: "state", from: "open", to: "half_open" } as const;

  assertEquals(logged({ ...move, reason: "the delay is over", retryAfterMs: 0 }), [
    "[stock] Changed state from open to half_open: the delay is over",
  ]);
  assertEquals(logged({ ...move, reason: "isolated", retryAfterMs: Infinity }), [
    "[stock] Changed state from open to half_open: isolated",
  ]);
});

Deno.test("logTo writes one line, whatever control characters it gets", () => {
  const forged = "a\r\nb\u0000c\u001b[31md\u0085e\u2028f\u2029g\u007fh";
  const page = { url: forged, circuit: forged };
  const events: BreakerEvent[] = [
    { ...LINES.state[0], reason: forged, circuit: forged },
    { ...LINES.stale[0], ...page },
    { ...LINES.error[0], error: new Error(forged) },
  ];

  for (const event of events) {
    const [line, ...more] = logged(event);
    assertEquals(more, []);
    // deno-lint-ignore no-control-regex
    assert(!/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(line!));
    assert(line!.includes("a  b c [31md e f g h"));
  }
});

const SECRET = "s3cr3t";

/** Words with a secret in a URL, and what is shown of them. */
const URLS: readonly (readonly [string, string])[] = [
  [`https://a.test/x?access_token=${SECRET}`, "https://a.test/x"],
  [`https://a.test/?${SECRET}`, "https://a.test/"],
  [`https://a.test?)${SECRET}`, "https://a.test"],
  [`https://a.test/x#access_token=${SECRET}`, "https://a.test/x"],
  [`https://ann:${SECRET}@a.test/@x`, "https://a.test/@x"],
  [`https://${SECRET}@x@a.test/`, "https://a.test/"],
  [`(https://a.test/x?t=${SECRET}):`, "(https://a.test/x"],
  [`/x?t=${SECRET}`, "/x"],
  [`x?t=${SECRET}`, "x"],
  [`wss://a.test/x?t=${SECRET}&u=wss://b.test/?v=${SECRET}`, "wss://a.test/x"],
];

for (const [url, shown] of URLS) {
  Deno.test(`N8: logTo shows ${shown} of ${url}`, () => {
    const events: BreakerEvent[] = [
      { ...LINES.stale[0], url, circuit: url },
      { ...LINES.state[0], reason: `trip by ${url} now`, circuit: url },
      { ...LINES.error[0], error: new TypeError(`error sending request for ${url} now`) },
      { ...LINES.error[0], error: `no ${url} there` },
    ];

    for (const event of events) {
      const [line = ""] = logged(event);
      assert(line.includes(shown), line);
      assert(!line.includes(SECRET), line);
    }
  });
}

Deno.test("N8: logTo leaves questions and other text as they are", () => {
  for (const text of ["Is it up? No.", "really?yes (why?)", "issue #12 a/b c=d", "what?!"]) {
    assertEquals(logged({ ...LINES.error[0], error: text }), [`[stock] Error in judge: ${text}`]);
  }
});

Deno.test("N8: logTo takes linear time", () => {
  for (const part of ["?", "://", "://a@", "a?b=", "/?", "#"]) {
    const began = performance.now();
    logged({ ...LINES.error[0], error: part.repeat(200_000) });
    assert(performance.now() - began < 1_000, part);
  }
});

Deno.test("N8: events carry the whole URL", async () => {
  const act = stage([{ body: "old" }, 500]);
  await act.text({ path: `/?t=${SECRET}` });
  await act.text({ path: `/?t=${SECRET}` });

  const [stale] = only(act.events, "stale");

  assertEquals(stale?.url, `http://origin.test/?t=${SECRET}`);
});

Deno.test("logTo describes whatever was thrown", () => {
  const untellable = { toString: () => Object.create(null) };
  for (const error of [undefined, null, Symbol("s"), Object.create(null), untellable]) {
    assertEquals(logged({ ...LINES.error[0], error }).length, 1);
  }
});

Deno.test("every event carries its type, its circuit and the time", async () => {
  const judge = () => {
    throw new Error("no");
  };
  const script = [{ body: "old" }, 500, { body: "new" }];
  const act = stage(script, { threshold: 1, judge, waitUntil: () => {} });
  await act.text();
  await act.text();
  await act.text();
  act.tick(1_000);
  await act.text();
  await act.api.idle();

  const types = new Set(act.types);
  for (
    const type of ["state", "success", "failure", "refused", "probe", "kept", "stale", "error"]
  ) {
    assert(types.has(type), type);
  }
  for (const { circuit, at } of act.events) {
    assertEquals(typeof at, "number");
    assert(circuit === "http://origin.test");
  }
});

Deno.test("a circuit's events come in order", async () => {
  const act = stage([500, 500, 200], { threshold: 1, lastGood: false });
  await act.ask();
  await act.ask().catch(() => {});
  act.tick(1_000);
  await act.ask();
  act.tick(1_000);
  await act.ask();

  const reported = act.events.map((it) => it.type === "state" ? `${it.from} to ${it.to}` : it.type);
  assertEquals(reported, [
    "failure",
    "closed to open",
    "refused",
    "open to half_open",
    "probe",
    "failure",
    "half_open to open",
    "open to half_open",
    "probe",
    "success",
    "half_open to closed",
  ]);
});
