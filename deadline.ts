// The time limit of a run.

import type { Clock } from "./runtimes/runtime.ts";

/** A handler that has been awaited this long without a limit is named on stderr. */
const SLOW_HANDLER_NOTICE_MS = 10_000;

/** The share of the limit after which a pending handler has failed if others wait behind it. */
const RESERVE_STARTS_AT = 0.9;

/** Callbacks of a {@linkcode Deadline}. */
export interface DeadlineHost {
  /** A handler has been awaited for a long time, and there is no limit. */
  onSlow(milliseconds: number): void;
  /** Nine tenths of the limit have passed. */
  onReserve(limit: number): void;
  /** The limit is over. */
  onTimeout(limit: number): void;
}

/** A limit, and when it started to count. */
interface Limit {
  readonly start: number;
  readonly milliseconds: number;
}

/** How long a graceful run may take, from its creation on. */
export class Deadline {
  readonly #clock: Clock;
  readonly #host: DeadlineHost;
  readonly #grace: Limit | undefined;
  #timeout: Limit | undefined;
  #inReserve = false;
  #keepAlive = false;
  #stopTimer: (() => void) | undefined;

  constructor(clock: Clock, host: DeadlineHost, gracePeriod: number | undefined) {
    this.#clock = clock;
    this.#host = host;
    if (gracePeriod !== undefined) this.#grace = this.#startLimit(gracePeriod);
  }

  /** Whether there is a limit. */
  get isLimited(): boolean {
    return this.#limit !== undefined;
  }

  /** Adds a timeout, which counts from now. The one that ends first replaces the grace period. */
  limit(milliseconds: number | undefined): void {
    if (milliseconds === undefined) return;
    const limit = this.#startLimit(milliseconds);
    if (this.#timeout !== undefined && getEnd(limit) >= getEnd(this.#timeout)) return;
    this.#timeout = limit;
    this.#inReserve = false;
    if (this.#stopTimer !== undefined) this.#restartTimer();
  }

  /** A handler, or the output, is awaited from now on. */
  awaiting(): void {
    this.#restartTimer();
  }

  /** Keeps the program alive until the limit. */
  keepAlive(): void {
    if (this.#keepAlive) return;
    this.#keepAlive = true;
    this.#restartTimer();
  }

  /** Nothing is awaited any more. */
  end(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  get #limit(): Limit | undefined {
    return this.#timeout ?? this.#grace;
  }

  #startLimit(milliseconds: number): Limit {
    return { start: this.#clock.now(), milliseconds };
  }

  #restartTimer(): void {
    this.end();
    const limit = this.#limit;
    if (limit === undefined) {
      this.#stopTimer = this.#clock.startTimer(
        SLOW_HANDLER_NOTICE_MS,
        () => this.#host.onSlow(SLOW_HANDLER_NOTICE_MS),
      );
      return;
    }
    const share = this.#inReserve ? 1 : RESERVE_STARTS_AT;
    const rest = limit.start + limit.milliseconds * share - this.#clock.now();
    const mode = this.#keepAlive ? "always" : "unlessDrained";
    this.#stopTimer = this.#clock.startTimer(rest > 0 ? rest : 0, () => this.#onTimer(), mode);
  }

  #onTimer(): void {
    const limit = this.#limit!;
    const { milliseconds } = limit;
    const passed = this.#clock.now() - limit.start;
    if (passed >= milliseconds) {
      this.end();
      return this.#host.onTimeout(milliseconds);
    }
    const starts = !this.#inReserve && passed >= milliseconds * RESERVE_STARTS_AT;
    if (starts) this.#inReserve = true;
    this.#restartTimer(); // Timers may fire early, and are capped at 2^31 - 1 ms.
    if (starts) this.#host.onReserve(milliseconds);
  }
}

/** Returns the shorter one of two timeouts. */
export function getShorter(one: number, other: number | undefined): number;
export function getShorter(one: number | undefined, other: number | undefined): number | undefined;
export function getShorter(
  one: number | undefined,
  other: number | undefined,
): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}

function getEnd({ start, milliseconds }: Limit): number {
  return start + milliseconds;
}
