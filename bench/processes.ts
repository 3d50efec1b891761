// What whole processes cost: their start-up, their peak memory, and their exit.

import { outputOf, takeTurns } from "./measure.ts";

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
  const times = 8;
  return await measureEach(rounds, async (command) => {
    const script = `TIMEFORMAT='%3U %3S'
{ time for ((i = 0; i < ${times}; i++)); do "$0" "$@"; done; } 2>&1`;
    const output = await outputOf("bash", ["-c", script, ...command]);
    const [user, system] = output.trim().split(" ").map(Number);
    return (user + system) * 1e3 / times;
  });
}

/** Kilobytes that the process had in memory at its peak. Needs GNU time. */
export async function measurePeak(rounds: number): Promise<Record<string, number[]>> {
  return await measureEach(rounds, async (command) => {
    // A shell in between, since a process starts with the peak of the one that started it.
    const args = ["-c", 'env time -f %M "$0" "$@" 2>&1; :', ...command];
    return Number(await outputOf("sh", args));
  });
}

/** Milliseconds from the end of a program's work until the process is gone. */
export async function measureExit(rounds: number): Promise<Record<string, number[]>> {
  const jobs = {
    "empty script": () => exitTime("ends_empty"),
    "0 handlers": () => exitTime("ends", "0"),
    "1 handler": () => exitTime("ends", "1"),
    "1000 handlers": () => exitTime("ends", "1000"),
  };
  await takeTurns(2, jobs); // Fills Deno's caches.
  return await takeTurns(rounds, jobs);
}

async function measureEach(
  rounds: number,
  measure: (command: string[]) => Promise<number>,
): Promise<Record<string, number[]>> {
  const jobs: Record<string, () => Promise<number>> = {};
  for (const [name, program] of Object.entries(programs)) jobs[name] = () => measure(run(program));
  await takeTurns(2, jobs); // Fills Deno's caches.
  return await takeTurns(rounds, jobs);
}

async function exitTime(program: string, ...args: string[]): Promise<number> {
  const [command, ...rest] = run(program, ...args);
  const end = Number(await outputOf(command, rest));
  return performance.timeOrigin + performance.now() - end;
}

/** The command that runs a program of programs/. */
function run(program: string, ...args: string[]): string[] {
  const { pathname } = new URL(`./programs/${program}.ts`, import.meta.url);
  return [Deno.execPath(), "run", "--no-config", "--no-check", "--quiet", pathname, ...args];
}
