// How Node.js and Bun tell that a program ends, and how it is made to end. The only file that knows
// them. On Deno it is loaded and does nothing.

import { callersOf, type Cut, placeIn, SystemExit } from "../errors.ts";
import type { Ends, Runtime, Uncaught } from "./runtime.ts";

type Listener = (...args: never[]) => void;

/** Of `process` what is used here. Its own types would need `@types/node`. */
interface NodeProcess {
  exitCode: number | string | null | undefined;
  readonly pid: number;
  readonly platform: string;
  readonly versions: { readonly bun?: string };
  /** Whether `exit` is being emitted, and not by the program itself. Not documented. */
  _exiting?: boolean;
  readonly stderr: { readonly isTTY?: boolean; hasColors?(): boolean };
  emit(event: string, ...args: unknown[]): boolean;
  exit(code?: unknown): void;
  reallyExit(code?: unknown): void;
  getBuiltinModule?: GetBuiltinModule;
  hasUncaughtExceptionCaptureCallback?(): boolean;
  kill(pid: number, signal: string): void;
  listenerCount(event: string): number;
  listeners(event: string): Listener[];
  on(event: string, listener: Listener): void;
  prependListener(event: string, listener: Listener): void;
  prependOnceListener(event: string, listener: Listener): void;
  removeAllListeners(event: string): void;
  removeListener(event: string, listener: Listener): void;
  uptime(): number;
}

interface Timer {
  unref?(): void;
}

/** Of modules of the runtime what is used here. */
interface Os {
  readonly constants: { signals: { [signal: string]: number } };
}
interface Util {
  inspect(value: unknown, options: object): string;
}
interface WorkerThreads {
  readonly isMainThread: boolean;
}

interface Bun {
  readonly peek: { status(promise: unknown): "pending" | "fulfilled" | "rejected" };
}

/** How a module of the runtime is asked for without importing it. */
interface GetBuiltinModule {
  (name: "node:os"): Os;
  (name: "node:util"): Util;
  (name: "node:worker_threads"): WorkerThreads;
}

/** What is needed later. Taken at the import: what the program puts in its place is its own affair. */
interface Natives {
  readonly process: NodeProcess;
  readonly emit: NodeProcess["emit"];
  readonly getBuiltinModule: GetBuiltinModule;
  readonly setImmediate: (callback: () => void) => Timer;
  readonly setTimeout: (callback: () => void, delay: number) => Timer;
  readonly clearTimeout: (timer: Timer) => void;
  readonly queueMicrotask: (callback: () => void) => void;
  readonly reject: (reason: unknown) => Promise<never>;
  /** Bun only. */
  readonly reportError: ((error: unknown) => void) | undefined;
  readonly peek: Bun["peek"] | undefined;
  readonly writeError: ((text: string) => void) | undefined;
}

const { apply, defineProperty } = Reflect;
const { getOwnPropertyDescriptor, hasOwn, is } = Object;
const { indexOf, startsWith } = String.prototype;

/** Why handlers are not awaited when the event loop has run dry. */
const unloading: Cut = { kind: "unload" };

/** The signals that no process survives, and those whose default action is to stop it. */
const uncatchable = { SIGKILL: 0, SIGSTOP: 0 };
const stopping = { SIGTSTP: 0, SIGTTIN: 0, SIGTTOU: 0 };

/** The events that tell of an end of the program. */
const events = {
  beforeExit: 0,
  exit: 0,
  uncaughtException: 0,
  uncaughtExceptionMonitor: 0,
  unhandledRejection: 0,
};

/** How the program is being ended by the module. */
interface Leaving {
  readonly signal: string | undefined;
  /** Whether the process has sent itself the signal. */
  killed: boolean;
}

/** An error that the runtime has told of. Its value may be anything. */
interface Told {
  readonly error: unknown;
}

/** Node.js or Bun, for a program and its handlers. */
export class NodeRuntime implements Runtime {
  readonly #natives: Natives = takeNatives();
  readonly #process: NodeProcess = this.#natives.process;
  /** Bun calls listeners, and not `process.emit`. */
  readonly #isBun = this.#process.versions.bun !== undefined;
  readonly defaultSignals: readonly string[] = this.#process.platform === "win32"
    ? ["SIGINT", "SIGBREAK", "SIGHUP"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];

  #ends!: Ends;
  /** Whether `process.exitCode` was not set before the module has set it. */
  #wasUnset = false;
  /** Whether the event loop has run dry, and only `exit` is to follow. */
  #dry = false;
  /** Whether the listeners of `beforeExit` were asked, and what they have begun is to be done first. */
  #asked = false;
  /** Whether the event loop has turned since Bun has told first that it is dry, in this run. */
  #turned = false;
  /** Whether a graceful run for a dry event loop has begun: nobody is asked again after it. */
  #ranDry = false;
  /** The error that the runtime tells of: a program can emit `uncaughtException` by itself. */
  #told: Told | undefined;
  /** Why the promise was rejected that the runtime makes an uncaught error of. */
  #rejected: Told | undefined;
  /** The last error that nobody has handled, and that may have been a rejection. */
  #deferred: Told | undefined;
  /** The error that is raised again, after its listeners have seen it. */
  #raised: Told | undefined;
  /** The error with which the runtime ends the program. */
  #fatal: Uncaught | undefined;
  /** Whether the listeners of `exit` have been called after such an error, or on Bun are called. */
  #over = false;
  /** Whether `exit` is being emitted because the event loop has run dry. */
  #exitsDry = false;
  /** Whether an exit was refused after Bun has emitted `exit`, which it does once only. */
  #emitted = false;
  /** Whether a failure of the handlers, which nobody has handled, decides the status. */
  #failed = false;
  /** How the program is being ended by the module. */
  #leaving: Leaving | undefined;

  // ---------------------------------------------------------------------------- what it is asked

  get exitCode(): number {
    return Number(this.#process.exitCode ?? 0) | 0;
  }

  /** Unset is not the same as 0 where a top-level `await` never settles. */
  set exitCode(code: number) {
    const process = this.#process;
    if (process.exitCode === undefined) this.#wasUnset = true;
    process.exitCode = code === 0 && this.#wasUnset ? undefined : code;
    if (this.exitCode !== code) process.exitCode = code; // Bun does not unset it.
  }

  now(): number {
    return this.#process.uptime() * 1_000;
  }

  inspect(value: unknown): string {
    const { inspect } = this.#natives.getBuiltinModule("node:util");
    const shown = inspect(value, { colors: this.#colors });
    if (!this.#isBun || !(value instanceof Error)) return shown;
    // Bun 1.4.0 may leave the message out of a stack.
    const { name, message } = value;
    const isComplete = typeof message !== "string" || apply(indexOf, shown, [message]) >= 0;
    return isComplete ? shown : `${name}: ${message}\n${shown}`;
  }

  highlight(text: string): string {
    return this.#colors ? `\x1b[1m\x1b[31m${text}\x1b[0m` : text;
  }

  get #colors(): boolean {
    try {
      const { stderr } = this.#process;
      return stderr.isTTY === true && stderr.hasColors?.() === true;
    } catch {
      return false; // The program has put something else in its place.
    }
  }

  /** Writes to the console that the program has put in place, or else to the one from before. */
  write(text: string): void {
    try {
      globalThis.console.error(text);
    } catch {
      this.#natives.writeError?.(text);
    }
  }

  startTimer(milliseconds: number, callback: () => void): () => void {
    const { setTimeout, clearTimeout } = this.#natives;
    const timer = setTimeout(callback, milliseconds < 2 ** 31 ? milliseconds : 2 ** 31 - 1);
    timer.unref?.();
    return () => clearTimeout(timer);
  }

  /** Bun tells of a rejection only those who listen, and takes it for handled then. */
  firstUse(): void {
    if (!this.#isBun) return;
    this.#process.prependListener("unhandledRejection", this.#onBunRejection);
    this.#process.on("newListener", this.#onBunListener);
  }

  turnOnce(): void {
    if (!this.#dry) return;
    if (this.#isBun) this.#askOnBun();
    else this.#turn();
  }

  #turn(): void {
    this.#natives.setImmediate(() => {});
  }

  numberOf(signal: string): number {
    return this.#signals[signal] ?? 0;
  }

  get #signals(): { [signal: string]: number } {
    return this.#natives.getBuiltinModule("node:os").constants.signals;
  }

  listen(signal: string, listener: () => void): () => void {
    // Node.js and Bun take any other text for the name of an event that never comes.
    if (!hasOwn(this.#signals, signal) || hasOwn(uncatchable, signal)) {
      throw new TypeError(`${signal} is no signal that can be listened to`);
    }
    // Later, when the program's own listeners have been called.
    const later = () => void this.#natives.setImmediate(listener);
    this.#process.on(signal, later);
    return () => this.#process.removeListener(signal, later);
  }

  // ------------------------------------------------------------------------- how it makes an end

  /** Raises what a handler has raised. */
  raise(error: unknown): void {
    if (this.#isBun) return this.#raiseOnBun(error);
    if (!this.#exitsDry) return this.#raiseByHand(error);
    // Node.js shows this line of the source, and ends the program.
    throw error;
  }

  /** In a call of `process.exit()` nothing makes Node.js print an error and end the program. */
  #raiseByHand(error: unknown): void {
    const origin = "uncaughtException";
    try {
      this.#emit("uncaughtExceptionMonitor", error, origin);
      if (this.#emit("uncaughtException", error, origin)) return;
    } catch (thrown) {
      error = thrown;
    }
    this.#failed = true;
    this.#ends.reportUncaught(error);
  }

  #raiseOnBun(error: unknown): void {
    if (!this.#isHandled()) this.#failed = true;
    if (this.#exitsDry && !this.#isMainThread) {
      // In a worker that has run dry nothing raises it: not even what is thrown here.
      if (this.#failed) this.exitCode = 1;
      return;
    }
    if (this.#exitsDry) this.#emitExitNow();
    this.#raised = { error };
    this.#natives.reportError?.(error);
    this.#raised = undefined;
    if (this.#exitsDry) this.#process.reallyExit(this.exitCode);
  }

  /** Bun ends the program where an error is raised, and would lose the listeners that come next. */
  #emitExitNow(): void {
    this.#process.removeListener("exit", this.#onBunExit);
    this.#emit("exit", this.exitCode);
    this.#process.removeAllListeners("exit");
  }

  /** Raises an error that the listeners have seen before: in a turn of its own. */
  #raiseAgain(error: unknown): void {
    const { queueMicrotask, reject } = this.#natives;
    const raise = () => {
      this.#raised = { error };
      if (!this.#isBun || !this.#isMainThread) throw error;
      this.#over = true;
      this.#natives.reportError?.(error);
    };
    try {
      queueMicrotask(raise);
    } catch {
      // After a rejection in the mode `strict` Node.js 20 cannot. There every rejection is an error.
      this.#raised = { error };
      reject(error);
    }
  }

  /** Calls listeners, past what was put in the place of `process.emit`. */
  #emit(event: string, ...args: unknown[]): boolean {
    return apply(this.#natives.emit, this.#process, [event, ...args]);
  }

  exit(code: number, signal?: string): void {
    this.#leaving = { signal, killed: false };
    try {
      this.#process.exit(code);
    } finally {
      this.#leaving = undefined;
    }
  }

  /** Sends this process the signal that ends it, with its default action. Returns if it survives. */
  #die(): void {
    const leaving = this.#leaving;
    if (leaving?.signal === undefined || leaving.killed || !this.#mayDieBy(leaving.signal)) return;
    leaving.killed = true;
    const { signal } = leaving;
    const process = this.#process;
    const listeners = process.listeners(signal);
    process.removeAllListeners(signal); // The default action is back when nobody listens.
    try {
      process.kill(process.pid, signal);
    } catch {
      // Windows cannot send this one.
    }
    for (let i = 0; i < listeners.length; i++) process.on(signal, listeners[i]);
  }

  /** A worker is not the process. Process 1 has no default actions. */
  #mayDieBy(signal: string): boolean {
    return !hasOwn(stopping, signal) && this.#process.pid !== 1 && this.#isMainThread;
  }

  get #isMainThread(): boolean {
    return this.#natives.getBuiltinModule("node:worker_threads").isMainThread;
  }

  // ------------------------------------------------------------------------------ what it tells

  install(ends: Ends): void {
    this.#ends = ends;
    const process = this.#process;
    if (this.#isBun) {
      process.prependListener("beforeExit", this.#onBunBeforeExit);
      process.prependListener("exit", this.#onBunExit);
      process.prependListener("uncaughtExceptionMonitor", this.#onBunError);
    } else if (!replace(process, "emit", (native) => this.#emitInPlaceOf(native))) {
      throw new TypeError("Cannot load @atexit/atexit: the program has frozen process.emit");
    }
    replace(process, "exit", (native) => this.#exitInPlaceOf(native));
    replace(process, "reallyExit", (native) => this.#reallyExitInPlaceOf(native));
  }

  /** Only what tells of an end is looked at, so that the stacks of other events are as they were. */
  #emitInPlaceOf(native: NodeProcess["emit"]): NodeProcess["emit"] {
    const process = this.#process;
    const onEvent = (emit: () => boolean, event: string, args: unknown[], wrapper: Listener) =>
      this.#onEvent(emit, event, args, wrapper);
    const wrapper = {
      emit(this: unknown, event: string): boolean {
        const args = arguments as unknown as [string, ...unknown[]];
        if (this !== process || typeof event !== "string" || !hasOwn(events, event)) {
          return apply(native, this, args);
        }
        return onEvent(() => apply(native, this, args), event, args, wrapper.emit);
      },
    };
    return wrapper.emit;
  }

  #exitInPlaceOf(native: NodeProcess["exit"]): NodeProcess["exit"] {
    const onExit = (args: unknown[], exit: Listener) => this.#onExitCall(native, args, exit);
    return function exit(_code?: unknown): void {
      onExit(arguments as unknown as unknown[], exit);
    };
  }

  #reallyExitInPlaceOf(native: NodeProcess["reallyExit"]): NodeProcess["reallyExit"] {
    const onExit = (code: unknown, exit: Listener) => this.#onReallyExit(native, code, exit);
    return function reallyExit(code?: unknown): void {
      onExit(code, reallyExit);
    };
  }

  /** `process.exit()`: the handlers run before the listeners of `exit`. */
  #onExitCall(native: NodeProcess["exit"], args: unknown[], exit: Listener): void {
    const given = this.#isOver ? undefined : this.#codeFrom(args);
    if (given === undefined) return apply(native, this.#process, args);
    const last = this.#ends.exitNow(given, this.#cut("process.exit()", exit));
    this.#leave(last, () => apply(native, this.#process, last === given ? args : [last]));
  }

  /** Whether the runtime ends the program with an error, and it is none of the module's business. */
  get #isOver(): boolean {
    return this.#over || this.#fatal !== undefined && !this.#ends.used;
  }

  /** The code that `process.exit()` makes of its arguments, if it does not throw for them. */
  #codeFrom(args: unknown[]): number | undefined {
    if (args.length === 0) return this.exitCode;
    const process = this.#process;
    const before = process.exitCode;
    try {
      process.exitCode = args[0] as number;
    } catch {
      return undefined;
    }
    const code = this.exitCode;
    process.exitCode = before;
    if (process.exitCode !== before) process.exitCode = 0; // Bun does not unset it.
    return code;
  }

  /** Where each exit ends. It may be called directly, and by an `exit` that was imported by name. */
  #onReallyExit(native: NodeProcess["reallyExit"], code: unknown, exit: Listener): void {
    const ends = this.#ends;
    if (this.#isOver) return native(code);
    const given = typeof code === "number" ? code | 0 : this.exitCode;
    const last = ends.exitNow(given, this.#cut("process.reallyExit()", exit));
    this.#die();
    ends.raiseFailure();
    const failed = this.#failed;
    this.#failed = false;
    this.#leave(last, () => native(failed ? 1 : last === given ? code : last));
  }

  /** Ends the program; or else everything is as before. */
  #leave(code: number, leave: () => void): void {
    let reason: unknown = new SystemExit(code);
    try {
      leave();
    } catch (error) {
      reason = error;
      throw error;
    } finally {
      this.#ends.refused(reason); // It is still here.
      this.#emitted = this.#isBun && this.#process._exiting === true;
    }
  }

  /** Why handlers are not awaited. Who called it is looked up only if any is. */
  #cut(call: string, func: Listener): Cut {
    const awaits = this.#ends.active || this.#ends.asynchronous;
    return { kind: "exit", call, place: awaits ? placeOf(func) : undefined };
  }

  // ------------------------------------------------------------------------------------- Node.js

  #onEvent(emit: () => boolean, event: string, args: unknown[], wrapper: Listener): boolean {
    const [, value] = args;
    switch (event) {
      case "beforeExit":
        return this.#onBeforeExit(emit);
      case "exit":
        return this.#process._exiting === true ? this.#onExit(emit, value, wrapper) : emit();
      case "uncaughtExceptionMonitor":
        if (isOf(this.#raised, value)) return false;
        return this.#onTold(emit, value);
      case "unhandledRejection":
        return this.#onRejection(emit, value);
      default:
        return this.#onError(emit, value);
    }
  }

  /** The event loop has run dry. It turns again if anything was begun in here, and tells again. */
  #onBeforeExit(emit: () => boolean): boolean {
    const ends = this.#ends;
    this.#dry = false;
    if (ends.active || this.#asked) return this.#runDry();
    const isOver = this.#ranDry && !ends.asynchronous;
    const hasListeners = !isOver && emit();
    if (!ends.active && !ends.asynchronous) this.#setDry();
    else if (!ends.active && !hasListeners) return this.#runDry();
    else this.#turnAfterAsking();
    return hasListeners;
  }

  /** Only `exit` is to follow, unless a listener has begun something, and the event loop turns. */
  #setDry(): void {
    this.#dry = true;
    this.startTimer(0, () => this.#dry = false);
  }

  /** What the listeners have begun is done before handlers run, and then they are not asked again. */
  #turnAfterAsking(): void {
    this.#asked = !this.#ends.active;
    this.#turn();
  }

  /** Runs the handlers, or gives up the one that is awaited. */
  #runDry(): boolean {
    this.#asked = this.#turned = false;
    this.#ranDry = true;
    if (this.#ends.dry()) this.#turn();
    return true;
  }

  /** The runtime ends the program, and nothing can delay that. */
  #onExit(emit: () => boolean, code: unknown, wrapper: Listener): boolean {
    const ends = this.#ends;
    if (ends.calling) this.#stopHandler(wrapper);
    if (this.#fatal !== undefined) return this.#onFatalExit(emit, this.#fatal);
    if (ends.leaving) return this.#leaving === undefined ? emit() : this.#emitExit(emit);
    if (!this.#dry && (this.#isBun || isCalledByExit(wrapper))) {
      ends.unload("exit", this.#cut("process.exit()", wrapper));
      return emit(); // What the handlers have raised comes in `process.reallyExit`.
    }
    if (code !== this.exitCode) this.#process.exitCode = code as number;
    ends.unload("dry", unloading);
    const outcome = emit();
    this.#exitsDry = true;
    ends.raiseFailure();
    return outcome;
  }

  /** The runtime ends the program with an error. */
  #onFatalExit(emit: () => boolean, fatal: Uncaught): boolean {
    if (!this.#ends.leaving) this.#ends.unload(fatal, unloading);
    const outcome = emit(); // On Bun they are called later, and the error has been printed before.
    this.#over = true; // In a worker Node.js calls `process.exit()` then.
    return outcome;
  }

  /** An `exit` that was imported by name is called by a handler: it stops there. */
  #stopHandler(wrapper: Listener): void {
    this.#process._exiting = false;
    this.#ends.exitNow(this.exitCode, this.#cut("process.exit()", wrapper));
  }

  /** A listener that throws does not keep the program from ending. */
  #emitExit(emit: () => boolean): boolean {
    try {
      return emit();
    } catch (error) {
      this.#ends.exitListenerRaised(error);
      return true;
    }
  }

  /** The runtime tells of an error. Whether anybody handles it comes out after this. */
  #onTold(emit: () => boolean, error: unknown): boolean {
    this.#told = { error };
    this.#holdExits();
    return emit();
  }

  /** Holds each `exit()` until it is known who handles an error. */
  #holdExits(): void {
    const release = this.#ends.holdExits();
    const releaseSoon = async () => {
      await undefined; // `queueMicrotask()` fails here on Node.js 20.
      if (this.#fatal === undefined) release();
    };
    releaseSoon();
  }

  #onRejection(emit: () => boolean, reason: unknown): boolean {
    let handled = false;
    this.#ends.showError(() => {
      handled = emit();
      return undefined;
    });
    if (handled) return true;
    const deferred = this.#deferred;
    this.#deferred = undefined;
    if (isOf(deferred, reason)) return true;
    this.#rejected = { error: reason };
    return false;
  }

  #onError(emit: () => boolean, error: unknown): boolean {
    if (isOf(this.#raised, error)) {
      this.#fatal = { error, raise: () => {} };
      return false;
    }
    if (!isOf(this.#told, error)) return emit();
    this.#told = undefined;
    const rejected = comesFrom(error, this.#rejected) ? this.#rejected : undefined;
    this.#rejected = undefined;
    const uncaught = {
      error: rejected === undefined ? error : rejected.error,
      raise: () => this.#raiseAgain(error),
    };
    let handled = false;
    const endsNow = this.#ends.showError(() => {
      handled = emit();
      return handled ? undefined : uncaught;
    });
    // In the mode `strict` the listeners of rejections are asked after this, and then it warns.
    if (!handled && rejected === undefined) this.#deferred = { error };
    if (handled || !endsNow) return true;
    this.#fatal = uncaught;
    this.startTimer(0, () => this.#fatal = undefined); // Whoever has replaced `emit` may handle it.
    if (this.#exitsDry) this.#process.exitCode = 1; // Node.js leaves it, since `exit` was emitted.
    return false;
  }

  // ----------------------------------------------------------------------------------------- Bun

  /** Whether an uncaught error has a listener. One that is called once is still there. */
  #isHandled(): boolean {
    const process = this.#process;
    return process.listenerCount("uncaughtException") > 0 ||
      process.hasUncaughtExceptionCaptureCallback?.() === true;
  }

  readonly #onBunBeforeExit = (): void => {
    const ends = this.#ends;
    this.#dry = false;
    if (ends.active && !this.#turned) this.#turnOnBun();
    else if (ends.active || this.#asked) this.#runDry();
    else if (ends.asynchronous) this.#askOnBun();
    else if (this.#emitted) this.#onLastOfBun();
    else this.#setDry();
  };

  /** Bun does not emit `exit` any more: this is the last that it tells of. */
  #onLastOfBun(): void {
    this.#ends.unload("dry", unloading);
    this.#ends.raiseFailure();
  }

  /** Bun tells of a rejection after this event, and then what settles at once has not done so yet. */
  #turnOnBun(): void {
    this.#turned = true;
    this.#turn();
  }

  /**
   * The listeners of `beforeExit` are called after this, and then not again: nothing keeps Bun from it.
   * The turn also brings to light what was rejected last.
   */
  #askOnBun(): void {
    const process = this.#process;
    this.#asked = true;
    this.#natives.setImmediate(() => {
      for (const listener of process.listeners("beforeExit")) {
        if (listener !== this.#onBunBeforeExit) process.removeListener("beforeExit", listener);
      }
    });
  }

  readonly #onBunExit = (code: unknown): void => {
    if (this.#process._exiting !== true) return;
    this.#onExit(() => true, code, this.#onBunExit);
  };

  readonly #onBunError = (error: unknown): void => {
    if (isOf(this.#raised, error)) return;
    const handled = this.#isHandled();
    this.#holdExits();
    const uncaught = { error, raise: () => this.#raiseAgain(error) };
    // Before anything runs that may end the program: a worker would end with 1 for want of a listener.
    const take = () => {};
    if (!handled) this.#process.prependOnceListener("uncaughtException", take);
    const endsNow = this.#ends.showError(() => handled ? undefined : uncaught);
    if (handled || !endsNow) return;
    this.#process.removeListener("uncaughtException", take);
    this.#fatal = uncaught;
  };

  /** Stays in front of all listeners of rejections: one that is called once is gone afterwards. */
  readonly #onBunListener = (event: string, listener: Listener): void => {
    if (event !== "unhandledRejection" || listener === this.#onBunRejection) return;
    this.#natives.queueMicrotask(() => {
      if (this.#fatal !== undefined) return;
      this.#process.removeListener("unhandledRejection", this.#onBunRejection);
      this.#process.prependListener("unhandledRejection", this.#onBunRejection);
    });
  };

  readonly #onBunRejection = (reason: unknown, promise: unknown): void => {
    if (this.#natives.peek?.status(promise) !== "rejected") return; // The program emits it itself.
    const process = this.#process;
    const handled = process.listenerCount("unhandledRejection") > 1;
    const raise = () => {
      process.removeListener("unhandledRejection", this.#onBunRejection);
      this.#natives.reject(reason); // Nobody listens any more: Bun prints it and ends the program.
    };
    const uncaught = { error: reason, raise };
    const endsNow = this.#ends.showError(() => handled ? undefined : uncaught);
    if (handled || !endsNow) return;
    this.#fatal = uncaught;
    raise();
  };
}

function takeNatives(): Natives {
  const {
    process,
    setImmediate,
    setTimeout,
    clearTimeout,
    queueMicrotask,
    reportError,
    console,
    Bun,
  } = globalThis as unknown as Natives & {
    console?: { error?: (text: string) => void };
    Bun?: Bun;
  };
  if (typeof process?.emit !== "function") {
    throw new Error("Cannot load @atexit/atexit: it needs Deno, Node.js or Bun");
  }
  const { emit, getBuiltinModule } = process;
  if (getBuiltinModule === undefined) {
    throw new Error("Cannot load @atexit/atexit: it needs Node.js 20.16, 22.3 or newer");
  }
  const writeError = console?.error;
  return {
    process,
    emit,
    getBuiltinModule,
    setImmediate,
    setTimeout,
    clearTimeout,
    queueMicrotask,
    reject: Promise.reject.bind(Promise),
    reportError,
    peek: Bun?.peek,
    writeError,
  };
}

/** Whether the runtime has told of this very error. */
function isOf(told: Told | undefined, error: unknown): boolean {
  return told !== undefined && is(told.error, error);
}

/** Whether an uncaught error is a rejection. Of a reason that is no error Node.js makes one of its own. */
function comesFrom(error: unknown, rejected: Told | undefined): boolean {
  if (rejected === undefined) return false;
  try {
    return isOf(rejected, error) ||
      (error as { code?: unknown }).code === "ERR_UNHANDLED_REJECTION";
  } catch {
    return false; // A hostile error.
  }
}

/** Whether an `exit` that was imported by name has called a function. Safe answer: yes. */
function isCalledByExit(func: Listener): boolean {
  try {
    const lines = callersOf(func);
    for (let i = 1; i < lines.length; i++) {
      if (apply(indexOf, lines[i], ["exit ("]) >= 0) return true;
    }
    return false;
  } catch {
    return true; // The program has changed how stacks are made.
  }
}

/** Where in the program a function was called, by the stack. Nowhere if the program has changed that. */
function placeOf(func: Listener): string | undefined {
  try {
    const lines = callersOf(func);
    for (let i = 1; i < lines.length; i++) {
      const place = placeIn(lines[i]);
      if (!apply(startsWith, place, ["node:"]) && apply(indexOf, place, [":"]) > 0) return place;
    }
  } catch {
    // The program has changed how stacks are made.
  }
  return undefined;
}

/**
 * Puts a function of ours in the place of a native one. It looks like the native one.
 *
 * @returns Whether that can be replaced.
 */
function replace<T extends object, K extends keyof T>(
  target: T,
  name: K,
  wrap: (native: T[K]) => T[K],
): boolean {
  const native = target[name];
  const value = wrap(native);
  if (typeof value === "function") {
    defineProperty(value, "name", getOwnPropertyDescriptor(native, "name") ?? {});
    defineProperty(value, "length", getOwnPropertyDescriptor(native, "length") ?? {});
  }
  const isNew = !hasOwn(target, name);
  const property = isNew ? { value, writable: true, configurable: true } : { value };
  return defineProperty(target, name, property);
}
