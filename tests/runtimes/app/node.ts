import { serve } from "npm:@hono/node-server@2";
import app from "./clocked.ts";

serve({ hostname: "127.0.0.1", port: 0, fetch: app.fetch as never }, ({ port }) => {
  console.log(`listening on http://127.0.0.1:${port}/`);
});
