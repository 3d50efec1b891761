// Reports of handlers that throw, compared with `console.error()` of the same error.

import { fileURLToPath } from "node:url";
import { denoRun, median, ratio, type Rounds, run, takeTurns } from "./measure.ts";
import { type Section, show, showEstimate, showRounds, table } from "./tables.ts";

const count = 20_000;
const reporters = ["console.error", "atexit"];

export async function measureReports(rounds: Rounds): Promise<Section> {
  const file = fileURLToPath(new URL("./failing_handlers.ts", import.meta.url));
  const jobs: Record<string, () => Promise<[microseconds: number, mebibytes: number]>> = {};
  for (const reporter of reporters) {
    const command = [...denoRun(file), reporter, `${count}`];
    const code = reporter === "atexit" ? 1 : 0;
    jobs[reporter] = async () => {
      const script = '"$0" "$@" 2>/dev/null';
      return JSON.parse((await run(["sh", "-c", script, ...command], { code })).stdout);
    };
  }
  const reportRounds = rounds(7);
  const results = await takeTurns(reportRounds, jobs);
  const times = (reporter: string) => results[reporter].map(([microseconds]) => microseconds);
  const over = ratio(times("atexit"), times("console.error"));
  return {
    title: "Reports",
    targets: [{
      item: "CPU time of a report / `console.error()`",
      measured: over,
      atMost: 1.3,
      unit: "×",
    }],
    tables: [
      `${count} handlers that throw, ${showRounds(reportRounds)}.`,
      table(
        ["", "CPU time of one", "/ `console.error()`", "memory of the process"],
        reporters.map((reporter) => [
          reporter,
          show(median(times(reporter)), "µs"),
          showEstimate(ratio(times(reporter), times("console.error")), "×"),
          show(median(results[reporter].map(([, mebibytes]) => mebibytes)), "MiB"),
        ]),
      ),
    ],
  };
}
