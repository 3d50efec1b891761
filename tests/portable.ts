// Runs the same programs by each runtime. Deno imports the module by its address; Node.js and Bun get
// the package as npm gets it: what `deno pack` makes of this folder, installed into an npm project.

import { AssertionError } from "@std/assert";
import {
  assertOutcome,
  type Expected,
  newFolder,
  type Options,
  type Outcome,
  Program,
  withAddress,
} from "./program.ts";
import { all, isNamed, type Name, runtimes, type TestRuntime } from "./runtimes.ts";
import { withoutSignals } from "./skip.ts";

export { newFolder };

/** What programs of modules begin with. Deno loads `process` only where it is needed. */
const importsProcess = 'import process from "node:process";\n';
const head = `/** A turn of the event loop, or more. */
const turn = (milliseconds = 1) => new Promise((resolve) => setTimeout(resolve, milliseconds));
/** The code that the program ends with. Deno has it in a place of its own. */
const code = () => globalThis.Deno?.exitCode ?? process.exitCode ?? 0;
`;
/** What follows, unless a program imports the module itself. */
const imports = `import {
  exit, exitOnSignals, exitReason, overrideExit, register, registerAsync, setGracePeriod, SystemExit,
  unregister,
} from "@atexit/atexit";
/** Why the program ends: the kind, with the error's message or the signal. */
const why = () => Object.values(exitReason() ?? {}).map((part) => part?.message ?? part).join(" ");
`;

/** What is expected of a program. What is left out: the status 0, and nothing on stderr. */
export interface PortableExpected extends Expected {
  /** How often each message of an error is printed, with or without a stack. */
  errors?: Record<string, number>;
}

/** A program, and what each runtime does with it. */
export interface Row extends PortableExpected {
  program: string;
  /** The name of its file. Default: `main.mjs`. */
  name?: string;
  /** Further files beside it. */
  files?: Record<string, string>;
  /** What stands before its file. Default: nothing; for Deno `run -A`. */
  command?: Partial<Record<Name, string[]>>;
  args?: string[];
  /** Whether the program is read from stdin, or follows the flag `-e`. Default: it is a file. */
  how?: "file" | "stdin" | "-e";
  env?: Record<string, string>;
  /** Whether it is about the package itself, so that Deno gets that, too. */
  needsPackage?: boolean;
  /** The only runtimes that have what it is about: `node`, `bun 1.4`. */
  only?: string[];
  /** Those that cannot run it without the module either, and why. */
  not?: Record<string, string>;
  /** Not on Windows, which has no signals. */
  signals?: boolean;
  /** Whether only `deno task test:all` runs it: a variation that seldom fails alone. */
  slow?: boolean;
  /**
   * What a runtime cannot do, and all that is expected of it instead. The first one that names it
   * counts.
   */
  cannot?: Record<string, PortableExpected & { because: string }>;
}

/** Makes a test of each row. It runs the program by all runtimes at once. */
export function testRows(rows: Record<string, Row>, defaults: Partial<Row> = {}): void {
  for (const [name, given] of Object.entries(rows)) {
    const row = { ...defaults, ...given };
    if (row.slow && !all) continue;
    const chosen = chooseRuntimes(row);
    Deno.test({
      name: `${name} (${labels(chosen)})`,
      ignore: chosen.length === 0 || row.signals === true && withoutSignals(),
      fn: () => onEach(chosen, (runtime) => check(row, runtime)),
    });
  }
}

/** Returns the runtimes that can run a program. */
export function chooseRuntimes({ only, not = {} }: Pick<Row, "only" | "not">): TestRuntime[] {
  return runtimes.filter((runtime) =>
    (only === undefined || only.some((text) => isNamed(runtime, text))) &&
    !Object.keys(not).some((text) => isNamed(runtime, text))
  );
}

/** Which runtimes these are, in short: `deno 2.9, node 20 26, bun 1.4`. */
export function labels(chosen: TestRuntime[]): string {
  const names = [...new Set(chosen.map(({ name }) => name))];
  const short = ({ name, version: [major, minor] }: TestRuntime) =>
    name === "node" ? `${major}` : `${major}.${minor}`;
  return names.map((name) => {
    const versions = chosen.filter((runtime) => runtime.name === name).map(short);
    return [name, ...new Set(versions)].join(" ");
  }).join(", ") || "no runtime that can";
}

/** Does something with each runtime, at the same time. Fails if it fails with one of them. */
export async function onEach(
  chosen: TestRuntime[],
  check: (runtime: TestRuntime) => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(chosen.map(check));
  const failures = results.flatMap((result, index) =>
    result.status === "rejected" ? [`${chosen[index].label}: ${textOf(result.reason)}`] : []
  );
  if (failures.length > 0) throw new AssertionError(failures.join("\n"));
}

function textOf(error: unknown): string {
  return error instanceof Error && error.name === "AssertionError"
    ? error.message
    : Deno.inspect(error);
}

async function check(row: Row, runtime: TestRuntime): Promise<void> {
  const outcome = await runBy(runtime, row);
  const instead = Object.entries(row.cannot ?? {}).find(([text]) => isNamed(runtime, text));
  if (instead === undefined) return assertPortable(outcome, expectedOf(row));
  const { because: _, ...expected } = instead[1];
  assertPortable(outcome, expected);
}

function expectedOf({ lines, stdout, stderr, counts, errors, code, signal }: Row) {
  const fields = { lines, stdout, stderr, counts, errors, code, signal };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** As `assertOutcome()`. What is not said of the status and of stderr: 0, and that it is empty. */
export function assertPortable(
  outcome: Outcome,
  { errors, ...expected }: PortableExpected,
): void {
  const isHeard = expected.stderr !== undefined || expected.counts !== undefined ||
    errors !== undefined;
  assertOutcome(outcome, {
    ...expected.signal == null ? { code: 0 } : {},
    ...isHeard ? {} : { stderr: "" },
    ...expected,
  });
  for (const [message, count] of Object.entries(errors ?? {})) {
    const printed = new RegExp(`(error: |Uncaught )(\\S*Error: )?${RegExp.escape(message)}`, "gi");
    const actual = outcome.stderr.match(printed)?.length ?? 0;
    assertOutcome(outcome, () => {
      if (actual !== count) {
        throw new Error(`"${message}" is printed ${actual} times, not ${count}`);
      }
    });
  }
}

/** Runs a program by a runtime until its end. */
export async function runBy(runtime: TestRuntime, row: Row): Promise<Outcome> {
  return await (await startBy(runtime, row)).outcome();
}

/** Starts a program by a runtime, for a test that goes on to talk to it. */
export async function startBy(runtime: TestRuntime, row: Row): Promise<Program> {
  const { args, options } = await writeRow(runtime, row);
  return new Program(args, options, runtime.path);
}

/** Runs a program by a runtime as `"$@"` of a shell script. */
export async function runInShell(
  runtime: TestRuntime,
  row: Row,
  script: string,
  options: ShellOptions = {},
): Promise<Outcome> {
  return await (await startInShell(runtime, row, script, options)).outcome();
}

export interface ShellOptions {
  /** What the shell is started by. Default: nothing. */
  before?: string[];
}

/** Starts a shell script with a program by a runtime as its `"$@"`. */
export async function startInShell(
  runtime: TestRuntime,
  row: Row,
  script: string,
  { before = [] }: ShellOptions = {},
): Promise<Program> {
  const { args, options } = await writeRow(runtime, row);
  const [command, ...first] = [...before, "sh", "-c", script, "sh"];
  return new Program([...first, runtime.path, ...args], options, command);
}

/** Writes the files of a program. Returns what to start it with. */
async function writeRow(
  runtime: TestRuntime,
  row: Row,
): Promise<{ args: string[]; options: Options }> {
  const { how = "file", name = "main.mjs", command = {}, args = [], env = {} } = row;
  const fromNpm = runtime.from === "npm" || row.needsPackage === true;
  const imported = (text: string) => fromNpm ? text : withAddress(text);
  const source = imported(name.endsWith(".mjs") ? withHead(row.program, fromNpm) : row.program);
  const cwd = fromNpm ? await newFolderOfProject() : newFolder();
  for (const [file, text] of Object.entries({ ...row.files, [name]: source })) {
    const path = `${cwd}/${file}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, imported(text));
  }
  const isDeno = runtime.name === "deno";
  const before = command[runtime.name] ?? (isDeno && how !== "-e" ? ["run", "-A"] : []);
  const program = {
    "file": [name],
    "stdin": ["-"],
    "-e": isDeno ? ["eval", "--ext=mjs", source] : [...moduleFlags(runtime), "-e", source],
  }[how];
  return {
    args: [...before, ...how === "stdin" ? moduleFlags(runtime) : [], ...program, ...args],
    options: { cwd, env, ...how === "stdin" ? { stdin: source } : {} },
  };
}

/** Node.js takes what is in no file for CommonJS. */
function moduleFlags({ name }: TestRuntime): string[] {
  return name === "node" ? ["--input-type=module"] : [];
}

function withHead(source: string, fromNpm: boolean): string {
  return [
    fromNpm || source.includes("process") ? importsProcess : "",
    head,
    source.includes("@atexit/atexit") ? "" : imports,
    source,
  ].join("");
}

// ----------------------------------------------------------------------------------- the package

let installed: Promise<string> | undefined;

/** An npm project in which the package is installed, the same for all tests of a file. */
export function project(): Promise<string> {
  return installed ??= install();
}

let programs = 0;

/** A new folder, in which the package can be imported. */
async function newFolderOfProject(): Promise<string> {
  const folder = `${await project()}/${++programs}`;
  await Deno.mkdir(folder);
  return folder;
}

/** Does what `npm install` would do, which takes a second. portable_tools_test.ts runs npm itself. */
async function install(): Promise<string> {
  const folder = newFolder();
  const file = await pack(folder);
  await unpack(file, folder);
  await Deno.writeTextFile(
    `${folder}/package.json`,
    JSON.stringify({ private: true, dependencies: { "@atexit/atexit": file } }),
  );
  return folder;
}

export const npm = Deno.build.os === "windows" ? "npm.cmd" : "npm";

/** Installs packages from npm, by their names and versions, into the project of the tests. */
export async function installPackages(packages: Record<string, string>): Promise<void> {
  const wanted = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  const flags = ["--no-audit", "--no-fund", "--ignore-scripts"];
  await succeed(npm, ["install", ...flags, ...wanted], await project());
}

const needsNewer = "some of the packages need a newer one";

/** Runtimes that cannot run the newest packages, with the module or without. */
export const tooOld = { "node 20": needsNewer, "node 22.3": needsNewer, "deno 2.5": needsNewer };

/** Makes the tarball that JSR offers to npm, and returns its path. Only the newest Deno can. */
export async function pack(folder: string): Promise<string> {
  const file = `${folder}/atexit.tgz`;
  const root = new URL("..", import.meta.url);
  const args = ["pack", "--allow-dirty", "--quiet", "--output", file];
  await succeed(Deno.execPath(), args, root);
  return file;
}

/** Unpacks the tarball where npm would. Not by `tar`: of those on Windows, one takes `C:` for a host. */
export async function unpack(file: string, folder: string): Promise<void> {
  const target = `${folder}/node_modules/@atexit/atexit`;
  const { readable } = await Deno.open(file);
  const unzipped = readable.pipeThrough(new DecompressionStream("gzip"));
  const archive = new Uint8Array(await new Response(unzipped).arrayBuffer());
  const field = (start: number, length: number) =>
    new TextDecoder().decode(archive.subarray(start, start + length)).replace(/\0.*$/s, "");
  // Each file has a header of 512 bytes with its name and its size, and is filled up to 512 bytes.
  for (let at = 0; archive[at] !== 0;) {
    const path = field(at, 100).replace(/^package/, target);
    const size = parseInt(field(at + 124, 12), 8);
    at += 512;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(path, archive.subarray(at, at + size));
    at += Math.ceil(size / 512) * 512;
  }
}

/** Runs a command that is expected to succeed. */
export async function succeed(command: string, args: string[], cwd: string | URL): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  if (success) return;
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  throw new Error(`${command} ${args.join(" ")}\n${out}\n${err}`);
}
