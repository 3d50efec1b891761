// SystemExit, and the checks of arguments.

/** Marks a {@linkcode SystemExit} of any copy or version of this module. Its value is the text. */
const brand = Symbol.for("@atexit/atexit SystemExit");

// Captured at import, so that later monkey-patching does not affect the module.
const { apply } = Reflect;
const { defineProperty, getPrototypeOf, hasOwn } = Object;
const ObjectPrototype = Object.prototype;
const isInstance = Function.prototype[Symbol.hasInstance];

/**
 * An exception that ends the program with an exit code, unless it is caught.
 *
 * `throw new SystemExit(2)` ends a program from any depth: `finally` blocks and `using` disposals run on
 * the way, the handlers run, nothing is printed, no listener of errors sees it, and the exit
 * status is 2. If something catches it and does not rethrow it, the exit is cancelled. {@linkcode exit},
 * which throws this exception as well, cannot be cancelled.
 *
 * `new SystemExit("text")` has the code 1. Uncaught, it writes the text and a newline to stderr before
 * the handlers run.
 *
 * Thrown in a handler, it is not reported: it stops that handler and sets the exit code, unless an
 * error or a signal ends the program. `Deno.exit(n)` and `process.exit(n)` throw it when a handler calls
 * them.
 *
 * The model is Python's
 * [`SystemExit`](https://docs.python.org/3/library/exceptions.html#SystemExit). `instanceof` also
 * recognizes the class of another copy or version of this module. Classes derived from it recognize
 * only their own instances.
 *
 * @example A program that gives up
 * ```ts
 * import { SystemExit } from "@atexit/atexit";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * function parse(args: string[]): string {
 *   if (args.length !== 1) throw new SystemExit("usage: greet NAME");
 *   return args[0];
 * }
 *
 * const { code } = assertThrows(() => parse([]), SystemExit);
 * assertEquals(code, 1);
 * ```
 */
export class SystemExit extends Error {
  /** The exit code that the program ends with. */
  readonly code: number;

  /**
   * Creates the exception.
   *
   * @param code The exit code, a 32-bit integer; or a text for stderr, with which the code is 1.
   * Default: 0.
   * @throws {TypeError} If `code` is neither a number nor a string.
   * @throws {RangeError} If `code` is a number but not a 32-bit integer.
   */
  constructor(code: number | string = 0) {
    const text = typeof code === "string" ? code : undefined;
    if (typeof code !== "string") checkExitCode(code, "create SystemExit");
    super(
      text ??
        `The program is ending with exit code ${code}. If you catch this exception, rethrow it`,
    );
    // Defined, not assigned: a program may have frozen `Error.prototype`.
    defineProperty(this, "name", { value: "SystemExit", writable: true, configurable: true });
    this.code = typeof code === "string" ? 1 : code;
    defineProperty(this, brand, { value: text });
  }

  /**
   * Returns whether a value is a `SystemExit` of any copy of this module. For a class that is derived
   * from it: whether it is an instance of that class.
   *
   * @param value Any value.
   * @returns Whether it is an instance.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return this === SystemExit ? isSystemExit(value) : apply(isInstance, this, [value]);
  }
}

/** Returns whether `value` is a {@linkcode SystemExit}. Values that throw when inspected are not. */
export function isSystemExit(value: unknown): value is SystemExit {
  try {
    return typeof value === "object" && value !== null && hasOwn(value, brand);
  } catch {
    return false; // A proxy whose trap throws.
  }
}

/** The exit code of a {@linkcode SystemExit}, or 1 if it was overwritten with something invalid. */
export function getExitCode(exit: SystemExit): number {
  try {
    const { code } = exit;
    return code === (code | 0) ? code : 1;
  } catch {
    return 1; // A getter, or a code that is a symbol.
  }
}

/** The text of a {@linkcode SystemExit} that was created with one. */
export function getExitText(exit: SystemExit): string | undefined {
  try {
    const text = (exit as { [brand]?: unknown })[brand];
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined; // A proxy whose trap throws.
  }
}

/**
 * Throws if `code` is not an exit code.
 *
 * @param action What cannot be done then, for the message.
 */
export function checkExitCode(code: unknown, action: string): void {
  const expected = `Cannot ${action}: expected a 32-bit integer as exit code`;
  if (typeof code !== "number") throw new TypeError(`${expected}, received ${describe(code)}`);
  if (code !== (code | 0)) throw new RangeError(`${expected}, received ${code}`);
}

/**
 * Reads an option of a call. Ignores properties that were added to `Object.prototype`.
 *
 * @param action What cannot be done if these are not options, for the message.
 */
export function getOption<T extends object, K extends keyof T & string>(
  options: T | undefined,
  name: K,
  action: string,
): T[K] | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot ${action}: expected options, received ${describe(options)}`);
  }
  const isOption = hasOwn(options, name) || getPrototypeOf(options) !== ObjectPrototype;
  return isOption ? options[name] : undefined;
}

/**
 * Reads a time from the options of a call, or `undefined` if there is none.
 *
 * @param action What cannot be done if it is not a time, for the message.
 */
export function checkMilliseconds(value: unknown, action: string): number | undefined {
  if (value === undefined) return undefined;
  const expected = `Cannot ${action}: expected a time in milliseconds`;
  if (typeof value !== "number") throw new TypeError(`${expected}, received ${describe(value)}`);
  if (value >= 0 && value < Infinity) return value;
  throw new RangeError(`${expected}, a finite number of 0 or more, received ${value}`);
}

/** Describes a value in a word or two, for the message of an error. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "object") return "an object";
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  return `${value}`;
}
