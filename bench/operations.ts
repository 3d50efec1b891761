// One workload of one subject, in a process of its own. Prints what it cost as JSON:
// deno run -A --v8-flags=--expose-gc,--single-threaded operations.ts WORKLOAD SUBJECT COUNT [once]
//
// With `once` nothing is repeated and nothing is warmed up: what a program pays that does it once.

import { register, unregister } from "../mod.ts";
import { type Func, makeFunctions, shuffle, type Subject, subjects } from "./subjects.ts";

/** Nanoseconds of CPU time for each call, bytes, or a number of things. */
export type Costs = Record<string, number>;

type Workload = (subject: Subject, count: number) => Costs | Promise<Costs>;

const { gc } = globalThis as unknown as { gc: () => void };

const workloads: Record<string, Workload> = {
  /** Registers functions and runs them. */
  run(subject, count) {
    return perCall(count, async (funcs, time) => {
      await time("register", count, () => subject.register(funcs));
      if (subject.run !== undefined) await time("run", count, () => subject.run!());
    }, subject);
  },

  /** Registers functions and takes all of them back, in random order. */
  unregisterAll: (subject, count) => unregisterSome(subject, count, count),

  /** Registers functions and takes a tenth of them back, in random order. */
  unregisterTenth: (subject, count) => unregisterSome(subject, count, count / 10),

  /** Registers functions that are there before. */
  memory(subject, count) {
    const funcs = makeFunctions(count);
    const before = heapUsed();
    subject.register(funcs);
    const bytes = (heapUsed() - before) / count;
    subject.clear(funcs);
    return { bytes };
  },

  /** Registers and takes back fresh functions, one at a time, beside those that stay. */
  churn(subject, count) {
    const cycles = 3e6;
    const funcs = makeFunctions(count);
    subject.register(funcs);
    subject.churn!(1_000); // What finds the functions again is there from now on.
    const before = heapUsed();
    const start = cpuTime();
    subject.churn!(cycles);
    const cycle = (cpuTime() - start) * 1e3 / cycles;
    const grown = heapUsed() - before;
    subject.clear(funcs);
    return { cycle, grown };
  },

  /** Counts what is left of functions that were taken back, and of their arguments. */
  async leaks(subject, count) {
    const funcs = makeFunctions(count);
    subject.register(funcs);
    const refs = registerAndTakeBack(1000);
    await new Promise((resolve) => setTimeout(resolve)); // Until then a new WeakRef is strong.
    gc();
    subject.clear(funcs);
    return { left: refs.filter((ref) => ref.deref() !== undefined).length };
  },
};

function unregisterSome(subject: Subject, count: number, calls: number): Promise<Costs> {
  const places = shuffle(count).subarray(0, calls);
  return perCall(count, async (funcs, time) => {
    const removers: Func[] = [];
    await time("register", count, () => subject.register(funcs, removers));
    await time("unregister", calls, () => subject.unregister!(places, funcs, removers));
  }, subject);
}

function registerAndTakeBack(count: number): WeakRef<WeakKey>[] {
  const refs: WeakRef<WeakKey>[] = [];
  for (const func of makeFunctions(count) as ((arg: object) => void)[]) {
    const arg = {};
    refs.push(new WeakRef(func), new WeakRef(arg));
    register(func, arg);
    unregister(func);
  }
  return refs;
}

/** Times calls, with what they have left for the next microtask. */
type Timer = (name: string, calls: number, what: () => void) => Promise<void>;

/** Repeats what is done with fresh functions, and tells what each of the timed calls costs. */
async function perCall(
  count: number,
  round: (funcs: Func[], time: Timer) => Promise<void>,
  subject: Subject,
): Promise<Costs> {
  const costs: Costs = {};
  const rounds = once ? 1 : Math.ceil(1e6 / count);
  const start = cpuTime();
  let done = 0;
  const time: Timer = async (name, calls, what) => {
    const start = cpuTime();
    what();
    await undefined;
    costs[name] = (costs[name] ?? 0) + (cpuTime() - start - clockCost) * 1e3 / calls;
  };
  while (done < rounds && cpuTime() - start < 1e6) {
    const funcs = makeFunctions(count);
    if (count > 1e4) gc();
    await round(funcs, time);
    subject.clear(funcs);
    done++;
  }
  for (const name in costs) costs[name] /= done;
  return costs;
}

/** Microseconds. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** What the clock itself takes, in microseconds. */
function measureClock(): number {
  const start = cpuTime();
  for (let i = 0; i < 1e4; i++) cpuTime();
  return (cpuTime() - start) / 1e4;
}

function heapUsed(): number {
  gc();
  return Deno.memoryUsage().heapUsed;
}

const [workload, name, count, mode] = Deno.args;
const once = mode === "once";
const subject = await subjects[name as keyof typeof subjects]();
measureClock();
const clockCost = measureClock();
if (!once) await workloads[workload](subject, Math.min(1e4, Number(count)));
console.log(JSON.stringify(await workloads[workload](subject, Number(count))));
