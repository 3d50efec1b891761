// Keeps what a runtime throws from stopping the run, and what a full stack throws from stopping an exit
// halfway.

import type { Clock, Runtime, Signals } from "./runtimes/runtime.ts";

// Captured at import, so that later monkey-patching does not affect the module.
const { apply } = Reflect;
const NativeArray = Array;

/**
 * Returns a runtime that does not throw: the program may have replaced what it needs. Only what ends
 * the program is left alone, because there an exception tells that the end is prevented.
 */
export function guard(runtime: Runtime): Omit<Runtime, "install"> {
  return {
    get exitCode() {
      return attempt(() => runtime.exitCode, 0);
    },
    set exitCode(code) {
      attempt(() => runtime.exitCode = code, 0);
    },
    clock: guardClock(runtime.clock),
    output: runtime.output,
    signals: guardSignals(runtime.signals),
    isTestRunner: () => attempt(() => runtime.isTestRunner(), false),
    // Not by attempt(): this is called for each handler, and a closure takes longer than the rest.
    handlerAdded(awaited) {
      try {
        runtime.handlerAdded(awaited);
      } catch {
        // The program has replaced what it needs.
      }
    },
    keepAlive: () => attempt(() => runtime.keepAlive(), undefined),
    flush() {
      const flushed = attempt(() => runtime.flush(), undefined);
      return flushed === undefined ? undefined : settle(flushed);
    },
    rethrow: (error) => runtime.rethrow(error),
    exit: (exit) => runtime.exit(exit),
  };
}

function guardClock(clock: Clock): Clock {
  return {
    now: () => attempt(() => clock.now(), 0),
    // Without its timer a run starts when the event loop is empty.
    startTimer(milliseconds, callback, keepAlive) {
      const stop = attempt(() => clock.startTimer(milliseconds, callback, keepAlive), () => {});
      return () => attempt(stop, undefined);
    },
  };
}

function guardSignals(signals: Signals): Signals {
  return {
    defaults: signals.defaults,
    get drains() {
      return attempt(() => signals.drains, false);
    },
    numberOf: (signal) => attempt(() => signals.numberOf(signal), 0),
    listen(signal, listener) {
      const stop = signals.listen(signal, listener); // What it throws is an argument's fault.
      return () => attempt(stop, undefined);
    },
  };
}

function attempt<T>(call: () => T, otherwise: T): T {
  try {
    return call();
  } catch {
    return otherwise;
  }
}

async function settle(promise: Promise<void>): Promise<void> {
  try {
    await promise;
  } catch {
    // The output cannot be written.
  }
}

/** Enough stack for an exit and its handlers, in values: 1000 are too few (Node.js 20 and 26). */
const RESERVED_VALUES = 10_000;

/**
 * Throws a `RangeError` at once if the stack is nearly full, as in the `catch` of an infinite
 * recursion. Later, it would leave an exit half done.
 */
export function reserveStack(): void {
  apply(() => {}, undefined, new NativeArray(RESERVED_VALUES)); // Arguments need room on the stack.
}
