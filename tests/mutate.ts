// Mutation testing of the policy: Stryker breaks one place after the other, and the tests in process
// have to notice. Takes about ten minutes, and npm.
//
//   deno task mutate
//
// mutants.json lists, with the reason, those that no test can notice.

const files = ["registry.ts", "lifecycle.ts"];
const tests = ["tests/registry_test.ts", "tests/lifecycle_test.ts"];
const packages = ["@stryker-mutator/core@9.6.1", "typescript@5.9.3"];
const least = 95;

interface Mutant {
  status: string;
  mutatorName: string;
  replacement: string;
  location: { start: Position; end: Position };
}

interface Position {
  line: number;
  column: number;
}

const root = new URL("..", import.meta.url);
const directory = await Deno.makeTempDir({ prefix: "atexit-mutate-" });
try {
  await copy();
  await Deno.writeTextFile(`${directory}/stryker.config.json`, JSON.stringify(config()));
  await Deno.writeTextFile(`${directory}/package.json`, "{}");
  await run("npm", "install", "--no-fund", "--no-audit", ...packages);
  await run("npx", "stryker", "run");
  const report = JSON.parse(
    await Deno.readTextFile(`${directory}/reports/mutation/mutation.json`),
  );
  Deno.exitCode = await judge(report.files) ? 0 : 1;
} finally {
  await Deno.remove(directory, { recursive: true });
}

function config(): Record<string, unknown> {
  const flags =
    "--fail-fast --allow-env --allow-read --no-check --no-config --node-modules-dir=none --quiet";
  const map = "--import-map=tests/offline/import_map.json";
  return {
    mutate: files,
    testRunner: "command",
    commandRunner: { command: `${Deno.execPath()} test ${flags} ${map} ${tests.join(" ")}` },
    reporters: ["json", "progress"],
    concurrency: navigator.hardwareConcurrency,
    timeoutMS: 4_000,
    ignorePatterns: ["node_modules"],
  };
}

/** Copies what the tests need. */
async function copy(): Promise<void> {
  for (const folder of ["runtimes", "tests/offline/testing"]) {
    await Deno.mkdir(`${directory}/${folder}`, { recursive: true });
  }
  for await (const { name } of Deno.readDir(root)) if (name.endsWith(".ts")) await copyFile(name);
  for (const name of [...tests, "tests/test_runtime.ts"]) await copyFile(name);
  for (const name of ["import_map.json", "assert.ts", "testing/mock.ts", "testing/types.ts"]) {
    await copyFile(`tests/offline/${name}`);
  }
  await copyFile("runtimes/runtime.ts");
}

async function copyFile(name: string): Promise<void> {
  await Deno.copyFile(new URL(name, root), `${directory}/${name}`);
}

async function run(command: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(command, { args, cwd: directory }).spawn().status;
  if (!success) throw new Error(`${command} ${args.join(" ")} failed`);
}

/** Prints the score and the survivors. Tells whether it is enough, and each of them is listed. */
async function judge(
  files: Record<string, { source: string; mutants: Mutant[] }>,
): Promise<boolean> {
  const listed: Record<string, string> = JSON.parse(
    await Deno.readTextFile(new URL("mutants.json", import.meta.url)),
  );
  let [caught, all, unlisted] = [0, 0, 0];
  for (const [file, { source, mutants }] of Object.entries(files)) {
    const lines = source.split("\n");
    for (const mutant of mutants.filter(({ status }) => status !== "Ignored")) {
      all++;
      if (mutant.status !== "Survived" && mutant.status !== "NoCoverage") caught++;
      else {
        const name = nameOf(file, lines, mutant);
        const reason = listed[name];
        if (reason === undefined) unlisted++;
        console.log(`${name}\n    ${reason ?? "NOT LISTED"}`);
      }
    }
  }
  const score = 100 * caught / all;
  console.log(`${caught} of ${all} mutants caught: ${score.toFixed(1)} %, ${unlisted} not listed`);
  return score >= least && unlisted === 0;
}

/** The file, what stands there, and what it is replaced by. */
function nameOf(file: string, lines: string[], { location, replacement }: Mutant): string {
  const { start, end } = location;
  const last = end.line === start.line ? end.column - 1 : undefined;
  const original = lines[start.line - 1].slice(start.column - 1, last).trim();
  return `${file}: ${original} → ${replacement.replaceAll(/\s+/g, " ")}`;
}
