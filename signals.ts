// Signals that end the program.

import type { Disposable } from "./disposable.ts";
import { checkMilliseconds, describe, getOption } from "./errors.ts";
import { realm } from "./realm.ts";

/** A signal that a program can listen to. Not every system has all of them. */
export type Signal =
  | "SIGABRT"
  | "SIGALRM"
  | "SIGBREAK"
  | "SIGBUS"
  | "SIGCHLD"
  | "SIGCONT"
  | "SIGEMT"
  | "SIGHUP"
  | "SIGINFO"
  | "SIGINT"
  | "SIGIO"
  | "SIGPIPE"
  | "SIGPOLL"
  | "SIGPROF"
  | "SIGPWR"
  | "SIGQUIT"
  | "SIGSTKFLT"
  | "SIGSYS"
  | "SIGTERM"
  | "SIGTRAP"
  | "SIGTSTP"
  | "SIGTTIN"
  | "SIGTTOU"
  | "SIGURG"
  | "SIGUSR1"
  | "SIGUSR2"
  | "SIGVTALRM"
  | "SIGWINCH"
  | "SIGXCPU"
  | "SIGXFSZ";

/** Options of {@linkcode exitOnSignals}. */
export interface ExitOnSignalsOptions {
  /**
   * The signals. Default: `SIGINT`, `SIGTERM` and `SIGHUP`, and `SIGBREAK` on Windows, without those
   * that the runtime refuses there.
   */
  signals?: Iterable<Signal> | undefined;
  /**
   * How long handlers may be awaited, in milliseconds from the start of the run, as for
   * {@linkcode exit}. If several calls listen to a signal, the shortest timeout counts. Default: the
   * grace period of {@linkcode setGracePeriod}, or no limit.
   */
  timeout?: number | undefined;
}

/**
 * Ends the program gracefully when one of the signals arrives: the handlers run, the asynchronous ones
 * are awaited, and then the process dies by that signal, or exits with 128 + its number. The default
 * signals are `SIGINT` (Ctrl-C), `SIGTERM` and `SIGHUP`, and on Windows `SIGBREAK`, too.
 *
 * Call it in the application and not in a library, because it takes away the default action of the
 * signals. Other listeners of the same signal are called, too.
 *
 * - **Second signal.** A `SIGINT`, `SIGQUIT` or `SIGBREAK` more than 500 ms after the first signal ends
 *   the program immediately: the pending handler is reported, and the others are called without being
 *   awaited. Other signals do not interrupt the handlers, since terminals, `deno task` and process
 *   managers send a single Ctrl-C several times.
 * - **Exit status.** On Deno the process dies by `SIGINT` and `SIGHUP` if it has `--allow-run` without a
 *   list (it never prompts for that). Otherwise it exits with 128 + the number; at `SIGTERM` always with
 *   143. On Node.js and Bun it dies by the signal. The status is also 128 + the number on Windows, for
 *   signals that stop a process, and in process 1 of a container.
 * - **While the program is ending** for another reason, a signal does not interrupt the handlers. It
 *   determines the exit status.
 * - **In a worker** of Deno only the worker ends.
 *
 * Do not write `using _ = exitOnSignals()` at the top level of a module: it is disposed of as soon as
 * the module has been evaluated.
 *
 * @param options Which signals, and how long handlers may be awaited.
 * @returns An object that, when disposed of, gives the signals their default action back, except for
 * signals that another call is still listening to.
 * @throws {TypeError} If `signals` is not a list of signals that can be listened to here, or `timeout`
 * is not a number. None of the signals is listened to then.
 * @throws {RangeError} If `timeout` is negative or not finite.
 *
 * @example Clean up after Ctrl-C
 * ```ts
 * import { exitOnSignals, registerAsync } from "@atexit/atexit";
 * import { assertEquals } from "@std/assert";
 *
 * const saved: string[] = [];
 * registerAsync(async () => {
 *   saved.push(await Promise.resolve("state"));
 * });
 *
 * exitOnSignals({ timeout: 5_000 });
 * assertEquals(saved, []); // until Ctrl-C is pressed
 * ```
 *
 * @example Listen while a function runs
 * ```ts
 * import { exitOnSignals } from "@atexit/atexit";
 *
 * async function migrate(): Promise<void> {
 *   using _ = exitOnSignals({ signals: ["SIGINT"] });
 *   await Promise.resolve(); // work that Ctrl-C must not interrupt
 * }
 *
 * await migrate();
 * ```
 */
export function exitOnSignals(options?: ExitOnSignalsOptions): Disposable {
  const action = "exit on signals";
  if (typeof options === "object" && options !== null && Symbol.iterator in options) {
    throw new TypeError(
      `Cannot ${action}: expected options, received an array. Pass { signals } instead`,
    );
  }
  const timeout = checkMilliseconds(getOption(options, "timeout", action), action);
  const signals = getOption(options, "signals", action);
  const stop = realm.exitOnSignals({
    signals: signals === undefined ? undefined : toList(signals),
    timeout,
  });
  return { [Symbol.dispose]: stop };
}

function toList(signals: unknown): string[] {
  if (typeof signals === "object" && signals !== null && Symbol.iterator in signals) {
    return [...signals as Iterable<string>];
  }
  throw new TypeError(
    `Cannot exit on signals: expected a list of signals, received ${describe(signals)}`,
  );
}
