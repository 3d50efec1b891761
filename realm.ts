// What all copies of the module in a realm share, and which runtime this is.

import { Lifecycle } from "./lifecycle.ts";
import type { Entry } from "./registry.ts";
import { BrowserRuntime } from "./runtimes/browser.ts";
import { DenoRuntime, isDeno } from "./runtimes/deno/deno.ts";
import { BunRuntime } from "./runtimes/process/bun.ts";
import { findProcess } from "./runtimes/process/natives.ts";
import { NodeRuntime } from "./runtimes/process/node.ts";
import type { Runtime } from "./runtimes/runtime.ts";
import type { ExitReason } from "./shutdown.ts";
import type { SignalRequest } from "./signal_listeners.ts";

/** The place where copies find each other. It never changes. */
const key = Symbol.for("@atexit/atexit");

/** The version of this copy, for error messages. */
export const version = "0.1.0";

/**
 * What copies share: methods that take options objects. Later versions may add methods and options,
 * and remove none.
 */
export interface Realm {
  /** The version of the copy that created it. */
  readonly version: string;
  /** The options that each method knows. */
  readonly options: { readonly [method: string]: readonly string[] };
  register(options: Entry): void;
  unregister(options: { readonly handler: unknown }): void;
  exit(
    options: { readonly code?: number | undefined; readonly timeout?: number | undefined },
  ): never;
  exitOnSignals(options: SignalRequest): () => void;
  overrideExit(options: { readonly timeout?: number | undefined }): () => void;
  exitReason(options: object): ExitReason | undefined;
  setGracePeriod(options: { readonly milliseconds: number | undefined }): void;
}

/** The methods of this version, and the options that each knows. */
const known = {
  register: ["handler", "func", "args", "self", "awaited", "funcSync"],
  unregister: ["handler"],
  exit: ["code", "timeout"],
  exitOnSignals: ["signals", "timeout"],
  overrideExit: ["timeout"],
  exitReason: [],
  setGracePeriod: ["milliseconds"],
} as const;

type Method = keyof typeof known;

/** The realm of the copy that was loaded first. */
export const realm: Realm = find() ?? install();

function find(): Realm | undefined {
  const found = (globalThis as { [key]?: unknown })[key];
  if (found === undefined) return undefined;
  if (!isRealm(found)) {
    throw new TypeError(
      'Cannot load @atexit/atexit: globalThis[Symbol.for("@atexit/atexit")] is in use by something else',
    );
  }
  return found.version === version ? found : checkCalls(found);
}

function isRealm(found: unknown): found is Realm {
  return typeof found === "object" && found !== null &&
    "version" in found && typeof found.version === "string" &&
    "options" in found && typeof found.options === "object" && found.options !== null &&
    "register" in found && typeof found.register === "function";
}

/** Wraps the realm of another version: what it does not know throws, instead of being dropped. */
function checkCalls(found: Realm): Realm {
  const checked: { [method: string]: unknown } = { version: found.version, options: found.options };
  for (const method of Object.keys(known) as Method[]) {
    checked[method] = (options: { readonly [option: string]: unknown }): unknown => {
      const knownOptions = found.options[method];
      if (knownOptions === undefined) throw createUnknownError(found, `${method}()`);
      for (const option of Object.keys(options)) {
        if (options[option] !== undefined && !knownOptions.includes(option)) {
          throw createUnknownError(found, `the option ${option} of ${method}()`);
        }
      }
      return (found[method] as (options: unknown) => unknown)(options);
    };
  }
  return checked as unknown as Realm;
}

function createUnknownError(found: Realm, what: string): Error {
  return new Error(
    `Cannot use ${what}: @atexit/atexit ${found.version} was loaded first and does not have it, ` +
      `but version ${version} does. Update the older one`,
  );
}

function install(): Realm {
  const runtime = createRuntime();
  const lifecycle = new Lifecycle(runtime);
  runtime.install(lifecycle);
  const realm: Realm = {
    version,
    options: known,
    register: (entry) => lifecycle.register(entry),
    unregister: ({ handler }) => lifecycle.unregister(handler),
    exit: ({ code, timeout }) => lifecycle.exit(code, timeout),
    exitOnSignals: (request) => lifecycle.exitOnSignals(request),
    overrideExit: ({ timeout }) => lifecycle.overrideExit(timeout),
    exitReason: () => lifecycle.exitReason(),
    setGracePeriod: ({ milliseconds }) => lifecycle.setGracePeriod(milliseconds),
  };
  Object.defineProperty(globalThis, key, { value: realm });
  return realm;
}

function createRuntime(): Runtime {
  if (isDeno) return new DenoRuntime();
  const process = findProcess();
  if (process === undefined) return new BrowserRuntime();
  return process.versions.bun === undefined ? new NodeRuntime(process) : new BunRuntime(process);
}
