// Tests of a tool that ends the program, as its authors write them: Deno.exit is replaced by a stub.

import { assertEquals } from "@std/assert";
import { assertSpyCall, assertSpyCalls, spy, stub } from "@std/testing/mock";
import { exitReason, register, unregister } from "../mod.ts";

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
