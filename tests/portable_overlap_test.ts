// Deno, Node.js and Bun: a second end begins while a handler is awaited for the first one.

import { codes, isError, overlaps } from "./overlaps.ts";
import { type PortableExpected, type Row, testRows } from "./portable.ts";

/** Ends in one way, and in another one while a handler is awaited. */
const program = (first: string, second: string) => `
const [first, second] = ${JSON.stringify([first, second])};
const raise = (error) => void setTimeout(() => { throw error; });
let count = 0;
const ends = {
  "finished": () => {},
  "exit": () => void setTimeout(() => exit(10)),
  "process.exit": () => void setTimeout(() => process.exit(11)),
  "SystemExit": () => raise(new SystemExit(12)),
  "error": () => raise(new Error("error " + ++count)),
  "rejection": () => void Promise.reject(new Error("error " + ++count)),
  "signal": () => {
    const alive = setInterval(() => code() === 130 && clearInterval(alive), 1);
    process.kill(process.pid, "SIGINT");
  },
};
const reason = () => exitReason().kind === "signal" ? "SIGTERM" : exitReason().error?.message ?? exitReason().kind;
register(() => console.log("last", code(), reason()));
registerAsync(async function waiting() {
  console.log("waiting", code());
  await turn(2);
  // One that comes earlier is a duplicate of the first one.
  if (first === "signal" && second === "signal") await turn(1_000);
  ends[second]();
  if (second === "finished") await new Promise(() => {});
  // The second end begins now.
  do await turn(10); while (second === "signal" && (first === "signal" || code() !== 130));
  console.log("finished");
});
exitOnSignals({ signals: ["SIGINT"] });
ends[first]();
`;

function expected(first: string, second: string, cell: string): PortableExpected {
  const [, status, fate, reason] = cell.match(/^(\d+) (\w+) (.+)$/)!;
  const read = fate === "stuck" ? codes[first] : Number(status);
  const errors = [first, second].filter(isError).length;
  // The table is about SIGTERM, by which Deno does not die.
  const bySignal = status === "143";
  const signalled = (code: number) => code === 143 ? 130 : code;
  return {
    ...bySignal ? { signal: "SIGINT" } : { code: Number(status) },
    lines: [
      `waiting ${signalled(codes[first])}`,
      ...fate === "awaited" ? ["finished"] : [],
      `last ${signalled(read)} ${reason}`,
    ],
    counts: {
      "Cannot await atexit handler waiting": fate === "interrupted" ? 1 : 0,
      "Exception in atexit handler waiting": fate === "stuck" ? 1 : 0,
      // What a handler has raised is reported in the same way where the runtime does not print it.
      ...fate === "stuck" && errors === 0
        ? {}
        : { "Uncaught error:\n": reason === "error 1" ? errors - 1 : errors },
    },
    errors: { "error 1": Math.min(errors, 1), "error 2": Math.max(errors - 1, 0) },
  };
}

/** Ends that do what an exit or an error does. */
const similar = ["SystemExit", "rejection"];
const rows: Record<string, Row> = {};
for (const [first, row] of Object.entries(overlaps)) {
  for (const [second, cell] of Object.entries(row)) {
    rows[`ends that overlap, ${first} then ${second}: ${cell}`] = {
      program: program(first, second),
      signals: [first, second].includes("signal"),
      slow: similar.some((end) => first === end || second === end),
      ...expected(first, second, cell),
    };
  }
}
testRows(rows);
