// Ending the program, and why it ends.

import type { Disposable } from "./disposable.ts";
import { checkExitCode, checkMilliseconds, getOption } from "./errors.ts";
import { realm } from "./realm.ts";
import type { ExitReason } from "./shutdown.ts";
import { hideFrames } from "./stack_trace.ts";

/** Options of {@linkcode exit}. */
export interface ExitOptions {
  /**
   * How long handlers may be awaited, in milliseconds from the start of the run: a finite number, 0
   * or greater. The last tenth is reserved for the handlers that wait behind a pending one. Of several
   * limits the shortest counts. Default: the grace period of {@linkcode setGracePeriod}, or no limit.
   */
  timeout?: number | undefined;
}

/** Options of {@linkcode overrideExit}. */
export interface OverrideExitOptions {
  /**
   * How long handlers may be awaited, in milliseconds, as for {@linkcode exit}. Of several calls in
   * force, the shortest counts. Default: the grace period of {@linkcode setGracePeriod}, or no limit.
   */
  timeout?: number | undefined;
}

/**
 * Ends the program like `Deno.exit()` or `process.exit()`, and waits for asynchronous handlers.
 *
 * It never returns and, unlike Python's
 * [`sys.exit`](https://docs.python.org/3/library/sys.html#sys.exit), cannot be cancelled. It throws a
 * {@linkcode SystemExit} to stop its caller: code after the call does not run, `finally` blocks and
 * `using` and `await using` disposals do. When the exception has reached the top of the stack, the
 * handlers run, and the program exits with `code`. No listener is shown the exception, and nothing is
 * printed.
 *
 * If something catches the exception and does not rethrow it, the program still ends: when
 * nothing is left to do, at the next exit, error or signal, or after five seconds (or the `timeout`,
 * if that is shorter).
 *
 * - Of several exits, the first one determines the code. An uncaught error or a signal overrules it.
 * - In a handler it stops that handler and no other, and sets the exit code if it leaves the handler.
 * - In a listener of `error`, `unhandledrejection`, `uncaughtException` or `unhandledRejection` it
 *   returns in spite of its type, because a runtime ends the program immediately if such a listener
 *   throws. Write `return exit(1)` there. If no listener handles the error, the status is 1.
 * - In the process of a test runner an exit that is caught ends nothing, so that a test can say
 *   `assertThrows(main, SystemExit)`.
 *
 * @param code The exit code, a 32-bit integer. Default: `Deno.exitCode` or `process.exitCode`.
 * @param options How long handlers may be awaited.
 * @throws {SystemExit} Always, to stop the caller.
 * @throws {TypeError} If `code` or `timeout` is not a number. Nothing ends then.
 * @throws {RangeError} If `code` is not a 32-bit integer, or `timeout` is negative or not finite.
 *
 * @example End with code 2, and give the handlers five seconds
 * ```ts
 * import { exit, SystemExit } from "@atexit/atexit";
 * import { assertThrows } from "@std/assert";
 *
 * function main(args: string[]): void {
 *   if (args.length === 0) exit(2, { timeout: 5_000 });
 *   console.log(args[0]);
 * }
 *
 * assertThrows(() => main([]), SystemExit); // in a test: the program continues
 * ```
 */
export function exit(code?: number, options?: ExitOptions): never {
  if (code !== undefined) checkExitCode(code, "exit");
  const timeout = checkMilliseconds(getOption(options, "timeout", "exit"), "exit");
  try {
    return realm.exit({ code, timeout });
  } catch (error) {
    throw hideFrames(error, exit);
  }
}

/**
 * Makes `Deno.exit()` and `process.exit()` do what {@linkcode exit} does, whoever calls them: they
 * throw a {@linkcode SystemExit}, and the program ends when the asynchronous handlers have settled.
 *
 * It is for applications whose packages end the program themselves, such as an argument parser at
 * `--help`, a bundler at a signal, or an error tracker. Libraries should not call it, because it also
 * affects the exits of other packages, which may catch what is thrown.
 *
 * It has no effect in the process of a test runner, in `exit` and `unload` listeners, and on
 * `process.reallyExit()`.
 *
 * @param options How long handlers may be awaited.
 * @returns An object that ends the override when it is disposed of. If there were several calls, the
 * last disposal ends it.
 * @throws {TypeError} If `timeout` is not a number.
 * @throws {RangeError} If `timeout` is negative or not finite.
 *
 * @example Await handlers at every exit
 * ```ts
 * import { overrideExit, registerAsync } from "@atexit/atexit";
 *
 * overrideExit({ timeout: 5_000 });
 * registerAsync(async () => {
 *   await Promise.resolve();
 *   console.log("flushed");
 * });
 *
 * if (Deno.args.includes("--version")) Deno.exit(0); // prints "flushed"
 * ```
 */
export function overrideExit(options?: OverrideExitOptions): Disposable {
  const action = "override exit";
  const timeout = checkMilliseconds(getOption(options, "timeout", action), action);
  return { [Symbol.dispose]: realm.overrideExit({ timeout }) };
}

/**
 * Returns why the program is ending, for handlers. The exit code is in `Deno.exitCode` and
 * `process.exitCode`. Python's `atexit` has no counterpart.
 *
 * @returns An {@linkcode ExitReason}: an object whose `kind` is `"finished"`, `"exit"`, `"error"` (with
 * `error`), `"signal"` (with `signal`) or `"unload"`. `undefined` if the program is not ending, or if
 * the exit has been prevented.
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
  return realm.exitReason({});
}

/**
 * Sets the default time limit for awaiting handlers: at errors, at `SystemExit`, when nothing is left
 * to do, and for {@linkcode exit}, {@linkcode overrideExit} and signals without a `timeout`, which
 * overrides it. It is for the application, not for libraries.
 *
 * @param milliseconds The limit in milliseconds from the start of a run: a finite number, 0 or greater.
 * `undefined`, which is what a program starts with, sets no limit. It takes effect at the next run.
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
