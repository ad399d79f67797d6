/**
 * Cases that fail today, by host. A case on this list that passes fails the run, so the list can
 * only shrink. It must be empty before a release.
 */
export const GAPS: Readonly<Record<string, readonly string[]>> = {};
