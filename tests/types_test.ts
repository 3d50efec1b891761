// What compiles and what does not. `deno check` fails where an expected error does not come.

import { assertEquals } from "@std/assert";
import {
  exit,
  exitOnSignals,
  type ExitOnSignalsOptions,
  type ExitOptions,
  type ExitReason,
  exitReason,
  register,
  registerAsync,
  setGracePeriod,
  type Signal,
  SystemExit,
  unregister,
} from "../mod.ts";
import { mod, newFolder } from "./program.ts";

/** Never called either. */
export function typeChecksOfEnds(): void {
  const options: ExitOptions = { timeout: 1_000 };
  exit(0, options);
  exit(undefined, { timeout: undefined });
  // @ts-expect-error A code is a number.
  exit("1");
  // @ts-expect-error There is no such option.
  exit(0, { time: 1 });

  const signals: Signal[] = ["SIGINT", "SIGUSR1"];
  const forSignals: ExitOnSignalsOptions = { signals: new Set(signals), timeout: 1_000 };
  const disposable: Disposable = exitOnSignals(forSignals);
  disposable[Symbol.dispose]();
  exitOnSignals({ signals: Deno.build.os === "windows" ? ["SIGBREAK"] : signals });
  // @ts-expect-error No signal.
  exitOnSignals({ signals: ["SIGNONSENSE"] });
  // @ts-expect-error The signals stand in the options.
  exitOnSignals(["SIGINT"]);

  const reason: ExitReason | undefined = exitReason();
  if (reason?.kind === "error") reason.error;
  if (reason?.kind === "signal") reason.signal;
  // @ts-expect-error Only an error has one.
  if (reason?.kind === "exit") reason.error;

  setGracePeriod(1_000);
  setGracePeriod(undefined);
  // @ts-expect-error A time is a number.
  setGracePeriod("1 s");

  const code: number = new SystemExit("text").code;
  new SystemExit(code);
  // @ts-expect-error Neither a code nor a text.
  new SystemExit({});
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

  // What is no function, or none that can be called like this.
  // @ts-expect-error No function.
  register(undefined);
  // @ts-expect-error Perhaps no function.
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
  // @ts-expect-error No function: a promise.
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
    // @ts-expect-error Not even if what a decorator gets would do.
    @register
    greetUnknown(_name: unknown): void {}
    // @ts-expect-error Nor here.
    @register
    greetObject(_name: object): void {}
    // @ts-expect-error Only methods are decorated.
    @register
    field = () => {};
    // @ts-expect-error Only methods are decorated.
    @register
    accessor accessor = () => {};
    // @ts-expect-error Only methods are decorated.
    @register
    get getter(): number {
      return 1;
    }
    // @ts-expect-error Only methods are decorated.
    @register
    set setter(_value: unknown) {}
    // @ts-expect-error The decorator itself takes no arguments.
    @register()
    called(): void {}

    // @ts-expect-error A decorated method gets no arguments.
    @registerAsync
    async greetAsync(_name: string): Promise<void> {}
    // @ts-expect-error Not even if what a decorator gets would do.
    @registerAsync
    async greetUnknownAsync(_name: unknown): Promise<void> {}
    // @ts-expect-error Only methods are decorated.
    @registerAsync
    fieldAsync = async () => {};
    // @ts-expect-error Only methods are decorated.
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
  // @ts-expect-error No function.
  unregister("name");
  // @ts-expect-error No function that was ever registered.
  unregister(DecoratedClass);
  // @ts-expect-error No function that was ever registered.
  unregister(DecoratedClassAsync);
}

const promises = "register() does not await promises: use registerAsync()";
const methods =
  "@register is for methods without arguments; @registerAsync for those that return promises";
const several = [
  "TS2769 [ERROR]: No overload matches this call.",
  "The last overload gave the following error.",
];

/** All that the compiler says. */
const wrong: Record<string, [program: string, lines: string[]]> = {
  "register() of an asynchronous function": ["atexit.register(async () => {});", [
    `TS2345 [ERROR]: Argument of type '() => Promise<void>' is not assignable to parameter of type '"${promises}"'.`,
  ]],
  "register() of one that may return a promise": [
    "atexit.register((): void | Promise<void> => {});",
    [
      `TS2345 [ERROR]: Argument of type '() => void | Promise<void>' is not assignable to parameter of type '"${promises}"'.`,
    ],
  ],
  "register() of an asynchronous function with arguments": [
    "atexit.register(async (_: number) => {}, 1);",
    [
      ...several,
      `Argument of type '(_: number) => Promise<void>' is not assignable to parameter of type '"${promises}"'.`,
    ],
  ],
  "register() with a wrong argument": ['atexit.register((_: number) => {}, "x");', [
    ...several,
    "Argument of type 'string' is not assignable to parameter of type 'number'.",
  ]],
  "register() with a missing argument": ["atexit.register((_: number) => {});", [
    "TS2554 [ERROR]: Expected 2 arguments, but got 1.",
  ]],
  "register() with two arguments too many": ["atexit.register(() => {}, 1, 2);", [
    "TS2554 [ERROR]: Expected 1 arguments, but got 3.",
  ]],
  "register() of an asynchronous method": ["export class C { @atexit.register async m() {} }", [
    `TS1270 [ERROR]: Decorator function return type '["${methods}"]' is not assignable to type 'void | (() => Promise<void>)'.`,
  ]],
  "register() of a method with arguments": [
    "export class C { @atexit.register m(_: string) {} }",
    [
      `TS1270 [ERROR]: Decorator function return type '["${methods}"]' is not assignable to type 'void | ((_: string) => void)'.`,
    ],
  ],
  "register() of a getter": ["export class C { @atexit.register get g() { return 1; } }", [
    `TS1270 [ERROR]: Decorator function return type '["${methods}"]' is not assignable to type 'void | (() => number)'.`,
  ]],
  "registerAsync() with a wrong argument": ['atexit.registerAsync(async (_: number) => {}, "x");', [
    ...several,
    "Argument of type 'string' is not assignable to parameter of type 'number'.",
  ]],
  "registerAsync() with a missing argument": ["atexit.registerAsync(async (_: number) => {});", [
    "TS2554 [ERROR]: Expected 2 arguments, but got 1.",
  ]],
  // Where TypeScript says it well enough, its message is left alone.
  "register() of what a function returned": [
    "declare function close(): void; atexit.register(close());",
    [
      `TS2345 [ERROR]: Argument of type 'void' is not assignable to parameter of type '((...args: never[]) => unknown) & ((this: undefined) => unknown)'.`,
      "Type 'void' is not assignable to type '(...args: never[]) => unknown'.",
    ],
  ],
  "registerAsync() of a promise": ["atexit.registerAsync(Promise.resolve());", [
    `TS2345 [ERROR]: Argument of type 'Promise<void>' is not assignable to parameter of type '((...args: never[]) => unknown) & ((this: undefined) => unknown)'.`,
    "Type 'Promise<void>' is not assignable to type '(...args: never[]) => unknown'.",
    "Type 'Promise<void>' provides no match for the signature '(...args: never[]): unknown'.",
  ]],
  "exitOnSignals() with a list": ['atexit.exitOnSignals(["SIGINT"]);', [
    "TS2559 [ERROR]: Type 'string[]' has no properties in common with type 'ExitOnSignalsOptions'.",
  ]],
  "exitOnSignals() with a misspelt option": ["atexit.exitOnSignals({ timeouts: 1 });", [
    "TS2561 [ERROR]: Object literal may only specify known properties, but 'timeouts' does not exist in type 'ExitOnSignalsOptions'. Did you mean to write 'timeout'?",
  ]],
  "exit() with options in place of the code": ["atexit.exit({ timeout: 1 });", [
    "TS2345 [ERROR]: Argument of type '{ timeout: number; }' is not assignable to parameter of type 'number'.",
  ]],
  "SystemExit() without new": ["throw atexit.SystemExit(2);", [
    "TS2348 [ERROR]: Value of type 'typeof SystemExit' is not callable. Did you mean to include 'new'?",
  ]],
  "registerAsync() of a method with arguments": [
    "export class C { @atexit.registerAsync async m(_: string) {} }",
    [
      `TS1270 [ERROR]: Decorator function return type '["${methods}"]' is not assignable to type 'void | ((_: string) => Promise<void>)'.`,
    ],
  ],
};

/** Where all overloads are listed, only the last line is ours. */
const lastLines: Record<string, [program: string, lastLine: string]> = {
  "one argument too many": [
    "atexit.register(() => {}, 1);",
    `Argument of type '() => void' is not assignable to parameter of type '["a function that takes that number of arguments"]'.`,
  ],
  "one argument instead of two": [
    "atexit.register((_: number, _second: string) => {}, 1);",
    `Argument of type '(_: number, _second: string) => void' is not assignable to parameter of type '["a function that takes that number of arguments"]'.`,
  ],
  "no function": [
    "atexit.register(undefined);",
    "Type 'undefined' is not assignable to type '(...args: never[]) => unknown'.",
  ],
  "a class": [
    "atexit.register(class C {});",
    "Type 'typeof C' provides no match for the signature '(...args: never[]): unknown'.",
  ],
  "a function that needs `this`": [
    "atexit.register(function (this: Date) {});",
    "Type 'undefined' is not assignable to type 'Date'.",
  ],
  "a signal that cannot be listened to": [
    'atexit.exitOnSignals({ signals: ["SIGKILL"] });',
    "Type '\"SIGKILL\"' is not assignable to type 'Signal'.",
  ],
};

// ------------------------------------------------------------------------------------- the compiler

let checked: Promise<Map<string, string[]>> | undefined;

/** The lines of each error of the compiler, without its place, by the program that it is about. */
async function checkAll(): Promise<Map<string, string[]>> {
  const programs = [...Object.values(wrong), ...Object.values(lastLines)].map(([text]) => text);
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

/** What the compiler says about a program. All of them are checked at once. */
async function check(program: string): Promise<string[]> {
  const lines = (await (checked ??= checkAll())).get(program);
  if (lines === undefined) throw new Error(`It compiles: ${program}`);
  return lines;
}

for (const [what, [program, expected]] of Object.entries(wrong)) {
  Deno.test(`${what} is refused by the compiler, which says why`, async () => {
    assertEquals(await check(program), expected);
  });
}

for (const [what, [program, lastLine]] of Object.entries(lastLines)) {
  Deno.test(`a call with ${what} is refused by the compiler, whose last line says why`, async () => {
    const lines = await check(program);
    assertEquals([lines.at(-1), lines.join().includes("would have succeeded")], [lastLine, false]);
  });
}
