// Timers that load nothing where that is possible, and keep nothing alive unless they have to. Deno 2.9
// loads its own when one is first looked at, which takes longer than the rest of the module.

import type { Clock } from "../runtime.ts";
import { canWaitAsync, deno, getLazily, isDeno, isTestRunner, isWorker } from "./queries.ts";

/** In npm packages Deno before 2.9 has Node's timers, which are objects. */
type Timer = number | { unref(): void };

// Captured at import, so that later monkey-patching does not affect the module.
const { notify, waitAsync } = Atomics;
const { Int32Array, MessageChannel, performance, SharedArrayBuffer } = isDeno
  ? globalThis
  : {} as typeof globalThis;
const now = performance?.now.bind(performance);
const { unrefTimer } = deno;
const getSetTimeout = getLazily<(callback: () => void, delay: number) => Timer>(
  globalThis,
  "setTimeout",
);
const getClearTimeout = getLazily<(timer: Timer) => void>(globalThis, "clearTimeout");

const MAX_DELAY_MS = 2 ** 31 - 1;

/** The timers of a program. */
export class Timers implements Clock {
  /** Whether Deno reports an empty event loop: not to workers, nor while the main module loads. */
  #reportsDrained = false;
  /** What lets go of the program that timers keep alive until Deno reports an empty event loop. */
  readonly #releases = new Set<() => void>();

  now(): number {
    return now();
  }

  startTimer(
    milliseconds: number,
    callback: () => void,
    keepAlive?: "unlessDrained" | "always",
  ): () => void {
    const delay = milliseconds < MAX_DELAY_MS ? milliseconds : MAX_DELAY_MS;
    const start = canWaitAsync() ? startWaiting : startTimeout;
    const stop = start(delay, () => {
      release?.();
      callback();
    });
    const release = this.#hold(keepAlive);
    return () => {
      stop();
      release?.();
    };
  }

  /** Keeps the program alive for a timer. Returns a function that lets go of it. */
  #hold(keepAlive: "unlessDrained" | "always" | undefined): (() => void) | undefined {
    if (keepAlive === undefined) return undefined;
    if (keepAlive === "always") return hold();
    if (this.#reportsDrained && !isTestRunner()) return undefined;
    const release = hold();
    this.#releases.add(release);
    return () => {
      release();
      this.#releases.delete(release);
    };
  }

  /** Keeps the program alive until signals that have arrived are delivered (2.5.7 to 2.9.6). */
  keepAlive(): void {
    this.startTimer(0, () => {}, "always");
  }

  /** Calls back in a later turn of the event loop, until which the program is kept alive. */
  defer(callback: () => void): void {
    getSetTimeout()(callback, 0);
  }

  /** From now on Deno reports an empty event loop: timers need not keep the program alive. */
  loaded(): void {
    if (isWorker || this.#reportsDrained) return;
    this.#reportsDrained = true;
    if (isTestRunner()) return;
    for (const release of this.#releases) release();
    this.#releases.clear();
  }
}

/** Keeps the program alive. Returns a function that lets go of it. */
function hold(): () => void {
  try {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {}; // A port that is listened to.
    // Not `port1.close()`: Deno would create an error, which a frozen `Error.prototype` refuses (2.9.6).
    return () => port2.close();
  } catch {
    // The program has removed or replaced what a port needs.
    const timer = getSetTimeout()(() => {}, MAX_DELAY_MS);
    return () => getClearTimeout()(timer);
  }
}

/** A timer that keeps nothing alive. */
function startTimeout(milliseconds: number, callback: () => void): () => void {
  const timer = getSetTimeout()(callback, milliseconds);
  if (typeof timer === "object") timer.unref();
  else unrefTimer(timer);
  return () => getClearTimeout()(timer);
}

/** A timer that loads nothing and keeps nothing alive. */
function startWaiting(milliseconds: number, callback: () => void): () => void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const result = waitAsync(cell, 0, 0, milliseconds > 1 ? milliseconds : 1);
  let isStopped = false;
  const call = async () => {
    await result.value;
    if (!isStopped) callback();
  };
  call();
  return () => {
    isStopped = true;
    notify(cell, 0);
  };
}
