// A runtime for tests in process. It records what it is asked to do, and its clock is set by hand.

import { SystemExit } from "../errors.ts";
import { Lifecycle } from "../lifecycle.ts";
import type { Entry } from "../registry.ts";
import type { Clock, Exit, Interruption, Runtime, State, UnloadKind } from "../runtimes/runtime.ts";
import type { ExitReason } from "../shutdown.ts";

interface Timer {
  readonly time: number;
  readonly callback: () => void;
  readonly keepAlive: Parameters<Clock["startTimer"]>[2];
}

/** The longest delay of a timer, as in Deno, Node.js and Bun. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** A program that cannot be ended: each exit is recorded, and prevented. */
export class FakeRuntime implements Runtime {
  exitCode = 0;
  /** What was written to stderr. */
  readonly written: string[] = [];
  /** How the program was ended, each time. */
  readonly ends: string[] = [];
  /** The timers that are running. */
  readonly timers = new Set<Timer>();
  /** How often the program was kept alive for another turn. */
  turns = 0;
  /** Whether each registered handler is asynchronous. */
  readonly added: boolean[] = [];
  /** Whether this is the process of a test runner. */
  inTestRunner = false;
  /** What `process.stdout` has buffered. */
  flushing: Promise<void> | undefined;
  /** What the `exit` listeners of the program do. */
  onExit: () => void = () => {};
  /** Whether a stub of the program's has replaced the exit: no listener is called then. */
  isStubbed = false;
  #now = 1_000;
  readonly #listeners = new Map<string, () => void>();

  readonly clock = {
    now: (): number => this.#now,
    startTimer: (
      milliseconds: number,
      callback: () => void,
      keepAlive?: "unlessDrained" | "always",
    ): () => void => {
      if (!(milliseconds >= 0)) throw new RangeError(`A timer of ${milliseconds} ms`);
      const time = this.#now + Math.min(milliseconds, MAX_DELAY_MS);
      const timer = { time, callback, keepAlive };
      this.timers.add(timer);
      return () => this.timers.delete(timer);
    },
  };

  readonly output = {
    inspect: show,
    highlight: (text: string): string => text,
    write: (text: string): void => void this.written.push(text),
  };

  readonly signals = {
    defaults: ["SIGINT", "SIGTERM", "SIGKILL"],
    drains: false,
    numberOf: (signal: string): number =>
      ({ SIGINT: 2, SIGQUIT: 3, SIGTERM: 15, SIGBREAK: 21 })[signal] ?? 0,
    listen: (signal: string, listener: () => void): () => void => {
      if (signal === "SIGKILL") throw new Error("refused");
      this.#listeners.set(signal, listener);
      return () => this.#listeners.delete(signal);
    },
  };

  isTestRunner(): boolean {
    return this.inTestRunner;
  }

  handlerAdded(awaited: boolean): void {
    this.added.push(awaited);
  }

  keepAlive(): void {
    this.turns++;
  }

  flush(): Promise<void> | undefined {
    return this.flushing;
  }

  rethrow(error: unknown): void {
    this.ends.push(`rethrow ${show(error)}`);
  }

  exit({ code, signal, rethrow }: Exit): void {
    if (!this.isStubbed) {
      this.callExitListeners();
      rethrow();
    }
    this.ends.push(signal === undefined ? `exit ${code}` : `exit ${code} by ${signal}`);
  }

  /** Calls the `exit` listeners, once. */
  callExitListeners(): void {
    const { onExit } = this;
    this.onExit = () => {};
    onExit();
  }

  install(): void {}

  // ------------------------------------------------------------------------------ for the tests

  /** Lets the time pass, and calls the timers that are due, each at its time. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const [due] = [...this.timers].filter(({ time }) => time <= end)
        .sort((a, b) => a.time - b.time);
      if (due === undefined) break;
      this.#now = Math.max(this.#now, due.time);
      this.#call(due);
    }
    this.#now = end;
  }

  /** Lets the time pass while synchronous code is running. */
  block(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** How each timer keeps the program alive. */
  get timerModes(): Timer["keepAlive"][] {
    return [...this.timers].map(({ keepAlive }) => keepAlive);
  }

  /** Calls the timer that is due next before its time. */
  fireEarly(): void {
    const [next] = [...this.timers].sort((a, b) => a.time - b.time);
    this.#call(next);
  }

  #call(timer: Timer): void {
    this.timers.delete(timer);
    timer.callback();
  }

  isListening(signal: string): boolean {
    return this.#listeners.has(signal);
  }

  /** Sends a signal to the listener, if there is one. */
  send(signal: string): void {
    this.#listeners.get(signal)?.();
  }
}

function show(value: unknown): string {
  return value instanceof Error ? `${value.name}: ${value.message}` : `${value}`;
}

/** The place of the program's exits. */
export const INTERRUPTION: Interruption = {
  kind: "exit",
  call: "Deno.exit()",
  place: "main.ts:1:2",
};

/** A lifecycle with handlers, and what a test does to it. */
export class Harness {
  readonly runtime: FakeRuntime = new FakeRuntime();
  readonly lifecycle: Lifecycle = new Lifecycle(this.runtime);
  /** What the handlers have said. */
  readonly said: string[] = [];

  // ---------------------------------------------------------------------------------- handlers

  register(func: (...args: never[]) => unknown, options: Partial<Entry> = {}): void {
    const entry = { handler: func, func, args: [], self: undefined, awaited: false };
    this.lifecycle.register({ ...entry, ...options });
  }

  /** Registers a handler that says its name and does something. */
  sync(name: string, action: () => void = () => {}): void {
    const func = () => {
      this.said.push(name);
      action();
    };
    this.register(Object.defineProperty(func, "name", { value: name }));
  }

  /** Registers an asynchronous handler that says its name, and again when it is settled. */
  async(name: string, action: () => void = () => {}): PromiseWithResolvers<void> {
    const settling = Promise.withResolvers<void>();
    const func = async () => {
      this.said.push(name);
      action();
      await settling.promise;
      this.said.push(`${name} settles`);
    };
    this.register(Object.defineProperty(func, "name", { value: name }), { awaited: true });
    return settling;
  }

  // -------------------------------------------------------------------------------------- ends

  /** Calls `exit()`, and catches what it throws. */
  exit(code?: number, timeout?: number): void {
    catchExit(() => this.lifecycle.exit(code, timeout));
  }

  /** Calls `exit()`. Nobody catches what it throws. */
  exitUncaught(code: number, timeout?: number): void {
    try {
      this.lifecycle.exit(code, timeout);
    } catch (error) {
      this.uncaught(error);
    }
  }

  /**
   * Raises an error that nobody handles.
   *
   * @param listener An error listener.
   * @returns Whether the runtime ends the program with it immediately.
   */
  uncaught(error: unknown, listener: () => void = () => {}): boolean {
    const event = this.lifecycle.errorEvent(error);
    if (event === undefined) return false;
    listener();
    const endsNow = event.unhandled({ error, rethrow: () => this.#rethrow(error) });
    if (endsNow) this.#rethrow(error);
    return endsNow;
  }

  #rethrow(error: unknown): void {
    this.runtime.callExitListeners();
    this.runtime.ends.push(`rethrow ${show(error)}`);
  }

  /** Raises an error that a listener handles. */
  handled(error: unknown, listener: () => void = () => {}): void {
    const event = this.lifecycle.errorEvent(error);
    listener();
    event?.handled();
  }

  /** Calls what stands for `Deno.exit()`. It throws if it joins. */
  exitNow(code: number): void {
    const attempt = this.lifecycle.exitNow(code, () => INTERRUPTION);
    if (attempt === undefined) return;
    try {
      this.runtime.callExitListeners();
      attempt.rethrow();
      this.runtime.ends.push(`now ${attempt.code}`);
    } finally {
      attempt.prevented();
    }
  }

  /** Dispatches `unload`. */
  unload(kind: UnloadKind = "unload", listener: () => void = () => {}): void {
    const unloading = this.lifecycle.unloading(kind, () => ({ kind: "unload" }));
    listener();
    unloading?.finish();
  }

  /** Sends a signal that the program exits on. */
  signal(signal: string): void {
    this.lifecycle.exitOnSignals({ signals: [signal] });
    this.runtime.send(signal);
  }

  /** Turns the event loop. */
  async turn(): Promise<void> {
    this.runtime.pass(0);
    await settle();
  }

  // ------------------------------------------------------------------------------ what is seen

  /** The first lines of what was written. */
  get reports(): string[] {
    return this.runtime.written.map((text) => text.split("\n")[0]);
  }

  /** How many reports start with a text. */
  count(text: string): number {
    return this.reports.filter((line) => line.startsWith(text)).length;
  }

  /** What differs from a program of which no end has begun. */
  get traces(): Traces {
    const { lifecycle, runtime } = this;
    return {
      state: lifecycle.state,
      reason: lifecycle.exitReason(),
      code: runtime.exitCode,
      timers: runtime.timers.size,
    };
  }
}

/** What an end leaves behind. */
interface Traces {
  readonly state: State;
  readonly reason: ExitReason | undefined;
  readonly code: number;
  readonly timers: number;
}

/** What {@linkcode Harness.traces} is if no end has begun. */
export const NO_TRACES: Traces = { state: "idle", reason: undefined, code: 0, timers: 0 };

/** The causes of graceful ends. */
export const causes: { readonly [name: string]: (h: Harness) => void } = {
  "an empty loop": ({ lifecycle }) => void lifecycle.drained(),
  "exit()": (h) => h.exit(10),
  "SystemExit": (h) => void h.uncaught(new SystemExit(12)),
  "an error": (h) => void h.uncaught(new Error("1")),
  "a signal": (h) => h.signal("SIGINT"),
};

/** What a handler fails with whose promise cannot settle. */
export const DRAINED = "The handler's promise never settled: the event loop is empty. " +
  "Make sure that something resolves it";

/** Calls a function, and catches the `SystemExit` that it throws. Returns its code. */
export function catchExit(call: () => void): number | undefined {
  try {
    call();
  } catch (error) {
    if (error instanceof SystemExit) return error.code;
    throw error;
  }
  return undefined;
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}
