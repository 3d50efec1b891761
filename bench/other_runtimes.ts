// The start of a program with one handler on Node.js and Bun: CPU time of the whole process.

import { fileURLToPath } from "node:url";
import { getTitle, others, type TestRuntime } from "../tests/runtimes.ts";
import {
  type Command,
  measureCpuTimes,
  median,
  ratio,
  type Rounds,
  run,
  type Samples,
  temporary,
} from "./measure.ts";
import { bundle } from "./packages.ts";
import { type Section, show, showEstimate, showRounds, table, type Target } from "./tables.ts";

const empty = "empty script";
const signalExit = "npm:signal-exit";
const exitHook = "npm:exit-hook";

const withHandler = (specifier: string) =>
  `import { register } from "${specifier}"; register(() => {});`;

const programs: Record<string, string> = {
  [empty]: "",
  "one import of an empty file": `import "./empty_file.mjs";`,
  "atexit": withHandler("@atexit/atexit"),
  "atexit without source maps": withHandler("atexit-no-source-maps"),
  "atexit in one file": withHandler("./one_file.mjs"),
  "atexit in one file, minified": withHandler("./one_file_minified.mjs"),
  [signalExit]: `import { onExit } from "signal-exit"; onExit(() => {});`,
  [exitHook]: `import exitHook from "exit-hook"; exitHook(() => {});`,
};

export async function measureOtherRuntimes(rounds: Rounds): Promise<Section> {
  if (others.length === 0) console.error("Neither Node.js nor Bun is here");
  const folder = await installPackages();
  const count = rounds(15);
  const measured: [name: string, times: Samples][] = [];
  for (const runtime of others) {
    const times = await measureCpuTimes(await getCommands(runtime, folder), count);
    measured.push([getTitle(runtime), times]);
  }
  return {
    title: "Start-up on Node.js and Bun",
    targets: measured.flatMap(([name, times]) => getTargets(name, times)),
    tables: measured.flatMap(([name, times]) => [
      `${name}: ${showRounds(count)} of 4 starts.`,
      getTable(times),
    ]),
    figures: {
      otherRuntimes: measured.flatMap(([runtime, times]) =>
        Object.entries(times).map(([program, values]) => ({
          runtime,
          program,
          ...ratio(values, times[empty]),
        }))
      ),
    },
  };
}

/** Returns a folder with all packages: the module as JSR offers it to npm, and in one file. */
async function installPackages(): Promise<string> {
  const folder = `${temporary}/npm`;
  await Deno.mkdir(folder);
  await pack(`${folder}/atexit.tgz`);
  await pack(`${folder}/no_source_maps.tgz`, "--no-source-maps");
  await Deno.writeTextFile(`${folder}/package.json`, `{ "private": true }`);
  const install = ["npm", "install", "--no-fund", "--no-audit", "--ignore-scripts"];
  const packages = [
    "./atexit.tgz",
    "atexit-no-source-maps@file:./no_source_maps.tgz",
    "signal-exit@4",
    "exit-hook@5",
  ];
  await run([...install, ...packages], { cwd: folder });
  await Deno.writeTextFile(`${folder}/empty_file.mjs`, "");
  await Deno.writeTextFile(`${folder}/entry.mjs`, `export * from "@atexit/atexit";`);
  await bundle(`${folder}/entry.mjs`, `${folder}/one_file.mjs`);
  await bundle(`${folder}/entry.mjs`, `${folder}/one_file_minified.mjs`, "--minify");
  return folder;
}

async function pack(file: string, ...flags: string[]): Promise<void> {
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const command = [Deno.execPath(), "pack", "--quiet", "--allow-dirty", ...flags, "-o", file];
  await run(command, { cwd });
}

/** The programs that this runtime can run. */
async function getCommands(
  { path, label }: TestRuntime,
  folder: string,
): Promise<Record<string, Command>> {
  const commands: Record<string, Command> = {};
  for (const [name, source] of Object.entries(programs)) {
    const file = `${folder}/${name.replace(/\W+/g, "_")}.program.mjs`;
    await Deno.writeTextFile(file, source);
    try {
      await run([path, file]);
      commands[name] = [path, file];
    } catch (error) {
      console.error(`${label} cannot run ${name}: ${error instanceof Error ? error.message : ""}`);
    }
  }
  return commands;
}

function getTargets(runtime: string, times: Samples): Target[] {
  return [{
    item: `${runtime}: atexit / ${exitHook}`,
    measured: ratio(times["atexit"], times[exitHook]),
    atMost: 1,
    unit: "×",
    why:
      "JSR gives npm one file for each source file, with the source in a source map. The rows below " +
      "show what the package would cost without the maps and in one file.",
  }];
}

function getTable(times: Samples): string {
  const bases = [empty, signalExit, exitHook];
  return table(
    ["", "CPU time", ...bases.map((base) => `/ ${base}`)],
    Object.entries(times).map(([name, values]) => [
      name,
      show(median(values), "ms"),
      ...bases.map((base) => showEstimate(ratio(values, times[base]), "×")),
    ]),
  );
}
