// SystemExit, and what is said on stderr. How a value is shown, and where it is written, is handed in.

/** Marks a {@linkcode SystemExit} of any copy or version of this module. Its value is the text. */
const brand = Symbol.for("@atexit/atexit SystemExit");

// Taken now, so that a program that replaces them later still gets its reports.
const { apply } = Reflect;
const { defineProperty, getPrototypeOf, hasOwn } = Object;
const ObjectPrototype = Object.prototype;
const functionToString = Function.prototype.toString;
const { endsWith, indexOf, lastIndexOf, replace, slice, split, startsWith } = String.prototype;
const isInstance = Function.prototype[Symbol.hasInstance];
/** Its type is missing in projects with the `lib` of a browser. */
export const captureStackTrace = (Error as ErrorConstructor & {
  captureStackTrace(target: object, func: (...args: never[]) => unknown): void;
}).captureStackTrace;

/**
 * Ends the program with an exit code when it is thrown and nobody catches it.
 *
 * `throw new SystemExit(2)` leaves a program from any depth: `finally` blocks and `using`
 * disposals happen on the way, the handlers run, nothing is printed, and the exit status is 2.
 * `Deno.exit(2)` skips the blocks and the disposals.
 *
 * `new SystemExit("text")` has the code 1. Uncaught, it writes the text and a newline to stderr
 * before the handlers run.
 *
 * Raised inside a handler it is not reported: it ends that handler and sets the exit code.
 * `Deno.exit(n)` and `process.exit(n)` raise it when a handler calls them. In a listener of
 * `beforeExit` or `exit` of `process`, it is an error like any other on Deno.
 *
 * Python's `SystemExit` and `sys.exit` are the model. `instanceof` also recognises the class of
 * another copy or version of this module. Classes derived from it recognise only their own.
 *
 * @example A program that gives up
 * ```ts
 * import { SystemExit } from "@atexit/atexit";
 * import { assertEquals } from "@std/assert";
 *
 * function parse(args: string[]): string {
 *   if (args.length !== 1) throw new SystemExit("usage: greet NAME");
 *   return args[0];
 * }
 *
 * try {
 *   parse([]);
 * } catch (error) {
 *   assertEquals(error instanceof SystemExit && error.code, 1);
 * }
 * ```
 */
export class SystemExit extends Error {
  /** The exit code that the program ends with. */
  readonly code: number;

  /**
   * Creates the exception.
   *
   * @param code The exit code, a 32-bit integer; or a text for stderr, which stands for code 1.
   * @default {0}
   * @throws {TypeError} If `code` is neither a number nor a string.
   * @throws {RangeError} If `code` is a number, and not a 32-bit integer.
   */
  constructor(code: number | string = 0) {
    const text = typeof code === "string" ? code : undefined;
    if (typeof code !== "string") checkExitCode(code, "create SystemExit");
    super(text ?? `The program ends with exit code ${code}`);
    this.name = "SystemExit";
    this.code = typeof code === "string" ? 1 : code;
    defineProperty(this, brand, { value: text });
  }

  /**
   * Tells whether `value` is a `SystemExit` of any copy of this module. In a class that is derived
   * from it, whether it is an instance of that class.
   *
   * @param value Any value.
   * @returns Whether it is one.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return this === SystemExit ? isSystemExit(value) : apply(isInstance, this, [value]);
  }
}

/** Tells whether `value` is a {@linkcode SystemExit}. Hostile values are none. */
export function isSystemExit(value: unknown): value is SystemExit {
  try {
    return typeof value === "object" && value !== null && hasOwn(value, brand);
  } catch {
    return false; // A proxy whose trap throws.
  }
}

/** The exit code of a {@linkcode SystemExit}, or 1 if somebody has spoilt it. */
export function exitCodeOf(exit: SystemExit): number {
  try {
    const { code } = exit;
    return code === (code | 0) ? code : 1;
  } catch {
    return 1; // A getter, or a code that is a symbol.
  }
}

/** The text of a {@linkcode SystemExit} that was created with one. */
export function textOf(exit: SystemExit): string | undefined {
  try {
    const text = (exit as { [brand]?: unknown })[brand];
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined; // A proxy whose trap throws.
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

/**
 * Reads an option of a call. What somebody has put on `Object.prototype` is none.
 *
 * @param action What cannot be done if these are no options.
 */
export function optionOf<T extends object, K extends keyof T & string>(
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
 * @param action What cannot be done if it is no time.
 */
export function checkMilliseconds(value: unknown, action: string): number | undefined {
  if (value === undefined) return undefined;
  const expected = `Cannot ${action}: expected a time in milliseconds`;
  if (typeof value !== "number") throw new TypeError(`${expected}, received ${describe(value)}`);
  if (value >= 0 && value < Infinity) return value;
  throw new RangeError(`${expected}, a finite number of 0 or more, received ${value}`);
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

/** Why nobody awaits a handler's promise. */
export type Cut =
  | { readonly kind: "exit"; readonly call: string; readonly place: string | undefined }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "time"; readonly limit: number }
  | { readonly kind: "unload" };

/** Why the program is ending, for a reader. */
export interface Reason {
  readonly text: string;
  /** The error that has not been printed yet, if that is why. */
  readonly error?: { readonly value: unknown };
}

/** Where reports go, and how they show a value. */
export interface Output {
  inspect(value: unknown): string;
  /** Makes the beginning of a report stand out, where it can. */
  highlight(text: string): string;
  write(text: string): void;
}

/** Writes reports. Never throws, whatever it is given. */
export class Reporter {
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  /** A handler has raised an exception. */
  exception(handler: unknown, error: unknown): void {
    this.#report(`Exception in atexit handler ${nameOf(handler)}`, ":", error);
  }

  /** A synchronous handler has returned a promise. */
  returnedPromise(handler: unknown, promise: unknown): void {
    this.#report(
      `Nobody awaits the promise of atexit handler ${nameOf(handler)}`,
      ": register it with registerAsync()",
      promise,
    );
  }

  /** The program's end does not wait for an asynchronous handler. */
  unawaited(handler: unknown, promise: unknown, cut: Cut): void {
    const { reason, remedy } = explain(cut);
    this.#report(
      `Cannot await atexit handler ${nameOf(handler)}`,
      `: ${reason}. ${remedy}`,
      promise,
    );
  }

  /** A handler has been awaited for a long time. */
  waiting(handler: unknown, seconds: number, behind: number, { text, error }: Reason): void {
    const head = `Still awaiting atexit handler ${nameOf(handler)}`;
    const waits = behind === 1 ? "1 handler waits" : `${behind} handlers wait`;
    const others = behind === 0 ? "" : `, and ${waits} behind it`;
    const line = ` after ${seconds} s${others}. The program ends because ${text}. ` +
      `Set a limit with setGracePeriod(), or with the timeout of exit() or exitOnSignals()`;
    if (error === undefined) this.#write(() => this.#output.highlight(head) + line);
    else this.#report(head, `${line}. The error:`, error.value);
  }

  /** An error that nobody has handled, and that the runtime will not print. */
  uncaught(error: unknown): void {
    this.#report("Uncaught error", ":", error);
  }

  /** A listener of the `exit` event of `process` has thrown. */
  exitListener(error: unknown): void {
    this.#report("Exception in an exit listener of process", ":", error);
  }

  /** The text of a {@linkcode SystemExit}. */
  text(text: string): void {
    this.#write(() => text);
  }

  #report(head: string, line: string, value: unknown): void {
    this.#write(() => `${this.#output.highlight(head)}${line}\n${this.#show(value)}`);
  }

  #show(value: unknown): string {
    try {
      return withoutOwnCalls(this.#output.inspect(value));
    } catch {
      return "(a value that cannot be shown: looking at it throws)";
    }
  }

  #write(text: () => string): void {
    try {
      this.#output.write(text());
    } catch {
      // stderr is closed. There is nowhere left to say it.
    }
  }
}

/** The lines of a stack, from the caller of a function on. The first one is a heading. */
export function callersOf(func: (...args: never[]) => unknown): string[] {
  const holder: { stack?: unknown } = {};
  captureStackTrace(holder, func);
  return apply(split, holder.stack, ["\n"]);
}

/** The place in a line of a stack: what stands in parentheses, or after "at". */
export function placeIn(line: string): string {
  const open: number = apply(indexOf, line, ["("]);
  return open < 0
    ? apply(slice, line, [apply(indexOf, line, ["at "]) + 3])
    : apply(slice, line, [open + 1, -1]);
}

/** Where the files of this module are. Looked up when it is needed first. */
let home: { readonly path: string | undefined } | undefined;

/**
 * Where the files of this module are, unless it has been bundled into a program: so says the stack, since
 * `import.meta` is a syntax error in bundles of some kinds. A path without `file://`, as Bun has it.
 */
function findHome(): string | undefined {
  try {
    const place = placeIn(callersOf(findHome)[1]);
    const end: number = apply(lastIndexOf, place, ["/errors."]) + "/".length;
    if (end === 0) return undefined;
    return apply(slice, place, [apply(startsWith, place, ["file://"]) ? "file://".length : 0, end]);
  } catch {
    return undefined; // The program has changed how stacks are made.
  }
}

/**
 * The files that handlers are called through, and that errors come through. In npm's package they
 * end in `.js`.
 */
const ownFiles = {
  "exit": 0,
  "lifecycle": 0,
  "realm": 0,
  "register": 0,
  "registry": 0,
  "runtimes/deno": 0,
  "runtimes/node": 0,
};

/** Leaves the calls of this module out of the stacks in a text: they tell its user nothing. */
function withoutOwnCalls(text: string): string {
  home ??= { path: findHome() };
  const { path } = home;
  const plain = withoutColors(text);
  if (path === undefined || apply(indexOf, plain, [path]) < 0) return text;
  let shown = "";
  const lines: string[] = apply(split, text, ["\n"]);
  const plainLines: string[] = apply(split, plain, ["\n"]);
  for (let i = 0; i < lines.length; i++) {
    const isOwn = isOwnCall(plainLines[i], path) || countsCalls(plainLines[i]);
    if (!isOwn) shown += i === 0 ? lines[i] : `\n${lines[i]}`;
    else if (apply(endsWith, lines[i], [" {"])) shown += " {"; // Properties of the error follow.
  }
  return shown;
}

/** A text without the codes for colors, which may stand in the middle of a place. */
function withoutColors(text: string): string {
  // deno-lint-ignore no-control-regex
  return apply(indexOf, text, ["\x1b["]) < 0 ? text : apply(replace, text, [/\x1b\[\d+m/g, ""]);
}

/** Whether a line counts the calls that an error shares with its cause: most are of this module. */
function countsCalls(line: string): boolean {
  return apply(indexOf, line, [" lines matching cause stack trace"]) >= 0;
}

/** Whether a line is that of a call in a file of this module. */
function isOwnCall(line: string, path: string): boolean {
  const start: number = apply(indexOf, line, [path]);
  if (start < 0 || apply(indexOf, line, ["    at "]) < 0) return false;
  const end: number = apply(indexOf, line, [":", start + path.length]);
  return hasOwn(ownFiles, apply(slice, line, [start + path.length, end - ".ts".length]));
}

/** Why a handler is not awaited, and what helps. */
function explain(cut: Cut): { reason: string; remedy: string } {
  switch (cut.kind) {
    case "exit": {
      const place = cut.place === undefined ? "" : ` at ${cut.place}`;
      return {
        reason: `the program was ended by ${cut.call}${place}`,
        remedy: "End it with exit(), which waits",
      };
    }
    case "signal":
      return {
        reason: `a second signal came, ${cut.signal}`,
        remedy: "Only after the first one handlers are awaited",
      };
    case "time":
      return {
        reason: `the time is over, ${cut.limit} ms for all handlers`,
        remedy: "Give them a longer timeout or grace period",
      };
    case "unload":
      return {
        reason: "the program is unloading, and nothing can delay that",
        remedy: "Use register() and a synchronous function for this",
      };
  }
}

/** The handler's name, or else the beginning of its source. */
function nameOf(handler: unknown): string {
  try {
    const { name } = handler as { name: unknown };
    if (typeof name === "string" && name !== "") return oneLine(name);
    return `(anonymous) ${oneLine(apply(functionToString, handler, []))}`;
  } catch {
    return "(anonymous)";
  }
}

/** At most 60 characters, without control characters. */
function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  const line: string = apply(replace, text, [/[\s\x00-\x1f\x7f-\x9f]+/g, " "]);
  return line.length > 60 ? `${apply(slice, line, [0, 59])}\u2026` : line;
}
