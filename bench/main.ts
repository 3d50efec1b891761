// Measures everything and prints the tables of README.md: deno task bench
//
// deno task bench 0.1 measures in a tenth of the rounds, to try it out.

import { cpus, release, totalmem } from "node:os";
import { median, outputOf, ratio, takeTurns } from "./measure.ts";
import type { Costs } from "./operations.ts";
import { findRuntimes, measureStartUpOn } from "./node_and_bun.ts";
import { ends, measureEnds, measurePeak, measureReports, measureStartUp } from "./processes.ts";

// -------------------------------------------------------------------------------- measuring

const share = Number(Deno.args[0] ?? 1);
const rounds = (count: number) => Math.max(1, Math.round(count * share));

const ours = "atexit";
const lists = ["array push", "DisposableStack"];
const packages = ["npm:signal-exit", "npm:exit-hook"];
const listeners = ["process.on", "unload listener"]; // The cost of one more grows with their number.

const counts = ["1e2", "1e3", "1e4", "1e5", "1e6"];

/** What is compared, and so takes turns: `workload/subject/count`. */
const groups: string[][] = [
  ...counts.map((count) =>
    jobs("run", [ours, ...lists, ...packages, "process.on"], [count])
      .concat(Number(count) > 1e4 ? [] : jobs("run", ["unload listener"], [count]))
  ),
  ...counts.map((count) => jobs("unregisterAll", [ours, "npm:exit-hook"], [count])),
  jobs("unregisterAll", ["npm:signal-exit", "process.on"], ["1e2", "1e4"]),
  jobs("unregisterAll", ["unload listener"], ["1e2"]),
  ...counts.slice(1).map((count) => jobs("unregisterTenth", [ours, "npm:exit-hook"], [count])),
  jobs("churn", [ours, "npm:exit-hook"], ["10"]),
  jobs("churn", [ours, "npm:exit-hook"], ["1e5"]),
  jobs("leaks", [ours], ["10", "1e5"]),
  jobs("memory", [ours, ...lists, ...packages, "process.on"], ["1e6"]),
];

function jobs(workload: string, subjects: string[], counts: string[]): string[] {
  return subjects.flatMap((subject) => counts.map((count) => `${workload}/${subject}/${count}`));
}

async function measure(job: string): Promise<Costs> {
  const { href } = new URL("./operations.ts", import.meta.url);
  const flags = ["-A", "--no-config", "--no-check", "--v8-flags=--expose-gc,--single-threaded"];
  const args = ["run", "--quiet", ...flags, href, ...job.split("/")];
  return JSON.parse(await outputOf(Deno.execPath(), args));
}

const startUp = await measureStartUp(rounds(41));
const peak = await measurePeak(rounds(11));
const end = await measureEnds(rounds(51));
const reports = await measureReports(rounds(5));
const runtimes = await findRuntimes();
const startUpOn: Record<string, number[]>[] = [];
for (const runtime of runtimes) startUpOn.push(await measureStartUpOn(runtime, rounds(21)));
const operations: Record<string, Costs[]> = {};
for (const group of groups) {
  const turns = group.map((job) => [job, () => measure(job)]);
  Object.assign(operations, await takeTurns(rounds(5), Object.fromEntries(turns)));
}

/** What a call, or whatever else a job tells of, has cost in each round. */
function costs(job: string, name: string): number[] {
  return operations[job]?.map((costs) => costs[name]) ?? [];
}

// ---------------------------------------------------------------------------------- targets

/** The cost of a call over that of the same call in another job. */
function over(name: string, job: string, base: string): number {
  return ratio(costs(job, name), costs(base, name));
}

/** Unregistering, over `exit-hook`: for each call, with what registering costs for so many handlers. */
function unregisterOver(workload: string, count: string, registered: number): number {
  const [a, b] = [ours, "npm:exit-hook"].map((subject) =>
    operations[`${workload}/${subject}/${count}`].map(({ register, unregister }) =>
      registered * register + unregister
    )
  );
  return ratio(a, b);
}

/** By how much the cost of all grows with ten times the handlers, at most. */
function growth(name: string, subject: string): number {
  const grown = counts.slice(2).map((count, i) =>
    10 * over(name, `run/${subject}/${count}`, `run/${subject}/${counts[i + 1]}`)
  );
  return Math.max(...grown);
}

/** Milliseconds that an end takes longer than the same end without the module. */
function endOver(name: string): number {
  const base = end[ends[name].base!];
  return median(end[name].map((time, round) => time - base[round]));
}

/** The start-up on Node.js or Bun, over another one there. */
function startUpOver(runtime: string, base: string): number {
  const measured = startUpOn[runtimes.findIndex(({ name }) => name === runtime)];
  return ratio(measured?.[ours] ?? [], measured?.[base] ?? []);
}

/** The larger of what it is beside 10 and beside 1e5 handlers that stay. */
function larger(workload: string, name: string): number {
  const jobs = ["10", "1e5"].map((count) => `${workload}/${ours}/${count}`);
  return Math.max(...jobs.map((job) => median(costs(job, name))));
}

const empty = "empty script";

/** Why some targets are over. */
const lookup =
  "`exit-hook` has looked up each function when it was registered, in a `Set`: 21 B, and three to ten times the time. Here 60 ns go to put a function that is taken back into a `Map`, and 7 to 10 ns to look up each handler in it: so for a tenth of them the limit is 130 to 160 ns. Among up to 1024 handlers each function is looked for at once, 0.1 ns a handler, so that nothing is kept until the next microtask.";
const compiling =
  "V8 compiles some 35 functions that are first called at an end, 0.01 to 0.02 ms each. The `unload` listener alone is 0.35 to 0.7 ms: without it an exit that was saved before the import would lose the handlers.";
const files =
  "JSR gives npm one file for each file, with its source in a source map: 3 % each on Node.js, and 10 % for the maps. In one file it would be 1.15 on Node.js and 1.8 on Bun, where the import of one empty file is 1.3; signal-exit is two files.";

/** What is measured, and how much it may be. If it is more, why that is so, and what the limit is. */
const targets: [item: string, measured: number, target: number, unit: string, why?: string][] = [
  [
    "start-up / empty script: CPU time",
    ratio(startUp[ours], startUp[empty]),
    1.12,
    "×",
    "The limit of TypeScript in files of their own: each costs 0.4 %, and each 100 kB 2 %. In one file it would be 1.15, as minified JavaScript 1.10; the `unload` listener alone is 1.03.",
  ],
  [
    "start-up / empty script: peak memory",
    ratio(peak[ours], peak[empty]),
    1.08,
    "×",
    "The import of one empty file is 1.03, of the policy alone, in one file, 1.07. Fewer files, no comments and no `runtimes/node.ts` change nothing.",
  ],
  [
    "end, no handler",
    endOver("no handler"),
    0.3,
    "ms",
    "V8 compiles some 20 functions that are first called at an end, 0.01 to 0.02 ms each.",
  ],
  ["end, one handler", endOver("one handler"), 0.5, "ms", compiling],
  [
    "end, one asynchronous handler",
    endOver("one asynchronous handler"),
    1,
    "ms",
    "As above, with 30 functions more. The event loop turns twice more, and the stack is looked at, 0.4 to 0.7 ms: only it tells Deno's question whether to go on from the program's own.",
  ],
  [
    "end, an uncaught error and a handler",
    endOver("uncaught error, one handler"),
    1,
    "ms",
    compiling,
  ],
  [
    "register / array push, 1e6",
    over("register", "run/atexit/1e6", "run/array push/1e6"),
    0.4,
    "×",
  ],
  [
    "run / DisposableStack, 1e6",
    over("run", "run/atexit/1e6", "run/DisposableStack/1e6"),
    0.35,
    "×",
  ],
  ["memory of a handler, 1e6", median(costs("memory/atexit/1e6", "bytes")), 12, "B"],
  [
    "unregister all / exit-hook, 1e6",
    unregisterOver("unregisterAll", "1e6", 0),
    1.25,
    "×",
    lookup,
  ],
  ...counts.slice(2).map((count): [string, number, number, string, string] => [
    `register all and unregister a tenth / exit-hook, ${count}`,
    unregisterOver("unregisterTenth", count, 10),
    0.7,
    "×",
    lookup,
  ]),
  ...counts.slice(1).map((count): [string, number, number, string, string] => [
    `unregister a tenth, alone / exit-hook, ${count}`,
    unregisterOver("unregisterTenth", count, 0),
    2,
    "×",
    lookup,
  ]),
  [
    "churn / exit-hook, beside 10",
    over("cycle", "churn/atexit/10", "churn/npm:exit-hook/10"),
    0.8,
    "×",
  ],
  [
    "churn / exit-hook, beside 1e5",
    over("cycle", "churn/atexit/1e5", "churn/npm:exit-hook/1e5"),
    0.8,
    "×",
  ],
  ["churn: growth of the heap", larger("churn", "grown") / 1024, 256, "KiB"],
  ["churn: functions and arguments left", larger("leaks", "left"), 0, ""],
  ...["register", "run"].map((name): [string, number, number, string, string] => [
    `${name}: growth with ten times the handlers`,
    growth(name, ours),
    12,
    "×",
    `From 1e5 on it is new memory that takes the time: with array push it grows by ${
      show([growth(name, lists[0])])
    } ×.`,
  ]),
  [
    "report / console.error of the same error",
    ratio(reports["atexit"].map(([time]) => time), reports["console.error"].map(([time]) => time)),
    1.5,
    "×",
  ],
  ["start-up on Node.js / empty script", startUpOver("Node.js", empty), 1.1, "×", files],
  ["start-up on Node.js / signal-exit", startUpOver("Node.js", "npm:signal-exit"), 1, "×", files],
  ["start-up on Bun / empty script", startUpOver("Bun", empty), 1.5, "×", files],
  ["start-up on Bun / exit-hook", startUpOver("Bun", "npm:exit-hook"), 1, "×"],
];

// --------------------------------------------------------------------------------- printing

/** The median with three digits, or nothing where nothing was measured. */
function show(values: number[], unit = ""): string {
  const value = median(values);
  if (!Number.isFinite(value)) return "";
  return `${Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${unit}`.trimEnd();
}

function print(title: string, rows: string[][]): void {
  const [head, ...body] = rows;
  const lines = [head, head.map((_, i) => i === 0 ? "---" : "--:"), ...body];
  console.log(`\n### ${title}\n`);
  for (const cells of lines) console.log(`| ${cells.join(" | ")} |`);
}

/** A row of what calls cost for each number of handlers. */
function rowOf(workload: string, subject: string, name: string, counts: string[]): string[] {
  return counts.map((count) => show(costs(`${workload}/${subject}/${count}`, name)));
}

const today = new Date().toISOString().slice(0, 10);
const gibibytes = Math.round(totalmem() / 2 ** 30);
console.log(
  `${today}, Deno ${Deno.version.deno}, V8 ${Deno.version.v8}, ${Deno.build.target} ` +
    `(${release()}), ${cpus().length} × ${cpus()[0].model}, ${gibibytes} GiB.`,
);

print("Targets", [
  ["", "measured", "at most", ""],
  ...targets.map(([item, measured, target, unit]) => [
    item,
    show([measured], unit),
    `${target} ${unit}`,
    Number.isNaN(measured) ? "not measured" : measured <= target ? "ok" : "**over**",
  ]),
]);

for (const [item, measured, target, , why] of targets) {
  if (measured > target) console.log(`\n- ${item}: ${why ?? "not explained yet."}`);
}

print("Start-up with one handler", [
  ["", "CPU time", "/ empty", "peak memory", "/ empty"],
  ...Object.keys(startUp).map((name) => [
    name,
    show(startUp[name], "ms"),
    show([ratio(startUp[name], startUp[empty])], "×"),
    show(peak[name].map((kilobytes) => kilobytes / 1024), "MiB"),
    show([ratio(peak[name], peak[empty])], "×"),
  ]),
]);

for (const [i, { name, version }] of runtimes.entries()) {
  print(`Start-up with one handler on ${name} ${version}`, [
    ["", "CPU time", "/ empty"],
    ...Object.entries(startUpOn[i]).map(([subject, times]) => [
      subject,
      show(times, "ms"),
      show([ratio(times, startUpOn[i][empty])], "×"),
    ]),
  ]);
}

print("From the end of the work to the end of the process", [
  ["", "time", "over the same without the module"],
  ...Object.keys(ends).map((name) => [
    name,
    show(end[name], "ms"),
    ends[name].base === undefined ? "" : show([endOver(name)], "ms"),
  ]),
]);

print("Reports of 1e5 failing handlers", [
  ["", "CPU time of one", "memory of the process"],
  ...Object.entries(reports).map(([name, rounds]) => [
    name,
    show(rounds.map(([time]) => time), "µs"),
    show(rounds.map(([, memory]) => memory), "MiB"),
  ]),
]);

print("Register and run: nanoseconds per call, bytes per handler", [
  ["", "register, 1e2", "1e4", "1e6", "run, 1e2", "1e4", "1e6", "memory, 1e6"],
  ...[ours, ...lists, ...packages, ...listeners].map((subject) => [
    subject,
    ...rowOf("run", subject, "register", ["1e2", "1e4", "1e6"]),
    ...rowOf("run", subject, "run", ["1e2", "1e4", "1e6"]),
    show(costs(`memory/${subject}/1e6`, "bytes")),
  ]),
]);

print("Unregister in random order, and churn: nanoseconds per call", [
  ["", "all of 1e2", "1e4", "1e6", "a tenth of 1e4", "1e6", "churn beside 10", "1e5"],
  ...[ours, ...packages, ...listeners].map((subject) => [
    subject,
    ...rowOf("unregisterAll", subject, "unregister", ["1e2", "1e4", "1e6"]),
    ...rowOf("unregisterTenth", subject, "unregister", ["1e4", "1e6"]),
    ...rowOf("churn", subject, "cycle", ["10", "1e5"]),
  ]),
]);

/** The figures of the plots: see plots.ts. */
const figures = {
  startUp: Object.entries({
    Deno: startUp,
    ...Object.fromEntries(runtimes.map(({ name }, i) => [name, startUpOn[i]])),
  })
    .flatMap(([runtime, times]) =>
      Object.entries(times).map(([subject, values]) => ({
        runtime,
        subject,
        ratio: ratio(values, times[empty]),
      }))
    ),
  operations: ["register", "run", "unregister"].flatMap((name) =>
    [ours, ...lists, ...packages, ...listeners].flatMap((subject) =>
      counts.map((count) => ({
        name,
        subject,
        count: Number(count),
        nanoseconds: median(
          costs(`${name === "unregister" ? "unregisterAll" : "run"}/${subject}/${count}`, name),
        ),
      }))
    )
  ).filter(({ nanoseconds }) => Number.isFinite(nanoseconds)),
};
await Deno.writeTextFile(
  new URL("./figures.json", import.meta.url),
  `${JSON.stringify(figures, null, 2)}\n`,
);
