// Two ends at once: the second comes while a handler is awaited for the first.

import { codes, isError, overlaps } from "./overlaps.ts";
import { assertOutcome, type Outcome, startFixture } from "./program.ts";
import { withoutSignals } from "./skip.ts";

for (const [first, row] of Object.entries(overlaps)) {
  for (const [second, cell] of Object.entries(row)) {
    Deno.test({
      name: `ends that overlap, ${first} then ${second}: ${cell}`,
      ignore: [first, second].includes("signal") && withoutSignals(),
      async fn() {
        const [, status, fate, reason] = cell.match(/^(\d+) (\w+) (.+)$/)!;
        const outcome = await overlap(first, second);
        // A handler that is stuck has failed: the code that the next one reads is still the old one.
        const read = fate === "stuck" ? codes[first] : status;
        assertOutcome({ ...outcome, lines: outcome.lines.filter((line) => line !== "send") }, {
          code: Number(status),
          lines: [
            `waiting ${codes[first]}`,
            ...fate === "awaited" ? ["finished"] : [],
            `last ${read} ${reason}`,
          ],
        });
        // Each error is told of once: by Deno if it decides, else in a report.
        const errors = [first, second].filter(isError).length;
        assertOutcome(outcome, {
          counts: {
            "Cannot await atexit handler waiting": fate === "cut" ? 1 : 0,
            "Exception in atexit handler waiting": fate === "stuck" ? 1 : 0,
            "Error: error 1\n": Math.min(errors, 1),
            "Error: error 2\n": Math.max(errors - 1, 0),
            "Uncaught error:\nError: error ": reason === "error 1" ? errors - 1 : errors,
          },
        });
      },
    });
  }
}

/** Runs the fixture, and sends it a signal each time that it asks for one. */
async function overlap(first: string, second: string): Promise<Outcome> {
  await using program = startFixture("overlapping_ends", {
    command: ["run", "--allow-run"],
    args: [first, second],
  });
  const signals = [first, second].filter((end) => end === "signal").length;
  for (let sent = 1; sent <= signals; sent++) {
    await program.says("send\n", sent);
    program.kill("SIGTERM");
  }
  return await program.outcome();
}
