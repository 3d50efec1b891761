// Registering handlers, and taking them back.

import { describe } from "./errors.ts";
import { type AnyFunction, isThenable } from "./registry.ts";
import { realm } from "./realm.ts";

// Taken now, so that a program that changes them later cannot break a call.
const { apply } = Reflect;
const { hasOwn } = Object;
const { startsWith } = String.prototype;
const functionToString = Function.prototype.toString;

/**
 * Registers a method, as its decorator: a static method once, with `this` being the class; another
 * method once for each instance, with `this` being that instance. An instance is kept in memory until
 * its method has run, or `unregister(Class.prototype.method)` has taken it back.
 *
 * @typeParam T The type of its `this`.
 * @typeParam F The type of the method.
 * @typeParam R What it returns.
 * @param method The method.
 * @param context What the runtime tells a decorator.
 * @returns The method.
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
export function register<T, F extends (this: T) => R, R>(
  method: Extract<R, PromiseLike<unknown>> extends never ? F & ((this: T) => R) : never,
  context: ClassMethodDecoratorContext<T, F>,
): F;
// The next two only refuse, for the sake of what the compiler says then. `deno doc` hides them.
// Their texts stand in tuples: of a mere text it would print `string`.
/** @ignore Whatever else is decorated. */
export function register<C extends Pick<DecoratorContext, "kind" | "addInitializer">>(
  decorated: unknown,
  context: unknown extends C ? never : C,
): ["@register is for methods without arguments; @registerAsync for those that return promises"];
/** @ignore One argument where the function takes none, or more. */
export function register(
  func: ["a function that takes that number of arguments"],
  arg: never,
): never;
/**
 * Registers a function that runs when the program ends, last registered first.
 *
 * It runs once for each registration, with `args`, and with `this` being `undefined`. The README
 * says at which ends of the program, and at which not. A handler that is registered by a handler
 * runs next. One that is registered when the run is over runs at once.
 *
 * An exception that it raises is reported on stderr, and the other handlers run. The last exception
 * is raised again when all of them have had their chance. The function may read the exit code from
 * `Deno.exitCode` (`process.exitCode`). It may change the code by assigning to it, by throwing
 * `SystemExit`, or by calling `Deno.exit()`, which throws that.
 *
 * It is a decorator of methods, too. Other decorators of the method go below it.
 *
 * The semantics are those of Python's `atexit.register`.
 *
 * @typeParam F The type of the function.
 * @typeParam A The types of its arguments.
 * @typeParam R What it returns.
 * @param func The function. One that returns a promise does not compile: nobody would await it.
 * @param args What it is called with.
 * @returns `func`.
 * @throws {TypeError} If `func` is not callable, or a class; nothing is registered then.
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
export function register<F extends (...args: never[]) => unknown, A extends unknown[], R>(
  func: Extract<R, PromiseLike<unknown>> extends never ? F & ((this: undefined, ...args: A) => R)
    : "register() does not await promises: use registerAsync()",
  ...args: A
): F;
// `never`, so that the compiler does not say of a wrong call that it would have fitted this.
export function register<F extends never>(func: F, ...args: unknown[]): F {
  return add("register", func, args, false);
}

/**
 * Registers a method that returns a promise, as its decorator: a static method once, another method
 * once for each instance, which is kept in memory until then.
 *
 * @typeParam T The type of its `this`.
 * @typeParam F The type of the method.
 * @param method The method.
 * @param context What the runtime tells a decorator.
 * @returns The method.
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
export function registerAsync<T, F extends (this: T) => unknown>(
  method: F,
  context: ClassMethodDecoratorContext<T, F>,
): F;
/** @ignore As for `register`. */
export function registerAsync<C extends Pick<DecoratorContext, "kind" | "addInitializer">>(
  decorated: unknown,
  context: unknown extends C ? never : C,
): ["@register is for methods without arguments; @registerAsync for those that return promises"];
/** @ignore As for `register`. */
export function registerAsync(
  func: ["a function that takes that number of arguments"],
  arg: never,
): never;
/**
 * Registers a function that returns a promise, which is awaited before the next handler runs.
 *
 * It is awaited wherever the program can still wait: when nothing is left to do, when an error or a
 * `SystemExit` was not caught, at `exit()`, and at a signal named to `exitOnSignals()`. Where the
 * program cannot wait (`Deno.exit()`, `process.exit()`, `unload`), the function is called in its turn
 * all the same, and stderr says that nobody waits for it.
 *
 * A promise that nothing can settle any more counts as failed. In all else it is like
 * {@linkcode register}.
 *
 * @typeParam F The type of the function.
 * @typeParam A The types of its arguments.
 * @param func The function.
 * @param args What it is called with.
 * @returns `func`.
 * @throws {TypeError} If `func` is not callable, or a class; nothing is registered then.
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
export function registerAsync<F extends (...args: never[]) => unknown, A extends unknown[]>(
  func: F & ((this: undefined, ...args: A) => unknown),
  ...args: A
): F;
export function registerAsync<F extends never>(func: F, ...args: unknown[]): F {
  return add("registerAsync", func, args, true);
}

/**
 * Takes back every registration of a function, synchronous or not. Those that still wait
 * while a run is under way do not run any more. Does nothing if there is none.
 *
 * Afterwards the module keeps neither the function nor its arguments in memory; among more than a
 * thousand handlers, from the next microtask on. The semantics are those of Python's `atexit.unregister`, with identity (`===`) for equality.
 *
 * @param func The function that was registered: the very same, and not one with the same text.
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
export function unregister(func: (...args: never[]) => unknown): void {
  realm.unregister(func);
}

function add<F extends AnyFunction>(
  caller: string,
  func: F,
  args: readonly unknown[],
  awaited: boolean,
): F {
  const context = args.length === 1 ? decoratorContext(args[0]) : undefined;
  if (context !== undefined && context.kind !== "method") {
    const article = context.kind === "accessor" ? "an" : "a";
    throw new TypeError(
      `Cannot decorate ${article} ${context.kind} with @${caller}: expected a method`,
    );
  }
  if (typeof func !== "function" || isClass(func)) throw noHandler(caller, func, args);
  if (context !== undefined) {
    context.addInitializer(function (this: unknown) {
      realm.register(func, { args: [], self: this, awaited });
    });
  } else if (args.length === 0 && !awaited) {
    realm.register(func);
  } else {
    realm.register(func, { args, self: undefined, awaited });
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

/** Whether a function is a class, which cannot be called without `new`. */
function isClass(func: AnyFunction): boolean {
  try {
    // Of all functions only those that can be constructors have a prototype. Most handlers have none.
    return hasOwn(func, "prototype") &&
      apply(startsWith, apply(functionToString, func, []), ["class"]);
  } catch {
    return false; // A proxy whose trap throws.
  }
}

function noHandler(caller: string, func: unknown, args: readonly unknown[]): TypeError {
  const name = typeof args[0];
  const isOldDecorator = (args.length === 2 || args.length === 3) &&
    (name === "string" || name === "symbol");
  const isPromise = typeof func === "object" && func !== null && isThenable(func);
  const received = typeof func === "function"
    ? "a class"
    : isPromise
    ? "a promise"
    : describe(func);
  const remedy = typeof func === "function" || isOldDecorator
    ? `. As a decorator, @${caller} is for methods, and for decorators of the standard kind: turn off experimentalDecorators`
    : func === undefined || isPromise
    ? ". Pass the function, and do not call it"
    : "";
  return new TypeError(
    `Cannot register the exit handler: expected a function, received ${received}${remedy}`,
  );
}
