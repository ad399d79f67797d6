/** The Worker under test. It logs what an app would report as an error. */
import { type Context, type Env, handlerFor, TAKEN_BACK, UNHANDLED } from "./border.ts";
import "./cases/main.ts";

export { siteFetch } from "./cases/hosting.ts";

export default {
  async fetch(request: Request, env: Env, ctx: Context): Promise<Response> {
    try {
      return await handlerFor(request)(request, env, ctx);
    } catch (error) {
      console.error(`Rejected: ${error}`);
      throw error;
    }
  },
};

globalThis.addEventListener("unhandledrejection", ({ reason }) => {
  console.error(`${UNHANDLED} ${reason}`);
});

// By older compatibility dates, a rejection is reported at once, and taken back a microtask later.
globalThis.addEventListener("rejectionhandled", () => console.error(TAKEN_BACK));
