// Programs that are process 1 of a container, and those that a supervisor stops.

import { assertEquals } from "@std/assert";
import { assertOutcome, deno, type Outcome, Program, start, writeProgram } from "./program.ts";
import { skipIf, withoutSignals } from "./skip.ts";

const inContainer = ["-pf", "--kill-child"];
const unshared = await run("unshare", [...inContainer, "echo", "made"]);
const ignore = skipIf(unshared !== "made\n", "unshare cannot make a container here");

const handlers = `
  import { exit, exitOnSignals, register, registerAsync, setGracePeriod } from "@atexit/atexit";
  register(() => console.log("sync", Deno.exitCode));
  registerAsync(async () => {
    console.log("begins");
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.log("ends");
  });
  console.log("process", Deno.pid);`;
const handled = (code: number) => ["begins", "ends", `sync ${code}`];
const stays = 'setInterval(() => {}, 1000); console.log("ready");';

/** What a command prints, or nothing where it cannot be run. */
async function run(path: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(path, { args, stderr: "null" }).output();
    return new TextDecoder().decode(stdout);
  } catch {
    return "";
  }
}

/** Starts a program as process 1. */
function startContained(source: string, permissions: string[]): Program {
  const file = writeProgram(source);
  const args = ["run", "--no-check", "--no-config", ...permissions, file];
  return new Program([...inContainer, deno, ...args], {}, "unshare");
}

for (const permissions of [[], ["--allow-run"], ["-A"]]) {
  const title = `process 1 of a container ${permissions}`;

  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
    Deno.test(`${title}: ${signal} awaits the handlers, and the status is ${code}`, {
      ignore,
    }, async () => {
      await using program = startContained(`${handlers} exitOnSignals(); ${stays}`, permissions);
      await program.says("ready");
      program.killChild(signal);
      assertOutcome(await program.outcome(), {
        lines: ["process 1", "ready", ...handled(code)],
        code,
        stderr: "",
      });
    });
  }

  Deno.test(`${title}: every other end awaits the handlers, too`, { ignore }, async () => {
    const ends: [source: string, code: number, stderr: RegExp][] = [
      ["", 0, /^$/],
      ["exit(3);", 3, /^$/],
      ['throw new Error("boom");', 1, /Uncaught .*Error: boom/],
      ["Promise.reject(4);", 1, /Uncaught \(in promise\) 4/],
    ];
    for (const [end, code, stderr] of ends) {
      await using program = startContained(`${handlers} ${end}`, permissions);
      assertOutcome(await program.outcome(), {
        lines: ["process 1", ...handled(code)],
        code,
        stderr,
      });
    }
  });
}

/** A flush that is registered before a handler that never settles, and so runs after it. */
const flush = `
  import { exitOnSignals, register, registerAsync, setGracePeriod } from "@atexit/atexit";
  register(() => console.log("released"));
  registerAsync(async function flush() {
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.log("flushed");
  });
  registerAsync(function stuck() {
    return new Promise(() => setInterval(() => {}, 1000));
  });`;
const limits = ["exitOnSignals({ timeout: 2_500 });", "exitOnSignals(); setGracePeriod(2_500);"];

/** Asserts that a handler that is stuck was given up, and that nothing else was lost. */
function assertFlushed(outcome: Outcome): void {
  assertOutcome(outcome, { code: 143, counts: { "did not settle within": 1, "handler stuck": 1 } });
  assertOutcome(outcome, ({ lines }) => {
    assertEquals(lines.slice(lines.indexOf("ready")), ["ready", "flushed", "released"]);
  });
}

/** Stops a program in each of the ways, and asserts that nothing is lost. They wait at the same time. */
async function assertStops(
  startProgram: (source: string) => Program,
  stop: (program: Program) => void,
): Promise<void> {
  await Promise.all(limits.map(async (limit) => {
    await using program = startProgram(`${flush} ${limit} ${stays}`);
    await program.says("ready");
    stop(program);
    assertFlushed(await program.outcome());
  }));
}

Deno.test("a stop within the grace period of a supervisor loses no flush", {
  ignore: withoutSignals(),
}, async () => {
  await assertStops((source) => start(source), (program) => program.kill("SIGTERM"));
});

Deno.test("a stop of a container within its grace period loses no flush", { ignore }, async () => {
  await assertStops(
    (source) => startContained(source, []),
    (program) => program.killChild("SIGTERM"),
  );
});
