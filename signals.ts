// Signals that end the program.

import { checkMilliseconds, describe, optionOf } from "./errors.ts";
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
   * The signals. On Windows the default is those that the runtime supports there.
   *
   * @default {["SIGINT", "SIGTERM", "SIGHUP"]}
   */
  signals?: Iterable<Signal> | undefined;
  /**
   * How long handlers may be awaited, in milliseconds from the start of the run, as for `exit()`. If
   * several calls cover a signal, the shortest time counts.
   *
   * @default {undefined} The grace period of `setGracePeriod()`, or no limit.
   */
  timeout?: number | undefined;
}

/**
 * What gives the signals their default action back when it is disposed of. It is a `Disposable`, but in
 * projects whose `lib` does not have that type: there it has no method that could be called by its name.
 */
export type Cover = SymbolConstructor extends { readonly dispose: infer S extends symbol }
  ? { readonly [K in S]: () => void }
  : object;

/**
 * Ends the program gracefully when one of the signals comes: the handlers run, the asynchronous ones
 * are awaited, and then the process dies by that very signal where it may, so that its parent sees
 * what ended it.
 *
 * Call it in the application and not in a library: it takes away the default action of the signals.
 * Other listeners of the same signal are called too.
 *
 * - On Deno the process may send itself the signal only with `--allow-run` (without a list). Nobody is
 *   prompted for it. Otherwise the exit status is 128 + the signal's number, which is what a shell
 *   makes of a signal.
 * - On Deno the status is 143 at `SIGTERM`, always, because a watcher may share the process. The
 *   number is the status, too, for signals that stop a process, for `SIGPWR` and `SIGSTKFLT`, and for
 *   process 1 of a container.
 * - A second signal ends the program at once: the pending handler is reported, and the rest are
 *   called without being awaited. One within 100 ms is the first one again, because terminals,
 *   `deno task` and the watcher send a single Ctrl-C two or three times.
 * - One that comes while the program is ending otherwise joins: the run goes on, and then the signal
 *   is the status.
 * - In a worker of Deno only the worker ends, with 128 + the signal's number.
 *
 * Do not hold what it returns by `using` at the top level of a module: it is disposed of when the
 * module has been evaluated, long before the program ends.
 *
 * @param options Which signals, and how long handlers may be awaited.
 * @returns An object that, when disposed of, gives the signals their default action back, except
 * those that another call still covers.
 * @throws {TypeError} If `signals` is not a list of signals that can be listened to here, or
 * `timeout` not a number. None of the signals is covered then.
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
 * assertEquals(saved, []); // until Ctrl-C comes
 * ```
 */
export function exitOnSignals(options?: ExitOnSignalsOptions): Cover {
  const action = "exit on signals";
  if (typeof options === "object" && options !== null && Symbol.iterator in options) {
    throw new TypeError(`Cannot ${action}: expected options, received a list: pass { signals }`);
  }
  const timeout = checkMilliseconds(optionOf(options, "timeout", action), action);
  const signals = optionOf(options, "signals", action);
  const takeBack = realm.exitOnSignals({
    ...(signals === undefined ? {} : { signals: listOf(signals) }),
    timeout,
  });
  return { [Symbol.dispose]: takeBack };
}

function listOf(signals: unknown): string[] {
  if (typeof signals === "object" && signals !== null && Symbol.iterator in signals) {
    return [...signals as Iterable<string>];
  }
  throw new TypeError(
    `Cannot exit on signals: expected a list of signals, received ${describe(signals)}`,
  );
}
