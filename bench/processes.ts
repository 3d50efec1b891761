// What whole processes cost: their start-up, their peak memory, and their exit.

import { outputOf, takeTurns, temporary } from "./measure.ts";

/** The programs of start-up, by what they use. */
const programs = {
  "empty script": "empty",
  "unload listener": "unload_listener",
  "atexit": "atexit",
  "npm:signal-exit": "signal_exit",
  "npm:exit-hook": "exit_hook",
};

/** Milliseconds of CPU time that the whole process takes, user and system. */
export async function measureStartUp(rounds: number): Promise<Record<string, number[]>> {
  const commands = Object.entries(programs).map(([name, program]) => [name, run(program)]);
  return await cpuTimes(Object.fromEntries(commands), rounds);
}

/** Milliseconds of CPU time that each of the commands takes, user and system. */
export async function cpuTimes(
  commands: Record<string, string[]>,
  rounds: number,
): Promise<Record<string, number[]>> {
  const times = 8;
  return await measureEach(commands, rounds, async (command) => {
    const script = `TIMEFORMAT='%3U %3S'
{ time for ((i = 0; i < ${times}; i++)); do "$0" "$@"; done; } 2>&1`;
    const output = await outputOf("bash", ["-c", script, ...command]);
    const [user, system] = output.trim().split(" ").map(Number);
    return (user + system) * 1e3 / times;
  });
}

/** Kilobytes that the process had in memory at its peak. Needs GNU time. */
export async function measurePeak(rounds: number): Promise<Record<string, number[]>> {
  const commands = Object.entries(programs).map(([name, program]) => [name, run(program)]);
  return await measureEach(Object.fromEntries(commands), rounds, async (command) => {
    // A shell in between, since a process starts with the peak of the one that started it.
    const args = ["-c", 'env time -f %M "$0" "$@" 2>&1; :', ...command];
    return Number(await outputOf("sh", args));
  });
}

/** A program that ends, and the same without the module. */
export const ends: Record<string, { base?: string; program: string }> = {
  "empty script": { program: "" },
  "no handler": { base: "empty script", program: "import {} from MODULE;" },
  "one handler": {
    base: "empty script",
    program: "import { register } from MODULE; register(() => {});",
  },
  "1000 handlers": {
    base: "empty script",
    program: "import { register } from MODULE; for (let i = 0; i < 1000; i++) register(() => {});",
  },
  "awaited by hand": { program: "const flush = async () => { await 1; }; END; await flush();" },
  "one asynchronous handler": {
    base: "awaited by hand",
    program: "import { registerAsync } from MODULE; registerAsync(async () => { await 1; });",
  },
  "uncaught error": { program: "END; throw new Error();" },
  "uncaught error, one handler": {
    base: "uncaught error",
    program: "import { register } from MODULE; register(() => {}); END; throw new Error();",
  },
  "uncaught error, one asynchronous handler": {
    base: "uncaught error",
    program:
      "import { registerAsync } from MODULE; registerAsync(async () => { await 1; }); END; throw new Error();",
  },
  "SystemExit, one handler": {
    base: "uncaught error",
    program:
      "import { register, SystemExit } from MODULE; register(() => {}); END; throw new SystemExit(1);",
  },
};

/** Milliseconds from the end of a program's work until the process is gone. */
export async function measureEnds(rounds: number): Promise<Record<string, number[]>> {
  const jobs: Record<string, () => Promise<number>> = {};
  for (const [name, { program }] of Object.entries(ends)) {
    const file = `${temporary}/${name.replace(/\W/g, "_")}.ts`;
    const source = program.includes("END") ? program : `${program}; END`;
    await Deno.writeTextFile(
      file,
      source.replace("MODULE", JSON.stringify(new URL("../mod.ts", import.meta.url).href))
        .replace("END", "console.log(performance.timeOrigin + performance.now())"),
    );
    jobs[name] = async () => {
      const end = Number(await outputOf(Deno.execPath(), [...flags, file], true));
      return performance.timeOrigin + performance.now() - end;
    };
  }
  await takeTurns(2, jobs); // Fills Deno's caches.
  return await takeTurns(rounds, jobs);
}

/** What a report of a handler that has failed costs, in microseconds, and the memory of all in MiB. */
export async function measureReports(rounds: number): Promise<Record<string, number[][]>> {
  const jobs: Record<string, () => Promise<number[]>> = {};
  for (const name of ["console.error", "atexit"]) {
    jobs[name] = async () => {
      const script = '"$0" "$@" 2>/dev/null';
      const args = ["-c", script, ...run("reports", name, "1e5")];
      return JSON.parse(await outputOf("sh", args, true));
    };
  }
  return await takeTurns(rounds, jobs);
}

async function measureEach(
  commands: Record<string, string[]>,
  rounds: number,
  measure: (command: string[]) => Promise<number>,
): Promise<Record<string, number[]>> {
  const jobs: Record<string, () => Promise<number>> = {};
  for (const [name, command] of Object.entries(commands)) jobs[name] = () => measure(command);
  await takeTurns(2, jobs); // Fills the caches.
  return await takeTurns(rounds, jobs);
}

const flags = ["run", "--no-config", "--no-check", "--quiet"];

/** The command that runs a program of programs/. */
function run(program: string, ...args: string[]): string[] {
  const { href } = new URL(`./programs/${program}.ts`, import.meta.url);
  return [Deno.execPath(), ...flags, href, ...args];
}
