import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { verdicts } from "./bench/figures.ts";
import { LINES } from "./bench/lines.ts";
import { announceOn, Progress } from "./bench/progress.ts";
import { OrderError, orderFrom, USAGE } from "./bench/usage.ts";

Deno.test("bench: an unknown line is refused with the nearest one and all others", () => {
  const { message } = assertThrows(() => orderFrom(["hno"]), OrderError);

  assertStringIncludes(message, 'There is no line "hno". Did you mean "hono"?');
  for (const name of Object.keys(LINES)) assertStringIncludes(message, name);
});

Deno.test("bench: an unknown runtime or option is refused with those that there are", () => {
  assertThrows(() => orderFrom(["--runtime", "nod"]), OrderError, 'Did you mean "node"?');
  assertThrows(() => orderFrom(["--runtime"]), OrderError, "deno, node");
  assertThrows(() => orderFrom(["--quik"]), OrderError, 'Did you mean "--quick"?');
  assertThrows(() => orderFrom(["quite-else"]), OrderError, "Each line is one of closed");
});

Deno.test("bench: a line that workerd cannot measure is refused there", () => {
  assertThrows(() => orderFrom(["closed", "--runtime", "workerd"]), OrderError, "only keep");
});

Deno.test("bench: a quick run writes no table", () => {
  assertThrows(() => orderFrom(["--quick", "--write"]), OrderError, "--quick");
});

Deno.test("bench: without arguments, every line is measured on Deno", () => {
  assertEquals(orderFrom([]), {
    lines: Object.keys(LINES),
    runtimes: ["deno"],
    isQuick: false,
    writes: false,
  });
});

Deno.test("bench: help names every line with its title", () => {
  assertEquals(orderFrom(["closed", "--help"]), undefined);
  for (const [name, { title }] of Object.entries(LINES)) {
    assertStringIncludes(USAGE, `  ${name} `);
    assertStringIncludes(USAGE, title);
  }
});

Deno.test("bench: a target may differ per runtime, and be missing on one", () => {
  const line = {
    ...LINES["closed"]!,
    targets: [{ measure: "ns", of: "ours", over: "theirs", atMost: { deno: 1, node: 2 } }],
  };
  const samples = { "ns": { ours: [150, 150, 150], theirs: [100, 100, 100] } };

  const met = ["deno", "node", "node20", "bun"].map((on) => {
    const [{ met, target } = { met: undefined, target: undefined }] = verdicts(line, samples, on);
    return [on, met, target];
  });

  assertEquals(met, [
    ["deno", false, "<= 1"],
    ["node", true, "<= 2"],
    ["node20", true, "<= 2"],
    ["bun", true, ""],
  ]);
});

Deno.test("bench: progress on a terminal rewrites one line, cut to its width", () => {
  const { screen, printed } = fakeScreen(true, 30);
  const progress = new Progress("keep on deno", 9, screen);

  progress.round(1, 31);
  progress.round(2, 31);
  progress.end();

  assertEquals(printed, [
    "\r\x1b[2Kkeep on deno",
    "\r\x1b[2Kkeep on deno: 1 of 9 measures",
    "\r\x1b[2Kkeep on deno: 1 of 9 measures",
    "\r\x1b[2K",
  ]);
});

Deno.test("bench: progress elsewhere is a plain line when a line of the benchmark begins", () => {
  const { screen, printed } = fakeScreen(false, 0);
  const progress = new Progress("keep on deno", 9, screen);

  for (let round = 1; round <= 31; round++) progress.round(round, 31);
  progress.end();

  assertEquals(printed, ["keep on deno\n"]);
});

Deno.test("bench: progress counts the measures of child processes, one after the other", () => {
  const { screen, printed } = fakeScreen(true, 80);
  const progress = new Progress("unused on node", 4, screen);
  let said = "";
  for (const _ of ["first", "second"]) {
    said = "";
    const hear = progress.hearing();
    const announce = announceOn((text) => hear(said += text));

    announce(1, 2);
    announce(1, 2);
  }

  assertEquals(printed.at(-1), "\r\x1b[2Kunused on node: 4 of 4 measures, round 1 of 2");
});

function fakeScreen(isTerminal: boolean, columns: number) {
  const printed: string[] = [];
  return { screen: { isTerminal, columns, print: (text: string) => printed.push(text) }, printed };
}
