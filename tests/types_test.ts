// What compiles and what does not. `deno check` fails where an expected error is missing.

import { assertEquals } from "@std/assert";
import { type FileHandle, open } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { setInterval as every } from "node:timers";
import { Worker as NodeWorker } from "node:worker_threads";
import {
  exit,
  exitOnSignals,
  type ExitOnSignalsOptions,
  type ExitOptions,
  type ExitReason,
  exitReason,
  overrideExit,
  type OverrideExitOptions,
  register,
  registerAsync,
  setGracePeriod,
  type Signal,
  SystemExit,
  unregister,
} from "../mod.ts";
import { mod, newFolder } from "./program.ts";

/** Never called. `exit()` is called in arrow functions, since nothing after it is reachable. */
export function typeChecksOfEnds(): void {
  const options: ExitOptions = { timeout: 1_000 };
  const exits: (() => never)[] = [
    () => exit(),
    () => exit(0, options),
    () => exit(undefined, { timeout: undefined }),
    // @ts-expect-error A code is a number.
    () => exit("1"),
    // @ts-expect-error There is no such option.
    () => exit(0, { time: 1 }),
  ];
  void exits;

  const signals: Signal[] = ["SIGINT", "SIGUSR1"];
  const forSignals: ExitOnSignalsOptions = { signals: new Set(signals), timeout: 1_000 };
  const disposable: Disposable = exitOnSignals(forSignals);
  disposable[Symbol.dispose]();
  exitOnSignals({ signals: Deno.build.os === "windows" ? ["SIGBREAK"] : signals });
  // @ts-expect-error Not a signal.
  exitOnSignals({ signals: ["SIGNONSENSE"] });
  // @ts-expect-error The signals belong in the options.
  exitOnSignals(["SIGINT"]);

  const forExits: OverrideExitOptions = { timeout: 1_000 };
  const override: Disposable = overrideExit(forExits);
  override[Symbol.dispose]();
  using _override = overrideExit();
  overrideExit({ timeout: undefined });
  // @ts-expect-error The timeout belongs in the options.
  overrideExit(1_000);
  // @ts-expect-error There is no such option.
  overrideExit({ time: 1 });

  const reason: ExitReason | undefined = exitReason();
  if (reason?.kind === "error") reason.error;
  if (reason?.kind === "signal") reason.signal;
  if (reason?.kind === "finished" || reason?.kind === "exit" || reason?.kind === "unload") {
    const { kind } = reason;
    kind satisfies "finished" | "exit" | "unload";
  }
  // @ts-expect-error Only an error has one.
  if (reason?.kind === "exit") reason.error;
  // @ts-expect-error There is no such kind.
  if (reason?.kind === "dry") reason;

  setGracePeriod(1_000);
  setGracePeriod(undefined);
  // @ts-expect-error A time is a number.
  setGracePeriod("1 s");

  const code: number = new SystemExit("text").code;
  new SystemExit(code);
  // @ts-expect-error Neither a code nor a text.
  new SystemExit({});
}

/** Never called: no `return` is needed after `exit()`. */
export function typeChecksOfUnreachableCode(): number {
  exit(1);
}

/** Never called: after the `if`, the value is narrowed. */
export function typeChecksOfNarrowing(value: string | undefined): string {
  if (value === undefined) exit(1);
  return value;
}

/** Never called: it only has to compile. */
export function typeChecks(): void {
  // Arguments.
  register((_: number) => {}, 1);
  register((_first: number, _second?: string) => {}, 1);
  register((_first: number, _second?: string) => {}, 1, "x");
  register((..._names: string[]) => {}, "a", "b");
  register((..._names: string[]) => {});
  register((_: "a" | "b", _pair: [number, string]) => {}, "a", [1, "x"]);
  register((_: (value: number) => void) => {}, (value) => value.toFixed());
  register((name, { adjective }) => `${name.trim()} ${adjective.trim()}`, "a", { adjective: "x" });
  register((_: number, _second: string) => {}, ...([1, "x"] as const));
  register(console.log, "x", 1, {});
  register(console.log.bind(console), "x", 1);
  register(JSON.parse, "1");
  register(Deno.removeSync, "directory", { recursive: true });
  register(clearTimeout, setTimeout(() => {}));
  register(<T>(value: T): unknown => value, 1);
  // @ts-expect-error A string is no number.
  register((_: number) => {}, "x");
  // @ts-expect-error Nor here.
  register((_first: number, _second?: string) => {}, 1, 2);
  // @ts-expect-error The argument is missing.
  register((_: number) => {});
  // @ts-expect-error One is missing.
  register((_first: number, _second: string) => {}, 1);
  // @ts-expect-error There is an argument too many.
  register(() => {}, 1);
  // @ts-expect-error Nor is there a second one.
  register((_: number) => {}, 1, 2);
  // @ts-expect-error There is no such option.
  register(Deno.removeSync, "directory", { recursiv: true });

  // What is returned has the type of the function.
  const typed: (value: number) => string = register((value: number) => `${value}`, 1);
  const withProperty: { (): void; readonly value: 1 } = Object.assign(
    () => {},
    { value: 1 } as const,
  );
  const same: 1 = register(withProperty).value;
  // deno-lint-ignore no-explicit-any
  const ofAny: (value: number) => void = register((_: number) => {}, same as any);
  // deno-lint-ignore no-explicit-any
  const any: any = undefined;
  register(any, 1);

  // What the function returns.
  register((): never => {
    throw new Error();
  });
  register((): unknown => JSON.parse("1"));
  register((_: number): unknown => JSON.parse("1"), 1);
  // deno-lint-ignore no-explicit-any
  register((): any => JSON.parse("1"));
  register((): void | undefined => {});
  register((): 1 | "a" | true | null => null);
  register(() => [1, 2]);
  register(() => () => {});
  // @ts-expect-error A promise needs registerAsync().
  register(async () => {});
  // @ts-expect-error With arguments too.
  register(async (_: number) => {}, 1);
  // @ts-expect-error So does what may be a promise.
  register(() => Math.random() < 0.5 ? Promise.resolve() : undefined);
  // @ts-expect-error So does what may be a promise.
  register((): void | Promise<void> => {});
  // @ts-expect-error And what is like one.
  register((): PromiseLike<void> => Promise.resolve());
  // deno-lint-ignore no-explicit-any
  const anything: any = undefined;
  // @ts-expect-error An argument of type any does not make a decorator's context.
  register(async (_?: number) => {}, anything);

  // Not a function, or one that cannot be called like this.
  // @ts-expect-error Not a function.
  register(undefined);
  // @ts-expect-error It may be undefined.
  register(typed as typeof typed | undefined, 1);
  // @ts-expect-error A class.
  register(class {});
  // @ts-expect-error It is called with `this` being undefined.
  register(function (this: Date) {});
  register(function (this: undefined) {});
  register(function (this: void) {});
  // @ts-expect-error As TypeScript's old decorators call it.
  register({}, "name", {});

  // Generic callers.
  const generic = <F extends () => void>(func: F): F => register(func);
  const ofUnknown = <F extends () => unknown>(func: F): F => register(func);
  const withArguments = <A extends unknown[]>(func: (...args: A) => void, ...args: A) =>
    register(func, ...args);
  const both = <A extends unknown[], F extends (...args: A) => void>(func: F, ...args: A): F =>
    register(func, ...args);
  const forwarded = <F extends (...args: never[]) => void>(func: F, ...args: Parameters<F>): F =>
    register(func, ...args);
  const ofValue = <T>(func: (value: T) => void, value: T) => register(func, value);
  generic(() => {});
  ofUnknown(() => {});
  withArguments((_: number) => {}, 1);
  both((_: number) => {}, 1);
  forwarded((_: number) => {}, 1);
  ofValue((_: number) => {}, 1);
  // @ts-expect-error T may be a promise.
  const ofResult = <T>(func: () => T) => register(func);
  // @ts-expect-error This is one.
  const ofPromise = <F extends () => Promise<void>>(func: F) => register(func);
  const withPromise = <A extends unknown[]>(func: (...args: A) => Promise<void>, ...args: A) =>
    // @ts-expect-error This too.
    register(func, ...args);
  unregister(ofResult);
  unregister(ofPromise);
  unregister(withPromise);

  // One of the two.
  for (const add of [register, registerAsync]) add((_: number) => {}, 1);
  (Math.random() < 0.5 ? register : registerAsync)(() => {});

  // registerAsync().
  const asynchronous: () => Promise<string> = registerAsync(() => Promise.resolve("a"));
  registerAsync(async (_: number) => await Promise.resolve(), 1);
  registerAsync((name) => Promise.resolve(name.trim()), "a");
  registerAsync(() => Math.random() < 0.5 ? Promise.resolve() : undefined);
  registerAsync(() => {});
  registerAsync(Deno.remove, "directory", { recursive: true });
  const genericAsync = <F extends () => Promise<void>>(func: F): F => registerAsync(func);
  const argumentsAsync = <A extends unknown[]>(func: (...args: A) => Promise<void>, ...args: A) =>
    registerAsync(func, ...args);
  genericAsync(async () => {});
  argumentsAsync(async (_: number) => {}, 1);
  // @ts-expect-error A string is no number.
  registerAsync(async (_: number) => {}, "x");
  // @ts-expect-error The argument is missing.
  registerAsync(async (_: number) => {});
  // @ts-expect-error There is an argument too many.
  registerAsync(async () => {}, 1);
  // @ts-expect-error A promise, not a function.
  registerAsync(Promise.resolve());
  // @ts-expect-error A class.
  registerAsync(class {});

  // Decorators.
  class Decorated<T> {
    static lines: string[] = [];
    value?: T;
    @register
    static goodbye(): void {
      this.lines.pop();
    }
    @register
    close(): void {}
    @register
    optional(_name?: number): void {}
    @register
    rest(..._names: string[]): void {}
    @register
    unknown(): unknown {
      return this.value;
    }
    @register
    // deno-lint-ignore no-explicit-any
    any(): any {}
    @register
    withThis(this: Decorated<T>): void {
      this.#hidden();
    }
    @register
    #hidden(): void {}
    @registerAsync
    static async flush(): Promise<void> {}
    @registerAsync
    async end(_name?: string): Promise<void> {}
    @registerAsync
    maybe(): void | Promise<void> {}

    // @ts-expect-error A promise needs registerAsync().
    @register
    static async wrong(): Promise<void> {}
    // @ts-expect-error So does what may be one.
    @register
    mayBePromise(): void | Promise<void> {}
    // @ts-expect-error And what is like one.
    @register
    like(): PromiseLike<void> {
      return Promise.resolve();
    }
    // @ts-expect-error A decorated method gets no arguments.
    @register
    greet(_name: string): void {}
    // @ts-expect-error Only methods are decorated.
    @register
    field = () => {};
    // @ts-expect-error Only methods are decorated.
    @register
    accessor accessor = () => {};
    // @ts-expect-error Only methods are decorated.
    @register
    set setter(_value: number) {}
    // @ts-expect-error The decorator itself takes no arguments.
    @register()
    called(): void {}

    // @ts-expect-error A decorated method gets no arguments.
    @registerAsync
    async greetAsync(_name: string): Promise<void> {}
    // @ts-expect-error Only methods are decorated.
    @registerAsync
    fieldAsync = async () => {};

    // These compile, since functions of such types may be registered with any object as argument, which
    // the context of a decorator is. At run time the getters and the setter throw a TypeError.
    @register
    greetUnknown(_name: unknown): void {}
    @register
    greetObject(_name: object): void {}
    @register
    get getter(): number {
      return 1;
    }
    @register
    set setterOfUnknown(_value: unknown) {}
    @registerAsync
    async greetUnknownAsync(_name: unknown): Promise<void> {}
    @registerAsync
    get getterAsync(): Promise<void> {
      return Promise.resolve();
    }
  }
  // @ts-expect-error Only methods are decorated.
  @register
  class DecoratedClass {}
  // @ts-expect-error Only methods are decorated.
  @registerAsync
  class DecoratedClassAsync {}

  unregister(typed);
  unregister(asynchronous);
  unregister(ofAny);
  unregister(Decorated.goodbye);
  unregister(Decorated.prototype.withThis);
  // @ts-expect-error Neither a function nor a resource.
  unregister("name");
  // @ts-expect-error A class is never registered.
  unregister(DecoratedClass);
  // @ts-expect-error A class is never registered.
  unregister(DecoratedClassAsync);
}

/** Never called: resources. */
export async function typeChecksOfResources(): Promise<void> {
  // Those of the runtime, whose types are kept.
  const db: DatabaseSync = register(new DatabaseSync(":memory:"));
  const server: Deno.HttpServer<Deno.NetAddr> = registerAsync(
    Deno.serve({ port: 0 }, () => new Response()),
  );
  const child: Deno.ChildProcess = registerAsync(new Deno.Command("x").spawn());
  const file: Deno.FsFile = register(Deno.openSync("x"));
  const handle: FileHandle = registerAsync(await open("x"));
  const http: Server = registerAsync(createServer());
  registerAsync(file);
  register(new DisposableStack());
  registerAsync(new DisposableStack());
  registerAsync(new AsyncDisposableStack());
  registerAsync(new NodeWorker("x"));
  register(Deno.listen({ port: 0 }));
  register(await Deno.connect({ port: 0 }));
  register(Deno.watchFs("x"));
  register(every(() => {}, 1));
  const stop = register(exitOnSignals());
  using usedFile = register(Deno.openSync("x"));
  await using usedHandle = registerAsync(await open("x"));

  // Literals, classes, and generic callers.
  const literal = register({
    value: 1,
    [Symbol.dispose]() {
      this.value.toFixed();
    },
  });
  const value: number = literal.value;
  const both = registerAsync({ [Symbol.dispose]() {}, async [Symbol.asyncDispose]() {} });
  register(both);
  registerAsync({ [Symbol.dispose]() {} });
  abstract class Base implements Disposable {
    constructor() {
      register(this);
    }
    abstract [Symbol.dispose](): void;
  }
  const generic = <R extends Disposable>(resource: R): R => register(resource);
  const genericAsync = <R extends AsyncDisposable>(resource: R): R => registerAsync(resource);
  const either = <R extends AsyncDisposable | Disposable>(resource: R): R =>
    registerAsync(resource);
  for (const add of [register, registerAsync]) add(db);
  // A function is called, whatever else it has.
  const func = Object.assign((_: number) => {}, { [Symbol.dispose]() {} });
  register(func, 1);

  // @ts-expect-error Its promise would not be awaited.
  register({ async [Symbol.asyncDispose]() {} });
  // @ts-expect-error Its promise would not be awaited either.
  register(server);
  // @ts-expect-error Nor in a generic function.
  const wrongGeneric = <R extends AsyncDisposable>(resource: R) => register(resource);
  // @ts-expect-error Not a resource.
  register({});
  // @ts-expect-error Not a resource.
  register({ close() {} });
  // @ts-expect-error Not a resource.
  register(new Map());
  // @ts-expect-error Not a resource.
  registerAsync({});
  // @ts-expect-error A resource takes no arguments.
  register(db, 1);
  // @ts-expect-error It may be undefined.
  register(db as DatabaseSync | undefined);
  // @ts-expect-error A class is not a resource, even if its instances are.
  register(DatabaseSync);
  // @ts-expect-error A promise of a resource is not a resource.
  register(open("x"));
  // @ts-expect-error A promise of a resource is not a resource.
  registerAsync(open("x"));
  // @ts-expect-error It may be anything.
  register(value as unknown);

  unregister(db);
  unregister(server);
  unregister(func);
  for (const handler of [db, child, handle, http, stop, both, func]) unregister(handler);
  // @ts-expect-error Neither a function nor a resource.
  unregister({});
  // @ts-expect-error A promise is never registered.
  unregister(Promise.resolve());
  void [usedFile, usedHandle, Base, generic, genericAsync, either, wrongGeneric];
}

/** Never called: functions that are generic or overloaded. */
export function typeChecksOfGenerics(): void {
  const generic = <T extends string>(_value: T, _values: T[]): void => {};
  const same: typeof generic = register(generic, "a", ["a"]);
  register(<T>(_first: T, _second: NoInfer<T>): void => {}, 1, 2);
  register(Deno.writeTextFileSync, "path", "text");
  registerAsync(Deno.writeTextFile, "path", "text");
  registerAsync(fetch, "https://example.com", { method: "POST" });
  unregister(same);
}

const promises = "register() does not await promises: use registerAsync()";
const methods =
  "@register is for methods without arguments; @registerAsync for those that return promises";
const last = [
  "TS2769 [ERROR]: No overload matches this call.",
  "The last overload gave the following error.",
];
/** What the compiler says about an argument that should be something else. */
const instead = (actual: string, text: string) => [
  ...last,
  `Argument of type '${actual}' is not assignable to parameter of type '"${text}"'.`,
];
const decorates = (value: string) => [
  `TS1270 [ERROR]: Decorator function return type '["${methods}"]' is not assignable to type 'void | ${value}'.`,
];
const itself = "the function itself: pass it instead of calling it";
const number = "a function that takes this number of arguments";

/** Programs that do not compile, and everything that the compiler says about them. */
const wrong: Record<string, [program: string, lines: string[]]> = {
  "register() of an asynchronous function": [
    "atexit.register(async () => {});",
    instead("() => Promise<void>", promises),
  ],
  "register() of one that may return a promise": [
    "atexit.register((): void | Promise<void> => {});",
    instead("() => void | Promise<void>", promises),
  ],
  "register() of an asynchronous function with arguments": [
    "atexit.register(async (_: number) => {}, 1);",
    instead("(_: number) => Promise<void>", promises),
  ],
  "register() of an object with only [Symbol.asyncDispose]()": [
    "atexit.register({ async [Symbol.asyncDispose]() {} });",
    instead(
      "{ [Symbol.asyncDispose](): Promise<void>; }",
      "register() does not await [Symbol.asyncDispose](): use registerAsync()",
    ),
  ],
  "register() of a plain object": [
    "atexit.register({ close() {} });",
    instead("{ close(): void; }", "a function or an object with [Symbol.dispose]()"),
  ],
  "registerAsync() of a plain object": [
    "atexit.registerAsync({});",
    instead("{}", "a function or an object with [Symbol.asyncDispose]() or [Symbol.dispose]()"),
  ],
  "register() of a text": [
    'atexit.register("text");',
    instead('"text"', "a function or an object with [Symbol.dispose]()"),
  ],
  "register() of a resource with an argument": [
    "atexit.register({ [Symbol.dispose]() {} }, 1);",
    instead("{ [Symbol.dispose](): void; }", "a function: a resource takes no arguments"),
  ],
  "register() of what a function returned": [
    "declare function close(): void; atexit.register(close());",
    instead("void", itself),
  ],
  "register() of undefined": ["atexit.register(undefined);", instead("undefined", itself)],
  "register() of a promise": [
    "atexit.register(Promise.resolve());",
    instead("Promise<void>", itself),
  ],
  "registerAsync() of a promise": [
    "atexit.registerAsync(Promise.resolve());",
    instead("Promise<void>", itself),
  ],
  "register() of what may be undefined": [
    "declare const func: (() => void) | undefined; atexit.register(func);",
    [
      ...instead("(() => void) | undefined", "a function or resource that cannot be undefined"),
      `Type 'undefined' is not assignable to type '"a function or resource that cannot be undefined"'.`,
    ],
  ],
  "register() with a wrong argument": ['atexit.register((_: number) => {}, "x");', [
    ...last,
    "Argument of type 'string' is not assignable to parameter of type 'number'.",
  ]],
  "register() with a misspelt option": [
    'atexit.register(Deno.removeSync, "directory", { recursiv: true });',
    [
      ...last,
      "Object literal may only specify known properties, but 'recursiv' does not exist in type 'RemoveOptions'. Did you mean to write 'recursive'?",
    ],
  ],
  "register() with a missing argument": [
    "atexit.register((_: number) => {});",
    instead("(_: number) => void", number),
  ],
  "register() with one argument instead of two": [
    "atexit.register((_: number, _second: string) => {}, 1);",
    instead("(_: number, _second: string) => void", number),
  ],
  "register() with an argument too many": [
    "atexit.register(() => {}, 1);",
    instead("() => void", number),
  ],
  "register() with two arguments too many": [
    "atexit.register(() => {}, 1, 2);",
    instead("() => void", number),
  ],
  "registerAsync() with a wrong argument": [
    'atexit.registerAsync(async (_: number) => {}, "x");',
    [...last, "Argument of type 'string' is not assignable to parameter of type 'number'."],
  ],
  "registerAsync() with a missing argument": [
    "atexit.registerAsync(async (_: number) => {});",
    instead("(_: number) => Promise<void>", number),
  ],
  "register() of a class": [
    "atexit.register(class C {});",
    instead("typeof C", "a function that is not a class"),
  ],
  "register() of a function that needs `this`": [
    "atexit.register(function (this: Date) {});",
    instead(
      "(this: Date) => void",
      "a function that does not need `this`: pass an arrow function",
    ),
  ],
  "register() of an asynchronous method": [
    "export class C { @atexit.register async m() {} }",
    decorates("(() => Promise<void>)"),
  ],
  "register() of a method with arguments": [
    "export class C { @atexit.register m(_: string) {} }",
    decorates("((_: string) => void)"),
  ],
  "register() of a field": [
    "export class C { @atexit.register field = 1; }",
    decorates("((this: C, value: number) => number)"),
  ],
  "register() of an accessor": [
    "export class C { @atexit.register accessor a = 1; }",
    decorates("ClassAccessorDecoratorResult<C, number>"),
  ],
  "register() of a decorated class": [
    "@atexit.register export class C {}",
    decorates("typeof C"),
  ],
  "registerAsync() of a method with arguments": [
    "export class C { @atexit.registerAsync async m(_: string) {} }",
    decorates("((_: string) => Promise<void>)"),
  ],
  "unregister() of a promise": [
    "atexit.unregister(Promise.resolve());",
    [
      "TS2345 [ERROR]: Argument of type 'Promise<void>' is not assignable to parameter of type '{ readonly [dispose]: () => void; } | { readonly [asyncDispose]: () => PromiseLike<void>; } | ((...args: never[]) => unknown)'.",
    ],
  ],
  "exitOnSignals() with a list": ['atexit.exitOnSignals(["SIGINT"]);', [
    "TS2559 [ERROR]: Type 'string[]' has no properties in common with type 'ExitOnSignalsOptions'.",
  ]],
  "exitOnSignals() with a misspelt option": ["atexit.exitOnSignals({ timeouts: 1 });", [
    "TS2561 [ERROR]: Object literal may only specify known properties, but 'timeouts' does not exist in type 'ExitOnSignalsOptions'. Did you mean to write 'timeout'?",
  ]],
  "overrideExit() with a time in place of the options": ["atexit.overrideExit(1_000);", [
    "TS2559 [ERROR]: Type '1000' has no properties in common with type 'OverrideExitOptions'.",
  ]],
  "exit() with options in place of the code": ["atexit.exit({ timeout: 1 });", [
    "TS2345 [ERROR]: Argument of type '{ timeout: number; }' is not assignable to parameter of type 'number'.",
  ]],
  "SystemExit() without new": ["throw atexit.SystemExit(2);", [
    "TS2348 [ERROR]: Value of type 'typeof SystemExit' is not callable. Did you mean to include 'new'?",
  ]],
};

/** Only the last line of the compiler is expected: the others show how it got there. */
const unknownSignal = 'atexit.exitOnSignals({ signals: ["SIGKILL"] });';

// ------------------------------------------------------------------------------------- the compiler

let checked: Promise<Map<string, string[]>> | undefined;

/** The lines of the compiler's errors, without their places, by program. */
async function checkAll(): Promise<Map<string, string[]>> {
  const programs = [unknownSignal, ...Object.values(wrong).map(([text]) => text)];
  const folder = newFolder();
  const files = programs.map((program, index) => {
    const file = `${folder}/${index}.ts`;
    Deno.writeTextFileSync(file, `import * as atexit from "${mod}";\n${program}\n`);
    return file;
  });
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--no-config", ...files],
    env: { NO_COLOR: "1" },
  }).output();
  const errors = new Map<string, string[]>();
  for (const text of new TextDecoder().decode(stderr).split(/^(?=TS\d+ )/m)) {
    const [, index] = text.match(/^ +at file:\S+\/(\d+)\.ts:2:/m) ?? [];
    if (index === undefined) continue;
    const program = programs[Number(index)];
    const lines = text.split(/\r?\n/);
    const error = lines.slice(0, lines.indexOf(program)).map((line) => line.trim());
    errors.set(program, [...errors.get(program) ?? [], ...error]);
  }
  return errors;
}

/** Returns what the compiler says about a program. All programs are checked at once. */
async function check(program: string): Promise<string[]> {
  const lines = (await (checked ??= checkAll())).get(program);
  if (lines === undefined) throw new Error(`It compiles: ${program}`);
  return lines;
}

for (const [what, [program, expected]] of Object.entries(wrong)) {
  Deno.test(`${what} does not compile, and the compiler says why`, async () => {
    assertEquals(await check(program), expected);
  });
}

Deno.test("exitOnSignals() of a signal that cannot be listened to does not compile, and the last line of the compiler says why", async () => {
  const expected = "Type '\"SIGKILL\"' is not assignable to type 'Signal'.";
  assertEquals((await check(unknownSignal)).at(-1), expected);
});
