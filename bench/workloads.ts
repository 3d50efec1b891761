// One workload of one subject, in a process of its own. Prints its costs as JSON:
// deno run -A --v8-flags=--expose-gc,--single-threaded workloads.ts WORKLOAD SUBJECT COUNT

import { register, unregister } from "../mod.ts";
import {
  type Func,
  getLimits,
  makeFunctions,
  shuffle,
  type Subject,
  type SubjectName,
  subjects,
} from "./subjects.ts";

/** Nanoseconds of CPU time for each call, bytes for each handler, or a number of objects. */
export type Costs = Record<string, number>;

type Workload = (subject: Subject, count: number) => Costs | Promise<Costs>;

/** Microseconds for which calls are repeated. V8 needs some time to optimize what they call. */
const warmUpTime = 2e5;
const measuredTime = 1e5;

const { gc } = globalThis as unknown as { gc: () => void };

const workloads: Record<string, Workload> = {
  /** Registers functions and runs them. Afterwards, since it may build an index, removes others. */
  async calls(subject, count) {
    const costs = await measureCalls(subject, count, async (funcs, time) => {
      await time("register", funcs.length, () => subject.register(funcs));
      if (subject.run !== undefined) await time("run", funcs.length, () => subject.run!());
    });
    if (count > limits.remove) return costs;
    for (const [name, share] of [["remove all", 1], ["remove a tenth", 0.1]] as const) {
      const removal = await measureCalls(subject, count, async (funcs, time) => {
        const places = shuffle(funcs.length).subarray(0, funcs.length * share);
        const removers: Func[] = [];
        subject.register(funcs, removers);
        await time(name, places.length, () => subject.remove!(places, funcs, removers));
      });
      Object.assign(costs, removal);
    }
    return costs;
  },

  /** Registers functions that exist before, so that they are not counted. */
  memory(subject, count) {
    const warmUp = makeFunctions(1000);
    subject.register(warmUp);
    subject.clear(warmUp);
    heapUsed();
    const funcs = makeFunctions(count);
    const before = heapUsed();
    subject.register(funcs);
    const bytes = (heapUsed() - before) / count;
    subject.clear(funcs);
    return { bytes };
  },

  /** Registers and removes a new function again and again, beside those that stay. */
  churn(subject, count) {
    const cycles = 5e5;
    const funcs = makeFunctions(count);
    subject.register(funcs);
    subject.churn!(cycles); // Warms up.
    const start = cpuTime();
    subject.churn!(cycles);
    const cycle = (cpuTime() - start) * 1000 / cycles;
    const before = heapUsed(); // Not earlier: after a forced collection V8 is slower for a while.
    subject.churn!(cycles);
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

/** What is repeated, each time with new functions. */
type Round = (funcs: Func[], time: Timer) => Promise<void>;

/** Warms up, and returns what each of the timed calls costs. */
async function measureCalls(subject: Subject, count: number, round: Round): Promise<Costs> {
  await repeat(subject, Math.min(1e4, count), round, warmUpTime);
  return await repeat(subject, count, round, measuredTime);
}

async function repeat(
  subject: Subject,
  count: number,
  round: Round,
  maximum: number,
): Promise<Costs> {
  const microseconds: Record<string, number> = { nothing: 0 };
  const calls: Record<string, number> = {};
  const time: Timer = async (name, callsOfRound, what) => {
    const start = cpuTime();
    what();
    await undefined;
    microseconds[name] = (microseconds[name] ?? 0) + cpuTime() - start;
    calls[name] = (calls[name] ?? 0) + callsOfRound;
  };
  const start = cpuTime();
  for (let done = 0; done === 0 || cpuTime() - start < maximum; done++) {
    const funcs = makeFunctions(count);
    if (count > 1e4) gc();
    await time("nothing", 1, () => {}); // What the clock itself takes.
    await round(funcs, time);
    subject.clear(funcs);
  }
  const { nothing, ...costs } = microseconds;
  for (const name in costs) costs[name] = (costs[name] - nothing) * 1000 / calls[name];
  return costs;
}

/** Microseconds. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function heapUsed(): number {
  gc();
  return Deno.memoryUsage().heapUsed;
}

cpuTime(); // Loads `process`.
const [workload, name, number] = Deno.args;
const limits = getLimits(name as SubjectName);
const subject = await subjects[name as SubjectName]();
console.log(JSON.stringify(await workloads[workload](subject, Number(number))));
