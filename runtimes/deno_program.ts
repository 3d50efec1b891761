// What Deno does not tell by itself: who runs this program, what it has loaded, where it was called
// from. Each question has one function, with the behaviour that answers it and a safe answer.

import { callersOf, placeIn } from "../errors.ts";
import type { AnyFunction } from "../registry.ts";

/** Of Node's `process` what is used here. Its own types would make users download `@types/node`. */
export interface NodeProcess {
  exitCode?: number | string | null;
  versions?: { node?: string; deno?: string };
  exit(code: number): void;
  reallyExit(code: number): void;
  emit(event: string, code: unknown): boolean;
  listenerCount(event: string): number;
  on(event: string, listener: () => void): void;
  prependListener(event: string, listener: () => void): void;
  removeAllListeners(event: string): void;
  hasUncaughtExceptionCaptureCallback?(): boolean;
}

const { apply } = Reflect;
const { getOwnPropertyDescriptor, hasOwn } = Object;
const { indexOf, slice, split, startsWith } = String.prototype;
const parseInt = globalThis.parseInt;
const functionToString = Function.prototype.toString;
const { console } = globalThis;

/** Whether a console that was there at the import is the runtime's own. */
const hasNativeConsole = isNative(console?.log);
const getProcess = lazy<NodeProcess | undefined>(globalThis, "process");

/**
 * Whether this is Deno. Programs on Node.js may have put something in its place: there `process` is
 * loaded, and names no version of Deno. On other runtimes this file is loaded, too, and does nothing.
 */
export const isDeno: boolean = "Deno" in globalThis && !isNode();

function isNode(): boolean {
  const versions = loadedProcess()?.versions;
  return versions?.node !== undefined && versions.deno === undefined;
}

/** What is needed later. Taken now: what the program puts in its place is its own affair. */
function takeNatives() {
  const { bench, build, permissions, test } = Deno;
  return {
    ...{ bench, build, deno: Deno, ErrorEvent: globalThis.ErrorEvent, test },
    pid: lazy<number>(Deno, "pid"),
    queryPermission: permissions.querySync.bind(permissions),
  };
}

const { bench, build, deno, ErrorEvent, pid, queryPermission, test } = isDeno
  ? takeNatives()
  : {} as ReturnType<typeof takeNatives>;

/** Whether this is a worker, and whether it is one of `node:worker_threads`. */
export const isWorker = "DedicatedWorkerGlobalScope" in globalThis;
export const isNodeWorker = isWorker && !("WorkerGlobalScope" in globalThis);

/** Remembers a property without looking at it, because that may load something. */
export function lazy<T>(object: object, name: string): () => T {
  const descriptor = getOwnPropertyDescriptor(object, name);
  return () =>
    descriptor?.get === undefined ? descriptor?.value : apply(descriptor.get, object, []);
}

/**
 * Whether `deno test` or `deno bench` runs this program. They refuse a test or a benchmark without a
 * name, and nothing else looks at it (2.0.6 to 2.9.6). Safe answer: no.
 */
export function isTestRunner(): boolean {
  const nothing = () => {};
  try {
    test("", nothing);
    bench("", nothing);
    return false;
  } catch {
    return true;
  }
}

/** Whether this is the REPL, by the name of its main module (2.0.6 to 2.9.6). Safe answer: no. */
function isRepl(): boolean {
  try {
    return apply(indexOf, deno.mainModule, ["$deno$repl."]) >= 0;
  } catch {
    return false;
  }
}

/** Whether an uncaught error ends nothing, because it is the affair of whoever runs the program. */
export function errorsEndNothing(): boolean {
  return isTestRunner() || isRepl();
}

/**
 * Node's `process`, if anything has loaded it: else nobody listens to it. Loading it gives Deno's
 * console a property (2.9; before, it is always loaded). Safe answer: it is loaded.
 */
export function loadedProcess(): NodeProcess | undefined {
  if (hasNativeConsole && !hasOwn(console, "_stdout")) return undefined;
  try {
    const process = getProcess();
    // Some programs put an object in its place that has an `env` only.
    return typeof process?.listenerCount === "function" ? process : undefined;
  } catch {
    return undefined;
  }
}

/** Whether listeners of `process` take a rejection that no other listener took. */
export function isProcessListening(): boolean {
  const process = loadedProcess();
  try {
    return process !== undefined && (process.listenerCount("unhandledRejection") > 0 ||
      process.listenerCount("uncaughtException") > 0 ||
      process.hasUncaughtExceptionCaptureCallback?.() === true); // Not before 2.9.
  } catch {
    return false; // It is not what it was.
  }
}

/** Whether an event is an error that Deno tells of: its message starts with "Uncaught" (2.0.6 to 2.9.6). */
export function isUncaughtError(event: Event): event is ErrorEvent {
  return event instanceof ErrorEvent && event.cancelable && event.target === null &&
    apply(startsWith, event.message, ["Uncaught"]);
}

/** Who ends the program, and where. */
export interface Caller {
  readonly call: string;
  readonly place: string | undefined;
}

/**
 * Who called a function that ends the program, by the stack. Packages put functions of theirs
 * between `process.exit()` and the end: so the outermost exit counts. Safe answer: nobody is named.
 */
export function callerOf(func: AnyFunction): Caller {
  let call = "Deno.exit()";
  let place: string | undefined;
  try {
    const lines = callersOf(func);
    for (let i = 1; i < lines.length; i++) {
      const next = placeIn(lines[i]);
      if (!isInternal(next)) place ??= next;
      else if (isExit(lines[i])) {
        call = "process.exit()";
        place = undefined;
      }
    }
  } catch {
    // The program has changed how stacks are made.
  }
  return { call, place };
}

/**
 * Whether the program itself has called a function, and not Deno as it ends: then none of the calls
 * is one of Deno's main program, `ext:runtime_main` (2.0.6 to 2.9.6). Safe answer: no.
 */
export function isCalledByHand(func: AnyFunction): boolean {
  let byHand = false;
  try {
    const lines = callersOf(func);
    for (let i = 1; i < lines.length; i++) {
      const place = placeIn(lines[i]);
      if (apply(startsWith, place, ["ext:runtime_main/"])) return false;
      if (!isInternal(place)) byHand = true;
    }
  } catch {
    // The program has changed how stacks are made.
  }
  return byHand;
}

/** Whether a line of a stack is that of a function of `process` that exits. */
function isExit(line: string): boolean {
  return apply(indexOf, line, ["xit ("]) >= 0;
}

/** Whether a place is in Deno or Node, not in a program. */
function isInternal(place: string): boolean {
  return apply(startsWith, place, ["ext:"]) || apply(startsWith, place, ["[ext:"]) ||
    apply(startsWith, place, ["node:"]);
}

/**
 * Whether `Atomics.waitAsync` settles while the event loop is idle (from 2.7.14 on). It costs
 * nothing, while the timers take 3 ms to load. Safe answer: no.
 */
export function waitsAsynchronously(): boolean {
  return isSince(7, 14);
}

/**
 * Whether Deno prints "Uncaught null" for an error that is raised while it dispatches `beforeunload`
 * or `unload` at a dry event loop, but not for one that the dispatch throws (before 2.7).
 */
export function printsNull(): boolean {
  return !isSince(7, 0);
}

/** Whether this is Deno 2 of that minor version and patch, or a newer one. Safe answer: no. */
function isSince(minor: number, patch: number): boolean {
  const numbers: string[] = apply(split, deno.version.deno, ["."]);
  const isMinor = +numbers[1] === minor && parseInt(numbers[2]) >= patch;
  return +numbers[0] > 2 || +numbers[0] === 2 && (+numbers[1] > minor || isMinor);
}

/**
 * Whether the process may send itself a signal and dies by it.
 *
 * Not where its default action is to stop, nor where Deno panics at it (2.9.6), nor by `SIGTERM`: a
 * `--watch`er may share the process. Process 1 would die by SIGSEGV instead.
 */
export function mayDieBy(signal: string): boolean {
  switch (signal) {
    case "SIGTERM":
    case "SIGTSTP":
    case "SIGTTIN":
    case "SIGTTOU":
    case "SIGPWR":
    case "SIGSTKFLT":
      return false;
    default:
      // A worker is not the process, and its permissions are not the main program's.
      return !isWorker && pid() !== 1 && queryPermission({ name: "run" }).state === "granted";
  }
}

/** The signals of Linux (which Windows shares where it has them) and of macOS and the BSDs, from 1. */
const signals = build?.os === "linux" || build?.os === "android" || build?.os === "windows"
  ? "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
  : "HUP INT QUIT ILL TRAP ABRT EMT FPE KILL BUS SEGV SYS PIPE ALRM TERM URG STOP TSTP CONT CHLD TTIN TTOU IO XCPU XFSZ VTALRM PROF WINCH INFO USR1 USR2";

/** Other names of signals. `SIGBREAK` has the number of `SIGTTIN`. */
const aliases: { [alias: string]: string } = {
  BREAK: "TTIN",
  IOT: "ABRT",
  POLL: "IO",
  UNUSED: "SYS",
};

/** The number of a signal. */
export function signalNumber(signal: string): number {
  const name: string = apply(slice, signal, [3]);
  const names: string[] = apply(split, signals, [" "]);
  for (let i = 0; i < names.length; i++) {
    if (names[i] === (hasOwn(aliases, name) ? aliases[name] : name)) return i + 1;
  }
  return 0;
}

/** Whether stderr is a terminal. */
export function isTerminal(): boolean {
  try {
    return deno.stderr.isTerminal();
  } catch {
    return false; // The program has closed it.
  }
}

function isNative(func: unknown): boolean {
  try {
    return apply(indexOf, apply(functionToString, func, []), ["[native code]"]) >= 0;
  } catch {
    return false;
  }
}
