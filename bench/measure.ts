// Measuring side by side: what is compared takes turns, and each round has its own ratio, so that
// a machine that is slow for a while is slow for both.

import { register } from "../mod.ts";

/** A folder for the time of the measurements. */
export const temporary = Deno.makeTempDirSync({ prefix: "atexit_bench_" });
register(Deno.removeSync, temporary, { recursive: true });

/** Deno's caches for what is measured: another version of Deno would throw them away. */
const cache = `${temporary}/cache`;

/** Does every job once per round, in an order that is random, and collects what they give. */
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

/** What comes first in each round may cost more, or less, than what comes after it. */
function shuffled(names: string[]): string[] {
  for (let i = names.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [names[i], names[j]] = [names[j], names[i]];
  }
  return names;
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median of the ratios of each round. */
export function ratio(values: number[], bases: number[]): number {
  return median(values.map((value, round) => value / bases[round]));
}

/** Runs a command and returns its output. Throws if it fails, unless it is meant to. */
export async function outputOf(command: string, args: string[], fails = false): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    env: { DENO_DIR: cache, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  if (!success && !fails) {
    throw new Error(`Cannot run ${command} ${args.join(" ")}:\n${decoder.decode(stderr)}`);
  }
  return decoder.decode(stdout);
}
