import { assertEquals } from "@std/assert";
import { stream, streamSSE } from "hono/streaming";
import { pieces } from "../stage/bodies.ts";
import { types } from "../stage/events.ts";
import { Edge } from "../stage/hono_stage.ts";
import { settled } from "../stage/settle.ts";

Deno.test("S13: an SSE handler passes through untouched, event by event", async () => {
  const edge = new Edge();
  let more = () => {};
  edge.answer = (c) =>
    streamSSE(c, async (out) => {
      await out.writeSSE({ data: "one", event: "tick", id: "1" });
      await new Promise<void>((resolve) => more = resolve);
      await out.writeSSE({ data: "two" });
    });

  const response = await edge.get();
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const first = await reader.read();
  more();
  const second = await reader.read();
  const end = await reader.read();

  assertEquals(response.headers.get("content-type"), "text/event-stream");
  assertEquals([first.value, second.value], ["event: tick\ndata: one\nid: 1\n\n", "data: two\n\n"]);
  assertEquals(end.done, true);
  // Hono sets no-cache; without it, the content type would be the reason.
  assertEquals(edge.notKept, ["no-cache"]);
});

Deno.test("21: a streaming handler is read as it writes, and its body is kept when it ends", async () => {
  const edge = new Edge();
  let more = () => {};
  edge.answer = (c) =>
    stream(c, async (out) => {
      await out.write("one,");
      await new Promise<void>((resolve) => more = resolve);
      await out.write("two");
    });

  const response = await edge.get();
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const first = await reader.read();
  const before = types(edge.events);
  more();
  const second = await reader.read();
  await reader.read();
  edge.fail();

  assertEquals([first.value, second.value, before], ["one,", "two", []]);
  assertEquals(await edge.read(), "one,two");
});

Deno.test("21: a streaming handler learns that its client left, and is not kept", async () => {
  const edge = new Edge({}, { threshold: 1 });
  let isAborted = false;
  let written = () => {};
  edge.answer = (c) =>
    stream(c, async (out) => {
      out.onAbort(() => void (isAborted = true));
      await out.write("one,");
      await new Promise<void>((resolve) => written = resolve);
    });

  const response = await edge.get();
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
  written();
  await settled();

  assertEquals(isAborted, true);
  assertEquals(edge.notKept, ["cancelled"]);
  assertEquals(edge.types, ["success"]);
});

Deno.test("S12: a streaming handler that breaks off is a failure and is not kept", async () => {
  const edge = new Edge();
  edge.answer = () => new Response(pieces("one,", new Error("broken off")));

  const error = await edge.read().then(() => undefined, (error) => error as Error);

  assertEquals(error?.message, "broken off");
  assertEquals(edge.types, ["failure"]);
});
