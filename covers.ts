// The signals that end the program, and which calls cover them.

import { describe } from "./errors.ts";
import type { Runtime } from "./runtimes/runtime.ts";

// Taken now: what the program puts in its place later is its own affair.
const NativeTypeError = TypeError;

/** What a call of `exitOnSignals()` asks for. */
export interface CoverOptions {
  readonly signals: readonly string[];
  readonly timeout?: number | undefined;
}

/** A call that covers signals. */
interface Call {
  readonly timeout: number | undefined;
}

/** A signal that is listened to, for each call that covers it. */
interface Cover {
  readonly calls: Call[];
  readonly stopListening: () => void;
}

/** Milliseconds after the first signal in which any further one is taken for the same. */
const same = 100;

/** The covered signals of a realm. */
export class Covers {
  readonly #runtime: Pick<Runtime, "listen" | "startTimer">;
  readonly #onSignal: (signal: string, timeout: number | undefined) => void;
  #takesSecond = false;
  #stopTimer: (() => void) | undefined;
  readonly #covers: { [signal: string]: Cover | undefined } = Object.create(null);

  constructor(
    runtime: Pick<Runtime, "listen" | "startTimer">,
    onSignal: (signal: string, timeout: number | undefined) => void,
  ) {
    this.#runtime = runtime;
    this.#onSignal = onSignal;
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
    const call: Call = { timeout };
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

  #cover(signal: string, call: Call): void {
    const { calls } = this.#covers[signal] ??= this.#listen(signal);
    calls[calls.length] = call;
  }

  #listen(signal: string): Cover {
    const calls: Call[] = [];
    const onSignal = () => this.#onSignal(signal, shortestOf(calls));
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
  #uncover(signal: string, call: Call): void {
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
function shortestOf(calls: readonly Call[]): number | undefined {
  let shortest = Infinity;
  for (let i = 0; i < calls.length; i++) {
    const { timeout = Infinity } = calls[i];
    if (timeout < shortest) shortest = timeout;
  }
  return shortest === Infinity ? undefined : shortest;
}
