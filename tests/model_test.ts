// Random programs against the model: in process, as real programs, and against Python's atexit.
// A failure prints the seed; `randomProgram(seed)` is the program.

import { assertEquals } from "@std/assert";
import { stub } from "@std/testing/mock";
import { Registry } from "../registry.ts";
import { SystemExit } from "../errors.ts";
import { type Action, model, type RandomProgram, randomProgram } from "./random_program.ts";
import { soak } from "./soak.ts";

Deno.test("5000 random programs do in process what the model says", () => {
  using _console = stub(console, "error", () => {});
  for (let seed = 0; seed < 5_000; seed++) {
    const program = synchronous(randomProgram(seed));
    assertEquals({ seed, ...interpret(program) }, { seed, ...model(program) });
  }
});

Deno.test("200 random programs do as real programs what the model says", async () => {
  await soak(0, 200);
});

Deno.test("random programs do what they do under Python's atexit", async () => {
  if (!await hasPython()) return console.log("skipped: there is no python3 on this machine");
  for (let seed = 0; seed < 40; seed++) {
    const program = asInPython(synchronous(randomProgram(seed)));
    const { stdout } = await new Deno.Command("python3", { args: ["-c", toPython(program)] })
      .output();
    const calls = new TextDecoder().decode(stdout).trim().split(/\r?\n/).filter((line) => line);
    // Python has no exit code to read.
    const expected = model(program).calls.map((call) => call.replace(/ \d+$/, ""));
    assertEquals({ seed, calls }, { seed, calls: expected });
  }
});

/** The program on a registry of its own. */
function interpret({ functions, actions, end }: RandomProgram): ReturnType<typeof model> {
  let code = end.code;
  const calls: string[] = [];
  const registry = new Registry((exitCode) => code = exitCode);
  const called = new Set<number>();
  const handlers = functions.map((behaviour, id) => (argument: number): void => {
    calls.push(`${id} ${argument} ${code}`);
    if (!called.has(id)) behaviour.actions.forEach(perform);
    called.add(id);
    const { outcome } = behaviour;
    if (outcome === "throw") throw new Error(`handler ${id}`);
    if (typeof outcome === "object") throw new SystemExit(outcome.exit);
  });
  const perform = (action: Action) => {
    if ("unregister" in action) registry.remove(handlers[action.unregister]);
    else registry.push(handlers[action.register], [action.argument], undefined, false);
  };
  actions.forEach(perform);
  registry.runNow();
  return { calls, code: registry.failure === undefined ? code : 1 };
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
    end: { ...program.end, how: "dry" },
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
  return ["import atexit", ...definitions, ...calls].join("\n");
}

async function hasPython(): Promise<boolean> {
  try {
    return (await new Deno.Command("python3", { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}
