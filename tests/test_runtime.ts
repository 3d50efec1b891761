// A runtime for tests in process: it writes down what it is told, and its clock is set by hand.

import { type Spy, spy } from "@std/testing/mock";
import { type Cut, SystemExit } from "../errors.ts";
import { Lifecycle } from "../lifecycle.ts";
import type { Call } from "../registry.ts";
import type { Ends, Runtime } from "../runtimes/runtime.ts";

interface Timer {
  readonly time: number;
  readonly callback: () => void;
  readonly holds: boolean;
}

/** How a program has ended, and what it has written. */
export class TestRuntime implements Runtime {
  exitCode = 0;
  readonly defaultSignals = ["SIGINT", "SIGTERM"];
  /** What was written to stderr. */
  readonly written: string[] = [];
  /** How the program was ended, each time. */
  readonly ends: string[] = [];
  /** Whether an exit does not happen: nothing is called for it. */
  refuses = false;
  /** What an exit does instead of ending the program. */
  onExit: () => void = () => {};
  #clock = 1_000;
  #ends: Ends | undefined;
  readonly timers = new Set<Timer>();
  readonly #listeners = new Map<string, () => void>();

  now(): number {
    return this.#clock;
  }

  startTimer(milliseconds: number, callback: () => void, holds = false): () => void {
    const timer = { time: this.#clock + milliseconds, callback, holds };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Lets the time pass, and calls the timers that are due, each at its time. */
  pass(milliseconds: number): void {
    const end = this.#clock + milliseconds;
    for (;;) {
      const due = [...this.timers].filter(({ time }) => time <= end)
        .sort((a, b) => a.time - b.time)[0];
      if (due === undefined) break;
      this.timers.delete(due);
      this.#clock = Math.max(this.#clock, due.time);
      due.callback();
    }
    this.#clock = end;
  }

  highlight(text: string): string {
    return text;
  }

  inspect(value: unknown): string {
    return value instanceof Error ? `${value.name}: ${value.message}` : `${value}`;
  }

  write(text: string): void {
    this.written.push(text);
  }

  firstUse(): void {}

  readonly turnOnce: Spy<unknown, [], undefined> = spy();

  raise(error: unknown): void {
    this.ends.push(`raise ${this.inspect(error)}`);
  }

  exit(code: number, signal?: string): void {
    if (!this.refuses) this.#ends?.raiseFailure(); // As in the last listener of `unload`.
    this.ends.push(signal === undefined ? `exit ${code}` : `exit ${code} by ${signal}`);
    this.onExit();
  }

  numberOf(signal: string): number {
    return { SIGINT: 2, SIGTERM: 15 }[signal] ?? 0;
  }

  listen(signal: string, listener: () => void): () => void {
    if (signal === "SIGKILL") throw new TypeError("refused");
    this.#listeners.set(signal, listener);
    return () => this.#listeners.delete(signal);
  }

  /** Whether the signal is listened to. */
  listens(signal: string): boolean {
    return this.#listeners.has(signal);
  }

  send(signal: string): void {
    this.#listeners.get(signal)?.();
  }

  install(ends: Ends): void {
    this.#ends = ends;
  }
}

/** What a test does to a lifecycle, and what it sees. */
export class Program {
  readonly runtime = new TestRuntime();
  readonly lifecycle = new Lifecycle(this.runtime);
  /** What the handlers have said. */
  readonly said: string[] = [];

  constructor() {
    this.runtime.install(this.lifecycle);
  }

  /** Registers a handler that says its name and does something. */
  sync(name: string, action: () => void = () => {}): void {
    this.lifecycle.register(
      Object.defineProperty(
        () => {
          this.said.push(name);
          action();
        },
        "name",
        { value: name },
      ),
    );
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
    const call: Call = { args: [], self: undefined, awaited: true };
    this.lifecycle.register(Object.defineProperty(func, "name", { value: name }), call);
    return settling;
  }

  /** Calls `exit()`, and writes down what becomes of its promise. */
  exit(code?: number, timeout?: number): void {
    this.lifecycle.exit(code, timeout).catch((error) => this.said.push(`rejected: ${error}`));
  }

  /** Calls what stands for `Deno.exit`. */
  exitNow(code: number): void {
    const cut: Cut = { kind: "exit", call: "Deno.exit()", place: "main.ts:1:2" };
    const last = this.lifecycle.exitNow(code, cut);
    this.lifecycle.raiseFailure();
    this.runtime.ends.push(`now ${last}`);
    let reason: unknown = new SystemExit(last);
    try {
      this.runtime.onExit();
    } catch (error) {
      reason = error;
      throw error;
    } finally {
      this.lifecycle.refused(reason);
    }
  }

  /** Lets nobody handle an error. Tells whether the runtime ends the program with it right away. */
  uncaught(error: unknown): boolean {
    const raise = () => this.runtime.raise(error);
    const endsNow = this.lifecycle.showError(() => ({ error, raise }));
    if (endsNow) raise();
    return endsNow;
  }

  /** Dispatches `unload`. */
  unload(kind: "dry" | "unload" | "close" | "exit" = "unload"): void {
    this.lifecycle.unload(kind, { kind: "unload" });
    this.lifecycle.unloaded();
  }

  signal(signal: string): void {
    this.lifecycle.signal(signal);
  }

  /** The first lines of what was written. */
  get reports(): string[] {
    return this.runtime.written.map((text) => text.split("\n")[0]);
  }
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}
