// Runs a program of the corpus as it is, and with the module in several ways, and compares what it
// does: stdout, stderr, the order of their lines, the exit status and the signal.

import { project } from "../portable.ts";
import { mod, type Options, type Outcome, Program, version } from "../program.ts";
import { isNamed, type TestRuntime, thisDeno } from "../runtimes.ts";
import { type Known, known } from "./known.ts";
import { knownPortable } from "./known_portable.ts";
import type { CorpusProgram } from "./program.ts";

/** What is loaded before the program. `MOD` stands for the module. */
const first = {
  plain: "export {};",
  imported: `import "MOD";`,
  synchronous: `
    import { register } from "MOD";
    register(function silent() {});`,
  asynchronous: `
    import { registerAsync } from "MOD";
    registerAsync(async function silent() {
      await undefined;
    });`,
  waiting: `
    import { registerAsync } from "MOD";
    const { Promise, setTimeout } = globalThis;
    registerAsync(async function silent() {
      await new Promise((resolve) => setTimeout(resolve));
    });`,
};

/** How the module is loaded: not at all, alone, with a silent handler of one kind or the other. */
export type Mode = keyof typeof first;
export const modes = Object.keys(first).slice(1) as Mode[];

/** What a program has done. */
export interface Behaviour {
  outcome: Outcome;
  /** Both streams in one. */
  text: string;
  /** Whether it had to be stopped. */
  stopped: boolean;
}

export interface Difference {
  mode: Mode | "plain, once more";
  plain: Behaviour;
  changed: Behaviour;
}

/** What has come of many programs. */
export interface Summary {
  programs: number;
  /** What is to be read about each program that has failed. */
  failures: string[];
  explained: Map<Known, number>;
  reported: number;
}

/** Runs programs by a runtime, as many at a time as there are processors, and tells how far it is. */
export async function runAll(
  programs: Map<string, CorpusProgram>,
  runtime: TestRuntime = thisDeno,
): Promise<Summary> {
  const isDeno = runtime.name === "deno";
  const queue = [...programs].filter(([, program]) => !isDeno || isSupported(program));
  const summary: Summary = {
    programs: queue.length,
    failures: [],
    explained: new Map(),
    reported: 0,
  };
  const root = isDeno
    ? Deno.makeTempDirSync({ prefix: "atexit-corpus-" })
    : Deno.makeTempDirSync({ dir: await project(), prefix: "corpus-" });
  try {
    await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, async (_, number) => {
      Deno.mkdirSync(`${root}/${number}`);
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [name, program] = next;
        add(summary, name, program, await judge(runtime, name, program, `${root}/${number}`));
        tellProgress(summary.programs - queue.length, summary.programs);
      }
    }));
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
  return summary;
}

let told = performance.now();

/** Says how many programs have been run, every five seconds. */
function tellProgress(count: number, all: number): void {
  if (performance.now() - told < 5_000) return;
  told = performance.now();
  console.log(`${count} of ${all} programs`);
}

function add(summary: Summary, name: string, program: CorpusProgram, verdict: Verdict): void {
  summary.reported += verdict.reported;
  for (const [entry, count] of verdict.explained) {
    summary.explained.set(entry, (summary.explained.get(entry) ?? 0) + count);
  }
  if (verdict.differences.length === 0 && verdict.wrong.length === 0) return;
  summary.failures.push([
    `======== ${name}`,
    program.source.trim(),
    ...verdict.wrong.map((text) => `-------- ${text}`),
    ...verdict.differences.map(show),
  ].join("\n"));
}

/** What differs, to be read: the status, and the lines from the first to the last that differ. */
function show({ mode, plain, changed }: Difference): string {
  const together = plain.text !== changed.text;
  const both = [plain, changed].map(({ text, outcome: { stdout, stderr } }) =>
    (together ? text : `stdout:\n${stdout}stderr:\n${stderr}`).split("\n")
  );
  const [one, other] = both;
  const shortest = Math.min(one.length, other.length);
  let start = 0;
  while (start < shortest && one[start] === other[start]) start++;
  let end = 0;
  while (end < shortest - start && one.at(-1 - end) === other.at(-1 - end)) end++;
  const [before, after] = both.map((lines) => lines.slice(start, lines.length - end));
  return [
    `-------- ${mode}: ${status(plain)} → ${status(changed)}, from line ${start + 1} on`,
    ...before.map((line) => `- ${line}`),
    ...after.map((line) => `+ ${line}`),
  ].join("\n");
}

function status({ outcome: { code, signal } }: Behaviour): string {
  return signal ?? `${code}`;
}

/** What there is to say in the end. */
export function report({ programs, failures, explained, reported }: Summary): string {
  return [
    ...failures,
    `${programs} programs, ${modes.length} modes each`,
    `${reported} times a handler that nobody can await is reported, as it has to be`,
    ...[...explained].map(([{ reason }, count]) => `${count} differences: ${reason}`),
    failures.length === 0 ? "Nothing else differs" : `${failures.length} programs differ`,
  ].join("\n");
}

/** What is to be said about a program: its differences, and what is wrong with it or with `known`. */
export interface Verdict {
  differences: Difference[];
  /** How many differences each entry of `known` has explained. */
  explained: Map<Known, number>;
  wrong: string[];
  /** In how many modes nobody could await the handler, which is reported. */
  reported: number;
}

/** Whether this version of Deno can run a program, or has a difference. */
export function isSupported(
  { since = 0, until = Infinity }: { since?: number; until?: number },
): boolean {
  return version >= since && version <= until;
}

/** Runs a program in all modes. */
async function judge(
  runtime: TestRuntime,
  name: string,
  program: CorpusProgram,
  folder: string,
): Promise<Verdict> {
  const verdict: Verdict = { differences: [], explained: new Map(), wrong: [], reported: 0 };
  const plain = await behave(runtime, program, folder);
  const again = await behave(runtime, program, folder, "plain");
  if (plain.stopped) verdict.wrong.push("The program does not end");
  if (verdict.wrong.length > 0) return verdict;
  if (!isSame(plain, again)) {
    verdict.differences.push({ mode: "plain, once more", plain, changed: again });
    return verdict;
  }
  for (const mode of modes) {
    const changed = await behave(runtime, program, folder, mode);
    if (withoutReport(changed)) verdict.reported++;
    compare(runtime, name, mode, plain, changed, verdict);
  }
  return verdict;
}

/**
 * Takes out what is said of a handler that nobody can await. The contract wants it to be said.
 *
 * @returns Whether it was said.
 */
function withoutReport(behaviour: Behaviour): boolean {
  const report = /Cannot await atexit handler silent:.*\nPromise \{.*\}\n/g;
  const { text, outcome } = behaviour;
  if (!report.test(text)) return false;
  behaviour.text = text.replace(report, "");
  outcome.stdout = outcome.stdout.replace(report, "");
  outcome.stderr = outcome.stderr.replace(report, "");
  return true;
}

function compare(
  runtime: TestRuntime,
  name: string,
  mode: Mode,
  plain: Behaviour,
  changed: Behaviour,
  verdict: Verdict,
): void {
  const entries = [...known, ...knownPortable].filter((entry) =>
    isAbout(entry, name) && entry.modes.includes(mode) && isSeen(entry, runtime)
  );
  const unseen = entries.find((entry) => !entry.sometimes);
  const explains = entries.find((entry) => isExplained(plain, changed, entry));
  if (isSame(plain, changed)) {
    if (unseen !== undefined) {
      verdict.wrong.push(`known.ts is wrong: ${mode} does not differ: ${unseen.reason}`);
    }
  } else if (explains !== undefined) {
    verdict.explained.set(explains, (verdict.explained.get(explains) ?? 0) + 1);
  } else {
    verdict.differences.push({ mode, plain, changed });
  }
}

function isAbout({ programs }: Known, name: string): boolean {
  return programs instanceof RegExp ? programs.test(name) : programs.includes(name);
}

/** Whether a runtime shows a difference. */
function isSeen(entry: Known, runtime: TestRuntime): boolean {
  if (runtime.name === "deno") return entry.on === undefined && isSupported(entry);
  return entry.on?.some((text) => isNamed(runtime, text)) === true;
}

function isExplained(plain: Behaviour, changed: Behaviour, entry: Known): boolean {
  const { ignoring, unless } = entry;
  if (unless?.test(changed.text)) return false;
  return ignoring === undefined || isSame(plain, changed, ignoring);
}

function isSame(one: Behaviour, other: Behaviour, ignoring?: RegExp): boolean {
  const texts = ({ outcome, text }: Behaviour) =>
    [text, outcome.stdout, outcome.stderr].map((text) =>
      ignoring === undefined ? text : text.replace(ignoring, "")
    );
  const { code, signal } = one.outcome;
  return code === other.outcome.code && signal === other.outcome.signal &&
    JSON.stringify(texts(one)) === JSON.stringify(texts(other));
}

/** Runs a program with its streams apart, and if it writes to both, again with both in one. */
async function behave(
  runtime: TestRuntime,
  program: CorpusProgram,
  folder: string,
  mode?: Mode,
): Promise<Behaviour> {
  const outcome = await start(runtime, program, folder, false, mode);
  const { stdout, stderr } = outcome;
  const isOne = stdout === "" || stderr === "";
  const text = isOne ? stdout + stderr : (await start(runtime, program, folder, true, mode)).stdout;
  return { outcome, text, stopped: outcome.stopped };
}

async function start(
  runtime: TestRuntime,
  program: CorpusProgram,
  folder: string,
  together: boolean,
  mode?: Mode,
): Promise<Outcome & { stopped: boolean }> {
  const { how = "run" } = program;
  const { args, options } = runtime.name === "deno"
    ? prepareForDeno(program, folder, mode)
    : prepareForOther(runtime, program, folder, mode);
  const child = together
    ? new Program(["-c", 'exec "$0" "$@" 2>&1', runtime.path, ...args], options, "/bin/sh")
    : new Program(args, options, runtime.path);
  let stopped = false;
  const limit = setTimeout(() => {
    stopped = true;
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended, and what it has written is still being read.
    }
  }, 10_000);
  try {
    return { ...withoutNumbers(await child.outcome(), how), stopped };
  } finally {
    clearTimeout(limit);
  }
}

/** Writes the files of a program. `deno run` preloads the module, the others import it. */
function prepareForDeno(program: CorpusProgram, folder: string, mode?: Mode): Prepared {
  const { how = "run", flags = [], args = [] } = program;
  const preloads = how === "run";
  const line = mode === undefined ? "" : `import "./first.ts";`;
  const text = `${preloads ? "" : line}\n${program.source}`;
  write(folder, { ...program.files, "main.ts": text }, line);
  if (mode !== undefined) {
    Deno.writeTextFileSync(`${folder}/first.ts`, first[mode].replaceAll("MOD", mod));
  }
  const stdin = how === "stdin" ? text : program.stdin;
  const options = {
    cwd: folder,
    env: { DENO_DIR: `${folder}/../deno_dir` },
    ...stdin === undefined ? {} : { stdin },
  };
  const all = [
    ...how === "stdin" ? ["run"] : [how],
    ...how === "eval" ? [] : ["--no-check", "--no-config"],
    ...preloads && mode !== undefined ? ["--preload", "./first.ts"] : [],
    ...flags,
    ...{ run: ["main.ts"], test: ["main.ts"], stdin: ["-"], eval: [text] }[how],
    ...args,
  ];
  return { args: all, options };
}

/** Writes the files of a program, as JavaScript, which every version can run. */
function prepareForOther(
  runtime: TestRuntime,
  program: CorpusProgram,
  folder: string,
  mode: Mode = "plain",
): Prepared {
  const { source, files = {}, args = [], stdin } = program;
  const javaScript = (text: string) => text.replace(/\b(worker|other|main)\.ts\b/g, "$1.mjs");
  const others = Object.entries(files).map(([name, text]) => [javaScript(name), javaScript(text)]);
  write(
    folder,
    { ...Object.fromEntries(others), "main.mjs": javaScript(source) },
    `import "./first.mjs";`,
  );
  Deno.writeTextFileSync(`${folder}/first.mjs`, first[mode].replaceAll("MOD", "@atexit/atexit"));
  return {
    args: [runtime.name === "node" ? "--import" : "--preload", "./first.mjs", "main.mjs", ...args],
    options: { cwd: folder, ...stdin === undefined ? {} : { stdin } },
  };
}

interface Prepared {
  args: string[];
  options: Options;
}

/**
 * Removes what differs from run to run: how long a test took, the number of the process, and the
 * command line that Deno prints when it panics (2.8).
 */
function withoutNumbers(outcome: Outcome, how: CorpusProgram["how"]): Outcome {
  const time = how === "test" ? /\d+(ms|µs|s)(?!\w)/g : /(?!)/g;
  const [stdout, stderr] = [outcome.stdout, outcome.stderr].map((text) =>
    text.replace(time, "0ms").replace(/\(node:\d+\)/g, "(node:1)")
      .replace(/^Args: [^]*? panicked at /m, "panicked at ")
  );
  return { ...outcome, stdout, stderr };
}

/** Writes the files of a program anew. Those that are called `worker…` begin with the line. */
function write(folder: string, files: Record<string, string>, line: string): void {
  Deno.removeSync(folder, { recursive: true });
  Deno.mkdirSync(folder);
  for (const [file, text] of Object.entries(files)) {
    Deno.writeTextFileSync(`${folder}/${file}`, /^worker/.test(file) ? `${line}\n${text}` : text);
  }
}
