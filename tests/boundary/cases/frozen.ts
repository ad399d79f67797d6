/** Hosts that stand still between two requests, as AWS Lambda does. */
import { assert, assertEquals } from "std/assert";
import { boundary, elapsed } from "./stage/case.ts";
import { HOST } from "./stage/host.ts";
import { RawOrigin, text } from "./stage/origin.ts";
import { startProgram } from "./stage/program.ts";

/** Longer than every limit in the program. */
const FROZEN_MS = 400;

const LAMBDA = {
  AWS_LAMBDA_FUNCTION_NAME: "app",
  AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x",
  LAMBDA_TASK_ROOT: "/var/task",
  AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9001",
};

for (const way of ["fetch", "wrap", "hono"]) {
  for (const patience of ["", "10"]) {
    const how = patience === "" ? "" : " with patienceMs";
    boundary(`33: ${way}${how} in a host that freezes ends with a closed circuit`, async () => {
      let page = "one";
      using origin = await RawOrigin.start(function* () {
        if (page === "") return;
        // Behind an answer, this would come after the freeze.
        yield elapsed(30);
        yield* text(page);
      });
      using program = startProgram("app.mjs", {
        ...LAMBDA,
        ORIGIN: origin.url,
        WAY: way,
        PATIENCE_MS: patience,
      });
      const url = await program.address();
      /** Thaws the host for one request. */
      const ask = async (path = "") => {
        program.child.kill("SIGCONT");
        const answer = await (await fetch(url + path, { keepalive: false })).text();
        program.child.kill("SIGSTOP");
        await elapsed(FROZEN_MS);
        return answer;
      };
      const first = await ask();
      page = "";
      const down = await ask();
      page = "two";

      const texts: string[] = [];
      for (let n = 0; n < 4; n++) texts.push(await ask());
      const state = JSON.parse(await ask("state"));

      assertEquals([first, down], ["one", "one"]);
      assertEquals(texts.at(-1), "two");
      assertEquals(state.state, "closed", JSON.stringify(state));
      assert(!state.ends.includes("failure timeout"), JSON.stringify(state));
    }, HOST === "deno" ? [] : ["node", "bun"]);
  }
}
