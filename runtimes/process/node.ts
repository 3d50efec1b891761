// Node.js: all ends are events that `process.emit` emits.

import { reject } from "../hook.ts";
import type { ErrorEvent, Uncaught } from "../runtime.ts";
import { AccessorHook } from "./accessor_hook.ts";
import { type PendingWrite, waitForWrites } from "./flush.ts";
import type { AnyFunction, OutputStream } from "./natives.ts";
import { ProcessRuntime, UNLOAD } from "./process.ts";
import { isCalledByExit, isNodeTest } from "./queries.ts";

const { apply } = Reflect;
const { getPrototypeOf, is } = Object;

/** The events that tell of an end. */
const END_EVENTS = new Set<unknown>([
  "beforeExit",
  "exit",
  "uncaughtException",
  "uncaughtExceptionMonitor",
  "unhandledRejection",
]);

/**
 * An error on its way through the events of Node.js: `unhandledRejection` if it is a rejection, then
 * `uncaughtExceptionMonitor`, `uncaughtException`, and `exit` if nobody handles it. With
 * `--unhandled-rejections=strict` a rejection comes after `uncaughtException`.
 */
type ErrorInFlight =
  /** No listener of `unhandledRejection` has handled it. */
  | { readonly stage: "rejected"; readonly error: unknown; readonly event: ErrorEvent }
  /** `uncaughtException` follows, unless a domain or a capture callback handles it. */
  | {
    readonly stage: "monitored";
    readonly error: unknown;
    /** The reason of the rejection. Node.js makes an error of what is no error. */
    readonly reason: unknown;
    readonly event: ErrorEvent;
  }
  /** No listener is shown it any more, and Node.js does not end the program. */
  | { readonly stage: "swallowed"; readonly error: unknown }
  /** The listeners have seen it before. It has arrived when Node.js emits its first event again. */
  | { readonly stage: "rethrown" | "arrived"; readonly error: unknown }
  /** Node.js ends the program with it. */
  | { readonly stage: "fatal"; readonly error: unknown; readonly uncaught: Uncaught }
  /** The same, after the listeners of `exit`. A worker calls `process.exit()` then. */
  | { readonly stage: "reported"; readonly error: unknown };

/** Calls the listeners. Returns whether there are any. */
type Emit = () => boolean;

/** Node.js, for a program and its handlers. */
export class NodeRuntime extends ProcessRuntime {
  protected readonly unsupportedSignals: readonly string[] = [];
  #emitHook: AccessorHook | undefined;
  #reallyExitHook: AccessorHook | undefined;
  #error: ErrorInFlight | undefined;
  /** An exception to throw out of the `exit` event, which makes Node.js print it. */
  #thrown: { readonly error: unknown } | undefined;

  /** Puts the hooks back if the program has defined the properties. */
  handlerAdded(): void {
    this.#emitHook?.check();
    this.#reallyExitHook?.check();
  }

  /** Node.js tells of a write that is under way without `stdout` being looked at (20.16 to 26.10). */
  flush(): Promise<void> | undefined {
    const { process } = this;
    try {
      if (!process.getActiveResourcesInfo().some((name) => name.endsWith("WriteWrap"))) return;
      const streams = [process.stdout, process.stderr].filter((stream) => getQueueSize(stream) > 0);
      if (streams.length === 0) return undefined;
      const writes = streams.map((stream): PendingWrite => ({
        stream,
        wait: (done) => stream.write("", done),
      }));
      return waitForWrites(writes, () => streams.map(getQueueSize).join(), this.natives);
    } catch {
      return undefined; // The program has replaced a stream.
    }
  }

  rethrow(error: unknown): void {
    if (this.exitInProgress === undefined) this.#thrown = { error };
    else this.#rethrowInExit(error);
  }

  /** Inside `process.exit()` nothing makes Node.js print an error. */
  #rethrowInExit(error: unknown): void {
    try {
      this.#emitToListeners("uncaughtExceptionMonitor", error);
      if (this.#emitToListeners("uncaughtException", error)) return;
    } catch (thrown) {
      error = thrown;
    }
    this.setFailed();
    this.events.reporter.uncaught(error);
  }

  /** Calls the listeners of an error, past the hook. */
  #emitToListeners(event: string, error: unknown): boolean {
    const { process } = this;
    return apply(getPrototypeOf(process).emit, process, [event, error, "uncaughtException"]);
  }

  protected isOwnTestRunner(): boolean {
    return isNodeTest(this.process);
  }

  // -------------------------------------------------------------------------------------- events

  protected watch(): void {
    const hook = new AccessorHook(
      this.process,
      "emit",
      ({ 0: event }) => END_EVENTS.has(event) ? event as string : undefined,
      (args, proceed, face) => this.#onEvent(args, () => proceed(args) as boolean, face),
    );
    if (hook.check()) this.#emitHook = hook;
    else this.#listen();
    this.#reallyExitHook = new AccessorHook(
      this.process,
      "reallyExit",
      () => "reallyExit",
      ({ 0: code }, proceed, face) => this.onReallyExit((last) => proceed([last]), code, face),
    );
    this.#reallyExitHook.check();
  }

  /**
   * The program has frozen `process.emit`: listeners instead. Handlers are not awaited at errors
   * then, and a `SystemExit` is an error.
   */
  #listen(): void {
    const { process } = this;
    const othersListen = (event: string) => process.listenerCount(event) > 1;
    const onBeforeExit = () => void this.#onBeforeExit(() => othersListen("beforeExit"));
    const onExit = (code: unknown) => void this.#onExit(() => othersListen("exit"), code, onExit);
    const onError = (error: unknown) => {
      const isHandled = process.listenerCount("uncaughtException") > 0 ||
        process.hasUncaughtExceptionCaptureCallback();
      if (!isHandled) this.#setError({ stage: "fatal", error, uncaught: { error, rethrow() {} } });
    };
    process.prependListener("beforeExit", onBeforeExit);
    process.prependListener("exit", onExit);
    process.prependListener("uncaughtExceptionMonitor", onError);
  }

  #onEvent(args: ArrayLike<unknown>, emit: Emit, hook: AnyFunction): boolean {
    const { 0: event, 1: value } = args;
    switch (event) {
      case "beforeExit":
        return this.#onBeforeExit(emit);
      case "exit":
        return this.#onExit(emit, value, hook);
      case "uncaughtExceptionMonitor":
        return this.#onMonitor(emit, value);
      case "unhandledRejection":
        return this.#onRejection(emit, value);
      default:
        return this.#onUncaught(emit, value);
    }
  }

  // -------------------------------------------------------------------------- an empty event loop

  /** If a listener schedules work, the event loop turns again, and the event is emitted again. */
  #onBeforeExit(emit: Emit): boolean {
    const { events } = this;
    if (events.state === "pending" || events.state === "awaiting" || this.phase === "asked") {
      return this.#reportDrained();
    }
    if (this.phase === "reported" && !events.mustWait) return true;
    const hasListeners = emit();
    if (!events.mustWait) {
      this.phase = "drained";
    } else if (events.state === "idle" && !hasListeners) {
      this.#reportDrained();
    } else {
      // What the listeners have begun is done before handlers run.
      this.phase = "asked";
      this.keepAlive();
    }
    return hasListeners;
  }

  #reportDrained(): true {
    this.phase = "reported";
    if (this.events.drained()) this.keepAlive();
    return true;
  }

  // --------------------------------------------------------------------------------------- exits

  /** Nothing can delay the end now. */
  #onExit(emit: Emit, code: unknown, hook: AnyFunction): boolean {
    if (this.process._exiting !== true) return emit(); // The program emits it itself.
    if (this.#error?.stage === "fatal") return this.#onFatalExit(emit, this.#error);
    switch (this.exitInProgress?.kind) {
      case "requested":
        return this.#emitSafely(emit);
      case undefined:
        return isCalledByExit(hook) ?? !this.#isDrained
          ? this.#onImportedExit(emit, hook)
          : this.#onDrainedExit(emit, code);
      default:
        return emit();
    }
  }

  get #isDrained(): boolean {
    return this.phase === "drained" || this.phase === "reported";
  }

  /** A listener that throws does not keep the lifecycle from ending the program. */
  #emitSafely(emit: Emit): boolean {
    try {
      return emit();
    } catch (error) {
      this.events.reporter.exitListener(error);
      return true;
    }
  }

  #onDrainedExit(emit: Emit, code: unknown): boolean {
    // 13 if a top-level `await` never settles.
    if (code !== this.exitCode) this.process.exitCode = code as number;
    const unloading = this.events.unloading("finished", () => UNLOAD);
    const hasListeners = emit();
    unloading?.finish();
    this.#throwRethrown();
    return hasListeners;
  }

  /** Node.js prints an exception that leaves its last event, but does not set the exit code. */
  #throwRethrown(): void {
    const thrown = this.#thrown;
    if (thrown === undefined) return;
    this.#thrown = undefined;
    this.phase = "failed";
    throw thrown.error;
  }

  /**
   * An `exit` that was imported by name is not hooked. What is thrown here leaves it, before any
   * listener has been called.
   */
  #onImportedExit(emit: Emit, hook: AnyFunction): boolean {
    const { process } = this;
    process._exiting = false; // Or the event would not be emitted again.
    const exit = this.events.exitNow(this.exitCode, this.describeCall("process.exit()", hook));
    if (exit === undefined) {
      this.exitInProgress = { kind: "noted" };
      return true;
    }
    process._exiting = true;
    process.exitCode = exit.code;
    this.exitInProgress = { kind: "imported", exit };
    try {
      return emit();
    } catch (error) {
      this.exitInProgress = undefined;
      exit.prevented();
      throw error; // It leaves the call of `exit()`.
    }
  }

  #onFatalExit(emit: Emit, { error, uncaught }: ErrorInFlight & { stage: "fatal" }): boolean {
    const unloading = this.events.unloading(uncaught, () => UNLOAD);
    const hasListeners = emit();
    this.#error = { stage: "reported", error };
    unloading?.finish();
    return hasListeners;
  }

  // -------------------------------------------------------------------------------------- errors

  protected get hasReportedError(): boolean {
    return this.#error?.stage === "reported";
  }

  #isInFlight(error: unknown, ...stages: ErrorInFlight["stage"][]): boolean {
    return this.#error !== undefined && stages.includes(this.#error.stage) &&
      is(this.#error.error, error);
  }

  #onRejection(emit: Emit, error: unknown): boolean {
    if (this.#isInFlight(error, "swallowed")) return true;
    if (this.#isInFlight(error, "rethrown")) return false;
    this.#settleError();
    const event = this.events.errorEvent(error);
    if (event === undefined) return this.#swallow(error);
    let isHandled = true; // A listener that throws makes another error of it.
    try {
      isHandled = emit();
    } finally {
      if (isHandled) event.handled();
    }
    if (!isHandled) this.#setError({ stage: "rejected", error, event });
    return isHandled;
  }

  #onMonitor(emit: Emit, error: unknown): boolean {
    if (this.#isInFlight(error, "rethrown")) {
      this.#error = { stage: "arrived", error };
      return true;
    }
    let reason = error;
    let event: ErrorEvent | undefined;
    if (this.#error?.stage === "rejected" && comesFrom(error, this.#error.error)) {
      ({ error: reason, event } = this.#error);
    } else {
      this.#settleError();
      event = this.events.errorEvent(error);
    }
    if (event === undefined) return this.#swallow(error);
    this.#setError({ stage: "monitored", error, reason, event });
    return emit();
  }

  #onUncaught(emit: Emit, error: unknown): boolean {
    const inFlight = this.#error;
    if (this.#isInFlight(error, "swallowed")) return true;
    if (this.#isInFlight(error, "arrived")) {
      this.#setError({ stage: "fatal", error, uncaught: { error, rethrow() {} } });
      return false;
    }
    if (inFlight?.stage !== "monitored" || !is(inFlight.error, error)) {
      return emit(); // The program emits it itself.
    }
    const { event, reason } = inFlight;
    if (emit()) {
      this.#settleError();
      return true;
    }
    this.#error = undefined;
    const uncaught: Uncaught = { error: reason, rethrow: () => this.#rethrowLater(error) };
    if (!event.unhandled(uncaught)) return this.#swallow(error);
    if (this.phase === "failed") this.process.exitCode = 1;
    this.#setError({ stage: "fatal", error, uncaught });
    return false;
  }

  #swallow(error: unknown): true {
    this.#setError({ stage: "swallowed", error });
    return true;
  }

  /** The events of an error are emitted in one turn: in the next microtask it is settled. */
  #setError(error: ErrorInFlight): void {
    this.#error = error;
    const settle = async () => {
      await undefined; // `queueMicrotask()` fails here (Node.js 20.16).
      if (this.#error === error) this.#settleError();
    };
    settle();
  }

  /** A listener, a domain or a capture callback has handled the error. */
  #settleError(): void {
    const error = this.#error;
    this.#error = undefined;
    if (error?.stage === "rejected" || error?.stage === "monitored") error.event.handled();
  }

  /** Raises an error that the listeners have seen before, in a turn of its own. */
  #rethrowLater(error: unknown): void {
    const rethrow = () => {
      this.#error = { stage: "rethrown", error };
      this.#rejectUnlessArrived(error);
      throw error;
    };
    try {
      this.natives.queueMicrotask(rethrow);
    } catch {
      // After a rejection with `--unhandled-rejections=strict`, where every rejection is an error
      // (Node.js 20.16).
      this.#error = { stage: "rethrown", error };
      reject(error);
    }
  }

  /** A foreign `queueMicrotask()`, zone.js's for one, catches what is thrown. */
  async #rejectUnlessArrived(error: unknown): Promise<void> {
    await undefined;
    if (this.#isInFlight(error, "rethrown")) reject(error);
  }
}

/** Returns the size of what a stream has not written yet. */
function getQueueSize({ writableLength = 0, _handle }: OutputStream): number {
  // The former does not change while one long text is written.
  return writableLength === 0 ? 0 : _handle?.writeQueueSize ?? writableLength;
}

/** Whether an uncaught error is a rejection. Node.js makes an error of a reason that is no error. */
function comesFrom(error: unknown, reason: unknown): boolean {
  try {
    return is(error, reason) || (error as { code?: unknown }).code === "ERR_UNHANDLED_REJECTION";
  } catch {
    return false; // A hostile error.
  }
}
