// How Deno tells that a program ends, and how it is made to end. The only file that knows Deno.

import { type Cut, SystemExit } from "../errors.ts";
import type { Ends, Runtime } from "./runtime.ts";
import {
  type Caller,
  callerOf,
  errorsEndNothing,
  isCalledByHand,
  isDeno,
  isNodeWorker,
  isProcessListening,
  isTerminal,
  isTestRunner,
  isUncaughtError,
  isWorker,
  lazy,
  loadedProcess,
  mayDieBy,
  printsNull,
  signalNumber,
  waitsAsynchronously,
} from "./deno_program.ts";

/** What is needed later. Taken now: what the program puts in its place is its own affair. */
function takeNatives() {
  const { addEventListener, Int32Array, performance, PromiseRejectionEvent } = globalThis;
  const { queueMicrotask, removeEventListener, reportError, SharedArrayBuffer } = globalThis;
  const { addSignalListener, build, inspect, removeSignalListener, unrefTimer } = Deno;
  return {
    ...{ addEventListener, Int32Array, PromiseRejectionEvent, queueMicrotask },
    ...{ removeEventListener, reportError, SharedArrayBuffer },
    ...{ addSignalListener, build, inspect, removeSignalListener, unrefTimer },
    deno: Deno,
    getType: getOwnPropertyDescriptor(Event.prototype, "type")!.get!,
    writeError: globalThis.console?.error as ((text: string) => void) | undefined,
    now: performance.now.bind(performance),
    // Deno 2.9 loads these when they are first looked at, which takes milliseconds.
    pid: lazy<number>(Deno, "pid"),
    kill: lazy<typeof Deno.kill>(Deno, "kill"),
    setTimeout: lazy<(callback: () => void, delay: number) => number>(globalThis, "setTimeout"),
    clearTimeout: lazy<(timer: number) => void>(globalThis, "clearTimeout"),
  };
}

const { apply, defineProperty } = Reflect;
const { getOwnPropertyDescriptor, hasOwn } = Object;
const { notify, wait, waitAsync } = Atomics;
const realm = globalThis;
const reject = Promise.reject.bind(Promise);
const { then } = Promise.prototype;
const {
  addEventListener,
  addSignalListener,
  build,
  clearTimeout,
  deno,
  getType,
  inspect,
  Int32Array,
  kill,
  now,
  pid,
  PromiseRejectionEvent,
  queueMicrotask,
  removeEventListener,
  removeSignalListener,
  reportError,
  setTimeout,
  SharedArrayBuffer,
  unrefTimer,
  writeError,
} = isDeno ? takeNatives() : {} as ReturnType<typeof takeNatives>;

/** The events that tell of an end of the program, or that its main module is loaded. */
const ends = { beforeunload: 0, error: 0, load: 0, unhandledrejection: 0, unload: 0 };

/** Why handlers are not awaited in `unload`, and at `close()`. */
const unloading: Cut = { kind: "unload" };
const closing: Cut = { kind: "exit", call: "close()", place: undefined };

/** How the program is being ended. */
interface Leaving {
  readonly code: number;
  readonly signal: string | undefined;
  /** Whether what was `Deno.exit` at the import has been called. */
  left: boolean;
  /** Whether the process has sent itself the signal. */
  killed: boolean;
}

/** A timer that keeps the program alive, and the one before it. */
interface Holding {
  readonly timer: number;
  readonly before: Holding | undefined;
}

/** Deno, for a program and its handlers. */
export class DenoRuntime implements Runtime {
  readonly defaultSignals: readonly string[] = build.os === "windows"
    ? ["SIGINT", "SIGBREAK", "SIGHUP"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];

  #ends!: Ends;
  /** What listens to a signal. */
  readonly #listeners: { [signal: string]: (() => void) | undefined } = Object.create(null);
  /** The timers that keep the program alive until Deno tells when its event loop is dry. */
  #holding: Holding | undefined;
  /** Whether Deno tells when the event loop is dry: not to workers, nor while a main module loads. */
  #tellsDry = false;
  /** Whether the program's listeners have been asked whether it is to go on. */
  #asked = false;
  /** Whether the event loop has run dry and the program ends. */
  #dry = false;
  /** Whether listeners of `unload` are being called. */
  #unloading = false;
  /** Whether a program that has registered nothing is over: only `exit` listeners of `process` follow. */
  #over = false;
  /** Whether `unload` was dispatched, which Deno's `exit` does once only. */
  #unloaded = false;
  /** Whether the main program has called `close()`. */
  #closing = false;
  /** Whether the `exit` event of `process` is listened to. */
  #watchesProcess = false;
  /** Whether an exception is raised by throwing it, where nothing else is noticed any more. */
  #rethrows = false;
  /** What is done with the `error` event that is being caused here. */
  #raising: ((dispatch: () => boolean) => boolean) | undefined;
  /** The rejected promise that was made here to end the program with its reason. */
  #rejected: Promise<never> | undefined;
  /** How the program is being ended here. */
  #leaving: Leaving | undefined;
  /** Whether what was `Deno.exit` at the import is being called. */
  #isLeaving = false;
  /**
   * A rejected promise that is handled if that call is refused. Else it brings the program back here:
   * a watcher's process goes on, so Deno terminates the program instead, and forgets that it has done
   * so where a microtask calls any function afterwards.
   */
  #attempt: Promise<never> | undefined;
  /** What `globalThis.dispatchEvent` was replaced by. */
  #dispatchEvent: typeof globalThis.dispatchEvent | undefined;
  /** What was `Deno.exit` at the import. */
  #native: typeof Deno.exit | undefined;
  /** What `Deno.exit` was replaced by. */
  #exit: typeof Deno.exit | undefined;

  // ---------------------------------------------------------------------------- what it is asked

  /** In workers Deno 2.0 has no exit code. */
  get exitCode(): number {
    return deno.exitCode ?? 0;
  }

  set exitCode(code: number) {
    deno.exitCode = code;
  }

  now(): number {
    return now();
  }

  inspect(value: unknown): string {
    return inspect(value, { colors: this.#colors });
  }

  /** In the colors of Deno's own `error:`. */
  highlight(text: string): string {
    return this.#colors ? `\x1b[0m\x1b[1m\x1b[31m${text}\x1b[0m` : text;
  }

  get #colors(): boolean {
    return !deno.noColor && isTerminal();
  }

  /** Writes to the console that the program has put in place, or else to the one from before. */
  write(text: string): void {
    try {
      globalThis.console.error(text);
    } catch {
      writeError?.(text);
    }
  }

  startTimer(milliseconds: number, callback: () => void, holds = false): () => void {
    const delay = milliseconds < 2 ** 31 ? milliseconds : 2 ** 31 - 1;
    const mustHold = holds && (!this.#tellsDry || isTestRunner());
    if (!mustHold && waitsAsynchronously()) return startWaiting(delay, callback);
    const timer = setTimeout()(callback, delay);
    if (mustHold) this.#holding = { timer, before: this.#holding };
    else unrefTimer(timer);
    return () => clearTimeout()(timer);
  }

  firstUse(): void {
    if (this.#over) this.#ends.unload("dry", unloading);
  }

  /** Asynchronous handlers may still be registered by `beforeExit` listeners of `process`. */
  turnOnce(): void {
    if (this.#dry && !this.#unloading) setTimeout()(() => {}, 0);
  }

  numberOf(signal: string): number {
    return signalNumber(signal);
  }

  listen(signal: string, listener: () => void): () => void {
    // Later, when the program's own listeners have been called, and what one throws has been noticed:
    // ending the program inside the call would lose both.
    const later = () => void setTimeout()(listener, 0);
    addSignalListener(signal as Deno.Signal, later);
    this.#listeners[signal] = later;
    return () => {
      delete this.#listeners[signal];
      removeSignalListener(signal as Deno.Signal, later);
    };
  }

  // ------------------------------------------------------------------------- how it makes an end

  raise(error: unknown): void {
    const rethrow = this.#rethrows || printsNull() && this.#dry && this.#unloading;
    let prevented = false;
    this.#raising = (dispatch) => {
      prevented = !dispatch();
      return !prevented && !rethrow;
    };
    try {
      reportError(error);
    } catch {
      this.exitCode = 1; // Deno cannot look at a hostile value. What it is was reported before.
    } finally {
      this.#raising = undefined;
    }
    if (rethrow && !prevented) throw error;
  }

  /** Raises an error that the listeners have seen before. */
  #raiseUnseen(error: unknown): void {
    if (printsNull() && this.#dry && this.#unloading) throw error;
    const unseen = () => true;
    this.#raising = unseen;
    try {
      reportError(error);
    } catch {
      // It cannot look at a hostile value, but print it.
      queueMicrotask(() => {
        this.#raising = unseen;
        throw error;
      });
    } finally {
      this.#raising = undefined;
    }
  }

  /** Raises a rejection that the listeners have seen before. */
  #raiseRejection(reason: unknown): void {
    // Where the event loop does not turn any more, or a listener would take it that is new.
    if (this.#unloading || isProcessListening()) this.#raiseUnseen(reason);
    else this.#rejected = reject(reason);
  }

  exit(code: number, signal?: string): void {
    const leaving = this.#leaving = { code, signal, left: false, killed: false };
    try {
      const isRefused = !this.#callExitListeners(code);
      if (isRefused || leaving.left) return;
      this.#die();
      addEventListener("unload", this.#raiseFailure);
      deno.exit(code);
    } finally {
      removeEventListener("unload", this.#raiseFailure);
      this.#leaving = undefined;
    }
  }

  /**
   * Leaves by `process.exit()`, unless the exit may be refused: Deno calls the listeners once only.
   *
   * @returns Whether the exit may go on: nothing that has replaced `process.reallyExit` refuses it.
   */
  #callExitListeners(code: number): boolean {
    if (realm.Deno !== deno || deno.exit !== this.#exit || isTestRunner()) return true;
    const process = loadedProcess();
    if (process === undefined) return true;
    const { reallyExit } = process;
    let reached = false;
    process.reallyExit = (code) => {
      reached = true;
      return apply(reallyExit, process, [code]);
    };
    try {
      process.exit(code);
    } catch (error) {
      if (reached) throw error;
      this.#ends.exitListenerRaised(error);
    } finally {
      process.reallyExit = reallyExit;
    }
    return !reached;
  }

  /**
   * Runs the handlers before what was `Deno.exit` at the import is called.
   *
   * @returns What to call it with: what it was given, unless that is not the code any more.
   */
  #beforeExit(code: number | undefined): number | undefined {
    const given = typeof code === "number" ? code | 0 : this.exitCode;
    const last = this.#ends.exitNow(given, this.#cut());
    const leaving = this.#leaving;
    if (leaving !== undefined) leaving.left = true;
    this.#die();
    // Deno dispatches `unload` once only. In a listener of it, it ends the program on the spot.
    if (this.#unloaded || this.#isLeaving) this.#ends.raiseFailure();
    this.#isLeaving = true;
    this.#attempt ??= reject(new SystemExit(last));
    addEventListener("unload", this.#raiseFailure);
    if (leaving?.signal !== undefined) return leaving.code;
    return last === given ? code : last;
  }

  /** What was `Deno.exit` at the import has refused to exit. */
  #afterExit(reason: unknown = new SystemExit(this.exitCode)): void {
    this.#isLeaving = false;
    this.#dropAttempt();
    removeEventListener("unload", this.#raiseFailure);
    this.#ends.refused(reason);
  }

  /** The last listener of `unload`: so no other one is lost by what it raises. */
  readonly #raiseFailure = (): void => {
    if (isTestRunner()) return; // The exit is refused.
    this.#dropAttempt(); // What is raised ends the program instead.
    this.#ends.raiseFailure();
    this.#attempt = reject(new SystemExit(this.exitCode));
  };

  #dropAttempt(): void {
    if (this.#attempt !== undefined) apply(then, this.#attempt, [undefined, () => {}]);
    this.#attempt = undefined;
  }

  /** Sends this process the signal that ends it, with its default action. Returns if it survives. */
  #die(): void {
    const leaving = this.#leaving;
    if (leaving?.signal === undefined || leaving.killed || !mayDieBy(leaving.signal)) return;
    leaving.killed = true;
    const name = leaving.signal as Deno.Signal;
    const listener = this.#listeners[name];
    if (listener !== undefined) removeSignalListener(name, listener);
    try {
      kill()(pid(), name);
      // Deno carries out the default action in a thread of its own, within milliseconds. Only where
      // the program listens to the signal too is there none, and the process survives.
      wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    } catch {
      // Windows cannot send this one.
    }
    if (listener !== undefined) addSignalListener(name, listener);
  }

  // ------------------------------------------------------------------------------ what it tells

  install(ends: Ends): void {
    this.#ends = ends;
    // Only what tells of an end is looked at, so that the stacks of other events are as they were.
    const onEvent = (type: string, event: Event, dispatch: () => boolean) =>
      this.#onEvent(type, event, dispatch);
    replace(realm, "dispatchEvent", (native) =>
      this.#dispatchEvent = {
        dispatchEvent(this: unknown, event: Event): boolean {
          const args = arguments as unknown as [Event];
          const isGlobal = this === undefined || this === null || this === realm;
          const type = isGlobal ? endOf(event) : undefined;
          if (type === undefined) return apply(native, this, args);
          return onEvent(type, event, () => apply(native, this, args));
        },
      }.dispatchEvent);
    const before = (code: number | undefined) => this.#beforeExit(code);
    const after = (reason?: unknown) => this.#afterExit(reason);
    replace(deno, "exit", (native) => {
      this.#native = native;
      return this.#exit = function exit(code?: number): never {
        const last = before(code);
        let reason: unknown;
        try {
          return native(last);
        } catch (error) {
          reason = error;
          throw error;
        } finally {
          after(reason); // It is still here.
        }
      };
    });
    if (typeof realm.close === "function") {
      const closeNow = (native: () => void) =>
        isWorker ? this.#closeWorker(native) : this.#closeMain(native);
      replace(realm, "close", (native) =>
        function close(): void {
          closeNow(native);
        });
    }
    addEventListener("unload", () => this.#onNativeUnload());
    if (isNodeWorker) this.#watchProcess();
  }

  /** Why handlers are not awaited at a `Deno.exit()`. Who called it is looked up only if any is. */
  #cut(): Cut {
    const awaits = this.#ends.active || this.#ends.asynchronous;
    return {
      kind: "exit",
      ...awaits ? callerOf(this.#exit!) : { call: "Deno.exit()", place: undefined },
    };
  }

  #onEvent(type: string, event: Event, dispatch: () => boolean): boolean {
    switch (type) {
      case "error":
        return this.#onError(event, dispatch);
      case "unhandledrejection":
        return this.#onRejection(event, dispatch);
      case "beforeunload":
        return this.#onBeforeUnload(dispatch);
      case "unload":
        return this.#onUnload(dispatch);
      default:
        this.#stopHolding();
        return dispatch();
    }
  }

  #onError(event: Event, dispatch: () => boolean): boolean {
    const raising = this.#raising;
    if (raising !== undefined) {
      this.#raising = undefined;
      return raising(dispatch);
    }
    if (!isUncaughtError(event) || errorsEndNothing()) return dispatch();
    let unhandled = false;
    const endsNow = this.#ends.showError(() => {
      unhandled = dispatch();
      const { error } = event;
      return unhandled ? { error, raise: () => this.#raiseUnseen(error) } : undefined;
    });
    return unhandled && endsNow;
  }

  #onRejection(event: Event, dispatch: () => boolean): boolean {
    if (!(event instanceof PromiseRejectionEvent) || !event.cancelable) return dispatch();
    const { promise } = event;
    if (this.#attempt !== undefined && promise === this.#attempt) this.#native!(); // It got lost.
    if (this.#rejected !== undefined && promise === this.#rejected) return true;
    if (errorsEndNothing()) return dispatch();
    let outcome = true;
    let unhandled = false;
    const endsNow = this.#ends.showError(() => {
      outcome = dispatch();
      unhandled = !event.defaultPrevented && !isProcessListening();
      const { reason } = event;
      return unhandled ? { error: reason, raise: () => this.#raiseRejection(reason) } : undefined;
    });
    if (unhandled && !endsNow) event.preventDefault(); // The run goes on, and raises it then.
    return outcome;
  }

  /** Returns whether the program may end. If not, Deno turns the event loop and asks again. */
  #onBeforeUnload(dispatch: () => boolean): boolean {
    const ends = this.#ends;
    this.#stopHolding();
    this.#dry = false;
    // The test runner dispatches `unload` right away.
    if (ends.active && (isTestRunner() || this.#isByHand())) return dispatch();
    if (!ends.active && !this.#asked) {
      if (!dispatch() || ends.active) return false;
      if (!ends.asynchronous || isTestRunner() || this.#isByHand()) return this.#dry = true;
      this.#asked = true;
      this.#askProcess();
      return false; // Until what the listeners have begun is done.
    }
    if (ends.active || ends.asynchronous) {
      if (printsNull()) setTimeout()(() => ends.dry(), 0);
      else ends.dry();
      return false;
    }
    try {
      loadedProcess()?.removeAllListeners("beforeExit"); // They have been asked.
    } catch {
      // The program has changed what Node's `process` needs.
    }
    return this.#dry = true;
  }

  /** Whether the program itself dispatches the event. */
  #isByHand(): boolean {
    return isCalledByHand(this.#dispatchEvent!);
  }

  /**
   * Calls the `beforeExit` listeners of `process`, as Deno does when nobody objects to the end. Once:
   * nothing tells whether they have begun something, after which they would be asked again.
   */
  #askProcess(): void {
    const process = loadedProcess();
    try {
      process?.emit("beforeExit", process.exitCode || 0);
    } catch (error) {
      reportError(error);
    }
  }

  /** `unload`, as Deno dispatches it at a dry event loop, a restart, the end of a test module. */
  #onUnload(dispatch: () => boolean): boolean {
    const ends = this.#ends;
    const isDry = this.#dry && !isTestRunner();
    const begins = !ends.leaving && !ends.calling;
    if (begins) ends.unload(isDry ? "dry" : "unload", unloading);
    this.#unloading = this.#unloaded = true;
    try {
      const outcome = dispatch();
      if (isDry && ends.used) this.#watchProcess();
      else this.#over = isDry && !this.#isByHand();
      if (begins) ends.unloaded();
      return outcome;
    } finally {
      this.#unloading = this.#dry = false;
    }
  }

  /** `unload` where it is not dispatched by `globalThis.dispatchEvent`. */
  #onNativeUnload(): void {
    const ends = this.#ends;
    if (this.#unloading || ends.leaving) return;
    this.#unloading = this.#unloaded = true;
    // `Deno.exit` was saved before the import.
    ends.unload(this.#closing ? "close" : "exit", this.#closing ? closing : unloading);
    if (!this.#closing) ends.unloaded();
  }

  /** Deno dispatches `unload` in a microtask after `close()`. */
  #closeMain(native: () => void): void {
    if (this.#closing) return native();
    this.#closing = true;
    native();
    // Added last, it is called last, so no other listener is lost by what it raises.
    addEventListener("unload", () => this.#ends.unloaded());
  }

  /** Deno dispatches nothing after a worker's `close()`. */
  #closeWorker(native: () => void): void {
    const ends = this.#ends;
    // A handler may call it: then the worker is ending already, unless `unload` is made by hand.
    if (ends.calling && ends.exitReason()?.kind !== "unload") return;
    if (!ends.calling && !ends.leaving) {
      ends.unload("close", closing);
      ends.unloaded();
    }
    native();
  }

  /** Takes the `exit` event of `process` for an end: all that a worker of Node's gets that runs dry. */
  #watchProcess(): void {
    const process = loadedProcess();
    if (process === undefined || this.#watchesProcess) return;
    this.#watchesProcess = true;
    const onExit = (emit: () => boolean, caller: Caller) => this.#onProcessExit(emit, caller);
    replace(process, "emit", (native) => {
      const wrapper = {
        emit(this: unknown, event: string): boolean {
          const args = arguments as unknown as [string, unknown];
          const emit = (): boolean => apply(native, this, args);
          return event === "exit" ? onExit(emit, callerOf(wrapper.emit)) : emit();
        },
      };
      return wrapper.emit;
    });
  }

  /** Its listeners are called between the handlers and what these have raised. */
  #onProcessExit(emit: () => boolean, caller: Caller): boolean {
    const ends = this.#ends;
    if (ends.leaving || ends.calling) return emit();
    const isExit = caller.call === "process.exit()";
    ends.unload(isExit ? "exit" : "dry", isExit ? { kind: "exit", ...caller } : unloading);
    const outcome = emit();
    this.#rethrows = true;
    ends.raiseFailure();
    return outcome;
  }

  /** From now on Deno tells when the event loop is dry: timers need not keep the program alive. */
  #stopHolding(): void {
    if (isWorker) return;
    this.#tellsDry = true;
    if (this.#holding === undefined || isTestRunner()) return;
    let held: Holding | undefined = this.#holding;
    for (; held !== undefined; held = held.before) unrefTimer(held.timer);
    this.#holding = undefined;
  }
}

/** The type of an event that tells of an end of the program, or that its main module is loaded. */
function endOf(event: Event): string | undefined {
  try {
    const type = apply(getType, event, []);
    return hasOwn(ends, type) ? type : undefined;
  } catch {
    return undefined; // No event.
  }
}

/** A timer that loads nothing and keeps nothing alive. */
function startWaiting(milliseconds: number, callback: () => void): () => void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const result = waitAsync(cell, 0, 0, milliseconds > 1 ? milliseconds : 1);
  let stopped = false;
  const call = async () => {
    await result.value;
    if (!stopped) callback();
  };
  call();
  return () => {
    stopped = true;
    notify(cell, 0);
  };
}

/**
 * Puts a function of ours in the place of a native one, where the program lets it be replaced. It
 * looks like the native one.
 */
function replace<T extends object, K extends keyof T>(
  target: T,
  name: K,
  wrap: (native: T[K]) => T[K],
): void {
  const native = target[name];
  const value = wrap(native);
  if (typeof value === "function") {
    defineProperty(value, "name", getOwnPropertyDescriptor(native, "name") ?? {});
  }
  const isNew = !hasOwn(target, name);
  defineProperty(target, name, isNew ? { value, writable: true, configurable: true } : { value });
}
