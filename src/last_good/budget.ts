/**
 * The bytes that a breaker may hold in memory (N3): copies under way and unread answers take their
 * share of it as they grow, so that with them, what is kept stays below one limit.
 */
export interface Budget {
  /**
   * Takes a share.
   *
   * @param mayEvict True if responses that were asked for often may go to make room: for a copy that
   * replaces such a one.
   * @returns False if there is no room; then nothing is taken.
   */
  reserve(bytes: number, mayEvict: boolean): boolean;
  /** Gives a share back. */
  release(bytes: number): void;
}
