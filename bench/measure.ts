// Measuring side by side: what is compared takes turns, and each round has its own ratio, so that a
// machine that is slow for a while is slow for both.

import { register } from "../mod.ts";

/** A folder that is removed when the measurements are done. */
export const temporary = Deno.makeTempDirSync({ prefix: "atexit_bench_" });
register(Deno.removeSync, temporary, { recursive: true });

/** The environment of all programs: Deno's caches are used by nothing else. */
const environment = {
  DENO_DIR: `${temporary}/cache`,
  DENO_NO_UPDATE_CHECK: "1",
  NO_COLOR: "1",
};

/** What was measured, by what it was measured of: a value for each round. */
export type Samples = Record<string, number[]>;

/** Returns the number of rounds, given that of a whole measurement. */
export type Rounds = (full: number) => number;

/** The median of the rounds and its 95 % confidence interval. */
export interface Estimate {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function estimate(values: number[]): Estimate {
  const sorted = values.toSorted((a, b) => a - b);
  const outside = countOutside(sorted.length);
  const low = sorted[outside];
  const high = sorted[sorted.length - 1 - outside];
  return { median: median(values), low, high };
}

/**
 * The number of values on each side that the interval leaves out. The median lies below the k-th
 * smallest value with the probability that fewer than k of n tossed coins show heads.
 */
function countOutside(rounds: number): number {
  let count = 0;
  let probability = 0.5 ** rounds; // That exactly `count` values are below the median.
  for (let sum = probability; sum <= 0.025; sum += probability) {
    count++;
    probability *= (rounds - count + 1) / count;
  }
  return Math.max(0, count - 1);
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The ratio of each round. Empty if one of the two was not measured. */
export function ratio(values: number[] = [], bases: number[] = []): Estimate {
  return estimate(bases.length === 0 ? [] : values.map((value, round) => value / bases[round]));
}

/** The difference in each round. Empty if one of the two was not measured. */
export function difference(values: number[] = [], bases: number[] = []): Estimate {
  return estimate(bases.length === 0 ? [] : values.map((value, round) => value - bases[round]));
}

/** An estimate in another unit. */
export function scale({ median, low, high }: Estimate, factor: number): Estimate {
  return { median: median * factor, low: low * factor, high: high * factor };
}

/** Does every job once in each round, in random order, and collects the results. */
export async function takeTurns<T>(
  rounds: number,
  jobs: Record<string, () => Promise<T>>,
): Promise<Record<string, T[]>> {
  const results: Record<string, T[]> = {};
  for (const name in jobs) results[name] = [];
  for (let round = 0; round < rounds; round++) {
    for (const name of shuffled(Object.keys(jobs))) results[name].push(await jobs[name]());
  }
  return results;
}

/** The first program of a round may cost more, or less, than those that follow it. */
function shuffled(names: string[]): string[] {
  for (let i = names.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [names[i], names[j]] = [names[j], names[i]];
  }
  return names;
}

/** A program with its arguments. */
export type Command = readonly string[];

/** Milliseconds of CPU time that each of the commands takes, user and system. */
export async function measureCpuTimes(
  commands: Record<string, Command>,
  rounds: number,
): Promise<Samples> {
  const starts = 4; // A sample is the mean of several starts.
  const script = `TIMEFORMAT='%3U %3S'
{ time for ((i = 0; i < ${starts}; i++)); do "$0" "$@"; done; } 2>&1`;
  return await measureEach(commands, rounds, async (command) => {
    const { stdout } = await run(["bash", "-c", script, ...command]);
    const [user, system] = stdout.trim().split(" ").map(Number);
    return (user + system) * 1000 / starts;
  });
}

/** Mebibytes that each of the commands has in memory at its peak. */
export async function measurePeaks(
  commands: Record<string, Command>,
  rounds: number,
): Promise<Samples> {
  // A shell in between, because a process starts with the peak of the one that started it.
  const script = 'env time -f %M "$0" "$@" 2>&1; :';
  return await measureEach(commands, rounds, async (command) => {
    const { stdout } = await run(["sh", "-c", script, ...command]);
    return Number(stdout) / 1024;
  });
}

async function measureEach(
  commands: Record<string, Command>,
  rounds: number,
  measure: (command: Command) => Promise<number>,
): Promise<Samples> {
  const jobs: Record<string, () => Promise<number>> = {};
  for (const [name, command] of Object.entries(commands)) jobs[name] = () => measure(command);
  await takeTurns(1, jobs); // Fills the caches.
  return await takeTurns(rounds, jobs);
}

export interface RunOptions {
  /** The exit code that is expected. Default: 0. */
  readonly code?: number;
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

/** Runs a command. Throws if it ends with another exit code than expected. */
export async function run(
  [program, ...args]: Command,
  { code = 0, cwd, env }: RunOptions = {},
): Promise<{ stdout: string; stderr: string }> {
  const options = { args, env: { ...environment, ...env }, ...cwd === undefined ? {} : { cwd } };
  const output = await new Deno.Command(program, options).output();
  const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  if (output.code !== code) {
    throw new Error(`${program} ${args.join(" ")} ended with ${output.code}:\n${stdout}${stderr}`);
  }
  return { stdout, stderr };
}

const flags = ["run", "--quiet", "--no-config", "--no-check"];

/** The command by which Deno runs a file. */
export function denoRun(file: string, ...more: string[]): Command {
  return [Deno.execPath(), ...flags, ...more, file];
}

/** Writes a program and returns its path. */
export async function writeProgram(name: string, source: string): Promise<string> {
  const file = `${temporary}/${name.replace(/\W+/g, "_")}.ts`;
  await Deno.writeTextFile(file, source);
  return file;
}
