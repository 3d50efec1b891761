// Runs the tests that start programs with other versions of Deno, and the portable ones with versions
// of Node.js and Bun, each fetched from npm, and prints a table. The test runner itself is the Deno
// that runs this.
//
//   deno task matrix [[deno@|node@|bun@]VERSION…]
//
// Default: the oldest supported versions, and the last ones of each line.

const versions = [
  ...["2.5.7", "2.7.14", "2.8.3", "latest"],
  ...["node@20.16.0", "node@20", "node@22.3.0", "node@22", "node@24", "node@latest"],
  ...["bun@1.4.0", "bun@latest"],
];
const here = new URL(".", import.meta.url);
const path = (name: string) => new URL(name, here).href;
const windows = Deno.build.os === "windows";
const npm = windows ? "npm.cmd" : "npm";

const wanted = Deno.args.length > 0 ? Deno.args : versions;
const directory = await Deno.makeTempDir();
let failures = 0;

try {
  const files = await filesThatStartPrograms();
  const portable = files.filter((file) => file.startsWith("portable"));
  await table("deno", files);
  await table("node", portable);
  await table("bun", portable);
} finally {
  await Deno.remove(directory, { recursive: true });
}
console.log(failures === 0 ? "\nAll green" : `\n${failures} red`);
Deno.exit(failures === 0 ? 0 : 1);

type Name = "deno" | "node" | "bun";

/** Prints what became of each file with each version of a runtime that is wanted. */
async function table(name: Name, files: string[]): Promise<void> {
  const versions = wanted.map((text) => text.includes("@") ? text.split("@") : ["deno", text])
    .flatMap(([other, version]) => other === name ? [version] : []);
  if (versions.length === 0) return;
  console.log(`\n| ${name} | ${files.map((file) => file.replace("_test.ts", "")).join(" | ")} |`);
  console.log(`| --- |${" --- |".repeat(files.length)}`);
  for (const version of versions) {
    const path = await install(name, version);
    const cells: string[] = [];
    for (const file of files) cells.push(await test(file, name, path));
    console.log(`| ${version} | ${cells.join(" | ")} |`);
  }
}

async function filesThatStartPrograms(): Promise<string[]> {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(here)) {
    if (!name.endsWith("_test.ts")) continue;
    const source = await Deno.readTextFile(new URL(name, here));
    const starts = source.includes('from "./program.ts"') || name.startsWith("portable");
    if (starts) files.push(name);
  }
  return files.sort();
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

async function test(file: string, name: Name, program: string): Promise<string> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", path("with_std.ts"), "test", "-A", path(file)],
    env: { NO_COLOR: "1", ...environment(name, program) },
    stderr: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  const [, passed = "0", failed = "?"] = text.match(/(\d+) passed.*?(\d+) failed/) ?? [];
  if (success) return `${passed}`;
  failures++;
  console.error(text);
  return `**${failed} failed**`;
}

/** Which runtimes the tests start programs with: this one alone, and Deno where it has to be. */
function environment(name: Name, program: string): Record<string, string> {
  const none = { ATEXIT_TEST_NODE: "", ATEXIT_TEST_BUN: "" };
  return { ...none, [`ATEXIT_TEST_${name.toUpperCase()}`]: program };
}

async function output(command: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  if (!success) {
    throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
  return new TextDecoder().decode(stdout);
}
