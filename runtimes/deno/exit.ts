// `Deno.exit()`, `process.exit()`, and death by a signal.

import { SystemExit } from "../../errors.ts";
import { onRejected } from "../../registry.ts";
import { reject, replaceMethod } from "../hook.ts";
import type { Exit, ExitAttempt, ExitEvents, Interruption } from "../runtime.ts";
import {
  canDieBy,
  deno,
  denoGlobal,
  findCaller,
  getLazily,
  getLoadedProcess,
  hasUnloaded,
  isDeno,
  isTestRunner,
  type NodeProcess,
} from "./queries.ts";
import type { SignalTraps } from "./signals.ts";

// Captured at import, so that later monkey-patching does not affect the module.
const { apply } = Reflect;
const { wait } = Atomics;
const { Int32Array, SharedArrayBuffer } = isDeno ? globalThis : {} as typeof globalThis;
const getPid = getLazily<number>(deno, "pid");
const getKill = getLazily<typeof deno.kill>(deno, "kill");

/** An exit that is being tried. */
interface Attempt {
  readonly exit: Exit;
  /** What the exit was called with. Anything else comes from an exit in an `exit` listener. */
  readonly given: number | undefined;
  /** What to call the original `Deno.exit()` with. */
  code: number | undefined;
  /** Whether the original `Deno.exit()` has been reached: no stub of the program refuses it. */
  reached: boolean;
}

/** The `unload` event. */
export interface UnloadEvents {
  /** Dispatches `unload`, as `Deno.exit()` does. */
  dispatchUnload(): void;
  /** Calls back in the last listener. Returns a function that cancels this. */
  addLastUnload(callback: () => void): () => void;
}

/** How the program is made to exit. */
export class ExitHook {
  readonly #events: ExitEvents;
  readonly #traps: SignalTraps;
  readonly #loop: UnloadEvents;
  readonly #original = deno.exit;
  /** What `Deno.exit` was replaced by. */
  readonly #hook: typeof deno.exit | undefined;
  #attempt: Attempt | undefined;
  /**
   * A rejected promise used as a tripwire. If the exit is prevented, the rejection is handled and
   * nothing happens. A `--watch`er's process survives the exit: Deno terminates the isolate, but a
   * microtask revives it, and the rejection surfaces as `unhandledrejection` (2.5.7 to 2.9.6).
   */
  #tripwire: Promise<never> | undefined;

  constructor(events: ExitEvents, traps: SignalTraps, loop: UnloadEvents) {
    this.#events = events;
    this.#traps = traps;
    this.#loop = loop;
    const onCall = (code: number | undefined, hook: typeof deno.exit) => this.#onCall(code, hook);
    this.#hook = replaceMethod(deno, "exit", () =>
      function exit(code?: number): never {
        return onCall(code, exit) as never;
      });
  }

  /** Ends the program. Returns, or throws, if that is prevented. */
  exit(exit: Exit): void {
    const { code } = exit;
    const attempt = this.#attempt = { exit, given: code, code, reached: false };
    // If the program has put the original back, nothing else rethrows.
    const cancel = deno.exit === this.#hook
      ? undefined
      : this.#loop.addLastUnload(() => exit.rethrow());
    const process = this.#callsExitListeners() ? getLoadedProcess() : undefined;
    try {
      if (process === undefined) deno.exit(code);
      else process.exit(code);
    } finally {
      if (process !== undefined) process._exiting = false;
      cancel?.();
      if (this.#attempt === attempt) this.#attempt = undefined;
    }
  }

  /**
   * Lets the exit that is being tried fail by its code, if it is a test runner's to refuse: an error
   * would be reported even if the exit is refused. Returns whether it is.
   */
  fail(): boolean {
    if (this.#attempt === undefined || !isTestRunner()) return false;
    this.#attempt.code = 1;
    return true;
  }

  /** Not if the exit will be refused: Deno calls the `exit` listeners of `process` once only. */
  #callsExitListeners(): boolean {
    return denoGlobal.Deno === deno && deno.exit === this.#hook && !isTestRunner();
  }

  /** Handles a call of `Deno.exit()`. Returns if the exit is prevented, or has been noted. */
  #onCall(code: number | undefined, hook: typeof deno.exit): void {
    if (this.#attempt !== undefined) return this.#callOriginal(this.#attempt, code);
    const given = typeof code === "number" ? code | 0 : deno.exitCode;
    const exit = this.#events.exitNow(given, () => ({ kind: "exit", ...findCaller(hook) }));
    if (exit === undefined) return;
    const changed = exit.code === given ? code : exit.code;
    const attempt = this.#attempt = { exit, given: code, code: changed, reached: false };
    if (isTestRunner()) return this.#exitInTestRunner(attempt, exit);
    try {
      this.#callOriginal(attempt, code);
    } finally {
      this.#prevented(attempt, exit);
    }
  }

  /**
   * Calls the original `Deno.exit()` in a test runner, which refuses it or terminates the module.
   * Everything is restored before: a function call between the exception of a termination and the top
   * of the stack would make the runner wait forever (2.9.6).
   */
  #exitInTestRunner(attempt: Attempt, exit: ExitAttempt): void {
    exit.rethrow();
    this.#prevented(attempt, exit);
    this.#original(attempt.code);
  }

  /**
   * Handles the `exit` event of `process`, if `process.exit()` emits it: the handlers run before its
   * listeners, and the exit can still be stopped.
   */
  onProcessExit(
    process: NodeProcess,
    code: number,
    getInterruption: () => Interruption,
    emit: () => boolean,
  ): boolean {
    if (this.#attempt !== undefined) return this.#emitExit(emit);
    let exit: ExitAttempt | undefined;
    try {
      exit = this.#events.exitNow(code, getInterruption);
    } finally {
      if (exit === undefined) process._exiting = false; // It throws, and can be called again.
    }
    if (exit === undefined) return true;
    deno.exitCode = exit.code;
    const attempt = this.#attempt = { exit, given: code, code: exit.code, reached: false };
    const prevented = () => this.#prevented(attempt, exit);
    if (isTestRunner()) {
      prevented(); // `Deno.exit()` is called next.
      return emit();
    }
    try {
      const outcome = emit();
      // Called next. Nothing else tells whether a stub of it prevents the exit.
      watchReallyExit(process, prevented);
      return outcome;
    } catch (error) {
      prevented(); // A listener has thrown: `process.exit()` throws that to its caller.
      throw error;
    }
  }

  /** A listener that throws does not prevent an exit of the module's own. */
  #emitExit(emit: () => boolean): boolean {
    try {
      return emit();
    } catch (error) {
      this.#events.reporter.exitListener(error);
      return true;
    }
  }

  #prevented(attempt: Attempt, exit: ExitAttempt): void {
    if (this.#attempt === attempt) this.#attempt = undefined;
    exit.prevented();
  }

  /** Calls the original `Deno.exit()`, by which the program ends. */
  #callOriginal(attempt: Attempt, code: number | undefined): void {
    const { exit, reached } = attempt;
    const isNested = reached || code !== attempt.given;
    attempt.reached = true;
    if (!isNested) this.#die(exit);
    // Called from an `unload` listener, the original exit ends the program immediately, so this is the
    // last chance to rethrow.
    if (reached || hasUnloaded()) exit.rethrow();
    const cancel = this.#loop.addLastUnload(() => this.#onLastUnload(exit));
    this.#setTripwire(exit);
    try {
      this.#original(isNested ? code : attempt.code);
    } finally {
      cancel();
      this.#dropTripwire();
    }
  }

  #onLastUnload(exit: Exit): void {
    this.#dropTripwire(); // The rethrown error ends the program instead.
    exit.rethrow();
    if (exit.signal !== undefined) deno.exitCode = exit.code; // A listener may have changed it.
    this.#setTripwire(exit);
  }

  /** Not under a test runner, which would report a second exit. */
  #setTripwire({ code }: Exit): void {
    if (!isTestRunner()) this.#tripwire ??= reject(new SystemExit(code));
  }

  /** Calls the original exit once more if a promise is the tripwire: the exit was lost. */
  onRejection(promise: Promise<unknown>): void {
    if (this.#tripwire !== undefined && promise === this.#tripwire) this.#original();
  }

  #dropTripwire(): void {
    if (this.#tripwire !== undefined) onRejected(this.#tripwire, () => {});
    this.#tripwire = undefined;
  }

  /** Sends this process the signal that ends it, with its default action. Returns if it survives. */
  #die({ signal }: Exit): void {
    if (signal === undefined || !canDieBy(signal)) return;
    if (!hasUnloaded()) this.#loop.dispatchUnload();
    restoreTerminal();
    this.#traps.whileUntrapped(signal, () => {
      getKill()(getPid(), signal);
      // Deno carries out the default action in a thread of its own, within milliseconds. There is none
      // if the program listens to the signal too: then the process survives.
      wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    });
  }
}

/** Turns raw mode off, which a process that dies by a signal leaves behind (2.9.6). */
function restoreTerminal(): void {
  try {
    if (deno.stdin.isTerminal()) deno.stdin.setRaw(false);
  } catch {
    // The program has closed stdin.
  }
}

/** Calls back if the next call of `process.reallyExit()` returns or throws. */
function watchReallyExit(process: NodeProcess, callback: () => void): void {
  const original = process.reallyExit;
  process.reallyExit = function (this: unknown, ...args: [number]): void {
    process.reallyExit = original;
    try {
      return apply(original, this, args);
    } finally {
      callback();
    }
  };
}
