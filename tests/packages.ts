// Tries packages from npm beside this module: each by Deno, Node.js and Bun, to each of five ends.
// Prints a table of what is released; with --write it puts the rows into docs/packages.md.
//
//   deno task packages [TEXT…] [--write] [--verbose]
//
// TEXT is part of a package's name: only those are tried, and only their rows are written. --verbose
// shows what a program has printed whose cell is not ✓. The programs stand in packages/, and how one is
// run in packages/cell.ts. Needs Linux, npm and Python, and for some packages Debian's redis-server,
// postgresql and chromium. ATEXIT_TEST_NODE and ATEXIT_TEST_BUN name the runtimes. If
// ATEXIT_TEST_PACKAGES names a folder, the packages are installed there, once.

import { dirname } from "node:path";
import { children } from "./packages/children.ts";
import { Receiver, type Result, runCell } from "./packages/cell.ts";
import { databases } from "./packages/databases.ts";
import { files } from "./packages/files.ts";
import { logs } from "./packages/logs.ts";
import { managers } from "./packages/managers.ts";
import { Services } from "./packages/services.ts";
import { type End, ends, type Subject } from "./packages/subject.ts";
import { tools } from "./packages/tools.ts";
import { web } from "./packages/web.ts";
import { newFolder, npm, project, succeed } from "./portable.ts";
import { runtimes, skipped, type TestRuntime } from "./runtimes.ts";
import { replaceMarked, runTwoAtATime, table } from "./tables.ts";

const groups: Record<string, Subject[]> = {
  "Web": web,
  "Logs and telemetry": logs,
  "Databases": databases,
  "Children and workers": children,
  "Tools": tools,
  "Files": files,
  "Managers that start the program": managers,
};

const flags = Deno.args.filter((arg) => arg.startsWith("--"));
const texts = Deno.args.filter((arg) => !arg.startsWith("--"));
const isVerbose = flags.includes("--verbose");
const isChosen = ({ packages: [name] }: Subject) =>
  texts.length === 0 || texts.some((text) => name.includes(text));
const subjects = Object.values(groups).flat();

/** It starts the managers. */
const node = runtimes.findLast(({ name }) => name === "node");
const nodeFirst = node === undefined
  ? {}
  : { PATH: `${dirname(node.path)}:${Deno.env.get("PATH")}` };

/** The lines of a package in the table. */
class Row {
  readonly subject: Subject;
  /** By end: a text for each runtime. */
  readonly #handlers = new Map<End, string[]>();
  readonly #own = new Map<End, string[]>();

  constructor(subject: Subject) {
    this.subject = subject;
  }

  /** What is to be run, one cell each. */
  jobs(): (() => Promise<void>)[] {
    const { at = ends, not = {}, needs } = this.subject;
    const isHere = needs === undefined || services.has(needs);
    return at.flatMap((end) =>
      runtimes.map((runtime, index) => async () => {
        const isPossible = isHere && !Object.keys(not).includes(runtime.name);
        const [handler, own] = isPossible ? await this.#run(runtime, end) : ["·", "·"];
        set(this.#handlers, end, index, handler);
        set(this.#own, end, index, own);
      })
    );
  }

  async #run(runtime: TestRuntime, end: End): Promise<[handler: string, own: string]> {
    const { own, packages: [name] } = this.subject;
    const env = { ...services.env, ...nodeFirst };
    const withIt = await runCell(this.subject, runtime, end, { isWith: true, env, receiver });
    const handler = withIt.word === "ok" ? "✓" : withIt.word;
    show(
      `${name}, ${runtime.label}, ${end}: ${handler}`,
      withIt,
      !["✓", "called"].includes(handler),
    );
    if (own === undefined || own.at?.includes(end) === false) return [handler, "·"];
    const without = await runCell(this.subject, runtime, end, { isWith: false, env, receiver });
    const kept = [withIt, without].map((result) => result.word !== "hangs" && own.isKept(result));
    const text = kept[0] ? kept[1] ? "✓" : "+" : kept[1] ? "worse" : "–";
    show(`${name}, ${runtime.label}, ${end}, own: ${text}`, withIt, text === "worse");
    return [handler, text];
  }

  lines(): string[][] {
    const { own } = this.subject;
    const cells = (texts: Map<End, string[]>) => ends.map((end) => join(texts.get(end)));
    const first = [titleOf(this.subject), ...cells(this.#handlers)];
    if (own === undefined) return [first];
    return [first, [`… its own: ${own.what}`, ...cells(this.#own)]];
  }
}

function set(texts: Map<End, string[]>, end: End, index: number, text: string): void {
  const cell = texts.get(end) ?? runtimes.map(() => "");
  cell[index] = text;
  texts.set(end, cell);
}

/** A cell: one text if it is the same for all runtimes. */
function join(texts: string[] = ["·"]): string {
  return new Set(texts).size === 1 ? texts[0] : texts.join(", ");
}

function show(title: string, { command, stdout, stderr, code }: Result, isWrong: boolean): void {
  console.error(title);
  if (isVerbose && isWrong) console.error(`${command}\n${stdout}\n${stderr}\nstatus ${code}\n`);
}

// ------------------------------------------------------------------------------------ the packages

/** Makes the packages of all programs visible to the project that the programs run in. */
async function install(): Promise<void> {
  const folder = Deno.env.get("ATEXIT_TEST_PACKAGES") ?? newFolder();
  const dependencies = Object.fromEntries(
    subjects.flatMap(({ packages }) => packages).filter((name) => name.includes("@", 1))
      .map((name) => [name.slice(0, name.lastIndexOf("@")), name.slice(name.lastIndexOf("@") + 1)]),
  );
  const manifest = JSON.stringify({ private: true, dependencies }, undefined, 2);
  const file = `${folder}/package.json`;
  if (await Deno.readTextFile(file).catch(() => "") !== manifest) {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(file, manifest);
    const args = ["--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps"];
    await succeed(npm, ["install", ...args], folder);
  }
  const target = `${await project()}/node_modules`;
  for await (const { name } of Deno.readDir(`${folder}/node_modules`)) {
    await Deno.symlink(`${folder}/node_modules/${name}`, `${target}/${name}`);
  }
}

/** Makes what programs take too long to make. */
async function prepare(): Promise<void> {
  for (const { prepare, packages: [name] } of subjects.filter(isChosen)) {
    if (prepare === undefined) continue;
    const file = `prepare-${name.replaceAll("/", "-")}.mjs`;
    await Deno.writeTextFile(`${await project()}/${file}`, prepare);
    await succeed(node?.path ?? "node", [file], await project());
  }
}

// -------------------------------------------------------------------------------------- the page

/** Puts the rows into the tables of a page, in the place of those of the same packages. */
function update(tablesOfPage: string): string {
  const old = tablesOfPage.split("\n").filter((line) => line.startsWith("| "))
    .map((line) => line.slice(2, -2).split("|").map((cell) => cell.trim()));
  const texts = Object.entries(groups).map(([title, subjects]) => {
    const lines = subjects.flatMap((subject) => {
      const row = tables.flatMap(({ rows }) => rows).find((row) => row.subject === subject);
      return row?.lines() ?? linesOf(old, subject);
    });
    return `### ${title}\n\n${tableOf(lines)}`;
  });
  const labels = runtimes.map(({ label }) => label).join(", ");
  return `${labels}; ${Deno.build.os}.\n\n${texts.join("\n")}`;
}

/** The lines of a package in the tables of a page. */
function linesOf(old: string[][], subject: Subject): string[][] {
  const index = old.findIndex(([title]) => title === titleOf(subject));
  if (index === -1) return [];
  return old.slice(index, index + (subject.own === undefined ? 1 : 2));
}

function titleOf({ packages: [name], releases }: Subject): string {
  return `**${name.replace(/(?<=.)@/, "** ")}${name.includes("@", 1) ? "" : "**"}: ${releases}`;
}

function tableOf(lines: string[][]): string {
  return table(["", ...ends.map((end) => end === "throw" ? "an error" : `\`${end}\``)], lines);
}

// ------------------------------------------------------------------------------------- the run

await install();
await prepare();
await using receiver = new Receiver();
await using services = await Services.start(
  new Set(subjects.filter(isChosen).map(({ needs }) => needs)),
);
for (const reason of [...skipped, ...services.missing]) console.error(reason);

const tables = Object.entries(groups).map(([title, subjects]) => ({
  title,
  rows: subjects.filter(isChosen).map((subject) => new Row(subject)),
})).filter(({ rows }) => rows.length > 0);
await runTwoAtATime(tables.flatMap(({ rows }) => rows.flatMap((row) => row.jobs())));
for (const { title, rows } of tables) {
  console.log(`### ${title}\n\n${tableOf(rows.flatMap((row) => row.lines()))}`);
}
if (flags.includes("--write")) {
  await replaceMarked(new URL("../docs/packages.md", import.meta.url), update);
}
