// Every eighth program of the corpus. `deno task corpus` runs all of them.

import { assertEquals } from "@std/assert";
import { corpus } from "./corpus/mod.ts";
import { report, runAll } from "./corpus/run.ts";

Deno.test({
  name: "programs do the same with the module as without it",
  ignore: Deno.build.os === "windows", // They are started by sh, and send themselves signals.
  async fn() {
    const sample = new Map([...corpus].filter((_, index) => index % 8 === 0));
    const summary = await runAll(sample);
    assertEquals(summary.failures.length, 0, report(summary));
  },
});
