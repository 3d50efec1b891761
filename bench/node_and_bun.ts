// What the start of a program costs on Node.js and on Bun, with the package that `deno pack` makes.

import { fileURLToPath } from "node:url";
import { outputOf, temporary } from "./measure.ts";
import { cpuTimes } from "./processes.ts";

/** A runtime that was found. */
export interface OtherRuntime {
  readonly name: string;
  readonly command: string;
  readonly version: string;
}

/** What is compared, and the program that uses it. */
const programs = {
  "empty script": "",
  "atexit": `import { register } from "@atexit/atexit"; register(() => {});`,
  "npm:signal-exit": `import { onExit } from "signal-exit"; onExit(() => {});`,
  "npm:exit-hook": `import exitHook from "exit-hook"; exitHook(() => {});`,
};

/** Those that are on the PATH, or named by ATEXIT_NODE and ATEXIT_BUN. */
export async function findRuntimes(): Promise<OtherRuntime[]> {
  const found: OtherRuntime[] = [];
  for (const [name, variable, command] of [["Node.js", "NODE", "node"], ["Bun", "BUN", "bun"]]) {
    const path = Deno.env.get(`ATEXIT_${variable}`) ?? command;
    try {
      found.push({ name, command: path, version: (await outputOf(path, ["--version"])).trim() });
    } catch {
      // It is not here.
    }
  }
  return found;
}

/** Milliseconds of CPU time of a whole process, for each of what can be loaded there. */
export async function measureStartUpOn(
  { command }: OtherRuntime,
  rounds: number,
): Promise<Record<string, number[]>> {
  const folder = await installed();
  const commands: Record<string, string[]> = {};
  for (const [name, source] of Object.entries(programs)) {
    const file = `${folder}/${name.replace(/\W/g, "_")}.mjs`;
    await Deno.writeTextFile(file, source);
    try {
      await outputOf(command, [file]);
      commands[name] = [command, file];
    } catch (error) {
      console.error(`Not measured: ${error instanceof Error ? error.message : error}`);
    }
  }
  return await cpuTimes(commands, rounds);
}

let folder: Promise<string> | undefined;

/** A folder in which the packages are installed. */
function installed(): Promise<string> {
  return folder ??= (async () => {
    const folder = `${temporary}/packages`;
    await Deno.mkdir(folder);
    const config = fileURLToPath(new URL("../deno.json", import.meta.url));
    const tarball = `${folder}/atexit.tgz`;
    await outputOf(Deno.execPath(), ["pack", "--allow-dirty", "--config", config, "-o", tarball]);
    await Deno.writeTextFile(`${folder}/package.json`, "{}");
    const packages = ["signal-exit@4", "exit-hook@5", tarball];
    await outputOf("npm", ["install", "--no-fund", "--no-audit", "--prefix", folder, ...packages]);
    return folder;
  })();
}
