// Waiting until what the program has written has arrived.

import type { Natives, OutputStream } from "./natives.ts";

/** A reader that takes nothing for this time is not waited for. */
const STALLED_MS = 1_000;
const POLL_MS = 100;

// Captured at import, so that later monkey-patching does not affect the module.
const NativePromise = Promise;

/** A write that is under way. */
export interface PendingWrite {
  readonly stream: OutputStream;
  /** Calls back when everything is written, or cannot be. */
  wait(done: () => void): void;
}

/**
 * Waits for writes, as long as there is progress. Keeps the program alive meanwhile.
 *
 * @param getProgress Returns another value when something has been written since the last call.
 * @returns A promise that is never rejected.
 */
export function waitForWrites(
  writes: readonly PendingWrite[],
  getProgress: () => unknown,
  { setImmediate, setInterval, clearInterval }: Natives,
): Promise<void> {
  return new NativePromise((resolve) => {
    let pending = writes.length;
    let progress = getProgress();
    let stalledFor = 0;
    const timer = setInterval(() => {
      const before = progress;
      progress = getProgress();
      stalledFor = progress === before ? stalledFor + POLL_MS : 0;
      if (stalledFor >= STALLED_MS) finish();
    }, POLL_MS);
    const finish = () => {
      clearInterval(timer);
      resolve();
    };
    for (const { stream, wait } of writes) {
      // An error that only comes because of the wait, `EPIPE` where the reader is gone, ends nothing.
      const onError = () => {};
      stream.on("error", onError);
      wait(() => {
        if (--pending === 0) finish();
        setImmediate(() => stream.removeListener("error", onError)); // It follows the callback.
      });
    }
  });
}
