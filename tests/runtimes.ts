// The runtimes that portable programs are run by: Deno, and Node.js and Bun where they are there.

import { deno } from "./program.ts";

/** A runtime on this machine. */
export interface TestRuntime {
  readonly name: Name;
  /** Major, minor and patch. */
  readonly version: readonly number[];
  readonly path: string;
  /** What tests call it: `node 20.16.0`. */
  readonly label: string;
  /** How its programs get the module: by the address of `mod.ts`, or as the package from npm. */
  readonly from: "source" | "npm";
}

export type Name = "deno" | "node" | "bun";

/** The oldest supported versions: of each major version, where it is not all of them. */
const oldest: Record<Name, number[][]> = {
  deno: [[2, 5]],
  node: [[20, 16], [22, 3], [23, 0]],
  bun: [[1, 4]],
};

/** What there is to say about each runtime that is not here. */
export const skipped: string[] = [];

/** The Deno that tests start programs with. */
export const thisDeno: TestRuntime = (await ask("deno", deno))!;

/** Whether everything is wanted: each runtime, Deno with the package from npm, and slow rows. */
export const all = Deno.env.get("ATEXIT_TEST_ALL") === "1";

const nodes = await find("node", pathsOf("ATEXIT_TEST_NODE") ?? ["node"]);
const buns = await find("bun", pathsOf("ATEXIT_TEST_BUN") ?? ["bun"]);

/** All that `ATEXIT_TEST_ALL=1` would choose, each of them once. */
export const named: TestRuntime[] = [thisDeno, ...nodes, ...buns];

/**
 * The runtimes that run portable programs: the Deno that tests start programs with, and the Node.js and
 * the Bun on the `PATH`. `ATEXIT_TEST_NODE` and `ATEXIT_TEST_BUN` name others: paths, separated as in
 * `PATH`. Of several the newest counts, or with `ATEXIT_TEST_ALL=1` each of them.
 */
export const runtimes: TestRuntime[] = [
  ...await findDeno(),
  ...choose(nodes),
  ...choose(buns),
];

function choose(found: TestRuntime[]): TestRuntime[] {
  return all ? found : found.slice(-1);
}

/** Those that are not Deno. */
export const others: TestRuntime[] = runtimes.filter(({ name }) => name !== "deno");

function pathsOf(variable: string): string[] | undefined {
  const separator = Deno.build.os === "windows" ? ";" : ":";
  return Deno.env.get(variable)?.split(separator).filter((path) => path !== "");
}

/** None if `ATEXIT_TEST_DENO` is empty. */
async function findDeno(): Promise<TestRuntime[]> {
  const found = await find("deno", Deno.env.get("ATEXIT_TEST_DENO") === "" ? [] : [deno]);
  const withPackage = (runtime: TestRuntime): TestRuntime => ({
    ...runtime,
    from: "npm",
    label: `${runtime.label} with the package`,
  });
  return all ? [...found, ...found.map(withPackage)] : found;
}

/** The runtimes at these paths that are supported, in the order of their versions. */
async function find(name: Name, paths: string[]): Promise<TestRuntime[]> {
  const found: TestRuntime[] = [];
  if (paths.length === 0) skipped.push(`no ${name}: none is wanted`);
  for (const path of paths) {
    const runtime = await ask(name, path);
    if (runtime === undefined) skipped.push(`no ${name} on this machine: ${path}`);
    else if (!isSupported(runtime)) skipped.push(`${runtime.label} is too old`);
    else found.push(runtime);
  }
  return found.sort((one, other) => compare(one.version, other.version));
}

function compare(one: readonly number[], other: readonly number[]): number {
  const index = one.findIndex((number, index) => number !== other[index]);
  return index === -1 ? 0 : one[index] - other[index];
}

/** Asks a runtime for its version and where it really is: what is on the PATH may be a wrapper. */
async function ask(name: Name, path: string): Promise<TestRuntime | undefined> {
  const program = `console.log(JSON.stringify([process.versions.${name}, process.execPath]))`;
  const args = name === "deno" ? ["eval", program] : ["-e", program];
  try {
    const { stdout } = await new Deno.Command(path, { args, stderr: "null" }).output();
    const [version, execPath] = JSON.parse(new TextDecoder().decode(stdout));
    return {
      name,
      version: version.split(".").map(Number),
      path: execPath,
      label: `${name} ${version}`,
      from: name === "deno" ? "source" : "npm",
    };
  } catch {
    return undefined;
  }
}

const titles = { deno: "Deno", node: "Node.js", bun: "Bun" };

/** What pages call a runtime: `Node.js 26.10.0`. */
export function getTitle({ name, version }: TestRuntime): string {
  return `${titles[name]} ${version.join(".")}`;
}

function isSupported({ name, version: [major, minor] }: TestRuntime): boolean {
  return oldest[name].some(([first, second], index, all) =>
    major === first && minor >= second || major > first && index === all.length - 1
  );
}

/** Whether a runtime is one of those that a text names: `bun`, `node 20`, `bun 1.4`. */
export function isNamed({ name, version }: TestRuntime, text: string): boolean {
  const [wanted, numbers = ""] = text.split(" ");
  const parts = numbers === "" ? [] : numbers.split(".").map(Number);
  return name === wanted && parts.every((part, index) => part === version[index]);
}
