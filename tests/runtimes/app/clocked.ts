/** The Worker from the examples, unchanged, under a clock that each request sets ahead. */
import app from "../../../examples/cloudflare_worker.ts";

const { now } = Date;
let aheadMs = 0;
Date.now = () => now.call(Date) + aheadMs;

type Rest = Parameters<typeof app.fetch> extends [Request, ...infer R] ? R : never;

export default {
  fetch(request: Request, ...rest: Rest): Response | Promise<Response> {
    aheadMs = Number(request.headers.get("x-ahead-ms"));
    return app.fetch(request, ...rest);
  },
};
