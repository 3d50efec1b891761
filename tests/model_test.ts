// Random programs against the model: in process, as real programs, and against Python's atexit.
// A failure prints the seed; `randomProgram(seed)` is the program.

import { assertEquals } from "@std/assert";
import { SystemExit } from "../errors.ts";
import { Harness } from "./fake_runtime.ts";
import { Program } from "./program.ts";
import { type Action, model, type RandomProgram, randomProgram } from "./random_program.ts";
import { withoutPython } from "./skip.ts";
import { soak } from "./soak.ts";

Deno.test("5000 random programs do in process what the model says", async () => {
  for (let seed = 0; seed < 5_000; seed++) {
    const program = randomProgram(seed);
    assertEquals({ seed, ...await interpret(program) }, { seed, ...model(program) });
  }
});

Deno.test("10 random programs do as real programs what the model says", async () => {
  await soak(0, 10);
});

Deno.test({
  name: "random programs do what they do under Python's atexit",
  ignore: await withoutPython(),
  async fn() {
    const seeds = Array.from({ length: 40 }, (_, seed) => seed);
    const programs = seeds.map((seed) => asInPython(synchronous(randomProgram(seed))));
    const source = ["import atexit", ...programs.map(toPython)].join("\n");
    const { stdout } = await new Program(["-c", source], {}, "python3").outcome();
    const printed = stdout.split("end\n");
    for (const [seed, program] of programs.entries()) {
      const calls = printed[seed].split("\n").filter((line) => line !== "");
      // Python has no exit code to read.
      const expected = model(program).calls.map((call) => call.replace(/ \d+$/, ""));
      assertEquals({ seed, calls }, { seed, calls: expected });
    }
  },
});

/** The program on a lifecycle of its own. */
async function interpret(
  { functions, actions, end }: RandomProgram,
): Promise<ReturnType<typeof model>> {
  const harness = new Harness();
  const { lifecycle, runtime } = harness;
  const calls: string[] = [];
  const called = new Set<number>();
  const handlers = functions.map((behaviour, id) => (argument: number): void => {
    calls.push(`${id} ${argument} ${runtime.exitCode}`);
    if (!called.has(id)) behaviour.actions.forEach(perform);
    called.add(id);
    const { outcome } = behaviour;
    if (outcome === "throw") throw new Error(`handler ${id}`);
    if (typeof outcome === "object") harness.exitNow(outcome.exit);
  });
  const asyncHandlers = handlers.map((handler) => async (argument: number): Promise<void> => {
    handler(argument);
    await undefined;
  });
  const perform = (action: Action) => {
    if ("unregister" in action) {
      lifecycle.unregister(handlers[action.unregister]);
      lifecycle.unregister(asyncHandlers[action.unregister]);
    } else {
      const { register, argument, async: awaited } = action;
      const func = (awaited ? asyncHandlers : handlers)[register];
      harness.register(func, { args: [argument], awaited });
    }
  };
  actions.forEach(perform);
  await finish(harness, end);
  return { calls, code: getStatus(harness) };
}

/** Ends the program, and lets every promise settle. */
async function finish(harness: Harness, { how, code }: RandomProgram["end"]): Promise<void> {
  const { lifecycle, runtime } = harness;
  switch (how) {
    case "finished":
      runtime.exitCode = code;
      lifecycle.drained();
      await settleAll(harness);
      harness.unload("finished");
      break;
    case "Deno.exit":
      harness.exitNow(code);
      break;
    case "exit":
      harness.exitUncaught(code);
      break;
    case "SystemExit":
      harness.uncaught(new SystemExit(code));
      break;
    case "error":
    case "rejection":
      harness.uncaught(new Error("the end"));
      break;
    case "signal":
      harness.signal("SIGTERM");
  }
  await settleAll(harness);
}

async function settleAll(harness: Harness): Promise<void> {
  do await harness.turn(); while (harness.lifecycle.state === "awaiting");
}

/** The exit status of a program that has ended. */
function getStatus({ runtime }: Harness): number {
  const [first = ""] = runtime.ends;
  if (first.startsWith("rethrow")) return 1;
  return Number(first.match(/\d+/)?.[0] ?? runtime.exitCode);
}

/** The program without promises, and with an end that does not decide the status. */
function synchronous(program: RandomProgram): RandomProgram {
  const plain = (action: Action) => "register" in action ? { ...action, async: false } : action;
  return {
    ...program,
    functions: program.functions.map((behaviour) => ({
      ...behaviour,
      actions: behaviour.actions.map(plain),
    })),
    actions: program.actions.map(plain),
    end: { ...program.end, how: "finished" },
  };
}

/** The part where Python agrees: it leaves open what registering in a handler does. */
function asInPython(program: RandomProgram): RandomProgram {
  return {
    ...program,
    functions: program.functions.map(({ outcome }) => ({
      actions: [],
      outcome: outcome === "throw" ? "throw" : "return",
    })),
  };
}

/** One program of several in a process: its handlers run where Python would run them at the end. */
function toPython({ functions, actions }: RandomProgram): string {
  const definitions = functions.map(({ outcome }, id) =>
    `def f${id}(argument):\n    print(${id}, argument)\n` +
    (outcome === "throw" ? `    raise Exception("handler ${id}")\n` : "")
  );
  const calls = actions.map((action) =>
    "unregister" in action
      ? `atexit.unregister(f${action.unregister})`
      : `atexit.register(f${action.register}, ${action.argument})`
  );
  return [...definitions, ...calls, "atexit._run_exitfuncs()", 'print("end")'].join("\n");
}
