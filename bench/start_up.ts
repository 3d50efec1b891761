// The start of a program with one handler on Deno: CPU time and peak memory of the whole process.

import { fileURLToPath, pathToFileURL } from "node:url";
import {
  type Command,
  denoRun,
  measureCpuTimes,
  measurePeaks,
  median,
  ratio,
  type Rounds,
  run,
  temporary,
  writeProgram,
} from "./measure.ts";
import { bundle, getPackages, type Packages, startJsr } from "./packages.ts";
import { type Section, show, showEstimate, showRounds, table, type Target } from "./tables.ts";

export async function measureStartUp(rounds: Rounds): Promise<Section> {
  const packages = await getPackages();
  await using jsr = await startJsr(packages);
  const oneFile = `${temporary}/one_file.js`;
  await bundle(fileURLToPath(packages.atexit.local), oneFile);
  const commands = await prepare(getPrograms(packages, oneFile), jsr.url);
  const [timeRounds, peakRounds] = [rounds(31), rounds(11)];
  const times = await measureCpuTimes(commands, timeRounds);
  const peaks = await measurePeaks(commands, peakRounds);

  const rows = Object.keys(commands).map((name) => [
    name,
    show(median(times[name]), "ms"),
    showEstimate(ratio(times[name], times[empty]), "×"),
    show(median(peaks[name]), "MiB"),
    showEstimate(ratio(peaks[name], peaks[empty]), "×"),
  ]);
  return {
    title: "Start-up on Deno",
    targets: getTargets((name, base) => ratio(times[name], times[base])),
    tables: [
      `CPU time: ${showRounds(timeRounds)} of 4 starts. Memory: ${showRounds(peakRounds)}.`,
      table(["", "CPU time", "/ empty script", "peak memory", "/ empty script"], rows),
    ],
    figures: {
      startUp: Object.entries(times).map(([program, values]) => ({
        program,
        ...ratio(values, times[empty]),
      })),
    },
  };
}

const empty = "empty script";

/** The sources of the programs. */
function getPrograms(
  { atexit, emptyFiles, before }: Packages,
  oneFile: string,
): Record<string, string> {
  const withHandler = (specifier: string) =>
    `import { register } from "${specifier}"; register(() => {});`;
  return {
    [empty]: "",
    "one `unload` listener": `addEventListener("unload", () => {});`,
    "atexit": withHandler(atexit.local),
    "the same files, empty": `import "${emptyFiles.local}";`,
    "atexit in one file of JavaScript": withHandler(pathToFileURL(oneFile).href),
    ...before && { "atexit before the redesign": withHandler(before.local) },
    "atexit from JSR": withHandler(atexit.jsr),
    "the same files, empty, from JSR": `import "${emptyFiles.jsr}";`,
    ...before && { "atexit before the redesign, from JSR": withHandler(before.jsr) },
    "npm:signal-exit": `import { onExit } from "npm:signal-exit@4"; onExit(() => {});`,
    "npm:exit-hook": `import exitHook from "npm:exit-hook@5"; exitHook(() => {});`,
  };
}

/** Writes the programs, and loads what they import into the cache. */
async function prepare(
  programs: Record<string, string>,
  jsr: string,
): Promise<Record<string, Command>> {
  const commands: Record<string, Command> = {};
  for (const [name, source] of Object.entries(programs)) {
    const file = await writeProgram(name, source);
    await run(denoRun(file), { env: { JSR_URL: jsr } });
    // `--cached-only`: a program that would use the network fails.
    commands[name] = ["env", `JSR_URL=${jsr}`, ...denoRun(file, "--cached-only")];
  }
  return commands;
}

function getTargets(over: (name: string, base: string) => Target["measured"]): Target[] {
  const files =
    "the module has three times the files of the one before the redesign, and half as much source " +
    "again. The row of empty files is what their number costs. The row of one file is what is left " +
    "without TypeScript and source maps, but then users could not read what they run.";
  const target = (name: string, base: string, atMost: number): Target => ({
    item: `${name} / ${base}`,
    measured: over(name, base),
    atMost,
    unit: "×",
    why: files,
  });
  return [
    target("atexit", "atexit before the redesign", 1),
    target("atexit from JSR", "atexit before the redesign, from JSR", 1),
    target("atexit", empty, 1.15),
    target("atexit from JSR", empty, 1.22),
  ];
}
