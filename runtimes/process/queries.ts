// What Node.js and Bun do not tell: who runs the program, who has called a function. Each question has
// one function, with the versions it was measured on, and a safe answer where it cannot be answered:
// the one with which handlers run and are awaited.

import { type CallSite, captureCallSites, isClusterFile, isOwnFile } from "../../stack_trace.ts";
import type { Caller } from "../runtime.ts";
import type { AnyFunction, GetBuiltinModule, Process } from "./natives.ts";

/** Finds out who has called a function. Safe answer: nobody is named. */
export function findCaller(func: AnyFunction): Omit<Caller, "call"> {
  try {
    const callSites = captureCallSites(func)?.filter(({ file }) => !isOwnFile(file)) ?? [];
    return {
      place: callSites.find(({ file }) => !isInternal(file))?.place,
      byCluster: callSites.length > 0 && isClusterFile(callSites[0].file),
    };
  } catch {
    return { place: undefined }; // The program has replaced methods of arrays or strings.
  }
}

/**
 * Whether the `exit` event is emitted by a call of the runtime's own `exit()`, and not because the
 * event loop is empty: then the nearest call of the runtime is `exit` (Node.js 20.16 to 26.10, Bun
 * 1.4.0 to 1.4.5). `undefined` if the program does not let stacks be captured.
 */
export function isCalledByExit(listener: AnyFunction): boolean | undefined {
  return captureCallSites(listener)?.some(({ name, file }) => name === "exit" && isInternal(file));
}

/**
 * Whether a call is one of the runtime: `node:internal/timers`, or on Bun `internal:cluster/child`,
 * `[native code]` and `[unknown]`.
 */
function isInternal(file: CallSite["file"]): boolean {
  return file === "" || file.startsWith("node:") || file.startsWith("internal:") ||
    file === "[native code]" || file === "[unknown]";
}

/**
 * Whether `node:test` is loaded in this process (Node.js 20.16 to 26.10, also without `--test`).
 * Programs that tests start inherit `NODE_TEST_CONTEXT`, but not this. Safe answer: no.
 */
export function isNodeTest({ moduleLoadList }: Process): boolean {
  return moduleLoadList?.includes?.("NativeModule internal/test_runner/harness") === true;
}

/**
 * Whether `bun test` runs this program: elsewhere `afterAll()` throws (Bun 1.4.0 to 1.4.5). Programs
 * that tests start inherit `NODE_ENV`, but not this. Safe answer: no.
 */
export function isBunTest(getBuiltinModule: GetBuiltinModule): boolean {
  try {
    getBuiltinModule("bun:test").afterAll(() => {});
    return true;
  } catch {
    return false;
  }
}

/** Whether Vitest runs this program: it defines this global (5.1.2, threads and forks). Safe answer: no. */
export function isVitest(): boolean {
  return "__vitest_worker__" in globalThis;
}

/** Whether Jest runs this program: it defines this global (30.5.2). Safe answer: no. */
export function isJest(): boolean {
  return Symbol.for("jest-native-promise") in globalThis;
}
