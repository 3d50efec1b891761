// Graceful ends: registerAsync() and exit().

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runFixture, version } from "./program.ts";

/** What the four handlers of most fixtures print, the asynchronous ones awaited in their turn. */
const inOrder = (code: number) => [
  `b begins ${code}`,
  "b ends",
  "sync between",
  `a begins ${code}`,
  "a ends",
  "sync first",
];

/** What they print where nothing can wait. */
const atOnce = (code: number) => [
  `b begins ${code}`,
  "sync between",
  `a begins ${code}`,
  "sync first",
];

const count = (text: string, part: string) => text.split(part).length - 1;

Deno.test("async handlers are awaited in order when the program runs dry", async () => {
  const { lines, code, stderr } = await runFixture("async_runs_dry");
  assertEquals(lines, [...inOrder(0), "unload"]);
  assertEquals([code, stderr], [0, ""]);
  const { lines: coded, code: status } = await runFixture("async_sets_exit_code");
  assertEquals([coded, status], [inOrder(3), 3]);
});

Deno.test("no run starts while a beforeunload listener objects, from before the import or after", async () => {
  const { lines } = await runFixture("async_prevents_beforeunload", {
    command: ["run", "--allow-read"],
  });
  assertEquals(lines, ["objects 2", "objects later", "objects 1", ...inOrder(0)]);
});

for (const name of ["async_throws", "async_rejects", "async_throws_at_top_level"]) {
  Deno.test(`async handlers are awaited before Deno reports the uncaught error: ${name}`, async () => {
    const { lines, code, stderr } = await runFixture(name);
    assertEquals(lines.slice(-6), inOrder(1));
    assertEquals(lines.slice(0, -6).length, name === "async_throws_at_top_level" ? 0 : 1);
    assertEquals(code, 1);
    assertMatch(stderr, /^error: Uncaught (\(in promise\) )?Error: boom\n/);
  });
}

Deno.test("after a graceful run Deno prints the error as it would without the module", async () => {
  const path = /file:\S+/g;
  for (const how of ["throw", "reject"]) {
    for (const value of ["error", "undefined", "null", "string", "object"]) {
      const plain = await runFixture("plain_throws_value", { args: [how, value] });
      const { stderr, code, lines } = await runFixture("async_throws_value", {
        args: [how, value],
      });
      assertEquals(stderr.replace(path, ""), plain.stderr.replace(path, ""));
      assertEquals([lines, code], [inOrder(1), 1]);
    }
  }
});

Deno.test("async handlers are awaited at an uncaught SystemExit", async () => {
  for (const args of [["throw"], ["reject"]]) {
    const { lines, code, stderr } = await runFixture("async_system_exit", { args });
    assertEquals(lines, inOrder(4));
    assertEquals([code, stderr], [4, ""]);
  }
});

Deno.test("exit(code) awaits the handlers, ends with code, and never resolves", async () => {
  const { lines, code, stderr } = await runFixture("async_exit", { args: ["3"] });
  assertEquals(lines, inOrder(3));
  assertEquals([code, stderr], [3, ""]);
});

Deno.test("exit() ends with Deno.exitCode", async () => {
  assertEquals((await runFixture("exit_without_code")).code, 6);
});

Deno.test("exit() rejects bad arguments at once, and nothing ends", async () => {
  const { lines, code } = await runFixture("exit_bad_arguments");
  const rejections = lines.filter((line) => line !== "no exception");
  assertEquals(rejections, [
    'TypeError: Cannot exit: expected a 32-bit integer as exit code, received "1"',
    "RangeError: Cannot exit: expected a 32-bit integer as exit code, received 1.5",
    "TypeError: Cannot exit: expected a 32-bit integer as exit code, received null",
    "RangeError: Cannot exit: expected a 32-bit integer as exit code, received 2147483648",
    "TypeError: Cannot exit: expected options, received null",
    'TypeError: Cannot exit: expected a timeout in milliseconds, received "1"',
    "RangeError: Cannot exit: expected a timeout in milliseconds, a finite number of 0 or more, received -1",
    "RangeError: Cannot exit: expected a timeout in milliseconds, a finite number of 0 or more, received NaN",
    "RangeError: Cannot exit: expected a timeout in milliseconds, a finite number of 0 or more, received Infinity",
    "handler",
  ]);
  assertEquals(code, 0);
});

Deno.test("on an immediate end async handlers are called in their turn, and that is reported", async () => {
  const { lines, code, stderr } = await runFixture("async_deno_exit");
  assertEquals([lines, code], [atOnce(3), 3]);
  assertEquals(count(stderr, "Cannot await atexit handler"), 2);
  assertEquals(count(stderr, "exit()"), 2);
  assertEquals(count(stderr, "\nPromise { <pending> }\n"), 2);
});

Deno.test("exit() inside a handler sets the code, stops the handler that awaits it, and cannot deadlock", async () => {
  for (const [how, first] of [["dry", 0], ["deno", 1], ["exit", 1]] as const) {
    const { lines, code, stderr } = await runFixture("exit_in_handler", { args: [how] });
    const awaited = how !== "deno";
    assertEquals(lines, [`forgets exit ${first}`, "awaits exit", "last 5"]);
    assertEquals(code, 5);
    assertEquals(count(stderr, "Cannot await"), awaited ? 0 : 1);
  }
});

Deno.test("exit() twice at the same time is one exit, with the last code", async () => {
  const { lines, code, stderr } = await runFixture("exit_twice");
  assertEquals(lines, ["handler 1", "SystemExit: The program ends with exit code 3"]);
  assertEquals([code, stderr], [3, ""]);
});

for (const how of ["busy loop", "top level"]) {
  Deno.test(`after the timeout no handler is awaited any longer: ${how}`, async () => {
    const { lines, code, stderr } = await runFixture("exit_with_timeout", { args: [how] });
    assertEquals(lines, ["stuck", "async", "sync last"]);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^Exception in atexit handler stuck:\nError: .* did not settle within 30 ms/,
    );
    assertStringIncludes(stderr, "Cannot await atexit handler neverAwaited");
    assertStringIncludes(stderr, "error: Uncaught Error: ");
  });
}

Deno.test("a timeout counts from the start of the run, and of several the shortest one", async () => {
  for (const args of [["20", "1e9"], ["1e9", "20"]]) {
    const { lines, code, stderr } = await runFixture("joins_with_timeout", { args });
    assertEquals([lines, code], [["last"], 1]);
    assertStringIncludes(stderr, "did not settle within 20 ms");
  }
});

Deno.test("a timeout does not keep a program alive whose event loop is dry", async () => {
  for (const how of ["dry", "dry later"]) {
    const { lines, code, stderr } = await runFixture("exit_with_timeout", { args: [how] });
    assertEquals(lines, ["stuck", "async", "not reached", "sync last"]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "can never settle");
  }
});

Deno.test("a promise that can never settle is noticed when the loop is dry, and the run goes on", async () => {
  for (const [how, status] of [["dry", 1], ["exit", 1], ["throw", 1]] as const) {
    const { lines, code, stderr } = await runFixture("never_settles", { args: [how] });
    assertEquals(lines, ["settled", "stuck", "last"]);
    assertEquals(code, status);
    assertMatch(stderr, /^Exception in atexit handler stuck:\nError: .* can never settle/);
    assertEquals(count(stderr, "error: Uncaught"), 1);
    assertEquals(count(stderr, "error: Uncaught Error: boom"), how === "throw" ? 1 : 0);
  }
});

Deno.test("rejections of async handlers are reported, and the last one is raised again", async () => {
  for (const [how, first] of [["dry", 5], ["exit", 5]] as const) {
    const { lines, code, stderr } = await runFixture("async_failures", { args: [how] });
    assertEquals(lines, [`last ${first}`, "unload"]);
    assertEquals(code, 1);
    assertEquals(count(stderr, "Exception in atexit handler"), 2);
    assertStringIncludes(stderr, "Exception in atexit handler throwsAtOnce:\nError: first\n");
    assertStringIncludes(stderr, "Exception in atexit handler rejects:\nTypeError: second\n");
    assertEquals(count(stderr, "error: Uncaught TypeError: second"), 1);
  }
});

Deno.test("hostile promises and thenables do not break a graceful run", async () => {
  const { lines, code, stderr } = await runFixture("async_hostile");
  assertEquals(lines, [6, 5, 4, 3, 2, 1, 0].map((n) => `handler ${n}`).concat("last"));
  assertEquals(code, 1);
  assertEquals(count(stderr, "Exception in atexit handler"), 4);
});

Deno.test("handlers registered by an async handler run next, once it has settled", async () => {
  const { lines } = await runFixture("registers_in_async_handler");
  assertEquals(lines, ["begin", "new async", "new sync", "waiting"]);
});

Deno.test("unregister() by an async handler removes those that wait", async () => {
  const { lines, code } = await runFixture("unregisters_waiting_async");
  assertEquals([lines, code], [["between"], 0]);
});

Deno.test("a program without async handlers sees no additional event", async () => {
  const { lines } = await runFixture("counts_turns", { command: ["run", "--allow-read"] });
  assertEquals(lines, ["load", "beforeunload", "handler", "unload"]);
});

Deno.test("nothing is left behind for the sanitizers of deno test, and exit() rejects if it is refused", async () => {
  const { stdout, code } = await runFixture("leaves_nothing_behind", { command: ["test"] });
  assertMatch(stdout, /handler\nrefused Test case attempted to exit with exit code: 0\n/);
  assertEquals(code, 0);
});

Deno.test("exit() rejects with SystemExit if Deno.exit returns, and the registry is usable as before", async () => {
  const { lines, code } = await runFixture("stubs_async_exit");
  assertEquals(lines, [
    "handler",
    "stub 7",
    "SystemExit: The program ends with exit code 7 7",
    "later",
  ]);
  assertEquals(code, 0);
});

Deno.test("in a worker async handlers are awaited where the worker can wait", async () => {
  const command = ["run", "--allow-read"];
  const exit = await runFixture("starts_async_worker", { command, args: ["exit"] });
  assertEquals(exit.lines, ["worker begins", "worker ends", "worker first", "main"]);
  assertEquals([exit.code, exit.stderr], [0, ""]);
  const error = await runFixture("starts_async_worker", { command, args: ["throw"] });
  assertEquals(error.lines, ["worker begins", "worker ends", "worker first", "main"]);
  assertEquals(error.code, 1);
  const close = await runFixture("starts_async_worker", { command, args: ["close"] });
  assertEquals(close.lines, ["worker begins", "worker first", "main"]);
  assertStringIncludes(close.stderr, "Cannot await atexit handler");
  const timeout = await runFixture("starts_async_worker", { command, args: ["timeout"] });
  assertEquals(timeout.lines, ["worker begins", "worker first", "main"]);
  assertStringIncludes(timeout.stderr, "did not settle within 20 ms");
});

Deno.test("errors in the rest of a cut run are reported, and the first one is the cause", async () => {
  const { code, stderr } = await runFixture("nested_errors");
  assertEquals(code, 1);
  assertEquals(count(stderr, "Error: second\n"), 1);
  assertEquals(count(stderr, "Error: third\n"), 1);
  assertEquals(count(stderr, "error: Uncaught (in promise) Error: first\n"), 1);
});

Deno.test("Deno.exit(n) that cuts a decided end short is the status, whatever handlers have raised", async () => {
  const { code, stderr } = await runFixture("cut_after_failures");
  assertEquals(code, 11);
  assertEquals(count(stderr, "Exception in atexit handler"), 2);
  assertEquals(count(stderr, "Uncaught error:\nError: the end\n"), 1);
});

Deno.test("an error that started a run which deno test cuts short still fails the module", async () => {
  const { stdout, code } = await runFixture("rejects_while_tested", { command: ["test"] });
  assertEquals(code, 1);
  assertStringIncludes(stdout, "boom");
});

Deno.test("the end of a deno test module is no dry event loop", async () => {
  const { stderr, stdout } = await runFixture("exits_while_tested", { command: ["test"] });
  // Deno before 2.7 runs microtasks before it dispatches `unload`, so that it looks like one.
  assertEquals((stderr + stdout).includes("can never settle"), version < 207);
});

Deno.test("close() in the midst of a run for an uncaught error keeps its status", async () => {
  const { lines, code, stderr } = await runFixture("closes_while_ending");
  assertEquals([lines, code], [["rest"], 1]);
  assertStringIncludes(stderr, "error: Uncaught Error: boom");
});

Deno.test("a SystemExit whose code was spoilt ends with 1, and loses no handler", async () => {
  for (const how of ["sync", "async", "uncaught"]) {
    for (const code of ["throw", "symbol", "text", "1.5"]) {
      const outcome = await runFixture("spoilt_system_exit", { args: [how, code] });
      assertEquals([outcome.lines, outcome.code, outcome.stderr], [["last"], 1, ""]);
    }
  }
});

Deno.test("exit(), SystemExit and errors in a beforeunload listener await the handlers", async () => {
  for (const [how, status] of [["exit", 3], ["SystemExit", 3], ["error", 1]] as const) {
    const { lines, code } = await runFixture("ends_in_beforeunload", { args: [how] });
    assertEquals([lines, code], [["b", "a", `last ${status}`], status]);
  }
});

Deno.test("an error in a listener that a handler calls does not change a decided status", async () => {
  const { lines, code, stderr } = await runFixture("listener_throws_in_handler");
  assertEquals([lines, code], [["first", "last"], 1]);
  assertEquals(count(stderr, "Uncaught error:\nError: in listener"), 1);
  assertEquals(count(stderr, "error: Uncaught (in promise) Error: boom"), 1);
});

Deno.test("a timeout does not depend on who replaces the timers", async () => {
  const { lines, code } = await runFixture("fake_timers");
  assertEquals([lines, code], [["last"], 1]);
});

Deno.test("a function that is a thenable is awaited too", async () => {
  assertEquals((await runFixture("callable_thenable")).lines, ["settled", "last"]);
});
