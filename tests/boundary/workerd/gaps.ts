import type { Deployment } from "./matrix.ts";

/** A case that fails today. */
export interface Gap {
  readonly test: string;
  /** Reports where it fails; everywhere if left out. */
  readonly on?: (deployment: Deployment) => boolean;
}

/** Services have methods there. */
const hasMethods = ({ date }: Deployment) => date >= "2024-04-03";
const hasRequestSignal = (deployment: Deployment) => deployment.hasRequestSignal;

/**
 * A case on this list that passes fails the run, so the list can only shrink. It must be empty before
 * a release.
 */
export const GAPS: readonly Gap[] = [
  { test: "10: a method of a service can be wrapped", on: hasMethods },
  ...["fetch", "fetch, kept alive"].map((way) => ({
    test:
      `36: a client who leaves before the head of ${way} that passes its signal on makes no exception`,
    on: hasRequestSignal,
  })),
];
