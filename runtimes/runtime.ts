// The interface between the lifecycle, which knows no runtime, and the runtimes. Types only, and no
// imports: every other file may use it.

/** What the lifecycle asks of a runtime. */
export interface Runtime {
  /** The exit code that the program would end with. */
  exitCode: number;
  readonly clock: Clock;
  readonly output: Output;
  readonly signals: Signals;

  /** Whether this process is a test runner's, in which an `exit()` that is caught ends nothing. */
  isTestRunner(): boolean;

  /** Called at each registration, before anything else happens to the handler. */
  handlerAdded(awaited: boolean): void;

  /**
   * Keeps the program alive for another turn of the event loop, and long enough for signals to be
   * delivered that have arrived while synchronous code was running.
   */
  keepAlive(): void;

  /**
   * Waits until what the program has written to `process.stdout` and `process.stderr` has been
   * taken over by the operating system, or its reader has taken nothing for a second or is gone.
   *
   * @returns A promise that is never rejected, or `undefined` if nothing is buffered.
   */
  flush(): Promise<void> | undefined;

  /** Raises an exception, uncaught: listeners see it, the runtime prints it, the status is 1. */
  rethrow(error: unknown): void;

  /**
   * Ends the program: calls the `exit` listeners of `process`, then dies by the signal if there is
   * one and the process may, and else exits with the code. Throws, or returns, if that is prevented.
   */
  exit(exit: Exit): void;

  /** Starts to report the ends of the program. */
  install(events: ExitEvents): void;
}

/** Time. */
export interface Clock {
  /** Milliseconds, since an arbitrary point in time. */
  now(): number;

  /**
   * Calls back once, in a later turn of the event loop, after at least so many milliseconds.
   *
   * By default the timer does not keep the program alive. `"unlessDrained"` keeps it alive where the
   * runtime does not report an empty event loop (workers; while the main module loads), `"always"`
   * everywhere.
   *
   * @returns A function that stops the timer.
   */
  startTimer(
    milliseconds: number,
    callback: () => void,
    keepAlive?: "unlessDrained" | "always",
  ): () => void;
}

/** Where reports go, and how they show a value. */
export interface Output {
  inspect(value: unknown): string;
  /** Makes the beginning of a report stand out, where that is possible. */
  highlight(text: string): string;
  write(text: string): void;
}

/** The signals of this system. */
export interface Signals {
  /** The ones that `exitOnSignals()` listens to by default, where the runtime accepts them. */
  readonly defaults: readonly string[];

  /**
   * Whether the program answers requests under way after a signal, and then has nothing left to do
   * (`deno serve`): the run starts when the event loop is empty.
   */
  readonly drains: boolean;

  numberOf(signal: string): number;

  /**
   * Listens to a signal. The listener is called before other listeners, where that is possible, and
   * must not end the program inside the call, which would skip them. Throws if the runtime refuses.
   *
   * @returns A function that stops listening.
   */
  listen(signal: string, listener: () => void): () => void;
}

/** How the program is made to end. */
export interface Exit {
  readonly code: number;
  /** The signal to die by. */
  readonly signal?: string | undefined;

  /**
   * Raises the last exception of the handlers, if there is one that decides the status. To be called
   * when the `exit` listeners have been called, as late as possible.
   */
  rethrow(): void;
}

/** What a runtime reports to the lifecycle. */
export interface ExitEvents {
  readonly state: State;

  /**
   * Whether the program has to go on at an empty event loop, for asynchronous handlers, for an end
   * that has begun, or for a signal that may have arrived.
   */
  readonly mustWait: boolean;

  readonly reporter: ExitReporter;

  /**
   * The event loop is empty, and no listener objects to the end.
   *
   * @returns Whether the program has to go on.
   */
  drained(): boolean;

  /**
   * The program is about to end, and cannot wait: its `unload` or `exit` listeners are called next.
   * Runs the handlers.
   *
   * @param by What unloads the program, or the error with which the runtime ends it.
   * @returns `undefined` if the handlers have run before, or a handler is being called.
   */
  unloading(by: UnloadKind | Uncaught, interruption: () => Interruption): Unloading | undefined;

  /**
   * The program calls the runtime's own exit. Runs the handlers.
   *
   * @param code The exit code that the program asks for, after what the runtime makes of it.
   * @param isOverridable Whether `overrideExit()` applies to this exit. Default: yes.
   * @returns The exit to carry out. `undefined` if an error listener calls it and the exit has been
   * noted: then the call returns to the listener, because runtimes end a program immediately whose
   * error listener throws.
   * @throws {SystemExit} If the exit joins an end that is under way, stops the handler that calls
   * it, or is overridden.
   */
  exitNow(
    code: number,
    interruption: () => Interruption,
    isOverridable?: boolean,
  ): ExitAttempt | undefined;

  /**
   * An error that may be uncaught is about to be shown to the program's listeners. Until the outcome
   * is given, `exit()` returns to its caller.
   *
   * @returns `undefined` if it is a `SystemExit`, which no listener is shown: it is handled.
   */
  errorEvent(error: unknown): ErrorEvent | undefined;
}

/** Reports of what the runtime itself does not print. */
export interface ExitReporter {
  /** An error that the runtime does not print. */
  uncaught(error: unknown): void;
  /** A listener of the `exit` event of `process` has thrown. */
  exitListener(error: unknown): void;
}

/**
 * What the lifecycle is doing.
 *
 * - `idle`: no end is under way.
 * - `pending`: the end has been decided, and the run starts in a later turn of the event loop.
 * - `calling`: a handler is on the call stack.
 * - `awaiting`: a handler, or the output, is awaited.
 * - `exiting`: the run is over, and the program is being ended.
 */
export type State = "idle" | "pending" | "calling" | "awaiting" | "exiting";

/**
 * What unloads a program: an empty event loop, `close()`, an exit that was not reported by
 * `exitNow()`, or something else that the program has not done (`--watch`, the end of a test module).
 */
export type UnloadKind = "finished" | "close" | "exit" | "unload";

/** A program that is being unloaded. */
export interface Unloading {
  /** Raises the last exception of the handlers, if there is one that decides the status. */
  rethrow(): void;

  /**
   * The last listener has been called. Does what `rethrow()` does, and ends the program if another
   * end was under way. If the event was an imitation, and the program lives on, all is as before.
   */
  finish(): void;
}

/** An exit that the program has asked the runtime for. */
export interface ExitAttempt extends Exit {
  /** The exit did not happen. All is as before. */
  prevented(): void;
}

/** An error that is being shown to the program's listeners. Exactly one of the two is called. */
export interface ErrorEvent {
  /** A listener handles it. */
  handled(): void;

  /**
   * No listener handles it.
   *
   * @returns Whether the runtime has to end the program with it immediately.
   */
  unhandled(error: Uncaught): boolean;
}

/** An error that no listener has handled. */
export interface Uncaught {
  readonly error: unknown;
  /** Rethrows it: the runtime prints it and ends the program, and no listener sees it twice. */
  rethrow(): void;
}

/** Why the promise of a handler is not awaited. */
export type Interruption =
  | { readonly kind: "exit" } & Caller
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "timeout"; readonly limit: number }
  | { readonly kind: "unload" };

/** Who ends the program, and where. */
export interface Caller {
  /** The function that was called: `process.exit()`. */
  readonly call: string;
  /** File, line and column of the call, as in a stack trace. `undefined` if it is not known. */
  readonly place: string | undefined;
  /** Whether `node:cluster` has called it, because a worker's primary has disconnected. */
  readonly byCluster?: boolean;
}
