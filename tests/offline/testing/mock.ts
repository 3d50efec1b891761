// `@std/testing/mock` 1 where JSR is out of reach.

import { assertEquals, AssertionError } from "@std/assert";

// deno-lint-ignore no-explicit-any
type Any = any;

/** A call of a spy. */
export interface SpyCall<Self = Any, Args extends unknown[] = Any[], Return = Any> {
  args: Args;
  /** The `this` of the call, if it had one. */
  self?: Self;
  returned?: Return;
  error?: Error;
}

/** A function that records its calls. */
export interface Spy<Self = Any, Args extends unknown[] = Any[], Return = Any> {
  (this: Self, ...args: Args): Return;
  original: (this: Self, ...args: Args) => Return;
  calls: SpyCall<Self, Args, Return>[];
  restored: boolean;
  /** Puts the original method back. */
  restore(): void;
}

/** A spy in place of a method. */
export interface MethodSpy<Self = Any, Args extends unknown[] = Any[], Return = Any>
  extends Spy<Self, Args, Return>, Disposable {}

/** A method spy that does something else than the original. */
export interface Stub<Self = Any, Args extends unknown[] = Any[], Return = Any>
  extends MethodSpy<Self, Args, Return> {
  fake: (this: Self, ...args: Args) => Return;
}

type ArgsOf<Self, Prop extends keyof Self> = Self[Prop] extends (...args: infer Args) => unknown
  ? Args
  : unknown[];
type ReturnOf<Self, Prop extends keyof Self> = Self[Prop] extends (...args: Any[]) => infer Return
  ? Return
  : unknown;

/** Makes a function that records its calls, and calls `func`. */
function record<Self, Args extends unknown[], Return>(
  func: (this: Self, ...args: Args) => Return,
): Spy<Self, Args, Return> {
  const calls: SpyCall<Self, Args, Return>[] = [];
  const recorder = function (this: Self, ...args: Args): Return {
    const call: SpyCall<Self, Args, Return> = { args };
    if (this) call.self = this;
    calls.push(call);
    try {
      return call.returned = func.apply(this, args);
    } catch (error) {
      call.error = error as Error;
      throw error;
    }
  };
  const restore = () => {
    throw new Error("Cannot restore: the spy does not replace a method");
  };
  return Object.assign(recorder, { original: func, calls, restored: false, restore });
}

/** Replaces a method by a stub that calls `fake`. */
function replace<Self, Prop extends keyof Self>(
  self: Self,
  property: Prop,
  fake: (this: Self, ...args: ArgsOf<Self, Prop>) => ReturnOf<Self, Prop>,
): Stub<Self, ArgsOf<Self, Prop>, ReturnOf<Self, Prop>> {
  const descriptor = Object.getOwnPropertyDescriptor(self, property);
  const original = self[property] as typeof fake;
  const stub = Object.assign(record(fake), {
    original,
    fake,
    restore() {
      if (stub.restored) throw new Error("Cannot restore: the method is already restored");
      if (descriptor === undefined) delete self[property];
      else Object.defineProperty(self, property, descriptor);
      stub.restored = true;
    },
    [Symbol.dispose]() {
      if (!stub.restored) stub.restore();
    },
  });
  Object.defineProperty(self, property, {
    configurable: true,
    enumerable: true,
    writable: true,
    ...descriptor,
    value: stub,
  });
  return stub;
}

export function spy<Self = Any, Args extends unknown[] = Any[]>(): Spy<Self, Args, undefined>;
export function spy<Self, Args extends unknown[], Return>(
  func: (this: Self, ...args: Args) => Return,
): Spy<Self, Args, Return>;
export function spy<Self, Prop extends keyof Self>(
  self: Self,
  property: Prop,
): MethodSpy<Self, ArgsOf<Self, Prop>, ReturnOf<Self, Prop>>;
export function spy(target?: Any, property?: PropertyKey): Spy {
  if (property !== undefined) return replace(target, property, target[property]);
  return record(target ?? (() => undefined));
}

export function stub<Self, Prop extends keyof Self>(
  self: Self,
  property: Prop,
): Stub<Self, ArgsOf<Self, Prop>, ReturnOf<Self, Prop>>;
export function stub<Self, Prop extends keyof Self>(
  self: Self,
  property: Prop,
  func: (this: Self, ...args: ArgsOf<Self, Prop>) => ReturnOf<Self, Prop>,
): Stub<Self, ArgsOf<Self, Prop>, ReturnOf<Self, Prop>>;
export function stub(self: Any, property: PropertyKey, func: Any = () => undefined): Stub {
  return replace(self, property, func);
}

export function assertSpyCalls(spy: Spy, expectedCalls: number): void {
  assertEquals(spy.calls.length, expectedCalls, "The spy was not called as often as expected");
}

/** What a call of a spy is expected to be. Properties that are missing are not compared. */
export type ExpectedSpyCall<Self, Args extends unknown[], Return> = Partial<
  Pick<SpyCall<Self, Args, Return>, "args" | "self" | "returned">
>;

export function assertSpyCall<Self, Args extends unknown[], Return>(
  spy: Spy<Self, Args, Return>,
  callIndex: number,
  expected: ExpectedSpyCall<Self, Args, Return> = {},
): void {
  const call = spy.calls[callIndex];
  if (call === undefined) throw new AssertionError(`The spy has no call ${callIndex}`);
  const { args, self, returned } = call;
  assertEquals({ args, self, returned, ...expected }, { args, self, returned });
}
