// Timers that load nothing where that is possible, and keep nothing alive unless they have to.

import type { Clock } from "../runtime.ts";
import { canWaitAsync, deno, getLazily, isDeno, isTestRunner, isWorker } from "./queries.ts";

/** In npm packages Deno before 2.9 has Node's timers, which are objects. */
type Timer = number | { unref(): void };

// Captured at import, so that later monkey-patching does not affect the module.
const { notify, waitAsync } = Atomics;
const { Int32Array, performance, SharedArrayBuffer } = isDeno
  ? globalThis
  : {} as typeof globalThis;
const now = performance?.now.bind(performance);
const { unrefTimer } = deno;
// Deno 2.9 loads the timers when one is first looked at, which takes 3 ms.
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
  /** The timers that keep the program alive until Deno reports an empty event loop. */
  #holding: Timer[] = [];

  now(): number {
    return now();
  }

  startTimer(
    milliseconds: number,
    callback: () => void,
    keepAlive?: "unlessDrained" | "always",
  ): () => void {
    const delay = milliseconds < MAX_DELAY_MS ? milliseconds : MAX_DELAY_MS;
    const holds = keepAlive === "unlessDrained" && (!this.#reportsDrained || isTestRunner());
    if (!holds && keepAlive !== "always" && canWaitAsync()) return startWaiting(delay, callback);
    const timer = getSetTimeout()(callback, delay);
    if (holds) this.#holding.push(timer);
    else if (keepAlive !== "always") unref(timer);
    return () => getClearTimeout()(timer);
  }

  /** Keeps the program alive for two turns, after which signals have been delivered (2.9.6). */
  keepAlive(): void {
    const setTimeout = getSetTimeout();
    setTimeout(() => setTimeout(() => {}, 0), 0);
  }

  /** Calls back in a later turn of the event loop, until which the program is kept alive. */
  defer(callback: () => void): void {
    getSetTimeout()(callback, 0);
  }

  /** From now on Deno reports an empty event loop: timers need not keep the program alive. */
  loaded(): void {
    if (isWorker || this.#reportsDrained) return;
    this.#reportsDrained = true;
    if (this.#holding.length === 0 || isTestRunner()) return;
    for (const timer of this.#holding) unref(timer);
    this.#holding = [];
  }
}

function unref(timer: Timer): void {
  if (typeof timer === "object") timer.unref();
  else unrefTimer(timer);
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
