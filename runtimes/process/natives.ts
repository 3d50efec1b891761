// What is used of Node.js and Bun, as they were when the module was loaded.

export type AnyFunction = (...args: never[]) => unknown;

/** A stream of the process that can be written to. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly writableLength?: number;
  /** The stream of libuv. Not documented. */
  readonly _handle?: { readonly writeQueueSize?: number } | null;
  hasColors?(): boolean;
  on(event: "error", listener: () => void): void;
  removeListener(event: "error", listener: () => void): void;
  write(text: string, callback: (error?: unknown) => void): void;
}

/** The part of `process` that is used here. Its own types would make users download `@types/node`. */
export interface Process {
  exitCode: number | string | null | undefined;
  readonly moduleLoadList?: readonly string[];
  readonly pid: number;
  readonly platform: string;
  readonly stderr: OutputStream;
  readonly stdin: { readonly isRaw?: boolean; setRawMode(isRaw: boolean): void };
  readonly stdout: OutputStream;
  readonly versions: { readonly bun?: string; readonly node?: string };
  /** Whether the runtime emits `exit`, or has emitted it. Not documented. */
  _exiting?: boolean;
  emit(event: string, ...args: unknown[]): boolean;
  exit(code?: unknown): void;
  getActiveResourcesInfo(): string[];
  getBuiltinModule?: GetBuiltinModule;
  hasUncaughtExceptionCaptureCallback(): boolean;
  kill(pid: number, signal: string): void;
  listenerCount(event: string): number;
  listeners(event: string): AnyFunction[];
  on(event: string, listener: AnyFunction): void;
  prependListener(event: string, listener: AnyFunction): void;
  reallyExit(code?: unknown): void;
  removeAllListeners(event: string): void;
  removeListener(event: string, listener: AnyFunction): void;
  setUncaughtExceptionCaptureCallback(callback: ((error: unknown) => void) | null): void;
  uptime(): number;
}

/** Returns a module of the runtime without importing it, which other runtimes cannot do. */
export interface GetBuiltinModule {
  (name: "node:fs"): {
    fstatSync(descriptor: number): { isFIFO(): boolean; isSocket(): boolean };
    readFileSync(path: string, encoding: "latin1"): string;
  };
  (name: "node:os"): { readonly constants: { signals: { [signal: string]: number } } };
  (name: "node:tty"): { isatty(descriptor: number): boolean };
  (name: "node:util"): { inspect(value: unknown, options: object): string };
  (name: "node:worker_threads"): { readonly isMainThread: boolean };
  (name: "bun:test"): { afterAll(callback: () => void): void };
}

interface Timer {
  unref?(): void;
}

/** The globals of the runtime. */
interface Globals {
  readonly setImmediate: (callback: () => void) => Timer;
  readonly setInterval: (callback: () => void, delay: number) => Timer;
  readonly setTimeout: (callback: () => void, delay: number) => Timer;
  readonly clearInterval: (timer: Timer) => void;
  readonly clearTimeout: (timer: Timer) => void;
  readonly queueMicrotask: (callback: () => void) => void;
  /** Bun only. */
  readonly reportError?: (error: unknown) => void;
  /** Bun only. */
  readonly Bun?: { readonly peek: { status(promise: unknown): string } };
}

/** Captured when a runtime is created: later monkey-patching does not affect the module. */
export interface Natives extends Globals {
  readonly getBuiltinModule: GetBuiltinModule;
  readonly reportError: (error: unknown) => void;
  readonly writeError: ((text: string) => void) | undefined;
}

/** Returns the natives. Throws if the runtime is too old. */
export function captureNatives({ getBuiltinModule }: Process): Natives {
  if (getBuiltinModule === undefined) {
    throw new Error(
      "Cannot load @atexit/atexit: expected Node.js 20.16, 22.3 or newer, or Bun 1.4 or newer",
    );
  }
  const {
    setImmediate,
    setInterval,
    setTimeout,
    clearInterval,
    clearTimeout,
    queueMicrotask,
    reportError = () => {},
    console,
    Bun,
  } = globalThis as unknown as Globals & { console?: { error?: (text: string) => void } };
  return {
    getBuiltinModule,
    setImmediate,
    setInterval,
    setTimeout,
    clearInterval,
    clearTimeout,
    queueMicrotask,
    reportError,
    writeError: console?.error,
    ...Bun === undefined ? {} : { Bun },
  };
}

/** Returns `process` if this is Node.js, or something that behaves like it. */
export function findProcess(): Process | undefined {
  const { process } = globalThis as object as { process?: Partial<Process> };
  const isProcess = typeof process?.emit === "function" && process.versions?.node !== undefined;
  return isProcess ? process as Process : undefined;
}
