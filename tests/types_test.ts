// What compiles and what does not. `deno check` fails where an expected error does not come.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { register, registerAsync, unregister } from "../mod.ts";

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

  const typed: (value: number) => string = register((value: number) => `${value}`, 1);
  const asynchronous: () => Promise<string> = registerAsync(() => Promise.resolve("a"));
  unregister(typed);
  unregister(asynchronous);
  registerAsync(async (_: number) => await Promise.resolve(), 1);
  registerAsync(() => {});

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
}

Deno.test("the compiler points to registerAsync() where a function returns a promise", async () => {
  const mod = new URL("../mod.ts", import.meta.url).href;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      file,
      `import { register } from "${mod}";\nregister(async () => {});\n`,
    );
    const { stderr, code } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--no-config", file],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(code, 1);
    assertStringIncludes(
      new TextDecoder().decode(stderr),
      `Argument of type '() => Promise<void>' is not assignable to parameter of type ` +
        `'(() => Promise<void>) & "register() does not await promises: use registerAsync()"'`,
    );
  } finally {
    await Deno.remove(file);
  }
});
