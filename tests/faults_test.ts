// Faults: what the contract promises where the program, or what it runs on, does its worst.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { deno, fixture, Program, runFixture, startFixture, version } from "./program.ts";

const ignore = Deno.build.os === "windows";
const count = (text: string, part: string) => text.split(part).length - 1;

for (
  const what of [
    "Map.prototype",
    "Array.prototype",
    "Promise.prototype",
    "Function.prototype",
    "String.prototype",
    "Symbol.iterator",
    "Object.prototype",
    "statics",
    "globals",
    "console.error",
    "console",
    "Deno.inspect",
    "Error.prepareStackTrace",
    "Error.stackTraceLimit",
  ]
) {
  Deno.test(`all handlers run, in order, and are reported after tampering: ${what}`, async () => {
    // Before 2.7 these two break Deno's own timers, so that nothing can be awaited.
    const breaksTimers = version < 207 &&
      (what === "Function.prototype" || what === "Object.prototype");
    for (const end of breaksTimers ? ["Deno.exit"] : ["dry", "Deno.exit", "exit", "error"]) {
      const { lines, code, stderr } = await runFixture("tampers_with_builtins", {
        args: [what, end],
      });
      // Nothing waits at Deno.exit().
      assertEquals(lines[0], end === "Deno.exit" ? "x2x1x0" : "xa2xa1xa0");
      assertEquals(code, 1);
      assertEquals(count(stderr, "Exception in atexit handler"), 3);
    }
  });
}

Deno.test({
  name: "all handlers run where stdout or stderr is closed or full",
  ignore,
  async fn() {
    for (const redirection of [">/dev/full 2>&1", ">&- 2>&-", "| head -1", "2>&1 | head -1"]) {
      for (const end of ["dry", "exit"]) {
        const file = await Deno.makeTempFile();
        try {
          const program = [deno, "run", "--no-check", "--no-config", "--allow-write"];
          const command = [...program, fixture("writes_everywhere"), file, end];
          const { code } = await new Deno.Command("bash", {
            args: ["-c", `set -o pipefail; "$@" ${redirection}`, "bash", ...command],
            stdout: "null",
            stderr: "null",
          }).output();
          const traces = (await Deno.readTextFile(file)).trim().split("\n").sort();
          // Nothing waits at Deno.exit().
          const waited = end === "dry" ? ["async"] : [];
          assertEquals(traces, [...waited, "last", "printed"]);
          // Deno 2.0 aborts when it cannot print an error.
          assertEquals(code, version === 200 && redirection.includes("2>&1") ? 134 : 1);
        } finally {
          await Deno.remove(file);
        }
      }
    }
  },
});

Deno.test("a handler that overflows the stack stops no other", async () => {
  const { lines, code, stderr } = await runFixture("overflows_stack");
  assertEquals([lines, code], [["first", "last"], 1]);
  assertStringIncludes(stderr, "Exception in atexit handler overflows:\nRangeError: Maximum call");
});

Deno.test("a handler that nearly fills the memory stops no other", async () => {
  const { lines, code } = await runFixture("fills_memory", {
    command: ["run", "--v8-flags=--max-old-space-size=64"],
  });
  assertEquals([lines, code], [["first", "allocated 40", "last"], 1]);
});

Deno.test("importing never throws where globals are frozen, and what can work works", async () => {
  const command = ["run", "--allow-read"];
  for (const what of ["Deno", "sealed", "exit", "dispatchEvent", "all"]) {
    for (const [end, status] of [["dry", 0], ["exit", 7], ["error", 1]] as const) {
      const { lines, code } = await runFixture("freezes_globals", { command, args: [what, end] });
      // Uncaught errors are seen in `dispatchEvent` only.
      const blind = end === "error" && (what === "dispatchEvent" || what === "all");
      assertEquals([what, end, lines, code], [what, end, blind ? [] : ["handler"], status]);
    }
  }
});

Deno.test("other libraries that wrap the same functions still see each call once", async () => {
  const command = ["run", "--allow-read"];
  const outcome = async (...args: string[]) => {
    const { lines, code } = await runFixture("patched_by_others", { command, args });
    return [...lines, code];
  };
  for (const when of ["before", "after"]) {
    assertEquals(await outcome(when, "dry"), ["second", "first", "unload 0 1", 0]);
    assertEquals(await outcome(when, "exit"), ["second", "first", "unload 1 0", 7]);
    assertEquals(await outcome(when, "error"), ["error 0 1", "second", "first", 1]);
  }
  // A library that puts back what it saved takes the uncaught errors away, and no more.
  assertEquals(await outcome("restored", "dry"), ["second", "first", "unload 0 0", 0]);
  assertEquals(await outcome("restored", "exit"), ["second", "first", "unload 0 0", 7]);
  assertEquals(await outcome("restored", "error"), ["error 0 0", 1]);
});

Deno.test("packages with the same purpose do what they do, in the same program", async () => {
  const command = ["run", "--allow-env", "--allow-read", "--allow-sys"];
  const outcome = async (...args: string[]) => {
    const { lines, code } = await runFixture("beside_npm_packages", { command, args });
    return { ours: lines.filter((line) => !line.includes("exit")), all: lines.length, code };
  };
  const ours = ["second", "first"];
  assertEquals(await outcome("dry"), { ours, all: 4, code: 0 });
  assertEquals(await outcome("process.exit"), { ours, all: 4, code: 7 });
  // Those miss what follows.
  assertEquals(await outcome("exit"), { ours, all: 2, code: 7 });
  assertEquals(await outcome("error"), { ours, all: 2, code: 1 });
});

for (const first of ["frozen", "ours"]) {
  Deno.test(`two versions of the module share one registry and one set of hooks: ${first} first`, async () => {
    const command = ["run", "--allow-read"];
    for (const end of ["dry", "exit", "Deno.exit"]) {
      const { lines, code } = await runFixture("shares_registry", { command, args: [first, end] });
      // What cannot wait at Deno.exit() does not get to print.
      const handlers = end === "Deno.exit" ? ["1"] : ["3", "2", "1"];
      assertEquals([lines, code], [["true true", ...handlers], 5]);
    }
  });

  Deno.test({
    name: `two versions of the module share their signals: ${first} first`,
    ignore,
    async fn() {
      await using program = startFixture("shares_registry", {
        command: ["run", "--allow-read", "--allow-run"],
        args: [first, "signal"],
      });
      await program.says("ready");
      program.kill("SIGUSR1");
      const { lines, signal } = await program.outcome();
      assertEquals(lines, ["true true", "ready", "3", "2", "1"]);
      assertEquals(signal, "SIGUSR1");
    },
  });
}

Deno.test("no permission is needed, and none is asked for", async () => {
  // In a terminal Deno would ask; `--no-prompt` turns each question into an error.
  for (const name of ["async_exit", "signals_runs_dry", "throws_in_timer"]) {
    const command = ["run", "--no-check", "--no-config", "--no-prompt"];
    const { stderr } = await new Program([...command, fixture(name)]).outcome();
    assert(!stderr.includes("NotCapable"), stderr);
  }
});
