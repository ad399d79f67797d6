/**
 * Lets readers who bring their own buffers read this stream, as they can read a fetched body. Only for
 * them it is turned into a stream of bytes, so it costs nothing where they do not come.
 */
export function offerByob<S extends ReadableStream<Uint8Array>>(stream: S): S {
  if (Object.hasOwn(stream, "getReader")) return stream;
  let bytes: ReadableStream<Uint8Array> | undefined;
  const getReader = stream.getReader.bind(stream);
  const value = (options?: { mode?: "byob" }) => {
    if (options?.mode === "byob") bytes ??= asBytes(getReader());
    return bytes === undefined ? getReader() : bytes.getReader(options as { mode: "byob" });
  };
  return Object.defineProperty(stream, "getReader", { value });
}

function asBytes(reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      let next = await reader.read();
      // A stream of bytes refuses an empty chunk.
      while (next.value?.byteLength === 0) next = await reader.read();
      // It takes over the buffer of its chunk, which may be part of a larger one.
      if (!next.done) return controller.enqueue(next.value.slice());
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** Returns a stream of the same chunks that ends with the reason of this signal once it aborts. */
export function abortable(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  return new ReadableStream({
    async pull(controller) {
      reader ??= stream.getReader();
      if (signal.aborted) {
        reader.cancel(signal.reason).catch(() => {});
        return controller.error(signal.reason);
      }
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => (reader ?? stream).cancel(reason),
  }, { highWaterMark: 0 });
}
