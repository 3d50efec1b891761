// Every place where the end of the program is caught. Knows how programs end and how their
// status comes about; knows nothing of handlers but that the registry runs them.

import { describe, exitCodeOf, reportUncaught, SystemExit } from "./errors.ts";
import { ignoreRejection, Registry } from "./registry.ts";

/** How a graceful end awaits the handlers. */
export interface EndOptions {
  /**
   * Milliseconds from the start of the run after which no handler is awaited any
   * longer: the one that is being awaited has failed, the others are called one after
   * the other, and the program ends. A finite number, 0 or greater. Default: each
   * handler is awaited until it settles, or until it never can.
   */
  timeout?: number | undefined;
}

/** A signal that ends the program: how the status tells of it, and how to die by it. */
export interface Death {
  /** The exit code that stands for it: 128 and the signal's number. */
  readonly code: number;
  /** Ends the process by the signal. Returns if that is not allowed or did not work. */
  die(): void;
}

/** A signal listener shared by all calls that cover the signal. */
export interface Cover {
  /** The options of each call. */
  readonly calls: EndOptions[];
  /** What is listening. */
  readonly listener: () => void;
}

/** What one realm's copies of this module share. Its shape is the protocol that `key` names. */
export interface Realm {
  readonly registry: Pick<Registry, "push" | "remove">;
  readonly covers: { [signal in Deno.Signal]?: Cover };
  exit(code: number | undefined, timeout: number | undefined): Promise<never>;
  endBySignal(death: Death, timeout: number | undefined): void;
}

/**
 * Why the program is ending gracefully. A signal or an error decides the status, whatever
 * handlers do, and the signal before the error. Without any of the three the program has
 * run dry: it ends by itself after the run.
 */
interface Ending {
  death: Death | undefined;
  error: { readonly value: unknown; readonly raise: () => void } | undefined;
  exit: (() => void) | undefined;
  /** When the run started, and after which time no handler is awaited any longer. */
  readonly start: number;
  deadline: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const key = Symbol.for("@atexit/atexit protocol 1");

// Taken now: what the program puts in their place later is its own affair.
const { apply, defineProperty } = Reflect;
const { addEventListener, performance, queueMicrotask, removeEventListener } = globalThis;
const raiseError = globalThis.reportError;
const timers = {
  set: nativeOf("setTimeout"),
  clear: nativeOf("clearTimeout"),
};

/**
 * Milliseconds in which a second signal may be the first one once more: a terminal sends Ctrl-C to
 * all processes in the foreground, and `deno task` passes it on to its own, sometimes twice.
 */
const echo = 100;

/** The registry of this realm and what ends it, whichever copy of the module came first. */
export const realm: Realm = shared() ?? install();

function shared(): Realm | undefined {
  return (globalThis as { [key]?: Realm })[key];
}

function install(): Realm {
  const registry = new Registry(setCodeUnlessDecided);

  /** The graceful end under way: there is one exactly while a handler is called or awaited for it. */
  let ending: Ending | undefined;
  /** Whether the event loop has run dry and no listener objects to the end. */
  let dry = false;
  /** Whether `unload` was dispatched, which `Deno.exit` does once only. */
  let unloaded = false;
  /** Whether it is being dispatched by way of this module, which raises the failure afterwards. */
  let unloading = false;
  /** Whether the main module may still be loading. Workers do not tell, nor does it if we come later. */
  let loading = true;
  /** When a signal came that ends the program. */
  let signalled = 0;
  /** What is done with the `error` event that is being caused here. */
  let onRaised: ((dispatch: () => boolean) => boolean) | undefined;
  /** The rejected promise that was made here to end the program with its reason. */
  let rejected: Promise<never> | undefined;

  // -------------------------------------------------------------------- the failure of a run

  /**
   * Raises the last exception of a run again: `error` listeners see it, and Deno prints it.
   * Returns if there is none, or if a listener prevents that.
   *
   * @param rethrow Throw it instead of leaving it to Deno: before 2.7 it prints `Uncaught null`
   * for what is raised in the `unload` at a natural end, but not for what that dispatch throws.
   */
  function raiseFailure(rethrow = false): void {
    const { failure } = registry;
    if (failure === undefined) return;
    registry.failure = undefined;
    let prevented = false;
    onRaised = (dispatch) => {
      prevented = !dispatch();
      return !prevented && !rethrow;
    };
    try {
      raiseError(failure.error);
    } catch {
      setExitCode(1); // Deno cannot look at a hostile value. What it is was reported before.
    } finally {
      onRaised = undefined;
    }
    if (rethrow && !prevented) throw failure.error;
  }

  /** Raises an error that the listeners have seen before. */
  function raiseUnseen(error: unknown): void {
    onRaised = () => true;
    raiseError(error);
    onRaised = undefined;
  }

  // -------------------------------------------------------------------------- immediate ends

  /**
   * Runs at once what is left, also of a graceful run.
   *
   * @returns The error that has started that, which Deno has not printed yet.
   */
  function runNow(): Ending["error"] {
    registry.runNow();
    if (ending === undefined) return undefined;
    if (isDecided()) registry.failure = undefined;
    const { error } = ending;
    if (error !== undefined) reportUncaught(error.value);
    stopEnding();
    return error;
  }

  /** Runs a handler that is registered when the run is over. */
  function runLate(): void {
    registry.runNow();
    if (!unloading) raiseFailure();
  }

  /** `Deno.exit`, which `process.exit` calls too. */
  function exitNow(native: typeof Deno.exit, code: unknown): never {
    const given = typeof code === "number" ? code | 0 : getExitCode();
    if (registry.calling) {
      // At once, since nobody may come to see what an asynchronous handler raises.
      setCodeUnlessDecided(given);
      throw new SystemExit(given);
    }
    const before = getExitCode();
    setExitCode(given);
    runNow();
    if (unloaded || unloading) raiseFailure();
    // Added last, it is called last, so no other listener is lost by what it raises.
    const raise = () => raiseFailure();
    addEventListener("unload", raise);
    registry.onLate = runLate;
    unloading = true;
    const last = getExitCode();
    setExitCode(before); // It is for the exit to set it, if it happens.
    try {
      return native(last);
    } finally {
      // Still here: a test has replaced `Deno.exit`, or its runner refuses it.
      unloading = false;
      registry.onLate = undefined;
      registry.failure = undefined;
      removeEventListener("unload", raise);
    }
  }

  /** A worker's `close`, after which Deno dispatches nothing. */
  function closeWorker(native: () => void): void {
    runNow();
    raiseFailure();
    native();
  }

  /** `unload`, as Deno dispatches it when the program has run dry. */
  function onUnload(dispatch: () => boolean): boolean {
    const error = runNow();
    registry.onLate = runLate;
    unloaded = unloading = true;
    const outcome = dispatch();
    unloading = false;
    // After a natural end only the `exit` listeners of `process` follow; any other program lives on.
    if (!dry) registry.onLate = undefined;
    if (error !== undefined) raiseUnseen(error.value);
    raiseFailure(dry);
    return outcome;
  }

  /** `unload` where it comes past `globalThis.dispatchEvent`: `close` in the main program, say. */
  function onUnloadElsewhere(): void {
    unloaded = true;
    if (unloading) return;
    const error = runNow();
    registry.onLate = runLate;
    if (error !== undefined) raiseUnseen(error.value);
    raiseFailure();
  }

  // --------------------------------------------------------------------------- graceful ends

  /** Whether the status is decided, whatever handlers do. */
  function isDecided(): boolean {
    return ending?.error !== undefined || ending?.death !== undefined;
  }

  function setCodeUnlessDecided(code: number): void {
    if (!isDecided()) setExitCode(code);
  }

  /** Starts a graceful end, or joins the one under way. Tells whether the run is over at once. */
  function end<K extends "death" | "error" | "exit">(
    cause: K,
    value: Ending[K],
    timeout?: number,
  ): boolean {
    const joins = ending !== undefined;
    ending ??= {
      death: undefined,
      error: undefined,
      exit: undefined,
      start: performance.now(),
      deadline: Infinity,
      timer: undefined,
    };
    ending[cause] = value;
    if (timeout !== undefined) limit(ending, timeout);
    if (joins) return false;
    registry.onOver = finish;
    return registry.runGracefully();
  }

  /** Sets the time after which no handler is awaited, unless an earlier one is set. */
  function limit(ending: Ending, timeout: number): void {
    const deadline = ending.start + timeout;
    if (deadline >= ending.deadline) return;
    ending.deadline = deadline;
    stopTimer(ending);
    ending.timer = timers.set()(() => {
      registry.giveUp(`The handler did not settle within ${timeout} ms`, false);
    }, Math.min(deadline - performance.now(), 2 ** 31 - 1));
    // While the main module loads, and in a worker, Deno does not tell that the loop is dry.
    if (!loading) Deno.unrefTimer(ending.timer);
  }

  function stopTimer({ timer }: Ending): void {
    if (timer !== undefined) timers.clear()(timer);
  }

  function stopEnding(): void {
    if (ending !== undefined) stopTimer(ending);
    registry.onOver = undefined;
    ending = undefined;
  }

  /** Ends the program after a graceful run. */
  function finish(): void {
    if (ending === undefined) return;
    const { death, error, exit } = ending;
    if (isDecided()) registry.failure = undefined;
    stopEnding();
    if (death !== undefined) {
      if (error !== undefined) reportUncaught(error.value);
      die(death);
    } else if (error !== undefined) error.raise();
    else exit?.();
  }

  /** Ends the program by the signal that is ending it, without the handlers that still wait. */
  function endAtOnce(): void {
    const death = ending?.death;
    if (death === undefined) return;
    registry.clear();
    stopEnding();
    die(death);
  }

  /** Ends the process by a signal, or else with the exit code that stands for it. */
  function die(death: Death): void {
    death.die();
    Deno.exit(death.code);
  }

  /** `beforeunload`: the event loop has run dry. */
  function onBeforeUnload(dispatch: () => boolean): boolean {
    stopLoading();
    if (ending === undefined) {
      dry = dispatch() && ending === undefined;
      if (dry && registry.waits) {
        dry = end("exit", undefined); // nobody has asked for it
        if (dry) finish();
      }
      return dry;
    }
    // Later, since `deno test` and `deno bench` dispatch `unload` right away, dry or not.
    queueMicrotask(() => {
      registry.giveUp("The handler can never settle: the event loop has run dry", true);
    });
    return false;
  }

  /** `load`: the main module has been evaluated, from now on Deno tells when the loop is dry. */
  function stopLoading(): void {
    loading = false;
    if (ending?.timer !== undefined) Deno.unrefTimer(ending.timer);
  }

  // ------------------------------------------------------------------------- uncaught errors

  /**
   * An error that nobody handled.
   *
   * @param raise Raises it again, for Deno to print it and no listener to see it.
   * @returns Whether Deno is to end the program with it right now.
   */
  function onUncaught(value: unknown, raise: () => void): boolean {
    const exitCode = exitCodeOf(value);
    if (exitCode !== undefined) {
      exitUncaught(exitCode);
      return false;
    }
    if (isDecided()) {
      reportUncaught(value);
      if (!registry.calling) {
        registry.runNow();
        finish();
      }
      return false;
    }
    setExitCode(1);
    if (registry.running) runNow();
    else if (end("error", { value, raise })) stopEnding();
    else return false;
    registry.failure = undefined;
    return true;
  }

  /** A `SystemExit` that nobody caught. */
  function exitUncaught(code: number): void {
    setCodeUnlessDecided(code);
    if (isDecided() || registry.calling) return;
    if (end("exit", () => Deno.exit(getExitCode()))) finish();
  }

  function onError(event: Event, dispatch: () => boolean): boolean {
    if (onRaised !== undefined) {
      const raised = onRaised;
      onRaised = undefined;
      return raised(dispatch);
    }
    // A worker's error was dispatched at the `Worker` before and is final as a rejection only.
    const final = event instanceof ErrorEvent && event.cancelable && event.target === null;
    if (!dispatch()) return false;
    if (!final) return true;
    return onUncaught(event.error, () => raiseUnseen(event.error));
  }

  function onRejection(event: Event, dispatch: () => boolean): boolean {
    if (!(event instanceof PromiseRejectionEvent)) return dispatch();
    if (rejected !== undefined && event.promise === rejected) return true;
    const outcome = dispatch();
    if (event.defaultPrevented || !event.cancelable) return outcome;
    // Without a handler nothing depends on the answer, and asking loads `process`: 13 ms on 2.9.
    if (registry.isEmpty && ending === undefined && exitCodeOf(event.reason) === undefined) {
      return outcome;
    }
    if (isNodeListening()) return outcome;
    const { reason } = event;
    const endsNow = onUncaught(reason, () => {
      rejected = Promise.reject(reason);
    });
    if (!endsNow) event.preventDefault();
    return outcome;
  }

  // --------------------------------------------------------------------------- installation

  replace(
    globalThis,
    "dispatchEvent",
    (native) =>
      function dispatchEvent(this: unknown, ...args: [Event]): boolean {
        const dispatch = (): boolean => apply(native, this, args);
        if (this !== undefined && this !== null && this !== globalThis) return dispatch();
        const event = args[0];
        switch (event?.type) {
          case "error":
            return onError(event, dispatch);
          case "unhandledrejection":
            return onRejection(event, dispatch);
          case "beforeunload":
            return onBeforeUnload(dispatch);
          case "unload":
            return onUnload(dispatch);
          case "load":
            stopLoading();
        }
        return dispatch();
      },
  );
  replace(Deno, "exit", (native) =>
    function exit(code?: number): never {
      return exitNow(native, code);
    });
  if ("WorkerGlobalScope" in globalThis) {
    replace(globalThis, "close", (native) =>
      function close(): void {
        closeWorker(native);
      });
  }
  addEventListener("unload", onUnloadElsewhere);

  const realm: Realm = {
    registry,
    covers: Object.create(null),
    exit(code, timeout) {
      const given = code ?? getExitCode();
      setCodeUnlessDecided(given);
      const joins = registry.running;
      const promise = new Promise<never>((_, reject) => {
        const leave = () => {
          try {
            Deno.exit(getExitCode());
            reject(new SystemExit(getExitCode()));
          } catch (error) {
            reject(error);
          }
        };
        if (!joins) {
          if (end("exit", leave, timeout)) finish();
          return;
        }
        if (ending !== undefined) end("exit", ending.exit ?? leave, timeout);
        reject(new SystemExit(given));
      });
      // Whoever does not await it goes on, and has the code set.
      if (joins) ignoreRejection(promise);
      return promise;
    },
    endBySignal(death, timeout) {
      if (ending?.death !== undefined) {
        const rest = signalled + echo - performance.now();
        if (ending.death.code !== death.code || rest <= 0) endAtOnce();
        // No user is that fast. Whoever else is gets what they ask for when the time is over.
        else if (!isInTerminal()) Deno.unrefTimer(timers.set()(endAtOnce, rest));
        return;
      }
      signalled = performance.now();
      setExitCode(death.code);
      if (end("death", death, timeout)) finish();
    },
  };
  defineProperty(globalThis, key, { value: realm });
  return realm;
}

/**
 * Reads the timeout from the options of a call.
 *
 * @param action What the call cannot do if the timeout is none.
 */
export function timeoutOf(options: EndOptions, action: string): number | undefined {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot ${action}: expected options, received ${describe(options)}`);
  }
  const { timeout } = options;
  if (timeout === undefined) return undefined;
  const expected = `Cannot ${action}: expected a timeout in milliseconds`;
  if (typeof timeout !== "number") {
    throw new TypeError(`${expected}, received ${describe(timeout)}`);
  }
  if (!(timeout >= 0 && timeout < Infinity)) {
    throw new RangeError(`${expected}, a finite number of 0 or more, received ${timeout}`);
  }
  return timeout;
}

/** Puts a function of ours in the place of a native one, where the program lets it be replaced. */
function replace<T extends object, K extends keyof T>(
  target: T,
  name: K,
  wrap: (native: T[K]) => T[K],
): void {
  const descriptor = { value: wrap(target[name]), writable: true };
  const isNew = !Object.hasOwn(target, name);
  defineProperty(target, name, isNew ? { ...descriptor, configurable: true } : descriptor);
}

/**
 * Remembers a global function without looking at it: Deno 2.9 loads its timers when they are first
 * looked at, which takes 6 ms.
 */
function nativeOf<K extends "setTimeout" | "clearTimeout">(name: K): () => typeof globalThis[K] {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
  return () => descriptor?.get?.call(globalThis) ?? descriptor?.value;
}

/** Whether Node's `process` has listeners that take a rejection which no other listener took. */
function isNodeListening(): boolean {
  try {
    const { process } = globalThis as unknown as { process: typeof import("node:process") };
    return process.listenerCount("unhandledRejection") > 0 ||
      process.listenerCount("uncaughtException") > 0 ||
      // Deno before 2.9 does not have it.
      process.hasUncaughtExceptionCaptureCallback?.();
  } catch {
    return false; // The program has replaced or removed it.
  }
}

/** Whether the user of a terminal may have sent a signal. */
function isInTerminal(): boolean {
  try {
    return Deno.stdin.isTerminal() || Deno.stderr.isTerminal();
  } catch {
    return false; // The program has closed it.
  }
}

/** The exit code that the program would end with. In workers, Deno 2.0 has none. */
function getExitCode(): number {
  return Deno.exitCode ?? 0;
}

function setExitCode(code: number): void {
  Deno.exitCode = code;
}
