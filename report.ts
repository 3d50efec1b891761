// What is said on stderr. How a value is shown, and where it is written, is handed in.

import type { ExitReporter, Interruption, Output } from "./runtimes/runtime.ts";
import { removeOwnFrames } from "./stack_trace.ts";

// Captured at import, so that later monkey-patching does not affect the module.
const functionToString = Function.prototype.toString;
const { apply } = Reflect;

/** A handler, for its name. */
export interface ReportedHandler {
  /** What was registered: a function or a resource. */
  readonly handler: object;
  /** The function that is called. */
  readonly func: (...args: never[]) => unknown;
}

/** Why the program is ending, as far as reports show it. */
type ReportedCause =
  | { readonly kind: "finished" | "close" | "unload" | "exit" }
  | { readonly kind: "error"; readonly error: unknown }
  | { readonly kind: "signal"; readonly signal: string };

/** Writes reports. Never throws, whatever it is given. */
export class Reporter implements ExitReporter {
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  /** A handler has raised an exception. */
  exception(handler: ReportedHandler, error: unknown): void {
    this.#report(`Exception in atexit handler ${getName(handler)}`, ":", error);
  }

  /** A synchronous handler has returned a promise. */
  returnedPromise(handler: ReportedHandler, promise: unknown): void {
    this.#report(
      `The promise of atexit handler ${getName(handler)} is not awaited`,
      ": register the handler with registerAsync()",
      promise,
    );
  }

  /** The program's end does not wait for an asynchronous handler. */
  unawaited(handler: ReportedHandler, promise: unknown, interruption: Interruption): void {
    const text = describeInterruption(interruption);
    this.#report(`Cannot await atexit handler ${getName(handler)}`, `: ${text}`, promise);
  }

  /** A handler has been awaited for a long time. */
  slow(
    handler: ReportedHandler,
    milliseconds: number,
    waiting: number,
    cause: ReportedCause,
  ): void {
    const head = `Still awaiting atexit handler ${getName(handler)}`;
    const others = waiting === 0
      ? ""
      : waiting === 1
      ? "; 1 more handler is waiting"
      : `; ${waiting} more handlers are waiting`;
    const line = ` after ${milliseconds / 1_000} s${others}. The program is ending because ` +
      `${describeCause(cause)}. Set a limit with setGracePeriod(), or with the timeout of exit() ` +
      `or exitOnSignals()`;
    if (cause.kind === "error") this.#report(head, `${line}. The error:`, cause.error);
    else this.#write(() => this.#output.highlight(head) + line);
  }

  uncaught(error: unknown): void {
    this.#report("Uncaught error", ":", error);
  }

  exitListener(error: unknown): void {
    this.#report("Exception in an exit listener of process", ":", error);
  }

  /** The text of a `SystemExit`. */
  text(text: string): void {
    this.#write(() => text);
  }

  #report(head: string, line: string, value: unknown): void {
    this.#write(() => `${this.#output.highlight(head)}${line}\n${this.#show(value)}`);
  }

  #show(value: unknown): string {
    let shown;
    try {
      shown = this.#output.inspect(value);
    } catch {
      return "(a value that cannot be shown: inspecting it throws)";
    }
    try {
      return removeOwnFrames(shown);
    } catch {
      return shown; // The program has replaced a method of strings.
    }
  }

  #write(getText: () => string): void {
    try {
      this.#output.write(getText());
    } catch {
      // stderr is closed. There is nowhere left to report to.
    }
  }
}

/** Says why a handler is not awaited, and what helps. */
function describeInterruption(interruption: Interruption): string {
  switch (interruption.kind) {
    case "exit": {
      const { call, place, byCluster } = interruption;
      const override =
        "Call overrideExit() from @atexit/atexit in the application to make such exits await handlers";
      if (byCluster) {
        return `${call} was called by node:cluster, because the primary has disconnected. ${override}`;
      }
      const packageName = findPackage(place);
      if (packageName !== undefined) {
        return `${call} was called by the package ${packageName}, at ${place}. ${override}`;
      }
      const where = place === undefined ? "" : ` at ${place}`;
      return `${call} was called${where}. Use exit() from @atexit/atexit instead, which awaits handlers`;
    }
    case "signal":
      return `a second ${interruption.signal} arrived. ` +
        `Press Ctrl-C only once to let the handlers finish`;
    case "timeout":
      return `the time limit of ${interruption.limit} ms has passed. ` +
        `Set a longer timeout or grace period`;
    case "unload":
      return "the program is unloading, which cannot be delayed. " +
        "Use register() with a synchronous function instead";
  }
}

/** Says why the program is ending. */
function describeCause(cause: ReportedCause): string {
  switch (cause.kind) {
    case "error":
      return "of an uncaught error";
    case "signal":
      return `of ${cause.signal}`;
    case "finished":
      return "nothing is left to do";
    default:
      return "an exit was requested";
  }
}

/** Returns the name of the package that a place is in, if it is in one of npm's or JSR's. */
function findPackage(place: string | undefined): string | undefined {
  if (place === undefined) return undefined;
  const path = place.replaceAll("\\", "/");
  const found = path.match(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//) ??
    path.match(/\/npm\/[^/]+\/((?:@[^/]+\/)?[^/]+)\/\d/) ??
    path.match(/jsr\.io\/(@[^/]+\/[^/]+)\//);
  return found?.[1];
}

/** Returns the handler's name, or else the beginning of its source. */
function getName({ handler, func }: ReportedHandler): string {
  try {
    const { name } = func as { name: unknown };
    if (typeof handler === "object") {
      // Node.js 20 has symbols of its own: `[nodejs.dispose]`. Some packages assign a named function.
      const method = String(name).replace("[nodejs.", "[Symbol.").replace(/^(?=[^[])/, ".");
      return toOneLine(`${getClassName(handler)}${method}()`);
    }
    if (typeof name === "string" && name !== "") return toOneLine(name);
    return `(anonymous) ${toOneLine(apply(functionToString, func, []))}`;
  } catch {
    return "(anonymous)";
  }
}

function getClassName(resource: object): string {
  const { name } = resource.constructor;
  return typeof name === "string" && name !== "" ? name : "(anonymous)";
}

/** Shortens a text to 60 characters, without control characters. */
function toOneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  const line = text.replace(/[\s\x00-\x1f\x7f-\x9f]+/g, " ");
  return line.length > 60 ? `${line.slice(0, 59)}\u2026` : line;
}
