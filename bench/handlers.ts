// Registering, running and removing handlers, for different numbers of them. Each workload runs in a
// process of its own: see workloads.ts, and subjects.ts for what is compared.

import { fileURLToPath } from "node:url";
import {
  denoRun,
  type Estimate,
  estimate,
  median,
  ratio,
  type Rounds,
  run,
  scale,
  takeTurns,
} from "./measure.ts";
import { type SubjectName, subjects } from "./subjects.ts";
import { type Section, show, showEstimate, table, type Target } from "./tables.ts";
import type { Costs } from "./workloads.ts";

const counts = [1e2, 1e3, 1e4, 1e5, 1e6];

/** Ratios with more handlers than this are printed, but have no target. */
const targetMaximum = 1e4;

/** Numbers of handlers that stay while others come and go. */
const churnCounts = [10, 1e5];

/** The largest number of handlers of subjects whose calls cost more the more handlers there are. */
const limits: { [name in SubjectName]?: { register?: number; remove: number } } = {
  "npm:signal-exit": { remove: 1e4 },
  "process.on": { remove: 1e4 },
  "unload listener": { register: 1e4, remove: 1e3 },
};

/** What is measured of a workload, and printed as a table. */
interface Operation {
  readonly title: string;
  readonly workload: string;
  /** The name of the cost in what the workload prints. */
  readonly cost: string;
  readonly unit: string;
  readonly counts: number[];
  /** What it is compared with, and how much of that it may cost. */
  readonly base: SubjectName;
  readonly atMost: number;
}

const exitHook = "npm:exit-hook";

const operations: Operation[] = [
  operation("register", "run", "register", exitHook, 1),
  operation("run", "run", "run", "Set", 1), // exit-hook runs what it has in a `Set`.
  operation("remove all", "removeAll", "remove", exitHook, 2),
  operation("remove a tenth", "removeTenth", "remove", exitHook, 2),
  { ...operation("churn", "churn", "cycle", exitHook, 2), counts: churnCounts },
  { ...operation("memory of a handler", "memory", "bytes", exitHook, Infinity), unit: "bytes" },
];

function operation(
  title: string,
  workload: string,
  cost: string,
  base: SubjectName,
  atMost: number,
): Operation {
  return { title, workload, cost, base, atMost, counts, unit: "ns of CPU time for each handler" };
}

export async function measureHandlers(rounds: Rounds): Promise<Section> {
  const count = rounds(7);
  const results = await measureWorkloads(count);
  return {
    title: "Handlers",
    targets: getTargets(results),
    tables: operations.flatMap((operation) => [
      `${capitalize(operation.title)}: ${operation.unit}, ${count} rounds.`,
      getTable(operation, results),
    ]),
    figures: { handlers: getFigures(results) },
  };
}

function capitalize(text: string): string {
  return `${text[0].toUpperCase()}${text.slice(1)}`;
}

// -------------------------------------------------------------------------------------- measuring

/** The costs in each round, by the job. */
class Results {
  readonly #costs: Record<string, Costs[]>;

  constructor(costs: Record<string, Costs[]>) {
    this.#costs = costs;
  }

  /** Empty if nothing was measured. */
  values(workload: string, subject: SubjectName, count: number, cost: string): number[] {
    const rounds = this.#costs[getJob(workload, subject, count)] ?? [];
    return rounds.map((costs) => costs[cost]).filter((value) => value !== undefined);
  }

  /** The cost of the module over that of what it is compared with. */
  ratio({ workload, cost, base }: Operation, count: number): Estimate {
    const [ours, theirs] = (["atexit", base] as const)
      .map((subject) => this.values(workload, subject, count, cost));
    return ratio(ours, theirs);
  }
}

function getJob(workload: string, subject: SubjectName, count: number): string {
  return `${workload}/${subject}/${count}`;
}

/** The subjects of a workload with a given number of handlers take turns. */
async function measureWorkloads(rounds: number): Promise<Results> {
  const costs: Record<string, Costs[]> = {};
  for (const workload of new Set(operations.map(({ workload }) => workload))) {
    for (const count of workload === "churn" ? churnCounts : counts) {
      const jobs: Record<string, () => Promise<Costs>> = {};
      for (const subject of chooseSubjects(workload, count)) {
        jobs[getJob(workload, subject, count)] = () => runWorkload(workload, subject, count);
      }
      Object.assign(costs, await takeTurns(rounds, jobs));
    }
  }
  for (const count of churnCounts) {
    const job = getJob("leaks", "atexit", count);
    costs[job] = [await runWorkload("leaks", "atexit", count)];
  }
  return new Results(costs);
}

function chooseSubjects(workload: string, count: number): SubjectName[] {
  const names = Object.keys(subjects) as SubjectName[];
  return names.filter((name) => {
    const { register = Infinity, remove = Infinity } = limits[name] ?? {};
    if (workload === "run" || workload === "memory") return count <= register;
    const cannotRemove = name === "array push" || name === "DisposableStack";
    return !cannotRemove && count <= remove;
  });
}

async function runWorkload(workload: string, subject: string, count: number): Promise<Costs> {
  const file = fileURLToPath(new URL("./workloads.ts", import.meta.url));
  const flags = ["--allow-all", "--v8-flags=--expose-gc,--single-threaded"];
  const { stdout } = await run([...denoRun(file, ...flags), workload, subject, `${count}`]);
  return JSON.parse(stdout);
}

// ---------------------------------------------------------------------------------------- targets

function getTargets(results: Results): Target[] {
  return [...getRatioTargets(results), ...getGrowthTargets(results), ...getChurnTargets(results)];
}

function getRatioTargets(results: Results): Target[] {
  const why =
    "a `Set` of functions looks up one when it is registered. Here the first removal builds an index " +
    "of all handlers, so that programs that remove none do not pay for it.";
  return operations.filter(({ atMost }) => atMost < Infinity).flatMap((operation) =>
    operation.counts.filter((count) => count <= targetMaximum).map((count) => ({
      item: `${operation.title} / ${operation.base}, ${showCount(count)}`,
      measured: results.ratio(operation, count),
      atMost: operation.atMost,
      unit: "×",
      why,
    }))
  );
}

/** The cost of all handlers together, with ten times as many. */
function getGrowthTargets(results: Results): Target[] {
  return operations.filter(({ counts, unit }) => counts.length > 2 && unit !== "bytes").map(
    ({ title, workload, cost }) => {
      const growth = (subject: SubjectName) => largestGrowth(results, workload, subject, cost);
      return {
        item: `${title}: ten times the handlers, at worst`,
        measured: growth("atexit"),
        atMost: 12,
        unit: "×",
        why: `from 1e5 handlers on, new memory takes the time: ${title} of a \`Set\` grows by ` +
          `${show(growth("Set").median)} ×.`,
      };
    },
  );
}

function largestGrowth(
  results: Results,
  workload: string,
  subject: SubjectName,
  cost: string,
): Estimate {
  const growths = counts.slice(1).map((count, index) => {
    const [more, fewer] = [count, counts[index]]
      .map((count) => results.values(workload, subject, count, cost));
    return scale(ratio(more, fewer), 10);
  });
  return growths.reduce((worst, growth) => growth.median > worst.median ? growth : worst);
}

function getChurnTargets(results: Results): Target[] {
  return churnCounts.flatMap((count) => [
    {
      item: `churn: growth of the heap, beside ${showCount(count)}`,
      measured: scale(estimate(results.values("churn", "atexit", count, "grown")), 1 / 1024),
      atMost: 256,
      unit: "KiB",
    },
    {
      item: `churn: functions and arguments that are left, beside ${showCount(count)}`,
      measured: estimate(results.values("leaks", "atexit", count, "left")),
      atMost: 0,
      unit: "",
    },
  ]);
}

// ----------------------------------------------------------------------------------------- tables

function showCount(count: number): string {
  return count < 100 ? `${count}` : count.toExponential().replace("+", "");
}

function getTable(operation: Operation, results: Results): string {
  const { workload, cost, base, counts } = operation;
  const rows = (Object.keys(subjects) as SubjectName[]).map((subject) => [
    subject,
    ...counts.map((count) => show(median(results.values(workload, subject, count, cost)))),
  ]).filter(([, ...cells]) => cells.some((cell) => cell !== ""));
  const ratios = counts.map((count) => showEstimate(results.ratio(operation, count), "×"));
  const head = counts.map((count) => `${workload === "churn" ? "beside " : ""}${showCount(count)}`);
  return table(["", ...head], [...rows, [`atexit / ${base}`, ...ratios]]);
}

/** A point of a plot. */
interface Figure {
  readonly operation: string;
  readonly subject: SubjectName;
  readonly count: number;
  readonly cost: number;
}

function getFigures(results: Results): Figure[] {
  return operations.filter(({ counts }) => counts.length > 2).flatMap((operation) =>
    (Object.keys(subjects) as SubjectName[]).flatMap((subject) =>
      counts.map((count): Figure => ({
        operation: operation.title,
        subject,
        count,
        cost: median(results.values(operation.workload, subject, count, operation.cost)),
      }))
    )
  ).filter(({ cost }) => Number.isFinite(cost));
}
