// Random programs of register, unregister, throw, exit and register-in-handler, with faults, and the
// model of what they do.

/** What a program does before its end, or a handler when it runs. */
export type Action = Registration | { unregister: number };

export interface Registration {
  register: number;
  argument: number;
  async: boolean;
}

/** What a handler does at the end of its call. */
export type Outcome = "return" | "throw" | { exit: number };

/** A function that programs register. Its actions happen in its first call only. */
export interface Behaviour {
  actions: Action[];
  outcome: Outcome;
}

const ends = [
  "finished",
  "Deno.exit",
  "exit",
  "SystemExit",
  "error",
  "rejection",
  "signal",
] as const;

/** How a program ends, and with which code. */
export interface End {
  how: typeof ends[number];
  code: number;
}

const faults = ["none", "built-ins", "console", "hostile values"] as const;

/** What a program does to itself before it ends. It changes nothing about the calls. */
export type Fault = typeof faults[number];

export interface RandomProgram {
  seed: number;
  functions: Behaviour[];
  actions: Action[];
  end: End;
  fault: Fault;
}

/** The same program for the same seed. */
export function randomProgram(seed: number): RandomProgram {
  const random = randomNumbers(seed);
  const pick = (count: number) => Math.floor(random() * count);
  const functionCount = 1 + pick(6);
  const action = (): Action =>
    random() < 0.75
      ? { register: pick(functionCount), argument: pick(100), async: random() < 0.3 }
      : { unregister: pick(functionCount) };
  const actions = (most: number) => Array.from({ length: pick(most + 1) }, action);
  const outcomes: Outcome[] = ["return", "return", "throw", { exit: 1 + pick(100) }];
  return {
    seed,
    functions: Array.from({ length: functionCount }, () => ({
      actions: actions(3),
      outcome: outcomes[pick(outcomes.length)],
    })),
    actions: actions(12),
    end: { how: ends[pick(ends.length)], code: pick(100) },
    fault: faults[pick(faults.length)],
  };
}

/** What a program does by the contract: the calls (function, argument, exit code) and the status. */
export function model(
  { functions, actions, end }: RandomProgram,
): { calls: string[]; code: number } {
  const decided = { error: 1, rejection: 1, signal: 128 + 15 }[end.how as string];
  let [code, failed, stack] = [decided ?? end.code, false, [] as Registration[]];
  const calls: string[] = [];
  const called = new Set<number>();
  const perform = (action: Action) => {
    if ("register" in action) stack.push(action);
    else stack = stack.filter(({ register }) => register !== action.unregister);
  };
  actions.forEach(perform);
  // A program with nothing left to do waits only if an asynchronous handler is there by then.
  const immediate = end.how === "Deno.exit" ||
    (end.how === "finished" && !stack.some((registration) => registration.async));
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    calls.push(`${top.register} ${top.argument} ${code}`);
    const { actions, outcome } = functions[top.register];
    if (!called.has(top.register)) actions.forEach(perform);
    called.add(top.register);
    // Nobody sees what becomes of a promise that cannot be awaited.
    const seen = !top.async || !immediate;
    if (typeof outcome === "object") code = decided ?? outcome.exit;
    if (outcome !== "return" && seen) failed = outcome === "throw";
  }
  return { calls, code: decided ?? (failed ? 1 : code) };
}

/** A sequence of numbers from 0 to 1: mulberry32. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
