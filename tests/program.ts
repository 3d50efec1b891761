// Starts programs as real child processes. A short one stands in its test as text, a long one is a
// file in fixtures/.

import { assertEquals, AssertionError } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The Deno that runs them. `deno task matrix` names older ones. */
export const deno = Deno.env.get("ATEXIT_TEST_DENO") || Deno.execPath();

/** Its version, as major * 100 + minor: 209 for 2.9. */
export const version = await versionOf(deno);

/** A script of Python that runs a command in a terminal. */
export const terminalScript = fileURLToPath(
  new URL("./fixtures/task/terminal.py", import.meta.url),
);

/** The address of the module. */
export const mod = new URL("../mod.ts", import.meta.url).href;

export interface Options {
  /** Arguments of the program. */
  args?: string[];
  /** What stands before the program. Default: `run`, without any permission. */
  command?: string[];
  /** What the program reads. Default: nothing. */
  stdin?: string;
  env?: Record<string, string>;
  cwd?: string;
}

export interface SourceOptions extends Options {
  /** The name of the program's file. Default: `main.ts`. */
  name?: string;
  /** Further files beside it, by their names: workers, say. */
  files?: Record<string, string>;
}

/** What a program has left behind. */
export interface Outcome {
  code: number;
  signal: Deno.Signal | null;
  stdout: string;
  stderr: string;
  /** The lines of stdout. */
  lines: string[];
  /** The shell command that runs the program by hand. */
  command: string;
}

/** What a test expects of an outcome. What it leaves out is not looked at. */
export interface Expected {
  lines?: string[];
  stdout?: string | RegExp;
  stderr?: string | RegExp;
  /** How often each text occurs in stderr. */
  counts?: Record<string, number>;
  /** A program that is expected to end with a code must not die by a signal. */
  code?: number;
  signal?: Deno.Signal | null;
}

// ----------------------------------------------------------------------------- text and fixtures

/**
 * Runs a program, which is given as text, until its end. It imports the module as its users do, from
 * `"@atexit/atexit"`.
 */
export async function run(source: string, options: SourceOptions = {}): Promise<Outcome> {
  return await start(source, options).outcome();
}

/** Starts a program, which is given as text, and which the test goes on to talk to. */
export function start(source: string, options: SourceOptions = {}): Program {
  return startFile(writeProgram(source, options), options);
}

/** Runs a program of fixtures/ until its end. */
export async function runFixture(name: string, options: Options = {}): Promise<Outcome> {
  return await startFixture(name, options).outcome();
}

/** Starts a program of fixtures/, which the test goes on to talk to. */
export function startFixture(name: string, options: Options = {}): Program {
  return startFile(fixture(name), options);
}

/** The address of a file in fixtures/. */
export function fixture(name: string): string {
  return new URL(`./fixtures/${name}.ts`, import.meta.url).href;
}

/** Writes a program, and the files beside it, to a new folder, and returns the path of the program. */
export function writeProgram(
  source: string,
  { name = "main.ts", files = {} }: SourceOptions = {},
): string {
  const folder = newFolder();
  for (const [file, text] of Object.entries({ ...files, [name]: source })) {
    Deno.writeTextFileSync(`${folder}/${file}`, withAddress(text));
  }
  return join(folder, name);
}

/** A program that imports the module by its address, where it says `"@atexit/atexit"`. */
export function withAddress(source: string): string {
  return source.replace(/(from |import\(|import )"@atexit\/atexit"/g, `$1"${mod}"`);
}

function startFile(file: string, options: Options): Program {
  const { command = ["run"], args = [] } = options;
  return new Program([...command, "--no-check", "--no-config", file, ...args], options);
}

// ------------------------------------------------------------------------------------ assertions

/**
 * Asserts that a program has ended as expected. A failure shows everything about the outcome, and how
 * to run the program by hand.
 *
 * @param expected What is expected, or a function that asserts it.
 */
export function assertOutcome(
  outcome: Outcome,
  expected: Expected | ((outcome: Outcome) => void),
): void {
  try {
    if (typeof expected === "function") expected(outcome);
    else {
      const complete = expected.code === undefined ? expected : { signal: null, ...expected };
      assertEquals(actual(outcome, complete), complete);
    }
  } catch (error) {
    throw failure(error instanceof Error ? error.message : String(error), outcome);
  }
}

/** The part of an outcome of which something is expected. */
function actual(outcome: Outcome, expected: Expected): Expected {
  const { lines, code, signal, stdout, stderr } = outcome;
  const count = (text: string) => stderr.split(text).length - 1;
  const counts = Object.keys(expected.counts ?? {}).map((text) => [text, count(text)]);
  const all: Required<Expected> = {
    ...{ lines, code, signal, counts: Object.fromEntries(counts) },
    stdout: matched(stdout, expected.stdout),
    stderr: matched(stderr, expected.stderr),
  };
  const keys = Object.keys(expected) as (keyof Expected)[];
  return Object.fromEntries(keys.map((key) => [key, all[key]]));
}

/** The pattern if a text matches it, or else the text: equal to what is expected, or not. */
function matched(text: string, expected?: string | RegExp): string | RegExp {
  return expected instanceof RegExp && expected.test(text) ? expected : text;
}

/** An error that shows everything about an outcome. The files of the program stay. */
function failure(message: string, outcome: Outcome): AssertionError {
  failed.push(outcome.command);
  const { stdout, stderr, code, signal, command } = outcome;
  return new AssertionError([
    message,
    `stdout:\n${stdout}`,
    `stderr:\n${stderr}`,
    signal === null ? `exit code: ${code}` : `signal: ${signal}`,
    `by hand:\n${command}\n`,
  ].join("\n"));
}

// -------------------------------------------------------------------------------------- processes

/** What Bun says of folders under Wine. */
const wineNotice = /^Internal error: directory mismatch for directory .*\n/gm;

/** A running child process. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #command: string;
  readonly #stdout: ReadableStreamDefaultReader<string>;
  readonly #stderr: Promise<string>;
  // A program that hangs fails its test, and does not hold up the others.
  readonly #watchdog = setTimeout(() => this.#stop(), 60_000);
  #text = "";

  constructor(args: string[], options: Options = {}, path: string = deno) {
    const { stdin, env, cwd } = options;
    this.#command = shellCommand(path, args, options);
    this.#child = new Deno.Command(path, {
      args,
      cwd: cwd ?? Deno.cwd(),
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...env },
      stdin: stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdout = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#stderr = new Response(this.#child.stderr).text();
    if (stdin !== undefined) this.#write(stdin);
  }

  async #write(text: string): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  }

  /** Waits until the program has written a text to stdout, so many times. */
  async says(text: string, times = 1): Promise<void> {
    while (this.#text.split(text).length <= times) {
      const { value, done } = await this.#stdout.read();
      if (done) throw failure(`Ended without saying "${text}"`, await this.outcome());
      this.#text += value;
    }
  }

  /** Waits until the program has written a text to stdout that matches, and returns the match. */
  async saysMatch(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = this.#text.match(pattern);
      if (match !== null) return match;
      const { value, done } = await this.#stdout.read();
      if (done) throw failure(`Ended without saying ${pattern}`, await this.outcome());
      this.#text += value;
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for the end of the process. Processes that it has left may still write. */
  async status(): Promise<Deno.CommandStatus> {
    return await this.#child.status;
  }

  /** Sends a signal to the process that this one has started last (on Linux). */
  killChild(signal: Deno.Signal): void {
    const { pid } = this;
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim().split(" ");
    Deno.kill(Number(children.at(-1)), signal);
  }

  /** Waits for the end. */
  async outcome(): Promise<Outcome> {
    for (let read = await this.#stdout.read(); !read.done; read = await this.#stdout.read()) {
      this.#text += read.value;
    }
    const stderr = (await this.#stderr).replaceAll("\r\n", "\n").replace(wineNotice, "");
    const { code, signal } = await this.#child.status;
    clearTimeout(this.#watchdog);
    const stdout = this.#text.replaceAll("\r\n", "\n");
    const lines = stdout === "" ? [] : stdout.replace(/\n$/, "").split("\n");
    return { code, signal, stdout, stderr, lines, command: this.#command };
  }

  /** Leaves no process behind when a test fails. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await this.outcome();
  }

  #stop(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

/** Tells whether a command can be run on this machine. */
export async function isInstalled(command: string): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

/** A port that nobody uses. */
export function freePort(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `${listener.addr.port}`;
}

async function versionOf(path: string): Promise<number> {
  const { stdout } = await new Deno.Command(path, { args: ["--version"] }).output();
  const [, major, minor] = new TextDecoder().decode(stdout).match(/deno (\d+)\.(\d+)/)!;
  return Number(major) * 100 + Number(minor);
}

function shellCommand(path: string, args: string[], { stdin, env = {}, cwd }: Options): string {
  const quote = (text: string) =>
    /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${quote(value)}`);
  return [
    cwd === undefined ? "" : `cd ${quote(cwd)} && `,
    stdin === undefined ? "" : `printf %s ${quote(stdin)} | `,
    [...variables, ...[path, ...args].map(quote)].join(" "),
  ].join("");
}

// ---------------------------------------------------------------------------------------- folders

let root: string | undefined;
const folders: string[] = [];
/** The commands of the programs that did not do what was expected. */
const failed: string[] = [];

/** A new folder below the one that the tests of a file share. */
export function newFolder(): string {
  // Without links (macOS) and short names (Windows): programs see the real path.
  root ??= Deno.realPathSync(Deno.makeTempDirSync({ prefix: "atexit-" }));
  const folder = join(root, `${folders.length + 1}`);
  Deno.mkdirSync(folder);
  folders.push(folder);
  return folder;
}

// What a failed program consists of stays, so that it can be run by hand.
addEventListener("unload", () => {
  if (root === undefined) return;
  const kept = folders.filter((folder) =>
    failed.some((command) => command.includes(join(folder, "/")))
  );
  const removed = kept.length === 0 ? [root] : folders.filter((folder) => !kept.includes(folder));
  for (const folder of removed) Deno.removeSync(folder, { recursive: true });
});
