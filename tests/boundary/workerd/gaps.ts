import type { Deployment } from "./matrix.ts";

/** A case that fails today. */
export interface Gap {
  readonly test: string;
  /** Reports where it fails; everywhere if left out. */
  readonly on?: (deployment: Deployment) => boolean;
}

/**
 * A case on this list that passes fails the run, so the list can only shrink. It must be empty before
 * a release.
 */
export const GAPS: readonly Gap[] = [];
