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

/** A function that is called with nothing stands for itself. */
type Handler = AnyFunction | Registration;

// Taken now, so that a program that changes them later cannot break the run.
const { apply } = Reflect;
const { indexOf } = Array.prototype;
const { defineProperty } = Object;
const NativeMap = Map;
const { delete: deleteKey, forEach, get, set } = Map.prototype;
const { then } = Promise.prototype;
const none: readonly unknown[] = [];

/** So few handlers that are not indexed are looked through each time: the newest come and go most. */
const few = 32;

/**
 * Among more handlers than this, functions that are taken back in a row are looked for together. To
 * look through all handlers for one function takes 0.1 ns for each handler.
 */
const many = 1024;

/** For so many functions at once it takes less time to look up each handler among the functions. */
const row = 128;

/**
 * So many times the handlers are looked through before they are indexed, which takes 50 ns or more for
 * each: so whoever takes back a few pays for no index, and whoever takes back many, one by one, pays
 * twice what the index alone would cost.
 */
const patience = 512;

/** For each function the position of its handler, or all of them. */
type Positions = Map<AnyFunction, number | number[]>;

/** Makes a `Map` that does not change with `Map.prototype`. */
function makeMap<V>(): Map<AnyFunction, V> {
  const map = new NativeMap<AnyFunction, V>();
  defineProperty(map, "get", { value: get });
  defineProperty(map, "set", { value: set });
  defineProperty(map, "delete", { value: deleteKey });
  return map;
}

/**
 * The handlers of a realm, last in first out.
 *
 * Invariant: the handlers are at `#funcs[0]` to `#funcs[#count - 1]`, of which `#removed` are
 * `undefined` and `#asynchronous` are awaited. What one is called with is at the same position of
 * `#calls`. All else is `undefined`. The functions in `#marked` are taken back, and their handlers
 * still there: whatever is done but taking back sweeps these away first. `#positions` has for each
 * function all its positions below `#indexed`, and perhaps some that it has left, because `pop` does
 * not clean up behind itself: so a position counts only if the function is still there.
 */
export class Stack {
  #funcs: (AnyFunction | undefined)[] = [];
  #calls: (Registration | undefined)[] = [];
  #count = 0;
  #removed = 0;
  #asynchronous = 0;
  #positions: Positions | undefined;
  #indexed = 0;
  /** How often those that are not indexed have been looked through. */
  #searches = 0;
  #marked: Map<AnyFunction, number> | undefined;
  /** How often it was asked to take back one of them. */
  #marks = 0;
  /** Whether a microtask is going to sweep. */
  #sweepsSoon = false;

  /** How many handlers there are. */
  get size(): number {
    if (this.#marked !== undefined) this.#sweep(this.#marked);
    return this.#count - this.#removed;
  }

  /** How many of them a graceful run awaits. */
  get asynchronous(): number {
    if (this.#marked !== undefined) this.#sweep(this.#marked);
    return this.#asynchronous;
  }

  /** Puts a handler on top. */
  push(func: AnyFunction, call?: Call): void {
    if (this.#marked !== undefined) this.#sweep(this.#marked);
    const position = this.#count++;
    this.#funcs[position] = func;
    if (call === undefined) return;
    const { args = none, self, awaited = false } = call;
    // Without gaps, so that it stays an array.
    for (let i = this.#calls.length; i < position; i++) this.#calls[i] = undefined;
    this.#calls[position] = { func, args, self, awaited };
    if (awaited) this.#asynchronous++;
  }

  /** Takes the handler on top off the stack. */
  pop(): Handler | undefined {
    if (this.#marked !== undefined) this.#sweep(this.#marked);
    while (this.#count > 0) {
      const position = --this.#count;
      if (this.#indexed > position) this.#indexed = position;
      if (this.#funcs[position] !== undefined) return this.#take(position);
      this.#removed--;
    }
    this.#reset([], []);
    return undefined;
  }

  /**
   * Takes back every handler of a function. Among very many others those that are taken back in a row
   * are looked for together, by the next microtask at the latest.
   */
  remove(func: AnyFunction): void {
    if (typeof func !== "function") return; // It may be what stands for those taken back.
    const unindexed = this.#count - this.#indexed;
    if (unindexed > many && this.#searches < patience) return this.#mark(func, unindexed);
    if (unindexed > few && this.#searches >= patience) this.#index();
    this.#search(func);
    this.#removeIndexed(func);
    this.#trim();
  }

  #mark(func: AnyFunction, most: number): void {
    const marked = this.#marked ??= makeMap<number>();
    this.#marks++;
    marked.set(func, this.#marks);
    if (this.#marks > most) this.#sweep(marked); // Some of them have no handler.
    else if (!this.#sweepsSoon) this.#sweepSoon();
  }

  async #sweepSoon(): Promise<void> {
    this.#sweepsSoon = true;
    await undefined;
    this.#sweepsSoon = false;
    if (this.#marked !== undefined) this.#sweep(this.#marked);
  }

  /** Drops every handler of the functions that are marked. */
  #sweep(marked: Map<AnyFunction, number>): void {
    const isRow = this.#marks >= row;
    this.#marked = undefined;
    this.#marks = 0;
    if (isRow) this.#searchAll(marked);
    if (!isRow || this.#positions !== undefined) {
      const drop = (_: number, func: AnyFunction) => {
        if (!isRow) this.#search(func);
        this.#removeIndexed(func);
      };
      apply(forEach, marked, [drop]);
    }
    this.#trim();
  }

  #reset(funcs: AnyFunction[], calls: (Registration | undefined)[]): void {
    this.#funcs = funcs;
    this.#calls = calls;
    this.#count = funcs.length;
    this.#removed = this.#indexed = this.#searches = 0;
    this.#positions = undefined;
  }

  #take(position: number): Handler {
    const func = this.#funcs[position]!;
    this.#funcs[position] = undefined;
    const call = position < this.#calls.length ? this.#calls[position] : undefined;
    if (call === undefined) return func;
    this.#calls[position] = undefined;
    if (call.awaited) this.#asynchronous--;
    return call;
  }

  #drop(position: number, func: AnyFunction): void {
    if (this.#funcs[position] !== func) return;
    this.#take(position);
    this.#removed++;
  }

  #removeIndexed(func: AnyFunction): void {
    const positions = this.#positions;
    const found = positions?.get(func);
    if (found === undefined) return;
    positions!.delete(func);
    if (typeof found === "number") this.#drop(found, func);
    else for (let i = 0; i < found.length; i++) this.#drop(found[i], func);
  }

  /** Drops every handler of a function that is not indexed. */
  #search(func: AnyFunction): void {
    const funcs = this.#funcs;
    if (this.#count - this.#indexed <= few) {
      for (let i = this.#indexed; i < this.#count; i++) this.#drop(i, func);
      return;
    }
    // After a run most of it may be empty.
    if (funcs.length > 2 * this.#count) funcs.length = this.#count;
    let i = this.#indexed;
    while ((i = apply(indexOf, funcs, [func, i])) >= 0) this.#drop(i, func);
    this.#searches++;
  }

  /** Drops every handler of many functions that is not indexed. */
  #searchAll(marked: Map<AnyFunction, number>): void {
    const funcs = this.#funcs;
    const count = this.#count;
    for (let i = this.#indexed; i < count; i++) {
      const func = funcs[i];
      if (func !== undefined && marked.get(func) !== undefined) this.#drop(i, func);
    }
    this.#searches += row;
  }

  /** Forgets the gaps on top. */
  #trim(): void {
    while (this.#count > 0 && this.#funcs[this.#count - 1] === undefined) {
      this.#count--;
      this.#removed--;
    }
    if (this.#indexed > this.#count) this.#indexed = this.#count;
  }

  /** Indexes every handler, after closing the gaps if they are most of the stack. */
  #index(): void {
    if (this.#removed > this.#count / 2) this.#closeGaps();
    const positions = this.#positions ??= makeMap();
    for (; this.#indexed < this.#count; this.#indexed++) {
      const func = this.#funcs[this.#indexed];
      if (func !== undefined) addPosition(positions, func, this.#indexed);
    }
    this.#searches = 0;
  }

  #closeGaps(): void {
    const funcs: AnyFunction[] = [];
    const calls: (Registration | undefined)[] = [];
    for (let position = 0; position < this.#count; position++) {
      const func = this.#funcs[position];
      if (func === undefined) continue;
      if (position < this.#calls.length) calls[funcs.length] = this.#calls[position];
      funcs[funcs.length] = func;
    }
    this.#reset(funcs, calls);
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
      if (result !== undefined && !this.#finish(slot, result)) return false;
    }
    return true;
  }

  /** Looks at what a handler has returned. Tells whether the next one may run. */
  #finish(slot: Handler, result: unknown): boolean {
    if (!isObject(result)) return true;
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

  #call(slot: Handler): unknown {
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
  if (typeof found === "object") found[found.length] = position;
  else positions.set(func, found === undefined ? position : [found, position]);
}

function functionOf(slot: Handler): AnyFunction {
  return typeof slot === "function" ? slot : slot.func;
}

function isAwaited(slot: Handler): boolean {
  return typeof slot === "object" && slot.awaited;
}

function isObject(result: unknown): result is object {
  return typeof result === "object" && result !== null || typeof result === "function";
}

/** Whether a result is a promise or like one. Asking may call a getter, which may throw. */
export function isThenable(result: object): boolean {
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
