/** Hosts that stand still between two requests, as AWS Lambda does. */
import { assert, assertEquals } from "std/assert";
import { boundary, elapsed } from "./stage/case.ts";
import { RawOrigin, text } from "./stage/origin.ts";
import { startProgram } from "./stage/program.ts";

/** Longer than every limit in the program. */
const FROZEN_MS = 600;

const LAMBDA = {
  AWS_LAMBDA_FUNCTION_NAME: "app",
  AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x",
  LAMBDA_TASK_ROOT: "/var/task",
  AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9001",
};

interface Story {
  readonly texts: readonly string[];
  readonly state: string;
  readonly ends: readonly string[];
}

/** Sends an outage and its end through a host that stands still after each answer. */
async function story(way: string, patience: string): Promise<Story> {
  let page = "one";
  using origin = await RawOrigin.start(function* () {
    if (page === "") return;
    // Behind an answer, this would come after the freeze.
    yield elapsed(30);
    yield* text(page);
  });
  const env = { ...LAMBDA, ORIGIN: origin.url, WAY: way, PATIENCE_MS: patience };
  using program = startProgram("app.mjs", env);
  const url = await program.address();
  const ask = async (path = "") => {
    program.child.kill("SIGCONT");
    const answer = await (await fetch(url + path, { keepalive: false })).text();
    program.child.kill("SIGSTOP");
    await elapsed(FROZEN_MS);
    return answer;
  };
  const texts = [await ask()];
  page = "";
  texts.push(await ask());
  page = "two";
  for (let n = 0; n < 4; n++) texts.push(await ask());
  return { texts, ...JSON.parse(await ask("state")) };
}

/** All go on at once, as they only wait. */
let stories: Promise<Story>[] | undefined;

const APPS = ["fetch", "wrap", "respond", "hono"].flatMap((way) =>
  ["", "10"].map((patience) => [way, patience] as const)
);

for (const [index, [way, patience]] of APPS.entries()) {
  const how = patience === "" ? "" : " with patienceMs";
  boundary(
    `33: ${way}${how} in a host that freezes ends with a closed circuit (node, bun)`,
    async () => {
      if (stories === undefined) {
        stories = APPS.map(([way, patience]) => story(way, patience));
        for (const story of stories) story.catch(() => {});
      }

      const { texts, state, ends } = await stories[index]!;

      assertEquals(texts.slice(0, 2), ["one", "one"]);
      assertEquals([texts.at(-1), state], ["two", "closed"], String(ends));
      assert(!ends.includes("failure timeout"), String(ends));
    },
    ["node", "bun"],
  );
}
