// Which tests this system cannot run, and why.

import { isInstalled } from "./program.ts";

const windows = Deno.build.os === "windows";
const reasons = new Set<string>();

/**
 * Returns the condition, for the option `ignore` of tests. If it is true, the output of the file has
 * a line that gives the reason.
 */
export function skipIf(condition: boolean, reason: string): boolean {
  if (condition && !reasons.has(reason)) {
    reasons.add(reason);
    Deno.test({ name: `skipped: ${reason}`, ignore: true, fn() {} });
  }
  return condition;
}

/** Whether no test can send a signal, or start a program by a shell. */
export function withoutSignals(): boolean {
  return skipIf(windows, "Windows has no signals that a test can send, and no sh");
}

/** Whether there is no Python, which compares with its own atexit. */
export async function withoutPython(): Promise<boolean> {
  return skipIf(!await isInstalled("python3"), "python3 is not installed");
}

/** Whether no program can be run in a terminal. Python makes the terminals. */
export async function withoutTerminals(): Promise<boolean> {
  return withoutSignals() || await withoutPython();
}
