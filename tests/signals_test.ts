// exitOnSignals().

import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Options, type Outcome, Program, runFixture, startFixture } from "./program.ts";

const ignore = Deno.build.os === "windows";
const allowRun = ["run", "--allow-run"];

/** Starts a fixture, sends it a signal when it is ready, and waits for its end. */
async function signalled(
  name: string,
  signal: Deno.Signal,
  options: Options = {},
): Promise<Outcome> {
  await using program = startFixture(name, options);
  await program.says("ready");
  program.kill(signal);
  return await program.outcome();
}

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  Deno.test({
    name: `a signal runs the handlers, and the process dies by it where it may: ${signal}`,
    ignore,
    async fn() {
      const outcome = await signalled("ends_by_signal", signal, { command: allowRun });
      assertEquals(outcome.lines, ["ready", `async begins ${code}`, "async ends", `sync ${code}`]);
      assertEquals([outcome.signal, outcome.stderr], [signal, ""]);
    },
  });

  Deno.test({
    name: `without --allow-run the status is 128 + the signal's number: ${signal}`,
    ignore,
    async fn() {
      const outcome = await signalled("ends_by_signal", signal);
      assertEquals(outcome.lines, ["ready", `async begins ${code}`, "async ends", `sync ${code}`]);
      assertEquals([outcome.signal, outcome.code, outcome.stderr], [null, code, ""]);
    },
  });
}

Deno.test({
  name: "--allow-run with a list is not enough to die by the signal",
  ignore,
  async fn() {
    const outcome = await signalled("ends_by_signal", "SIGTERM", {
      command: ["run", "--allow-run=true"],
    });
    assertEquals([outcome.signal, outcome.code, outcome.stderr], [null, 143, ""]);
  },
});

Deno.test({
  name: "the program's own listener is called too, and the status is 128 + the signal's number",
  ignore,
  async fn() {
    for (const command of [["run"], allowRun]) {
      const outcome = await signalled("ends_by_signal", "SIGTERM", {
        command,
        args: ["own listener"],
      });
      assertEquals(outcome.lines.filter((line) => line === "own listener").length, 1);
      assertEquals([outcome.signal, outcome.code], [null, 143]);
    }
  },
});

Deno.test({
  name: "a signal's status stays, whatever handlers raise or assign",
  ignore,
  async fn() {
    for (const how of ["throw", "system exit", "exit code"]) {
      for (const command of [["run"], allowRun]) {
        const outcome = await signalled("ends_by_signal", "SIGTERM", { command, args: [how] });
        assertEquals([outcome.signal, outcome.code], [
          command === allowRun ? "SIGTERM" : null,
          143,
        ]);
        assertEquals(outcome.stderr.includes("Exception in atexit handler"), how === "throw");
        assertEquals(outcome.stderr.includes("Uncaught"), false);
      }
    }
  },
});

Deno.test({
  name: "an error in a listener that a handler calls does not change a signal's status",
  ignore,
  async fn() {
    for (const command of [["run"], allowRun]) {
      const outcome = await signalled("listener_throws_in_handler", "SIGTERM", {
        command,
        args: ["signal"],
      });
      assertEquals(outcome.lines, ["ready", "first", "last"]);
      assertEquals(outcome.code, 143);
      assertStringIncludes(outcome.stderr, "Uncaught error:\nError: in listener");
    }
  },
});

Deno.test({
  name: "a second signal ends the program at once; handlers still waiting are skipped",
  ignore,
  async fn() {
    for (const command of [["run"], allowRun]) {
      await using program = startFixture("ignores_first_signal", { command });
      await program.says("ready");
      program.kill("SIGINT");
      await program.says("waiting");
      program.kill("SIGINT");
      const { lines, signal, code, stderr } = await program.outcome();
      assertEquals([lines, stderr], [["ready", "waiting"], ""]);
      assertEquals([signal, code], [command === allowRun ? "SIGINT" : null, 130]);
    }
  },
});

Deno.test({
  name: "the same signal once more right away leaves the handlers 100 ms",
  ignore,
  async fn() {
    await using program = startFixture("ends_by_signal", { command: allowRun });
    await program.says("ready");
    program.kill("SIGTERM");
    await program.says("async begins");
    program.kill("SIGTERM");
    const { lines, signal } = await program.outcome();
    assertEquals(lines, ["ready", "async begins 143", "async ends", "sync 143"]);
    assertEquals(signal, "SIGTERM");
  },
});

Deno.test({
  name: "another signal ends the program at once, by the first one",
  ignore,
  async fn() {
    await using program = startFixture("ignores_first_signal", { command: allowRun });
    await program.says("ready");
    program.kill("SIGTERM");
    await program.says("waiting");
    program.kill("SIGINT");
    const { lines, signal } = await program.outcome();
    assertEquals([lines, signal], [["ready", "waiting"], "SIGTERM"]);
  },
});

Deno.test({
  name: "of several calls that cover a signal the shortest timeout counts",
  ignore,
  async fn() {
    const { lines, signal, stderr } = await signalled("signal_timeout", "SIGTERM", {
      command: allowRun,
    });
    assertEquals([lines, signal], [["ready", "sync"], "SIGTERM"]);
    assertStringIncludes(stderr, "did not settle within 20 ms");
  },
});

Deno.test({
  name: "disposing gives a signal its default action back, unless another call covers it",
  ignore,
  async fn() {
    const term = await signalled("disposes_signals", "SIGTERM");
    assertEquals([term.lines, term.signal], [["ready"], "SIGTERM"]);
    const int = await signalled("disposes_signals", "SIGINT");
    assertEquals([int.lines, int.code], [["ready", "handler"], 130]);
  },
});

Deno.test({
  name: "a signal that a worker named ends the worker, and not the process",
  ignore,
  async fn() {
    const { lines, signal, code, stderr } = await signalled("starts_signal_worker", "SIGTERM", {
      command: ["run", "--allow-run", "--allow-read"],
    });
    assertEquals(lines, ["ready", "worker", "main 0"]);
    assertEquals([signal, code, stderr], [null, 0, ""]);
  },
});

Deno.test({
  name: "exitOnSignals() keeps no program alive",
  ignore,
  async fn() {
    const { lines, code, stderr } = await runFixture("signals_runs_dry");
    assertEquals([lines, code, stderr], [["handler"], 0, ""]);
  },
});

Deno.test({
  name: "exitOnSignals() throws at bad arguments, and then covers none of the signals",
  ignore,
  async fn() {
    const { lines, signal } = await signalled("signals_bad_arguments", "SIGTERM");
    assertEquals(lines.map((line) => line.split(" ")[0]), [
      ...Array(7).fill("TypeError"),
      "RangeError",
      "TypeError",
      "ready",
    ]);
    assertEquals(
      lines[0],
      "TypeError Cannot exit on signals: expected a list of signals, received 5",
    );
    assertEquals(
      lines[2],
      'TypeError Cannot exit on signals: expected a list of signals, received "SIGINT"',
    );
    assertEquals(signal, "SIGTERM");
  },
});

Deno.test({
  name: "the exit code is 128 and the number that the system gives to the signal",
  ignore,
  async fn() {
    const { constants } = await import("node:os");
    const signals: Deno.Signal[] = ["SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGALRM", "SIGXCPU"];
    for (const signal of signals) {
      const { lines, code } = await signalled("signal_code", signal, { args: [signal] });
      const expected = 128 + constants.signals[signal as "SIGUSR1"];
      assertEquals([lines[1], code], [`${expected}`, expected]);
    }
  },
});

Deno.test({
  name: "Ctrl-C under deno task runs the handlers, though the signal comes twice",
  ignore,
  async fn() {
    const cwd = new URL("./fixtures/task/", import.meta.url).pathname;
    const command = ["terminal.py", Deno.execPath(), "task", "--quiet", "wait"];
    for (let time = 0; time < 8; time++) {
      let outcome: Outcome;
      try {
        outcome = await new Program(command, { cwd }, "python3").outcome();
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        return console.log("skipped: there is no python3 on this machine, which makes terminals");
      }
      assertEquals(outcome.lines.map((line) => line.replace("^C", "")), [
        "ready",
        "async begins 130",
        "async ends",
        "sync 130",
      ]);
      assertEquals(outcome.code, 130);
    }
  },
});
