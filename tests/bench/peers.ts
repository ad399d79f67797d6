/**
 * The other breakers, each guarding one function: set up as their READMEs recommend, and in their
 * leanest form.
 */
import * as cockatiel from "npm:cockatiel@4.0.0";
import * as mollitia from "npm:mollitia@0.1.1";
import Opossum from "npm:opossum@10.0.0";

/** A function that a circuit guards. */
export type Guarded<R> = () => Promise<R>;

/** Makes a circuit, and guards a function with it. */
export type Guard = <R>(call: () => Promise<R>) => Guarded<R>;

/** Opossum as its README sets it up: it makes a timer for each call. */
export function opossum<R>(call: () => Promise<R>): Guarded<R> {
  return opossumWith(call, {
    timeout: 3_000,
    errorThresholdPercentage: 50,
    resetTimeout: 30_000,
  });
}

/** Opossum without its timer for each call, otherwise unchanged. */
export function opossumNoTimeout<R>(call: () => Promise<R>): Guarded<R> {
  return opossumWith(call, { timeout: false });
}

/** Opossum without everything that can be switched off: timeout, percentiles, snapshots. */
export function opossumLean<R>(call: () => Promise<R>): Guarded<R> {
  return opossumWith(call, {
    timeout: false,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
  });
}

const running = new Set<Opossum>();

function opossumWith<R>(call: () => Promise<R>, options: Opossum.Options): Guarded<R> {
  const breaker = new Opossum(call, options);
  running.add(breaker);
  return () => breaker.fire();
}

/** Stops the timers of every opossum so far: they would disturb later measurements. */
export function stopOpossum(): void {
  for (const breaker of running) breaker.shutdown();
  running.clear();
}

/** Cockatiel as its README sets it up. */
export function cockatielConsecutive<R>(call: () => Promise<R>): Guarded<R> {
  return cockatielWith(new cockatiel.ConsecutiveBreaker(5), call);
}

/** Cockatiel by the last hundred calls. */
export function cockatielCount<R>(call: () => Promise<R>): Guarded<R> {
  return cockatielWith(new cockatiel.CountBreaker({ threshold: 0.5, size: 100 }), call);
}

/** Cockatiel by time, in ten slices of a second. */
export function cockatielSampling<R>(call: () => Promise<R>): Guarded<R> {
  return cockatielWith(
    new cockatiel.SamplingBreaker({ threshold: 0.5, duration: 10_000 }),
    call,
  );
}

function cockatielWith<R>(breaker: cockatiel.IBreaker, call: () => Promise<R>): Guarded<R> {
  const policy = cockatiel.circuitBreaker(cockatiel.handleAll, { halfOpenAfter: 60_000, breaker });
  return () => policy.execute(call);
}

/** Mollitia by the last ten calls, its default. */
export function mollitiaCount<R>(call: () => Promise<R>): Guarded<R> {
  const breaker = new mollitia.SlidingCountBreaker({
    slidingWindowSize: 10,
    minimumNumberOfCalls: 10,
    openStateDelay: 60_000,
  });
  const circuit = new mollitia.Circuit({ func: call, options: { modules: [breaker] } });
  return () => circuit.execute() as Promise<R>;
}
