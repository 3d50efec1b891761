// exitOnSignals().

import { assertEquals } from "@std/assert";
import {
  assertOutcome,
  isInstalled,
  type Options,
  type Outcome,
  Program,
  run,
  start,
  startFixture,
} from "./program.ts";

const ignore = Deno.build.os === "windows";
const allowRun = ["run", "--allow-run"];

/** Sends a program a signal when it is ready, and waits for its end. */
async function signalled(starting: Program, signal: Deno.Signal): Promise<Outcome> {
  await using program = starting;
  await program.says("ready");
  program.kill(signal);
  return await program.outcome();
}

/** The program that most tests start: handlers, and an argument for what they do meanwhile. */
function endsBySignal(options: Options = {}): Program {
  return startFixture("ends_by_signal", options);
}

/** How programs stay alive, and say that a signal may come. */
const ready = 'setInterval(() => {}, 1000); console.log("ready");';

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  const lines = ["ready", `async begins ${code}`, "async ends", `sync ${code}`];

  Deno.test({
    name: `a signal runs the handlers, and the process dies by it where it may: ${signal}`,
    ignore,
    async fn() {
      const outcome = await signalled(endsBySignal({ command: allowRun }), signal);
      assertOutcome(outcome, { lines, signal, stderr: "" });
    },
  });

  Deno.test({
    name: `without --allow-run the status is 128 + the signal's number: ${signal}`,
    ignore,
    async fn() {
      assertOutcome(await signalled(endsBySignal(), signal), { lines, code, stderr: "" });
    },
  });
}

Deno.test({
  name: "--allow-run with a list is not enough to die by the signal",
  ignore,
  async fn() {
    const program = endsBySignal({ command: ["run", "--allow-run=true"] });
    assertOutcome(await signalled(program, "SIGTERM"), { code: 143, stderr: "" });
  },
});

Deno.test({
  name: "the program's own listener is called too, and the status is 128 + the signal's number",
  ignore,
  async fn() {
    for (const command of [["run"], allowRun]) {
      const program = endsBySignal({ command, args: ["own listener"] });
      const outcome = await signalled(program, "SIGTERM");
      assertOutcome(outcome, { code: 143 });
      assertOutcome(outcome, ({ lines }) => {
        assertEquals(lines.filter((line) => line === "own listener").length, 1);
      });
    }
  },
});

/** What a signal does to a program that has the permission to run others, and to one that has not. */
const statuses = [
  { command: ["run"], status: { code: 143 } },
  { command: allowRun, status: { signal: "SIGTERM" } },
] as const;

Deno.test({
  name: "a signal's status stays, whatever handlers raise or assign",
  ignore,
  async fn() {
    for (const how of ["throw", "system exit", "exit code"]) {
      for (const { command, status } of statuses) {
        const program = endsBySignal({ command: [...command], args: [how] });
        assertOutcome(await signalled(program, "SIGTERM"), {
          ...status,
          counts: { "Exception in atexit handler": how === "throw" ? 1 : 0, "Uncaught": 0 },
        });
      }
    }
  },
});

Deno.test({
  name: "an error in a listener that a handler calls does not change a signal's status",
  ignore,
  async fn() {
    for (const { command, status } of statuses) {
      const program = startFixture("listener_throws_in_handler", {
        command: [...command],
        args: ["signal"],
      });
      assertOutcome(await signalled(program, "SIGTERM"), {
        ...status,
        lines: ["ready", "first", "last"],
        counts: { "Uncaught error:\nError: in listener": 1 },
      });
    }
  },
});

/** A handler that takes its time, until a second signal comes. */
const waitsForSecond = `
  import { exitOnSignals, register, registerAsync } from "@atexit/atexit";
  register(() => console.log("never"));
  registerAsync(() => {
    console.log("waiting");
    return new Promise(() => {});
  });
  exitOnSignals();
  ${ready}
`;

Deno.test({
  name: "a second signal ends the program at once; handlers still waiting are skipped",
  ignore,
  async fn() {
    for (const { command, status } of statuses) {
      await using program = start(waitsForSecond, { command: [...command] });
      await program.says("ready");
      program.kill("SIGTERM");
      await program.says("waiting");
      program.kill("SIGTERM");
      const lines = ["ready", "waiting"];
      assertOutcome(await program.outcome(), { ...status, lines, stderr: "" });
    }
  },
});

Deno.test({
  name: "the same signal once more right away leaves the handlers 100 ms",
  ignore,
  async fn() {
    await using program = endsBySignal({ command: allowRun });
    await program.says("ready");
    program.kill("SIGTERM");
    await program.says("async begins");
    program.kill("SIGTERM");
    assertOutcome(await program.outcome(), {
      lines: ["ready", "async begins 143", "async ends", "sync 143"],
      signal: "SIGTERM",
    });
  },
});

Deno.test({
  name: "another signal ends the program at once, by the first one",
  ignore,
  async fn() {
    await using program = start(waitsForSecond, { command: allowRun });
    await program.says("ready");
    program.kill("SIGTERM");
    await program.says("waiting");
    program.kill("SIGINT");
    assertOutcome(await program.outcome(), { lines: ["ready", "waiting"], signal: "SIGTERM" });
  },
});

Deno.test({
  name: "exitOnSignals() called several times for a signal ends with the shortest timeout",
  ignore,
  async fn() {
    const source = `
      import { exitOnSignals, register, registerAsync } from "@atexit/atexit";
      register(() => console.log("sync"));
      registerAsync(() => new Promise(() => {}));
      exitOnSignals(["SIGTERM"], { timeout: 1e9 });
      exitOnSignals(["SIGTERM"], { timeout: 20 });
      exitOnSignals(["SIGTERM"]);
      ${ready}
    `;
    assertOutcome(await signalled(start(source, { command: allowRun }), "SIGTERM"), {
      lines: ["ready", "sync"],
      signal: "SIGTERM",
      stderr: /did not settle within 20 ms/,
    });
  },
});

Deno.test({
  name:
    "exitOnSignals() gives a signal its default action back when it is disposed, unless another call covers it",
  ignore,
  async fn() {
    const source = `
      import { exitOnSignals, register } from "@atexit/atexit";
      register(() => console.log("handler"));
      {
        using _both = exitOnSignals(["SIGTERM", "SIGINT"]);
        exitOnSignals(["SIGINT"]);
      }
      const twice = exitOnSignals(["SIGTERM"]);
      twice[Symbol.dispose]();
      twice[Symbol.dispose]();
      ${ready}
    `;
    const term = await signalled(start(source), "SIGTERM");
    assertOutcome(term, { lines: ["ready"], signal: "SIGTERM" });
    const int = await signalled(start(source), "SIGINT");
    assertOutcome(int, { lines: ["ready", "handler"], code: 130 });
  },
});

Deno.test({
  name: "exitOnSignals() in a worker ends the worker, and not the process",
  ignore,
  async fn() {
    const main = `
      import { register } from "@atexit/atexit";
      register(() => console.log("main", Deno.exitCode));
      new Worker(new URL("worker.ts", import.meta.url), { type: "module" });
    `;
    const worker = `
      import { exitOnSignals, registerAsync } from "@atexit/atexit";
      registerAsync(async () => { await Promise.resolve(); console.log("worker"); });
      exitOnSignals(["SIGTERM"]);
      self.onmessage = () => {};
      console.log("ready");
    `;
    const program = start(main, {
      command: ["run", "--allow-run", "--allow-read"],
      files: { "worker.ts": worker },
    });
    assertOutcome(await signalled(program, "SIGTERM"), {
      lines: ["ready", "worker", "main 0"],
      code: 0,
      stderr: "",
    });
  },
});

Deno.test({
  name: "exitOnSignals() keeps no program alive",
  ignore,
  async fn() {
    const outcome = await run(`
      import { exitOnSignals, register } from "@atexit/atexit";
      register(() => console.log("handler"));
      exitOnSignals();
      exitOnSignals(new Set(["SIGUSR1", "SIGUSR2"]), { timeout: 1000 });
    `);
    assertOutcome(outcome, { lines: ["handler"], code: 0, stderr: "" });
  },
});

Deno.test({
  name: "exitOnSignals() throws at bad arguments, and then covers none of the signals",
  ignore,
  async fn() {
    const list = "TypeError: Cannot exit on signals: expected a list of signals, received";
    const rows: [string, string][] = [
      ["5", `${list} 5`],
      ["null", "TypeError"],
      ['"SIGINT"', `${list} "SIGINT"`],
      ['["SIGTERM", "SIGKILL"]', "TypeError"],
      ['["SIGTERM", "SIGNONSENSE"]', "TypeError"],
      ['["SIGTERM", 15]', "TypeError"],
      ['["SIGTERM"], null', "TypeError"],
      ['["SIGTERM"], { timeout: -1 }', "RangeError"],
      ['["SIGTERM"], { timeout: "1" }', "TypeError"],
    ];
    const calls = rows.map(([args]) => `() => exitOnSignals(${args}),`);
    const source = `
      import { exitOnSignals } from "@atexit/atexit";
      for (const call of [${calls.join("\n")}]) {
        try {
          call();
          console.log("accepted");
        } catch (error) {
          console.log(String(error));
        }
      }
      ${ready}
    `;
    const outcome = await signalled(start(source), "SIGTERM");
    assertOutcome(outcome, { signal: "SIGTERM" });
    assertOutcome(outcome, ({ lines }) => {
      const expected = [...rows.map(([, error]) => error), "ready"];
      assertEquals(lines.map((line, index) => line.slice(0, expected[index]?.length)), expected);
    });
  },
});

Deno.test({
  name: "the exit code is 128 and the number that the system gives to the signal",
  ignore,
  async fn() {
    const { constants } = await import("node:os");
    const signals = ["SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGALRM", "SIGXCPU"] as const;
    for (const signal of signals) {
      const source = `
        import { exitOnSignals, registerAsync } from "@atexit/atexit";
        registerAsync(async () => { await Promise.resolve(); console.log(Deno.exitCode); });
        exitOnSignals(["${signal}"]);
        ${ready}
      `;
      const code = 128 + constants.signals[signal];
      assertOutcome(await signalled(start(source), signal), { lines: ["ready", `${code}`], code });
    }
  },
});

Deno.test({
  name: "Ctrl-C under deno task runs the handlers, though the signal comes twice",
  ignore: ignore || !await isInstalled("python3"), // Python makes the terminals.
  async fn() {
    const cwd = new URL("./fixtures/task/", import.meta.url).pathname;
    const command = ["terminal.py", Deno.execPath(), "task", "--quiet", "wait"];
    for (let time = 0; time < 8; time++) {
      const outcome = await new Program(command, { cwd }, "python3").outcome();
      assertOutcome({ ...outcome, lines: outcome.lines.map((line) => line.replace("^C", "")) }, {
        lines: ["ready", "async begins 130", "async ends", "sync 130"],
        code: 130,
      });
    }
  },
});
