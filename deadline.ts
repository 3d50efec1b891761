// How long a run may await handlers, and when it is time to say that one takes long.

import type { Runtime } from "./runtimes/runtime.ts";

/** Seconds after which a handler is named that is awaited without a limit. */
const patience = 10;

/** What becomes due. */
export interface DeadlineHost {
  /** A handler has been awaited for a long time, and there is no limit. */
  waitsLong(seconds: number): void;
  /** The last tenth of the time has begun. */
  lastTenth(limit: number): void;
  /** The time is over. */
  timeOver(limit: number): void;
}

/** The time limit of a run. */
export class Deadline {
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
