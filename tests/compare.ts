// Runs this module and other packages for the same purpose by Deno, Node.js and Bun, each cell as a real
// program, and prints the tables of docs/comparison.md. With --write it puts them there.
//
//   deno task compare [--write]
//
// What is compared stands in compare/subjects.ts, what is asked in compare/rows.ts, and which runtimes
// there are in runtimes.ts. Needs npm, and a system that has signals.

import { Bench, nameOf, project, write } from "./compare/bench.ts";
import { groups } from "./compare/rows.ts";
import { subjects } from "./compare/subjects.ts";
import { pack, succeed } from "./portable.ts";
import { mod } from "./program.ts";
import { getTitle, runtimes, skipped, type TestRuntime } from "./runtimes.ts";
import { replaceMarked, runTwoAtATime, table } from "./tables.ts";

const packages = Object.entries(subjects).filter(([, subject]) => subject.package !== undefined);
await install();

const tables = [await sizes()];
for (const runtime of runtimes) tables.push(await compare(runtime));
const text = [`${await python()}; ${Deno.build.os}.\n`, ...tables].join("\n");
console.log(text);
for (const reason of skipped) console.error(reason);
if (Deno.args.includes("--write")) {
  await replaceMarked(new URL("../docs/comparison.md", import.meta.url), () => text);
}

/** Installs each package in two copies. On Deno the first one of this module is the source. */
async function install(): Promise<void> {
  const file = await pack(project);
  const specs = packages.flatMap(([, subject]) => {
    const name = nameOf(subject);
    const spec = subject.package === name ? `file:${file}` : `npm:${subject.package}`;
    return [`${name}@${spec}`, `${name}-copy@${spec}`];
  });
  await Deno.writeTextFile(`${project}/package.json`, '{ "private": true }');
  await succeed("npm", ["install", "--no-audit", "--no-fund", ...specs], project);
  const config = { imports: { "@atexit/atexit": mod } };
  await Deno.writeTextFile(`${project}/deno.json`, JSON.stringify(config));
}

/** The Python that its `atexit` is of. */
async function python(): Promise<string> {
  const { stdout } = await new Deno.Command("python3", { args: ["--version"] }).output();
  return new TextDecoder().decode(stdout).trim();
}

/** The table of the packages. */
async function sizes(): Promise<string> {
  const rows = await Promise.all(packages.map(async ([title, subject]) => {
    const name = nameOf(subject);
    const folder = `${project}/node_modules/${name}`;
    const { version } = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
    return [title, version, await installed(folder), await bundled(name)];
  }));
  return table(["", "version", "installed", "bundled and minified"], rows);
}

/** The table of a runtime. Two programs run at a time. */
async function compare(runtime: TestRuntime): Promise<string> {
  const columns = Object.entries(subjects).filter(([, subject]) =>
    subject.runtime === undefined || subject.runtime === runtime.name
  );
  const benches = columns.map(([, subject]) => new Bench(subject, runtime));
  const rows: string[][] = [];
  const todo: (() => Promise<void>)[] = [];
  for (const [group, questions] of Object.entries(groups)) {
    rows.push([`**${group}**`, ...columns.map(() => "")]);
    for (const [title, ask] of Object.entries(questions)) {
      const row = [title];
      rows.push(row);
      for (const [index, bench] of benches.entries()) {
        todo.push(async () => {
          row[index + 1] = await ask(bench);
        });
      }
    }
  }
  await runTwoAtATime(todo);
  const asked = rows.filter(([title, ...cells]) => title.startsWith("**") || cells.some(Boolean));
  return `### ${getTitle(runtime)}\n\n` + table(["", ...columns.map(([title]) => title)], asked);
}

/** The size of a folder. */
async function installed(folder: string): Promise<string> {
  const sizeOf = async (folder: string): Promise<number> => {
    let size = 0;
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      size += isDirectory ? await sizeOf(path) : (await Deno.stat(path)).size;
    }
    return size;
  };
  return kilobytes(await sizeOf(folder));
}

/** The size of a package in a program that is bundled and minified. */
async function bundled(name: string): Promise<string> {
  const entry = write("mjs", `import * as all from "${name}";`, "console.log(all);");
  const args = ["bundle", "--quiet", "--minify", "--platform", "deno", entry];
  const { success, stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: project })
    .output();
  if (!success) throw new Error(`Cannot bundle ${name}`);
  return kilobytes(stdout.length);
}

function kilobytes(size: number): string {
  return `${(size / 1000).toFixed(1)} kB`;
}
