// Ending the program, and why it ends.

import { checkExitCode, checkMilliseconds } from "./errors.ts";
import type { ExitReason } from "./ending.ts";
import { optionOf } from "./options.ts";
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
 * Called while handlers are running it sets the exit code, unless an error or a signal decides that,
 * and rejects with {@linkcode SystemExit}: so it stops the handler that awaits it, and no other.
 * Called by a listener of `error` or `unhandledrejection`, its run starts after that event: if
 * nobody prevents the default, the error decides. It also rejects if the exit does not happen,
 * because a test has replaced `Deno.exit` or its runner refuses it.
 *
 * When the `timeout` is over, the handler that is pending has failed, the rest are called without
 * being awaited, and the program ends. If others wait behind a pending handler, it has nine tenths of
 * the time: so one that is stuck does not cost the flush that comes after it.
 *
 * At the top level of the main module write `throw new SystemExit(code)` instead: while an `await`
 * is pending there, Deno does not tell when a handler can never settle.
 *
 * @param code The exit code, a 32-bit integer. Default: `Deno.exitCode`.
 * @param options How long handlers may be awaited.
 * @returns A promise that never resolves.
 * @throws {TypeError} If `code` or `timeout` is not a number. As WebIDL has it, the promise is
 * rejected: a function that returns one does not throw.
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
 * Tells why the program is ending.
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
 * Limits how long a graceful end may await handlers in all, when nothing else says so: at errors, at
 * {@linkcode SystemExit}, when the program has run dry, and for {@linkcode exit} and signals without
 * a `timeout`. A `timeout` takes its place. It is for the application, not for libraries.
 *
 * @param milliseconds The time from the start of a run on: a finite number, 0 or greater. `undefined`,
 * as at the start of a program, sets no limit. It takes effect at the next run.
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
