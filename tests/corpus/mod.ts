// All programs of the corpus, by their names: those for Deno, and those for Node.js and Bun.

import { endings } from "./ends.ts";
import { errors } from "./errors.ts";
import { globals } from "./globals.ts";
import { outside } from "./outside.ts";
import { processes } from "./process.ts";
import type { CorpusProgram, Programs } from "./program.ts";
import { shared } from "./shared.ts";
import { work } from "./work.ts";

export const corpus: Map<string, CorpusProgram> = named({
  ends: endings,
  errors,
  globals,
  outside,
  shared,
  work,
});

/** Those that do not do the same each time on Node.js or Bun, without the module either. */
const unstable = ["outside: process.stdout and process.exit", "globals: console.log(globalThis)"];

/** Those that Node.js and Bun can run: which say nothing that Deno or the web alone has. */
const portable = new Map(
  [...corpus, ...named({ process: processes })].filter(([name, program]) =>
    isPortable(program) && !unstable.includes(name)
  ),
);

/** The programs that a runtime can run. */
export function corpusOf(runtime: "deno" | "node" | "bun"): Map<string, CorpusProgram> {
  if (runtime === "deno") return corpus;
  if (runtime === "node") return portable;
  // Bun never ends while a top-level `await` is pending.
  return new Map(
    [...portable].filter(([, { source }]) => !/await new Promise\(\(\) => \{\}\)/.test(source)),
  );
}

function named(groups: Record<string, Programs>): Map<string, CorpusProgram> {
  return new Map(
    Object.entries(groups).flatMap(([group, programs]) =>
      Object.entries(programs).map(([name, program]): [string, CorpusProgram] => [
        `${group}: ${name}`,
        typeof program === "string" ? { source: program } : program,
      ])
    ),
  );
}

function isPortable({ source, files = {}, how = "run", flags = [] }: CorpusProgram): boolean {
  const own =
    /\bDeno\b|(add|remove)EventListener|dispatchEvent|reportError|close\(\)|ErrorEvent|\bself\b|jsr:|npm:|node:test|new URL\("\.\/main/;
  return how === "run" && flags.every((flag) => /^(-A|-[RWNES]|--allow-\w+)$/.test(flag)) &&
    ![source, ...Object.values(files)].some((text) => own.test(text));
}
