// Signals on Deno.

import { replaceMethod } from "../hook.ts";
import type { Signals } from "../runtime.ts";
import { deno, findCallerKind, getLoadedProcess } from "./queries.ts";

// Captured at import, so that later monkey-patching does not affect the module.
const { addSignalListener, build, removeSignalListener } = deno;
const { hasOwn } = Object;
const { queueMicrotask } = globalThis;

/** The signals of Linux (which Windows shares where it has them) and of macOS and the BSDs, from 1. */
const names = build?.os === "linux" || build?.os === "android" || build?.os === "windows"
  ? "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
  : "HUP INT QUIT ILL TRAP ABRT EMT FPE KILL BUS SEGV SYS PIPE ALRM TERM URG STOP TSTP CONT CHLD TTIN TTOU IO XCPU XFSZ VTALRM PROF WINCH INFO USR1 USR2";

/** Other names of signals. `SIGBREAK` has the number of `SIGTTIN`. */
const aliases: { readonly [alias: string]: string } = {
  BREAK: "TTIN",
  IOT: "ABRT",
  POLL: "IO",
  UNUSED: "SYS",
};

/** The signals that the module listens to. */
export class SignalTraps implements Signals {
  readonly defaults: readonly string[] = build.os === "windows"
    ? ["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  readonly #listeners = new Map<string, () => void>();
  #isWatching = false;
  #drains = false;

  get drains(): boolean {
    return this.#drains;
  }

  numberOf(signal: string): number {
    const name = signal.slice(3);
    return names.split(" ").indexOf(hasOwn(aliases, name) ? aliases[name] : name) + 1;
  }

  listen(signal: string, listener: () => void): () => void {
    this.#watchForServer();
    addSignalListener(signal, listener);
    this.#listeners.set(signal, listener);
    // Not while Deno calls listeners: it would call those again.
    queueMicrotask(() => {
      if (this.#listeners.has(signal)) putProcessListenersLast(signal);
    });
    return () => {
      this.#listeners.delete(signal);
      removeSignalListener(signal, listener);
    };
  }

  /**
   * `deno serve` adds signal listeners of its own that shut the server down, when the main module has
   * been loaded (2.9.6). Nothing else tells that it runs the program.
   */
  #watchForServer(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const onCall = (hook: typeof deno.addSignalListener) => {
      if (findCallerKind(hook) === "deno") this.#drains = true;
    };
    replaceMethod(
      deno,
      "addSignalListener",
      (original) =>
        function addSignalListener(signal: string, handler: () => void): void {
          onCall(addSignalListener);
          original(signal, handler);
        },
    );
  }

  /** Does something while the module does not listen to a signal. */
  whileUntrapped(signal: string, callback: () => void): void {
    const listener = this.#listeners.get(signal);
    if (listener !== undefined) removeSignalListener(signal, listener);
    try {
      callback();
    } catch {
      // The system cannot send this signal.
    }
    if (listener !== undefined) addSignalListener(signal, listener);
  }
}

/**
 * Deno calls listeners in the order in which they were added (2.5.7 to 2.9.6). A package that was there
 * before may call `process.exit()` in its listener, which has to join the end that the signal begins.
 */
function putProcessListenersLast(signal: string): void {
  try {
    const process = getLoadedProcess();
    if (process === undefined) return;
    const listeners = process.rawListeners(signal);
    // From the last one on: a listener may be there twice.
    for (const listener of listeners.toReversed()) process.removeListener(signal, listener);
    for (const listener of listeners) process.on(signal, listener);
  } catch {
    // The program has replaced `process`, or throws when it is told of a listener.
  }
}
