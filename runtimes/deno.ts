// How Deno tells that a program ends, and how it is made to end. The only file that knows Deno.

import { callersOf, type Cut, placeIn, SystemExit } from "../errors.ts";
import type { AnyFunction } from "../registry.ts";
import type { Ends, Runtime } from "./runtime.ts";

const { notify, wait, waitAsync } = Atomics;
const { apply, defineProperty } = Reflect;
const { getOwnPropertyDescriptor, hasOwn } = Object;
const { indexOf, slice, split, startsWith } = String.prototype;
const reject = Promise.reject.bind(Promise);
const { then } = Promise.prototype;
const realm = globalThis as typeof globalThis & { Deno?: DenoNamespace };
const { console } = realm;
/** Whether it is Deno's own: what programs put in its place has no such property of its own. */
const isOwnConsole = typeof console === "object" && console !== null &&
  getOwnPropertyDescriptor(console, Symbol.toStringTag)?.value === "console";
const writeError: ((text: string) => void) | undefined = console?.error;
// Deno 2.9 loads this when it is first looked at, which takes milliseconds.
const getProcess = lazy<NodeProcess | undefined>(realm, "process");

/**
 * Whether this is Deno. Programs on Node.js may have put something in its place: there `process` is
 * loaded, and names no version of Deno. On other runtimes this file is loaded, too, and does nothing.
 */
export const isDeno: boolean = "Deno" in realm && !isNode();

// Taken now: what the program puts in their place later is its own affair.
const deno: DenoNamespace = isDeno ? realm.Deno! : {} as DenoNamespace;
const native: typeof globalThis = isDeno ? realm : {} as typeof globalThis;
const { addSignalListener, bench, build, inspect, permissions, removeSignalListener } = deno;
const { test, unrefTimer } = deno;
const { addEventListener, ErrorEvent, Int32Array, parseInt, performance } = native;
const { PromiseRejectionEvent, queueMicrotask, removeEventListener, reportError } = native;
const { SharedArrayBuffer } = native;
const typeOfEvent = isDeno ? getOwnPropertyDescriptor(Event.prototype, "type") : undefined;
const querySync = permissions?.querySync;
const now = performance?.now.bind(performance);
// As for `process`.
const pid = lazy<number>(deno, "pid");
const kill = lazy<DenoNamespace["kill"]>(deno, "kill");
const setTimeout = lazy<(callback: () => void, delay: number) => number>(native, "setTimeout");
const clearTimeout = lazy<(timer: number) => void>(native, "clearTimeout");

/** Whether this is a worker, and whether it is one of `node:worker_threads`. */
const isWorker = "DedicatedWorkerGlobalScope" in realm;
const isNodeWorker = isWorker && !("WorkerGlobalScope" in realm);

/** The events that tell of an end of the program, or that its main module is loaded. */
const ends = { beforeunload: 0, error: 0, load: 0, unhandledrejection: 0, unload: 0 };

/** Why handlers are not awaited in `unload`, and at `close()`. */
const unloading: Cut = { kind: "unload" };
const closing: Cut = { kind: "exit", call: "close()", place: undefined };

/** The part of `Deno` that is used here. Its own type is missing in projects with the `lib` of a browser. */
interface DenoNamespace {
  exitCode: number;
  readonly build: { readonly os: string };
  readonly mainModule: string;
  readonly noColor: boolean;
  readonly permissions: { querySync(descriptor: { name: "run" }): { readonly state: string } };
  readonly pid: number;
  readonly stderr: { isTerminal(): boolean };
  readonly version: { readonly deno: string };
  addSignalListener(signal: string, listener: () => void): void;
  bench(name: string, func: () => void): void;
  exit(code?: number): never;
  inspect(value: unknown, options: { colors: boolean }): string;
  kill(pid: number, signal: string): void;
  removeSignalListener(signal: string, listener: () => void): void;
  test(name: string, func: () => void): void;
  unrefTimer(id: number): void;
}

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

/** Of Node's `process` what is used here. Its own types would make users download `@types/node`. */
interface NodeProcess {
  exitCode?: number | string | null;
  versions?: { node?: string; deno?: string };
  /** Whether its `exit` event is being emitted. Not documented (2.5.7 to 2.9.6). */
  _exiting?: boolean;
  exit(code: number): void;
  reallyExit(code: number): void;
  emit(event: string, code: unknown): boolean;
  listenerCount(event: string): number;
  on(event: string, listener: () => void): void;
  prependListener(event: string, listener: () => void): void;
  removeAllListeners(event: string): void;
  hasUncaughtExceptionCaptureCallback?(): boolean;
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
  /** Whether a program that has registered nothing seems to be over: only `exit` of `process` follows. */
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
  #native: DenoNamespace["exit"] | undefined;
  /** What `Deno.exit` was replaced by. */
  #exit: DenoNamespace["exit"] | undefined;

  // ---------------------------------------------------------------------------- what it is asked

  get exitCode(): number {
    return deno.exitCode;
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
    else unref(timer);
    return () => clearTimeout()(timer);
  }

  firstUse(): void {
    addEventListener("unload", this.#onNativeUnload);
    // A program may have dispatched the events itself, and goes on.
    if (this.#over && loadedProcess()?._exiting === true) this.#ends.unload("dry", unloading);
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
    addSignalListener(signal, later);
    this.#listeners[signal] = later;
    return () => {
      delete this.#listeners[signal];
      removeSignalListener(signal, later);
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
    const name = leaving.signal;
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
    this.#replaceDispatchEvent(realm.dispatchEvent);
    this.#replaceExit(deno.exit);
    if (typeof realm.close === "function") this.#replaceClose(realm.close);
    if (isNodeWorker) this.#watchProcess();
  }

  #replaceDispatchEvent(native: typeof globalThis.dispatchEvent): void {
    const onEvent = this.#onEvent.bind(this);
    // Only what tells of an end is looked at, so that the stacks of other events are as they were.
    this.#dispatchEvent = replace(
      realm,
      "dispatchEvent",
      {
        dispatchEvent(this: unknown, event: Event): boolean {
          const args = arguments as unknown as [Event];
          const isGlobal = this === undefined || this === null || this === realm;
          const type = isGlobal ? endOf(event) : undefined;
          if (type === undefined) return apply(native, this, args);
          return onEvent(type, event, () => apply(native, this, args));
        },
      }.dispatchEvent,
    );
  }

  #replaceExit(native: DenoNamespace["exit"]): void {
    const before = (code: number | undefined) => this.#beforeExit(code);
    const after = (reason?: unknown) => this.#afterExit(reason);
    this.#native = native;
    this.#exit = replace(deno, "exit", function exit(code?: number): never {
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
    });
  }

  #replaceClose(native: () => void): void {
    const closeNow = () => isWorker ? this.#closeWorker(native) : this.#closeMain(native);
    replace(realm, "close", function close(): void {
      closeNow();
    });
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
      else this.#over = isDry;
      if (begins) ends.unloaded();
      return outcome;
    } finally {
      this.#unloading = this.#dry = false;
    }
  }

  /** `unload` where it is not dispatched by `globalThis.dispatchEvent`. */
  readonly #onNativeUnload = (): void => {
    const ends = this.#ends;
    if (this.#unloading || ends.leaving) return;
    this.#unloading = this.#unloaded = true;
    // `Deno.exit` was saved before the import.
    ends.unload(this.#closing ? "close" : "exit", this.#closing ? closing : unloading);
    if (!this.#closing) ends.unloaded();
  };

  /** Deno dispatches `unload` in a microtask after `close()`. */
  #closeMain(native: () => void): void {
    if (this.#closing) return native();
    this.#closing = true;
    // The first handler may be registered by a listener of `unload`.
    if (!this.#ends.used) queueMicrotask(this.#onNativeUnload);
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
    this.#replaceEmit(process, process.emit);
  }

  #replaceEmit(process: NodeProcess, native: NodeProcess["emit"]): void {
    const onExit = (emit: () => boolean, caller: Caller) => this.#onProcessExit(emit, caller);
    const wrapper = replace(
      process,
      "emit",
      {
        emit(this: unknown, event: string): boolean {
          const args = arguments as unknown as [string, unknown];
          const emit = (): boolean => apply(native, this, args);
          return event === "exit" ? onExit(emit, callerOf(wrapper)) : emit();
        },
      }.emit,
    );
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
    for (; held !== undefined; held = held.before) unref(held.timer);
    this.#holding = undefined;
  }
}

/** The type of an event that tells of an end of the program, or that its main module is loaded. */
function endOf(event: Event): string | undefined {
  try {
    const type = apply(typeOfEvent!.get!, event, []);
    return hasOwn(ends, type) ? type : undefined;
  } catch {
    return undefined; // No event.
  }
}

/** Lets a timer keep nothing alive. In npm packages Deno before 2.9 gives Node's timers, which are objects. */
function unref(timer: number | { unref(): void }): void {
  if (typeof timer === "object") timer.unref();
  else unrefTimer(timer);
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
function replace<T extends object, K extends keyof T>(target: T, name: K, value: T[K]): T[K] {
  const native = target[name];
  if (typeof value === "function") {
    defineProperty(value, "name", getOwnPropertyDescriptor(native, "name") ?? {});
  }
  const isNew = !hasOwn(target, name);
  defineProperty(target, name, isNew ? { value, writable: true, configurable: true } : { value });
  return value;
}

// ------------------------------------------------------------------------- what Deno does not tell

// Who runs this program, what it has loaded, where it was called from. Each question has one function,
// with the behaviour that answers it and a safe answer.

/** Remembers a property without looking at it, because that may load something. */
function lazy<T>(object: object, name: string): () => T {
  const descriptor = getOwnPropertyDescriptor(object, name);
  return () =>
    descriptor?.get === undefined ? descriptor?.value : apply(descriptor.get, object, []);
}

/**
 * Whether `deno test` or `deno bench` runs this program. They refuse a test or a benchmark without a
 * name, and nothing else looks at it (2.5.7 to 2.9.6). Safe answer: no.
 */
function isTestRunner(): boolean {
  const nothing = () => {};
  try {
    test("", nothing);
    bench("", nothing);
    return false;
  } catch {
    return true;
  }
}

/** Whether this is the REPL, by the name of its main module (2.5.7 to 2.9.6). Safe answer: no. */
function isRepl(): boolean {
  try {
    return apply(indexOf, deno.mainModule, ["$deno$repl."]) >= 0;
  } catch {
    return false;
  }
}

/** Whether an uncaught error ends nothing, because it is the affair of whoever runs the program. */
function errorsEndNothing(): boolean {
  return isTestRunner() || isRepl();
}

/**
 * Node's `process`, if anything has loaded it: else nobody listens to it. Loading it gives Deno's
 * console a property (2.9; before, it is always loaded). Safe answer: it is loaded.
 */
function loadedProcess(): NodeProcess | undefined {
  if (isOwnConsole && !hasOwn(console, "_stdout")) return undefined;
  try {
    const process = getProcess();
    // Some programs put an object in its place that has an `env` only.
    return typeof process?.listenerCount === "function" ? process : undefined;
  } catch {
    return undefined;
  }
}

/** Whether this is Node.js or Bun, where a program has put something in the place of `Deno`. */
function isNode(): boolean {
  const versions = loadedProcess()?.versions;
  return versions?.node !== undefined && versions.deno === undefined;
}

/** Whether listeners of `process` take a rejection that no other listener took. */
function isProcessListening(): boolean {
  const process = loadedProcess();
  try {
    return process !== undefined && (process.listenerCount("unhandledRejection") > 0 ||
      process.listenerCount("uncaughtException") > 0 ||
      process.hasUncaughtExceptionCaptureCallback?.() === true); // Not before 2.9.
  } catch {
    return false; // It is not what it was.
  }
}

/** Whether an event is an error that Deno tells of: its message starts with "Uncaught" (2.5.7 to 2.9.6). */
function isUncaughtError(event: Event): event is ErrorEvent {
  return event instanceof ErrorEvent && event.cancelable && event.target === null &&
    apply(startsWith, event.message, ["Uncaught"]);
}

/** Who ends the program, and where. */
interface Caller {
  readonly call: string;
  readonly place: string | undefined;
}

/**
 * Who called a function that ends the program, by the stack. Packages put functions of theirs
 * between `process.exit()` and the end: so the outermost exit counts. Safe answer: nobody is named.
 */
function callerOf(func: AnyFunction): Caller {
  let call = "Deno.exit()";
  let place: string | undefined;
  try {
    const lines = callersOf(func);
    for (let i = 1; i < lines.length; i++) {
      const next = placeIn(lines[i]);
      if (!isInternal(next)) place ??= next;
      else if (isExit(lines[i])) {
        call = "process.exit()";
        place = undefined;
      }
    }
  } catch {
    // The program has changed how stacks are made.
  }
  return { call, place };
}

/**
 * Whether the program itself has called a function, and not Deno as it ends: then none of the calls
 * is one of Deno's main program, `ext:runtime_main` (2.5.7 to 2.9.6). Safe answer: no.
 */
function isCalledByHand(func: AnyFunction): boolean {
  let byHand = false;
  try {
    const lines = callersOf(func);
    for (let i = 1; i < lines.length; i++) {
      const place = placeIn(lines[i]);
      if (apply(startsWith, place, ["ext:runtime_main/"])) return false;
      if (!isInternal(place)) byHand = true;
    }
  } catch {
    // The program has changed how stacks are made.
  }
  return byHand;
}

/** Whether a line of a stack is that of a function of `process` that exits. */
function isExit(line: string): boolean {
  return apply(indexOf, line, ["xit ("]) >= 0;
}

/** Whether a place is in Deno or Node, not in a program. */
function isInternal(place: string): boolean {
  return apply(startsWith, place, ["ext:"]) || apply(startsWith, place, ["[ext:"]) ||
    apply(startsWith, place, ["node:"]);
}

/**
 * Whether `Atomics.waitAsync` settles while the event loop is idle (from 2.7.14 on). It costs
 * nothing, while the timers take 3 ms to load. Safe answer: no.
 */
function waitsAsynchronously(): boolean {
  return isSince(7, 14);
}

/**
 * Whether Deno prints "Uncaught null" for an error that is raised while it dispatches `beforeunload`
 * or `unload` at a dry event loop, but not for one that the dispatch throws (before 2.7).
 */
function printsNull(): boolean {
  return !isSince(7, 0);
}

/** Whether this is Deno 2 of that minor version and patch, or a newer one. Safe answer: no. */
function isSince(minor: number, patch: number): boolean {
  const numbers: string[] = apply(split, deno.version.deno, ["."]);
  const isMinor = +numbers[1] === minor && parseInt(numbers[2]) >= patch;
  return +numbers[0] > 2 || +numbers[0] === 2 && (+numbers[1] > minor || isMinor);
}

/**
 * Whether the process may send itself a signal and dies by it.
 *
 * Not where its default action is to stop, nor where Deno panics at it (2.9.6), nor by `SIGTERM`: a
 * `--watch`er may share the process. Process 1 would die by SIGSEGV instead.
 */
function mayDieBy(signal: string): boolean {
  switch (signal) {
    case "SIGTERM":
    case "SIGTSTP":
    case "SIGTTIN":
    case "SIGTTOU":
    case "SIGPWR":
    case "SIGSTKFLT":
      return false;
    default:
      // A worker is not the process, and its permissions are not the main program's.
      return !isWorker && pid() !== 1 &&
        apply(querySync, permissions, [{ name: "run" }]).state === "granted";
  }
}

/** The signals of Linux (which Windows shares where it has them) and of macOS and the BSDs, from 1. */
const signals = build?.os === "linux" || build?.os === "android" || build?.os === "windows"
  ? "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
  : "HUP INT QUIT ILL TRAP ABRT EMT FPE KILL BUS SEGV SYS PIPE ALRM TERM URG STOP TSTP CONT CHLD TTIN TTOU IO XCPU XFSZ VTALRM PROF WINCH INFO USR1 USR2";

/** Other names of signals. `SIGBREAK` has the number of `SIGTTIN`. */
const aliases: { [alias: string]: string } = {
  BREAK: "TTIN",
  IOT: "ABRT",
  POLL: "IO",
  UNUSED: "SYS",
};

/** The number of a signal. */
function signalNumber(signal: string): number {
  const name: string = apply(slice, signal, [3]);
  const names: string[] = apply(split, signals, [" "]);
  for (let i = 0; i < names.length; i++) {
    if (names[i] === (hasOwn(aliases, name) ? aliases[name] : name)) return i + 1;
  }
  return 0;
}

/** Whether stderr is a terminal. */
function isTerminal(): boolean {
  try {
    return deno.stderr.isTerminal();
  } catch {
    return false; // The program has closed it.
  }
}
