// The operations with handlers that are measured, and what each of them may cost.

import type { SubjectName } from "./subjects.ts";

/** The numbers of handlers. */
export const counts = [1e2, 1e3, 1e4, 1e5, 1e6];

/** Ratios with more handlers than this are printed, but have no target. */
export const targetMaximum = 1e4;

/** Numbers of handlers that stay while others come and go. */
export const churnCounts = [10, 1e5];

/** What is printed as a table. */
export interface Operation {
  readonly title: string;
  readonly workload: string;
  /** The name of the cost in what the workload prints. */
  readonly cost: string;
  readonly unit: string;
  readonly counts: readonly number[];
  /** What the module is compared with. */
  readonly base: SubjectName;
  /** How many times the cost of that it may cost. */
  readonly atMost?: number;
  readonly why?: string;
}

const exitHook = "npm:exit-hook";
const calls = { workload: "calls", unit: "ns of CPU time for each handler", counts };
const lookup =
  "the first removal builds an index of all handlers, so that a program that removes " +
  "none does not pay for it. In exit-hook, each registration adds to the `Set`.";

export const operations: Operation[] = [
  {
    ...calls,
    title: "register",
    cost: "register",
    base: exitHook,
    atMost: 1,
    why: "an entry has the function, its arguments, its `this`, and links to its neighbours. The " +
      "`Set` of exit-hook has only the function.",
  },
  {
    ...calls,
    title: "run",
    cost: "run",
    base: "Set",
    atMost: 1,
    why: "exit-hook loops over its `Set` and calls each function. Here each handler is taken off " +
      "the stack before it is called, so that it can register and remove others, and what it " +
      "throws is caught.",
  },
  {
    ...calls,
    title: "remove all",
    cost: "remove all",
    base: exitHook,
    atMost: 2,
    why: lookup,
  },
  {
    ...calls,
    title: "remove a tenth",
    cost: "remove a tenth",
    base: exitHook,
    atMost: 2,
    why: lookup,
  },
  {
    title: "churn",
    workload: "churn",
    cost: "cycle",
    unit: "ns of CPU time for each cycle",
    counts: churnCounts,
    base: exitHook,
    atMost: 2,
    why: lookup,
  },
  {
    title: "memory of a handler",
    workload: "memory",
    cost: "bytes",
    unit: "bytes",
    counts,
    base: exitHook,
  },
];
