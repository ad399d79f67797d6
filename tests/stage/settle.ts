/** Runs all pending microtasks, without a timer. */
export async function settled(turns = 100): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
}

/** Reports a promise's state, without waiting for it. */
export async function standing(promise: Promise<unknown>): Promise<string> {
  let standing = "pending";
  promise.then(() => standing = "fulfilled", () => standing = "rejected");
  await settled();
  return standing;
}
