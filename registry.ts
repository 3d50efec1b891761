// The handlers of a realm as a stack, and the run that takes them off it. Knows nothing about exit
// codes or reports; it notifies its host.

/** Any function. */
export type AnyFunction = (...args: never[]) => unknown;

/** A registered handler. */
export interface Entry {
  /** What was registered, and what `unregister()` is given: a function or a resource. */
  readonly handler: object;
  /** The function that is called. */
  readonly func: AnyFunction;
  readonly args: readonly unknown[];
  /** The `this` of the call. */
  readonly self: unknown;
  /** Whether a graceful run awaits the promise that the function returns. */
  readonly awaited: boolean;
  /** Called in place of `func` where nothing can be awaited: a resource's `[Symbol.dispose]()`. */
  readonly funcSync?: AnyFunction | undefined;
}

// Captured at import, so that later monkey-patching does not affect the module.
const { apply, getPrototypeOf } = Reflect;
// Not `Promise.prototype`: a package may have replaced `Promise` (zone.js, bluebird).
const { then } = getPrototypeOf((async () => {})()) as Promise<unknown>;

/** A `Map` that keeps working if the program replaces methods of `Map.prototype`. */
class SafeMap<K, V> extends Map<K, V> {}
Object.defineProperties(SafeMap.prototype, Object.getOwnPropertyDescriptors(Map.prototype));

/** A place in the list. Only the end of the list has no entry. */
class Link {
  readonly entry: Entry | undefined;
  below: Link = this;
  above: Link = this;
  /** The previous registration of the same handler. Not set until there is an index. */
  older: Link | undefined = undefined;

  constructor(entry?: Entry) {
    this.entry = entry;
  }
}

/**
 * The handlers of a realm, in a doubly linked list, so that removing one leaves no hole.
 *
 * The list is a ring: below its end is the handler on top, above its end the one at the bottom.
 */
export class Stack {
  readonly #end = new Link();
  #size = 0;
  #asynchronous = 0;
  /**
   * The newest link of each handler. Built by the first `remove()` and kept up to date from then on:
   * a program that never removes a handler does not pay for it.
   */
  #index: Map<unknown, Link> | undefined;

  /** Number of entries. */
  get size(): number {
    return this.#size;
  }

  /** Number of entries that a graceful run awaits. */
  get asynchronous(): number {
    return this.#asynchronous;
  }

  /** Puts an entry on top. */
  push(entry: Entry): void {
    const link = new Link(entry);
    link.below = this.#end.below;
    link.above = this.#end;
    link.below.above = link;
    link.above.below = link;
    this.#size++;
    if (entry.awaited) this.#asynchronous++;
    if (this.#index !== undefined) addToIndex(this.#index, link);
  }

  /** Removes the entry on top and returns it. */
  pop(): Entry | undefined {
    const link = this.#end.below;
    const { entry, older } = link;
    if (entry === undefined) return undefined;
    if (older === undefined) this.#index?.delete(entry.handler);
    else this.#index?.set(entry.handler, older);
    this.#unlink(link);
    return entry;
  }

  /** Removes every entry of a handler, if there is one. */
  remove(handler: unknown): void {
    this.#index ??= this.#buildIndex();
    let link = this.#index.get(handler);
    this.#index.delete(handler);
    for (; link !== undefined; link = link.older) this.#unlink(link);
  }

  #unlink(link: Link): void {
    link.below.above = link.above;
    link.above.below = link.below;
    this.#size--;
    if (link.entry!.awaited) this.#asynchronous--;
  }

  #buildIndex(): Map<unknown, Link> {
    const index = new SafeMap<unknown, Link>();
    for (let link = this.#end.above; link !== this.#end; link = link.above) addToIndex(index, link);
    return index;
  }
}

function addToIndex(index: Map<unknown, Link>, link: Link): void {
  const { handler } = link.entry!;
  link.older = index.get(handler);
  index.set(handler, link);
}

/** What a run reports. */
export interface RunHost {
  /** A handler has raised an exception, or its promise was rejected. */
  raised(entry: Entry, error: unknown): void;
  /** A synchronous handler has returned a promise. */
  returnedPromise(entry: Entry, promise: object): void;
  /** An asynchronous handler is awaited from now on. */
  awaiting(entry: Entry): void;
  /** An asynchronous handler has returned a promise that is not awaited, or not any longer. */
  unawaited(entry: Entry, promise: object): void;
  /** A run that had to wait is over. */
  finished(): void;
}

/** A handler that is awaited. */
interface Pending {
  readonly entry: Entry;
  readonly promise: object;
}

/** Takes the handlers off the stack and calls them, one after the other. */
export class Run {
  readonly #stack: Stack;
  readonly #host: RunHost;
  #graceful = false;
  #calling: Entry | undefined;
  #pending: Pending | undefined;

  constructor(stack: Stack, host: RunHost) {
    this.#stack = stack;
    this.#host = host;
  }

  /** Whether a handler is on the call stack. */
  get calling(): boolean {
    return this.#calling !== undefined;
  }

  /** Whether the handler on the call stack is asynchronous, and nobody awaits its promise. */
  get callingUnawaited(): boolean {
    return !this.#graceful && this.#calling !== undefined && isAsynchronous(this.#calling);
  }

  /** The handler that is awaited. */
  get pending(): Entry | undefined {
    return this.#pending?.entry;
  }

  /**
   * Runs the handlers, awaiting the asynchronous ones.
   *
   * @returns Whether the run is over. If not, the host is notified when it is.
   */
  runAsync(): boolean {
    this.#graceful = true;
    return this.#runUntilPending();
  }

  /** Runs the remaining handlers without awaiting any, nor the one that is pending. */
  runSync(): void {
    this.#graceful = false;
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending !== undefined) {
      const { entry, promise } = pending;
      this.#notify((host) => host.unawaited(entry, promise));
    }
    this.#runUntilPending();
  }

  /** Lets the pending handler fail, and runs the others, awaiting them or not. */
  fail(error: unknown, graceful: boolean): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#graceful = graceful;
    this.#resume(pending, { error });
  }

  /** Calls handlers until none is left (`true`), or until one has to be awaited (`false`). */
  #runUntilPending(): boolean {
    for (let entry = this.#stack.pop(); entry !== undefined; entry = this.#stack.pop()) {
      const result = this.#call(entry);
      if (isObject(result) && !this.#handleResult(entry, result)) return false;
    }
    return true;
  }

  #call(entry: Entry): unknown {
    const { func, funcSync, args, self } = entry;
    this.#calling = entry;
    try {
      return apply(this.#graceful ? func : funcSync ?? func, self, args as unknown[]);
    } catch (error) {
      this.#notify((host) => host.raised(entry, error));
      return undefined;
    } finally {
      this.#calling = undefined;
    }
  }

  /** Returns whether the next handler may run. */
  #handleResult(entry: Entry, result: object): boolean {
    if (entry.awaited && this.#graceful) {
      const pending = this.#pending = { entry, promise: result };
      this.#notify((host) => host.awaiting(entry));
      this.#awaitPending(pending);
      return false;
    }
    if (!isThenable(result)) return true;
    this.#notify((host) =>
      isAsynchronous(entry) ? host.unawaited(entry, result) : host.returnedPromise(entry, result)
    );
    return true;
  }

  async #awaitPending(pending: Pending): Promise<void> {
    let failure: { error: unknown } | undefined;
    try {
      await pending.promise;
    } catch (error) {
      failure = { error };
    }
    // Ignore a handler that has timed out meanwhile.
    if (this.#pending === pending) this.#resume(pending, failure);
  }

  #resume({ entry }: Pending, failure: { error: unknown } | undefined): void {
    this.#pending = undefined;
    if (failure !== undefined) {
      const { error } = failure;
      this.#notify((host) => host.raised(entry, error));
    }
    if (this.#runUntilPending()) this.#notify((host) => host.finished());
  }

  /** Nothing that a runtime, a timer or a reporter throws stops the run. */
  #notify(call: (host: RunHost) => void): void {
    try {
      call(this.#host);
    } catch {
      // The program has replaced something that the host needs.
    }
  }
}

/** Whether a handler returns a promise even where nothing can be awaited. */
function isAsynchronous({ awaited, funcSync }: Entry): boolean {
  return awaited && funcSync === undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null || typeof value === "function";
}

/** Whether a value is a promise or like one. Values that throw when inspected are not. */
export function isThenable(value: object): boolean {
  try {
    return "then" in value && typeof value.then === "function";
  } catch {
    return false;
  }
}

/** Handles a promise's rejection, so that it does not count as unhandled. */
export function onRejected(promise: object, callback: (error: unknown) => void): void {
  try {
    apply(then, promise, [undefined, callback]);
  } catch {
    // A thenable that is not a native promise. Do not call `then`: it may start lazy work.
  }
}
