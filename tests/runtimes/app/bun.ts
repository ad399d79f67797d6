import app from "./clocked.ts";

declare const Bun: {
  serve(options: unknown): { readonly url: URL };
};

const { url } = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request: Request) => app.fetch(request),
});
console.log(`listening on ${url}`);
