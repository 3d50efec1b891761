// All programs of the corpus, by their names.

import { endings } from "./ends.ts";
import { errors } from "./errors.ts";
import { globals } from "./globals.ts";
import { outside } from "./outside.ts";
import type { CorpusProgram } from "./program.ts";
import { work } from "./work.ts";

const groups = { ends: endings, errors, globals, outside, work };

export const corpus: Map<string, CorpusProgram> = new Map(
  Object.entries(groups).flatMap(([group, programs]) =>
    Object.entries(programs).map(([name, program]): [string, CorpusProgram] => [
      `${group}: ${name}`,
      typeof program === "string" ? { source: program } : program,
    ])
  ),
);
