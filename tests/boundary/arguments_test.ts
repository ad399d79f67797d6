import { assert, assertEquals, assertRejects } from "@std/assert";
import { breaker, type BreakerEvent } from "@lastgood/breaker";
import { deferred } from "../stage/deferred.ts";
import { head, RawOrigin } from "./raw_origin.ts";

/** Starts a server that reports how it was asked. */
function echo() {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const text = await request.text();
      return Response.json({ fields: [...request.headers], text });
    },
  );
  return { server, url: `http://127.0.0.1:${server.addr.port}/` };
}

/** A port on which nobody listens. */
function deadUrl(): string {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return `http://127.0.0.1:${port}/`;
}

function heard(timeoutMs: number) {
  const causes: unknown[] = [];
  const onEvent = (event: BreakerEvent) => {
    if (event.type === "failure") causes.push(event.cause);
    if (event.type === "ignored") causes.push(event.why);
  };
  return { api: breaker({ threshold: 1, timeoutMs, onEvent }), causes };
}

const BODIES: Readonly<Record<string, () => BodyInit>> = {
  "text": () => "hello",
  "parameters": () => new URLSearchParams("a=b"),
  "bytes": () => new Uint8Array([104, 105]),
};

for (const [what, make] of Object.entries(BODIES)) {
  Deno.test(`28: a Request with ${what} arrives with its length, also with all callbacks`, async () => {
    const { server, url } = echo();
    await using _ = server;
    const api = breaker({
      key: ({ url }) => url,
      judge: (_, request) => request ? "success" : undefined,
      lastGood: { partition: () => Promise.resolve("p") },
    });
    const fieldsBy = async (call: typeof fetch) => {
      const request = new Request(url, { method: "PUT", body: make() });
      const { fields } = await (await call(request)).json();
      return fields.filter(([name]: [string]) => /length|encoding|type/.test(name));
    };

    const guarded = await fieldsBy(api.fetch as typeof fetch);

    assertEquals(guarded, await fieldsBy(fetch));
    assert(guarded.some(([name]: [string]) => name === "content-length"));
  });
}

Deno.test("28: a stream of a known length arrives with it", async () => {
  const { server, url } = echo();
  await using _ = server;
  const { body } = await fetch(url);

  const response = await breaker().fetch(url, { method: "POST", body });

  const { fields } = await response.json();
  assert(fields.some(([name]: [string]) => name === "content-length"));
});

for (const by of ["a dead port", "a reset"]) {
  Deno.test(`28: the caller stays in the stack of the error of ${by}`, async () => {
    await using origin = new RawOrigin(() => []);
    const url = by === "a reset" ? origin.url : deadUrl();
    const { fetch } = breaker();
    async function theCaller() {
      return await fetch(url);
    }

    const error = await assertRejects(theCaller, TypeError);

    assertEquals(error.stack?.match(/theCaller/g)?.length, 1);
    assert(error.stack?.startsWith(`TypeError: ${error.message}\n`));
  });
}

/** A body that sends something, and then ends as told. */
function upload(end: "ends" | "breaks" | "goes on"): ReadableStream<Uint8Array> {
  let pulls = 0;
  return new ReadableStream({
    pull(controller) {
      if (pulls++ === 0) return controller.enqueue(new TextEncoder().encode("one"));
      if (end === "ends") controller.close();
      else if (end === "breaks") controller.error(new Error("the client left"));
      else return new Promise(() => {});
    },
  });
}

const FORMS: Readonly<
  Record<string, (url: string, body: BodyInit) => [string | Request, object?]>
> = {
  "init": (url, body) => [url, { method: "POST", body }],
  "a Request": (url, body) => [new Request(url, { method: "POST", body })],
};

for (const [form, make] of Object.entries(FORMS)) {
  for (
    const [end, cause] of [["ends", "timeout"], ["breaks", "upload"], [
      "goes on",
      "upload",
    ]] as const
  ) {
    Deno.test(`32: a stream in ${form} that ${end} while the upstream is silent: ${cause}`, async () => {
      const silence = deferred<void>();
      await using origin = new RawOrigin(() => [silence.promise]);
      const { api, causes } = heard(100);
      const [input, init] = make(origin.url, upload(end));

      await assertRejects(() => api.fetch(input, init));
      silence.resolve();

      assertEquals(causes, [cause]);
    });

    if (end === "breaks") continue;

    Deno.test(`32: a stream in ${form} that ${end}, to a dead port, counts`, async () => {
      const { api, causes } = heard(1_000);
      const [input, init] = make(deadUrl(), upload(end));

      await assertRejects(() => api.fetch(input, init), TypeError);

      assertEquals(causes, ["upstream"]);
    });
  }

  Deno.test(`32: a stream in ${form} that is answered by 503 counts`, async () => {
    const unavailable = head("content-length: 0").replace("200 OK", "503 Unavailable");
    await using origin = new RawOrigin(() => [unavailable]);
    const { api, causes } = heard(1_000);
    const [input, init] = make(origin.url, upload("ends"));

    const response = await api.fetch(input, init);
    await response.text();

    assertEquals(response.status, 503);
    assertEquals(causes, ["upstream"]);
  });

  for (const [what, make] of Object.entries({ ...BODIES, "a form": () => new FormData() })) {
    Deno.test(`32: ${what} in ${form} is there at once, so a silent upstream counts`, async () => {
      const silence = deferred<void>();
      await using origin = new RawOrigin(() => [silence.promise]);
      const { api, causes } = heard(100);
      const [input, init] = FORMS[form]!(origin.url, make());

      await assertRejects(() => api.fetch(input, init), DOMException);
      silence.resolve();

      assertEquals(causes, ["timeout"]);
    });
  }
}

const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

Deno.test("28: relative URLs work with --location", async () => {
  const { server, url } = echo();
  await using _ = server;
  const script = `
    import { breaker } from "${new URL("../../mod.ts", import.meta.url)}";
    const api = breaker();
    const { text } = await (await api.fetch("/a", { method: "POST", body: "hello" })).json();
    console.log(text, ...api.circuits().map(([key]) => key));
  `;
  const main = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(main, script);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", "--config", CONFIG, "--location", `${url}dir/`, main],
    }).output();

    assertEquals(new TextDecoder().decode(stdout).trim(), `hello ${url.slice(0, -1)}`);
  } finally {
    await Deno.remove(main);
  }
});
