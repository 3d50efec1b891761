// Registering and unregistering handlers.

import type { AsyncDisposable, Disposable } from "./disposable.ts";
import { describe } from "./errors.ts";
import { type AnyFunction, isThenable } from "./registry.ts";
import { realm } from "./realm.ts";

// Captured at import, so that later monkey-patching does not affect the module.
const { apply } = Reflect;
const functionToString = Function.prototype.toString;

// -------------------------------------------------------------------------------------- register()

/**
 * Registers a function that runs when the program ends.
 *
 * Handlers run in reverse order: the last one registered runs first. A function that is registered
 * several times runs several times, each time with the arguments of that registration. `this` is
 * `undefined`. The module page says at which ends of a program handlers run.
 *
 * - If the function throws, the error is reported on stderr and the other handlers still run. The
 *   last such error is rethrown after all of them have run, so that the exit code is 1.
 * - The function can read and set the exit code (`Deno.exitCode`, `process.exitCode`), or throw
 *   {@linkcode SystemExit} to set it.
 * - A function that is registered by a handler runs next. One that is registered after all handlers
 *   have run, while the program unloads, runs immediately.
 * - A function that also has a `[Symbol.dispose]()` method is called, and not disposed of.
 *
 * The semantics are those of
 * [`atexit.register`](https://docs.python.org/3/library/atexit.html#atexit.register) of Python, except
 * that a handler that throws makes the exit code 1.
 *
 * @typeParam F The type of the function.
 * @typeParam A The types of its arguments.
 * @typeParam R The type of its result. If it can be a promise, the call does not compile, because
 * nobody would await it: use {@linkcode registerAsync}.
 * @param func The function to call.
 * @param args The arguments to call it with. Default: none.
 * @returns `func`, so that it can be kept for {@linkcode unregister}.
 * @throws {TypeError} If `func` is neither a function nor a disposable resource, or is a class or a
 * promise. Nothing is registered then.
 *
 * @example Say goodbye
 * ```ts
 * import { register } from "@atexit/atexit";
 *
 * register(() => console.log("Goodbye."));
 * ```
 *
 * @example Pass arguments
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
 */
export function register<F extends (...args: never[]) => unknown, A extends unknown[], R>(
  func: Extract<R, PromiseLike<unknown>> extends never ? F & ((this: undefined, ...args: A) => R)
    : "register() does not await promises: use registerAsync()",
  ...args: A
): F;
/**
 * Registers a resource that is disposed of when the program ends: an object with a
 * `[Symbol.dispose]()` method, such as a `DatabaseSync` of `node:sqlite`, a `Deno.FsFile`, or a
 * `DisposableStack`.
 *
 * The method is looked up now, and called with the resource as `this` when its turn comes. The
 * resource is kept in memory until then: call {@linkcode unregister} if it is closed earlier.
 *
 * `[Symbol.dispose]()` is that of TC39's
 * [Explicit Resource Management](https://github.com/tc39/proposal-explicit-resource-management).
 * Unlike `using`, this does not end with the block: use it for what lives as long as the program.
 *
 * @typeParam R The type of the resource. If it has only `[Symbol.asyncDispose]()`, the call does not
 * compile: use {@linkcode registerAsync}.
 * @param resource The resource to dispose of.
 * @returns `resource`.
 * @throws {TypeError} If `resource` has no `[Symbol.dispose]()` method, or if there are more arguments.
 * Nothing is registered then.
 *
 * @example Close a database
 * ```ts
 * import { register } from "@atexit/atexit";
 * import { assertEquals } from "@std/assert";
 * import { DatabaseSync } from "node:sqlite";
 *
 * const db = register(new DatabaseSync(":memory:"));
 *
 * db.exec("CREATE TABLE notes (text TEXT)");
 * assertEquals(db.prepare("SELECT * FROM notes").all(), []);
 * ```
 */
export function register<R extends Disposable>(resource: R): R;
/**
 * Registers a method when used as its decorator. A static method runs once, with the class as `this`. An
 * instance method runs once per instance, with the instance as `this`.
 *
 * Instances are registered when they are constructed, and kept in memory until the method has run or
 * {@linkcode unregister} is called with the method, which unregisters it for all instances.
 *
 * The method must have no required parameters. Other decorators of the method go below this one.
 * Decorators are those of TC39's [proposal](https://github.com/tc39/proposal-decorators), with
 * `experimentalDecorators` turned off. Bun supports them since version 1.4.
 *
 * @typeParam T The type of `this` in the method.
 * @typeParam F The type of the method.
 * @typeParam R The type of its result. If it can be a promise, the decorator does not compile: use
 * {@linkcode registerAsync}.
 * @param method The method to call.
 * @param context The decorator context, which the runtime passes.
 * @returns The method.
 * @throws {TypeError} If it decorates a class, a field, an accessor, a getter or a setter.
 *
 * @example Flush a log
 * ```ts
 * import { register } from "@atexit/atexit";
 * import { assertEquals } from "@std/assert";
 *
 * class Log {
 *   static lines = ["first"];
 *
 *   @register
 *   static flush(): void {
 *     assertEquals(this.lines, ["first", "second"]);
 *   }
 * }
 *
 * Log.lines.push("second");
 * ```
 */
export function register<T, F extends (this: T) => R, R>(
  method: Extract<R, PromiseLike<unknown>> extends never ? F & ((this: T) => R) : never,
  context: ClassMethodDecoratorContext<T, F>,
): F;
// The overloads below exist for the compiler's messages, and are hidden from the documentation. If more
// than three overloads reject a call, TypeScript reports only what is wrong with the last one. The
// three that accept nothing make sure that there are always more than three.
/** @ignore Matches wrong decorators. A string in place of the tuple would be reported as `string`. */
export function register<C extends Pick<DecoratorContext, "kind" | "addInitializer"> = never>(
  decorated: [C] extends [never] ? never : unknown,
  context: unknown extends C ? never : C,
): ["@register is for methods without arguments; @registerAsync for those that return promises"];
/** @ignore */
export function register(handler: never, ...args: unknown[]): never;
/** @ignore */
export function register(handler: never, ...args: unknown[]): never;
/** @ignore Rejects decorators of TypeScript's old kind. */
export function register(
  handler: ["as a decorator it needs experimentalDecorators turned off"],
  ...args: unknown[]
): never;
/** @ignore Rejects any other wrong call. */
export function register<H, A extends unknown[]>(
  handler: Expected<"register", H, A>,
  ...args: Arguments<H, A>
): H;
// `never`, so that the compiler does not say of a wrong call that it would have matched this.
export function register<F extends never>(handler: F, ...args: unknown[]): F {
  return add("register", handler, args);
}

// --------------------------------------------------------------------------------- registerAsync()

/**
 * Registers a function that runs when the program ends, and whose promise is awaited before the next
 * handler runs.
 *
 * The promise is awaited wherever the program can still wait: when nothing is left to do, after an
 * uncaught error, at {@linkcode exit} and an uncaught {@linkcode SystemExit}, and at a signal of
 * {@linkcode exitOnSignals}. `Deno.exit()` and `process.exit()` cannot wait unless
 * {@linkcode overrideExit} is in force: there, and where Deno only dispatches `unload`, the function is
 * called when its turn comes, its promise is not awaited, and a message on stderr says so.
 *
 * A promise that is rejected, that takes longer than the time limit ({@linkcode setGracePeriod}), or
 * that nothing can settle any more counts as an error of the handler. Otherwise this is like
 * {@linkcode register}. Python's `atexit` has no counterpart.
 *
 * @typeParam F The type of the function. It may also return something other than a promise.
 * @typeParam A The types of its arguments.
 * @param func The function to call.
 * @param args The arguments to call it with. Default: none.
 * @returns `func`, so that it can be kept for {@linkcode unregister}.
 * @throws {TypeError} If `func` is neither a function nor a disposable resource, or is a class or a
 * promise. Nothing is registered then.
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
/**
 * Registers a resource that is disposed of when the program ends, and waits for that: an object with a
 * `[Symbol.asyncDispose]()` method, such as a server of `Deno.serve()` or `node:http`, a
 * `Deno.ChildProcess`, a `Worker` of `node:worker_threads`, or an `AsyncDisposableStack`.
 *
 * The method is looked up now, and called with the resource as `this` when its turn comes. The
 * resource is kept in memory until then: call {@linkcode unregister} if it is closed earlier.
 *
 * - If the resource also has a `[Symbol.dispose]()` method, that one is called where the program
 *   cannot wait (`Deno.exit()`, `process.exit()`, `unload`), and nothing is reported. So a library can
 *   flush asynchronously where possible, and synchronously elsewhere.
 * - If the resource has only a `[Symbol.dispose]()` method, this is the same as {@linkcode register}.
 *
 * Both methods are those of TC39's
 * [Explicit Resource Management](https://github.com/tc39/proposal-explicit-resource-management).
 *
 * @typeParam R The type of the resource.
 * @param resource The resource to dispose of.
 * @returns `resource`.
 * @throws {TypeError} If `resource` has neither of the methods, or more arguments are given. Nothing is
 * registered then.
 *
 * @example Shut down a server
 * ```ts
 * import { registerAsync, unregister } from "@atexit/atexit";
 *
 * const server = registerAsync(
 *   Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("Hello")),
 * );
 *
 * await server.shutdown(); // earlier than the program ends
 * unregister(server);
 * ```
 *
 * @example Flush asynchronously where possible, synchronously elsewhere
 * ```ts
 * import { registerAsync } from "@atexit/atexit";
 *
 * class Log {
 *   #lines: string[] = [];
 *   readonly #path = Deno.makeTempFileSync();
 *
 *   write(line: string): void {
 *     this.#lines.push(`${line}\n`);
 *   }
 *
 *   async [Symbol.asyncDispose](): Promise<void> {
 *     await Deno.writeTextFile(this.#path, this.#take(), { append: true });
 *   }
 *
 *   [Symbol.dispose](): void {
 *     Deno.writeTextFileSync(this.#path, this.#take(), { append: true });
 *   }
 *
 *   #take(): string {
 *     return this.#lines.splice(0).join("");
 *   }
 * }
 *
 * const log = registerAsync(new Log());
 * log.write("started");
 * ```
 */
export function registerAsync<R extends AsyncDisposable | Disposable>(resource: R): R;
/**
 * Registers a method that returns a promise when used as its decorator. A static method runs once, with the
 * class as `this`. An instance method runs once per instance, with the instance as `this`.
 *
 * Otherwise this is like the decorator {@linkcode register}.
 *
 * @typeParam T The type of `this` in the method.
 * @typeParam F The type of the method.
 * @param method The method to call.
 * @param context The decorator context, which the runtime passes.
 * @returns The method.
 * @throws {TypeError} If it decorates a class, a field, an accessor, a getter or a setter.
 *
 * @example End a session
 * ```ts
 * import { registerAsync } from "@atexit/atexit";
 *
 * class Session {
 *   @registerAsync
 *   async end(): Promise<void> {
 *     await Promise.resolve();
 *     console.log("ended");
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
// For the compiler's messages, as above, and with the same result, so that TypeScript can tell that
// registerAsync() accepts whatever register() accepts: `(condition ? register : registerAsync)(func)`.
/** @ignore Matches wrong decorators. */
export function registerAsync<C extends Pick<DecoratorContext, "kind" | "addInitializer"> = never>(
  decorated: [C] extends [never] ? never : unknown,
  context: unknown extends C ? never : C,
): ["@register is for methods without arguments; @registerAsync for those that return promises"];
/** @ignore */
export function registerAsync(handler: never, ...args: unknown[]): never;
/** @ignore */
export function registerAsync(handler: never, ...args: unknown[]): never;
/** @ignore Rejects decorators of TypeScript's old kind. */
export function registerAsync(
  handler: ["as a decorator it needs experimentalDecorators turned off"],
  ...args: unknown[]
): never;
/** @ignore Rejects any other wrong call. */
export function registerAsync<H, A extends unknown[]>(
  handler: Expected<"registerAsync", H, A>,
  ...args: Arguments<H, A>
): H;
export function registerAsync<F extends never>(handler: F, ...args: unknown[]): F {
  return add("registerAsync", handler, args);
}

// ------------------------------------------------------------------------------------ unregister()

/**
 * Removes every registration of a function or resource, by {@linkcode register} and
 * {@linkcode registerAsync} alike. Does nothing if there is none.
 *
 * Handlers that have not started yet are skipped, even while handlers run. Afterwards the module holds
 * no reference to the handler or its arguments. A decorated method is unregistered for all instances
 * that exist; instances constructed later register it again.
 *
 * The semantics are those of
 * [`atexit.unregister`](https://docs.python.org/3/library/atexit.html#atexit.unregister) of Python,
 * except that handlers are compared by identity (`===`): pass the same function, not an equal one.
 *
 * @param handler The function or resource that was registered.
 *
 * @example Unregister a function
 * ```ts
 * import { register, unregister } from "@atexit/atexit";
 * import { assert } from "@std/assert";
 *
 * const fail = register(() => assert(false));
 * unregister(fail);
 * ```
 *
 * @example Unregister a resource that is closed earlier
 * ```ts
 * import { register, unregister } from "@atexit/atexit";
 *
 * const file = register(Deno.openSync(Deno.makeTempFileSync()));
 * file.close();
 * unregister(file);
 * ```
 */
export function unregister(
  handler: ((...args: never[]) => unknown) | Disposable | AsyncDisposable,
): void {
  realm.unregister({ handler });
}

// ----------------------------------------------------------------------------- at compile time

/**
 * What the first argument of a wrong call should be. A string is text for the compiler's message: an
 * argument is never "assignable to parameter of type" it.
 */
type Expected<N extends "register" | "registerAsync", H, A extends unknown[]> = [H] extends [
  (this: infer T, ...args: infer P) => infer R,
] ? NeedsAsync<N, R> extends true ? "register() does not await promises: use registerAsync()"
  : undefined extends T
    // With the right number of arguments, the message is about the one that has the wrong type.
    ? A["length"] extends P["length"] ? H : "a function that takes this number of arguments"
  : "a function that does not need `this`: pass an arrow function"
  : [H] extends [PromiseLike<unknown> | null | undefined | void]
    ? "the function itself: pass it instead of calling it"
  : undefined extends H ? "a function or resource that cannot be undefined"
  : [H] extends [Disposable | AsyncDisposable]
    ? A extends [] ? "register() does not await [Symbol.asyncDispose](): use registerAsync()"
    : "a function: a resource takes no arguments"
  : [H] extends [abstract new (...args: never) => unknown] ? "a function that is not a class"
  : SymbolConstructor extends { readonly dispose: symbol }
    ? N extends "register" ? "a function or an object with [Symbol.dispose]()"
    : "a function or an object with [Symbol.asyncDispose]() or [Symbol.dispose]()"
  // `H` has to stand in one of the branches to be inferred.
  : H extends never ? H
  : "a function; to pass resources, add esnext.disposable to lib";

/** Whether a function that returns `R` has to be registered with `registerAsync()`. */
type NeedsAsync<N, R> = N extends "register"
  ? Extract<R, PromiseLike<unknown>> extends never ? false : true
  : false;

/** What the other arguments of a wrong call should be: its parameters, if their number fits. */
type Arguments<H, A extends unknown[]> = H extends (...args: infer P) => unknown
  ? A["length"] extends P["length"] ? P : A
  : A;

// --------------------------------------------------------------------------------- at run time

function add<H extends object>(
  caller: "register" | "registerAsync",
  handler: H,
  args: readonly unknown[],
): H {
  const context = args.length === 1 ? toDecoratorContext(args[0]) : undefined;
  if (context !== undefined) return decorate(caller, handler, context);
  if (typeof handler !== "function") return addResource(caller, handler, args);
  const func = handler as unknown as AnyFunction;
  if (isClass(func)) throw createHandlerError(caller, func, args);
  realm.register({ handler, func, args, self: undefined, awaited: caller === "registerAsync" });
  return handler;
}

function decorate<H extends object>(
  caller: "register" | "registerAsync",
  handler: H,
  context: DecoratorContext,
): H {
  if (context.kind !== "method") {
    const article = context.kind === "accessor" ? "an" : "a";
    throw new TypeError(
      `Cannot decorate ${article} ${context.kind} with @${caller}: expected a method`,
    );
  }
  if (typeof handler !== "function") throw createHandlerError(caller, handler, [context]);
  const func = handler as unknown as AnyFunction;
  context.addInitializer(function (this: unknown) {
    realm.register({ handler, func, args: [], self: this, awaited: caller === "registerAsync" });
  });
  return handler;
}

function addResource<R extends object>(
  caller: "register" | "registerAsync",
  resource: R,
  args: readonly unknown[],
): R {
  if (isOldDecorator(args)) throw createHandlerError(caller, resource, args);
  const disposeAsync = caller === "registerAsync"
    ? getMethod(resource, Symbol.asyncDispose)
    : undefined;
  const dispose = getMethod(resource, Symbol.dispose);
  const func = disposeAsync ?? dispose;
  if (func === undefined) throw createHandlerError(caller, resource, args);
  if (args.length > 0) {
    throw new TypeError("Cannot register the exit handler: a resource takes no arguments");
  }
  const awaited = disposeAsync !== undefined;
  const funcSync = awaited ? dispose : undefined;
  realm.register({ handler: resource, func, args, self: resource, awaited, funcSync });
  return resource;
}

/** Returns a method of an object, if it has it. Throws what a getter throws. */
function getMethod(object: unknown, name: symbol | undefined): AnyFunction | undefined {
  // Old runtimes do not have the symbols.
  if (typeof object !== "object" || object === null || name === undefined) return undefined;
  const method = (object as { readonly [name: symbol]: unknown })[name];
  return typeof method === "function" ? method as AnyFunction : undefined;
}

/** Returns the argument if it is a decorator context. */
function toDecoratorContext(arg: unknown): DecoratorContext | undefined {
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

/** Whether these are the arguments of a decorator of TypeScript's old kind, after the target. */
function isOldDecorator(args: readonly unknown[]): boolean {
  const name = typeof args[0];
  return args.length === 2 && (name === "string" || name === "symbol");
}

/** Whether a function is a class, which cannot be called without `new`. */
function isClass(func: AnyFunction): boolean {
  try {
    // Arrow functions and methods, which most handlers are, have no prototype. Not by its descriptor:
    // that would create the prototype of a function, which takes ten times as long as its text.
    return "prototype" in func && apply(functionToString, func, []).startsWith("class");
  } catch {
    return false; // A proxy whose trap throws.
  }
}

function createHandlerError(
  caller: "register" | "registerAsync",
  handler: unknown,
  args: readonly unknown[],
): TypeError {
  const action = "Cannot register the exit handler";
  const isClass = typeof handler === "function";
  if (isClass || isOldDecorator(args)) {
    const received = isClass ? "a class" : describe(handler);
    return new TypeError(
      `${action}: expected a function or a disposable resource, received ${received}. As a decorator, ` +
        `@${caller} works on methods only, and needs standard decorators: turn off ` +
        "experimentalDecorators, or use Bun 1.4 or newer",
    );
  }
  if (caller === "register" && getMethod(handler, Symbol.asyncDispose) !== undefined) {
    return new TypeError(
      `${action}: expected an object with [Symbol.dispose](), received one with only ` +
        "[Symbol.asyncDispose](), which has to be awaited. Use registerAsync()",
    );
  }
  const isPromise = typeof handler === "object" && handler !== null && isThenable(handler);
  const received = isPromise ? "a promise" : describe(handler);
  const remedy = isPromise || handler === undefined
    ? ". Pass the function instead of calling it"
    : "";
  return new TypeError(
    `${action}: expected a function or a disposable resource, received ${received}${remedy}`,
  );
}
