/**
 * Cleanup code that runs when a program ends, whichever way it ends: Python's
 * [`atexit`](https://docs.python.org/3/library/atexit.html) for Deno, Node.js and Bun.
 *
 * ```ts
 * import { exitOnSignals, register, registerAsync } from "@atexit/atexit";
 *
 * exitOnSignals(); // In the application: run the handlers at Ctrl-C, too.
 * register(() => console.log("Goodbye."));
 * registerAsync(async () => {
 *   await Promise.resolve(); // Awaited before the next handler runs.
 * });
 * ```
 *
 * Handlers run last registered first: when nothing is left to do, at {@linkcode exit}, `Deno.exit()`
 * and `process.exit()`, at an uncaught error or rejection, and at the signals of
 * {@linkcode exitOnSignals}. They do not run at other signals or when the process is killed.
 *
 * - Promises of {@linkcode registerAsync} are awaited wherever the program can still wait. It cannot at
 *   `Deno.exit()` and `process.exit()`: call {@linkcode exit} instead, or {@linkcode overrideExit} in
 *   applications whose packages call these.
 * - A handler that throws is reported and does not stop the others. The last exception is thrown again
 *   at the end, so the exit status is 1.
 * - `exit()` cannot be cancelled. `throw new SystemExit()` is cancelled by whatever catches it.
 *
 * Each main program and each worker has one registry, however many copies or versions of this module
 * are loaded. No permissions are needed.
 *
 * @module
 */

// Deno parses the source map of each file that is the first to import some other one (2.9.6). This one
// is short, so it imports all of them: a program starts 3 % sooner.
import "./deadline.ts";
import "./errors.ts";
import "./exit.ts";
import "./guard.ts";
import "./lifecycle.ts";
import "./realm.ts";
import "./register.ts";
import "./registry.ts";
import "./report.ts";
import "./shutdown.ts";
import "./signal_listeners.ts";
import "./signals.ts";
import "./stack_trace.ts";
import "./runtimes/browser.ts";
import "./runtimes/hook.ts";
import "./runtimes/deno/deno.ts";
import "./runtimes/deno/error_events.ts";
import "./runtimes/deno/event_loop.ts";
import "./runtimes/deno/exit.ts";
import "./runtimes/deno/queries.ts";
import "./runtimes/deno/signals.ts";
import "./runtimes/deno/timers.ts";
import "./runtimes/process/accessor_hook.ts";
import "./runtimes/process/bun.ts";
import "./runtimes/process/exit_code.ts";
import "./runtimes/process/flush.ts";
import "./runtimes/process/natives.ts";
import "./runtimes/process/node.ts";
import "./runtimes/process/process.ts";
import "./runtimes/process/queries.ts";

export type { AsyncDisposable, Disposable } from "./disposable.ts";
export { SystemExit } from "./errors.ts";
export {
  exit,
  type ExitOptions,
  exitReason,
  overrideExit,
  type OverrideExitOptions,
  setGracePeriod,
} from "./exit.ts";
export { register, registerAsync, unregister } from "./register.ts";
export type { ExitReason } from "./shutdown.ts";
export { exitOnSignals, type ExitOnSignalsOptions, type Signal } from "./signals.ts";
