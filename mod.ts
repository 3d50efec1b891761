/**
 * Functions that run when the program ends: Python's `atexit` for Deno.
 *
 * ```ts
 * import { register } from "@atexit/atexit";
 *
 * register(() => console.log("Goodbye."));
 * ```
 *
 * Handlers run last registered first, whatever ends the program: running dry, `Deno.exit()`,
 * an uncaught error, an unhandled rejection, a signal named to {@linkcode exitOnSignals}.
 * What one raises is reported, stops none of the others, and the last exception is raised
 * again. Handlers registered with {@linkcode registerAsync} are awaited wherever the program
 * can still wait. {@linkcode exit} ends the program so that they are.
 *
 * There is one registry per realm (the main program, each worker), however many copies or
 * versions of this module are loaded. No permission is needed.
 *
 * @module
 */

export { SystemExit } from "./errors.ts";
export { exit, type ExitOptions, exitReason, setGracePeriod } from "./exit.ts";
export type { ExitReason } from "./ending.ts";
export { register, registerAsync, unregister } from "./register.ts";
export { exitOnSignals, type ExitOnSignalsOptions, type Signal } from "./signals.ts";
