// Measures everything and prints the tables of README.md: deno task bench

import { cpus, release, totalmem } from "node:os";
import { median, outputOf, ratio, takeTurns } from "./measure.ts";
import type { Costs } from "./operations.ts";
import { measureExit, measurePeak, measureStartUp } from "./processes.ts";

// -------------------------------------------------------------------------------- measuring

const ours = "atexit";
const lists = ["array push", "DisposableStack"];
const packages = ["npm:signal-exit", "npm:exit-hook"];
const listeners = ["process.on", "unload listener"]; // The cost of one more grows with their number.

/** What is compared, and so takes turns: `workload/subject/count`. */
const groups: string[][] = [
  jobs("run", [ours, ...lists, ...packages, ...listeners], ["1e2"]),
  jobs("run", [ours, ...lists, ...packages, ...listeners], ["1e4"]),
  jobs("run", [ours, ...lists, ...packages, "process.on"], ["1e6"]),
  jobs("unregisterAll", [ours, "npm:exit-hook"], ["1e2", "1e4", "1e6"]),
  jobs("unregisterAll", ["npm:signal-exit", "process.on"], ["1e2", "1e4"]),
  jobs("unregisterAll", ["unload listener"], ["1e2"]),
  jobs("unregisterTenth", [ours, "npm:exit-hook"], ["1e4", "1e6"]),
  jobs("unregisterAll", [ours], ["1e4/once", "1e6/once"]),
  jobs("unregisterTenth", [ours], ["1e4/once", "1e6/once"]),
  jobs("churn", [ours, "npm:exit-hook"], ["10"]),
  jobs("churn", [ours, "npm:exit-hook"], ["1e5"]),
  jobs("leaks", [ours], ["10", "1e5"]),
  jobs("memory", [ours, ...lists, ...packages, "process.on"], ["1e6"]),
];

function jobs(workload: string, subjects: string[], counts: string[]): string[] {
  return subjects.flatMap((subject) => counts.map((count) => `${workload}/${subject}/${count}`));
}

async function measure(job: string): Promise<Costs> {
  const { pathname } = new URL("./operations.ts", import.meta.url);
  const flags = ["-A", "--no-config", "--no-check", "--v8-flags=--expose-gc,--single-threaded"];
  const args = ["run", "--quiet", ...flags, pathname, ...job.split("/")];
  return JSON.parse(await outputOf(Deno.execPath(), args));
}

const startUp = await measureStartUp(41);
const peak = await measurePeak(11);
const exit = await measureExit(51);
const operations: Record<string, Costs[]> = {};
for (const group of groups) {
  const turns = group.map((job) => [job, () => measure(job)]);
  Object.assign(operations, await takeTurns(7, Object.fromEntries(turns)));
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

/** Registering and unregistering a handler, over `exit-hook`. */
function pairOver(count: string): number {
  const pairs = [ours, "npm:exit-hook"].map((subject) =>
    operations[`unregisterAll/${subject}/${count}`].map((costs) =>
      costs.register + costs.unregister
    )
  );
  return ratio(pairs[0], pairs[1]);
}

/** The package that registers fastest. */
function fastest(count: string): string {
  const jobs = packages.map((name) => `run/${name}/${count}`);
  return jobs.toSorted((a, b) => median(costs(a, "register")) - median(costs(b, "register")))[0];
}

/** The larger of what it is beside 10 and beside 1e5 handlers that stay. */
function larger(workload: string, name: string): number {
  const jobs = ["10", "1e5"].map((count) => `${workload}/${ours}/${count}`);
  return Math.max(...jobs.map((job) => median(costs(job, name))));
}

const empty = "empty script";
const all = "unregisterAll/atexit";
const tenth = "unregisterTenth/atexit";

const targets: [item: string, measured: number, target: number, unit: string][] = [
  ["start-up / empty script: CPU time", ratio(startUp[ours], startUp[empty]), 1.12, "×"],
  ["start-up / empty script: peak memory", ratio(peak[ours], peak[empty]), 1.08, "×"],
  [
    "register / array push, 1e4",
    over("register", "run/atexit/1e4", "run/array push/1e4"),
    1.75,
    "×",
  ],
  [
    "register / fastest npm package, 1e4",
    over("register", "run/atexit/1e4", fastest("1e4")),
    0.8,
    "×",
  ],
  [
    "register / array push, 1e6",
    over("register", "run/atexit/1e6", "run/array push/1e6"),
    0.75,
    "×",
  ],
  ["unregister all, 1e6 / 1e4", over("unregister", `${all}/1e6`, `${all}/1e4`), 3, "×"],
  ["… once", over("unregister", `${all}/1e6/once`, `${all}/1e4/once`), 3, "×"],
  ["unregister a tenth, 1e6 / 1e4", over("unregister", `${tenth}/1e6`, `${tenth}/1e4`), 1.6, "×"],
  ["… once", over("unregister", `${tenth}/1e6/once`, `${tenth}/1e4/once`), 1.6, "×"],
  ["register and unregister / exit-hook, 1e4", pairOver("1e4"), 1.25, "×"],
  ["register and unregister / exit-hook, 1e6", pairOver("1e6"), 1.25, "×"],
  [
    "run / DisposableStack, 1e6",
    over("run", "run/atexit/1e6", "run/DisposableStack/1e6"),
    0.5,
    "×",
  ],
  ["memory of a handler, 1e6", median(costs("memory/atexit/1e6", "bytes")), 24, "B"],
  [
    "churn / exit-hook, beside 10",
    over("cycle", "churn/atexit/10", "churn/npm:exit-hook/10"),
    1.75,
    "×",
  ],
  [
    "churn / exit-hook, beside 1e5",
    over("cycle", "churn/atexit/1e5", "churn/npm:exit-hook/1e5"),
    1.75,
    "×",
  ],
  ["churn: growth of the heap", larger("churn", "grown") / 1024, 256, "KiB"],
  ["churn: functions and arguments left", larger("leaks", "left"), 0, ""],
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

print("From the end of the work to the end of the process", [
  ["", "time", "over an empty script"],
  ...Object.keys(exit).map((name) => [
    name,
    show(exit[name], "ms"),
    show(exit[name].map((time, round) => time - exit[empty][round]), "ms"),
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
