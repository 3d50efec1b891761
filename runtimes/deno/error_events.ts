// Uncaught errors: the `error` and `unhandledrejection` events of Deno, and how an error is rethrown.

import { reject } from "../hook.ts";
import type { ExitEvents } from "../runtime.ts";
import {
  deno,
  isDeno,
  isErrorHandledByRunner,
  isRejectionHandledByProcess,
  isUncaughtError,
  printsNull,
} from "./queries.ts";

// Captured at import, so that later monkey-patching does not affect the module.
const { PromiseRejectionEvent, queueMicrotask, reportError } = isDeno
  ? globalThis
  : {} as typeof globalThis;

/**
 * What the next `error` event is, if the module causes it.
 *
 * - `shown`: an exception of a handler, which listeners have not seen yet.
 * - `hidden`: an error that listeners have seen before.
 */
type Rethrowing =
  | { readonly kind: "shown"; readonly ends: boolean; prevented: boolean }
  | { readonly kind: "hidden" };

/** Where in its end the program is, as far as it determines how an error can be rethrown. */
export interface UnloadState {
  /** Whether `unload` listeners of an empty event loop are being called. */
  readonly isUnloadingDrained: boolean;
  /** Whether `unload` listeners are being called. */
  readonly isUnloading: boolean;
  /** Whether the `exit` listeners of `process` are being called at an empty event loop. */
  readonly isExitingDrained: boolean;
}

/** The errors of a program. */
export class ErrorEvents {
  readonly #events: ExitEvents;
  readonly #loop: UnloadState;
  #rethrowing: Rethrowing | undefined;
  /** The rejected promise that was created to end the program with its reason. */
  #rejection: Promise<never> | undefined;

  constructor(events: ExitEvents, loop: UnloadState) {
    this.#events = events;
    this.#loop = loop;
  }

  /** Handles an `error` event. Deno ends the program if `true` is returned. */
  onError(event: Event, dispatch: () => boolean): boolean {
    const rethrowing = this.#rethrowing;
    if (rethrowing !== undefined) {
      this.#rethrowing = undefined;
      if (rethrowing.kind === "hidden") return true;
      rethrowing.prevented = !dispatch();
      return rethrowing.ends && !rethrowing.prevented;
    }
    if (!isUncaughtError(event) || isErrorHandledByRunner()) return dispatch();
    const { error } = event;
    const errorEvent = this.#events.errorEvent(error);
    if (errorEvent === undefined) return false; // A `SystemExit`: no listener is shown it.
    if (dispatch()) {
      return errorEvent.unhandled({
        error,
        rethrow: () => this.#rethrowHidden(error),
      });
    }
    errorEvent.handled();
    return false;
  }

  /** Handles an `unhandledrejection` event. Deno ends the program unless it is prevented. */
  onRejection(event: Event, dispatch: () => boolean): boolean {
    if (!(event instanceof PromiseRejectionEvent) || !event.cancelable) return dispatch();
    const { promise, reason } = event;
    if (this.#rejection !== undefined && promise === this.#rejection) return true;
    if (isErrorHandledByRunner()) return dispatch();
    const errorEvent = this.#events.errorEvent(reason);
    if (errorEvent === undefined) {
      event.preventDefault();
      return false;
    }
    const outcome = dispatch();
    if (event.defaultPrevented) errorEvent.handled();
    // Deno calls the listeners of `process` next.
    else if (isRejectionHandledByProcess()) queueMicrotask(() => errorEvent.handled());
    else if (
      !errorEvent.unhandled({
        error: reason,
        rethrow: () => this.#rethrowRejection(reason),
      })
    ) {
      event.preventDefault(); // The run goes on, and rethrows it afterwards.
    }
    return outcome;
  }

  /** Rethrows an exception of a handler: listeners see it, and Deno prints it. */
  rethrow(error: unknown): void {
    // Here `reportError()` ends nothing, or Deno before 2.7 prints "Uncaught null".
    const throws = this.#loop.isExitingDrained || printsNull() && this.#loop.isUnloadingDrained;
    const rethrowing: Rethrowing = { kind: "shown", ends: !throws, prevented: false };
    const isDispatched = this.#reportError(error, rethrowing);
    if (throws && !rethrowing.prevented) throw error;
    if (isDispatched) return;
    deno.exitCode = 1; // The program may be gone before the microtask. The error has been reported.
    this.#throwSoon(error, rethrowing);
  }

  /** Rethrows an error that listeners have seen before. */
  #rethrowHidden(error: unknown): void {
    if (printsNull() && this.#loop.isUnloadingDrained) throw error;
    const rethrowing: Rethrowing = { kind: "hidden" };
    if (!this.#reportError(error, rethrowing)) this.#throwSoon(error, rethrowing);
  }

  /**
   * Calls `reportError()`. Returns whether it has dispatched an event: it fails for objects with
   * throwing getters, and a program may have replaced it.
   */
  #reportError(error: unknown, rethrowing: Rethrowing): boolean {
    this.#rethrowing = rethrowing;
    try {
      reportError(error);
    } catch {
      // Nothing was dispatched.
    }
    const isDispatched = this.#rethrowing === undefined;
    this.#rethrowing = undefined;
    return isDispatched;
  }

  #throwSoon(error: unknown, rethrowing: Rethrowing): void {
    queueMicrotask(() => {
      this.#rethrowing = rethrowing;
      throw error;
    });
  }

  /** Rethrows a rejection that listeners have seen before. */
  #rethrowRejection(reason: unknown): void {
    // Not with a rejected promise if the event loop no longer turns, or a listener that was added
    // meanwhile would handle it.
    if (this.#loop.isUnloading || isRejectionHandledByProcess()) this.#rethrowHidden(reason);
    else this.#rejection = reject(reason);
  }
}
