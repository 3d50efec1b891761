// What Node.js and Bun have in common: `process`, its exit code, its signals, and how it exits.

import { replaceMethod } from "../hook.ts";
import type {
  Clock,
  Exit,
  ExitAttempt,
  ExitEvents,
  Interruption,
  Output,
  Runtime,
  Signals,
} from "../runtime.ts";
import { ExitCode } from "./exit_code.ts";
import { type AnyFunction, captureNatives, type Natives, type Process } from "./natives.ts";
import { findCaller, isJest, isVitest } from "./queries.ts";

const { apply } = Reflect;
const { hasOwn } = Object;

/** Signals that no process survives. Bun accepts listeners of them. */
const UNCATCHABLE_SIGNALS = ["SIGKILL", "SIGSTOP"];
/** Signals whose default action is to stop the process, which would not end it. */
const STOP_SIGNALS = ["SIGTSTP", "SIGTTIN", "SIGTTOU"];

/** Why handlers are not awaited when the event loop is empty. */
export const UNLOAD: Interruption = { kind: "unload" };

/**
 * Where the program stands. Nothing tells when the event loop turns again after `beforeExit`.
 *
 * - `running`: the event loop has not been empty, or a listener has begun something since.
 * - `asked`: the listeners of `beforeExit` have been called. What they have begun is done first.
 * - `turned`: the event loop has turned once more while an end is under way (Bun).
 * - `drained`: the event loop is empty, and nothing has to be awaited.
 * - `reported`: the lifecycle has been told so. The listeners of `beforeExit` are not called again.
 * - `failed`: a failure of the handlers has been thrown out of the last `exit` event.
 */
export type Phase = "running" | "asked" | "turned" | "drained" | "reported" | "failed";

/**
 * An exit that is being carried out.
 *
 * - `requested`: by the lifecycle.
 * - `called`: `process.exit()` or `process.reallyExit()` has been called.
 * - `imported`: an `exit` that was imported by name has been called. Nothing tells that it returns,
 *   but its call of `process.reallyExit()`.
 * - `noted`: the same in an error listener, to which it returns.
 */
export type ExitInProgress = StartedExit | { readonly kind: "noted" };

type StartedExit =
  & (
    | { readonly kind: "requested"; readonly exit: Exit }
    | { readonly kind: "called" | "imported"; readonly exit: ExitAttempt }
  )
  /** Whether nobody has handled the exception that has been rethrown: the status is 1. */
  & { failed?: boolean };

/** A runtime with `process`. */
export abstract class ProcessRuntime implements Runtime {
  readonly clock: Clock;
  readonly output: Output;
  readonly signals: Signals;
  protected readonly process: Process;
  protected readonly natives: Natives;
  protected events!: ExitEvents;
  protected phase: Phase = "running";
  protected exitInProgress: ExitInProgress | undefined;
  readonly #exitCode: ExitCode;

  constructor(process: Process) {
    this.process = process;
    this.natives = captureNatives(process);
    this.#exitCode = new ExitCode(process);
    this.clock = this.#createClock();
    this.output = this.#createOutput();
    this.signals = this.#createSignals();
  }

  // --------------------------------------------------------------- what differs between runtimes

  /** Whether the runtime ends the program with an error, and `exit` listeners have been called. */
  protected abstract readonly hasReportedError: boolean;

  /** Signals that the runtime does not deliver, although the system has them. */
  protected abstract readonly unsupportedSignals: readonly string[];

  /** Hooks `process.reallyExit`, and starts to report the ends that are not exits. */
  protected abstract watch(): void;

  /** Whether the runtime's own test runner runs this program. */
  protected abstract isOwnTestRunner(): boolean;

  abstract handlerAdded(awaited: boolean): void;
  abstract flush(): Promise<void> | undefined;
  abstract rethrow(error: unknown): void;

  /** Shows a value as the console does. */
  protected inspect(value: unknown, options: { readonly colors: boolean }): string {
    return this.natives.getBuiltinModule("node:util").inspect(value, options);
  }

  /** Called before the original `process.exit()` carries out what the lifecycle has requested. */
  protected prepareExit(_exit: Exit): void {}

  // ------------------------------------------------------------------------------- the interface

  install(events: ExitEvents): void {
    this.events = events;
    this.watch();
    replaceMethod(this.process, "exit", (original) => {
      const onCall = (args: unknown[], hook: AnyFunction) => this.#onExit(original, args, hook);
      return function exit(_code?: unknown): void {
        onCall(arguments as unknown as unknown[], exit);
      };
    });
  }

  get exitCode(): number {
    return this.#exitCode.get();
  }

  set exitCode(code: number) {
    this.#exitCode.set(code);
  }

  isTestRunner(): boolean {
    return isVitest() || isJest() || this.isOwnTestRunner();
  }

  /** Two timers: a signal that arrived during `spawnSync()` is not delivered before (Node.js 20). */
  keepAlive(): void {
    const { setTimeout } = this.natives;
    setTimeout(() => setTimeout(() => {}, 1), 1);
  }

  exit(exit: Exit): void {
    this.#carryOut({ kind: "requested", exit }, () => this.process.exit(exit.code));
  }

  // --------------------------------------------------------------------------- what it is made of

  #createClock(): Clock {
    const { process, natives: { setTimeout, clearTimeout } } = this;
    const { uptime } = process;
    return {
      now: () => apply(uptime, process, []) * 1_000,
      startTimer(milliseconds, callback, keepAlive) {
        const timer = setTimeout(callback, Math.min(milliseconds, 2 ** 31 - 1));
        if (keepAlive !== "always") timer.unref?.();
        return () => clearTimeout(timer);
      },
    };
  }

  #createOutput(): Output {
    const { process, natives: { writeError } } = this;
    const hasColors = () => {
      try {
        return process.stderr.isTTY === true && process.stderr.hasColors?.() === true;
      } catch {
        return false; // The program has replaced it.
      }
    };
    return {
      inspect: (value) => this.inspect(value, { colors: hasColors() }),
      highlight: (text) => hasColors() ? `\x1b[1m\x1b[31m${text}\x1b[0m` : text,
      write(text) {
        try {
          globalThis.console.error(text); // The program may have replaced it, to log.
        } catch {
          writeError?.(text);
        }
      },
    };
  }

  #createSignals(): Signals {
    const { process, natives: { getBuiltinModule } } = this;
    const getNumbers = () => getBuiltinModule("node:os").constants.signals;
    return {
      defaults: process.platform === "win32"
        ? ["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"]
        : ["SIGINT", "SIGTERM", "SIGHUP"],
      drains: false,
      numberOf: (signal) => getNumbers()[signal] ?? 0,
      listen: (signal, listener) => {
        // Any other name is that of an event that never comes.
        const isKnown = hasOwn(getNumbers(), signal) && !UNCATCHABLE_SIGNALS.includes(signal) &&
          !this.unsupportedSignals.includes(signal);
        if (!isKnown) throw new TypeError(`Cannot listen to ${signal} on this runtime`);
        process.prependListener(signal, listener);
        return () => process.removeListener(signal, listener);
      },
    };
  }

  // --------------------------------------------------------------------------------------- exits

  /** `process.exit()`. Handlers run before the listeners of `exit`. */
  #onExit(original: Process["exit"], args: unknown[], hook: AnyFunction): void {
    const { process, exitInProgress } = this;
    const callOriginal = () => apply(original, process, args);
    if (this.hasReportedError) return callOriginal();
    if (exitInProgress?.kind === "requested") {
      this.prepareExit(exitInProgress.exit);
      return callOriginal();
    }
    const code = this.#exitCode.parse(args);
    if (code === undefined) return callOriginal(); // It throws.
    const attempt = this.events.exitNow(code, this.describeCall("process.exit()", hook));
    if (attempt === undefined) return;
    this.#carryOut(
      { kind: "called", exit: attempt },
      attempt.code === code ? callOriginal : () => apply(original, process, [attempt.code]),
    );
  }

  /** `process.reallyExit()`, in which each exit ends. */
  protected onReallyExit(call: (code: unknown) => void, code: unknown, hook: AnyFunction): void {
    const { exitInProgress } = this;
    if (this.hasReportedError) return call(code);
    switch (exitInProgress?.kind) {
      case "requested":
      case "called":
        return this.#reallyExit(exitInProgress, code, call);
      case "imported": {
        const called: StartedExit = { kind: "called", exit: exitInProgress.exit };
        this.exitInProgress = undefined;
        return this.#carryOut(called, () => this.#reallyExit(called, code, call));
      }
      case "noted":
        this.exitInProgress = undefined;
        return;
      default:
        return this.#onDirectCall(call, code, hook);
    }
  }

  /** The program has called `process.reallyExit()` itself. */
  #onDirectCall(call: (code: unknown) => void, code: unknown, hook: AnyFunction): void {
    const given = typeof code === "number" ? code | 0 : this.exitCode;
    const describe = this.describeCall("process.reallyExit()", hook);
    const exit = this.events.exitNow(given, describe, false);
    if (exit === undefined) return;
    const called: StartedExit = { kind: "called", exit };
    const last = exit.code === given ? code : exit.code;
    this.#carryOut(called, () => this.#reallyExit(called, last, call));
  }

  #reallyExit(exit: StartedExit, code: unknown, call: (code: unknown) => void): void {
    exit.exit.rethrow();
    if (exit.exit.signal !== undefined) this.dieBy(exit.exit.signal);
    call(exit.failed ? 1 : code);
  }

  /** Carries an exit out. If the program is still there afterwards, it was prevented. */
  #carryOut(exit: StartedExit, call: () => void): void {
    const outer = this.exitInProgress;
    this.exitInProgress = exit;
    try {
      call();
    } finally {
      this.exitInProgress = outer;
      if (exit.kind !== "requested") this.#reportPrevented(exit.exit);
    }
  }

  /** The exit code that the original has set stays, as it would without the module. */
  #reportPrevented(exit: ExitAttempt): void {
    const { process } = this;
    const code = process.exitCode;
    exit.prevented();
    process.exitCode = code;
  }

  /** Nobody has handled the exception that has been rethrown while an exit is carried out. */
  protected setFailed(): void {
    const { exitInProgress } = this;
    if (exitInProgress !== undefined && exitInProgress.kind !== "noted") {
      exitInProgress.failed = true;
    }
  }

  /** Returns who calls an exit. The stack is read only if somebody has to be told. */
  protected describeCall(call: string, hook: AnyFunction): () => Interruption {
    return () => ({ kind: "exit", call, ...findCaller(hook) });
  }

  /** Sends this process a signal, for its default action. Returns if the process survives. */
  protected dieBy(signal: string): void {
    if (!this.canDieBy(signal)) return;
    const { process } = this;
    this.#resetTerminal();
    try {
      const listeners = process.listeners(signal);
      process.removeAllListeners(signal); // Nobody listens: the default action is back.
      process.kill(process.pid, signal);
      for (const listener of listeners) process.on(signal, listener);
    } catch {
      // The program has replaced a method.
    }
  }

  /**
   * Whether a signal would end this process. Process 1 has no default actions, a worker is not the
   * process, and on Windows a signal to oneself is `TerminateProcess()` with the status 1.
   */
  protected canDieBy(signal: string): boolean {
    const { process } = this;
    return !STOP_SIGNALS.includes(signal) && process.platform !== "win32" && process.pid !== 1 &&
      this.isMainThread;
  }

  protected get isMainThread(): boolean {
    return this.natives.getBuiltinModule("node:worker_threads").isMainThread;
  }

  /** The default action does not, where the signal has had a listener (Node.js, Bun). */
  #resetTerminal(): void {
    const { process, natives: { getBuiltinModule } } = this;
    try {
      // Looking at `stdin` takes milliseconds, and more where it is no terminal.
      if (getBuiltinModule("node:tty").isatty(0) && process.stdin.isRaw === true) {
        process.stdin.setRawMode(false);
      }
    } catch {
      // The program has replaced it.
    }
  }
}
