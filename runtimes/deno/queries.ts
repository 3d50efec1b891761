// What Deno does not tell: who runs the program, what it has loaded, who has called a function. Each
// question has one function, with the versions it was measured on, and a safe answer where it cannot
// be answered: the one with which handlers run and are awaited.

import { captureCallSites, isClusterFile, isOwnFile } from "../../stack_trace.ts";
import type { Caller } from "../runtime.ts";

// Captured at import, so that later monkey-patching does not affect the module.
const { apply } = Reflect;
const { getOwnPropertyDescriptor, hasOwn } = Object;
const { console } = globalThis;

/** The part of Node's `process` that is used here. Its own types would make users download them. */
export interface NodeProcess {
  exitCode?: number | string | null | undefined;
  readonly versions?: { readonly node?: string; readonly deno?: string };
  /** Whether the `exit` event is being emitted. Not documented (2.5.7 to 2.9.6). */
  _exiting?: boolean;
  exit(code: number): void;
  reallyExit(code: number): void;
  emit(event: string, ...args: unknown[]): boolean;
  listenerCount(event: string): number;
  on(event: string, listener: () => void): void;
  rawListeners(event: string): (() => void)[];
  removeAllListeners(event: string): void;
  removeListener(event: string, listener: () => void): void;
  hasUncaughtExceptionCaptureCallback?(): boolean;
}

/** The part of `Deno` that is used here, for projects that compile without its types. */
interface DenoNamespace {
  exitCode: number;
  readonly build: { readonly os: string };
  readonly mainModule: string;
  readonly noColor: boolean;
  readonly permissions: { querySync(descriptor: { name: "run" }): { readonly state: string } };
  readonly pid: number;
  readonly stderr: { isTerminal(): boolean };
  readonly stdin: { isTerminal(): boolean; setRaw(isRaw: boolean): void };
  readonly version: { readonly deno: string };
  addSignalListener(signal: string, listener: () => void): void;
  bench(name: string, func: () => void): void;
  exit(code?: number): never;
  inspect(value: unknown, options: { colors: boolean }): string;
  kill(pid: number, signal: string): void;
  removeSignalListener(signal: string, listener: () => void): void;
  test(name: string, func: () => void): void;
  unrefTimer(id: number): void;
}

/** The global object, on Deno. */
export const denoGlobal = globalThis as typeof globalThis & { readonly Deno?: DenoNamespace };

/** Whether the console is Deno's own: replacements have no such property of their own. */
const isOwnConsole = typeof console === "object" && console !== null &&
  getOwnPropertyDescriptor(console, Symbol.toStringTag)?.value === "console";

// Since 2.9 Deno loads it when it is first looked at, which takes milliseconds: it has a getter.
const getProcess = getLazily<NodeProcess | undefined>(globalThis, "process");
const isProcessLazy = getOwnPropertyDescriptor(globalThis, "process")?.get !== undefined;

/** Whether this is Deno, and not a program for Node.js or Bun that has defined a `Deno` shim. */
export const isDeno: boolean = "Deno" in globalThis && !isNode();

/** The `Deno` namespace that was there at the import. */
export const deno: DenoNamespace = isDeno ? denoGlobal.Deno! : {} as DenoNamespace;
const { bench, permissions, test } = deno;
const { ErrorEvent } = isDeno ? globalThis : {} as typeof globalThis;
const querySync = permissions?.querySync;
const getPid = getLazily<number>(deno, "pid");

/** Whether this is a worker. */
export const isWorker = "DedicatedWorkerGlobalScope" in globalThis;

/** Whether this is a worker of `node:worker_threads`. */
export const isNodeWorker = isWorker && !("WorkerGlobalScope" in globalThis);

/** Returns a function that reads a property, without reading it now: that may load something. */
export function getLazily<T>(object: object, name: string): () => T {
  const descriptor = getOwnPropertyDescriptor(object, name);
  return () =>
    descriptor?.get === undefined ? descriptor?.value : apply(descriptor.get, object, []);
}

/**
 * Whether `deno test` or `deno bench` runs this program. They refuse a test or a benchmark without a
 * name (2.5.7 to 2.9.6), as the REPL does. Safe answer: no.
 */
export function isTestRunner(): boolean {
  return (refusesEmptyName(test) || refusesEmptyName(bench)) && !isRepl();
}

function refusesEmptyName(define: ((name: string, fn: () => void) => void) | undefined): boolean {
  if (typeof define !== "function") return false;
  try {
    define("", () => {});
    return false;
  } catch (error) {
    return error instanceof TypeError && error.message.includes("name");
  }
}

/** Whether this is the REPL, by the name of its main module (2.5.7 to 2.9.6). Safe answer: no. */
export function isRepl(): boolean {
  try {
    return deno.mainModule.includes("$deno$repl.");
  } catch {
    return false;
  }
}

/** Whether whoever runs the program handles its uncaught errors, which end nothing then. */
export function isErrorHandledByRunner(): boolean {
  return isTestRunner() || isRepl();
}

/**
 * Returns Node's `process` if anything has loaded it: otherwise nobody listens to it. Loading it gives
 * Deno's console a property (2.9; before, it is always loaded). Safe answer: it is loaded.
 */
export function getLoadedProcess(): NodeProcess | undefined {
  if (isOwnConsole && isProcessLazy && !hasOwn(console, "_stdout")) return undefined;
  try {
    const process = getProcess();
    // Some programs replace it by an object that only has an `env`.
    return typeof process?.listenerCount === "function" ? process : undefined;
  } catch {
    return undefined;
  }
}

/** Whether this is Node.js or Bun, where a program may have defined a `Deno` shim. */
function isNode(): boolean {
  if (isOwnConsole && !hasOwn(console, "_stdout")) return false;
  try {
    const versions = getProcess()?.versions;
    return versions?.node !== undefined && versions.deno === undefined;
  } catch {
    return false;
  }
}

/** Whether listeners of `process` handle a rejection that no other listener has handled. */
export function isRejectionHandledByProcess(): boolean {
  const process = getLoadedProcess();
  try {
    return process !== undefined && (process.listenerCount("unhandledRejection") > 0 ||
      process.listenerCount("uncaughtException") > 0 ||
      process.hasUncaughtExceptionCaptureCallback?.() === true); // Not before 2.9.
  } catch {
    return false; // The program has replaced what it needs.
  }
}

/**
 * Whether an event is an uncaught error that Deno dispatches, by the beginning of its message (2.5.7 to
 * 2.9.6). One that the program creates and dispatches itself ends nothing.
 */
export function isUncaughtError(event: Event): event is ErrorEvent {
  return event instanceof ErrorEvent && event.cancelable && event.target === null &&
    event.message.startsWith("Uncaught");
}

/**
 * Finds who has called a function that ends the program. Packages put functions of their own between
 * `process.exit()` and the end, so the outermost exit counts. Safe answer: nobody is named.
 */
export function findCaller(func: (...args: never[]) => unknown): Caller {
  let call = "Deno.exit()";
  let place: string | undefined;
  let byCluster = false;
  try {
    for (const site of captureCallSites(func) ?? []) {
      if (isOwnFile(site.file)) continue;
      if (!isInternal(site.file)) place ??= site.place;
      else if (site.name.endsWith("xit")) { // `process.exit`, `reallyExit`
        call = "process.exit()";
        place = undefined;
      } else if (isClusterFile(site.file)) byCluster = place === undefined;
    }
  } catch {
    // The program has replaced methods of arrays or strings.
  }
  return { call, place, byCluster };
}

/**
 * Finds out whether the program has called a function, or Deno: then a call is one of Deno's main
 * program, `ext:runtime_main`, or none is the program's (2.5.7 to 2.9.6). `undefined` if unknown.
 */
export function findCallerKind(
  func: (...args: never[]) => unknown,
): "program" | "deno" | undefined {
  try {
    const callSites = captureCallSites(func);
    if (callSites === undefined) return undefined;
    const isProgram = callSites.some(({ script }) => !isInternal(script)) &&
      !callSites.some(({ script }) => script.startsWith("ext:runtime_main/"));
    return isProgram ? "program" : "deno";
  } catch {
    return undefined; // The program has replaced methods of arrays or strings.
  }
}

/** Whether a file is Deno's or Node's, not the program's. */
function isInternal(file: string): boolean {
  return file === "" || file.startsWith("ext:") || file.startsWith("[ext:") ||
    file.startsWith("node:");
}

/**
 * Whether `Atomics.waitAsync` settles while the event loop is idle (2.7.14 and newer). It loads
 * nothing, and the timers take 3 ms to load. Safe answer: no.
 */
export function canWaitAsync(): boolean {
  return isSince(7, 14);
}

/**
 * Whether Deno prints "Uncaught null" for an error that is rethrown while it dispatches `beforeunload`
 * or `unload` at an empty event loop, unless the dispatch itself throws (before 2.7).
 */
export function printsNull(): boolean {
  return !isSince(7, 0);
}

const [major, minor, patch] = isDeno
  ? deno.version.deno.split(".").map((part) => parseInt(part))
  : [0, 0, 0];

/** Whether this is at least Deno 2 of that minor version and patch. Safe answer: no. */
function isSince(sinceMinor: number, sincePatch: number): boolean {
  if (major !== 2) return major > 2;
  return minor > sinceMinor || minor === sinceMinor && patch >= sincePatch;
}

/**
 * Whether the process may send itself the signal and dies by it.
 *
 * Only by `SIGINT` and `SIGHUP`: a `--watch`er may share the process with `SIGTERM`, and at the others
 * Deno loses telemetry. Not on Windows, where a signal to oneself is `TerminateProcess` with status 1.
 * Not as process 1, which would die by SIGSEGV (2.5.7, 2.9.6). Nobody is prompted for a permission.
 */
export function canDieBy(signal: string): boolean {
  if (signal !== "SIGINT" && signal !== "SIGHUP" || deno.build.os === "windows") return false;
  // A worker is not the process, and its permissions are not the main program's.
  return !isWorker && getPid() !== 1 &&
    apply(querySync, permissions, [{ name: "run" }]).state === "granted";
}

const unloadDispatched = Symbol.for("Deno.isUnloadDispatched");

/**
 * Whether `unload` has been dispatched, by Deno or by the program itself. Then `Deno.exit()` does not
 * dispatch it any more, by the property that it looks at (2.5.7 to 2.9.6). Safe answer: no.
 */
export function hasUnloaded(): boolean {
  return (denoGlobal as { [unloadDispatched]?: unknown })[unloadDispatched] === true;
}

/** Lets `Deno.exit()` dispatch `unload` once more, after the program has dispatched it by itself. */
export function forgetUnload(): void {
  if (hasUnloaded()) (denoGlobal as { [unloadDispatched]?: unknown })[unloadDispatched] = false;
}

/** Whether stderr is a terminal. */
export function isTerminal(): boolean {
  try {
    return deno.stderr.isTerminal();
  } catch {
    return false; // The program has closed it.
  }
}
