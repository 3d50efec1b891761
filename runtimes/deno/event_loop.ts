// Where the program stands between its start and its end: `load`, `beforeunload` and `unload`, `close()`,
// and the `exit` event of `process`.

import { replaceMethod } from "../hook.ts";
import type { ExitEvents, Interruption, UnloadKind } from "../runtime.ts";
import type { ErrorEvents, UnloadState } from "./error_events.ts";
import type { ExitHook } from "./exit.ts";
import {
  deno,
  denoGlobal,
  findCaller,
  findCallerKind,
  forgetUnload,
  getLoadedProcess,
  isDeno,
  isNodeWorker,
  isTestRunner,
  isWorker,
  type NodeProcess,
  printsNull,
} from "./queries.ts";
import type { Timers } from "./timers.ts";

// Captured at import, so that later monkey-patching does not affect the module.
const { apply } = Reflect;
const { getOwnPropertyDescriptor, hasOwn } = Object;
const { addEventListener, Event, queueMicrotask, removeEventListener } = isDeno
  ? globalThis
  : {} as typeof globalThis;
const getEventType = isDeno ? getOwnPropertyDescriptor(Event.prototype, "type")!.get! : undefined;

/** Where the program stands. */
type Phase =
  /** The main module is loading, or this is a worker: an empty event loop is not reported. */
  | { readonly kind: "loading" }
  /** Whether the program's listeners have been asked if they object to the end. */
  | { readonly kind: "running"; readonly asked: boolean }
  /** The event loop is empty and nobody objects: `unload` follows. */
  | { readonly kind: "drained" }
  | { readonly kind: "unloading"; readonly by: UnloadKind }
  /** Only the `exit` event of `process` can still follow. */
  | { readonly kind: "unloaded"; readonly by: UnloadKind };

/** The events that report an end of the program, or that its main module is loaded. */
const eventTypes = { beforeunload: 0, error: 0, load: 0, unhandledrejection: 0, unload: 0 };

const UNLOADING: Interruption = { kind: "unload" };
const CLOSING: Interruption = { kind: "exit", call: "close()", place: undefined };

/** Parts that need this one, and are made after it. */
interface Parts {
  readonly errors: ErrorEvents;
  readonly exit: ExitHook;
}

/** The event loop of a program. */
export class EventLoop implements UnloadState {
  readonly #events: ExitEvents;
  readonly #timers: Timers;
  readonly #getParts: () => Parts;
  readonly #originalDispatch = globalThis.dispatchEvent;
  /** What `dispatchEvent` was replaced by. */
  readonly #dispatchHook: typeof globalThis.dispatchEvent | undefined;
  #phase: Phase = { kind: "loading" };
  #hasHandlers = false;
  /** The `process` whose `emit` has been replaced. */
  #process: NodeProcess | undefined;
  #isEmittingDrainedExit = false;
  #hasClosed = false;
  #onLastUnload: (() => void) | undefined;

  constructor(events: ExitEvents, timers: Timers, getParts: () => Parts) {
    this.#events = events;
    this.#timers = timers;
    this.#getParts = getParts;
    this.#dispatchHook = this.#replaceDispatchEvent();
    if (typeof globalThis.close === "function") this.#replaceClose();
    if (isNodeWorker) this.#watchProcess();
  }

  // ----------------------------------------------------------------------------------- the phases

  get isUnloading(): boolean {
    return this.#phase.kind === "unloading";
  }

  get isUnloadingDrained(): boolean {
    return this.#phase.kind === "unloading" && this.#phase.by === "finished";
  }

  get isExitingDrained(): boolean {
    return this.#isEmittingDrainedExit;
  }

  /** The main module is loaded. */
  #loaded(): void {
    this.#timers.loaded();
    this.#watchProcess();
    if (this.#phase.kind === "loading") this.#phase = { kind: "running", asked: false };
  }

  /** The event loop is empty, and nobody objects. */
  #drained(): true {
    this.#phase = { kind: "drained" };
    return true;
  }

  /** Does something while `unload` listeners are called. */
  #unload<T>(by: UnloadKind, callback: () => T): T {
    this.#phase = { kind: "unloading", by };
    try {
      return callback();
    } finally {
      this.#phase = { kind: "unloaded", by };
    }
  }

  // -------------------------------------------------------------------------------------- handlers

  handlerAdded(awaited: boolean): void {
    if (!this.#hasHandlers) {
      this.#hasHandlers = true;
      addEventListener("unload", this.#onNativeUnload);
      this.#replaceStopImmediatePropagation();
    }
    this.#watchProcess();
    switch (this.#phase.kind) {
      case "drained":
        // `beforeExit` listeners of `process` may still register asynchronous handlers.
        if (awaited) this.#timers.keepAlive();
        break;
      case "unloaded":
        if (this.#process?._exiting === true) this.#events.unloading("finished", () => UNLOADING);
        else forgetUnload(); // The program has dispatched `unload` itself, and is still running.
        break;
    }
  }

  /** Dispatches `unload`, as `Deno.exit()` does. */
  dispatchUnload(): void {
    apply(this.#originalDispatch, denoGlobal, [new Event("unload")]);
  }

  // ---------------------------------------------------------------------------------------- events

  #replaceDispatchEvent(): typeof globalThis.dispatchEvent | undefined {
    const onEvent = this.#onEvent.bind(this);
    // Only the events that report an end are looked at, so that the stacks of others do not change.
    return replaceMethod(globalThis, "dispatchEvent", (original) =>
      ({
        dispatchEvent(this: unknown, event: Event): boolean {
          const args = arguments as unknown as [Event];
          const isGlobal = this === undefined || this === null || this === denoGlobal;
          const type = isGlobal ? getExitEventType(event) : undefined;
          if (type === undefined) return apply(original, this, args);
          return onEvent(type, event, () => apply(original, this, args));
        },
      }).dispatchEvent);
  }

  #onEvent(type: string, event: Event, dispatch: () => boolean): boolean {
    switch (type) {
      case "error":
        return this.#getParts().errors.onError(event, dispatch);
      case "unhandledrejection":
        this.#getParts().exit.onRejection((event as PromiseRejectionEvent).promise);
        return this.#getParts().errors.onRejection(event, dispatch);
      case "beforeunload":
        return this.#onBeforeUnload(dispatch);
      case "unload":
        return this.#onUnload(dispatch);
      default:
        this.#loaded();
        return dispatch();
    }
  }

  /** Returns whether the program may end. If not, Deno turns the event loop and asks again. */
  #onBeforeUnload(dispatch: () => boolean): boolean {
    const asked = this.#phase.kind === "running" && this.#phase.asked;
    this.#loaded();
    this.#phase = { kind: "running", asked };
    const events = this.#events;
    if (!asked && events.state === "idle") return this.#askListeners(dispatch);
    if (!this.#isAskedByDeno()) return dispatch() && this.#drained();
    if (events.mustWait) {
      if (!printsNull()) {
        if (events.drained()) return false;
      } else {
        // What a handler throws now would be printed as "Uncaught null".
        this.#timers.defer(() => events.drained());
        return false;
      }
    }
    if (asked) this.#removeBeforeExitListeners();
    return this.#drained();
  }

  #askListeners(dispatch: () => boolean): boolean {
    const events = this.#events;
    if (!dispatch()) return false;
    if (!events.mustWait || !this.#isAskedByDeno()) return this.#drained();
    if (events.state !== "idle") return false;
    this.#phase = { kind: "running", asked: true };
    this.#emitBeforeExit();
    return false; // Wait for the work that listeners have scheduled.
  }

  /** Whether Deno dispatches `beforeunload`, and does what it is told. A test runner does not. */
  #isAskedByDeno(): boolean {
    if (isTestRunner()) return false;
    return this.#dispatchHook === undefined || findCallerKind(this.#dispatchHook) !== "program";
  }

  /**
   * Calls the `beforeExit` listeners of `process`, as Deno does when nobody objects. Called once only:
   * there is no way to find out whether a listener has scheduled work, after which Deno would emit it
   * again.
   */
  #emitBeforeExit(): void {
    const process = getLoadedProcess();
    try {
      process?.emit("beforeExit", process.exitCode || 0);
    } catch (error) {
      this.#throwLater(error);
    }
  }

  #throwLater(error: unknown): void {
    this.#timers.defer(() => {
      throw error;
    });
  }

  /** They have been called. */
  #removeBeforeExitListeners(): void {
    try {
      getLoadedProcess()?.removeAllListeners("beforeExit");
    } catch {
      // The program has replaced what it needs.
    }
  }

  /** `unload`, as Deno dispatches it at an empty event loop, a restart, the end of a test module. */
  #onUnload(dispatch: () => boolean): boolean {
    const by = this.#phase.kind === "drained" && !isTestRunner() ? "finished" : "unload";
    this.#watchProcess();
    const unloading = this.#events.unloading(by, () => UNLOADING);
    return this.#unload(by, () => {
      const outcome = dispatch();
      this.#watchProcess();
      unloading?.finish();
      return outcome;
    });
  }

  /** `unload` of an exit that was saved before the import, which `dispatchEvent` does not see. */
  readonly #onNativeUnload = (): void => {
    if (this.#phase.kind === "unloading" || this.#events.state === "exiting") return;
    const unloading = this.#events.unloading("exit", () => UNLOADING);
    this.#unload("exit", () => unloading?.finish());
  };

  /**
   * Calls back in the last `unload` listener, so that rethrowing an error skips no other one; or when
   * a listener stops the others.
   *
   * @returns A function that cancels this.
   */
  addLastUnload(callback: () => void): () => void {
    const onLastUnload = this.#onLastUnload = () => {
      if (this.#onLastUnload !== onLastUnload) return;
      this.#onLastUnload = undefined;
      callback();
    };
    addEventListener("unload", onLastUnload);
    return () => {
      removeEventListener("unload", onLastUnload);
      if (this.#onLastUnload === onLastUnload) this.#onLastUnload = undefined;
    };
  }

  #replaceStopImmediatePropagation(): void {
    const onStop = (event: Event) => {
      if (getExitEventType(event) !== "unload" || event.currentTarget !== denoGlobal) return;
      this.#onNativeUnload();
      this.#onLastUnload?.();
    };
    replaceMethod(Event.prototype, "stopImmediatePropagation", (original) =>
      ({
        stopImmediatePropagation(this: Event): void {
          apply(original, this, []);
          onStop(this);
        },
      }).stopImmediatePropagation);
  }

  // --------------------------------------------------------------------------------------- close()

  #replaceClose(): void {
    const close = (original: () => void) =>
      isWorker ? this.#closeWorker(original) : this.#closeMain(original);
    replaceMethod(globalThis, "close", (original) =>
      function (): void {
        close(original);
      });
  }

  /** Deno dispatches `unload` in a microtask that follows `close()`. */
  #closeMain(original: () => void): void {
    if (this.#hasClosed) return original();
    this.#hasClosed = true;
    queueMicrotask(() => {
      const unloading = this.#events.unloading("close", () => CLOSING);
      if (unloading === undefined) return;
      this.#phase = { kind: "unloading", by: "close" };
      this.addLastUnload(() => unloading.finish());
    });
    original();
  }

  /** Deno dispatches nothing after a worker's `close()`. */
  #closeWorker(original: () => void): void {
    const events = this.#events;
    // A handler may call it: then the worker is ending already.
    if (events.state === "calling") return;
    events.unloading("close", () => CLOSING)?.finish();
    original();
  }

  // ---------------------------------------------------------------------------- `exit` of `process`

  /** Replaces `process.emit`, once `process` is loaded. */
  #watchProcess(): void {
    const process = this.#process === undefined ? getLoadedProcess() : undefined;
    if (process === undefined) return;
    this.#process = process;
    const onEvent = this.#onProcessEvent.bind(this, process);
    replaceMethod(process, "emit", (original) => {
      const { emit } = {
        emit(this: unknown, event: string): boolean {
          const args = arguments as unknown as [string, ...unknown[]];
          const isEnd = this === process && (event === "exit" || event === "beforeExit");
          if (!isEnd) return apply(original, this, args);
          return onEvent(event, () => apply(original, this, args), emit);
        },
      };
      return emit;
    });
  }

  #onProcessEvent(
    process: NodeProcess,
    event: string,
    emit: () => boolean,
    hook: NodeProcess["emit"],
  ): boolean {
    if (event === "beforeExit") return this.#onProcessBeforeExit(emit);
    return process._exiting === true ? this.#onProcessExit(process, emit, hook) : emit(); // The program emits it itself.
  }

  #onProcessBeforeExit(emit: () => boolean): boolean {
    try {
      return emit();
    } catch (error) {
      if (!printsNull()) throw error;
      this.#throwLater(error); // Deno before 2.7 would end without `unload`.
      return true;
    }
  }

  #onProcessExit(process: NodeProcess, emit: () => boolean, hook: NodeProcess["emit"]): boolean {
    const { kind } = this.#phase;
    const isRunning = kind === "running" || kind === "loading" && !isNodeWorker;
    if (isRunning || findCallerKind(hook) === "program") {
      const getInterruption = (): Interruption => ({
        kind: "exit",
        ...findCaller(hook),
        call: "process.exit()",
      });
      return this.#getParts().exit.onProcessExit(process, deno.exitCode, getInterruption, emit);
    }
    const unloading = this.#events.unloading("finished", () => UNLOADING);
    const outcome = emit();
    this.#isEmittingDrainedExit = true;
    unloading?.rethrow();
    return outcome;
  }
}

/** Returns the type of an event that reports an end of the program, or that it is loaded. */
function getExitEventType(event: Event): string | undefined {
  try {
    const type = apply(getEventType!, event, []) as string;
    return hasOwn(eventTypes, type) ? type : undefined;
  } catch {
    return undefined; // Not an event.
  }
}
