// Faults: what the contract promises where the program, or what it runs on, does its worst.

import { assertEquals } from "@std/assert";
import { existsSync } from "node:fs";
import { assertOutcome, deno, fixture, Program, run, runFixture, version } from "./program.ts";
import { skipIf, withoutSignals } from "./skip.ts";

const ignore = withoutSignals();

for (
  const what of [
    "Map.prototype",
    "Array.prototype",
    "Promise.prototype",
    "Function.prototype",
    "String.prototype",
    "Symbol.iterator",
    "Object.prototype",
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
    const breaksTimers =
      version < 207 && (what === "Function.prototype" || what === "Object.prototype") ||
      version < 208 && what === "globalThis deleted";
    const graceful = breaksTimers ? [] : ["dry", "exit", "error"];
    // A setter "0" breaks Deno's own queues.
    if (!breaksTimers && what !== "Object.prototype") graceful.push("rejection");
    for (const end of ["Deno.exit", ...graceful]) {
      assertOutcome(await runFixture("tampers_with_builtins", { args: [what, end] }), {
        // Nothing waits at Deno.exit().
        stdout: end === "Deno.exit" ? /^tampered\nx2x1x0\n/ : /^tampered\nxa2xa1xa0\n/,
        code: 1,
        counts: {
          "Exception in atexit handler": 3,
          "Uncaught ": 1,
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
      for (const end of ["dry", "exit"]) {
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
          const waited = end === "dry" ? ["async"] : [];
          assertOutcome(outcome, () => assertEquals(traces, [...waited, "last", "printed"]));
        } finally {
          await Deno.remove(file);
        }
      }
    }
  },
});

Deno.test("a handler that overflows the stack stops no other", async () => {
  const outcome = await run(`
    import { register } from "@atexit/atexit";
    register(() => console.log("last"));
    register(function overflows() { overflows(); });
    register(() => console.log("first"));
  `);
  assertOutcome(outcome, {
    lines: ["first", "last"],
    code: 1,
    stderr: /Exception in atexit handler overflows:\nRangeError: Maximum call/,
  });
});

Deno.test("a handler that nearly fills the memory stops no other", async () => {
  // What the handler has allocated is garbage when the next one runs.
  const source = `
    import { register } from "@atexit/atexit";
    register(() => console.log("last"));
    register(() => {
      const kept = [];
      while (kept.length < 40) kept.push(new Array(125_000).fill(kept.length)); // 1 MB each
      console.log("allocated", kept.length);
      throw new Error("full");
    });
    register(() => console.log("first"));
  `;
  const outcome = await run(source, { command: ["run", "--v8-flags=--max-old-space-size=64"] });
  assertOutcome(outcome, { lines: ["first", "allocated 40", "last"], code: 1 });
});

Deno.test("importing never throws where globals are frozen, and what can work works", async () => {
  for (const what of ["Deno", "sealed", "exit", "dispatchEvent", "all"]) {
    for (const [end, code] of [["dry", 0], ["exit", 7], ["error", 1]] as const) {
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
    await assertSeen([when, "dry"], ["second", "first", "unload 0 1"], 0);
    await assertSeen([when, "exit"], ["second", "first", "unload 1 0"], 7);
    await assertSeen([when, "error"], ["error 0 1", "second", "first"], 1);
  }
  // A library that puts back what it saved takes the uncaught errors away, and no more.
  await assertSeen(["restored", "dry"], ["second", "first", "unload 0 0"], 0);
  await assertSeen(["restored", "exit"], ["second", "first", "unload 0 0"], 7);
  await assertSeen(["restored", "error"], ["error 0 0"], 1);
});

Deno.test("packages with the same purpose do what they do, in the same program", async () => {
  const assertRan = async (end: string, all: number, code: number) => {
    const command = ["run", "--allow-env", "--allow-read", "--allow-sys"];
    const source = `
      import process from "node:process";
      import exitHook from "npm:exit-hook@5";
      import { onExit } from "npm:signal-exit@4";
      import { register } from "@atexit/atexit";
      onExit(() => console.log("signal-exit"));
      exitHook(() => console.log("exit-hook"));
      register(() => console.log("first"));
      register(() => console.log("second"));
      ${end}
    `;
    const outcome = await run(source, { command });
    assertOutcome(outcome, { code });
    assertOutcome(outcome, ({ lines }) => {
      assertEquals(lines.filter((line) => !line.includes("exit")), ["second", "first"]);
      assertEquals(lines.length, all);
    });
  };
  await assertRan("", 4, 0);
  await assertRan("process.exit(7);", 4, 7);
  // Those miss what follows.
  await assertRan("Deno.exit(7);", 2, 7);
  await assertRan('setTimeout(() => { throw new Error("boom"); });', 2, 1);
});

Deno.test("no permission is needed, and none is asked for", async () => {
  const handlers = `
    import { exit, exitOnSignals, register, registerAsync } from "@atexit/atexit";
    register(() => console.log("last"));
    registerAsync(async () => { await Promise.resolve(); console.log("awaited"); });
  `;
  const ends = [
    "exit(0);",
    "exitOnSignals();",
    'setTimeout(() => { throw new Error("boom"); });',
  ];
  for (const end of ends) {
    // In a terminal Deno would ask; `--no-prompt` turns each question into an error.
    const outcome = await run(`${handlers} ${end}`, { command: ["run", "--no-prompt"] });
    assertOutcome(outcome, { lines: ["awaited", "last"], counts: { "NotCapable": 0 } });
  }
});
