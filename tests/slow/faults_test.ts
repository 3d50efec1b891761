// Faults: programs, and what they run on, that tamper with what the module needs.

import { assertEquals } from "@std/assert";
import { existsSync } from "node:fs";
import { assertOutcome, deno, fixture, Program, runFixture, version } from "../program.ts";
import { skipIf, withoutSignals } from "../skip.ts";

const ignore = withoutSignals();

for (
  const what of [
    "Map.prototype",
    "Array.prototype",
    "Promise.prototype",
    "Function.prototype",
    "String.prototype",
    "Object.prototype.timeout",
    "statics",
    "globals",
    "globals deleted",
    "globalThis deleted",
    "Deno deleted",
    "console.error",
    "console",
    "Deno.inspect",
    "Error.prepareStackTrace",
    "Error.stackTraceLimit",
  ]
) {
  Deno.test(`all handlers run, in order, and are reported after tampering: ${what}`, async () => {
    // These break Deno's own timers, so that nothing can be awaited.
    const breaksTimers = version < 207 && what === "Function.prototype" ||
      version < 208 && what === "globalThis deleted";
    const graceful = breaksTimers ? [] : ["finished", "exit", "error", "rejection"];
    // The runtime's own exit throws there, so that an `exit()` is prevented: `Deno.exit()` without a
    // `globalThis`, and `process.exit()` before 2.8 without `Number.isInteger()`.
    const breaksExit = what === "globalThis deleted" || version < 208 && what.startsWith("globals");
    const ends = ["Deno.exit", ...graceful].filter((end) => end !== "exit" || !breaksExit);
    for (const end of ends) {
      assertOutcome(await runFixture("tampers_with_builtins", { args: [what, end] }), {
        // Nothing waits at Deno.exit().
        stdout: end === "Deno.exit" ? /^tampered\nx2x1x0\n/ : /^tampered\nxa2xa1xa0\n/,
        code: 1,
        counts: {
          "Exception in atexit handler": 3,
          "error: Uncaught ": 1,
          'Uncaught "boom"': end === "error" ? 1 : 0,
          'Uncaught (in promise) "boom"': end === "rejection" ? 1 : 0,
        },
      });
    }
  });
}

const full = ">/dev/full 2>&1";
const redirections = [full, ">&- 2>&-", "| head -1", "2>&1 | head -1"].filter((redirection) =>
  redirection !== full || !skipIf(!existsSync("/dev/full"), "this system has no /dev/full")
);

Deno.test({
  name: "all handlers run where stdout or stderr is closed or full",
  ignore,
  async fn() {
    for (const redirection of redirections) {
      for (const end of ["finished", "exit"]) {
        const file = await Deno.makeTempFile();
        try {
          const program = [deno, "run", "--no-check", "--no-config", "--allow-write"];
          const script = `set -o pipefail; "$@" ${redirection}`;
          const outcome = await new Program(
            [
              ...["-c", script, "bash", ...program],
              ...[fixture("writes_everywhere"), file, end],
            ],
            {},
            "bash",
          ).outcome();
          assertOutcome(outcome, { code: 1 });
          const traces = (await Deno.readTextFile(file)).trim().split("\n").sort();
          // Nothing waits at Deno.exit().
          const waited = end === "finished" ? ["async"] : [];
          assertOutcome(outcome, () => assertEquals(traces, [...waited, "last", "printed"]));
        } finally {
          await Deno.remove(file);
        }
      }
    }
  },
});

Deno.test("importing never throws where globals are frozen, and what can work works", async () => {
  for (const what of ["Deno", "sealed", "exit", "dispatchEvent", "all"]) {
    for (const [end, code] of [["finished", 0], ["exit", 7], ["error", 1]] as const) {
      const outcome = await runFixture("freezes_globals", {
        command: ["run", "--allow-read"],
        args: [what, end],
      });
      // Uncaught errors are seen in `dispatchEvent` only.
      const blind = end === "error" && (what === "dispatchEvent" || what === "all");
      assertOutcome(outcome, { lines: blind ? ["started"] : ["started", "handler"], code });
    }
  }
});

Deno.test("other libraries that wrap the same functions still see each call once", async () => {
  const assertSeen = async (args: string[], lines: string[], code: number) => {
    const command = ["run", "--allow-read"];
    assertOutcome(await runFixture("patched_by_others", { command, args }), { lines, code });
  };
  for (const when of ["before", "after"]) {
    await assertSeen([when, "finished"], ["second", "first", "unload 0 1"], 0);
    await assertSeen([when, "exit"], ["second", "first", "unload 1 0"], 7);
    await assertSeen([when, "error"], ["error 0 1", "second", "first"], 1);
  }
  // A library that puts back what it saved takes the uncaught errors away, and no more.
  await assertSeen(["restored", "finished"], ["second", "first", "unload 0 0"], 0);
  await assertSeen(["restored", "exit"], ["second", "first", "unload 0 0"], 7);
  await assertSeen(["restored", "error"], ["error 0 0"], 1);
});
