/**
 * The features that must cost nothing while nobody uses them. Each names the modules that make it,
 * and what stands in for them in the build without it: a module that exports the same and does
 * nothing.
 */
export interface Feature {
  /** The options of a breaker that does not use it. */
  readonly options: object;
  /** By path, the code that takes a module's place. */
  readonly stubs: Readonly<Record<string, string>>;
}

const VOID = "() => {}";

export const FEATURES: Readonly<Record<string, Feature>> = {
  "onEvent": {
    options: {},
    stubs: {
      "src/observe/events.ts": exporting({ emit: VOID, reportError: VOID, reportRemoved: VOID }),
    },
  },
  "fallback and patienceMs": {
    options: {},
    stubs: {
      "src/guard/time_limit.ts": exporting({
        withinLimit: "(work) => work",
        endsWithin: "() => Promise.resolve(true)",
      }),
    },
  },
  "signalOf": {
    options: {},
    stubs: {
      "src/guard/signal_of.ts": exporting({
        signalOf: "(request) => request.signal",
        link: VOID,
        either: "(_signal, controller) => controller.signal",
        follow: VOID,
      }),
    },
  },
  "lastGood": {
    options: { lastGood: false },
    stubs: { "src/last_good/last_good.ts": exporting({ LastGood: "class {}" }) },
  },
};

function exporting(values: Readonly<Record<string, string>>): string {
  return Object.entries(values).map(([name, code]) => `export const ${name} = ${code};`).join("\n");
}
