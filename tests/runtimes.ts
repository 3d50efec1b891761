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
}

export type Name = "deno" | "node" | "bun";

/**
 * The oldest versions that run portable programs: of each major version, where it is not all of them.
 * What older versions of Deno do is the matter of the other tests: their `process` is not yet like the
 * one of Node.js.
 */
const oldest: Record<Name, number[][]> = {
  deno: [[2, 9]],
  node: [[20, 16], [22, 3], [23, 0]],
  bun: [[1, 4]],
};

/** What there is to say about each runtime that is not here. */
export const skipped: string[] = [];

/**
 * The Deno that tests start programs with, and each Node.js and Bun that `ATEXIT_TEST_NODE` and
 * `ATEXIT_TEST_BUN` name (paths, between them what stands between those of `PATH`). Default: those
 * on the `PATH`, if they are new enough.
 */
export const runtimes: TestRuntime[] = [
  ...await find("deno", [deno]),
  ...await find("node", pathsOf("ATEXIT_TEST_NODE") ?? ["node"]),
  ...await find("bun", pathsOf("ATEXIT_TEST_BUN") ?? ["bun"]),
];

/** The Deno that tests start programs with, old or new. */
export const thisDeno: TestRuntime = (await ask("deno", deno))!;

/** Those that are not Deno. */
export const others: TestRuntime[] = runtimes.filter(({ name }) => name !== "deno");

function pathsOf(variable: string): string[] | undefined {
  const separator = Deno.build.os === "windows" ? ";" : ":";
  return Deno.env.get(variable)?.split(separator).filter((path) => path !== "");
}

async function find(name: Name, paths: string[]): Promise<TestRuntime[]> {
  const found: TestRuntime[] = [];
  if (paths.length === 0) skipped.push(`no ${name}: none is wanted`);
  for (const path of paths) {
    const runtime = await ask(name, path);
    if (runtime === undefined) skipped.push(`no ${name} on this machine: ${path}`);
    else if (!isSupported(runtime)) skipped.push(`${runtime.label} is too old`);
    else found.push(runtime);
  }
  return found;
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
    };
  } catch {
    return undefined;
  }
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
