// Many handlers, many cycles, and what is kept of them. `deno task scale` runs it a hundred times larger.

import { assert, assertEquals } from "@std/assert";
import { assertOutcome, run, runFixture } from "./program.ts";

const factor = Number(Deno.env.get("ATEXIT_TEST_SCALE") ?? 1);
const gc = ["run", "--v8-flags=--expose-gc"];

Deno.test("of many handlers all run, and all that throw are reported", async () => {
  const count = 10_000 * factor;
  const start = performance.now();
  const outcome = await run(`
    import { register } from "@atexit/atexit";
    let ran = 0;
    register(() => console.log(ran, Deno.memoryUsage().rss));
    for (let index = 0; index < ${count}; index++) {
      register(() => {
        ran++;
        if (index % 10 === 0) throw new Error("one in ten");
      });
    }
  `);
  assertOutcome(outcome, { code: 1, counts: { "Exception in atexit handler": count / 10 } });
  const [ran, memory] = outcome.lines[0].split(" ").map(Number);
  assertOutcome(outcome, () => assertEquals(ran, count));
  tell(`${count} handlers, one in ten throwing`, performance.now() - start, memory / 2 ** 20);
});

Deno.test("register() and unregister() in many cycles do not let the heap grow", async () => {
  const cycles = 100_000 * factor;
  const start = performance.now();
  const outcome = await runFixture("many_cycles", { command: gc, args: [`${cycles}`] });
  const grownBy = Number(outcome.lines[0]);
  assertOutcome(outcome, () => assert(grownBy < 256, `grown by ${grownBy} KiB`));
  tell(`${cycles} cycles`, performance.now() - start, grownBy / 1024);
});

Deno.test("unregister() lets a function and its arguments be collected", async () => {
  assertOutcome(await runFixture("collects_garbage", { command: gc }), { lines: ["nothing"] });
});

/** Prints the figures at full scale. */
function tell(what: string, milliseconds: number, mebibytes: number): void {
  if (factor === 1) return;
  console.log(`${what}: ${(milliseconds / 1000).toFixed(1)} s, ${mebibytes.toFixed(1)} MiB`);
}
