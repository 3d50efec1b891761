// When a run happens: one test for each way a program can end.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fixture, Program, runFixture } from "./program.ts";

/** What the two handlers of most fixtures print: last registered first, with the exit code. */
const handlers = (code: number) => [`second ${code}`, `first ${code}`];

Deno.test("handlers run when the event loop runs dry", async () => {
  const { lines, code, stderr } = await runFixture("runs_dry");
  assertEquals(lines, ["work", ...handlers(0)]);
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("the status of a program that runs dry is Deno.exitCode", async () => {
  const { lines, code } = await runFixture("sets_exit_code");
  assertEquals(lines, handlers(3));
  assertEquals(code, 3);
});

Deno.test("no handler runs while a beforeunload listener objects", async () => {
  const { lines } = await runFixture("prevents_beforeunload");
  assertEquals(lines, [
    "beforeunload 2",
    "more work",
    "beforeunload 1",
    "more work",
    "beforeunload 0",
    ...handlers(0),
  ]);
});

Deno.test("handlers run at Deno.exit(n), and the status is n", async () => {
  const { lines, code, stderr } = await runFixture("deno_exit");
  assertEquals(lines, handlers(3));
  assertEquals([code, stderr], [3, ""]);
});

Deno.test("Deno.exit() without a code ends with Deno.exitCode", async () => {
  const { lines, code } = await runFixture("deno_exit_without_code");
  assertEquals(lines, handlers(4));
  assertEquals(code, 4);
});

Deno.test("handlers run at process.exit(n), and the status is n", async () => {
  for (const name of ["process_exit", "process_really_exit"]) {
    const { lines, code } = await runFixture(name);
    assertEquals(lines, handlers(3));
    assertEquals(code, 3);
  }
});

Deno.test("handlers run where Deno.exit was saved before the import", async () => {
  const { lines, code } = await runFixture("saved_deno_exit");
  assertEquals(lines, handlers(3));
  assertEquals(code, 3);
});

Deno.test("handlers run at close() of the main program", async () => {
  const { lines, code } = await runFixture("main_close");
  assertEquals(lines, handlers(0));
  assertEquals(code, 0);
});

for (
  const name of [
    "throws_in_timer",
    "throws_in_listener",
    "throws_in_microtask",
    "throws_at_top_level",
    "rejects",
  ]
) {
  Deno.test(`handlers run at an error that nobody handles, and the status is 1: ${name}`, async () => {
    const { lines, code, stderr } = await runFixture(name);
    assertEquals(lines, handlers(1));
    assertEquals(code, 1);
    assertMatch(stderr, /^error: Uncaught (\(in promise\) )?Error: boom\n/);
  });
}

Deno.test("Deno prints the error itself as it would without the module", async () => {
  const path = /file:\S+/g; // the only difference: which fixture it is
  for (const how of ["throw", "reject"]) {
    for (const value of ["error", "undefined", "null", "string", "object"]) {
      const plain = await runFixture("plain_throws_value", { args: [how, value] });
      const { stderr, code, lines } = await runFixture("throws_value", { args: [how, value] });
      assertEquals(stderr.replace(path, ""), plain.stderr.replace(path, ""));
      assertEquals([code, plain.code], [1, 1]);
      assertEquals(lines, handlers(1));
    }
  }
});

Deno.test("an uncaught SystemExit(n) ends with n and nothing is printed", async () => {
  for (const name of ["system_exit_in_timer", "system_exit_at_top_level", "system_exit_rejected"]) {
    const { lines, code, stderr } = await runFixture(name);
    assertEquals(lines.slice(-2), handlers(4));
    assertEquals([code, stderr], [4, ""]);
  }
});

Deno.test("SystemExit leaves a program with finally blocks and using disposals", async () => {
  assertEquals((await runFixture("system_exit_at_top_level")).lines[0], "finally");
  assertEquals((await runFixture("system_exit_rejected")).lines[0], "disposed");
});

const workerHandlers = ["worker second", "worker first"];

Deno.test("handlers of a worker run at close() and Deno.exit(n) in the worker", async () => {
  for (const name of ["worker_close", "worker_deno_exit", "worker_system_exit"]) {
    const { lines, code, stderr } = await runFixture("starts_worker", {
      command: ["run", "--allow-read"],
      args: [name],
    });
    assertEquals(lines, [...workerHandlers, "main"]);
    assertEquals([code, stderr], [0, ""]);
  }
});

Deno.test("handlers of a worker run at an uncaught error, then those of the main program", async () => {
  for (const name of ["worker_error", "worker_rejection"]) {
    const { lines, code, stderr } = await runFixture("starts_worker", {
      command: ["run", "--allow-read"],
      args: [name],
    });
    assertEquals(lines, [...workerHandlers, "main"]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "Unhandled error in child worker");
  }
});

Deno.test("a worker's error that the main program handles ends only the worker", async () => {
  const { lines, code } = await runFixture("starts_worker", {
    command: ["run", "--allow-read"],
    args: ["worker_error", "handle"],
  });
  assertEquals(lines, [...workerHandlers, "main"]);
  assertEquals(code, 0);
});

Deno.test("what a handler raises at close() of a worker reaches the main program", async () => {
  const { lines, code, stderr } = await runFixture("starts_worker", {
    command: ["run", "--allow-read"],
    args: ["worker_failure"],
  });
  assertEquals(lines, [...workerHandlers, "main"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "Exception in atexit handler bad:");
});

Deno.test("handlers run when --watch restarts the program", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const watched = `${directory}/watched.ts`;
    const source = await Deno.readTextFile(new URL(fixture("watched")));
    const mod = new URL("../mod.ts", import.meta.url).href;
    const write = (times: number) =>
      Deno.writeTextFile(
        watched,
        source.replace("../../mod.ts", mod).replace('"started"', `"started ${times}"`),
      );
    await write(1);
    await using program = new Program(["run", "--no-check", "--no-config", "--watch", watched]);
    await program.says("started 1");
    // Deno begins to watch some time after the program has started, without saying when, and
    // waits for 200 ms without a change: so change the file once a second until it notices.
    await write(2);
    const change = setInterval(() => write(2), 1_000);
    try {
      await program.says("started 2");
    } finally {
      clearInterval(change);
    }
    program.kill("SIGKILL");
    assertEquals((await program.outcome()).lines.slice(0, 4), [
      "started 1",
      ...handlers(0),
      "started 2",
    ]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("handlers run at the end of a deno test and of a deno bench module", async () => {
  const test = await runFixture("tested_module", { command: ["test"] });
  assertMatch(test.stdout, /passes \.\.\. .*ok[\s\S]*second 0\nfirst 0\n/);
  assertEquals(test.code, 0);
  const bench = await runFixture("benched_module", { command: ["bench"] });
  // The runner may print its table in between.
  assertEquals(bench.lines.filter((line) => /^(second|first) /.test(line)), handlers(0));
});

Deno.test("handlers run in deno eval and in scripts from stdin", async () => {
  const mod = new URL("../mod.ts", import.meta.url).href;
  const script = `import { register } from "${mod}";
    register(console.log, "first"); register(console.log, "second");`;
  const evaluated = await new Program(["eval", "--no-config", script]).outcome();
  assertEquals(evaluated.lines, ["second", "first"]);
  const piped = await new Program(["run", "--no-check", "--no-config", "-"], { stdin: script })
    .outcome();
  assertEquals(piped.lines, ["second", "first"]);
});

Deno.test("handlers run in deno serve", async () => {
  const command = ["serve", "--port", "0", "--host", "127.0.0.1"];
  for (const [name, status] of [["serves_and_exits", 3], ["serves_and_throws", 1]] as const) {
    const { code, lines } = await runFixture(name, { command });
    assertEquals(lines.slice(-2), handlers(status));
    assertEquals(code, status);
  }
});
