/** Counts the listeners added through a signal's own methods from now on. */
export function listenersOf(signal: AbortSignal): { readonly count: number } {
  let count = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    count++;
    return addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    count--;
    return removeEventListener.apply(signal, args);
  };
  return {
    get count() {
      return count;
    },
  };
}
