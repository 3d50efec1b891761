// Packages from npm that clean up at the end of a program, each beside this module, at each end.

import { assertEquals, assertMatch } from "@std/assert";
import {
  assertOutcome,
  deno,
  type Outcome,
  Program,
  start,
  terminalScript,
  version,
  writeProgram,
} from "../program.ts";
import { withoutSignals, withoutTerminals } from "../skip.ts";

/** A program that holds something which a package releases at the end. */
interface Holder {
  /** The packages, as the names of tests say them. */
  name: string;
  /** The program, up to its end. It may write files into the folder that it runs in. */
  setup: string;
  /** What is done before the event loop can run dry. */
  beforeDry?: string;
  /** Whether the package has released it. */
  isReleased(end: Ended): boolean;
  /** Whether something else may release it, at times, where Deno calls no `exit` listeners. */
  mayBeReleased?: boolean;
  /** Whether it needs a terminal. */
  terminal?: boolean;
  /** The oldest version of Deno that runs it without the module, as in `version`. */
  since?: number;
}

const holders: Holder[] = [
  {
    name: "proper-lockfile",
    setup: `
      import lockfile from "npm:proper-lockfile@4.1.2";
      Deno.writeTextFileSync("data", "");
      lockfile.lockSync("data");`,
    isReleased: ({ files }) => !files.includes("data.lock"),
  },
  {
    name: "tmp",
    setup: `
      import tmp from "npm:tmp@0.2.7";
      tmp.setGracefulCleanup();
      tmp.fileSync({ tmpdir: Deno.cwd(), name: "file" });
      tmp.dirSync({ tmpdir: Deno.cwd(), name: "folder" });`,
    isReleased: ({ files }) => !files.includes("file") && !files.includes("folder"),
  },
  {
    name: "a transport of pino",
    since: 207, // Before, its worker does not do what it is told.
    setup: `
      import pino from "npm:pino@10.4.0";
      const options = { target: "pino/file", options: { destination: "log" } };
      const transport = pino.transport(options);
      await new Promise((resolve) => transport.once("ready", resolve));
      const log = pino(transport);
      for (let i = 1; i <= 1000; i++) log.info("line " + i);`,
    isReleased: ({ log }) => log.includes('"line 1000"}\n'),
    mayBeReleased: true, // Its worker may be quick.
  },
  {
    name: "signal-exit 3",
    setup: `
      import onExit from "npm:signal-exit@3.0.7";
      Deno.writeTextFileSync("file", "");
      onExit(() => Deno.removeSync("file"));`,
    isReleased: ({ files }) => !files.includes("file"),
  },
  {
    name: "signal-exit 4",
    setup: `
      import { onExit } from "npm:signal-exit@4.1.0";
      Deno.writeTextFileSync("file", "");
      onExit(() => Deno.removeSync("file"));`,
    isReleased: ({ files }) => !files.includes("file"),
  },
  {
    name: "both versions of signal-exit, proper-lockfile and tmp",
    setup: `
      import lockfile from "npm:proper-lockfile@4.1.2";
      import onExit from "npm:signal-exit@3.0.7";
      import { onExit as onExit4 } from "npm:signal-exit@4.1.0";
      import tmp from "npm:tmp@0.2.7";
      for (const name of ["data", "3", "4"]) Deno.writeTextFileSync(name, "");
      lockfile.lockSync("data");
      onExit(() => Deno.removeSync("3"));
      onExit4(() => Deno.removeSync("4"));
      tmp.setGracefulCleanup();
      tmp.fileSync({ tmpdir: Deno.cwd(), name: "file" });`,
    isReleased: ({ files }) => !["data.lock", "3", "4", "file"].some((f) => files.includes(f)),
  },
  {
    name: "ora",
    setup: `
      import ora from "npm:ora@9.4.1";
      const spinner = ora("working").start();`,
    beforeDry: "spinner.stop();",
    isReleased: ({ outcome: { stdout } }) =>
      stdout.lastIndexOf("\x1b[?25h") > stdout.lastIndexOf("\x1b[?25l"),
    terminal: true,
  },
];

/** What a program has left behind. */
interface Ended {
  outcome: Outcome;
  /** What handlers have written down. */
  handlers: string[];
  /** The names of the files in its folder. */
  files: string[];
  log: string;
}

/** A synchronous handler, and one that has to be awaited. They write down what they see. */
const handlers =
  'import { exit, exitOnSignals, register, registerAsync, SystemExit } from "@atexit/atexit"; ' +
  'const note = (text) => Deno.writeTextFileSync("handlers", text + "\\n", { append: true }); ' +
  'register(function sync() { note("sync " + Deno.exitCode); }); ' +
  'registerAsync(async function flush() { note("async begins"); ' +
  'await new Promise((resolve) => setTimeout(resolve, 20)); note("async ends"); });';

/** What they write down where the program waits for them, before the line of the synchronous one. */
const graceful = ["async begins", "async ends"];

/** A handler that nobody sees. */
const silent = 'import { register } from "@atexit/atexit"; register(() => {});';

/** Not the module, in as many lines. */
const plain = "// Without the module.";

/** Starts a program in a folder of its own, and waits for its end. */
async function end(
  [first, setup, last]: [first: string, setup: string, last: string],
  { signal, terminal, keys, args = [] }: {
    signal?: Deno.Signal | undefined;
    terminal?: boolean | undefined;
    /** What is typed in the terminal when the program says "ready". Default: Ctrl-C. */
    keys?: string | undefined;
    args?: string[];
  } = {},
): Promise<Ended> {
  const folder = await Deno.makeTempDir({ prefix: "atexit-packages-" });
  const source = `${first}\nimport process from "node:process";\n${setup}\n${last}\n`;
  try {
    const options = { command: ["run", "-A", "--quiet"], cwd: folder, args };
    await using program = terminal ? startInTerminal(source, folder, keys) : start(source, options);
    if (signal !== undefined && !terminal) {
      await program.says("ready");
      program.kill(signal);
    }
    const outcome = await program.outcome();
    const files = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
    const read = (name: string) =>
      files.includes(name) ? Deno.readTextFileSync(`${folder}/${name}`) : "";
    const notes = read("handlers").split("\n").filter((line) => line !== "");
    return { outcome, handlers: notes, files, log: read("log") };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Starts a program in a terminal of 80 columns, in which keys are pressed when it says "ready". */
function startInTerminal(source: string, cwd: string, keys = "\x03"): Program {
  const shell = ["sh", "-c", 'unset CI; ulimit -t 20; stty cols 80 rows 24; exec "$@"', "sh"];
  const file = writeProgram(source);
  const command = [deno, "run", "-A", "--quiet", "--no-check", "--no-config", file];
  return new Program(
    [terminalScript, ...shell, ...command],
    { cwd, env: { KEYS: keys } },
    "python3",
  );
}

/** How a program may end, and with which status. */
interface End {
  name: string;
  text: string;
  /** What `Deno.exitCode` is for the handlers. */
  code: number;
  signal?: Deno.Signal;
}

const waiting = "exitOnSignals(); setInterval(() => {}, 1000);";

/** Ends at which handlers are awaited, and then what packages hold is released. */
const gracefulEnds: End[] = [
  { name: "exit()", text: "exit(3);", code: 3 },
  { name: "an uncaught SystemExit", text: "throw new SystemExit(4);", code: 4 },
  { name: "SIGINT", text: `${waiting} console.log("ready");`, code: 130, signal: "SIGINT" },
  { name: "SIGTERM", text: `${waiting} console.log("ready");`, code: 143, signal: "SIGTERM" },
];

/** Ends at which Deno calls no `exit` listeners of `process`. */
const bareEnds: End[] = [
  { name: "Deno.exit()", text: "Deno.exit(6);", code: 6 },
  { name: "an uncaught exception", text: 'throw new Error("boom");', code: 1 },
  { name: "a rejection", text: 'Promise.reject(new Error("boom"));', code: 1 },
];

/** Asserts how a program has ended. */
function assertEnded(
  { outcome, handlers }: Ended,
  { code, signal, notes }: { code: number; signal?: Deno.Signal | undefined; notes: string[] },
): void {
  assertOutcome(outcome, () => assertEquals(handlers, notes));
  // A terminal's program is a child of Python, which says so with 254. No program sends itself SIGTERM.
  if (signal !== "SIGINT") assertOutcome(outcome, { code });
  else if (outcome.command.includes("terminal.py")) assertOutcome(outcome, { code: 254 });
  else assertOutcome(outcome, { signal });
}

/** What is printed, without what differs from run to run. */
function printed({ stdout, stderr }: Outcome): string[] {
  return [stdout, stderr].map((text) => text.replace(/file:\/\S+\/main\.ts/g, "main.ts"));
}

for (const holder of holders) {
  const { name, setup, terminal = false, since = 0, isReleased } = holder;
  const ignore = (terminal ? await withoutTerminals() : withoutSignals()) || version < since;

  const cell = (what: string, fn: () => Promise<void>) =>
    Deno.test({ name: `${name}: ${what}`, ignore, fn });

  for (const { name: how, text, code, signal } of gracefulEnds) {
    cell(`${how} awaits the handlers, and what the package holds is released`, async () => {
      // In a terminal, ora takes each key, and on Deno that of SIGINT is lost (also without the module).
      const isSent = terminal && signal !== undefined;
      const last = isSent
        ? `${waiting} setTimeout(() => Deno.kill(Deno.pid, "${signal}"), 50);`
        : text;
      const ended = await end([handlers, setup, last], { signal, terminal });
      assertEnded(ended, { code, signal, notes: [...graceful, `sync ${code}`] });
      assertSilent(ended.outcome, terminal);
      assertOutcome(ended.outcome, () => assertEquals(isReleased(ended), true));
    });
  }

  cell("a dry event loop awaits the handlers, and what the package holds is released", async () => {
    const ended = await end([handlers, setup, holder.beforeDry ?? ""], { terminal });
    assertEnded(ended, { code: 0, notes: [...graceful, "sync 0"] });
    assertSilent(ended.outcome, terminal);
    assertOutcome(ended.outcome, () => assertEquals(isReleased(ended), true));
  });

  cell("process.exit() releases it too, and says where it was called", async () => {
    const ended = await end([handlers, setup, "process.exit(5);"], { terminal });
    assertEnded(ended, { code: 5, notes: ["async begins", "sync 5"] });
    assertOutcome(ended.outcome, () => assertEquals(isReleased(ended), true));
    assertUnawaited(ended.outcome, /main\.ts/);
  });

  for (const { name: how, text, code } of bareEnds) {
    cell(`${how} is what it is without the module, and releases nothing`, async () => {
      const both = [silent, plain].map((first) => end([first, setup, text], { terminal }));
      const [ended, without] = await Promise.all(both);
      assertEnded(ended!, { code, notes: [] });
      assertOutcome(ended!.outcome, ({ signal }) => {
        assertEquals(printed(ended!.outcome), printed(without!.outcome));
        assertEquals([code, signal], [without!.outcome.code, without!.outcome.signal]);
        if (holder.mayBeReleased) return;
        assertEquals([isReleased(ended!), isReleased(without!)], [false, false]);
      });
    });
  }
}

/** Asserts that nothing was reported. */
function assertSilent(outcome: Outcome, terminal = false): void {
  assertOutcome(outcome, { stderr: "" });
  if (!terminal) return;
  assertOutcome(outcome, ({ stdout }) => assertEquals(/atexit|rror/.test(stdout), false));
}

/**
 * Asserts that the asynchronous handler was reported, and which file has called `process.exit()`, of
 * the program or of a package.
 */
function assertUnawaited(
  { stdout, stderr, ...others }: Outcome,
  file: RegExp,
  packageName?: string,
): void {
  const [by, remedy] = packageName === undefined
    ? ["", "Use exit\\(\\) from @atexit/atexit instead, which awaits handlers"]
    : [
      ` by the package ${packageName},`,
      "Call overrideExit\\(\\) from @atexit/atexit in the application to make such exits await handlers",
    ];
  const report = "Cannot await atexit handler flush: process\\.exit\\(\\) was called" +
    `${by} at \\S+${file.source}:\\d+:\\d+\\. ${remedy}\\nPromise { <pending> }\\n`;
  assertOutcome({ stdout, stderr: stdout + stderr, ...others }, {
    stderr: new RegExp(report),
    counts: { "atexit handler": 1 },
  });
}

// ------------------------------------------------------------------------------ argument parsers

const parsers = [
  {
    name: "commander",
    setup: `
      import { Command } from "npm:commander@15.1.0";
      const program = new Command("tool").version("1.2.3").requiredOption("--name <name>");
      program.parse(Deno.args, { from: "user" });
      console.log("hello", program.opts().name);`,
    file: /commander\/15\.1\.0\/lib\/command\.js/,
  },
  {
    name: "yargs",
    setup: `
      import yargs from "npm:yargs@18.2.0";
      const tool = yargs(Deno.args).scriptName("tool").version("1.2.3");
      const parsed = await tool.option("name", { type: "string", demandOption: true }).parse();
      console.log("hello", parsed.name);`,
    file: /yargs\/18\.2\.0\/lib\/platform-shims\/esm\.mjs/,
  },
];

for (const { name, setup, file } of parsers) {
  for (const [args, code] of [[["--help"], 0], [["--version"], 0], [["--other"], 1]] as const) {
    Deno.test(`${name} ${args} prints what it prints, and handlers run`, async () => {
      const both = [handlers, silent, plain].map((first) =>
        end([first, setup, ""], { args: [...args] })
      );
      const [ended, quiet, without] = await Promise.all(both);
      assertEnded(ended!, { code, notes: ["async begins", `sync ${code}`] });
      assertUnawaited(ended!.outcome, file, name);
      assertOutcome(ended!.outcome, ({ stdout, stderr }) => {
        assertEquals(`${without!.outcome.stdout}${without!.outcome.stderr}` !== "", true);
        assertEquals(stdout, without!.outcome.stdout);
        assertEquals(stderr.startsWith(without!.outcome.stderr), true);
      });
      assertOutcome(quiet!.outcome, { code });
      assertEquals(printed(quiet!.outcome), printed(without!.outcome));
    });
  }

  Deno.test(`${name}: after good arguments handlers are awaited`, async () => {
    const ended = await end([handlers, setup, ""], { args: ["--name", "Ada"] });
    assertEnded(ended, { code: 0, notes: [...graceful, "sync 0"] });
    assertOutcome(ended.outcome, { stdout: "hello Ada\n", stderr: "" });
  });
}

// --------------------------------------------------------------------------------------- prompts

const cover = "exitOnSignals();";
const asks = `
  import { input } from "npm:@inquirer/prompts@8.8.0";
  const answer = input({ message: "ready" });`;
const printsAnswer = 'console.log("answer:", await answer);';
const catches = `try { ${printsAnswer} } catch ({ name }) { console.log("caught", name); }`;
const kill = (signal: Deno.Signal) => `setTimeout(() => Deno.kill(Deno.pid, "${signal}"), 300);`;
const lists = `
  import { Listr } from "npm:listr2@11.4.0";
  const work = () => new Promise((resolve) => setTimeout(resolve, 2000));
  const tasks = new Listr([{ title: "ready", task: work }]);`;

/** Programs that take keys themselves, each with one end. */
const prompts: {
  name: string;
  program: [setup: string, last: string];
  /** The oldest version of Deno that runs it without the module, as in `version`. */
  since?: number;
  keys?: string;
  code: number;
  notes: string[];
  /** How often each text is on the screen. */
  counts: Record<string, number>;
}[] = [
  {
    name: "@inquirer/prompts, an answer",
    program: [asks, printsAnswer],
    keys: "Ada\r",
    code: 0,
    notes: [...graceful, "sync 0"],
    counts: { "answer: Ada": 1, rror: 0 },
  },
  ...["", cover].map((covered) => ({
    name: `@inquirer/prompts, Ctrl-C ${covered}`,
    program: [asks, covered + printsAnswer] as [string, string],
    code: 1,
    notes: [...graceful, "sync 1"],
    counts: { "error: Uncaught (in promise) ExitPromptError": 1, "Uncaught error": 0 },
  })),
  {
    name: "@inquirer/prompts, Ctrl-C whose error is caught",
    since: 206, // Before, Deno goes on to wait for keys, at times.
    program: [asks, catches],
    code: 0,
    notes: [...graceful, "sync 0"],
    counts: { "caught ExitPromptError": 1, "Uncaught": 0 },
  },
  // The signal decides. inquirer rejects at each signal: an error that joins, and that is not lost.
  ...(["SIGINT", "SIGTERM"] as const).flatMap((signal) => [
    {
      name: `@inquirer/prompts, ${signal}`,
      program: [asks, cover + kill(signal) + printsAnswer] as [string, string],
      keys: "",
      code: signal === "SIGINT" ? 254 : 143,
      notes: [...graceful, `sync ${signal === "SIGINT" ? 130 : 143}`],
      counts: { "Uncaught error:": 1, "error: Uncaught": 0 },
    },
    {
      name: `@inquirer/prompts, ${signal} whose error is caught`,
      program: [asks, cover + kill(signal) + catches] as [string, string],
      keys: "",
      code: signal === "SIGINT" ? 254 : 143,
      notes: [...graceful, `sync ${signal === "SIGINT" ? 130 : 143}`],
      counts: { "caught ExitPromptError": 1, "Uncaught": 0 },
    },
  ]),
  // listr2 listens to SIGINT, and calls process.exit(127).
  {
    name: "listr2, Ctrl-C",
    program: [lists, "await tasks.run();"],
    code: 127,
    notes: ["async begins", "sync 127"],
    counts: { "process.exit() was called by the package listr2, at ": 1, "Uncaught": 0 },
  },
  {
    name: `listr2, Ctrl-C ${cover}`,
    program: [lists, `${cover} await tasks.run();`],
    code: 130,
    notes: [...graceful, "sync 130"],
    counts: { "atexit handler": 0, "Uncaught": 0 },
  },
  {
    name: "listr2, SIGTERM",
    program: [lists, `${cover} ${kill("SIGTERM")} await tasks.run();`],
    keys: "",
    code: 143,
    notes: [...graceful, "sync 143"],
    counts: { Uncaught: 0, "atexit handler": 0 },
  },
  {
    name: "listr2, done",
    program: [lists, "await tasks.run();"],
    keys: "",
    code: 0,
    notes: [...graceful, "sync 0"],
    counts: { Uncaught: 0, "atexit handler": 0 },
  },
];

for (const { name, program: [setup, last], since = 0, keys, code, notes, counts } of prompts) {
  Deno.test({
    name: `${name}: what it says and its status`,
    ignore: await withoutTerminals() || version < since,
    async fn() {
      const ended = await end([handlers, setup, last], { terminal: true, keys });
      assertOutcome(ended.outcome, { code });
      assertOutcome(ended.outcome, ({ stdout }) => {
        assertEquals(ended.handlers, notes);
        const screen = Object.keys(counts).map((text) => [text, stdout.split(text).length - 1]);
        assertEquals(Object.fromEntries(screen), counts);
      });
    },
  });
}

// As before it: a signal that nobody covers kills. The prompt listens to it, rejects, which nobody
// handles, and sends the signal once more: so a handler may begin.
Deno.test({
  name: "@inquirer/prompts: a signal that nobody covers kills the program",
  ignore: await withoutTerminals(),
  async fn() {
    const ended = await end([handlers, asks, kill("SIGTERM") + printsAnswer], {
      terminal: true,
      keys: "",
    });
    assertOutcome(ended.outcome, { code: 256 - 15 });
    assertOutcome(ended.outcome, ({ stdout }) => {
      assertMatch(ended.handlers.join(), /^(async begins)?$/);
      assertEquals(stdout.includes("ready"), true);
    });
  },
});
