// What the module needs of a runtime, and what a runtime tells the module. Types only.

import type { ExitReason } from "../lifecycle.ts";
import type { Cut, Output } from "../errors.ts";

/** How this runtime is asked, and how it is made to end the program. Reports go to its stderr. */
export interface Runtime extends Output {
  /** The exit code that the program would end with. */
  exitCode: number;

  /** Milliseconds, from any point in time on. */
  now(): number;

  /**
   * Calls back once, after at least so many milliseconds. Keeps nothing alive, unless it `holds`:
   * then it keeps a program alive that could not tell that its event loop has run dry.
   *
   * @returns What stops it.
   */
  startTimer(milliseconds: number, callback: () => void, holds?: boolean): () => void;

  /** A handler is registered for the first time. */
  firstUse(): void;

  /** Keeps the program from ending before its event loop has run dry once more. */
  turnOnce(): void;

  /** Raises an exception, uncaught: listeners see it, the runtime prints it, the status is 1. */
  raise(error: unknown): void;

  /**
   * Ends the program: calls the `exit` listeners of `process`, dies by the signal if there is one
   * and the process may, and else exits with the code. Throws, or returns, if the exit is refused.
   */
  exit(code: number, signal?: string): void;

  /** The signals that `exitOnSignals()` covers by default. */
  readonly defaultSignals: readonly string[];

  /** The number of a signal. */
  numberOf(signal: string): number;

  /** Listens to a signal. Throws if it is none that can be listened to. */
  listen(signal: string, listener: () => void): () => void;

  /** Starts to tell of the ends of the program. */
  install(ends: Ends): void;
}

/**
 * What unloads a program: its event loop has run dry, it has called `close()` or an exit that the
 * runtime did not announce, or the `unload` is nothing that the program did.
 */
export type UnloadKind = "dry" | "close" | "exit" | "unload";

/** An error that no listener has handled. */
export interface Uncaught {
  readonly error: unknown;
  /** Raises it again: the runtime prints it and ends the program, and no listener sees it twice. */
  readonly raise: () => void;
}

/** What a runtime tells of. */
export interface Ends {
  /** Whether a handler is being called or awaited. */
  readonly active: boolean;

  /** Whether a handler has ever been registered. */
  readonly used: boolean;

  /** Whether a handler is on the call stack. */
  readonly calling: boolean;

  /** Whether the run is over and the program is being ended. */
  readonly leaving: boolean;

  /** Why the program is ending. */
  exitReason(): ExitReason | undefined;

  /** Whether asynchronous handlers are registered. */
  readonly asynchronous: boolean;

  /**
   * The event loop has run dry, and nobody objects to the end.
   *
   * @returns Whether the program has to go on, because handlers are awaited.
   */
  dry(): boolean;

  /**
   * The program cannot be kept from ending any more. Its listeners are called after this.
   *
   * @param by What unloads it, or the error with which the runtime ends it.
   */
  unload(by: UnloadKind | Uncaught, cut: Cut): void;

  /** The last listener of an end that began with `unload()` has been called. */
  unloaded(): void;

  /** The last listener has been called, and the runtime ends the program. */
  raiseFailure(): void;

  /** Nobody has handled an exception of the handlers, and the runtime does not print it. */
  reportUncaught(error: unknown): void;

  /** A listener of the `exit` event of `process` has thrown. */
  exitListenerRaised(error: unknown): void;

  /**
   * The program ends at once. Throws a `SystemExit` if a handler calls it.
   *
   * @returns The code to exit with.
   */
  exitNow(code: number, cut: Cut): number;

  /** The exit did not happen, for this reason: everything is as before it. */
  refused(reason: unknown): void;

  /**
   * An error is shown to the listeners.
   *
   * @param dispatch Shows it, and returns it if nobody handles it.
   * @returns Whether the runtime is to end the program with it right away.
   */
  showError(dispatch: () => Uncaught | undefined): boolean;

  /**
   * Holds each `exit()` that is called from now on, as `showError()` does.
   *
   * @returns What lets them join the end under way, or begin one.
   */
  holdExits(): () => void;
}
