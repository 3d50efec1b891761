// Deno, for a program and its handlers. This folder is the only place where Deno is known.

import type { Clock, Exit, ExitEvents, Output, Runtime } from "../runtime.ts";
import { ErrorEvents } from "./error_events.ts";
import { EventLoop } from "./event_loop.ts";
import { ExitHook } from "./exit.ts";
import { deno, getLoadedProcess, isTerminal, isTestRunner } from "./queries.ts";
import { SignalTraps } from "./signals.ts";
import { Timers } from "./timers.ts";

export { isDeno } from "./queries.ts";

// Captured at import, so that later monkey-patching does not affect the module.
const { inspect } = deno;
const writeError: ((text: string) => void) | undefined = globalThis.console?.error;

/** The runtime of a program that Deno runs. */
export class DenoRuntime implements Runtime {
  readonly signals: SignalTraps = new SignalTraps();
  readonly #timers = new Timers();
  readonly clock: Clock = this.#timers;
  #loop!: EventLoop;
  #errors!: ErrorEvents;
  #exit!: ExitHook;
  /** Whether `process.exitCode` was not set before the module has set it. */
  #wasUnset = false;

  readonly output: Output = {
    inspect: (value) => inspect(value, { colors: usesColors() }),
    // In the colors of Deno's own `error:`.
    highlight: (text) => usesColors() ? `\x1b[0m\x1b[1m\x1b[31m${text}\x1b[0m` : text,
    // To the console that the program has put in place, or else to the one from before.
    write(text) {
      try {
        globalThis.console.error(text);
      } catch {
        writeError?.(text);
      }
    },
  };

  get exitCode(): number {
    return deno.exitCode;
  }

  /** Deno does not pass its code on to `process.exitCode`, which packages from npm read. */
  set exitCode(code: number) {
    const process = getLoadedProcess();
    if (process !== undefined) {
      if (process.exitCode === undefined) this.#wasUnset = true;
      process.exitCode = code === 0 && this.#wasUnset ? undefined : code;
    }
    deno.exitCode = code;
  }

  isTestRunner(): boolean {
    return isTestRunner();
  }

  handlerAdded(awaited: boolean): void {
    this.#loop.handlerAdded(awaited);
  }

  keepAlive(): void {
    this.#timers.keepAlive();
  }

  /** Deno writes to stdout and stderr synchronously. */
  flush(): undefined {}

  rethrow(error: unknown): void {
    if (!this.#exit.fail()) this.#errors.rethrow(error);
  }

  exit(exit: Exit): void {
    this.#exit.exit(exit);
  }

  install(events: ExitEvents): void {
    this.#loop = new EventLoop(events, this.#timers, () => ({
      errors: this.#errors,
      exit: this.#exit,
    }));
    this.#errors = new ErrorEvents(events, this.#loop);
    this.#exit = new ExitHook(events, this.signals, this.#loop);
  }
}

function usesColors(): boolean {
  return !deno.noColor && isTerminal();
}
