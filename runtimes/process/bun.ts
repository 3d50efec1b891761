// Bun: it calls the listeners of `process` itself, and never `process.emit`.

import { reject, replaceMethod } from "../hook.ts";
import type { ErrorEvent, Exit, Uncaught } from "../runtime.ts";
import { waitForWrites } from "./flush.ts";
import type { AnyFunction, OutputStream, Process } from "./natives.ts";
import { ProcessRuntime, UNLOAD } from "./process.ts";
import { isBunTest, isCalledByExit } from "./queries.ts";

const { apply } = Reflect;
const { is } = Object;

// Captured at import, so that later monkey-patching does not affect the module.
const NativePromise = Promise;

/** An error on its way through the events of Bun, or that is rethrown to it. */
type ErrorInFlight =
  /** Listeners that handle it are being called, or have been called. */
  | { readonly stage: "handled"; readonly event: ErrorEvent }
  /** The module has seen it before. */
  | { readonly stage: "rethrown"; readonly error: unknown }
  /** The listeners of `exit` follow. */
  | { readonly stage: "fatal"; readonly uncaught: Uncaught }
  /** The listeners of `exit` have been called, or are called next: the error has been printed. */
  | { readonly stage: "reported"; readonly error: unknown };

/**
 * Which listeners of `exit` have been called: none, the module's, which is the first, or all. Bun
 * copies the list before it calls them.
 */
type ExitEvent = "none" | "first" | "all";

/** Bun, for a program and its handlers. */
export class BunRuntime extends ProcessRuntime {
  /** `process.kill()` does not know them, and listeners are never called (1.4.0 to 1.4.5). */
  protected readonly unsupportedSignals = ["SIGPOLL", "SIGPWR", "SIGSTKFLT"];
  #error: ErrorInFlight | undefined;
  #exitEvent: ExitEvent = "none";
  #reallyExit: Process["reallyExit"] | undefined;

  protected isOwnTestRunner(): boolean {
    return isBunTest(this.natives.getBuiltinModule);
  }

  /** A listener of `beforeExit` may register the first handler that has to be awaited. */
  handlerAdded(awaited: boolean): void {
    this.#hookReallyExit();
    if (awaited && this.phase === "drained") this.#callListenersLast();
  }

  // --------------------------------------------------------------------------------------- output

  /** Bun may leave the message out of a stack (1.4.0). */
  protected override inspect(value: unknown, options: { readonly colors: boolean }): string {
    const shown = super.inspect(value, options);
    if (!(value instanceof Error)) return shown;
    const { name, message } = value;
    const isComplete = typeof message !== "string" || shown.includes(message);
    return isComplete ? shown : `${name}: ${message}\n${shown}`;
  }

  /** Bun writes to `stderr`, to files and to terminals at once, and `console.log()` does (1.4.0 to 1.4.5). */
  flush(): Promise<void> | undefined {
    const { process, natives } = this;
    try {
      const { fstatSync } = natives.getBuiltinModule("node:fs");
      const file = fstatSync(1);
      if (!file.isFIFO() && !file.isSocket()) return undefined;
      const { stdout: stream } = process;
      const pending = flushSink(stream);
      if (pending === undefined) return undefined;
      const wait = (done: () => void) => void pending.then(done, done);
      return waitForWrites([{ stream, wait }], () => this.#countWritten(), natives);
    } catch {
      return undefined; // The program has replaced the stream.
    }
  }

  /** Returns how many bytes this process has written: streams do not tell. Constant if unknown. */
  #countWritten(): string | undefined {
    try {
      const { readFileSync } = this.natives.getBuiltinModule("node:fs");
      return /^wchar: (\d+)/m.exec(readFileSync("/proc/self/io", "latin1"))?.[1];
    } catch {
      return undefined; // Not Linux.
    }
  }

  // --------------------------------------------------------------------------------------- exits

  protected watch(): void {
    const { process } = this;
    this.#hookReallyExit();
    process.prependListener("beforeExit", this.#onBeforeExit);
    process.prependListener("exit", this.#onExit);
    process.prependListener("uncaughtExceptionMonitor", this.#onMonitor);
    process.prependListener("unhandledRejection", this.#onRejection);
    process.on("newListener", this.#onNewListener);
  }

  /**
   * Hooks `process.reallyExit`, again if others have replaced it. Not by an accessor, which Bun 1.4.0
   * does not call.
   */
  #hookReallyExit(): void {
    const { process } = this;
    if (process.reallyExit === this.#reallyExit || typeof process.reallyExit !== "function") return;
    this.#reallyExit = replaceMethod(process, "reallyExit", (original) => {
      const onCall = (code: unknown, hook: AnyFunction) =>
        this.onReallyExit((last) => apply(original, process, [last]), code, hook);
      return function reallyExit(code?: unknown): void {
        onCall(code, reallyExit);
      };
    });
  }

  /**
   * Dies before the original `process.exit()`: its call of `process.reallyExit()` may reach another
   * package's hook first. Inside the event Bun would not call the other listeners any more.
   */
  protected override prepareExit(exit: Exit): void {
    const dies = exit.signal !== undefined && this.canDieBy(exit.signal);
    if (dies || this.#exitEvent === "first") this.#emitExit(exit.code);
    if (!dies) return;
    exit.rethrow();
    this.dieBy(exit.signal!);
  }

  /**
   * Calls the listeners of `exit` that have not been called, and what other packages have put in the
   * place of `process.emit`. Removes them, or Bun would call them again.
   */
  #emitExit(code: number): void {
    const { process } = this;
    if (this.#exitEvent === "all" || this.#exitEvent === "none" && process._exiting === true) {
      return;
    }
    this.#exitEvent = "all";
    process._exiting = true;
    process.removeListener("exit", this.#onExit);
    try {
      process.emit("exit", code);
    } catch (error) {
      this.events.reporter.exitListener(error);
    }
    process.removeAllListeners("exit");
  }

  /** Called before the other listeners. */
  readonly #onExit = (): void => {
    const { process } = this;
    if (process._exiting !== true) return; // The program emits it itself.
    this.#settleError();
    if (this.#error?.stage === "fatal") return this.#onFatalExit(this.#error.uncaught);
    if (this.exitInProgress !== undefined || this.hasReportedError) return;
    const isDrained = this.phase === "drained" || this.phase === "reported";
    if (!isDrained || isCalledByExit(this.#onExit)) return this.#onImportedExit();
    this.#exitEvent = "first";
    const isOther = this.events.state !== "idle";
    const unloading = this.events.unloading("finished", () => UNLOAD);
    // Not `finish()` otherwise: what the listeners that follow register has to run immediately.
    if (isOther) unloading?.finish();
    else unloading?.rethrow();
    if (this.#exitEvent === "first") this.#exitEvent = "all";
  };

  /**
   * An `exit` that was imported by name, or Bun's own after an error listener that throws. It cannot
   * be stopped here, where Bun would report what is thrown, but in `process.reallyExit()`.
   */
  #onImportedExit(): void {
    const { events, process } = this;
    this.#hookReallyExit();
    if (events.state !== "idle" && events.state !== "exiting") return;
    const getInterruption = this.describeCall("process.exit()", this.#onExit);
    try {
      const exit = events.exitNow(this.exitCode, getInterruption);
      if (exit === undefined) {
        this.exitInProgress = { kind: "noted" };
      } else {
        process.exitCode = exit.code;
        this.exitInProgress = { kind: "imported", exit };
      }
    } catch {
      // It is overridden: `process.reallyExit()` throws.
    }
  }

  #onFatalExit(uncaught: Uncaught): void {
    const unloading = this.events.unloading(uncaught, () => UNLOAD);
    this.#error = { stage: "reported", error: uncaught.error };
    unloading?.finish();
  }

  // -------------------------------------------------------------------------- an empty event loop

  /** Called before the other listeners, which are called after it. */
  readonly #onBeforeExit = (): void => {
    const { events } = this;
    this.#settleError();
    if (this.#error !== undefined) return;
    const isUnderWay = events.state === "pending" || events.state === "awaiting";
    if (isUnderWay && this.phase !== "turned") {
      // `unhandledRejection` comes after this event, and a promise that settles at once may not have.
      this.phase = "turned";
      this.keepAlive();
    } else if (isUnderWay || this.phase === "asked") {
      this.phase = "reported";
      if (events.drained()) this.keepAlive();
    } else if (events.mustWait) {
      this.#callListenersLast();
    } else if (this.process._exiting === true) {
      // An exit has been refused, and Bun emits `exit` only once: this is the last event.
      events.unloading("finished", () => UNLOAD)?.finish();
    } else {
      this.phase = "drained";
      this.clock.startTimer(0, () => this.phase = "running"); // `setImmediate()` ignores `unref()`.
    }
  };

  /**
   * The other listeners are called after this one, and never again: what they have begun is done
   * before handlers run. The turn also brings to light what was rejected last.
   */
  #callListenersLast(): void {
    const { process } = this;
    this.phase = "asked";
    this.keepAlive();
    this.natives.setImmediate(() => {
      for (const listener of process.listeners("beforeExit")) {
        if (listener !== this.#onBeforeExit) process.removeListener("beforeExit", listener);
      }
    });
  }

  // -------------------------------------------------------------------------------------- errors

  protected get hasReportedError(): boolean {
    return this.#error?.stage === "reported";
  }

  get #isHandled(): boolean {
    const { process } = this;
    return process.listenerCount("uncaughtException") > 0 ||
      process.hasUncaughtExceptionCaptureCallback();
  }

  /** Called before the other listeners. Then come those of `uncaughtException`, or the end. */
  readonly #onMonitor = (error: unknown): void => {
    if (this.#error?.stage === "rethrown" && is(this.#error.error, error)) {
      this.#error = { stage: "reported", error };
    }
    if (this.hasReportedError) return;
    const event = this.events.errorEvent(error);
    if (event === undefined) return this.#swallowNext();
    if (this.#isHandled) return this.#handleSoon(event);
    const uncaught: Uncaught = { error, rethrow: () => this.#rethrowLater(error) };
    if (event.unhandled(uncaught)) this.#error = { stage: "fatal", uncaught };
    else this.#swallowNext();
    // While other listeners are called, exits return to them.
    const others = this.events.errorEvent(error);
    this.#soon(() => others?.handled());
  };

  /** Shows the error to no listener of `uncaughtException`, and lets the program live. */
  #swallowNext(): void {
    const { process } = this;
    if (process.hasUncaughtExceptionCaptureCallback()) return; // The program's is called.
    process.setUncaughtExceptionCaptureCallback(() =>
      process.setUncaughtExceptionCaptureCallback(null)
    );
  }

  /** Bun tells of a rejection those who listen, and takes it for handled then. */
  readonly #onRejection = (error: unknown, promise: unknown): void => {
    const { events, natives, process } = this;
    if (natives.Bun?.peek.status(promise) !== "rejected") return; // The program emits it itself.
    const event = events.errorEvent(error);
    if (event === undefined) return;
    if (process.listenerCount("unhandledRejection") > 1) return this.#handleSoon(event);
    const rethrow = () => {
      this.#error = { stage: "reported", error };
      this.#rejectAgain(error);
    };
    const uncaught: Uncaught = { error, rethrow };
    if (!event.unhandled(uncaught)) return;
    this.#error = { stage: "fatal", uncaught };
    this.#rejectAgain(error);
  };

  /** Nobody listens any more: Bun prints the error and ends the program. */
  #rejectAgain(error: unknown): void {
    this.process.removeListener("unhandledRejection", this.#onRejection);
    reject(error);
    this.keepAlive(); // A worker ends without telling of it if the event loop does not turn.
  }

  /** Stays in front of the other listeners: one that is called once is gone afterwards. */
  readonly #onNewListener = (event: string, listener: AnyFunction): void => {
    if (event !== "unhandledRejection" || listener === this.#onRejection) return;
    this.#soon(() => {
      const { process } = this;
      if (this.#error?.stage === "fatal") return;
      process.removeListener("unhandledRejection", this.#onRejection);
      process.prependListener("unhandledRejection", this.#onRejection);
    });
  };

  /** Exits in the listeners, which are called next, take effect when they have returned. */
  #handleSoon(event: ErrorEvent): void {
    this.#settleError();
    const error = this.#error = { stage: "handled", event } as const;
    this.#soon(() => {
      if (this.#error === error) this.#settleError();
    });
  }

  #settleError(): void {
    const error = this.#error;
    if (error?.stage !== "handled") return;
    this.#error = undefined;
    error.event.handled();
  }

  async #soon(callback: () => void): Promise<void> {
    await undefined;
    callback();
  }

  /** Raises an error that the listeners have seen before, in a turn of its own. */
  #rethrowLater(error: unknown): void {
    this.natives.queueMicrotask(() => {
      this.#hideFromMonitors();
      this.#error = { stage: "rethrown", error };
      if (this.isMainThread) this.natives.reportError(error);
      // In a worker nothing else ends the program, nor where `reportError()` is a foreign one.
      if (this.#error.stage === "rethrown") throw error;
    });
  }

  /** They have seen the error. */
  #hideFromMonitors(): void {
    const { process } = this;
    for (const listener of process.listeners("uncaughtExceptionMonitor")) {
      if (listener !== this.#onMonitor) {
        process.removeListener("uncaughtExceptionMonitor", listener);
      }
    }
  }

  rethrow(error: unknown): void {
    const { events, exitInProgress, natives, process } = this;
    const isHandled = this.#isHandled;
    const isExiting = exitInProgress !== undefined;
    if (!isHandled) this.setFailed();
    if (!isExiting && !this.isMainThread) {
      // In a worker whose event loop is empty Bun prints no error, whatever is done.
      if (!isHandled) this.exitCode = 1;
      return;
    }
    // Bun ends the program inside `reportError()`, and would skip the listeners.
    if (!isExiting) this.#emitExit(this.exitCode);
    this.#error = { stage: "rethrown", error };
    natives.reportError(error);
    // Without a report where `reportError()` is a foreign one.
    if (this.#error.stage === "rethrown" && !isHandled) events.reporter.uncaught(error);
    this.#error = undefined;
    if (isExiting) return;
    if (!isHandled) this.exitCode = 1;
    process.reallyExit(this.exitCode);
  }
}

/** The writer behind `process.stdout`. */
interface FileSink {
  flush(): unknown;
}

/**
 * Returns a promise for what a stream has not written yet, `undefined` if there is nothing. Only its
 * writer tells, which is not documented (1.4.0 to 1.4.5): `writableLength` is always 0, the callback
 * of an empty write comes at once, and after `end()` the listeners of `exit` could not write.
 */
function flushSink(stream: OutputStream): Promise<unknown> | undefined {
  for (const key of Object.getOwnPropertySymbols(stream)) {
    if (key.description !== "kWriteStreamFastPath") continue;
    const sink = (stream as object as { [key]?: FileSink })[key];
    const pending = sink?.flush?.();
    return pending instanceof NativePromise ? pending : undefined;
  }
  return undefined;
}
