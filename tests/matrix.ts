// Runs the tests that start programs with other versions of Deno, and the portable ones with versions
// of Node.js and Bun, each fetched from npm, and prints a table. The test runner itself is the Deno
// that runs this.
//
//   deno task matrix [[deno@|node@|bun@]VERSION…]
//
// Default: the oldest supported versions, and the last ones of each line.

import { findTests, showTests } from "./test_files.ts";

const versions = [
  ...["2.5.7", "2.7.14", "2.8.3", "latest"],
  ...["node@20.16.0", "node@20", "node@22.3.0", "node@22", "node@24", "node@latest"],
  ...["bun@1.4.0", "bun@latest"],
];
/** Tests whose programs are always run by the newest Deno. */
const newestOnly = ["package_test.ts", "types_test.ts", "with_jsr_test.ts", "with_std_test.ts"];
const root = new URL("..", import.meta.url);
const path = (file: string) => new URL(file, root).href;
const windows = Deno.build.os === "windows";
const npm = windows ? "npm.cmd" : "npm";

const wanted = Deno.args.length > 0 ? Deno.args : versions;
const directory = await Deno.makeTempDir();
let failures = 0;
const rows: string[] = [];

try {
  const files = await filesThatStartPrograms();
  for (const text of wanted) {
    const [name, version] = text.includes("@") ? text.split("@") : ["deno", text];
    const chosen = name === "deno" ? files : files.filter((file) => file.includes("portable_"));
    rows.push(await test(chosen, name as Name, version));
  }
} finally {
  await Deno.remove(directory, { recursive: true });
}
console.log(
  ["", "| version | passed | failed | seconds |", "| --- | --- | --- | --- |", ...rows].join("\n"),
);
console.log(failures === 0 ? "\nAll green" : `\n${failures} red`);
Deno.exit(failures === 0 ? 0 : 1);

type Name = "deno" | "node" | "bun";

/** Runs files with a version, shows what the runner says, and returns the row of the table. */
async function test(files: string[], name: Name, version: string): Promise<string> {
  console.log(`\n${name} ${version}`);
  const start = performance.now();
  const flags = ["test", "-A", "--no-check", "--parallel"];
  const { text, success } = await showTests(Deno.execPath(), {
    args: ["run", "-A", path("tests/with_std.ts"), ...flags, ...files.map(path)],
    env: environment(name, await install(name, version)),
  });
  if (!success) failures++;
  const seconds = Math.round((performance.now() - start) / 1000);
  const [, passed = "?", failed = "?"] = text.match(/\| (\d+) passed.*\| (\d+) failed/) ?? [];
  return `| ${name} ${version} | ${passed} | ${success ? 0 : `**${failed}**`} | ${seconds} |`;
}

async function filesThatStartPrograms(): Promise<string[]> {
  const files: string[] = [];
  for (const file of findTests()) {
    if (newestOnly.some((name) => file.endsWith(`/${name}`))) continue;
    const source = await Deno.readTextFile(new URL(file, root));
    if (source.includes(`program.ts"`) || file.includes("/portable")) files.push(file);
  }
  return files;
}

/** Installs a version, and returns the path of the program: npm's wrapper may swallow signals. */
async function install(name: Name, version: string): Promise<string> {
  const prefix = `${directory}/${name}-${version}`;
  await Deno.mkdir(prefix);
  const spec = `${name}@${version}`;
  await output(npm, ["install", "--prefix", prefix, "--no-fund", "--no-audit", spec]);
  const wrapper = `${prefix}/node_modules/.bin/${name}${windows ? ".cmd" : ""}`;
  const program = name === "deno" ? "Deno.execPath()" : "process.execPath";
  const evaluate = name === "deno" ? "eval" : "-e";
  return (await output(wrapper, [evaluate, `console.log(${program})`])).trim();
}

/** Which runtimes the tests start programs with: this one alone. */
function environment(name: Name, program: string): Record<string, string> {
  const none = { ATEXIT_TEST_DENO: "", ATEXIT_TEST_NODE: "", ATEXIT_TEST_BUN: "" };
  return { ...none, [`ATEXIT_TEST_${name.toUpperCase()}`]: program };
}

async function output(command: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  if (!success) {
    throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
  return new TextDecoder().decode(stdout);
}
