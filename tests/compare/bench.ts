// One subject by one runtime: writes programs that use it, and runs them.

import { newFolder, type Outcome, Program } from "../program.ts";
import type { TestRuntime } from "../runtimes.ts";
import { javascript, type Subject } from "./subjects.ts";

/** An npm project. Programs stand in it, and packages are installed in it. */
export const project = newFolder();

export interface RunOptions {
  /** Where the program runs. Default: in the main thread. */
  worker?: "web" | "node";
  /** What is sent as soon as the program is ready, 800 ms apart. Default: the end, if it is a signal. */
  signals?: Deno.Signal[];
  /** Default: all permissions, on Deno. */
  flags?: string[];
  /** Whether errors and signals are taken where that has to be asked for. Default: true. */
  optIn?: boolean;
  /** Whether everything is left out but the end. */
  bare?: boolean;
}

export class Bench {
  readonly subject: Subject;
  readonly ends: Record<string, string | undefined>;
  readonly #runtime: TestRuntime;
  #usualEnd: Promise<string> | undefined;

  constructor(subject: Subject, runtime: TestRuntime) {
    this.subject = subject;
    this.ends = subject.language.ends;
    this.#runtime = runtime;
  }

  get runtime(): string {
    return this.#runtime.name;
  }

  /** An end at which its handlers run. */
  get usualEnd(): Promise<string> {
    return this.#usualEnd ??= this.run("dry", this.register("ran"))
      .then(({ lines }) => lines.includes("ran") ? "dry" : "process.exit");
  }

  /** Statements that register handlers, each of which says a text. */
  register(...texts: string[]): string[] {
    return texts.map((text) => this.subject.register(this.subject.language.say(text)));
  }

  /** Runs a program until its end, a statement or one of the language's. One that hangs is killed. */
  async run(end: string, code: string[], options: RunOptions = {}): Promise<Outcome> {
    const { worker, optIn = worker === undefined, bare = false } = options;
    const { setup, takeErrors = "", takeSignals = "", language: { suffix } } = this.subject;
    const parts = [setup(nameOf(this.subject)), ...code, ...optIn ? [takeErrors, takeSignals] : []];
    const name = write(suffix, ...bare ? [] : parts, this.ends[end] ?? end);
    const main = worker === undefined ? name : write(
      suffix,
      worker === "node" ? 'import { Worker } from "node:worker_threads";' : "",
      `new Worker(new URL("./${name}", import.meta.url), { type: "module" });`,
    );

    await using program = this.#start(main, options.flags ?? ["-A"]);
    const watchdog = setTimeout(() => program.kill("SIGKILL"), 4000);
    const signals = options.signals ?? (end.startsWith("SIG") ? [end as Deno.Signal] : []);
    for (const [index, signal] of signals.entries()) {
      if (index > 0) await new Promise((resolve) => setTimeout(resolve, 800));
      // If it has ended before, the outcome tells.
      await program.says("ready\n").then(() => program.kill(signal)).catch(() => {});
    }
    const outcome = await program.outcome();
    clearTimeout(watchdog);
    return { ...outcome, lines: outcome.lines.filter((line) => line !== "ready") };
  }

  #start(file: string, flags: string[]): Program {
    const options = { cwd: project };
    if (this.subject.language !== javascript) return new Program([file], options, "python3");
    const { name, path } = this.#runtime;
    return new Program([...name === "deno" ? ["run", ...flags] : [], file], options, path);
  }
}

let written = 0;

/** Writes a program, and returns the name of its file. */
export function write(suffix: string, ...parts: string[]): string {
  const name = `${++written}.${suffix}`;
  Deno.writeTextFileSync(`${project}/${name}`, parts.join("\n"));
  return name;
}

/** The name of a subject's package. */
export function nameOf({ package: spec = "" }: Subject): string {
  return spec.replace(/(.)@.*/, "$1");
}
