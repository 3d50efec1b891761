// One end of the program: its cause, which of two causes decides, and the status.

import type { Interruption, Uncaught } from "./runtimes/runtime.ts";

/** Why the program is ending. */
export type Cause =
  | { readonly kind: "finished" | "close" | "unload" }
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "error" } & Uncaught
  | { readonly kind: "signal"; readonly signal: string; readonly code: number };

/** The cause of the highest rank determines the exit status. Among equal ranks the first wins. */
const RANK = { unload: 0, close: 0, finished: 0, exit: 1, error: 2, signal: 3 } as const;

/**
 * Why the program is ending.
 *
 * - `finished`: nothing is left to do.
 * - `exit`: an exit was requested, by `exit()`, `SystemExit`, `Deno.exit()`, `process.exit()` or `close()`.
 * - `error`: `error`, which may be any value, was not caught.
 * - `signal`: a signal arrived that {@linkcode exitOnSignals} listens to.
 * - `unload`: the program is being unloaded, by a `--watch` restart or at the end of a test module.
 */
export type ExitReason =
  | { readonly kind: "finished" }
  | { readonly kind: "exit" }
  | { readonly kind: "error"; readonly error: unknown }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "unload" };

/**
 * How far an end has got.
 *
 * - `pending`: the run has not started.
 * - `running`: handlers, or the output, are awaited.
 * - `finished`: the run is over, and the program ends by itself, since nothing is left to do.
 * - `exiting`: the run is over, and the program is being ended.
 */
export type Stage = "pending" | "running" | "finished" | "exiting";

/** An end, from its first cause on until the program is gone, or the exit is prevented. */
export class Shutdown {
  stage: Stage = "pending";
  /** Returns why the run stopped awaiting handlers, if it did. Looks at the stack. */
  getInterruption: (() => Interruption) | undefined;
  /** Whether a handler has timed out. */
  timedOut = false;
  /** The last exception of the handlers. */
  failure: { readonly error: unknown } | undefined;
  /** The shortest timeout that was given before the run has started, in milliseconds. */
  timeout: number | undefined;
  /** The exit code before the end began. */
  readonly codeBefore: number;
  /** The exit code when a handler was awaited last, or the cause changed since. */
  codeAwaiting: number;
  #cause: Cause;

  constructor(cause: Cause, codeBefore: number) {
    this.#cause = cause;
    this.codeBefore = this.codeAwaiting = codeBefore;
  }

  /** The cause that decides. */
  get cause(): Cause {
    return this.#cause;
  }

  /** Adds another cause. Returns the one of the two that does not decide. */
  join(cause: Cause): Cause {
    const current = this.#cause;
    if (RANK[cause.kind] <= RANK[current.kind]) return cause;
    this.#cause = cause;
    return current;
  }

  /** Whether an error or a signal decides the status, whatever handlers do. */
  get isDecided(): boolean {
    return RANK[this.#cause.kind] >= RANK.error;
  }

  /** The exit code of the cause, if it has one. */
  get code(): number | undefined {
    const cause = this.#cause;
    if (cause.kind === "error") return 1;
    return "code" in cause ? cause.code : undefined;
  }

  /** The exception to rethrow after the run: none if an error or a signal decides. */
  takeFailure(): { readonly error: unknown } | undefined {
    const failure = this.isDecided ? undefined : this.failure;
    this.failure = undefined;
    return failure;
  }

  /** The cause, as `exitReason()` returns it. */
  toReason(): ExitReason {
    const cause = this.#cause;
    switch (cause.kind) {
      case "error":
        return { kind: "error", error: cause.error };
      case "signal":
        return { kind: "signal", signal: cause.signal };
      case "finished":
      case "unload":
        return { kind: cause.kind };
      default:
        return { kind: "exit" };
    }
  }
}
