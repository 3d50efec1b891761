// Two ends at once: the second comes while a handler is awaited for the first.

import { assertOutcome, type Outcome, startFixture } from "./program.ts";

/** A run for which nothing has decided the status yet. */
const undecided = {
  "exit": "10 awaited exit",
  "Deno.exit": "11 cut exit",
  "SystemExit": "12 awaited exit",
  "error": "1 awaited error 1",
  "rejection": "1 awaited error 1",
  "signal": "143 awaited SIGTERM",
};

/** One that an error has started. */
const decidedByError = {
  "dry": "1 stuck error 1",
  "exit": "1 awaited error 1",
  "Deno.exit": "11 cut exit",
  "SystemExit": "1 awaited error 1",
  "error": "1 awaited error 1",
  "rejection": "1 awaited error 1",
  "signal": "143 awaited SIGTERM",
};

/**
 * For each first end (row) and second end (column): the status, what becomes of the handler that is
 * awaited, and the reason that the last handler reads. The one awaited is `awaited` until it
 * settles, `cut` short (the rest runs at once) or `stuck` (given up, since the loop has run dry).
 */
const table: Record<string, Record<string, string>> = {
  "dry": { "dry": "1 stuck dry", ...undecided },
  "exit": { "dry": "1 stuck exit", ...undecided },
  "SystemExit": { "dry": "1 stuck exit", ...undecided },
  "error": decidedByError,
  "rejection": decidedByError,
  "signal": {
    "dry": "143 stuck SIGTERM",
    "exit": "143 awaited SIGTERM",
    "Deno.exit": "11 cut exit",
    "SystemExit": "143 awaited SIGTERM",
    "error": "143 awaited SIGTERM",
    "rejection": "143 awaited SIGTERM",
    "signal": "143 cut SIGTERM",
  },
};

/** The code that a handler reads in a program that is ending in this way. */
const codes: Record<string, number> = {
  dry: 0,
  exit: 10,
  SystemExit: 12,
  error: 1,
  rejection: 1,
  signal: 143,
};

const isError = (end: string) => end === "error" || end === "rejection";

for (const [first, row] of Object.entries(table)) {
  for (const [second, cell] of Object.entries(row)) {
    Deno.test({
      name: `ends that overlap, ${first} then ${second}: ${cell}`,
      ignore: Deno.build.os === "windows" && [first, second].includes("signal"),
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
