// Mutation tests of the policy: Stryker's instrumenter changes one place after the other, and the
// tests in process have to notice. Takes a few minutes, and npm.
//
//   deno task mutate [FILE...]
//
// mutants.json lists those that no test can notice, with the reason.

import { FAILED, MUTANT_VARIABLE } from "./mutant_runner.ts";

const sources = [
  "registry.ts",
  "shutdown.ts",
  "lifecycle.ts",
  "deadline.ts",
  "signal_listeners.ts",
  "guard.ts",
];
const tests = [
  "deadline",
  "shutdown",
  "signal_listeners",
  "registry",
  "lifecycle",
  "lifecycle_exit",
  "lifecycle_run",
  "guard",
  "stack",
].map((name) => `tests/${name}_test.ts`);
const packages = ["npm:@stryker-mutator/instrumenter@9.6.1", "npm:typed-inject@5.0.0"];
const leastScore = 95;

/** A mutant for which the tests give no result within this time has an endless loop. */
const TIMEOUT_MS = 60_000;

interface Mutant {
  readonly id: string;
  readonly fileName: string;
  readonly replacement: string;
  /** Lines and columns from 0 on. */
  readonly location: { readonly start: Position; readonly end: Position };
}

interface Position {
  readonly line: number;
  readonly column: number;
}

/** Whether the tests notice a mutant. `static`: it has to be active when the files are imported. */
type Result = "caught" | "survived" | "static";

const root = new URL("..", import.meta.url);
const directory = await Deno.makeTempDir({ prefix: "atexit-mutate-" });
try {
  const names = Deno.args.length > 0 ? Deno.args : sources;
  const texts = new Map(names.map((name) => [name, Deno.readTextFileSync(new URL(name, root))]));
  await copy();
  const mutants = await instrument(texts);
  const results = await runTests(mutants.map(({ id }) => id));
  Deno.exitCode = await judge(texts, mutants, results) ? 0 : 1;
} finally {
  await Deno.remove(directory, { recursive: true });
}

/** Copies what the tests need. */
async function copy(): Promise<void> {
  for (const folder of ["runtimes", "tests/offline"]) {
    await Deno.mkdir(`${directory}/${folder}`, { recursive: true });
  }
  const names = [
    ...tests,
    "tests/fake_runtime.ts",
    "tests/mutant_runner.ts",
    "tests/random_program.ts",
  ];
  for (const { name } of Deno.readDirSync(root)) if (name.endsWith(".ts")) names.push(name);
  for (const { name, isFile } of Deno.readDirSync(new URL("tests/offline", root))) {
    if (isFile) names.push(`tests/offline/${name}`);
  }
  for (const name of [...names, "runtimes/runtime.ts"]) {
    await Deno.copyFile(new URL(name, root), `${directory}/${name}`);
  }
  const stub = `export function run() { throw new Deno.errors.NotSupported(); }
    export function assertOutcome() {}`;
  await Deno.writeTextFile(`${directory}/tests/program.ts`, stub);
}

/** Puts all mutants into the files. A global variable tells which one is active. */
async function instrument(texts: Map<string, string>): Promise<Mutant[]> {
  const [{ createInstrumenter }, { createInjector }] = await Promise.all(
    packages.map((specifier) => import(specifier)),
  );
  const logger = { debug() {}, info() {}, isDebugEnabled: () => false };
  const options = { plugins: null, excludedMutations: [], ignorers: [], noHeader: false };
  const files = [...texts].map(([name, content]) => ({ name, content, mutate: true }));
  const result = await createInjector().provideValue("logger", logger)
    .injectFunction(createInstrumenter).instrument(files, options);
  for (const { name, content } of result.files) {
    await Deno.writeTextFile(`${directory}/${name}`, content);
  }
  return result.mutants.filter(({ status }: { status?: string }) => status !== "Ignored");
}

/** Runs the tests with each mutant. */
async function runTests(ids: readonly string[]): Promise<Map<string, Result>> {
  const results = new Map<string, Result>();
  const rest = [...ids];
  while (rest.length > 0) {
    for await (const [id, result] of runTestsInProcess(rest)) {
      results.set(id, result);
      rest.splice(rest.indexOf(id), 1);
    }
    if (rest.length > 0) results.set(rest.shift()!, "caught"); // It has not come back from this one.
    console.error(`${results.size} of ${ids.length} mutants`);
  }
  for (const [id, result] of results) {
    if (result !== "static") continue;
    results.set(id, "caught");
    const env = { [MUTANT_VARIABLE]: id };
    for await (const [, result] of runTestsInProcess([id], env)) results.set(id, result);
  }
  return results;
}

/** Runs the tests with one mutant after the other, in a process of their own. */
async function* runTestsInProcess(
  ids: readonly string[],
  env: Record<string, string> = {},
): AsyncGenerator<[id: string, result: Result]> {
  const flags = ["--no-check", "--no-config", "--node-modules-dir=none", "--quiet", "-A"];
  const map = "--import-map=tests/offline/import_map.json";
  const args = ["run", ...flags, map, "tests/mutant_runner.ts", ids.join(","), ...tests];
  const child = new Deno.Command(Deno.execPath(), { args, env, cwd: directory, stdout: "piped" })
    .spawn();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const restartTimer = () => {
    clearTimeout(timer);
    timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  };
  restartTimer();
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    restartTimer();
    const lines = (text + chunk).split("\n");
    text = lines.pop()!;
    for (const line of lines) yield line.split(" ") as [string, Result];
  }
  clearTimeout(timer);
  const { code } = await child.status;
  if (code === FAILED) throw new Error("The tests fail without a mutant");
}

/** Prints the scores and the survivors. Returns whether it is enough, and each of them is listed. */
async function judge(
  texts: Map<string, string>,
  mutants: readonly Mutant[],
  results: Map<string, Result>,
): Promise<boolean> {
  const listed: Record<string, string> = JSON.parse(
    await Deno.readTextFile(new URL("mutants.json", import.meta.url)),
  );
  let isEnough = true;
  for (const [name, text] of texts) {
    const own = mutants.filter(({ fileName }) => fileName === name);
    const survivors = own.filter(({ id }) => results.get(id) !== "caught");
    for (const mutant of survivors) {
      const key = describe(text, mutant);
      if (listed[key] === undefined) isEnough = false;
      console.log(`${key}\n    ${listed[key] ?? "NOT LISTED"}`);
    }
    const score = 100 * (own.length - survivors.length) / own.length;
    if (score < leastScore) isEnough = false;
    console.log(`${name}: ${score.toFixed(1)} % of ${own.length} mutants caught`);
  }
  return isEnough;
}

/** The file, the line, what stands there, and what it is replaced by. */
function describe(
  text: string,
  { fileName, location: { start, end }, replacement }: Mutant,
): string {
  const lines = text.split("\n").slice(start.line, end.line + 1);
  const line = lines[0].trim();
  lines[lines.length - 1] = lines.at(-1)!.slice(0, end.column);
  lines[0] = lines[0].slice(start.column);
  const shorten = (code: string) => code.replaceAll(/\s+/g, " ").trim().slice(0, 100);
  const change = `${shorten(lines.join(" "))} → ${shorten(replacement)}`;
  return `${fileName}: ${line}: ${change}`;
}
