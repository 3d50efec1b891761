// Starts random programs (ends, handlers, faults) and compares what they do with the model: every
// handler that should have run has run exactly once, in order, and the status is right.
//
//   deno task soak [COUNT] [FIRST SEED]

import { assertEquals } from "@std/assert";
import { runFixture } from "./program.ts";
import { model, randomProgram } from "./random_program.ts";

/** Runs the programs of the seeds from `first`, two at a time, and returns how many handlers ran. */
export async function soak(first: number, count: number): Promise<number> {
  // On Windows a program cannot send itself a signal that another program could listen to.
  const seeds = Array.from({ length: count }, (_, index) => first + index)
    .filter((seed) => Deno.build.os !== "windows" || randomProgram(seed).end.how !== "signal")
    .values();
  let calls = 0;
  const worker = async () => {
    for (const seed of seeds) {
      const { lines, code } = await runFixture("random_program", {
        command: ["run", "--allow-run"],
        args: [`${seed}`],
      });
      assertEquals({ seed, calls: lines, code }, { seed, ...model(randomProgram(seed)) });
      calls += lines.length;
    }
  };
  await Promise.all([worker(), worker()]);
  return calls;
}

if (import.meta.main) {
  const [count = 2_000, first = Date.now() % 1_000_000] = Deno.args.map(Number);
  console.log(`${count} random programs, from seed ${first}`);
  const start = performance.now();
  const calls = await soak(first, count);
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`All as the model says: ${calls} calls of handlers, in ${seconds} s`);
}
