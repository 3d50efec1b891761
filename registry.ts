// The handlers of a realm as a stack, and the run that takes them off it. Which end this is, what is
// reported and what the status will be is not known here: the run tells its host what happens.

/** Any function. */
export type AnyFunction = (...args: never[]) => unknown;

/** What a function is called with when it runs. */
export interface Call {
  /** Its arguments. Default: none. */
  readonly args?: readonly unknown[];
  /** Its `this`. Default: `undefined`. */
  readonly self?: unknown;
  /** Whether a graceful run awaits the promise that it returns. Default: no. */
  readonly awaited?: boolean;
}

/** A function with what it is called with. */
interface Registration extends Call {
  readonly func: AnyFunction;
  readonly awaited: boolean;
}

/** A function that is called with nothing stands for itself. `undefined` is one taken back. */
type Slot = AnyFunction | Registration | undefined;

// Taken now, so that a program that changes them later cannot break the run.
const { apply } = Reflect;
const { then } = Promise.prototype;
const none: readonly unknown[] = [];

/** From this number of handlers on, finding one by its function takes an index. */
const indexed = 32;

/** A `Map` that does not change with `Map.prototype`. */
class Positions extends Map<AnyFunction, number | number[]> {
  static {
    for (const name of ["get", "set", "delete"] as const) {
      Object.defineProperty(this.prototype, name, { value: Map.prototype[name] });
    }
  }
}

/**
 * The handlers of a realm, last in first out.
 *
 * Invariant: the handlers are `#slots[0]` to `#slots[#count - 1]`, of which `#removed` are
 * `undefined` and `#asynchronous` are awaited. All other slots are `undefined`. `#positions` has for each function all its slots
 * below `#indexed`, and perhaps some that it has left, because `pop` does not clean up behind
 * itself: so a position counts only if the function is still there.
 */
export class Stack {
  #slots: Slot[] = [];
  #count = 0;
  #removed = 0;
  #asynchronous = 0;
  #positions: Positions | undefined;
  #indexed = 0;

  /** How many handlers there are. */
  get size(): number {
    return this.#count - this.#removed;
  }

  /** How many of them a graceful run awaits. */
  get asynchronous(): number {
    return this.#asynchronous;
  }

  /** Puts a handler on top. */
  push(func: AnyFunction, call?: Call): void {
    const position = this.#count++;
    if (call === undefined) {
      this.#slots[position] = func;
      return;
    }
    const { args = none, self, awaited = false } = call;
    this.#slots[position] = { func, args, self, awaited };
    if (awaited) this.#asynchronous++;
  }

  /** Takes the handler on top off the stack. */
  pop(): AnyFunction | Registration | undefined {
    while (this.#count > 0) {
      const position = --this.#count;
      const slot = this.#slots[position];
      this.#slots[position] = undefined;
      if (this.#indexed > position) this.#indexed = position;
      if (slot !== undefined) {
        if (isAwaited(slot)) this.#asynchronous--;
        return slot;
      }
      this.#removed--;
    }
    this.#reset([]);
    return undefined;
  }

  /** Takes back every handler of a function. */
  remove(func: AnyFunction): void {
    // The newest come and go most often. A few of them are found faster without the index.
    if (this.#count - this.#indexed > indexed) this.#index();
    for (let i = this.#indexed; i < this.#count; i++) this.#drop(i, func);
    const found = this.#positions?.get(func);
    if (found !== undefined) {
      this.#positions?.delete(func);
      if (typeof found === "number") this.#drop(found, func);
      else for (let i = 0; i < found.length; i++) this.#drop(found[i], func);
    }
    while (this.#count > 0 && this.#slots[this.#count - 1] === undefined) {
      this.#count--;
      this.#removed--;
    }
    if (this.#indexed > this.#count) this.#indexed = this.#count;
  }

  #reset(slots: Slot[]): void {
    this.#slots = slots;
    this.#count = slots.length;
    this.#removed = this.#indexed = 0;
    this.#positions = undefined;
  }

  #drop(position: number, func: AnyFunction): void {
    const slot = this.#slots[position];
    if (slot === undefined || functionOf(slot) !== func) return;
    this.#slots[position] = undefined;
    this.#removed++;
    if (isAwaited(slot)) this.#asynchronous--;
  }

  /** Indexes every handler, after closing the gaps if they are most of the stack. */
  #index(): void {
    if (this.#removed > this.#count / 2) this.#reset(this.#withoutGaps());
    const positions = this.#positions ??= new Positions();
    for (; this.#indexed < this.#count; this.#indexed++) {
      const slot = this.#slots[this.#indexed];
      if (slot !== undefined) addPosition(positions, functionOf(slot), this.#indexed);
    }
  }

  #withoutGaps(): Slot[] {
    const slots: Slot[] = [];
    for (let position = 0; position < this.#count; position++) {
      const slot = this.#slots[position];
      if (slot !== undefined) slots[slots.length] = slot;
    }
    return slots;
  }
}

/** What a run tells of. */
export interface RunHost {
  /** A handler has raised an exception, or its promise was rejected. */
  raised(func: AnyFunction, error: unknown): void;
  /** A handler that is not asynchronous has returned a promise. */
  returnedPromise(func: AnyFunction, promise: object): void;
  /** An asynchronous handler is awaited from now on. */
  waiting(func: AnyFunction): void;
  /** An asynchronous handler has returned a promise that is not awaited, or not any longer. */
  unawaited(func: AnyFunction, promise: object): void;
  /** A run that had to wait is over. */
  over(): void;
}

/** A handler that is awaited. */
interface Pending {
  readonly func: AnyFunction;
  readonly promise: object;
}

/** Takes the handlers off the stack and calls them, one after the other. */
export class Run {
  readonly #stack: Stack;
  readonly #host: RunHost;
  #graceful: boolean | undefined;
  #pending: Pending | undefined;
  #depth = 0;

  constructor(stack: Stack, host: RunHost) {
    this.#stack = stack;
    this.#host = host;
  }

  /** Whether a handler is on the call stack at this moment. */
  get calling(): boolean {
    return this.#depth > 0;
  }

  /** Whether a handler is being called, or awaited. */
  get active(): boolean {
    return this.#depth > 0 || this.#pending !== undefined;
  }

  /**
   * Runs the handlers, awaiting the asynchronous ones.
   *
   * @returns Whether the run is over. If not, the host is told when it is.
   */
  gracefully(): boolean {
    this.#graceful = true;
    return this.#advance();
  }

  /** Runs the handlers that are left, at once. Nobody waits any more for the one that is awaited. */
  atOnce(): void {
    this.#graceful = false;
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending !== undefined) this.#host.unawaited(pending.func, pending.promise);
    this.#advance();
  }

  /** Gives up the handler that is awaited, as failed, and goes on with the others. */
  giveUp(error: unknown, graceful: boolean): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#graceful = graceful;
    this.#goOn(pending, { error });
  }

  /** Calls handlers until none is left (`true`), or until one has to be awaited (`false`). */
  #advance(): boolean {
    for (let slot = this.#stack.pop(); slot !== undefined; slot = this.#stack.pop()) {
      const result = this.#call(slot);
      if (isObject(result) && !this.#finish(slot, result)) return false;
    }
    return true;
  }

  /** Looks at what a handler has returned. Tells whether the next one may run. */
  #finish(slot: AnyFunction | Registration, result: object): boolean {
    const func = functionOf(slot);
    const awaited = isAwaited(slot);
    if (awaited && this.#graceful) {
      this.#pending = { func, promise: result };
      this.#host.waiting(func);
      this.#settle(this.#pending);
      return false;
    }
    if (!isThenable(result)) return true;
    if (awaited) this.#host.unawaited(func, result);
    else this.#host.returnedPromise(func, result);
    return true;
  }

  #call(slot: AnyFunction | Registration): unknown {
    this.#depth++;
    try {
      return typeof slot === "function"
        ? (slot as () => unknown)()
        : apply(slot.func, slot.self, slot.args as unknown[]);
    } catch (error) {
      this.#host.raised(functionOf(slot), error);
      return undefined;
    } finally {
      this.#depth--;
    }
  }

  async #settle(pending: Pending): Promise<void> {
    let failed: { error: unknown } | undefined;
    try {
      await pending.promise;
    } catch (error) {
      failed = { error };
    }
    // Nobody asks what becomes of a handler that was given up.
    if (this.#pending === pending) this.#goOn(pending, failed);
  }

  /** Goes on after a handler that was awaited. */
  #goOn({ func }: Pending, failed: { error: unknown } | undefined): void {
    this.#pending = undefined;
    if (failed !== undefined) this.#host.raised(func, failed.error);
    if (this.#advance()) this.#host.over();
  }
}

function addPosition(positions: Positions, func: AnyFunction, position: number): void {
  const found = positions.get(func);
  if (found === undefined) positions.set(func, position);
  else if (typeof found === "number") positions.set(func, [found, position]);
  else found[found.length] = position;
}

function functionOf(slot: AnyFunction | Registration): AnyFunction {
  return typeof slot === "function" ? slot : slot.func;
}

function isAwaited(slot: AnyFunction | Registration): boolean {
  return typeof slot === "object" && slot.awaited;
}

function isObject(result: unknown): result is object {
  return typeof result === "object" && result !== null || typeof result === "function";
}

/** Whether a result is a promise or like one. Asking may call a getter, which may throw. */
function isThenable(result: object): boolean {
  try {
    return "then" in result && typeof result.then === "function";
  } catch {
    return false;
  }
}

/** Takes a promise's rejection, so that it does not count as unhandled. */
export function onRejected(promise: object, callback: (error: unknown) => void): void {
  try {
    apply(then, promise, [undefined, callback]);
  } catch {
    // Like a promise, but none: calling its `then` could start what it stands for.
  }
}
