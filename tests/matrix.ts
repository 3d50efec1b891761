// Runs the tests that start programs with other versions of Deno, each fetched from npm, and prints
// a table. The test runner itself is the Deno that runs this.
//
//   deno task matrix [VERSION…]
//
// Default: the oldest supported version, and the last release of every minor version since.

const oldest = "2.0.6";
const here = new URL(".", import.meta.url);
const path = (name: string) => new URL(name, here).href;
const windows = Deno.build.os === "windows";
const npm = windows ? "npm.cmd" : "npm";

const versions = Deno.args.length > 0 ? Deno.args : await lastOfEachMinor();
const files = await filesThatStartPrograms();
const directory = await Deno.makeTempDir();
let failures = 0;

console.log(`| version | ${files.map((file) => file.replace("_test.ts", "")).join(" | ")} |`);
console.log(`| --- |${" --- |".repeat(files.length)}`);
try {
  for (const version of versions) {
    const deno = await install(version);
    const cells: string[] = [];
    for (const file of files) cells.push(await test(file, deno));
    console.log(`| ${version} | ${cells.join(" | ")} |`);
  }
} finally {
  await Deno.remove(directory, { recursive: true });
}
console.log(failures === 0 ? "\nAll green" : `\n${failures} red`);
Deno.exit(failures === 0 ? 0 : 1);

async function lastOfEachMinor(): Promise<string[]> {
  const all: string[] = JSON.parse(await output(npm, ["view", "deno", "versions", "--json"]));
  const newest = new Map<string, string>();
  for (const version of all) {
    const [, minor] = version.match(/^(2\.\d+)\.\d+$/) ?? [];
    if (minor !== undefined) newest.set(minor, version); // npm lists them in ascending order
  }
  return [...new Set([oldest, ...newest.values()])];
}

async function filesThatStartPrograms(): Promise<string[]> {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(here)) {
    if (!name.endsWith("_test.ts")) continue;
    const source = await Deno.readTextFile(new URL(name, here));
    if (source.includes('from "./program.ts"')) files.push(name);
  }
  return files.sort();
}

/** Installs a version, and returns the path of the program: npm's wrapper may swallow signals. */
async function install(version: string): Promise<string> {
  const prefix = `${directory}/${version}`;
  await Deno.mkdir(prefix);
  await output(npm, ["install", "--prefix", prefix, "--no-fund", "--no-audit", `deno@${version}`]);
  const wrapper = `${prefix}/node_modules/.bin/deno${windows ? ".cmd" : ""}`;
  return (await output(wrapper, ["eval", "console.log(Deno.execPath())"])).trim();
}

async function test(file: string, deno: string): Promise<string> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", path("with_std.ts"), "test", "-A", path(file)],
    env: { ATEXIT_TEST_DENO: deno, NO_COLOR: "1" },
    stderr: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  const [, passed = "0", failed = "?"] = text.match(/(\d+) passed.*?(\d+) failed/) ?? [];
  if (success) return `${passed}`;
  failures++;
  console.error(text);
  return `**${failed} failed**`;
}

async function output(command: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  if (!success) {
    throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
  return new TextDecoder().decode(stdout);
}
