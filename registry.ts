// The stack of handlers, and the run that takes them off it. No globals: what a run does to the
// program (its exit code) is told to whoever made the registry.

import { exitCodeOf, reportException, reportPromise, reportUnawaited } from "./errors.ts";

// deno-lint-ignore no-explicit-any
export type Func = (...args: any[]) => unknown;

/** A function with what it is called with, and whether a graceful run awaits it. */
interface Handler {
  readonly func: Func;
  readonly args: readonly unknown[];
  readonly self: unknown;
  readonly waits: boolean;
}

/** A function that is called without anything is its own handler. `undefined` is one taken back. */
type Slot = Func | Handler | undefined;

/** A handler whose promise a graceful run is waiting for. */
interface Pending {
  readonly func: Func;
  readonly promise: unknown;
}

// Taken now, so that a program that changes them later cannot break the run.
const { apply } = Reflect;
const { then } = Promise.prototype;

/** A `Map` that does not change with `Map.prototype`. */
class Positions extends Map<Func, number | number[]> {
  static {
    for (const name of ["get", "set", "delete"] as const) {
      Object.defineProperty(this.prototype, name, { value: Map.prototype[name] });
    }
  }
}

/**
 * The handlers of one realm, and their run.
 *
 * Invariant: the handlers are `slots[0]` to `slots[count - 1]`, of which `removed` are
 * `undefined`. `positions` has for each function all its slots below `indexed`, and perhaps
 * some that it has left: a run does not clean up behind itself, so a position counts only if
 * the function is still there.
 */
export class Registry {
  #slots: Slot[] = [];
  #count = 0;
  #removed = 0;
  #positions: Positions | undefined;
  #indexed = 0;
  #waits = 0;

  #graceful = false;
  #pending: Pending | undefined;
  #calling = false;
  readonly #setExitCode: (code: number) => void;

  /** The last exception that a handler raised in a run, until somebody takes it. */
  failure: { readonly error: unknown } | undefined;

  /** Called when a graceful run that had to wait is over. */
  onOver: (() => void) | undefined;

  /** Called after a registration that has no other chance to run: the program is unloading. */
  onLate: (() => void) | undefined;

  constructor(setExitCode: (code: number) => void) {
    this.#setExitCode = setExitCode;
  }

  // ---------------------------------------------------------------- the stack

  /** Whether a handler is there that a graceful run awaits. */
  get waits(): boolean {
    return this.#waits > 0;
  }

  /** Whether no handler is left. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Puts a handler on top of the stack. */
  push(func: Func, args: readonly unknown[], self: unknown, waits: boolean): void {
    const position = this.#count++;
    const plain = args.length === 0 && self === undefined && !waits;
    this.#slots[position] = plain ? func : { func, args, self, waits };
    if (waits) this.#waits++;
    if (this.onLate !== undefined && !this.running) this.onLate();
  }

  /** Takes back every handler of a function. */
  remove(func: Func): void {
    // The newest come and go most often. A few of them are found faster without the index.
    if (this.#count - this.#indexed > 32) this.#index();
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

  /** Drops every handler, the one that is being awaited too. */
  clear(): void {
    this.#reset([]);
    this.#waits = 0;
    this.#pending = undefined;
  }

  #reset(slots: Slot[]): void {
    this.#slots = slots;
    this.#count = slots.length;
    this.#removed = this.#indexed = 0;
    this.#positions = undefined;
  }

  #drop(position: number, func: Func): void {
    const slot = position < this.#count ? this.#slots[position] : undefined;
    if (slot === undefined || functionOf(slot) !== func) return;
    this.#slots[position] = undefined;
    this.#removed++;
    if (typeof slot === "object" && slot.waits) this.#waits--;
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

  /** Takes the handler on top off the stack. */
  #pop(): Slot {
    while (this.#count > 0) {
      const position = --this.#count;
      const slot = this.#slots[position];
      this.#slots[position] = undefined;
      if (this.#indexed > position) this.#indexed = position;
      if (slot !== undefined) {
        if (typeof slot === "object" && slot.waits) this.#waits--;
        return slot;
      }
      this.#removed--;
    }
    this.#reset([]);
    return undefined;
  }

  // ------------------------------------------------------------------ the run

  /** Whether a handler is on the call stack at this moment. */
  get calling(): boolean {
    return this.#calling;
  }

  /** Whether a run is under way: a handler is being called, or awaited. */
  get running(): boolean {
    return this.#calling || this.#pending !== undefined;
  }

  /**
   * Runs the handlers, awaiting the asynchronous ones.
   *
   * @returns Whether the run is over; if not, `onOver` is called when it is.
   */
  runGracefully(): boolean {
    this.#graceful = true;
    return this.#advance();
  }

  /** Runs the handlers that are left, at once. A handler that is being awaited is left alone. */
  runNow(): void {
    this.#graceful = false;
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending !== undefined) reportUnawaited(pending.func, pending.promise);
    this.#advance();
  }

  /** Gives up the handler that is being awaited, as failed, and goes on: at once or gracefully. */
  giveUp(reason: string, graceful: boolean): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    this.#graceful = graceful;
    this.#fail(pending.func, new Error(reason));
    this.#goOn();
  }

  /** Calls handlers until none is left (`true`), or until one has to be awaited (`false`). */
  #advance(): boolean {
    for (let slot = this.#pop(); slot !== undefined; slot = this.#pop()) {
      const result = this.#call(slot);
      if (!isObject(result)) continue;
      const func = functionOf(slot);
      const waits = typeof slot === "object" && slot.waits;
      if (waits && this.#graceful) {
        this.#pending = { func, promise: result };
        this.#settle(this.#pending);
        return false;
      }
      if (!isThenable(result)) continue;
      if (waits) reportUnawaited(func, result);
      else reportPromise(func, result);
      ignoreRejection(result);
    }
    return true;
  }

  #goOn(): void {
    if (this.#advance()) this.onOver?.();
  }

  #call(slot: Func | Handler): unknown {
    const calling = this.#calling;
    this.#calling = true;
    try {
      return typeof slot === "function" ? slot() : apply(slot.func, slot.self, slot.args);
    } catch (error) {
      this.#fail(functionOf(slot), error);
      return undefined;
    } finally {
      this.#calling = calling;
    }
  }

  /** Awaits a promise. What comes of it after the handler was given up is nobody's concern. */
  async #settle(pending: Pending): Promise<void> {
    let failed: { error: unknown } | undefined;
    try {
      await pending.promise;
    } catch (error) {
      failed = { error };
    }
    if (this.#pending !== pending) return;
    this.#pending = undefined;
    if (failed !== undefined) this.#fail(pending.func, failed.error);
    this.#goOn();
  }

  #fail(func: Func, error: unknown): void {
    const exitCode = exitCodeOf(error);
    if (exitCode !== undefined) {
      this.failure = undefined;
      this.#setExitCode(exitCode);
    } else {
      this.failure = { error };
      reportException(func, error);
    }
  }
}

function addPosition(positions: Positions, func: Func, position: number): void {
  const found = positions.get(func);
  if (found === undefined) positions.set(func, position);
  else if (typeof found === "number") positions.set(func, [found, position]);
  else found[found.length] = position;
}

function functionOf(slot: Func | Handler): Func {
  return typeof slot === "function" ? slot : slot.func;
}

function isObject(result: unknown): result is object {
  return typeof result === "object" && result !== null || typeof result === "function";
}

/** Whether a handler's result is a promise or like one. Asking may call a getter, which may throw. */
function isThenable(result: object): boolean {
  try {
    return "then" in result && typeof result.then === "function";
  } catch {
    return false;
  }
}

/** Keeps the rejection of a promise that nobody awaits from ending the program once more. */
export function ignoreRejection(result: object): void {
  try {
    apply(then, result, [undefined, () => {}]);
  } catch {
    // A thenable that is no promise: calling its `then` could start what it stands for.
  }
}
