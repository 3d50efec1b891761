// Two ends at once: the second comes while a handler is awaited for the first.

import { assertEquals } from "@std/assert";
import { assertOutcome, type Outcome, startFixture } from "./program.ts";

/** A run for which nothing has decided the status yet. */
const undecided = {
  "dry": "1 stuck",
  "exit": "10 awaited",
  "Deno.exit": "11 cut",
  "SystemExit": "12 awaited",
  "error": "1 cut",
  "rejection": "1 cut",
  "signal": "SIGTERM awaited",
};

/** One that an error has started. */
const decidedByError = { ...undecided, "exit": "1 awaited", "SystemExit": "1 awaited" };

/**
 * For each first end (row) and second end (column): the status, and what becomes of the handler
 * that is awaited. It is `awaited` until it settles, `cut` short (the rest runs at once), `stuck`
 * (given up, since the loop has run dry), or everything that waits is `skipped`.
 */
const table: Record<string, Record<string, string>> = {
  "dry": undecided,
  "exit": undecided,
  "SystemExit": undecided,
  "error": decidedByError,
  "rejection": decidedByError,
  "signal": {
    "dry": "SIGTERM stuck",
    "exit": "SIGTERM awaited",
    "Deno.exit": "11 cut",
    "SystemExit": "SIGTERM awaited",
    "error": "SIGTERM cut",
    "rejection": "SIGTERM cut",
    "signal": "SIGTERM skipped",
  },
};

/** The code that a program reads which is ending in this way. */
const codes: Record<string, number> = {
  dry: 0,
  exit: 10,
  SystemExit: 12,
  error: 1,
  rejection: 1,
  signal: 143,
  SIGTERM: 143,
};

const isError = (end: string) => end === "error" || end === "rejection";

for (const [first, row] of Object.entries(table)) {
  for (const [second, cell] of Object.entries(row)) {
    Deno.test({
      name: `ends that overlap, ${first} then ${second}: ${cell}`,
      ignore: Deno.build.os === "windows" && [first, second].includes("signal"),
      async fn() {
        const [status, fate] = cell.split(" ");
        const outcome = await overlap(first, second);
        assertOutcome(outcome, ({ lines, signal, code }) => {
          assertEquals(signal ?? `${code}`, status);

          const said = lines.filter((line) => line !== "send").map((line) => line.split(" ")[0]);
          const expected = { awaited: ["finished", "last"], skipped: [] }[fate] ?? ["last"];
          assertEquals(said, ["waiting", ...expected]);

          // What a handler reads is the code of the end that decides.
          const shown = fate === "stuck" ? codes[first] : codes[status] ?? Number(status);
          if (fate !== "skipped") assertEquals(lines.at(-1), `last ${shown}`);
        });
        // Each error is told of once, be it by Deno or in a report.
        const errors = [first, second].filter(isError).length;
        assertOutcome(outcome, {
          counts: {
            "Cannot await atexit handler waiting": fate === "cut" ? 1 : 0,
            "Exception in atexit handler waiting": fate === "stuck" ? 1 : 0,
            "Error: error 1\n": Math.min(errors, 1),
            "Error: error 2\n": Math.max(errors - 1, 0),
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
