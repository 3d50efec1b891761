// The run: its order, what handlers raise, and the status.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { deno, fixture, Program, runFixture, version } from "./program.ts";

/** How often a text occurs in another. */
const count = (text: string, part: string) => text.split(part).length - 1;

Deno.test("last registered, first run; `this` is undefined for plain functions", async () => {
  const { lines } = await runFixture("this_and_arguments");
  assertEquals(lines, ["undefined []", 'undefined [1,"two",{"three":3}]']);
});

Deno.test("Deno.exitCode holds the code the program is ending with, and a handler can change it", async () => {
  const dry = await runFixture("changes_exit_code");
  assertEquals([dry.lines, dry.code], [["first 0", "then 9"], 9]);
  const exit = await runFixture("changes_exit_code", { args: ["exit"] });
  assertEquals([exit.lines, exit.code], [["first 3", "then 9"], 9]);
});

Deno.test("where an error ends the program a handler cannot change the status", async () => {
  const { lines, code } = await runFixture("changes_exit_code", { args: ["throw"] });
  assertEquals([lines, code], [["first 1", "then 9"], 1]);
});

Deno.test("an exception is reported with the handler's name, stack, cause and an AggregateError's errors", async () => {
  const { stderr } = await runFixture("handler_throws");
  const report = stderr.slice(0, stderr.indexOf("Exception in atexit handler second:"));
  assertMatch(report, /^Exception in atexit handler first:\nError: first error\n {4}at first \(/);
  assertStringIncludes(report, "AggregateError: the cause");
  // Deno before 2.6 shows the errors of an AggregateError, but not where that is a cause.
  if (version >= 206) assertStringIncludes(report, "RangeError: inner error");
});

Deno.test({
  name:
    "reports have colors in a terminal, and none where NO_COLOR is set or stderr is no terminal",
  ignore: Deno.build.os === "windows",
  async fn() {
    const directory = new URL("./fixtures/task/", import.meta.url).pathname;
    const program = [deno, "run", "--no-check", "--no-config", fixture("handler_throws")];
    const report = async (...command: string[]) => {
      const { stdout, stderr } = await new Program(command, { cwd: directory }, "env").outcome();
      const text = stdout + stderr;
      return text.split("Exception in atexit handler second")[0];
    };
    const piped = await report("-u", "NO_COLOR", ...program);
    assertStringIncludes(piped, "Error: first error");
    assertEquals(piped.includes("\x1b["), false);
    if (!(await report("python3", "--version")).includes("Python")) {
      return console.log("skipped in part: no python3 on this machine, which makes terminals");
    }
    const terminal = ["python3", "terminal.py", ...program];
    const colored = await report("-u", "NO_COLOR", ...terminal);
    // Deno before 2.6 shows errors without colors everywhere.
    assertEquals(colored.includes("\x1b["), version >= 206);
    assertEquals((await report("NO_COLOR=1", ...terminal)).includes("\x1b["), false);
  },
});

for (const how of ["dry", "exit"]) {
  Deno.test(`an exception does not stop the run, and the last one is raised again: ${how}`, async () => {
    const { lines, code, stderr } = await runFixture("handler_throws", { args: [how] });
    // Raised last, so no other listener of `unload` is lost.
    assertEquals(lines, ["last", "unload", "error event: Uncaught TypeError: second error"]);
    assertEquals(code, 1);
    assertEquals(count(stderr, "Exception in atexit handler"), 2);
    assertEquals(count(stderr, "error: Uncaught TypeError: second error"), 1);
    assertEquals(count(stderr, "Uncaught Error: first error"), 0);
  });

  Deno.test(`an error listener that prevents the default keeps the program's own status: ${how}`, async () => {
    const { lines, code, stderr } = await runFixture("failure_prevented", { args: [how] });
    assertEquals(lines, ["prevented bad"]);
    assertEquals(code, how === "exit" ? 7 : 6);
    assertEquals(count(stderr, "Exception in atexit handler"), 1);
    assertEquals(count(stderr, "Uncaught"), 0);
  });
}

Deno.test("a program that is ending by an uncaught error keeps that cause, whatever handlers raise", async () => {
  const { lines, code, stderr } = await runFixture("failure_during_error");
  assertEquals(lines, ["error event: boom", "last 1"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "Exception in atexit handler bad:\nError: bad\n");
  assertEquals(count(stderr, "error: Uncaught Error: boom"), 1);
});

Deno.test("SystemExit, Deno.exit(n) and process.exit(n) in a handler stop that handler and set the code", async () => {
  for (const args of [[], ["exit"]]) {
    const { lines, code, stderr } = await runFixture("handler_exits", { args });
    const first = args.length === 0 ? 0 : 1;
    assertEquals(lines, [`a ${first}`, "b 3", "c 4", "last 5"]);
    assertEquals([code, stderr], [5, ""]);
  }
});

Deno.test("if the last exception is SystemExit, its code is the status", async () => {
  const exit = await runFixture("throws_then_exits", { args: ["exit last"] });
  assertEquals(exit.code, 4);
  assertEquals(count(exit.stderr, "Exception in atexit handler"), 1);
  assertEquals(count(exit.stderr, "Uncaught"), 0);
  const error = await runFixture("throws_then_exits", { args: ["throw last"] });
  assertEquals(error.code, 1);
  assertEquals(count(error.stderr, "error: Uncaught Error: raised last"), 1);
});

for (
  const value of ["undefined", "null", "symbol", "proxy", "revoked", "getters", "inspect"]
) {
  Deno.test(`anything can be thrown, reporting never throws: ${value}`, async () => {
    for (const how of ["dry", "exit"]) {
      const { lines, code, stderr } = await runFixture("throws_hostile", { args: [value, how] });
      assertEquals(lines, ["first", "last"]);
      assertEquals(code, 1);
      assertEquals(count(stderr, "Exception in atexit handler (anonymous) "), 1);
    }
  });
}

Deno.test("handlers, results and arguments with hostile getters do not break the run", async () => {
  const { lines, code, stderr } = await runFixture("hostile_handlers");
  assertEquals(lines, ["argument true", "last"]);
  assertEquals(code, 1);
  assertEquals(count(stderr, "Exception in atexit handler (anonymous)"), 2);
});

Deno.test("a synchronous handler that returns a promise is reported, and its rejection ends nothing", async () => {
  for (const how of ["at once", "graceful"]) {
    const { lines, code, stderr } = await runFixture("returns_promise", { args: [how] });
    assertEquals([lines, code], [["last"], 0]);
    assertMatch(
      stderr,
      /^Nobody awaits the promise of atexit handler saves: .*registerAsync\(\)\n/,
    );
    assertStringIncludes(stderr, "Error: not saved");
  }
});

Deno.test("a handler registered by a handler runs next, before those that wait", async () => {
  for (const args of [[], ["exit"]]) {
    const { lines } = await runFixture("registers_in_handler", { args });
    assertEquals(lines, ["running", "new 2", "newest", "new 1", "waiting"]);
  }
});

Deno.test("a handler registered when the run is over runs at once", async () => {
  const { lines, code } = await runFixture("registers_late");
  assertEquals(lines, [
    "handler",
    "unload begins",
    "late",
    "outer",
    "nested",
    "unload ends",
    "latest",
  ]);
  assertEquals(code, 0);
  const exit = await runFixture("registers_late", { args: ["exit"] });
  assertEquals(exit.lines, lines.slice(0, -1)); // `process` has no `exit` event at `Deno.exit()`
  assertEquals(exit.code, 3);
});

Deno.test("what a late handler raises is reported and raised, and loses no other listener", async () => {
  for (const args of [[], ["exit"]]) {
    const { lines, code, stderr } = await runFixture("late_failure", { args });
    assertEquals(lines, ["registered", "other listener"]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "Exception in atexit handler late:");
    assertStringIncludes(stderr, "error: Uncaught Error: late");
  }
});

Deno.test("a second Deno.exit() in an unload listener loses no handler", async () => {
  for (const args of [[], ["exit"]]) {
    const { lines, code } = await runFixture("exits_in_unload", { args });
    assertEquals(lines, ["handler", "early listener"]);
    assertEquals(code, 5);
  }
});

Deno.test("unregister() during a run removes those that wait", async () => {
  const { lines, code } = await runFixture("unregisters_in_handler");
  assertEquals([lines, code], [["never", "first", "last"], 0]);
});

Deno.test("if the exit turns out not to happen, later handlers run at the next end: unload by hand", async () => {
  for (const [how, status] of [["dry", 0], ["exit", 3], ["fail", 1]] as const) {
    const { lines, code } = await runFixture("dispatches_unload", { args: [how] });
    assertEquals([lines, code], [["handler 1", "still here", "handler 2"], status]);
  }
});

Deno.test("if the exit turns out not to happen, later handlers run at the next end: a stub", async () => {
  const before = await runFixture("stubs_exit", { args: ["before"] });
  assertEquals(before.lines, ["handler 1", "stub 7", "still here", "handler 2"]);
  const after = await runFixture("stubs_exit", { args: ["after"] });
  assertEquals(after.lines, ["stub 7", "still here", "handler 2", "handler 1"]);
  assertEquals([before.code, after.code], [0, 0]);
});

Deno.test("if the exit turns out not to happen, the exit code and later exits are as before", async () => {
  const { lines, code, stderr } = await runFixture("stubs_failing_exits");
  assertEquals(lines, ["stub 7", "alive 0", "stub 8", "alive 0", "true"]);
  assertEquals(code, 0);
  assertEquals(count(stderr, "Exception in atexit handler"), 2);
});

Deno.test("if the exit turns out not to happen, later handlers run at the next end: deno test", async () => {
  const { stdout, code } = await runFixture("refused_exit", { command: ["test"] });
  assertMatch(
    stdout,
    /handler 1\nrefused\nhandler 2\nrefused again\ntest ends\n[\s\S]*\.\.\. .*ok[\s\S]*handler 3\n/,
  );
  assertEquals(code, 0);
});

Deno.test("events dispatched by hand that are no uncaught error end nothing", async () => {
  const { lines, code } = await runFixture("dispatches_by_hand");
  assertEquals(lines, ["other target", "seen", "TypeError", "alive", "handler"]);
  assertEquals(code, 0);
});
