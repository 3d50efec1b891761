// The tests of the module: wall time and CPU time of the tasks that run them.

import { fileURLToPath } from "node:url";
import { getTitle, named } from "../tests/runtimes.ts";
import { temporary } from "./measure.ts";
import { type Section, show, table } from "./tables.ts";

/** Runs each task once, however small the share. */
export async function measureTests(): Promise<Section> {
  const rows: string[][] = [];
  for (const task of ["test", "test:all"]) rows.push(await measureTask(task));
  return {
    title: "Tests",
    targets: [],
    tables: [
      `Seconds, one run each. Named runtimes: ${named.map(getTitle).join(", ")}.`,
      table(["", "wall time", "CPU time", "passed", "failed", "ignored"], rows),
    ],
  };
}

async function measureTask(task: string): Promise<string[]> {
  const times = `${temporary}/times`;
  const { stdout } = await new Deno.Command("env", {
    args: ["time", "-q", "-o", times, "-f", "%e %U %S", Deno.execPath(), "task", "--quiet", task],
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { NO_COLOR: "1" },
    stderr: "null",
  }).output();
  const [wall, user, system] = (await Deno.readTextFile(times)).trim().split(" ").map(Number);
  const { passed, failed, ignored } = parseSummary(new TextDecoder().decode(stdout));
  return [`\`deno task ${task}\``, show(wall), show(user + system), passed, failed, ignored];
}

/** Reads `ok | 512 passed (3 steps) | 0 failed | 4 ignored (2m10s)`, the last line of `deno test`. */
function parseSummary(output: string): Record<"passed" | "failed" | "ignored", string> {
  const summary = output.match(/^(?:ok|FAILED) \| .*$/gm)?.at(-1);
  if (summary === undefined) throw new Error(`No tests have run:\n${output}`);
  const find = (word: string) => summary.match(`(\\d+) ${word}`)?.[1] ?? "0";
  return { passed: find("passed"), failed: find("failed"), ignored: find("ignored") };
}
