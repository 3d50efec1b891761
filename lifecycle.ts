// How the program ends: what a cause does in each state, and what carries it out. Knows no runtime:
// that is handed in.
//
// | cause      | idle          | pending             | calling        | awaiting              | exiting          |
// | ---------- | ------------- | ------------------- | -------------- | --------------------- | ---------------- |
// | empty loop | run           | run                 | -              | wait, then fail       | -                |
// | `exit()`   | pending       | join, run soon      | stop handler   | join                  | exit             |
// | SystemExit | run soon      | join, run soon      | -              | join                  | set the code     |
// | error      | run           | join, run if higher | join           | join                  | report or let it |
// | signal     | run soon      | join, run soon      | join           | join; a second: interrupt | -            |
// | own exit   | run sync      | join, run soon      | stop handler   | join, interrupt after 2 s | exit         |
// | unload     | run sync      | run sync            | -              | interrupt             | -                |
//
// "Own exit" is `Deno.exit()` or `process.exit()`; `overrideExit()` makes it an `exit()`. To join is to
// let the cause of the higher rank decide (shutdown.ts): the run is not affected. A run that is
// started "soon" starts in a turn of the event loop of its own, never on the program's stack. An
// `exit()` that is called by an error listener waits until it is known whether the error is handled.

import { Deadline, type DeadlineHost, getShorter } from "./deadline.ts";
import { getExitCode, getExitText, isSystemExit, SystemExit } from "./errors.ts";
import { guard, reserveStack } from "./guard.ts";
import { type Entry, onRejected, Run, type RunHost, Stack } from "./registry.ts";
import { Reporter } from "./report.ts";
import type {
  ErrorEvent,
  ExitAttempt,
  ExitEvents,
  Interruption,
  Runtime,
  State,
  Uncaught,
  Unloading,
  UnloadKind,
} from "./runtimes/runtime.ts";
import { type Cause, type ExitReason, Shutdown } from "./shutdown.ts";
import { type SignalHost, SignalListeners, type SignalRequest } from "./signal_listeners.ts";
import { clearStack } from "./stack_trace.ts";

/** An `exit()` whose exception was caught takes effect after this time at the latest. */
const CAUGHT_EXIT_MS = 5_000;

/** A server gets this time at most to answer the requests under way after a signal. */
const DRAIN_MS = 5_000;

/** An exit of the runtime that joins a run without a limit interrupts it after this time. */
const JOINED_EXIT_MS = 2_000;

/** An empty event loop is kept turning for so long, for a handler without a limit. */
const DRAINED_MS = 1_000;

/** Two reports of an empty event loop within this time mean that nothing has happened between. */
const STILL_DRAINED_MS = 100;

// Captured at import, so that later monkey-patching does not affect the module.
const NativeError = Error;
const { is } = Object;

/** An `exit()` that was called by an error listener. */
interface DeferredExit {
  readonly code: number;
  readonly timeout: number | undefined;
}

/** The life of a program's handlers, from their registration to the end of the program. */
export class Lifecycle implements ExitEvents, RunHost, DeadlineHost, SignalHost {
  readonly reporter: Reporter;
  readonly #runtime: ReturnType<typeof guard>;
  readonly #stack = new Stack();
  readonly #run = new Run(this.#stack, this);
  /** Created when a graceful run starts. */
  #deadline: Deadline | undefined;
  /** Created by the first `exitOnSignals()`. */
  #signals: SignalListeners | undefined;
  /** The timeouts of the calls of `overrideExit()` that are in force. */
  readonly #overrides = new Set<{ readonly timeout: number | undefined }>();
  #gracePeriod: number | undefined;
  /** Whether a handler has ever been registered. Otherwise an error is left to the runtime. */
  #isUsed = false;

  #shutdown: Shutdown | undefined;
  /** How many error events are being shown to listeners. */
  #errorEvents = 0;
  #deferredExits: DeferredExit[] = [];
  /** Stops the timer that starts a pending run. */
  #stopStart: (() => void) | undefined;
  /** Stops the timer that interrupts the run after an exit has joined it. */
  #stopInterrupt: (() => void) | undefined;
  /** Stops the timer that keeps an empty event loop turning. */
  #stopHold: (() => void) | undefined;
  /** When that timer has fired. */
  #heldUntil = -Infinity;
  /** Whether the event loop has turned for signals that arrived while synchronous code was running. */
  #awaitedSignals = false;

  constructor(runtime: Runtime) {
    this.#runtime = guard(runtime);
    this.reporter = new Reporter(runtime.output);
  }

  // -------------------------------------------------------------------------------- public calls

  /** Registers a handler. When the run is over and the program is exiting, it runs immediately. */
  register(entry: Entry): void {
    this.#isUsed = true;
    this.#stack.push(entry);
    this.#runtime.handlerAdded(entry.awaited);
    if (this.state === "exiting") this.#run.runSync();
  }

  unregister(handler: unknown): void {
    this.#stack.remove(handler);
  }

  setGracePeriod(milliseconds: number | undefined): void {
    this.#gracePeriod = milliseconds;
  }

  exitOnSignals(request: SignalRequest): () => void {
    const { signals, clock } = this.#runtime;
    this.#signals ??= new SignalListeners(signals, clock, this);
    return this.#signals.add(request);
  }

  overrideExit(timeout: number | undefined): () => void {
    const override = { timeout };
    this.#overrides.add(override);
    return () => void this.#overrides.delete(override);
  }

  exitReason(): ExitReason | undefined {
    return this.#shutdown?.toReason();
  }

  /**
   * `exit()`. Notes the end, and throws to stop the caller. Returns to an error listener, since
   * runtimes end a program immediately whose listener throws.
   */
  exit(code: number = this.#runtime.exitCode, timeout?: number): never {
    reserveStack();
    if (this.state === "exiting") {
      this.#runtime.exit({ code, rethrow: () => this.#rethrowFailure() });
    } else if (this.#errorEvents > 0) {
      if (!this.#runtime.isTestRunner()) this.#deferredExits.push({ code, timeout });
      return undefined as never;
    } else if (this.#run.calling) {
      this.#stopHandler(code);
      this.#deadline?.limit(timeout);
    } else if (!this.#runtime.isTestRunner()) {
      this.#requestExit(code, timeout);
    }
    throw new SystemExit(code);
  }

  // ------------------------------------------------------------------------------ what ends it

  get state(): State {
    if (this.#run.calling) return "calling";
    switch (this.#shutdown?.stage) {
      case "pending":
        return "pending";
      case "running":
        return "awaiting";
      case "exiting":
        return "exiting";
      default:
        return "idle";
    }
  }

  get mustWait(): boolean {
    return this.state !== "idle" || this.#stack.asynchronous > 0 || this.#mayGetSignal;
  }

  get #mayGetSignal(): boolean {
    return !this.#awaitedSignals && this.#signals?.areActive === true;
  }

  drained(): boolean {
    switch (this.state) {
      case "pending":
        this.#start();
        break;
      case "awaiting":
        this.#holdDrained();
        break;
      case "idle":
        if (this.#mayGetSignal) {
          this.#awaitedSignals = true;
          this.#runtime.keepAlive();
          return true;
        }
        this.#awaitedSignals = false;
        if (this.#stack.asynchronous === 0) return false;
        this.#join({ kind: "finished" });
        this.#start();
        break;
    }
    return this.state !== "idle";
  }

  onSignal(signal: string, timeout: number | undefined): void {
    const { state } = this;
    if (state === "exiting") return;
    const signals = this.#signals!;
    if (state !== "calling" && signals.interrupts(signal)) {
      return this.#interruptAndFinish({ kind: "signal", signal });
    }
    this.#join({ kind: "signal", signal, code: 128 + this.#runtime.signals.numberOf(signal) });
    this.#limit(timeout);
    // Not now, which would skip other listeners of the signal.
    if (state === "idle" || state === "pending") this.#startAfterSignal();
    signals.arm();
  }

  errorEvent(error: unknown): ErrorEvent | undefined {
    if (isSystemExit(error)) {
      this.#onUncaughtExit(error);
      return undefined;
    }
    this.#errorEvents++;
    return {
      handled: () => {
        this.#errorEvents--;
        this.#releaseExits();
      },
      unhandled: (uncaught) => {
        this.#errorEvents--;
        const endsNow = this.#onUncaught(uncaught);
        if (endsNow) this.#deferredExits = [];
        else this.#releaseExits();
        return endsNow;
      },
    };
  }

  exitNow(
    code: number,
    getInterruption: () => Interruption,
    isOverridable = true,
  ): ExitAttempt | undefined {
    reserveStack();
    const isOverridden = isOverridable && this.#isOverridden;
    const { state } = this;
    if (state !== "exiting" && this.#errorEvents > 0) {
      // The caller is an error listener.
      const waits = state !== "idle" || isOverridden || this.#deferredExits.length > 0;
      if (waits) {
        this.#deferredExits.push({ code, timeout: this.#overrideTimeout });
        return undefined;
      }
    }
    switch (state) {
      case "exiting": {
        const { cause } = this.#shutdown!;
        // The rethrown error never reaches the runtime now, so report it here.
        if (cause.kind === "error" && this.#isUsed) this.reporter.uncaught(cause.error);
        return { code, rethrow: () => this.#rethrowFailure(), prevented() {} };
      }
      case "calling":
        this.#stopHandler(code);
        throw new SystemExit(code);
      case "pending":
      case "awaiting":
        this.#joinExit(code, getInterruption);
        throw new SystemExit(code);
      case "idle":
        if (isOverridden) this.exit(code, this.#overrideTimeout);
        return this.#exitImmediately(code, getInterruption);
    }
  }

  unloading(
    by: UnloadKind | Uncaught,
    getInterruption: () => Interruption,
  ): Unloading | undefined {
    const { state } = this;
    if (state === "exiting" || state === "calling") return undefined;
    const cause: Cause = typeof by === "object"
      ? { kind: "error", ...by }
      : by === "exit"
      ? { kind: "exit", code: this.#runtime.exitCode }
      : { kind: by };
    const shutdown = this.#join(cause);
    this.#interrupt(getInterruption);
    const code = this.#runtime.exitCode;
    return {
      rethrow: () => this.#rethrowFailure(),
      finish: () => {
        if (this.#shutdown !== shutdown || this.#run.calling) return;
        const isOther = shutdown.cause !== cause;
        if (isOther && shutdown.code !== undefined) {
          this.#runtime.exitCode = code; // What unloads the program may have changed it.
          return this.#leave(shutdown);
        }
        const failure = shutdown.takeFailure();
        this.#reset();
        if (failure !== undefined) this.#runtime.rethrow(failure.error);
      },
    };
  }

  // ----------------------------------------------------------------------------- exits and errors

  get #isOverridden(): boolean {
    return this.#overrides.size > 0 && !this.#runtime.isTestRunner();
  }

  get #overrideTimeout(): number | undefined {
    let shortest: number | undefined;
    for (const { timeout } of this.#overrides) shortest = getShorter(shortest, timeout);
    return shortest;
  }

  /** Runs the handlers for an exit of the runtime that cannot wait. */
  #exitImmediately(code: number, getInterruption: () => Interruption): ExitAttempt {
    const shutdown = this.#join({ kind: "exit", code });
    const { codeBefore } = shutdown;
    this.#interrupt(getInterruption);
    // A handler has caused it. The exit happens now, so report it here.
    if (shutdown.cause.kind === "error") this.reporter.uncaught(shutdown.cause.error);
    const last = this.#runtime.exitCode;
    this.#runtime.exitCode = codeBefore; // The exit sets it, if it happens.
    return {
      code: last,
      rethrow: () => this.#rethrowFailure(),
      prevented: () => {
        if (this.#shutdown === shutdown) this.#prevented();
      },
    };
  }

  /** Notes an exit. Its exception is on its way, and may be caught. */
  #requestExit(code: number, timeout: number | undefined): void {
    const { state } = this;
    this.#join({ kind: "exit", code });
    this.#limit(timeout);
    if (state === "pending") this.#startSoon();
    else if (state === "idle") {
      this.#startLater(getShorter(CAUGHT_EXIT_MS, timeout ?? this.#gracePeriod));
    }
  }

  /** An exit of the runtime joins an end that is under way. */
  #joinExit(code: number, getInterruption: () => Interruption): void {
    const { state } = this;
    const shutdown = this.#join({ kind: "exit", code });
    // An exit that was imported by name has set its code already.
    this.#runtime.exitCode = shutdown.codeAwaiting;
    if (state === "pending") this.#startSoon();
    const isLimited = state === "pending"
      ? (shutdown.timeout ?? this.#gracePeriod) !== undefined
      : this.#deadline?.isLimited;
    if (isLimited || this.#isOverridden || this.#stopInterrupt !== undefined) return;
    const interruption = getInterruption();
    this.#stopInterrupt = this.#runtime.clock.startTimer(
      JOINED_EXIT_MS,
      () => this.#interruptAndFinish(interruption),
      "unlessDrained",
    );
  }

  /** An exit that a handler has called, and that leaves it as an exception. */
  #stopHandler(code: number): void {
    // Set the code here: what an asynchronous handler throws at an immediate end is never seen.
    if (this.#run.callingUnawaited) this.#setCode(code);
  }

  /** A `SystemExit` has reached the top of the stack, of `exit()` or one that was thrown. */
  #onUncaughtExit(exit: SystemExit): void {
    const { state } = this;
    this.#showText(exit);
    const code = getExitCode(exit);
    if (state === "exiting") return this.#setCode(code);
    this.#join({ kind: "exit", code });
    if (state === "idle" || state === "pending") this.#startSoon();
  }

  /** Handles an uncaught error. Returns whether the runtime has to end the program with it now. */
  #onUncaught(uncaught: Uncaught): boolean {
    const { state } = this;
    const cause: Cause = { kind: "error", ...uncaught };
    if (state === "exiting") return this.#onUncaughtWhileExiting(cause);
    if (this.#shutdown === undefined && this.#stack.size === 0) return true; // Nothing to do.
    const shutdown = this.#join(cause);
    if (shutdown.cause !== cause || state === "calling" || state === "awaiting") return false;
    if (!this.#begin(shutdown)) return false;
    // The program ends here, unless the event was a synthetic one that it dispatched itself.
    this.#prevented();
    return true;
  }

  /** Among exits the runtime ends the program with the error, as it would without the module. */
  #onUncaughtWhileExiting(cause: Cause): boolean {
    if (!this.#shutdown!.isDecided) return true;
    this.#join(cause);
    return false;
  }

  /** Lets the exits that error listeners have called take effect. */
  #releaseExits(): void {
    if (this.#errorEvents > 0) return;
    const exits = this.#deferredExits;
    this.#deferredExits = [];
    for (const { code, timeout } of exits) this.#requestExit(code, timeout);
    if (exits.length > 0 && this.state === "pending") this.#startSoon();
  }

  // -------------------------------------------------------------------------- from start to end

  /**
   * Adds a cause to the end that is under way, or begins one. The cause that decides sets the exit
   * code. An error that does not decide is reported.
   */
  #join(cause: Cause): Shutdown {
    let shutdown = this.#shutdown;
    const leavesCode = shutdown === undefined && cause.kind === "error" && !this.#isUsed;
    if (shutdown === undefined) {
      shutdown = this.#shutdown = new Shutdown(cause, this.#runtime.exitCode);
    } else {
      if (shutdown.stage === "finished") shutdown.stage = "pending";
      const loser = shutdown.join(cause);
      const winner = shutdown.cause;
      if (loser.kind === "error") {
        // Two promises can be rejected with the same error. Report it once.
        const isSame = winner.kind === "error" && is(winner.error, loser.error);
        if (!isSame) this.reporter.uncaught(loser.error);
      }
    }
    if (shutdown.cause === cause && shutdown.code !== undefined && !leavesCode) {
      this.#runtime.exitCode = shutdown.codeAwaiting = shutdown.code;
    }
    return shutdown;
  }

  /** Limits the run that is under way, or the one that will start. */
  #limit(timeout: number | undefined): void {
    const shutdown = this.#shutdown!;
    if (shutdown.stage === "running") this.#deadline?.limit(timeout);
    else shutdown.timeout = getShorter(shutdown.timeout, timeout);
  }

  #startAfterSignal(): void {
    if (!this.#runtime.signals.drains) return this.#startSoon();
    this.#startLater(getShorter(DRAIN_MS, this.#shutdown!.timeout ?? this.#gracePeriod));
  }

  #startSoon(): void {
    this.#startLater(0);
  }

  #startLater(milliseconds: number): void {
    this.#stopStart?.();
    this.#stopStart = this.#runtime.clock.startTimer(
      milliseconds,
      () => this.#start(),
      "unlessDrained",
    );
  }

  /** Runs the handlers gracefully, and ends the program. */
  #start(): void {
    const shutdown = this.#shutdown;
    if (shutdown?.stage === "pending" && this.#begin(shutdown)) this.#finish(shutdown);
  }

  /** Starts a graceful run. Returns whether it is over. */
  #begin(shutdown: Shutdown): boolean {
    this.#stopStart?.();
    this.#stopStart = undefined;
    shutdown.stage = "running";
    // The program may have changed it meanwhile.
    if (shutdown.code !== undefined) this.#runtime.exitCode = shutdown.code;
    this.#deadline = new Deadline(this.#runtime.clock, this, this.#gracePeriod);
    this.#deadline.limit(shutdown.timeout);
    return this.#run.runAsync();
  }

  /** The graceful run is over: ends the program, when what it has written is written. */
  #finish(shutdown: Shutdown): void {
    const flushed = shutdown.code === undefined && !shutdown.timedOut
      ? undefined
      : this.#runtime.flush();
    if (flushed === undefined) this.#leave(shutdown);
    else this.#leaveWhenFlushed(shutdown, flushed);
  }

  async #leaveWhenFlushed(shutdown: Shutdown, flushed: Promise<void>): Promise<void> {
    shutdown.codeAwaiting = this.#runtime.exitCode;
    this.#deadline!.awaiting();
    await flushed;
    if (shutdown.stage !== "running") return; // The run was interrupted.
    if (this.#run.runAsync()) this.#leave(shutdown); // What was registered meanwhile.
  }

  /** Ends the program, after the run. At an empty event loop it ends by itself. */
  #leave(shutdown: Shutdown): void {
    this.#stopWaiting();
    const { cause } = shutdown;
    shutdown.stage = "exiting";
    switch (cause.kind) {
      case "error":
        return cause.rethrow();
      case "exit":
        return this.#exit(this.#runtime.exitCode);
      case "signal":
        return this.#exit(cause.code, cause.signal);
      default:
        // A handler that has timed out may keep the event loop turning forever.
        if (shutdown.timedOut) return this.#exit(this.#runtime.exitCode);
        shutdown.stage = "finished";
    }
  }

  #exit(code: number, signal?: string): void {
    try {
      this.#runtime.exit({ code, signal, rethrow: () => this.#rethrowFailure() });
    } catch {
      // A stub of the runtime's exit throws: the exit was prevented.
    }
    this.#prevented();
  }

  /** Runs what is left without awaiting it. What is registered afterwards runs immediately, too. */
  #interrupt(getInterruption: () => Interruption): void {
    const shutdown = this.#shutdown!;
    shutdown.getInterruption ??= getInterruption;
    shutdown.stage = "running";
    this.#stopWaiting();
    this.#run.runSync();
    shutdown.stage = "exiting";
  }

  #interruptAndFinish(interruption: Interruption): void {
    this.#interrupt(() => interruption);
    this.#leave(this.#shutdown!);
  }

  /** The program lives on: all is as it was before the end began. */
  #prevented(): void {
    const { codeBefore } = this.#shutdown!;
    this.#reset();
    this.#runtime.exitCode = codeBefore;
  }

  #reset(): void {
    this.#shutdown = undefined;
    this.#awaitedSignals = false;
    this.#stopWaiting();
  }

  #stopWaiting(): void {
    this.#stopHolding();
    this.#stopStart?.();
    this.#stopInterrupt?.();
    this.#stopStart = this.#stopInterrupt = undefined;
    this.#deadline?.end();
    this.#signals?.disarm();
  }

  #rethrowFailure(): void {
    const failure = this.#shutdown?.takeFailure();
    if (failure !== undefined) this.#runtime.rethrow(failure.error);
  }

  /** Sets the exit code, unless an error or a signal decides it. */
  #setCode(code: number): void {
    if (!this.#shutdown!.isDecided) this.#runtime.exitCode = code;
  }

  #showText(exit: SystemExit): void {
    const text = getExitText(exit);
    if (text !== undefined) this.reporter.text(text);
  }

  // ------------------------------------------------------------------------------------- the run

  raised(entry: Entry, error: unknown): void {
    const shutdown = this.#shutdown!;
    if (isSystemExit(error)) {
      shutdown.failure = undefined;
      this.#showText(error);
      this.#setCode(getExitCode(error));
    } else {
      shutdown.failure = { error };
      this.reporter.exception(entry, error);
    }
  }

  awaiting(_: Entry): void {
    this.#shutdown!.codeAwaiting = this.#runtime.exitCode;
    this.#stopHolding();
    this.#deadline!.awaiting();
  }

  unawaited(entry: Entry, promise: object): void {
    const interruption = this.#shutdown!.getInterruption?.();
    this.reporter.unawaited(entry, promise, interruption ?? { kind: "unload" });
    onRejected(promise, () => {});
  }

  finished(): void {
    this.#finish(this.#shutdown!);
  }

  /** Reports a promise that is not awaited, and its rejection, if that comes later. */
  async returnedPromise(entry: Entry, promise: object): Promise<void> {
    this.reporter.returnedPromise(entry, promise);
    let isShown = true; // The report above shows an earlier rejection.
    onRejected(promise, (error) => {
      if (!isShown) this.reporter.exception(entry, error);
    });
    await undefined;
    isShown = false;
  }

  // --------------------------------------------------------------------------------- time limits

  onSlow(milliseconds: number): void {
    const { pending } = this.#run;
    if (pending === undefined) return; // The output is slow.
    this.reporter.slow(pending, milliseconds, this.#stack.size, this.#shutdown!.cause);
  }

  onReserve(limit: number): void {
    if (this.#stack.asynchronous === 0) return;
    this.#timeOut(
      `The handler did not settle within nine tenths of the ${limit} ms: ` +
        `the last tenth is reserved for the remaining handlers. ` +
        `Set a longer timeout or grace period`,
      true,
    );
  }

  onTimeout(limit: number): void {
    const shutdown = this.#shutdown!;
    const interruption: Interruption = { kind: "timeout", limit };
    // The output is slow. Handlers may have been registered meanwhile.
    if (this.#run.pending === undefined) return this.#interruptAndFinish(interruption);
    shutdown.getInterruption ??= () => interruption;
    this.#timeOut(
      `The handler did not settle within ${limit} ms. Set a longer timeout or grace period`,
      false,
    );
  }

  #timeOut(message: string, graceful: boolean): void {
    this.#shutdown!.timedOut = true;
    this.#failPending(message, graceful);
  }

  #failPending(message: string, graceful: boolean): void {
    this.#run.fail(clearStack(new NativeError(message)), graceful);
  }

  /**
   * The event loop is empty while a handler is awaited. What settles it may not keep the event loop
   * turning (a log transport's worker, a client's socket), so that is done here for some time.
   */
  #holdDrained(): void {
    if (this.#run.pending === undefined || this.#stopHold !== undefined) return;
    const deadline = this.#deadline!;
    if (deadline.isLimited) return deadline.keepAlive();
    const { clock } = this.#runtime;
    if (clock.now() - this.#heldUntil < STILL_DRAINED_MS) {
      return this.#failPending(
        "The handler's promise never settled: the event loop is empty. " +
          "Make sure that something resolves it",
        true,
      );
    }
    this.#stopHold = clock.startTimer(DRAINED_MS, () => {
      this.#stopHold = undefined;
      this.#heldUntil = clock.now();
    }, "always");
  }

  #stopHolding(): void {
    this.#stopHold?.();
    this.#stopHold = undefined;
    this.#heldUntil = -Infinity;
  }
}
