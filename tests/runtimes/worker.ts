/** The runner for workerd: `workerd test` calls `test`; requests to `env.SELF` reach `fetch`. */
import { runAll } from "./collector.ts";
import { answer, type Env, type ExecutionContext, host } from "./workerd/host.ts";

export default {
  fetch: answer,
  async test(_controller: unknown, env: Env, ctx: ExecutionContext): Promise<void> {
    host.env = env;
    host.ctx = ctx;
    await runAll();
  },
};
