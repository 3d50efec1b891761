// Ending the program, and why it ends.

import { checkExitCode, checkMilliseconds, optionOf } from "./errors.ts";
import type { ExitReason } from "./lifecycle.ts";
import { realm } from "./realm.ts";

// Taken now, so that a program that changes it later cannot break a call.
const reject = Promise.reject.bind(Promise);

/** Options of {@linkcode exit}. */
export interface ExitOptions {
  /**
   * How long handlers may be awaited, in milliseconds from the start of the run: a finite number, 0
   * or greater. The last tenth of it belongs to the handlers that wait behind a pending one. Of
   * several limits of a run the shortest counts.
   *
   * @default {undefined} The grace period of {@linkcode setGracePeriod}, or no limit.
   */
  timeout?: number | undefined;
}

/**
 * Ends the program gracefully: runs the handlers, awaits the asynchronous ones, and exits.
 *
 * The end cannot be caught, and the promise never resolves. The run starts inside the call: unless
 * a handler has to be awaited, nothing after it runs. Then the program leaves as `process.exit()`
 * would, so that `exit` listeners of npm packages are called.
 *
 * When the `timeout` is over, the pending handler has failed, the rest are called without being
 * awaited, and the program ends. If others wait behind a pending handler, it has nine tenths of the
 * time, so that it does not cost the flush that comes after it.
 *
 * At the top level of the main module write `throw new SystemExit(code)` instead: while an `await`
 * is pending there, Deno does not tell when a handler can never settle.
 *
 * In a handler it sets the exit code, unless an error or a signal decides that, and rejects with
 * `SystemExit`. So it stops the handler that awaits it, and no other. In a listener of `error` or
 * `unhandledrejection`, the run starts after that event. If nobody prevents the default, the error
 * decides.
 *
 * The promise also rejects if the exit does not happen: a test has replaced `Deno.exit`, or the test
 * runner refuses it.
 *
 * @param code The exit code, a 32-bit integer.
 * @default {Deno.exitCode} On Node.js and Bun `process.exitCode`.
 * @param options How long handlers may be awaited.
 * @returns A promise that never resolves.
 * @throws {TypeError} If `code` or `timeout` is not a number. The promise is rejected: a function
 * that returns one does not throw.
 * @throws {RangeError} If `code` is not a 32-bit integer, or `timeout` negative or not finite.
 *
 * @example Give the handlers five seconds
 * ```ts
 * import { exit } from "@atexit/atexit";
 * import { assertRejects } from "@std/assert";
 *
 * async function stop(): Promise<never> {
 *   return await exit(0, { timeout: 5_000 });
 * }
 *
 * await assertRejects(() => exit(0, { timeout: -1 }), RangeError);
 * ```
 */
export function exit(code?: number, options?: ExitOptions): Promise<never> {
  let timeout: number | undefined;
  try {
    if (code !== undefined) checkExitCode(code, "exit");
    timeout = checkMilliseconds(optionOf(options, "timeout", "exit"), "exit");
  } catch (error) {
    return reject(error);
  }
  return realm.exit({ code, timeout });
}

/**
 * Tells why the program is ending. The exit code is in `Deno.exitCode` (`process.exitCode`).
 *
 * @returns The reason that decides at this time. `undefined` as long as the program is not ending,
 * and again if an exit turns out not to happen.
 *
 * @example Keep a file for the next start only after a crash
 * ```ts
 * import { exitReason, register } from "@atexit/atexit";
 * import { assertEquals } from "@std/assert";
 *
 * register(() => {
 *   if (exitReason()?.kind !== "error") console.log("nothing to keep");
 * });
 * assertEquals(exitReason(), undefined);
 * ```
 */
export function exitReason(): ExitReason | undefined {
  return realm.exitReason();
}

/**
 * Limits how long an end of the program may await handlers in all, when nothing else says so: at
 * errors, at `SystemExit`, when nothing is left to do, and for {@linkcode exit} and signals without a
 * `timeout`. A `timeout` takes its place. It is for the application, not for libraries.
 *
 * @param milliseconds The time from the start of a run on: a finite number, 0 or greater. `undefined`
 * sets no limit. It takes effect at the next run.
 * @default {undefined} At the start of a program.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is negative or not finite.
 *
 * @example Stay within the ten seconds of `docker stop`
 * ```ts
 * import { setGracePeriod } from "@atexit/atexit";
 *
 * setGracePeriod(8_000);
 * ```
 */
export function setGracePeriod(milliseconds: number | undefined): void {
  realm.setGracePeriod({ milliseconds: checkMilliseconds(milliseconds, "set the grace period") });
}
