// Signals that end the program. Opt-in, since listening to a signal takes away its default action.

import { describe } from "./errors.ts";
import { type Cover, type Death, type EndOptions, realm, timeoutOf } from "./hooks.ts";

const { os } = Deno.build;

/** The signals by which users, terminals and supervisors end a program. */
const defaultSignals: readonly Deno.Signal[] = os === "windows"
  ? ["SIGINT", "SIGBREAK", "SIGHUP"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/** The signals of Linux (which Windows shares where it has them) and of macOS and the BSDs, from 1. */
const names = os === "linux" || os === "android" || os === "windows"
  ? "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
  : "HUP INT QUIT ILL TRAP ABRT EMT FPE KILL BUS SEGV SYS PIPE ALRM TERM URG STOP TSTP CONT CHLD TTIN TTOU IO XCPU XFSZ VTALRM PROF WINCH INFO USR1 USR2";

/** Other names of signals. `SIGBREAK` has the number of `SIGTTIN`. */
const aliases: { [alias: string]: string } = {
  BREAK: "TTIN",
  IOT: "ABRT",
  POLL: "IO",
  UNUSED: "SYS",
};

/**
 * Ends the program gracefully when one of the signals comes: the handlers run, the
 * asynchronous ones are awaited, and then the process dies by that very signal, so that
 * a shell or a supervisor sees what ended it.
 *
 * Signals are opt-in, because listening to one takes away its default action, which is for
 * the application to decide and not for a library. Other listeners of the same signal are
 * called too.
 *
 * - The process may send itself the signal only with `--allow-run` (without a list); nobody
 *   is prompted for it. Otherwise, and where the signal does not end the process because
 *   the application listens to it too, the exit status is 128 + the signal's number, which
 *   is what a shell makes of a signal. `Deno.exitCode` reads that number meanwhile.
 * - A second signal ends the program at once; handlers that are still waiting are skipped. (A
 *   terminal and `deno task` may send one Ctrl-C two times. So the same signal within 100 ms
 *   counts as one in a terminal, and elsewhere leaves the handlers those 100 ms.)
 * - One that comes while the program is ending otherwise joins: the run goes on, and then
 *   the signal is the status.
 * - In a worker only the worker ends, with 128 + the signal's number.
 *
 * @param signals The signals. Default: `SIGINT` (Ctrl-C), `SIGTERM` and `SIGHUP`; on Windows
 * `SIGINT`, `SIGBREAK` and `SIGHUP`.
 * @param options How long handlers may be awaited. If several calls cover a signal, the
 * shortest time counts.
 * @returns An object that, when disposed, gives the signals their default action back,
 * except those that another call still covers.
 * @throws {TypeError} If `signals` is not a list of signals that can be listened to here.
 * @throws {TypeError} If `timeout` is not a number.
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
 * using _signals = exitOnSignals();
 * assertEquals(saved, []); // until Ctrl-C comes
 * ```
 */
export function exitOnSignals(
  signals: Iterable<Deno.Signal> = defaultSignals,
  options: EndOptions = {},
): Disposable {
  const call = { timeout: timeoutOf(options, "exit on signals") };
  const covered = new Set<Deno.Signal>();
  const dispose = () => {
    for (const signal of covered) uncover(signal, call);
    covered.clear();
  };
  try {
    for (const signal of listOf(signals)) {
      cover(signal, call);
      covered.add(signal);
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return { [Symbol.dispose]: dispose };
}

function listOf(signals: unknown): Iterable<Deno.Signal> {
  if (typeof signals === "object" && signals !== null && Symbol.iterator in signals) {
    return signals as Iterable<Deno.Signal>;
  }
  throw new TypeError(
    `Cannot exit on signals: expected a list of signals, received ${describe(signals)}`,
  );
}

/** Listens to a signal for a call, unless another call of this realm does. */
function cover(signal: Deno.Signal, call: EndOptions): void {
  let shared = realm.covers[signal];
  if (shared === undefined) {
    const calls: EndOptions[] = [];
    const death = deathBy(signal);
    shared = { calls, listener: () => realm.endBySignal(death, shortest(calls)) };
    Deno.addSignalListener(signal, shared.listener);
    realm.covers[signal] = shared;
  }
  shared.calls.push(call);
}

function uncover(signal: Deno.Signal, call: EndOptions): void {
  const shared = realm.covers[signal];
  if (shared === undefined) return;
  shared.calls.splice(shared.calls.indexOf(call), 1);
  if (shared.calls.length === 0) stopListening(signal, shared);
}

function stopListening(signal: Deno.Signal, { listener }: Cover): void {
  delete realm.covers[signal];
  Deno.removeSignalListener(signal, listener);
}

function shortest(calls: readonly EndOptions[]): number | undefined {
  let shortest: number | undefined;
  for (let index = 0; index < calls.length; index++) {
    const { timeout } = calls[index];
    if (timeout !== undefined && timeout < (shortest ?? Infinity)) shortest = timeout;
  }
  return shortest;
}

function deathBy(signal: Deno.Signal): Death {
  const name = signal.slice("SIG".length);
  return {
    code: 128 + names.split(" ").indexOf(aliases[name] ?? name) + 1,
    die: () => dieBy(signal),
  };
}

/** Sends this process the signal, with its default action given back. Returns if it survives. */
function dieBy(signal: Deno.Signal): void {
  const shared = realm.covers[signal];
  if (shared !== undefined) stopListening(signal, shared);
  if ("WorkerGlobalScope" in globalThis) return; // The process is not the worker's to end.
  if (Deno.permissions.querySync({ name: "run" }).state !== "granted") return;
  try {
    Deno.kill(Deno.pid, signal);
  } catch {
    return; // Windows cannot send this one.
  }
  // Deno carries out the default action in a thread of its own, within milliseconds. Only where
  // the application listens to the signal too is there none, and the process survives.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
}
