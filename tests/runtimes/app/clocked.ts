/** The Worker of the examples as it is, under a clock that the one who asks sets ahead. */
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
