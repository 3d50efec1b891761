// Why a program ends, and which of two causes decides.

import type { Cut, Reason } from "./errors.ts";
import type { Uncaught } from "./runtimes/runtime.ts";

/** Why the program is ending. `immediate` is an exit that cannot wait. */
export type Cause =
  | { readonly kind: "unload" | "close" | "dry" | "exit" | "immediate" }
  | { readonly kind: "error" } & Uncaught
  | { readonly kind: "signal"; readonly signal: string; readonly code: number };

/** The higher cause decides the status. Among equals it is the first one; of exits, the last code. */
const rank = { unload: 0, close: 0, dry: 0, exit: 1, error: 2, signal: 3, immediate: 4 } as const;

/**
 * Why the program is ending.
 *
 * - `dry`: its event loop has run dry.
 * - `exit`: an exit was asked for, in whichever way.
 * - `error`: nobody has handled this error.
 * - `signal`: a signal came that was named to `exitOnSignals()`.
 * - `unload`: nothing that the program did: a `--watch` restart, the end of a test module.
 */
export type ExitReason =
  | { readonly kind: "dry" }
  | { readonly kind: "exit" }
  | { readonly kind: "error"; readonly error: unknown }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "unload" };

/** An `exit()` that waits for the end. */
export interface Exit {
  readonly code: number;
  readonly timeout: number | undefined;
  readonly reject: (reason: unknown) => void;
}

/** Exits, the last one first. Filling an array throws where `Object.prototype` has a setter "0". */
export interface Exits {
  readonly last: Exit;
  readonly before: Exits | undefined;
}

/** An end of the program, from its first cause on until the program is gone or the exit refused. */
export class Ending {
  /** The cause that decides. */
  cause: Cause;
  /** Whether the run is over and the program is being ended. */
  leaving = false;
  /** Why no handler is awaited any more. */
  cut: Cut | undefined;
  /** Whether a handler was given up because its time was over. */
  timedOut = false;
  /** The last exception of the handlers. */
  failure: { readonly error: unknown } | undefined;
  /** Whether an error or a signal has decided the status, whatever handlers do. */
  #decided: boolean;
  #exits: Exits | undefined;
  /** The exit code before the end began. */
  readonly codeBefore: number;

  constructor(cause: Cause, codeBefore: number) {
    this.cause = cause;
    this.codeBefore = codeBefore;
    this.#decided = isDecisive(cause);
  }

  /** Lets another cause join. Returns the one of the two that does not decide. */
  join(cause: Cause): Cause {
    const { cause: current } = this;
    if (rank[cause.kind] <= rank[current.kind]) return cause;
    this.cause = cause;
    if (isDecisive(cause)) this.#decided = true;
    return current;
  }

  /** Whether handlers can change the exit code. */
  get takesCodes(): boolean {
    return !isDecisive(this.cause);
  }

  /** The exception that is raised again after the run: none if an error or a signal has decided. */
  takeFailure(): { readonly error: unknown } | undefined {
    const failure = this.#decided ? undefined : this.failure;
    this.failure = undefined;
    return failure;
  }

  /** Remembers an `exit()` that is answered if the exit is refused. */
  addExit(exit: Exit): void {
    this.#exits = { last: exit, before: this.#exits };
  }

  /** The exit does not happen: answers everybody who has asked for it. */
  refuse(reason: unknown): void {
    for (let exits = this.#exits; exits !== undefined; exits = exits.before) {
      exits.last.reject(reason);
    }
  }

  /** The cause, as users are told. */
  toReason(): ExitReason {
    const { cause } = this;
    switch (cause.kind) {
      case "error":
        return { kind: "error", error: cause.error };
      case "signal":
        return { kind: "signal", signal: cause.signal };
      case "dry":
      case "unload":
        return { kind: cause.kind };
      default:
        return { kind: "exit" };
    }
  }

  /** The cause, for a report. */
  explain(): Reason {
    const { cause } = this;
    switch (cause.kind) {
      case "error":
        return { text: "nobody has handled an error", error: { value: cause.error } };
      case "signal":
        return { text: `${cause.signal} came` };
      case "dry":
        return { text: "its event loop has run dry" };
      default:
        return { text: "an exit was asked for" };
    }
  }
}

/** Whether a cause decides the status, whatever handlers do. */
function isDecisive({ kind }: Cause): boolean {
  return kind === "error" || kind === "signal";
}
