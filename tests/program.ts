// Starts the tiny programs of fixtures/ as real child processes.

/** The Deno that runs them. `deno task matrix` names older ones. */
export const deno = Deno.env.get("ATEXIT_TEST_DENO") ?? Deno.execPath();

/** Its version, as major * 100 + minor: 209 for 2.9. */
export const version = await versionOf(deno);

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

/** What a program has left behind. */
export interface Outcome {
  code: number;
  signal: Deno.Signal | null;
  stdout: string;
  stderr: string;
  /** The lines of stdout. */
  lines: string[];
}

/** The address of a fixture, or of another file, relative to fixtures/. */
export function fixture(name: string): string {
  return new URL(`./fixtures/${name}.ts`, import.meta.url).href;
}

/** Runs a fixture until its end. */
export async function run(name: string, options: Options = {}): Promise<Outcome> {
  return await start(name, options).outcome();
}

/** Starts a fixture, which the test goes on to talk to. */
export function start(name: string, options: Options = {}): Program {
  const { command = ["run"], args = [] } = options;
  const flags = ["--no-check", "--no-config"];
  return new Program([...command, ...flags, fixture(name), ...args], options);
}

/** A running child process. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: ReadableStreamDefaultReader<string>;
  readonly #stderr: Promise<string>;
  // A program that hangs fails its test, and does not hold up the others.
  readonly #watchdog = setTimeout(() => this.#child.kill("SIGKILL"), 60_000);
  #text = "";

  constructor(args: string[], { stdin, env, cwd }: Options = {}, path: string = deno) {
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

  get pid(): number {
    return this.#child.pid;
  }

  /** Waits until the program has written a text to stdout, so many times. */
  async says(text: string, times = 1): Promise<void> {
    while (this.#text.split(text).length <= times) {
      const { value, done } = await this.#stdout.read();
      if (done) throw new Error(`Ended without saying "${text}":\n${await this.#stderr}`);
      this.#text += value;
    }
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for the end. */
  async outcome(): Promise<Outcome> {
    for (let read = await this.#stdout.read(); !read.done; read = await this.#stdout.read()) {
      this.#text += read.value;
    }
    const stderr = await this.#stderr;
    const { code, signal } = await this.#child.status;
    clearTimeout(this.#watchdog);
    const stdout = this.#text.replaceAll("\r\n", "\n");
    const lines = stdout === "" ? [] : stdout.replace(/\n$/, "").split("\n");
    return { code, signal, stdout, stderr: stderr.replaceAll("\r\n", "\n"), lines };
  }

  /** Leaves no process behind when a test fails. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.outcome();
  }
}

async function versionOf(path: string): Promise<number> {
  const { stdout } = await new Deno.Command(path, { args: ["--version"] }).output();
  const [, major, minor] = new TextDecoder().decode(stdout).match(/deno (\d+)\.(\d+)/)!;
  return Number(major) * 100 + Number(minor);
}
