// Every eighth program of the corpus. `deno task corpus` runs all of them.

import { assertEquals } from "@std/assert";
import { corpus } from "../corpus/mod.ts";
import { report, runAll } from "../corpus/run.ts";
import { withoutSignals } from "../skip.ts";

Deno.test({
  name: "programs do the same with the module as without it",
  ignore: withoutSignals(),
  async fn() {
    const sample = new Map([...corpus].filter((_, index) => index % 8 === 0));
    const summary = await runAll(sample);
    assertEquals(summary.failures.length, 0, report(summary));
  },
});
