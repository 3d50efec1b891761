// Every sixteenth of the portable programs of the corpus, on Node.js and Bun. `deno task corpus` runs
// all of them.

import { assertEquals } from "@std/assert";
import { corpusOf } from "../corpus/mod.ts";
import { report, runAll } from "../corpus/run.ts";
import { others } from "../runtimes.ts";
import { withoutSignals } from "../skip.ts";

for (const runtime of others) {
  Deno.test({
    name: `programs do the same with the module as without it (${runtime.label})`,
    ignore: withoutSignals(),
    async fn() {
      const programs = [...corpusOf(runtime.name)].filter((_, index) => index % 16 === 0);
      const summary = await runAll(new Map(programs), runtime);
      assertEquals(summary.failures.length, 0, report(summary));
    },
  });
}
