// The exit code of `process`.

import type { Process } from "./natives.ts";

/** `process.exitCode`, which may be unset. */
export class ExitCode {
  readonly #process: Process;
  /** Whether the program had not set it before the module did. */
  #wasUnset = false;

  constructor(process: Process) {
    this.#process = process;
  }

  /** The code, or 0. */
  get(): number {
    return Number(this.#process.exitCode ?? 0) | 0;
  }

  /** Sets the code. 0 unsets it again, so that an unsettled top-level `await` still makes it 13. */
  set(code: number): void {
    const process = this.#process;
    if (process.exitCode === undefined) this.#wasUnset = true;
    process.exitCode = code === 0 && this.#wasUnset ? undefined : code;
    if (this.get() !== code) process.exitCode = code; // Bun does not unset it (1.4.0 to 1.4.5).
  }

  /** Returns the code that `process.exit()` makes of its arguments, `undefined` if it throws. */
  parse(args: readonly unknown[]): number | undefined {
    if (args.length === 0) return this.get();
    const process = this.#process;
    const before = process.exitCode;
    try {
      process.exitCode = args[0] as number;
      return this.get();
    } catch {
      return undefined;
    } finally {
      process.exitCode = before;
      if (process.exitCode !== before) process.exitCode = 0; // Bun does not unset it.
    }
  }
}
