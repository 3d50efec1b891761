// Measures what the module costs, and prints targets and tables as Markdown.
//
//   deno task bench [SHARE] [SECTION…] [--write]
//
// SHARE is the share of the rounds: 0.1 measures in a tenth of the time, with wider intervals. Without a
// SECTION, all are measured. --write puts what is printed into README.md. figures.json, which plots.ts
// draws, gets the figures of the sections that were measured.

import { cpus, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { getTitle, others, skipped } from "../tests/runtimes.ts";
import { replaceMarked } from "../tests/tables.ts";
import { measureEnds } from "./ends.ts";
import { measureHandlers } from "./handlers.ts";
import { type Rounds, run } from "./measure.ts";
import { measureOtherRuntimes } from "./other_runtimes.ts";
import { measureReports } from "./reports.ts";
import { measureStartUp } from "./start_up.ts";
import { describe, type Section } from "./tables.ts";
import { measureTests } from "./test_suite.ts";

const sections: Record<string, (rounds: Rounds) => Promise<Section>> = {
  "start-up": measureStartUp,
  "ends": measureEnds,
  "other-runtimes": measureOtherRuntimes,
  "handlers": measureHandlers,
  "reports": measureReports,
  "tests": measureTests,
};

const { share, names, write } = parseArguments(Deno.args);
const rounds: Rounds = (full) => Math.max(1, Math.round(full * share));

const parts = [await format(await describeMachine())];
console.log(parts[0]);
for (const name of names) {
  const start = performance.now();
  const section = await sections[name](rounds);
  parts.push(await format(describe(section)));
  console.log(parts.at(-1));
  console.error(`${name}: ${((performance.now() - start) / 1000).toFixed(0)} s\n`);
  if (section.figures !== undefined) await saveFigures(section.figures);
}
for (const reason of skipped) console.error(reason);
if (write) await replaceMarked(new URL("./README.md", import.meta.url), () => parts.join("\n"));

function parseArguments(args: string[]): { share: number; names: string[]; write: boolean } {
  let share = 1;
  let write = false;
  const names = new Set<string>();
  for (const arg of args) {
    if (arg === "--write") write = true;
    else if (Object.hasOwn(sections, arg)) names.add(arg);
    else if (Number(arg) > 0 && Number.isFinite(Number(arg))) share = Number(arg);
    else {
      stop(
        `Cannot measure ${arg}: expected a positive number, --write, or one of the sections ` +
          Object.keys(sections).join(", "),
      );
    }
  }
  if (write && names.size > 0) stop("Cannot write a part of the page: expected no section");
  return { share, names: names.size === 0 ? Object.keys(sections) : [...names], write };
}

function stop(message: string): never {
  console.error(message);
  Deno.exit(2);
}

async function describeMachine(): Promise<string> {
  const { stdout: npm } = await run(["npm", "--version"]).catch(() => ({ stdout: "not here" }));
  const versions = [
    `Deno ${Deno.version.deno} with V8 ${Deno.version.v8}`,
    ...others.map(getTitle),
    `npm ${npm.trim()}`,
  ];
  const machine = `${cpus().length} cores of ${cpus()[0].model}, ` +
    `${Math.round(totalmem() / 2 ** 30)} GiB, ${Deno.build.target}, kernel ${release()}`;
  const today = new Date().toISOString().slice(0, 10);
  return `${today}; ${machine}; ${versions.join(", ")}. A share of ${share} of the rounds.`;
}

/** Formats Markdown as `deno fmt` does, so that it can be pasted into a page. */
async function format(text: string): Promise<string> {
  const config = fileURLToPath(new URL("../deno.json", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--config", config, "--ext", "md", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  await new Blob([text]).stream().pipeTo(child.stdin);
  return new TextDecoder().decode((await child.output()).stdout);
}

/** Replaces the figures of the sections that were measured, and keeps the others. */
async function saveFigures(figures: Record<string, unknown>): Promise<void> {
  const file = new URL("./figures.json", import.meta.url);
  const all = { ...JSON.parse(await Deno.readTextFile(file)), ...figures };
  await Deno.writeTextFile(file, `${JSON.stringify(all, null, 2)}\n`);
}
