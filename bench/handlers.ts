// Registering, running and removing different numbers of handlers. What is measured stands in
// operations.ts, what is compared in subjects.ts. workloads.ts does it, each time in a new process.

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
import { churnCounts, counts, type Operation, operations, targetMaximum } from "./operations.ts";
import { getLimits, type SubjectName, subjects } from "./subjects.ts";
import { type Section, show, showEstimate, showRounds, table, type Target } from "./tables.ts";
import type { Costs } from "./workloads.ts";

const subjectNames = Object.keys(subjects) as SubjectName[];

export async function measureHandlers(rounds: Rounds): Promise<Section> {
  const results = await measureWorkloads(rounds);
  return {
    title: "Handlers",
    targets: getTargets(results),
    tables: operations.flatMap((operation) => [
      getCaption(operation, rounds),
      getTable(operation, results),
    ]),
    figures: { handlers: getFigures(results) },
  };
}

function getCaption({ title, unit, workload, counts }: Operation, rounds: Rounds): string {
  const usual = getRounds(workload, counts[0], rounds);
  const last = getRounds(workload, counts.at(-1)!, rounds);
  const except = last === usual ? "" : `, ${last} with ${showCount(counts.at(-1)!)}`;
  return `${title[0].toUpperCase()}${title.slice(1)}: ${unit}, ${showRounds(usual)}${except}.`;
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

/** A round with a million handlers takes as long as one with all the other numbers together. */
function getRounds(workload: string, count: number, rounds: Rounds): number {
  const isConstant = workload === "memory" || workload === "leaks";
  if (isConstant) return 1;
  return rounds(count === 1e6 ? 2 : 5);
}

async function measureWorkloads(rounds: Rounds): Promise<Results> {
  const costs: Record<string, Costs[]> = {};
  const add = async (workload: string, names: SubjectName[], count: number) => {
    const jobs = names.map((name) => [
      getJob(workload, name, count),
      () => runWorkload(workload, name, count),
    ]);
    const turns = getRounds(workload, count, rounds);
    Object.assign(costs, await takeTurns(turns, Object.fromEntries(jobs)));
  };
  for (const count of counts) {
    const names = subjectNames.filter((name) => count <= getLimits(name).register);
    await add("calls", names, count);
    await add("memory", names, count);
  }
  for (const count of churnCounts) {
    const names = subjectNames.filter((name) => count <= getLimits(name).remove);
    await add("churn", names, count);
    await add("leaks", ["atexit"], count);
  }
  return new Results(costs);
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
  return operations.flatMap((operation) => {
    const { title, workload, base, counts, atMost, why = "" } = operation;
    if (atMost === undefined) return [];
    return counts.filter((count) => count <= targetMaximum).map((count) => ({
      item: `${title} / ${base}, ${showCount(count, workload)}`,
      measured: results.ratio(operation, count),
      atMost,
      unit: "×",
      why,
    }));
  });
}

/** The cost of all handlers together, with ten times as many. */
function getGrowthTargets(results: Results): Target[] {
  return operations.filter(({ workload }) => workload === "calls").map(
    ({ title, workload, cost }) => {
      const growth = (subject: SubjectName) => largestGrowth(results, workload, subject, cost);
      return {
        item: `${title}: ten times the handlers, at worst`,
        measured: growth("atexit"),
        atMost: 12,
        unit: "×",
        why: "many handlers need new memory, which takes more time than the operation. With a " +
          `\`Set\` it is ${show(growth("Set").median)} ×.`,
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
      item: `churn: growth of the heap, ${showCount(count, "churn")}`,
      measured: scale(estimate(results.values("churn", "atexit", count, "grown")), 1 / 1024),
      atMost: 256,
      unit: "KiB",
    },
    {
      item: `churn: functions and arguments that are left, ${showCount(count, "churn")}`,
      measured: estimate(results.values("leaks", "atexit", count, "left")),
      atMost: 0,
      unit: "",
    },
  ]);
}

// ----------------------------------------------------------------------------------------- tables

function showCount(count: number, workload = ""): string {
  const number = count < 100 ? `${count}` : count.toExponential().replace("+", "");
  return workload === "churn" ? `beside ${number}` : number;
}

function getTable(operation: Operation, results: Results): string {
  const { workload, cost, base, counts } = operation;
  const rows = subjectNames.map((subject) => [
    subject,
    ...counts.map((count) => show(median(results.values(workload, subject, count, cost)))),
  ]).filter(([, ...cells]) => cells.some((cell) => cell !== ""));
  const ratios = counts.map((count) => showEstimate(results.ratio(operation, count), "×"));
  const head = ["", ...counts.map((count) => showCount(count, workload))];
  return table(head, [...rows, [`atexit / ${base}`, ...ratios]]);
}

/** A point of a plot. */
interface Figure {
  readonly operation: string;
  readonly subject: SubjectName;
  readonly count: number;
  readonly cost: number;
}

function getFigures(results: Results): Figure[] {
  return operations.filter(({ workload }) => workload === "calls").flatMap((operation) =>
    subjectNames.flatMap((subject) =>
      counts.map((count): Figure => ({
        operation: operation.title,
        subject,
        count,
        cost: median(results.values(operation.workload, subject, count, operation.cost)),
      }))
    )
  ).filter(({ cost }) => Number.isFinite(cost));
}
