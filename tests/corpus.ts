// Runs the programs of corpus/ as they are, and with the module in several ways, and shows every
// difference that is not known with its reason (corpus/known.ts). ATEXIT_TEST_DENO names the Deno.
//
//   deno task corpus [TEXT…]
//
// Default: all programs. With texts, those whose name contains one of them.

import { corpus } from "./corpus/mod.ts";
import { report, runAll } from "./corpus/run.ts";

const texts = Deno.args;
const programs = new Map(
  [...corpus].filter(([name]) => texts.length === 0 || texts.some((text) => name.includes(text))),
);
const summary = await runAll(programs);
console.log(report(summary));
Deno.exit(summary.failures.length === 0 ? 0 : 1);
