// Runs the programs of corpus/ as they are, and with the module in several ways, and shows every
// difference that is not known with its reason (corpus/known.ts): all of them on Deno, and the
// portable ones on each Node.js and Bun there is. ATEXIT_TEST_DENO and the others name them.
//
//   deno task corpus [deno|node|bun] [TEXT…]
//
// Default: all runtimes, all programs. With texts, programs whose name contains one of them.

import { corpusOf } from "./corpus/mod.ts";
import { report, runAll } from "./corpus/run.ts";
import { others, thisDeno } from "./runtimes.ts";

const names = Deno.args.filter((arg) => /^(deno|node|bun)$/.test(arg));
const texts = Deno.args.filter((arg) => !names.includes(arg));
let failures = 0;

for (const runtime of [thisDeno, ...others]) {
  if (names.length > 0 && !names.includes(runtime.name)) continue;
  const programs = new Map(
    [...corpusOf(runtime.name)].filter(([name]) =>
      texts.length === 0 || texts.some((text) => name.includes(text))
    ),
  );
  const summary = await runAll(programs, runtime);
  failures += summary.failures.length;
  console.log(`${report(summary)}: ${runtime.label}\n`);
}
Deno.exit(failures === 0 ? 0 : 1);
