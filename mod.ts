/**
 * Functions that run when the program ends: Python's `atexit` for Deno, and for Node.js and Bun.
 *
 * ```ts
 * import { register } from "@atexit/atexit";
 *
 * register(() => console.log("Goodbye."));
 * ```
 *
 * Handlers run last registered first. They run when the program has nothing left to do, at
 * `Deno.exit()` and `process.exit()`, at an error or rejection that nobody handles, and at a signal
 * named to {@linkcode exitOnSignals}. They do not run at other signals, and when the process is
 * killed.
 *
 * A handler that throws is reported and stops none of the others. The last exception is raised
 * again at the end. Handlers of {@linkcode registerAsync} are awaited wherever the program can still
 * wait. {@linkcode exit} ends the program so that they are.
 *
 * The main program and each worker have handlers of their own, however many copies or versions of
 * this module are loaded. No permission is needed.
 *
 * @module
 */

export { SystemExit } from "./errors.ts";
export { exit, type ExitOptions, exitReason, setGracePeriod } from "./exit.ts";
export type { ExitReason } from "./lifecycle.ts";
export { register, registerAsync, unregister } from "./register.ts";
export { type Cover, exitOnSignals, type ExitOnSignalsOptions, type Signal } from "./signals.ts";
