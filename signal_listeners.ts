// The signals that `exitOnSignals()` listens to.

import { getShorter } from "./deadline.ts";
import { describe } from "./errors.ts";
import type { Clock, Signals } from "./runtimes/runtime.ts";

/** What a call of `exitOnSignals()` asks for. */
export interface SignalRequest {
  /** The signals. Default: those of the runtime that it does not refuse. */
  readonly signals?: readonly string[] | undefined;
  /** The timeout, in milliseconds. */
  readonly timeout?: number | undefined;
}

/** Notified of signals. */
export interface SignalHost {
  onSignal(signal: string, timeout: number | undefined): void;
}

/** A signal that is listened to, and the requests for it. */
interface Listening {
  readonly requests: SignalRequest[];
  readonly stop: () => void;
}

/** A second signal that comes within this time is taken for a duplicate of the first one. */
const DUPLICATE_SIGNAL_MS = 500;

// Captured at import, so that later monkey-patching does not affect the module.
const NativeTypeError = TypeError;

/** The signals that a realm listens to. */
export class SignalListeners {
  readonly #signals: Signals;
  readonly #clock: Clock;
  readonly #host: SignalHost;
  readonly #listening = new Map<string, Listening>();
  #isArmed = false;
  #stopTimer: (() => void) | undefined;

  constructor(signals: Signals, clock: Clock, host: SignalHost) {
    this.#signals = signals;
    this.#clock = clock;
    this.#host = host;
  }

  /** Whether any signal is listened to. */
  get areActive(): boolean {
    return this.#listening.size > 0;
  }

  /**
   * Starts listening for all signals, or for none if one is invalid.
   *
   * @returns A function that stops listening.
   */
  add(request: SignalRequest): () => void {
    const { signals = this.#signals.defaults } = request;
    const stop = () => {
      for (const signal of signals) this.#remove(signal, request);
    };
    for (const signal of signals) {
      try {
        this.#add(signal, request);
      } catch (error) {
        if (request.signals === undefined) continue; // Deno before 2.7 refuses SIGHUP on Windows.
        stop();
        throw error;
      }
    }
    return stop;
  }

  #add(signal: string, request: SignalRequest): void {
    let listening = this.#listening.get(signal);
    if (listening === undefined) {
      listening = this.#listen(signal);
      this.#listening.set(signal, listening);
    }
    listening.requests.push(request);
  }

  #listen(signal: string): Listening {
    const requests: SignalRequest[] = [];
    const onSignal = () => this.#host.onSignal(signal, findShortest(requests));
    try {
      return { requests, stop: this.#signals.listen(signal, onSignal) };
    } catch (cause) {
      const expected = 'a signal that can be listened to here, such as "SIGINT"';
      throw new NativeTypeError(
        `Cannot exit on signals: expected ${expected}, received ${describe(signal)}`,
        { cause },
      );
    }
  }

  /** Removes a request, including one that names the signal twice. */
  #remove(signal: string, request: SignalRequest): void {
    const listening = this.#listening.get(signal);
    if (listening === undefined) return;
    const { requests, stop } = listening;
    for (let i = requests.indexOf(request); i >= 0; i = requests.indexOf(request)) {
      requests.splice(i, 1);
    }
    if (requests.length > 0) return;
    this.#listening.delete(signal);
    stop();
  }

  /** Whether a signal that comes after the first one ends the program immediately. */
  interrupts(signal: string): boolean {
    return this.#isArmed && isFromKeyboard(signal);
  }

  /**
   * The first signal has arrived. Process managers, terminals and `deno task` send a single Ctrl-C
   * several times, up to 350 ms apart. The time counts from the next turn of the event loop, because
   * a handler may block it.
   */
  arm(): void {
    if (this.#stopTimer !== undefined) return;
    this.#stopTimer = this.#clock.startTimer(0, () => {
      this.#stopTimer = this.#clock.startTimer(DUPLICATE_SIGNAL_MS, () => this.#isArmed = true);
    });
  }

  /** No further signal ends the program immediately. */
  disarm(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#isArmed = false;
  }
}

/** Whether a person sends the signal from the keyboard. */
function isFromKeyboard(signal: string): boolean {
  return signal === "SIGINT" || signal === "SIGQUIT" || signal === "SIGBREAK";
}

/** Returns the shortest timeout of the requests, if one has any. */
function findShortest(requests: readonly SignalRequest[]): number | undefined {
  let shortest: number | undefined;
  for (const { timeout } of requests) shortest = getShorter(shortest, timeout);
  return shortest;
}
