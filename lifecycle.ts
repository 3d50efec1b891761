// How a program ends: the causes, which of two decides, the status, and what is reported. It knows
// no runtime: how the program is made to end is handed in.
//
// What becomes of a cause depends on what the lifecycle is doing:
//
// | cause     | nothing, or dry | a handler is called      | a handler is awaited          | leaving                  |
// | --------- | --------------- | ------------------------ | ----------------------------- | ------------------------ |
// | dry       | run gracefully  | -                        | it has failed, the run goes on | -                       |
// | exit      | run gracefully  | join, reject             | join, reject                  | set the code, reject     |
// | error     | run gracefully  | join                     | join                          | report it, or let it end |
// | signal    | run gracefully  | join                     | join; a second one: run at once | -                      |
// | immediate | run at once     | set the code, throw      | run the rest at once          | leave                    |
// | unload    | run at once     | the run goes on          | run the rest at once          | -                        |
//
// An exit in a listener of an error waits until it is known who handles the error.
// To join is to let the cause of the higher rank decide. The run goes on as it was. When it is over
// the program leaves by the cause that decides: see `#leave`.

import {
  captureStackTrace,
  type Cut,
  describe,
  exitCodeOf,
  isSystemExit,
  type Reason,
  Reporter,
  SystemExit,
  textOf,
} from "./errors.ts";
import { type AnyFunction, type Call, onRejected, Run, type RunHost, Stack } from "./registry.ts";
import type { Ends, Runtime, Uncaught, UnloadKind } from "./runtimes/runtime.ts";

// Taken now: what the program puts in their place later is its own affair.
const NativeError = Error;
const NativePromise = Promise;
const NativeTypeError = TypeError;
const { is } = Object;

// ----------------------------------------------------------------------------------------- one end

/** Why the program is ending. `immediate` is an exit that cannot wait. */
type Cause =
  | { readonly kind: "unload" | "close" | "dry" | "exit" | "immediate" }
  | { readonly kind: "error" } & Uncaught
  | { readonly kind: "signal"; readonly signal: string; readonly code: number };

/** The higher cause decides the status. Among equals it is the first one; of exits, the last code. */
const rank = { unload: 0, close: 0, dry: 0, exit: 1, error: 2, signal: 3, immediate: 4 } as const;

/**
 * Why the program is ending.
 *
 * - `dry`: its event loop has run dry.
 * - `exit`: an exit was asked for, in whichever way.
 * - `error`: nobody has handled this error.
 * - `signal`: a signal came that was named to {@linkcode exitOnSignals}.
 * - `unload`: nothing that the program did: a `--watch` restart, the end of a test module.
 */
export type ExitReason =
  | { readonly kind: "dry" }
  | { readonly kind: "exit" }
  | { readonly kind: "error"; readonly error: unknown }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "unload" };

/** An `exit()` that waits for the end. */
interface Exit {
  readonly code: number;
  readonly timeout: number | undefined;
  readonly reject: (reason: unknown) => void;
}

/** Exits, the last one first. Filling an array throws where `Object.prototype` has a setter "0". */
interface Exits {
  readonly last: Exit;
  readonly before: Exits | undefined;
}

/** An end of the program, from its first cause on until the program is gone or the exit refused. */
class Ending {
  /** The cause that decides. */
  cause: Cause;
  /** Whether the run is over and the program is being ended. */
  leaving = false;
  /** Why no handler is awaited any more. */
  cut: Cut | undefined;
  /** Whether a handler was given up because its time was over. */
  timedOut = false;
  /** The last exception of the handlers. */
  failure: { readonly error: unknown } | undefined;
  /** Whether an error or a signal has decided the status, whatever handlers do. */
  #decided: boolean;
  #exits: Exits | undefined;
  /** The exit code before the end began. */
  readonly codeBefore: number;

  constructor(cause: Cause, codeBefore: number) {
    this.cause = cause;
    this.codeBefore = codeBefore;
    this.#decided = isDecisive(cause);
  }

  /** Lets another cause join. Returns the one of the two that does not decide. */
  join(cause: Cause): Cause {
    const { cause: current } = this;
    if (rank[cause.kind] <= rank[current.kind]) return cause;
    this.cause = cause;
    if (isDecisive(cause)) this.#decided = true;
    return current;
  }

  /** Whether handlers can change the exit code. */
  get takesCodes(): boolean {
    return !isDecisive(this.cause);
  }

  /** The exception that is raised again after the run: none if an error or a signal has decided. */
  takeFailure(): { readonly error: unknown } | undefined {
    const failure = this.#decided ? undefined : this.failure;
    this.failure = undefined;
    return failure;
  }

  /** Remembers an `exit()` that is answered if the exit is refused. */
  addExit(exit: Exit): void {
    this.#exits = { last: exit, before: this.#exits };
  }

  /** The exit does not happen: answers everybody who has asked for it. */
  refuse(reason: unknown): void {
    for (let exits = this.#exits; exits !== undefined; exits = exits.before) {
      exits.last.reject(reason);
    }
  }

  /** The cause, as users are told. */
  toReason(): ExitReason {
    const { cause } = this;
    switch (cause.kind) {
      case "error":
        return { kind: "error", error: cause.error };
      case "signal":
        return { kind: "signal", signal: cause.signal };
      case "dry":
      case "unload":
        return { kind: cause.kind };
      default:
        return { kind: "exit" };
    }
  }

  /** The cause, for a report. */
  explain(): Reason {
    const { cause } = this;
    switch (cause.kind) {
      case "error":
        return { text: "nobody has handled an error", error: { value: cause.error } };
      case "signal":
        return { text: `${cause.signal} came` };
      case "dry":
        return { text: "its event loop has run dry" };
      default:
        return { text: "an exit was asked for" };
    }
  }
}

/** Whether a cause decides the status, whatever handlers do. */
function isDecisive({ kind }: Cause): boolean {
  return kind === "error" || kind === "signal";
}

// ---------------------------------------------------------------------------------- the time limit

/** Seconds after which a handler is named that is awaited without a limit. */
const patience = 10;

/** What becomes due. */
interface DeadlineHost {
  /** A handler has been awaited for a long time, and there is no limit. */
  waitsLong(seconds: number): void;
  /** The last tenth of the time has begun. */
  lastTenth(limit: number): void;
  /** The time is over. */
  timeOver(limit: number): void;
}

/** The time limit of a run. */
class Deadline {
  readonly #runtime: Pick<Runtime, "now" | "startTimer">;
  readonly #host: DeadlineHost;
  #start = 0;
  #grace: number | undefined;
  #timeout: number | undefined;
  #inLastTenth = false;
  #stopTimer: (() => void) | undefined;

  constructor(runtime: Pick<Runtime, "now" | "startTimer">, host: DeadlineHost) {
    this.#runtime = runtime;
    this.#host = host;
  }

  /** A run starts. */
  begin(gracePeriod: number | undefined): void {
    this.#start = this.#runtime.now();
    this.#grace = gracePeriod;
    this.#timeout = undefined;
    this.#inLastTenth = false;
  }

  /** Sets a timeout. The shortest one counts, and each takes the place of the grace period. */
  shorten(timeout: number | undefined): void {
    if (timeout === undefined || timeout >= (this.#timeout ?? Infinity)) return;
    this.#timeout = timeout;
    if (this.#stopTimer !== undefined) this.#startTimer();
  }

  /** A handler is awaited from now on. */
  awaiting(): void {
    if (this.#limit === undefined || this.#stopTimer === undefined) this.#startTimer();
  }

  /** No handler is awaited any more. */
  end(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  get #limit(): number | undefined {
    return this.#timeout ?? this.#grace;
  }

  #startTimer(): void {
    this.#stopTimer?.();
    const limit = this.#limit;
    if (limit === undefined) {
      const sayIt = () => this.#host.waitsLong(patience);
      this.#stopTimer = this.#runtime.startTimer(patience * 1_000, sayIt);
      return;
    }
    const share = this.#inLastTenth ? 1 : 0.9;
    const rest = this.#start + limit * share - this.#runtime.now();
    this.#stopTimer = this.#runtime.startTimer(rest > 0 ? rest : 0, () => this.#onTimer(), true);
  }

  #onTimer(): void {
    const limit = this.#limit ?? Infinity;
    const passed = this.#runtime.now() - this.#start;
    if (passed >= limit) return this.#host.timeOver(limit);
    const begins = !this.#inLastTenth && passed >= limit * 0.9;
    if (begins) this.#inLastTenth = true;
    this.#startTimer(); // Timers may be early, and reach no further than 25 days.
    if (begins) this.#host.lastTenth(limit);
  }
}

// ----------------------------------------------------------------------------- the covered signals

/** What a call of `exitOnSignals()` asks for. */
export interface CoverOptions {
  readonly signals: readonly string[];
  readonly timeout?: number | undefined;
}

/** What is told when a covered signal comes. */
interface CoverHost {
  signal(signal: string, timeout: number | undefined): void;
}

/** A call that covers signals. */
interface CoverCall {
  readonly timeout: number | undefined;
}

/** A signal that is listened to, for each call that covers it. */
interface Cover {
  readonly calls: CoverCall[];
  readonly stopListening: () => void;
}

/** Milliseconds after the first signal in which any further one is taken for the same. */
const same = 100;

/** The covered signals of a realm. */
class Covers {
  readonly #runtime: Pick<Runtime, "listen" | "startTimer">;
  readonly #host: CoverHost;
  #takesSecond = false;
  #stopTimer: (() => void) | undefined;
  readonly #covers: { [signal: string]: Cover | undefined } = Object.create(null);

  constructor(runtime: Pick<Runtime, "listen" | "startTimer">, host: CoverHost) {
    this.#runtime = runtime;
    this.#host = host;
  }

  /** Whether a signal that comes now is a second one. */
  get takesSecond(): boolean {
    return this.#takesSecond;
  }

  /**
   * A first signal has come. Terminals, `deno task` and the watcher send one Ctrl-C two or three
   * times. The time counts from when the event loop turns again, since a handler may block it.
   */
  expectSecond(): void {
    this.#stopTimer = this.#runtime.startTimer(0, () => {
      this.#stopTimer = this.#runtime.startTimer(same, () => this.#takesSecond = true);
    });
  }

  /** No signal can be a second one any more. */
  stopExpecting(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#takesSecond = false;
  }

  /** Covers each of the signals, or throws and covers none. Returns what takes that back. */
  add({ signals, timeout }: CoverOptions): () => void {
    const call: CoverCall = { timeout };
    const takeBack = () => {
      for (let i = 0; i < signals.length; i++) this.#uncover(signals[i], call);
    };
    try {
      for (let i = 0; i < signals.length; i++) this.#cover(signals[i], call);
    } catch (error) {
      takeBack();
      throw error;
    }
    return takeBack;
  }

  #cover(signal: string, call: CoverCall): void {
    const { calls } = this.#covers[signal] ??= this.#listen(signal);
    calls[calls.length] = call;
  }

  #listen(signal: string): Cover {
    const calls: CoverCall[] = [];
    const onSignal = () => this.#host.signal(signal, shortestOf(calls));
    try {
      return { calls, stopListening: this.#runtime.listen(signal, onSignal) };
    } catch (cause) {
      const expected = 'a signal that can be listened to here, such as "SIGINT"';
      throw new NativeTypeError(
        `Cannot exit on signals: expected ${expected}, received ${describe(signal)}`,
        { cause },
      );
    }
  }

  /** Takes back a call, also one that names the signal twice. */
  #uncover(signal: string, call: CoverCall): void {
    const cover = this.#covers[signal];
    if (cover === undefined) return;
    const { calls, stopListening } = cover;
    let left = 0;
    for (let i = 0; i < calls.length; i++) if (calls[i] !== call) calls[left++] = calls[i];
    calls.length = left;
    if (left > 0) return;
    delete this.#covers[signal];
    stopListening();
  }
}

/** The shortest timeout of the calls that cover a signal. */
function shortestOf(calls: readonly CoverCall[]): number | undefined {
  let shortest = Infinity;
  for (let i = 0; i < calls.length; i++) {
    const { timeout = Infinity } = calls[i];
    if (timeout < shortest) shortest = timeout;
  }
  return shortest === Infinity ? undefined : shortest;
}

// ----------------------------------------------------------------------------------- the lifecycle

/** The life of a program's handlers, from their registration to the end of the program. */
export class Lifecycle implements Ends, RunHost, DeadlineHost, CoverHost {
  readonly #runtime: Runtime;
  readonly #reporter: Reporter;
  readonly #stack = new Stack();
  readonly #run: Run;
  /** Made when a graceful run begins. */
  #deadline: Deadline | undefined;
  /** Made when a signal is covered, or comes. */
  #covers: Covers | undefined;
  #gracePeriod: number | undefined;
  #used = false;

  #ending: Ending | undefined;
  /** The handler that is being awaited. */
  #awaited: AnyFunction | undefined;
  /** How many error events are being shown to the listeners. */
  #showing = 0;
  /** Each `exit()` that a listener of such an event has called. */
  #held: Exits | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#reporter = new Reporter(runtime);
    this.#run = new Run(this.#stack, this);
  }

  // ------------------------------------------------------------------------ what users ask for

  /** Registers a handler. When the run is over and the program is leaving, it runs at once. */
  register(func: AnyFunction, call?: Call): void {
    if (!this.#used) {
      this.#used = true;
      this.#runtime.firstUse();
    }
    this.#stack.push(func, call);
    if (call?.awaited) this.#runtime.turnOnce();
    if (this.#ending?.leaving && !this.#run.active) this.#run.atOnce();
  }

  unregister(func: AnyFunction): void {
    this.#stack.remove(func);
  }

  setGracePeriod(milliseconds: number | undefined): void {
    this.#gracePeriod = milliseconds;
  }

  exitOnSignals(options: CoverOptions): () => void {
    this.#covers ??= new Covers(this.#runtime, this);
    return this.#covers.add(options);
  }

  exitReason(): ExitReason | undefined {
    return this.#ending?.toReason();
  }

  // ---------------------------------------------------------------------------- graceful ends

  /** An exit is asked for. */
  exit(code: number = this.#runtime.exitCode, timeout?: number): Promise<never> {
    if (this.active || this.leaving) {
      this.#join({ kind: "exit" });
      this.#setCode(code);
      this.#deadline?.shorten(timeout);
      const promise = new NativePromise<never>((_, reject) => reject(new SystemExit(code)));
      onRejected(promise, () => {}); // Whoever does not await it goes on, and has the code set.
      return promise;
    }
    return new NativePromise((_, reject) => {
      const exit = { code, timeout, reject };
      if (this.#showing > 0) this.#held = { last: exit, before: this.#held };
      else this.#startExit(exit);
    });
  }

  #startExit(exit: Exit): void {
    this.#addExit(exit);
    this.#start(exit.timeout);
  }

  #addExit(exit: Exit): void {
    this.#join({ kind: "exit" }).addExit(exit);
    this.#setCode(exit.code);
  }

  /** The event loop has run dry. */
  dry(): boolean {
    if (this.#run.active) {
      this.#giveUp(
        "The handler can never settle: the event loop has run dry. " +
          "Return a promise that something under way settles",
        true,
      );
      return true;
    }
    if (!this.asynchronous) return false;
    this.#join({ kind: "dry" });
    this.#start();
    return this.#run.active;
  }

  /** A covered signal has come. */
  signal(signal: string, timeout?: number): void {
    if (this.leaving) return;
    if (this.#ending?.cause.kind === "signal") {
      if (this.#covers?.takesSecond) this.#endNow({ kind: "signal", signal });
      return;
    }
    const code = 128 + this.#runtime.numberOf(signal);
    const cause: Cause = { kind: "signal", signal, code };
    if (this.#join(cause).cause === cause) this.#runtime.exitCode = code;
    this.#start(timeout);
    this.#covers ??= new Covers(this.#runtime, this);
    if (this.active) this.#covers.expectSecond();
  }

  showError(dispatch: () => Uncaught | undefined): boolean {
    this.#showing++;
    let uncaught: Uncaught | undefined;
    try {
      uncaught = dispatch();
    } finally {
      this.#showing--;
    }
    const endsNow = uncaught !== undefined && this.#uncaught(uncaught);
    if (endsNow) this.#held = undefined;
    else if (this.#showing === 0) this.#releaseExits();
    return endsNow;
  }

  holdExits(): () => void {
    this.#showing++;
    let holds = true;
    return () => {
      if (holds && --this.#showing === 0) this.#releaseExits();
      holds = false;
    };
  }

  /** Nobody has handled an error. Returns whether the runtime is to end the program with it now. */
  #uncaught(uncaught: Uncaught): boolean {
    const { error } = uncaught;
    if (isSystemExit(error)) {
      this.#join({ kind: "exit" });
      this.#systemExit(error);
      if (!this.leaving) this.#start();
      return false;
    }
    const cause: Cause = { kind: "error", ...uncaught };
    if (this.leaving) return this.#errorWhileLeaving(cause);
    if (this.#ending === undefined && this.#stack.size === 0) return true; // Nothing to do.
    const ending = this.#join(cause);
    if (ending.cause === cause) this.#runtime.exitCode = 1;
    if (this.active || !this.#begin()) return false;
    if (ending.cause !== cause) {
      this.#leave(ending);
      return false;
    }
    // Nothing runs after this, unless the program has imitated the runtime's event, and lives on.
    this.#runtime.exitCode = ending.codeBefore;
    this.refused(new SystemExit(1));
    return true;
  }

  /** An error that is being raised again stays the one that ends the program. */
  #errorWhileLeaving(cause: Cause): boolean {
    if (this.#ending?.cause.kind !== "error") return true;
    this.#join(cause);
    return false;
  }

  /** Lets each `exit()` that waited for the listeners of an error event join, or begin an end. */
  #releaseExits(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    let exits: Exits | undefined;
    for (let exit: Exits | undefined = held; exit !== undefined; exit = exit.before) {
      exits = { last: exit.last, before: exits };
    }
    // From the oldest on, because the last code counts.
    for (let exit = exits; exit !== undefined; exit = exit.before) this.#addExit(exit.last);
    if (!this.leaving) this.#start();
    for (let exit = exits; exit !== undefined; exit = exit.before) {
      this.#deadline?.shorten(exit.last.timeout);
    }
  }

  // --------------------------------------------------------------------------- immediate ends

  exitNow(code: number, cut: Cut): number {
    if (this.#run.calling) {
      // At once, because nobody sees what an asynchronous handler raises at an immediate end.
      this.#setCode(code);
      throw new SystemExit(code);
    }
    if (this.leaving) {
      // An error may be on its way to the runtime, which does not come to print it.
      if (this.#ending?.cause.kind === "error") this.#join({ kind: "immediate" });
      return code;
    }
    const ending = this.#join({ kind: "immediate" });
    this.#runtime.exitCode = code;
    this.#cut(cut);
    const last = this.#runtime.exitCode;
    this.#runtime.exitCode = ending.codeBefore; // It is for the exit to set it, if it happens.
    return last;
  }

  refused(reason: unknown): void {
    const ending = this.#ending;
    this.#ending = undefined;
    this.#stopWaiting();
    ending?.refuse(reason);
  }

  unload(by: UnloadKind | Uncaught, cut: Cut): void {
    if (typeof by === "object") this.#join({ kind: "error", ...by });
    else this.#join({ kind: by === "exit" ? "immediate" : by });
    this.#cut(cut);
  }

  unloaded(): void {
    const ending = this.#ending;
    if (ending === undefined || this.#run.calling) return;
    switch (ending.cause.kind) {
      case "exit":
      case "error":
      case "signal":
        return this.#leave(ending);
      default: {
        const failure = ending.takeFailure();
        this.refused(undefined);
        if (failure !== undefined) this.#runtime.raise(failure.error);
      }
    }
  }

  raiseFailure(): void {
    const failure = this.#ending?.takeFailure();
    if (failure !== undefined) this.#runtime.raise(failure.error);
  }

  reportUncaught(error: unknown): void {
    this.#reporter.uncaught(error);
  }

  exitListenerRaised(error: unknown): void {
    this.#reporter.exitListener(error);
  }

  #endNow(cut: Cut): void {
    this.#cut(cut);
    this.#leave(this.#ending!);
  }

  /** Runs what is left at once. After that what is registered runs at once, too. */
  #cut(cut: Cut): void {
    const ending = this.#ending!;
    ending.cut ??= cut;
    this.#stopWaiting();
    if (this.#used) this.#run.atOnce(); // A program without handlers does not pay for the run.
    ending.leaving = true;
  }

  // ------------------------------------------------------------------------------ from end to end

  get used(): boolean {
    return this.#used;
  }

  get calling(): boolean {
    return this.#run.calling;
  }

  get active(): boolean {
    return this.#run.active;
  }

  get leaving(): boolean {
    return this.#ending?.leaving === true;
  }

  get asynchronous(): boolean {
    return this.#stack.asynchronous > 0;
  }

  /** Lets a cause join the end under way, or begin one. An error that does not decide is reported. */
  #join(cause: Cause): Ending {
    const ending = this.#ending;
    if (ending === undefined) return this.#ending = new Ending(cause, this.#runtime.exitCode);
    const loser = ending.join(cause);
    // Two rejections may have one reason. It is told of once.
    const isTold = ending.cause.kind === "error" && loser.kind === "error" &&
      is(ending.cause.error, loser.error);
    if (loser.kind === "error" && !isTold) this.#reporter.uncaught(loser.error);
    return ending;
  }

  /** Sets the exit code, unless an error or a signal decides it. */
  #setCode(code: number): void {
    if (this.#ending?.takesCodes !== false) this.#runtime.exitCode = code;
  }

  /** A `SystemExit` that nobody has caught, or that a handler has raised. */
  #systemExit(exit: SystemExit): void {
    const text = textOf(exit);
    if (text !== undefined) this.#reporter.text(text);
    this.#setCode(exitCodeOf(exit));
  }

  /** Starts a graceful run. Returns whether it is over, and the program is to leave. */
  #begin(timeout?: number): boolean {
    this.#deadline ??= new Deadline(this.#runtime, this);
    this.#deadline.begin(this.#gracePeriod);
    this.#deadline.shorten(timeout);
    if (!this.#run.gracefully()) return false;
    this.#ending!.leaving = true;
    return true;
  }

  /** Runs the handlers gracefully, and leaves; or lets a timeout join the run under way. */
  #start(timeout?: number): void {
    if (this.active) this.#deadline?.shorten(timeout);
    else if (this.#begin(timeout)) this.#leave(this.#ending!);
  }

  /** Ends the program, after the run. One that has run dry ends by itself. */
  #leave(ending: Ending): void {
    this.#stopWaiting();
    ending.leaving = true;
    const { cause } = ending;
    switch (cause.kind) {
      case "error":
        return cause.raise();
      case "exit":
        return this.#exit(ending, this.#runtime.exitCode);
      case "signal":
        return this.#exit(ending, cause.code, cause.signal);
      default:
        // What was given up may keep the event loop turning for ever.
        if (ending.timedOut) return this.#exit(ending, this.#runtime.exitCode);
        ending.leaving = false;
    }
  }

  #exit(ending: Ending, code: number, signal?: string): void {
    let reason: unknown = new SystemExit(code);
    try {
      this.#runtime.exit(code, signal);
    } catch (error) {
      reason = error;
    }
    this.#runtime.exitCode = ending.codeBefore;
    this.refused(reason);
  }

  #stopWaiting(): void {
    this.#awaited = undefined;
    this.#deadline?.end();
    this.#covers?.stopExpecting();
  }

  // -------------------------------------------------------------------------------------- the run

  /** Gives up the handler that is awaited, as failed. */
  #giveUp(message: string, graceful: boolean): void {
    const error = new NativeError(message);
    // Nothing in the stack is the user's: it is left empty, as that of a function nobody has called.
    captureStackTrace?.(error, () => {});
    this.#run.giveUp(error, graceful);
  }

  raised(func: AnyFunction, error: unknown): void {
    const ending = this.#ending!;
    if (isSystemExit(error)) {
      ending.failure = undefined;
      this.#systemExit(error);
    } else {
      ending.failure = { error };
      this.#reporter.exception(func, error);
    }
  }

  waiting(func: AnyFunction): void {
    this.#awaited = func;
    this.#deadline?.awaiting();
  }

  unawaited(func: AnyFunction, promise: object): void {
    this.#reporter.unawaited(func, promise, this.#ending!.cut ?? { kind: "unload" });
    onRejected(promise, () => {});
  }

  over(): void {
    this.#leave(this.#ending!);
  }

  /** Reports a promise that nobody awaits, and its rejection, if that comes later. */
  async returnedPromise(func: AnyFunction, promise: object): Promise<void> {
    this.#reporter.returnedPromise(func, promise);
    let isShown = true; // What had been rejected before stands in that report.
    onRejected(promise, (error) => {
      if (!isShown) this.#reporter.exception(func, error);
    });
    await undefined;
    isShown = false;
  }

  // ------------------------------------------------------------------------------- the time limit

  waitsLong(seconds: number): void {
    this.#reporter.waiting(this.#awaited, seconds, this.#stack.size, this.#ending!.explain());
  }

  lastTenth(limit: number): void {
    if (!this.asynchronous) return;
    this.#ending!.timedOut = true;
    this.#giveUp(
      `The handler did not settle within nine tenths of the ${limit} ms: ` +
        `the last one is for the handlers behind it. Give handlers a longer timeout or grace period`,
      true,
    );
  }

  timeOver(limit: number): void {
    const ending = this.#ending!;
    ending.timedOut = true;
    ending.cut ??= { kind: "time", limit };
    this.#giveUp(
      `The handler did not settle within ${limit} ms. Give handlers a longer timeout or grace period`,
      false,
    );
  }
}
