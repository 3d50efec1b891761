// Tests of a tool that ends the program, as its authors write them: Deno.exit is replaced by a stub.

import { assertEquals } from "@std/assert";
import { assertSpyCall, assertSpyCalls, spy, stub } from "@std/testing/mock";
import { exitReason, register, unregister } from "../mod.ts";
import { assertOutcome, run } from "./program.ts";

/** A tool that removes its files at the end, and exits if it is called without arguments. */
function main(args: string[], removeFiles: () => void): void {
  register(removeFiles);
  if (args.length === 0) Deno.exit(2);
}

Deno.test("a test can stub Deno.exit(): the program does not end, and no handler runs", () => {
  const removeFiles = spy();
  using exit = stub(Deno, "exit", () => undefined as never);
  main([], removeFiles);
  assertSpyCalls(exit, 1);
  assertSpyCall(exit, 0, { args: [2] });
  assertSpyCalls(removeFiles, 0);
  assertEquals(exitReason(), undefined);
  unregister(removeFiles);
});

Deno.test("a test can stub Deno.exit() several times, and gets the original back", () => {
  const { exit: original } = Deno;
  for (const args of [[], ["file.txt"]]) {
    const removeFiles = spy();
    const exit = stub(Deno, "exit", () => undefined as never);
    main(args, removeFiles);
    assertSpyCalls(exit, args.length === 0 ? 1 : 0);
    exit.restore();
    assertEquals([exit.restored, Deno.exit === original], [true, true]);
    unregister(removeFiles);
  }
});

for (const end of ["Deno.exit(3);", "exit(3);"]) {
  Deno.test(`a stub of Deno.exit() may dispatch unload: the program lives on, at ${end}`, async () => {
    for (const when of ["before", "after"]) {
      const stub = `
        const original = Deno.exit;
        Deno.exit = (code) => {
          console.log("stub", code);
          dispatchEvent(new Event("unload"));
          setTimeout(() => console.log("still alive", exitReason(), Deno.exitCode), 100);
        };`;
      const outcome = await run(`
        import "node:process"; // Deno 2.9 does not load it otherwise.
        let exitReason;
        ${when === "before" ? stub : ""}
        const module = await import("@atexit/atexit");
        const { exit, register } = module;
        ({ exitReason } = module);
        register(() => console.log("first"));
        ${when === "after" ? stub : ""}
        setTimeout(() => {
          register(() => console.log("second"));
          Deno.exit = original;
        }, 200);
        ${end}
      `);
      assertOutcome(outcome, ({ lines, code, stderr }) => {
        assertEquals(lines.toSorted(), [
          ...["first", "second", "still alive undefined 0", "stub 3"],
        ]);
        assertEquals([code, stderr], [0, ""]);
      });
    }
  });
}
