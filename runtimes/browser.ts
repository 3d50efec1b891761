// Browsers, edge runtimes, and whatever else is neither Deno nor has Node's `process`. Handlers run at
// `pagehide` or `unload`, where there is such an event; nothing can be awaited there.

import type { Clock, Exit, ExitEvents, Output, Runtime, Signals } from "./runtime.ts";

/** A runtime that cannot be made to end. */
export class BrowserRuntime implements Runtime {
  exitCode = 0;

  readonly clock: Clock = {
    now: () => performance.now(),
    startTimer(milliseconds, callback) {
      const timer = setTimeout(callback, Math.min(milliseconds, 2 ** 31 - 1));
      return () => clearTimeout(timer);
    },
  };

  readonly output: Output = {
    inspect: (value) => value instanceof Error ? `${value.stack ?? value}` : String(value),
    highlight: (text) => text,
    write: (text) => console.error(text),
  };

  readonly signals: Signals = {
    defaults: [],
    drains: false,
    numberOf: () => 0,
    listen(): never {
      throw new TypeError("Cannot listen to signals on this runtime");
    },
  };

  isTestRunner(): boolean {
    return false;
  }

  handlerAdded(): void {}

  keepAlive(): void {}

  flush(): undefined {}

  rethrow(error: unknown): void {
    reportError(error);
  }

  /** A page cannot be ended by its own code: the exit is prevented. */
  exit(exit: Exit): void {
    exit.rethrow();
  }

  install(events: ExitEvents): void {
    if (typeof addEventListener !== "function") return;
    const onEnd = () => events.unloading("unload", () => ({ kind: "unload" }))?.finish();
    addEventListener("pagehide", onEnd);
    addEventListener("unload", onEnd);
  }
}
