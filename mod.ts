/**
 * Functions that run when the program ends: Python's `atexit` for Deno.
 *
 * ```ts
 * import { register } from "@atexit/atexit";
 *
 * register(() => console.log("Goodbye."));
 * ```
 *
 * Handlers run last registered first, whatever ends the program: running dry, `Deno.exit()`,
 * an uncaught error, an unhandled rejection, a signal named to {@linkcode exitOnSignals}.
 * What one raises is reported, stops none of the others, and the last exception is raised
 * again. Handlers registered with {@linkcode registerAsync} are awaited wherever the program
 * can still wait.
 *
 * There is one registry per realm (the main program, each worker), however many copies or
 * versions of this module are loaded. No permission is needed.
 *
 * @module
 */

import { checkExitCode, describe } from "./errors.ts";
import { type EndOptions, realm, timeoutOf } from "./hooks.ts";

export { SystemExit } from "./errors.ts";
export { exitOnSignals } from "./signals.ts";
export type { EndOptions };

/** Any function. */
// deno-lint-ignore no-explicit-any
export type AnyFunction = (...args: any[]) => unknown;

/** `unknown`, or where `F` may return a promise a text with the remedy, which no function is. */
export type Synchronous<F extends AnyFunction> = 0 extends 1 & ReturnType<F> ? unknown
  : [Extract<ReturnType<F>, PromiseLike<unknown>>] extends [never] ? unknown
  : "register() does not await promises: use registerAsync()";

/**
 * Registers a function that runs when the program ends, last registered first.
 *
 * It runs once for each registration, with `args`, and with `this` being `undefined`. It runs
 * whatever ends the program: see the table of ends in the README. A handler that is registered
 * by a handler runs next; one that is registered when the run is over, at once.
 *
 * An exception that it raises is reported on stderr and does not keep the other handlers from
 * running; the last one is raised again when all of them have had their chance. It may read
 * the exit code from `Deno.exitCode` and change it by assigning that, by throwing
 * {@linkcode SystemExit}, or by calling `Deno.exit()`, which throws it.
 *
 * As a decorator of a static method it registers the method with `this` being the class; of
 * another method, once per constructed instance, with `this` being that instance. Other
 * decorators of the method go below it.
 *
 * The semantics are those of Python's `atexit.register`.
 *
 * @typeParam F The type of the function.
 * @param func The function. One that returns a promise does not compile: nobody would await it.
 * @param args What it is called with.
 * @returns `func`.
 * @throws {TypeError} If `func` is not callable; nothing is registered then.
 *
 * @example With arguments
 * ```ts
 * import { register } from "@atexit/atexit";
 * import { assertEquals } from "@std/assert";
 *
 * function goodbye(name: string, { adjective }: { adjective: string }): void {
 *   console.log(`Goodbye, ${name}, it was ${adjective} to meet you.`);
 * }
 *
 * assertEquals(register(goodbye, "Donny", { adjective: "nice" }), goodbye);
 * ```
 *
 * @example As a decorator
 * ```ts
 * import { register } from "@atexit/atexit";
 * import { assertEquals } from "@std/assert";
 *
 * class Log {
 *   static lines = ["first"];
 *   @register
 *   static flush(): void {
 *     assertEquals(this.lines, ["first", "second"]);
 *   }
 * }
 *
 * Log.lines.push("second");
 * ```
 */
export function register<F extends AnyFunction>(
  func: F & Synchronous<F>,
  ...args: Parameters<F>
): F;
/**
 * Registers a method, as its decorator.
 *
 * @typeParam F The type of the method.
 * @param method The method.
 * @param context What the runtime tells a decorator.
 * @throws {TypeError} If it decorates anything but a method.
 *
 * @example Close each instance
 * ```ts
 * import { register, unregister } from "@atexit/atexit";
 *
 * class Connection {
 *   @register
 *   close(): void {
 *     console.log("closed");
 *   }
 * }
 *
 * new Connection();
 * unregister(Connection.prototype.close); // none of them is closed any more
 * ```
 */
export function register<F extends () => unknown>(
  method: F & Synchronous<F>,
  context: ClassMethodDecoratorContext,
): void;
export function register(func: AnyFunction, ...args: unknown[]): AnyFunction {
  return add("register", func, args, false);
}

/**
 * Registers a function that returns a promise, which is awaited before the next handler runs.
 *
 * It is awaited wherever the program can still wait: when it has run dry, when an error or a
 * {@linkcode SystemExit} was not caught, on {@linkcode exit}, and on a signal named to
 * {@linkcode exitOnSignals}. Where it cannot (`Deno.exit()`, `unload`), the function is called
 * in its turn all the same, and that nobody waits for it is reported on stderr.
 *
 * A promise that can never settle, because the event loop has run dry, counts as failed. In all
 * else it is like {@linkcode register}.
 *
 * @typeParam F The type of the function.
 * @param func The function.
 * @param args What it is called with.
 * @returns `func`.
 * @throws {TypeError} If `func` is not callable; nothing is registered then.
 *
 * @example Flush a log
 * ```ts
 * import { registerAsync } from "@atexit/atexit";
 * import { assertEquals } from "@std/assert";
 *
 * const lines: string[] = [];
 * const stream = new WritableStream<string>({ write: (line) => void lines.push(line) });
 * const writer = stream.getWriter();
 * registerAsync(() => writer.close());
 *
 * await writer.write("started");
 * assertEquals(lines, ["started"]);
 * ```
 */
export function registerAsync<F extends AnyFunction>(func: F, ...args: Parameters<F>): F;
/**
 * Registers a method that returns a promise, as its decorator.
 *
 * @typeParam F The type of the method.
 * @param method The method.
 * @param context What the runtime tells a decorator.
 * @throws {TypeError} If it decorates anything but a method.
 *
 * @example Disconnect
 * ```ts
 * import { registerAsync } from "@atexit/atexit";
 *
 * class Session {
 *   @registerAsync
 *   static async end(): Promise<void> {
 *     await Promise.resolve();
 *   }
 * }
 *
 * new Session();
 * ```
 */
export function registerAsync<F extends () => unknown>(
  method: F,
  context: ClassMethodDecoratorContext,
): void;
export function registerAsync(func: AnyFunction, ...args: unknown[]): AnyFunction {
  return add("registerAsync", func, args, true);
}

/**
 * Takes back every registration of a function, synchronous or not. Those that still wait
 * while a run is under way do not run any more. Does nothing if there is none.
 *
 * Afterwards nothing here refers to the function or its arguments. The semantics are those of
 * Python's `atexit.unregister`, with identity (`===`) for equality.
 *
 * @param func The function that was registered.
 *
 * @example Take a function back
 * ```ts
 * import { register, unregister } from "@atexit/atexit";
 * import { assert } from "@std/assert";
 *
 * const fail = register(() => assert(false));
 * unregister(fail);
 * ```
 */
export function unregister(func: AnyFunction): void {
  realm.registry.remove(func);
}

/**
 * Ends the program gracefully: runs the handlers, awaits the asynchronous ones, and exits.
 *
 * The end cannot be caught, and the promise never resolves. Called while handlers are running
 * it sets the exit code at once and rejects with {@linkcode SystemExit}: so it stops the
 * handler that awaits it, and no other. It also rejects if the exit does not happen, since a
 * test has replaced `Deno.exit` or its runner refuses it.
 *
 * At the top level of the main module write `throw new SystemExit(code)` instead: while an
 * `await` is pending there, Deno does not tell when a handler can never settle.
 *
 * @param code The exit code, a 32-bit integer. Default: `Deno.exitCode`.
 * @param options How long handlers may be awaited.
 * @returns A promise that never resolves.
 * @throws {TypeError} If `code` or `timeout` is not a number.
 * @throws {RangeError} If `code` is not a 32-bit integer, or `timeout` negative or not finite.
 *
 * @example Give the handlers five seconds
 * ```ts
 * import { exit } from "@atexit/atexit";
 * import { assertRejects } from "@std/assert";
 *
 * async function stop(): Promise<never> {
 *   return await exit(0, { timeout: 5_000 });
 * }
 *
 * await assertRejects(() => exit(0, { timeout: -1 }), RangeError);
 * ```
 */
export function exit(code?: number, options: EndOptions = {}): Promise<never> {
  let timeout: number | undefined;
  try {
    if (code !== undefined) checkExitCode(code, "exit");
    timeout = timeoutOf(options, "exit");
  } catch (error) {
    return Promise.reject(error); // As WebIDL has it: what returns a promise does not throw.
  }
  return realm.exit(code, timeout);
}

function add(
  caller: string,
  func: AnyFunction,
  args: unknown[],
  waits: boolean,
): AnyFunction {
  const context = args.length === 1 ? decoratorContext(args[0]) : undefined;
  if (context !== undefined && context.kind !== "method") {
    throw new TypeError(`Cannot decorate a ${context.kind} with @${caller}: expected a method`);
  }
  if (typeof func !== "function") {
    throw new TypeError(
      `Cannot register the exit handler: expected a function, received ${describe(func)}`,
    );
  }
  if (context === undefined) {
    realm.registry.push(func, args, undefined, waits);
  } else {
    context.addInitializer(function (this: unknown) {
      realm.registry.push(func, [], this, waits);
    });
  }
  return func;
}

/** The argument, if it is what the runtime gives to a decorator. */
function decoratorContext(arg: unknown): DecoratorContext | undefined {
  if (typeof arg !== "object" || arg === null) return undefined;
  try {
    const context = arg as DecoratorContext;
    return typeof context.kind === "string" && typeof context.addInitializer === "function"
      ? context
      : undefined;
  } catch {
    return undefined; // An argument whose getters throw.
  }
}
