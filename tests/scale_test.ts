// Many handlers, many cycles, and what is kept of them. `deno task scale` runs it a hundred times larger.

import { assert, assertEquals } from "@std/assert";
import { runFixture } from "./program.ts";

const factor = Number(Deno.env.get("ATEXIT_TEST_SCALE") ?? 1);
const gc = ["run", "--v8-flags=--expose-gc"];

Deno.test("of many handlers all run, and all that throw are reported", async () => {
  const count = 10_000 * factor;
  const start = performance.now();
  const { lines, code, stderr } = await runFixture("many_handlers", { args: [`${count}`] });
  const [ran, memory] = lines[0].split(" ").map(Number);
  assertEquals([ran, code], [count, 1]);
  assertEquals(stderr.split("Exception in atexit handler").length - 1, count / 10);
  tell(`${count} handlers, one in ten throwing`, performance.now() - start, memory / 2 ** 20);
});

Deno.test("the heap does not grow with cycles of register and unregister", async () => {
  const cycles = 100_000 * factor;
  const start = performance.now();
  const { lines } = await runFixture("many_cycles", { command: gc, args: [`${cycles}`] });
  const grownBy = Number(lines[0]);
  assert(grownBy < 256, `grown by ${grownBy} KiB`);
  tell(`${cycles} cycles`, performance.now() - start, grownBy / 1024);
});

Deno.test("a function that was unregistered and its arguments can be collected at once", async () => {
  const { lines } = await runFixture("collects_garbage", { command: gc });
  assertEquals(lines, ["nothing"]);
});

/** Prints the figures at full scale. */
function tell(what: string, milliseconds: number, mebibytes: number): void {
  if (factor === 1) return;
  console.log(`${what}: ${(milliseconds / 1000).toFixed(1)} s, ${mebibytes.toFixed(1)} MiB`);
}
