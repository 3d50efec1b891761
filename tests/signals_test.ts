// exitOnSignals() on Deno alone: what depends on permissions, and on signals that come from outside.
// The rest is in portable_signals_test.ts.

import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import {
  assertOutcome,
  deno,
  freePort,
  isInstalled,
  type Options,
  type Outcome,
  Program,
  run,
  start,
  startFixture,
  terminalScript,
  version,
  writeProgram,
} from "./program.ts";
import { skipIf, withoutSignals, withoutTerminals } from "./skip.ts";

const ignore = withoutSignals();
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
    assertOutcome(await signalled(program, "SIGINT"), { code: 130, stderr: "" });
  },
});

/** What a signal does to a program that has the permission to run others, and to one that has not. */
const statuses = [
  { command: ["run"], status: { code: 130 } },
  { command: allowRun, status: { signal: "SIGINT" } },
] as const;

Deno.test({
  name: "without --allow-run, too, the status stays, whatever handlers raise or assign",
  ignore,
  async fn() {
    for (const how of ["throw", "system exit", "exit code"]) {
      assertOutcome(await signalled(endsBySignal({ args: [how] }), "SIGINT"), {
        code: 130,
        counts: { "Exception in atexit handler": how === "throw" ? 1 : 0, "Uncaught": 0 },
      });
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
      assertOutcome(await signalled(program, "SIGINT"), {
        ...status,
        lines: ["ready", "first", "last"],
        counts: { "Uncaught error:\nError: in listener": 1 },
      });
    }
  },
});

/** Handlers that wait until the half second is over in which a second signal may be the first one. */
const waitsForSecond = `
  import { exitOnSignals, register, registerAsync } from "@atexit/atexit";
  register(() => console.log("last"));
  registerAsync(async function called() { console.log("called"); await new Promise(() => {}); });
  registerAsync(async function pending() {
    console.log("waiting");
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    console.log("still waiting");
    await new Promise(() => {});
  });
  exitOnSignals({ signals: ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP"], timeout: 60_000 });
  ${ready}
`;

/** Sends a first signal, and a second one when it cannot be the first one any more. */
async function signalledTwice(
  starting: Program,
  first: Deno.Signal,
  second: Deno.Signal,
): Promise<Outcome> {
  await using program = starting;
  await program.says("ready");
  program.kill(first);
  await program.says("still waiting");
  program.kill(second);
  return await program.outcome();
}

Deno.test({
  name:
    "a second signal of the keyboard makes the end immediate, and the status stays that of the first",
  ignore,
  async fn() {
    for (const second of ["SIGINT", "SIGQUIT"] as const) {
      for (const { command, status } of statuses) {
        const program = start(waitsForSecond, { command: [...command] });
        const report = (name: string) =>
          `Cannot await atexit handler ${name}: a second ${second} arrived. ` +
          `Press Ctrl-C only once to let the handlers finish\nPromise { <pending> }\n`;
        assertOutcome(await signalledTwice(program, "SIGINT", second), {
          ...status,
          lines: ["ready", "waiting", "still waiting", "called", "last"],
          stderr: report("pending") + report("called"),
        });
      }
    }
  },
});

/** A handler that goes on until two signals have come. */
const countsSignals = `
  import { exitOnSignals, register, registerAsync } from "@atexit/atexit";
  register(() => console.log("last"));
  const both = Promise.withResolvers();
  let count = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    Deno.addSignalListener(signal, () => {
      console.log(signal);
      if (++count === 2) both.resolve();
    });
  }
  const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));
  registerAsync(async function pending() {
    console.log("waiting");
    await wait(late ? 800 : 0);
    console.log("send the second");
    await both.promise;
    await wait(50);
    console.log("awaited");
  });
  exitOnSignals();
  ${ready}
`;

Deno.test({
  name: "a second signal interrupts nothing within half a second, nor one that no keyboard sends",
  ignore,
  async fn() {
    const rows: [second: Deno.Signal, late: boolean][] = [
      ["SIGINT", false],
      ["SIGTERM", false],
      ["SIGTERM", true],
      ["SIGHUP", true],
    ];
    for (const [second, late] of rows) {
      await using program = start(`const late = ${late};${countsSignals}`);
      await program.says("ready");
      program.kill("SIGINT");
      await program.says("send the second");
      program.kill(second);
      assertOutcome(await program.outcome(), {
        lines: ["ready", "SIGINT", "waiting", "send the second", second, "awaited", "last"],
        code: 130,
        stderr: "",
      });
    }
  },
});

Deno.test({
  name:
    "the application's own listeners are called, also those added later, before the program ends",
  ignore,
  async fn() {
    const listener = (when: string) =>
      `Deno.addSignalListener("SIGTERM", () => console.log("${when}"));`;
    const source = `
      import { exitOnSignals, register } from "@atexit/atexit";
      register(() => console.log("handler"));
      ${listener("before")}
      exitOnSignals();
      ${listener("after")}
      ${ready}
    `;
    assertOutcome(await signalled(start(source), "SIGTERM"), {
      lines: ["ready", "before", "after", "handler"],
      code: 143,
    });
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
      exitOnSignals({ signals: ["SIGINT"], timeout: 1e9 });
      exitOnSignals({ signals: ["SIGINT"], timeout: 500 });
      exitOnSignals({ signals: ["SIGINT"] });
      ${ready}
    `;
    assertOutcome(await signalled(start(source, { command: allowRun }), "SIGINT"), {
      lines: ["ready", "sync"],
      signal: "SIGINT",
      stderr: /did not settle within 500 ms/,
    });
  },
});

Deno.test({
  name:
    "if the exit turns out not to happen, the code is as before, and the signal is still covered",
  ignore,
  async fn() {
    const source = `
      import { exitOnSignals, exitReason, registerAsync } from "@atexit/atexit";
      const real = Deno.exit;
      Deno.exit = (code) => {
        console.log("stub", code, exitReason().kind);
        Deno.exit = real;
        setTimeout(() => {
          console.log(Deno.exitCode, exitReason());
          registerAsync(handler);
          console.log("still here");
        }, 5);
      };
      Deno.exitCode = 6;
      const handler = async () => { await Promise.resolve(); console.log("handler", Deno.exitCode); };
      registerAsync(handler);
      exitOnSignals();
      ${ready}
    `;
    await using program = start(source);
    await program.says("ready");
    program.kill("SIGINT");
    await program.says("still here");
    program.kill("SIGTERM");
    assertOutcome(await program.outcome(), {
      lines: [
        "ready",
        "handler 130",
        "stub 130 signal",
        "6 undefined",
        "still here",
        "handler 143",
      ],
      code: 143,
      stderr: "",
    });
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
      exitOnSignals({ signals: ["SIGINT"] });
      self.onmessage = () => {};
      console.log("ready");
    `;
    const program = start(main, {
      command: ["run", "--allow-run", "--allow-read"],
      files: { "worker.ts": worker },
    });
    assertOutcome(await signalled(program, "SIGINT"), {
      lines: ["ready", "worker", "main 0"],
      code: 0,
      stderr: "",
    });
  },
});

Deno.test({
  name: "exitOnSignals() throws at bad arguments, and then covers none of the signals",
  ignore,
  async fn() {
    const list = "TypeError: Cannot exit on signals: expected a list of signals, received";
    const options = "TypeError: Cannot exit on signals: expected options, received";
    const signal =
      'Cannot exit on signals: expected a signal that can be listened to here, such as "SIGINT"';
    const time = "Cannot exit on signals: expected a time in milliseconds";
    const rows: [string, string][] = [
      ["5", `${options} 5`],
      ["null", `${options} null`],
      ['["SIGINT"]', `${options} an array. Pass { signals } instead`],
      ["{ signals: 5 }", `${list} 5`],
      ["{ signals: null }", `${list} null`],
      ['{ signals: "SIGINT" }', `${list} "SIGINT"`],
      ['{ signals: ["SIGTERM", "SIGKILL"] }', `TypeError: ${signal}, received "SIGKILL"`],
      ['{ signals: ["SIGTERM", "INT"] }', `TypeError: ${signal}, received "INT"`],
      ['{ signals: ["SIGTERM", 15] }', `TypeError: ${signal}, received 15`],
      ['{ signals: ["SIGTERM"], timeout: null }', `TypeError: ${time}, received null`],
      ['{ signals: ["SIGTERM"], timeout: "1" }', `TypeError: ${time}, received "1"`],
      [
        '{ signals: ["SIGTERM"], timeout: -1 }',
        `RangeError: ${time}, a finite number of 0 or more, received -1`,
      ],
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

/** Sends a program a signal, and asserts that it ends with 128 and the number of the signal. */
async function assertNumber(signal: Deno.Signal, command: string[]): Promise<void> {
  const { constants } = await import("node:os");
  const code = 128 + constants.signals[signal as keyof typeof constants.signals];
  const source = `
    import { exitOnSignals, registerAsync } from "@atexit/atexit";
    registerAsync(async () => { await Promise.resolve(); console.log(Deno.exitCode); });
    exitOnSignals({ signals: ["${signal}"] });
    ${ready}
  `;
  const outcome = await signalled(start(source, { command }), signal);
  assertOutcome(outcome, { lines: ["ready", `${code}`], code, stderr: "" });
}

Deno.test({
  name: "the exit code is 128 and the number that the system gives to the signal",
  ignore,
  async fn() {
    for (const signal of ["SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGALRM", "SIGXCPU"] as const) {
      await assertNumber(signal, ["run"]);
    }
  },
});

Deno.test({
  name: "a process does not send itself a signal that would stop it, or break Deno",
  ignore,
  async fn() {
    const stop = ["SIGTSTP", "SIGTTIN", "SIGTTOU"] as const;
    const onLinux = Deno.build.os === "linux" ? ["SIGPWR", "SIGSTKFLT"] as const : [];
    for (const signal of [...stop, ...onLinux]) await assertNumber(signal, allowRun);
  },
});

Deno.test({
  name: "Ctrl-C under deno task runs the handlers, though the signal comes twice",
  ignore: await withoutTerminals(),
  async fn() {
    const cwd = fileURLToPath(new URL("./fixtures/task/", import.meta.url));
    const command = [terminalScript, Deno.execPath(), "task", "--quiet", "wait"];
    for (let time = 0; time < 3; time++) {
      const outcome = await new Program(command, { cwd }, "python3").outcome();
      // On a busy machine `deno task` may not listen yet, and dies of the Ctrl-C. That ends the
      // terminal, whose SIGHUP may reach the program first.
      const code = outcome.lines.join().includes("129") ? 129 : 130;
      const lines = outcome.lines.map((line) => line.replace("^C", ""));
      assertOutcome({ ...outcome, lines }, {
        lines: ["ready", `async begins ${code}`, "async ends", `sync ${code}`],
        ...code === 130 ? { code } : {},
      });
    }
  },
});

Deno.test({
  name: "a signal that arrives while synchronous code blocks at the end of a program decides",
  ignore,
  async fn() {
    for (const handler of ["register", "registerAsync"]) {
      const outcome = await run(
        `
        import { spawnSync } from "node:child_process";
        import { exitOnSignals, exitReason, register, registerAsync } from "@atexit/atexit";
        exitOnSignals();
        ${handler}(() => console.log("handler", exitReason().kind));
        spawnSync("sh", ["-c", "kill -TERM $PPID"]);`,
        { command: ["run", "-A"] },
      );
      assertOutcome(outcome, { lines: ["handler signal"], code: 143, stderr: "" });
    }
  },
});

Deno.test({
  name:
    "a listener of the signal that rejects a promise does not decide, and its error is reported",
  ignore,
  async fn() {
    for (const handler of ["register", "registerAsync"]) {
      const program = start(`
        import { exitOnSignals, exitReason, register, registerAsync } from "@atexit/atexit";
        exitOnSignals();
        ${handler}(() => console.log("handler", exitReason().kind));
        Deno.addSignalListener("SIGTERM", () => Promise.reject(new Error("aborted")));
        ${ready}`);
      assertOutcome(await signalled(program, "SIGTERM"), {
        lines: ["ready", "handler signal"],
        code: 143,
        counts: { "Uncaught error:\nError: aborted": 1 },
      });
    }
  },
});

Deno.test({
  name: "an exit in a listener of the signal joins, and the handlers are awaited",
  ignore,
  async fn() {
    for (const exit of ["Deno.exit()", "process.exit()", "process.exit(0)", "exit(0)"]) {
      const program = start(`
        import process from "node:process";
        import { exit, exitOnSignals, registerAsync } from "@atexit/atexit";
        registerAsync(async () => {
          await new Promise((resolve) => setTimeout(resolve, 100));
          console.log("awaited", Deno.exitCode);
        });
        exitOnSignals();
        Deno.addSignalListener("SIGTERM", () => ${exit});
        ${ready}`);
      assertOutcome(await signalled(program, "SIGTERM"), {
        lines: ["ready", "awaited 143"],
        code: 143,
        stderr: "",
      });
    }
  },
});

Deno.test({
  name: "unload listeners and exit listeners are called before the process dies by a signal",
  ignore,
  async fn() {
    const program = start(
      `
      import process from "node:process";
      import { exitOnSignals, register } from "@atexit/atexit";
      exitOnSignals();
      addEventListener("unload", () => console.log("unload", Deno.exitCode));
      process.on("exit", (code) => console.log("exit", code, process.exitCode));
      register(() => console.log("handler", process.exitCode));
      ${ready}`,
      { command: allowRun },
    );
    assertOutcome(await signalled(program, "SIGINT"), {
      lines: ["ready", "handler 130", "exit 130 130", "unload 130"],
      signal: "SIGINT",
      stderr: "",
    });
  },
});

Deno.test({
  name: "the terminal is not in raw mode any more when a process has died by a signal",
  ignore: ignore || skipIf(!await isInstalled("script"), "script of util-linux is not installed"),
  async fn() {
    const file = writeProgram(`
      import { exitOnSignals, register } from "@atexit/atexit";
      register(() => console.log("handler"));
      exitOnSignals();
      Deno.stdin.setRaw(true);
      setInterval(() => {}, 1000);
      Deno.kill(Deno.pid, "SIGINT");`);
    const modes = "stty -a | grep -oE -- '-?(icanon|echo|isig)\\b' | xargs";
    const program = `${deno} run -A --no-check --no-config ${file}`;
    const script = `${modes}; ${program}; echo status $?; ${modes}`;
    const outcome = await new Program(["-qec", script, "/dev/null"], {}, "script").outcome();
    assertOutcome(outcome, {
      lines: ["isig icanon echo", "handler", "status 130", "isig icanon echo"],
    });
  },
});

/** A server that takes its time for a request, and says when one has come. */
const server = `
  import { exitOnSignals, registerAsync } from "@atexit/atexit";
  exitOnSignals();
  registerAsync(async () => console.log(await Promise.resolve("handler"), Deno.exitCode));
  export default {
    async fetch() {
      console.log("request");
      await new Promise((resolve) => setTimeout(resolve, 500));
      console.log("answered");
      return new Response("hello");
    },
  };`;

/** Starts a server with `deno serve`, and sends it a signal while a request is under way. */
async function signalServer(source: string): Promise<{ outcome: Outcome; text: string }> {
  const port = freePort();
  const args = ["serve", "--port", port, "--host", "127.0.0.1", "--no-check", "--no-config"];
  const merged = ["-c", 'exec "$0" "$@" 2>&1', deno, ...args, writeProgram(source)];
  await using program = new Program(merged, {}, "sh");
  await program.says("Listening on");
  const response = fetch(`http://127.0.0.1:${port}/`);
  await program.says("request");
  program.kill("SIGTERM");
  const text = await (await response).text();
  return { outcome: await program.outcome(), text };
}

Deno.test({
  name: "under deno serve requests under way are answered before the handlers run",
  ignore: ignore || version < 209, // Older ones do not drain.
  async fn() {
    const { outcome, text } = await signalServer(server);
    assertEquals(text, "hello");
    assertOutcome(outcome, ({ lines, code }) => {
      assertEquals([lines.slice(1), code], [["request", "answered", "handler 143"], 143]);
    });
  },
});

Deno.test({
  name:
    "under deno serve the handlers run after five seconds at the latest, if something else goes on",
  ignore: ignore || version < 209,
  async fn() {
    const { outcome, text } = await signalServer(`${server} setInterval(() => {}, 1_000);`);
    assertEquals(text, "hello");
    assertOutcome(outcome, ({ lines, code }) => {
      assertEquals([lines.slice(-2), code], [["answered", "handler 143"], 143]);
    });
  },
});

Deno.test({
  name:
    "under deno serve --parallel the handlers of a thread are awaited, and no signal is a second one",
  ignore: ignore || version < 209,
  async fn() {
    const source = `
      import { exitOnSignals, registerAsync } from "@atexit/atexit";
      exitOnSignals();
      registerAsync(async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        console.log("awaited");
      });
      console.log("ready");
      export default { fetch: () => new Response("hello") };`;
    const args = ["serve", "--parallel", "--port", "0", "--no-check", "--no-config"];
    await using program = new Program([...args, writeProgram(source)], { env: { DENO_JOBS: "3" } });
    await program.says("ready", 3);
    program.kill("SIGTERM");
    const outcome = await program.outcome();
    assertOutcome(outcome, {
      code: 143,
      stdout: /awaited/,
      counts: { "second": 0, "Exception": 0 },
    });
  },
});
