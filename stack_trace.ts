// Places in stacks: who called a function, and which frames are the module's own.

/** The call sites of V8 and JavaScriptCore, as far as they are used here. */
interface NativeCallSite {
  getFunctionName(): string | null | undefined;
  getFileName(): string | null | undefined;
  getScriptNameOrSourceURL?(): string | null | undefined;
  getLineNumber(): number | null | undefined;
  getColumnNumber(): number | null | undefined;
}

/** A function call on the stack. Everything is looked up when it is read, since that takes time. */
export class CallSite {
  readonly #native: NativeCallSite;

  constructor(native: NativeCallSite) {
    this.#native = native;
  }

  /** The name of the function, if it has one. */
  get name(): string {
    return this.#native.getFunctionName() ?? "";
  }

  /** The file of the call: a URL, or a path. Empty if there is none. */
  get file(): string {
    return this.#native.getFileName() ?? this.#native.getScriptNameOrSourceURL?.() ?? "";
  }

  /** The file that is executed, a URL. `file` may be the one that it was made from, by its source map. */
  get script(): string {
    return this.#native.getScriptNameOrSourceURL?.() ?? this.#native.getFileName() ?? "";
  }

  /** The file, line and column, as in a stack trace. */
  get place(): string {
    const native = this.#native;
    return `${this.file}:${native.getLineNumber() ?? 0}:${native.getColumnNumber() ?? 0}`;
  }
}

/** `Error` as V8 and JavaScriptCore extend it. The libraries of TypeScript do not all have it. */
interface NativeErrorConstructor {
  captureStackTrace?(target: object, above?: (...args: never[]) => unknown): void;
  prepareStackTrace?: unknown;
  stackTraceLimit?: unknown;
}

// Captured at import, so that later monkey-patching does not affect the module.
const NativeError = Error as unknown as NativeErrorConstructor;
const { captureStackTrace } = NativeError;
const { hasOwn } = Object;
const { decodeURIComponent } = globalThis;

/** The frames that are captured: packages may put many between an exit and its caller. */
const STACK_DEPTH = 100;

/**
 * Returns the calls on the stack, from the caller of `func` on; `undefined` if the program does not
 * let stacks be captured. Structured call sites, because the program may format stacks in any way.
 */
export function captureCallSites(func: (...args: never[]) => unknown): CallSite[] | undefined {
  if (captureStackTrace === undefined) return undefined;
  let captured: readonly NativeCallSite[] | undefined;
  const { prepareStackTrace, stackTraceLimit } = NativeError;
  const hadPrepare = hasOwn(NativeError, "prepareStackTrace");
  try {
    NativeError.stackTraceLimit = STACK_DEPTH;
    NativeError.prepareStackTrace = (_: unknown, sites: readonly NativeCallSite[]) => {
      captured = sites;
    };
    const holder: { stack?: unknown } = {};
    captureStackTrace(holder, func);
    void holder.stack; // V8 formats a stack when it is first read, Bun when it is captured.
  } catch {
    return undefined; // A frozen `Error`.
  } finally {
    restore(() => NativeError.stackTraceLimit = stackTraceLimit);
    restore(() => {
      if (hadPrepare) NativeError.prepareStackTrace = prepareStackTrace;
      else delete NativeError.prepareStackTrace;
    });
  }
  if (captured === undefined) return undefined;
  const callSites: CallSite[] = [];
  for (let i = 0; i < captured.length; i++) callSites[i] = new CallSite(captured[i]);
  return callSites;
}

function restore(assign: () => void): void {
  try {
    assign();
  } catch {
    // A frozen `Error`: nothing was changed.
  }
}

/** Removes the stack of an error of the module's own: it has no frame of the program. */
export function clearStack<T>(error: T): T {
  return hideFrames(error, () => {});
}

/** Lets the stack of an error begin with the caller of a function. */
export function hideFrames<T>(error: T, func: (...args: never[]) => unknown): T {
  try {
    captureStackTrace?.(error as object, func);
  } catch {
    // A frozen `Error`.
  }
  return error;
}

// ------------------------------------------------------------------------------------- own frames

/** The folder of this module's files, if it has been looked up. */
let home: { readonly path: string | undefined } | undefined;

/**
 * Removes the module's own frames from the stacks in a text: they tell its users nothing.
 *
 * The module's frames are those of its own files beside this one and in `runtimes/`.
 */
export function removeOwnFrames(text: string): string {
  const path = getHome();
  const plain = toPlainPaths(removeColors(text));
  if (path === undefined || !plain.includes(path)) return text;
  const plainLines = plain.split("\n");
  let shown = "";
  let isFirst = true;
  for (const [i, line] of text.split("\n").entries()) {
    const isOwn = isOwnFrame(plainLines[i], path) || isSharedFrameCount(plainLines[i]);
    if (isOwn) shown += line.endsWith(" {") ? " {" : ""; // Properties of the error follow.
    else shown += isFirst ? line : `\n${line}`;
    isFirst = false;
  }
  return shown;
}

/** Whether a file of a call is that of `node:cluster` in a worker (Deno 2.9.6, Node.js 20 to 26, Bun 1.4). */
export function isClusterFile(file: string): boolean {
  return /\binternal[:/]cluster\/child/.test(file);
}

/** Whether a file of a call is the module's own. */
export function isOwnFile(file: string): boolean {
  const path = getHome();
  return path !== undefined && isOwnPath(toPlainPaths(file), path);
}

function getHome(): string | undefined {
  home ??= { path: findHome() };
  return home.path;
}

/**
 * Finds the folder of this module's files. `undefined` if the module is bundled into a program. Derived
 * from a stack, because `import.meta` is a syntax error in CommonJS bundles.
 */
function findHome(): string | undefined {
  const file = captureOwnFile();
  if (file === undefined) return undefined;
  const path = toPlainPaths(file);
  const end = path.lastIndexOf("/stack_trace.");
  return end < 0 ? undefined : path.slice(0, end + 1);
}

function captureOwnFile(): string | undefined {
  let callSites: CallSite[] | undefined;
  // Not `() => captureCallSites(callee)`: Bun's tail call leaves no frame of `callee` on the stack.
  const callee = () => {
    callSites = captureCallSites(callee);
  };
  callee();
  return callSites?.[0]?.file;
}

/**
 * Writes Windows paths and `file:` URLs as plain paths with slashes, so that they can be compared. In
 * lower case: where the system ignores case, Deno may show a path in the case of an earlier run.
 */
function toPlainPaths(text: string): string {
  // Not the line breaks: the text is compared line by line.
  const encoded = /(?:%(?!0[AD])[\dA-F]{2})+/gi;
  return text
    .replaceAll("\\", "/").replaceAll("file:///", "/").replaceAll("file://", "//")
    .replace(/\/([a-z]:\/)/gi, "$1").replace(encoded, decode).toLowerCase();
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded; // No UTF-8.
  }
}

/** Removes the codes of colors, which may stand in the middle of a place. */
function removeColors(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b\[\d+m/g, "");
}

/** Whether this is Node's "... N lines matching cause stack trace ..." line: most are the module's. */
function isSharedFrameCount(line: string): boolean {
  return line.includes(" lines matching cause stack trace");
}

function isOwnFrame(line: string, path: string): boolean {
  const start = line.indexOf(path);
  return start >= 0 && line.includes("    at ") && isOwnPath(line.slice(start), path);
}

/** Whether a text begins with the path of a file of the module: its folder may be a program's, too. */
function isOwnPath(text: string, path: string): boolean {
  const ownFile =
    /^(deadline|disposable|errors|exit|guard|lifecycle|mod|realm|register|registry|report|runtimes\/[\w/]+|shutdown|signal_listeners|signals|stack_trace)\.[jt]s\b/;
  return text.startsWith(path) && ownFile.test(text.slice(path.length));
}
