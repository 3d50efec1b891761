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

/** Never called: it only has to compile. */
export function typeChecks(): void {
  register((_: number) => {}, 1);
  register((_first: number, _second?: string) => {}, 1);
  register((..._names: string[]) => {}, "a", "b");
  register(console.log, "anything", 1, {});
  register((): never => {
    throw new Error();
  });
  register(JSON.parse, "1");
  register(Deno.removeSync, "directory", { recursive: true });
  register((): unknown => JSON.parse("1"));
  // deno-lint-ignore no-explicit-any
  register((): any => JSON.parse("1"));
  register(() => [1, 2]);

  const typed: (value: number) => string = register((value: number) => `${value}`, 1);
  const asynchronous: () => Promise<string> = registerAsync(() => Promise.resolve("a"));
  unregister(typed);
  unregister(asynchronous);
  registerAsync(async (_: number) => await Promise.resolve(), 1);
  registerAsync(() => {});

  const generic = <F extends () => void>(func: F): F => register(func);
  const withArguments = <A extends unknown[]>(func: (...args: A) => void, ...args: A) =>
    register(func, ...args);
  const genericAsync = <F extends () => Promise<void>>(func: F): F => registerAsync(func);
  generic(() => {});
  withArguments((_: number) => {}, 1);
  genericAsync(async () => {});

  // @ts-expect-error A string is no number.
  register((_: number) => {}, "x");
  // @ts-expect-error The argument is missing.
  register((_: number) => {});
  // @ts-expect-error There is an argument too many.
  register(() => {}, 1);
  // @ts-expect-error A promise needs registerAsync().
  register(async () => {});
  // @ts-expect-error So does what may be a promise.
  register(() => Math.random() < 0.5 ? Promise.resolve() : undefined);
  // @ts-expect-error And what is like one.
  register((): PromiseLike<void> => Promise.resolve());
  // @ts-expect-error A string is no number.
  registerAsync(async (_: number) => {}, "x");
  // @ts-expect-error No function.
  register(undefined);
  // @ts-expect-error No function.
  unregister("name");

  class Decorated {
    @register
    static goodbye(): void {}
    @register
    close(): void {}
    @register
    optional(_name?: number): void {}
    @registerAsync
    static async flush(): Promise<void> {}
    // @ts-expect-error A promise needs registerAsync().
    @register
    static async wrong(): Promise<void> {}
    // @ts-expect-error A decorated method gets no arguments.
    @register
    greet(_name: string): void {}
    // @ts-expect-error Only methods are decorated.
    @register
    field = () => {};
  }
  unregister(Decorated.goodbye);

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

/** Checks a program, and returns the lines of the compiler, from the first error to its source. */
async function check(program: string): Promise<string[]> {
  const mod = new URL("../mod.ts", import.meta.url).href;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, `import * as atexit from "${mod}";\n${program}\n`);
    const { stderr, code } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--no-config", file],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(code, 1);
    const lines = new TextDecoder().decode(stderr).split(/\r?\n/);
    const start = lines.findIndex((line) => line.startsWith("TS"));
    return lines.slice(start, lines.indexOf(program)).map((line) => line.trim());
  } finally {
    await Deno.remove(file);
  }
}

const remedy = '"register() does not await promises: use registerAsync()"';
const wrong: Record<string, [program: string, lastLine: string]> = {
  "an asynchronous function": [
    "atexit.register(async () => {});",
    `Type '() => Promise<void>' is not assignable to type '${remedy}'.`,
  ],
  "a wrong argument": [
    'atexit.register((_: number) => {}, "x");',
    "Argument of type 'string' is not assignable to parameter of type 'number'.",
  ],
  "a missing argument": [
    "atexit.register((_: number) => {});",
    "Target signature provides too few arguments. Expected 1 or more, but got 0.",
  ],
  "an asynchronous method": [
    "export class C { @atexit.register async m() {} }",
    `Type '() => Promise<void>' is not assignable to type '${remedy}'.`,
  ],
};

for (const [what, [program, lastLine]] of Object.entries(wrong)) {
  Deno.test(`register() of ${what} is refused by the compiler, whose last line says why`, async () => {
    const lines = await check(program);
    assertEquals([lines.at(-1), lines.join().includes("would have succeeded")], [lastLine, false]);
  });
}
