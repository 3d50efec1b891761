// SystemExit, and what is said on stderr about a handler.

/** Marks a {@linkcode SystemExit} of any copy or version of this module. */
const brand = Symbol.for("@atexit/atexit SystemExit");

// Taken now, so that a program that replaces them later still gets its reports.
const writeError = console.error;
const { inspect } = Deno;
const functionToString = Function.prototype.toString;

/**
 * Ends the program with an exit code when it is thrown and nobody catches it.
 *
 * `throw new SystemExit(2)` leaves a program from any depth: `finally` blocks and
 * `using` disposals happen on the way, the handlers run, nothing is printed, and
 * the exit status is 2. `Deno.exit(2)` skips the blocks and the disposals.
 *
 * Raised inside a handler it is not reported: it ends that handler and sets the
 * exit code. `Deno.exit(n)` and `process.exit(n)` raise it when a handler calls them.
 *
 * Python's `SystemExit` is the model. `instanceof` also recognises the class of
 * another copy or version of this module.
 *
 * @example A program that gives up
 * ```ts
 * import { SystemExit } from "@atexit/atexit";
 * import { assertEquals } from "@std/assert";
 *
 * function parse(args: string[]): string {
 *   if (args.length !== 1) throw new SystemExit(2);
 *   return args[0];
 * }
 *
 * try {
 *   parse([]);
 * } catch (error) {
 *   assertEquals(error instanceof SystemExit && error.code, 2);
 * }
 * ```
 */
export class SystemExit extends Error {
  /** The exit code that the program ends with. */
  readonly code: number;

  /**
   * Creates the exception.
   *
   * @param code The exit code, a 32-bit integer. Default: 0, for success.
   * @throws {TypeError} If `code` is not a number.
   * @throws {RangeError} If `code` is not a 32-bit integer.
   */
  constructor(code = 0) {
    checkExitCode(code, "create SystemExit");
    super(`The program ends with exit code ${code}`);
    this.name = "SystemExit";
    this.code = code;
    Object.defineProperty(this, brand, { value: true });
  }

  /**
   * Tells whether `value` is a `SystemExit` of any copy of this module.
   *
   * @param value Any value.
   * @returns Whether it is one.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isSystemExit(value);
  }
}

/** Tells whether `value` is a {@linkcode SystemExit}. Hostile values are none. */
function isSystemExit(value: unknown): value is SystemExit {
  try {
    return typeof value === "object" && value !== null && Object.hasOwn(value, brand);
  } catch {
    return false; // A proxy whose trap throws.
  }
}

/** The exit code of a {@linkcode SystemExit}, 1 if somebody has spoilt it, and none of other values. */
export function exitCodeOf(value: unknown): number | undefined {
  if (!isSystemExit(value)) return undefined;
  try {
    const { code } = value;
    return code === (code | 0) ? code : 1;
  } catch {
    return 1; // A getter, or a code that is a symbol.
  }
}

/**
 * Throws if `code` is no exit code.
 *
 * @param action What cannot be done then.
 */
export function checkExitCode(code: unknown, action: string): void {
  const expected = `Cannot ${action}: expected a 32-bit integer as exit code`;
  if (typeof code !== "number") throw new TypeError(`${expected}, received ${describe(code)}`);
  if (code !== (code | 0)) throw new RangeError(`${expected}, received ${code}`);
}

/** Reports an exception that a handler raised. */
export function reportException(handler: unknown, error: unknown): void {
  report(`Exception in atexit handler ${nameOf(handler)}:`, error);
}

/** Reports a synchronous handler that returned a promise. */
export function reportPromise(handler: unknown, promise: unknown): void {
  report(
    `Nobody awaits the promise of atexit handler ${nameOf(handler)}: ` +
      `register it with registerAsync()`,
    promise,
  );
}

/** Reports an asynchronous handler that the program's end does not wait for. */
export function reportUnawaited(handler: unknown, promise: unknown): void {
  report(
    `Cannot await atexit handler ${nameOf(handler)}, the program ends at once: ` +
      `end it with exit() instead`,
    promise,
  );
}

/** Reports an error that nobody handled and that Deno will not print itself. */
export function reportUncaught(error: unknown): void {
  report("Uncaught error:", error);
}

/** Says in one word or two what a value is, for the message of an error. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "object") return "an object";
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  return `${value}`;
}

/** Writes a line and a value to stderr, whatever the value is. Never throws. */
function report(line: string, value: unknown): void {
  const text = `${line}\n${show(value)}`;
  try {
    console.error(text);
  } catch {
    try {
      writeError(text);
    } catch {
      // Deno before 2.6 throws where stderr is closed. There is nowhere left to say it.
    }
  }
}

/** The value as the console shows it. */
function show(value: unknown): string {
  try {
    return inspect(value, { colors: !Deno.noColor && Deno.stderr.isTerminal() });
  } catch {
    return "(a value that cannot be shown: looking at it throws)";
  }
}

/** The handler's name, or else the beginning of its source. */
function nameOf(handler: unknown): string {
  try {
    const { name } = handler as { name: unknown };
    if (typeof name === "string" && name !== "") return oneLine(name);
    return `(anonymous) ${oneLine(functionToString.call(handler))}`;
  } catch {
    return "(anonymous)";
  }
}

/** At most 60 characters, without control characters. */
function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  const line = text.replace(/[\s\x00-\x1f\x7f-\x9f]+/g, " ");
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
