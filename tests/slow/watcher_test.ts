// Programs under a watcher, which shares their process: a changed file, Ctrl-C in a terminal, SIGTERM.

import { assertEquals, assertMatch } from "@std/assert";
import {
  assertOutcome,
  deno,
  type Outcome,
  Program,
  terminalScript,
  version,
  writeProgram,
} from "../program.ts";
import { withoutTerminals } from "../skip.ts";

const ignore = await withoutTerminals();

/** From 2.7.7 on the watcher raises SIGTERM in the program before it restarts it, and waits. */
const waits = version >= 207;
/** From 2.8.1 on the watcher survives an exit of the program. */
const survivesExit = version >= 208;
/** With which the program ends at a restart, if the watcher waits. */
const survives = survivesExit || !waits;

const handlers = `
  import { exitOnSignals, exitReason, register, registerAsync } from "@atexit/atexit";
  exitOnSignals();
  register(() => console.log("sync", JSON.stringify(exitReason()), Deno.exitCode));
  registerAsync(async function slow() {
    console.log("begins");
    await new Promise((resolve) => setTimeout(resolve, 200));
    console.log("ends");
  });
  export default { fetch: () => new Response("Hello") };`;

/** Says "ready 1" at the top level, and "again 1" in a function. */
const server = `${handlers}
  const again = setInterval(() => console.log("again 1"), 100);
  // A server that shuts down has to have nothing left to do.
  if (Deno.args.includes("unref")) Deno.unrefTimer(again);
  console.log("ready 1");`;
const tests = `${handlers} Deno.test("passes", () => {}); console.log("ready 1");`;

/** The commands that watch. `serve` takes any free port. */
const commands = {
  "deno run --watch": ["run", "--watch"],
  "deno run --watch-hmr": ["run", "--watch-hmr"],
  "deno serve --watch": ["serve", "--watch", "--port=0"],
};
const permissions = [[], ["--allow-run"], ["-A"]];

/** When a terminal presses its keys: Deno begins to watch a little after the program has started. */
const pressed = { TEXT: "again 1" };

/** What the handlers print at a signal. */
const ended = (signal: Deno.Signal, code: number) =>
  ["begins", "ends", `sync {"kind":"signal","signal":"${signal}"} ${code}`].join();

/** What the handlers have printed, as often as they ran. */
function printed({ stdout }: Outcome): string {
  return (stdout.match(/(begins|ends|sync \{.*)$/gm) ?? []).join(); // After the terminal's "^C", too.
}

/** Asserts that a program has taken a Ctrl-C, once. */
function assertInterrupted(outcome: Outcome): void {
  assertOutcome(outcome, () => {
    assertEquals(outcome.stdout.split("ready 1").length, 2);
    if (version >= 207) {
      assertEquals(printed(outcome), ended("SIGINT", 130));
      assertEquals(outcome.stdout.includes("atexit handler"), false);
    } else {
      // The watcher may end the program before it calls the listeners, or without telling it; and
      // `deno task` may end the terminal.
      assertMatch(printed(outcome), /^$|^begins,(ends,)?sync \{"kind":"(signal|unload)"/);
    }
  });
}

/** Changes a text in a file until the program says what shows that it has noticed. */
async function change(
  program: Program,
  file: string,
  from: string,
  to: string,
  noticed = to,
): Promise<void> {
  const changed = Deno.readTextFileSync(file).replace(from, to);
  // Deno begins to watch some time after the program has started, without saying when, and
  // waits for 200 ms without a change: so change the file again if it has not noticed after three seconds.
  const write = () => Deno.writeTextFileSync(file, changed);
  write();
  const changes = setInterval(write, 3_000);
  try {
    await program.says(noticed);
  } finally {
    clearInterval(changes);
  }
}

/** Starts a command of Deno, with stderr in stdout. */
function startWatcher(args: string[]): Program {
  return new Program(["-c", 'exec "$0" "$@" 2>&1', deno, ...args], {}, "sh");
}

for (const [name, command] of Object.entries(commands)) {
  for (const permission of permissions) {
    const title = [name, ...permission].join(" ");
    const args = [...command, ...permission, "--no-check", "--no-config"];
    const flags = name === "deno serve --watch" ? ["unref"] : [];
    // Before 2.7.7 the other two restart without telling the program.
    const atRestart = name === "deno run --watch" ? 'begins,sync {"kind":"unload"} 0' : "";

    Deno.test(`${title}: a changed file runs the handlers, and the watcher survives`, {
      ignore,
    }, async () => {
      const file = writeProgram(server);
      await using program = startWatcher([...args, file, ...flags]);
      await program.says("again 1");
      await change(program, file, "ready 1", "ready 2", survives ? "ready 2" : "sync {");
      if (survives) program.kill("SIGKILL");
      assertOutcome(await program.outcome(), (outcome) => {
        assertEquals(printed(outcome), waits ? ended("SIGTERM", 143) : atRestart);
        assertEquals(outcome.code, survives ? 137 : 143);
        assertEquals(outcome.signal, survives ? "SIGKILL" : null);
      });
    });

    Deno.test(`${title}: one Ctrl-C awaits the handlers, and ends the command`, {
      ignore,
    }, async () => {
      const all = [terminalScript, deno, ...args, writeProgram(server), ...flags];
      assertInterrupted(await new Program(all, { env: pressed }, "python3").outcome());
    });

    Deno.test(`${title}: SIGTERM awaits the handlers, and the status is 143`, {
      ignore,
    }, async () => {
      await using program = startWatcher([...args, writeProgram(server), ...flags]);
      await program.says("again 1");
      program.kill("SIGTERM");
      if (survivesExit) {
        await program.says("Process finished with exit code 143");
        program.kill("SIGKILL");
      }
      assertOutcome(await program.outcome(), (outcome) => {
        assertEquals(printed(outcome), ended("SIGTERM", 143));
        assertEquals(outcome.code, survivesExit ? 137 : 143);
        assertEquals(outcome.signal, survivesExit ? "SIGKILL" : null);
        assertEquals(outcome.stdout.includes("atexit handler"), false);
      });
    });
  }
}

Deno.test(
  "deno run --watch: a restart waits for half a second, and what takes longer is reported",
  {
    ignore: ignore || !survives || !waits,
  },
  async () => {
    const file = writeProgram(server.replace("200", "60_000"));
    await using program = startWatcher(["run", "--watch", "--no-check", "--no-config", file]);
    await program.says("again 1");
    await change(program, file, "ready 1", "ready 2");
    program.kill("SIGKILL");
    assertOutcome(await program.outcome(), (outcome) => {
      assertEquals(printed(outcome), 'begins,sync {"kind":"signal","signal":"SIGTERM"} 143');
      assertMatch(outcome.stdout, /Cannot await atexit handler slow: the program is unloading/);
    });
  },
);

Deno.test("deno run --watch-hmr: code that is replaced in place keeps its handlers", {
  ignore,
}, async () => {
  const file = writeProgram(server);
  await using program = startWatcher(["run", "--watch-hmr", "--no-check", "--no-config", file]);
  await program.says("again 1");
  await change(program, file, "again 1", "again 2");
  program.kill("SIGTERM");
  await program.says("sync {");
  program.kill("SIGKILL");
  assertOutcome(await program.outcome(), (outcome) => {
    assertEquals(printed(outcome), ended("SIGTERM", 143));
    assertEquals(outcome.stdout.split("ready 1").length, 2);
  });
});

// From 2.8.1 on Deno terminates the program, and loses that where a function is called afterwards.
const exits = {
  "in a function that others await": "await later(); Deno.exit(7);",
  "with finally": "await later(); try { Deno.exit(7); } finally { later(); }",
  "by process.exit()": 'const { exit } = await import("node:process"); exit(7);',
  "in a listener": 'addEventListener("x", () => Deno.exit(7)); dispatchEvent(new Event("x"));',
  "with listeners of rejections": `
    (await import("node:process")).default.on("unhandledRejection", () => console.log("rejected"));
    addEventListener("unhandledrejection", () => console.log("rejected"));
    await later();
    Deno.exit(7);`,
};

for (const [name, exit] of Object.entries(exits)) {
  Deno.test(`deno run --watch: Deno.exit() ends the program, ${name}`, { ignore }, async () => {
    await using program = startWatcher([
      ...["run", "--watch", "--no-check", "--no-config"],
      writeProgram(`
        import "@atexit/atexit";
        const later = () => new Promise((resolve) => setTimeout(resolve, 10));
        async function main() { ${exit} }
        setInterval(() => {}, 1000);
        console.log("starts");
        await main();`),
    ]);
    if (survivesExit) {
      await program.says("Process finished with exit code 7");
      program.kill("SIGKILL");
    }
    assertOutcome(await program.outcome(), (outcome) => {
      assertEquals(outcome.stdout.includes("starts"), true);
      assertEquals(outcome.stdout.includes("rejected"), false);
      assertEquals(outcome.signal, survivesExit ? "SIGKILL" : null);
      if (!survivesExit) assertEquals(outcome.code, 7);
    });
  });
}

Deno.test("deno task dev that watches: one Ctrl-C awaits the handlers, and ends the command", {
  ignore,
}, async () => {
  const file = writeProgram(server, {
    files: { "deno.json": '{ "tasks": { "dev": "deno run --watch -A --no-check main.ts" } }' },
  });
  const cwd = file.slice(0, -"/main.ts".length);
  assertInterrupted(
    await new Program([terminalScript, deno, "task", "dev"], { cwd, env: pressed }, "python3")
      .outcome(),
  );
});

for (const permission of permissions) {
  const args = ["test", "--watch", ...permission, "--no-check", "--no-config"];
  Deno.test(`${args.join(" ")}: handlers run after each run of the tests`, { ignore }, async () => {
    const file = writeProgram(tests);
    await using program = startWatcher([...args, file]);
    await program.says("1 passed | 0 failed");
    await change(program, file, "ready 1", "ready 2", "File change detected");
    await program.says("1 passed | 0 failed", 2);
    program.kill("SIGKILL");
    assertOutcome(await program.outcome(), (outcome) => {
      // On a busy machine the file is changed once more before the first change is noticed.
      assertMatch(printed(outcome), /^(begins,sync \{"kind":"unload"\} 0,?){2,}$/);
      assertEquals(outcome.signal, "SIGKILL");
    });
  });
}
