// One workload of one subject, in a process of its own. Prints its costs as JSON:
// deno run -A --v8-flags=--expose-gc,--single-threaded workloads.ts WORKLOAD SUBJECT COUNT

import { register, unregister } from "../mod.ts";
import { type Func, makeFunctions, shuffle, type Subject, subjects } from "./subjects.ts";

/** Nanoseconds of CPU time for each call, bytes for each handler, or a number of objects. */
export type Costs = Record<string, number>;

type Workload = (subject: Subject, count: number) => Costs | Promise<Costs>;

/** Microseconds after which a workload is not repeated any more. */
const maximum = 2e5;

const { gc } = globalThis as unknown as { gc: () => void };

const workloads: Record<string, Workload> = {
  /** Registers functions and runs them. */
  run(subject, count) {
    return perCall(count, async (funcs, time) => {
      await time("register", count, () => subject.register(funcs));
      if (subject.run !== undefined) await time("run", count, () => subject.run!());
    }, subject);
  },

  /** Registers functions and removes all of them, in random order. */
  removeAll: (subject, count) => removeSome(subject, count, count),

  /** Registers functions and removes a tenth of them, in random order. */
  removeTenth: (subject, count) => removeSome(subject, count, count / 10),

  /** Registers functions that exist before, so that they are not counted. */
  memory(subject, count) {
    const funcs = makeFunctions(count);
    const before = heapUsed();
    subject.register(funcs);
    const bytes = (heapUsed() - before) / count;
    subject.clear(funcs);
    return { bytes };
  },

  /** Registers and removes a new function again and again, beside those that stay. */
  churn(subject, count) {
    const cycles = 1e6;
    const funcs = makeFunctions(count);
    subject.register(funcs);
    subject.churn!(1_000); // The first removal may build an index.
    const before = heapUsed();
    const start = cpuTime();
    subject.churn!(cycles);
    const cycle = (cpuTime() - start) * 1e3 / cycles;
    const grown = heapUsed() - before;
    subject.clear(funcs);
    return { cycle, grown };
  },

  /** Counts removed functions, and arguments of theirs, that are still in memory. */
  async leaks(subject, count) {
    const funcs = makeFunctions(count);
    subject.register(funcs);
    const refs = registerAndRemove(1000);
    await new Promise((resolve) => setTimeout(resolve)); // Until then a new WeakRef is strong.
    gc();
    subject.clear(funcs);
    return { left: refs.filter((ref) => ref.deref() !== undefined).length };
  },
};

function removeSome(subject: Subject, count: number, calls: number): Promise<Costs> {
  const places = shuffle(count).subarray(0, calls);
  return perCall(count, async (funcs, time) => {
    const removers: Func[] = [];
    await time("register", count, () => subject.register(funcs, removers));
    await time("remove", calls, () => subject.remove!(places, funcs, removers));
  }, subject);
}

function registerAndRemove(count: number): WeakRef<WeakKey>[] {
  const refs: WeakRef<WeakKey>[] = [];
  for (const func of makeFunctions(count) as ((arg: object) => void)[]) {
    const arg = {};
    refs.push(new WeakRef(func), new WeakRef(arg));
    register(func, arg);
    unregister(func);
  }
  return refs;
}

/** Times calls, including what they leave for the next microtask. */
type Timer = (name: string, calls: number, what: () => void) => Promise<void>;

/** Repeats a round with new functions, and returns what each of its timed calls costs. */
async function perCall(
  count: number,
  round: (funcs: Func[], time: Timer) => Promise<void>,
  subject: Subject,
): Promise<Costs> {
  const costs: Costs = {};
  const rounds = Math.ceil(1e6 / count);
  const start = cpuTime();
  let done = 0;
  const time: Timer = async (name, calls, what) => {
    const start = cpuTime();
    what();
    await undefined;
    costs[name] = (costs[name] ?? 0) + (cpuTime() - start - clockCost) * 1e3 / calls;
  };
  while (done < rounds && cpuTime() - start < maximum) {
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

/** Microseconds that reading the clock takes. */
function measureClock(): number {
  const start = cpuTime();
  for (let i = 0; i < 1e4; i++) cpuTime();
  return (cpuTime() - start) / 1e4;
}

function heapUsed(): number {
  gc();
  return Deno.memoryUsage().heapUsed;
}

const [workload, name, count] = Deno.args;
const subject = await subjects[name as keyof typeof subjects]();
measureClock();
const clockCost = measureClock();
await workloads[workload](subject, Math.min(1e4, Number(count))); // Warms up.
console.log(JSON.stringify(await workloads[workload](subject, Number(count))));
