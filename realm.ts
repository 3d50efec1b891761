// What all copies of the module in a realm share, and which runtime this is.

import { type CoverOptions, type ExitReason, Lifecycle } from "./lifecycle.ts";
import type { AnyFunction, Call } from "./registry.ts";
import { DenoRuntime, isDeno } from "./runtimes/deno.ts";
import { NodeRuntime } from "./runtimes/node.ts";

// Deno 2.9 reads a file twice that is the first to import some other. So the larger ones are not.
import "./registry.ts";

/** The place where copies find each other. It never changes. */
const key = Symbol.for("@atexit/atexit");

/** The version of this copy, for error messages. */
export const version = "0.1.0";

/**
 * What copies share: methods that take options objects. A later protocol may add methods and
 * options, and takes none away.
 */
export interface Realm {
  /** The number of methods and options that this realm knows has grown so many times. */
  readonly protocol: number;
  /** The version of the copy that made it. */
  readonly version: string;
  register(func: AnyFunction, call?: Call): void;
  unregister(func: AnyFunction): void;
  exit(options: { code?: number | undefined; timeout?: number | undefined }): Promise<never>;
  exitOnSignals(options: Partial<CoverOptions>): () => void;
  exitReason(): ExitReason | undefined;
  setGracePeriod(options: { milliseconds: number | undefined }): void;
}

/** The protocol that this copy speaks. */
const protocol = 1;

/** The realm of the copy that came first. */
export const realm: Realm = find() ?? install();

function find(): Realm | undefined {
  const found = (globalThis as { [key]?: unknown })[key];
  if (found === undefined) return undefined;
  if (!isRealm(found)) {
    throw new TypeError(
      'Cannot load @atexit/atexit: globalThis[Symbol.for("@atexit/atexit")] is in use by something else',
    );
  }
  return found.protocol >= protocol ? found : complete(found);
}

function isRealm(found: unknown): found is Realm {
  return typeof found === "object" && found !== null &&
    "protocol" in found && typeof found.protocol === "number" &&
    "version" in found && typeof found.version === "string" &&
    "register" in found && typeof found.register === "function";
}

/** An older realm, with methods that it lacks and that say so. */
function complete(older: Realm): Realm {
  const lacks = (name: string) => (): never => {
    throw new Error(
      `Cannot call ${name}(): @atexit/atexit ${older.version} was loaded first and does not have it, ` +
        `version ${version} does: update the older one`,
    );
  };
  const completed: { [name: string]: unknown } = {
    protocol: older.protocol,
    version: older.version,
  };
  for (
    const name of [
      "register",
      "unregister",
      "exit",
      "exitOnSignals",
      "exitReason",
      "setGracePeriod",
    ] as const
  ) {
    completed[name] = typeof older[name] === "function" ? older[name].bind(older) : lacks(name);
  }
  return completed as unknown as Realm;
}

function install(): Realm {
  const runtime = isDeno ? new DenoRuntime() : new NodeRuntime();
  const lifecycle = new Lifecycle(runtime);
  runtime.install(lifecycle);
  const realm: Realm = {
    protocol,
    version,
    register: (func, call) => lifecycle.register(func, call),
    unregister: (func) => lifecycle.unregister(func),
    exit: ({ code, timeout }) => lifecycle.exit(code, timeout),
    exitOnSignals: ({ signals = runtime.defaultSignals, timeout }) =>
      lifecycle.exitOnSignals({ signals, timeout }),
    exitReason: () => lifecycle.exitReason(),
    setGracePeriod: ({ milliseconds }) => lifecycle.setGracePeriod(milliseconds),
  };
  Object.defineProperty(globalThis, key, { value: realm });
  return realm;
}
