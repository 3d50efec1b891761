// with_std.ts where JSR is out of reach: the stand-ins of @std have the types of the real packages.

import { withStd } from "./jsr.ts";
import { assertOutcome, freePort, newFolder, Program } from "./program.ts";

Deno.test("with_std.ts uses the stand-ins of @std, and says so, where JSR is out of reach", async () => {
  const url = `http://127.0.0.1:${freePort()}/`;
  const program = `
    import { assertEquals } from "@std/assert";
    import { spy } from "@std/testing/mock";
    console.log(typeof assertEquals, spy(() => 5)());
    Deno.exit(3);`;
  assertOutcome(await withStd(["eval", program], { JSR_URL: url }), {
    lines: ["function 5"],
    code: 3,
    counts: { "JSR is out of reach": 1 },
  });
});

/** Programs with a type error, and what the compiler says about it. */
const mistakes: Record<string, [program: string, message: string]> = {
  "lifecycle_test.ts: a readonly list is expected": [
    `import { assertEquals } from "@std/assert";
     const ends: string[] = [];
     for (const expected of [["raise Error: bad", "now 21"], ["now 21"]] as const) {
       assertEquals(ends, expected);
     }`,
    `'readonly ["raise Error: bad", "now 21"]' is 'readonly' and cannot be assigned`,
  ],
  "watcher_test.ts: one of two lists with different types is expected": [
    `import { assertEquals } from "@std/assert";
     export function check(outcome: Deno.CommandStatus, survives: boolean): void {
       assertEquals([outcome.code, outcome.signal], survives ? [137, "SIGKILL"] : [143, null]);
     }`,
    "'(number | Signal | null)[]' is not assignable to parameter of type '(string | number)[] | (number | null)[]'",
  ],
  "any is not the type that is expected": [
    `import { assertType, type IsExact } from "@std/testing/types";
     const reason: any = undefined;
     assertType<IsExact<typeof reason, string | undefined>>(true);`,
    "'true' is not assignable to parameter of type 'false'",
  ],
  "a stub is not of the type of the method": [
    `import { stub } from "@std/testing/mock";
     using _exit = stub(Deno, "exit", () => undefined);`,
    "'undefined' is not assignable to type 'never'",
  ],
};

Deno.test("deno check finds with the stand-ins of @std the mistakes that it finds with the real packages", async () => {
  const folder = newFolder();
  const files = Object.values(mistakes).map(([program], index) => {
    const file = `${folder}/mistake_${index}.ts`;
    Deno.writeTextFileSync(file, program);
    return file;
  });
  const importMap = new URL("./offline/import_map.json", import.meta.url).href;
  const args = ["check", "--no-config", `--import-map=${importMap}`, ...files];
  const outcome = await new Program(args, {}, Deno.execPath()).outcome();
  const messages = Object.values(mistakes).map(([, message]) => [message, 1]);
  assertOutcome(outcome, {
    counts: { ...Object.fromEntries(messages), [`Found ${files.length} errors`]: 1 },
    code: 1,
  });
});
