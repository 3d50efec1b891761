// The stack of handlers, and the run that takes them off it.

import { assertEquals } from "@std/assert";
import { assertSpyCall, spy } from "@std/testing/mock";
import { type AnyFunction, Run, type RunHost, Stack } from "../registry.ts";
import { settle } from "./test_runtime.ts";

/** A run that writes down what it tells its host. */
function create() {
  const log: string[] = [];
  const stack = new Stack();
  const name = (func: AnyFunction) => func.name;
  const host: RunHost = {
    raised: (func, error) => log.push(`${name(func)} raised ${error}`),
    returnedPromise: (func) => log.push(`${name(func)} returned a promise`),
    waiting: (func) => log.push(`waiting for ${name(func)}`),
    unawaited: (func) => log.push(`${name(func)} not awaited`),
    over: () => log.push("over"),
  };
  const run = new Run(stack, host);
  const handler = (name: string) =>
    Object.defineProperty(() => void log.push(name), "name", { value: name });
  return { log, stack, run, handler };
}

const awaited = { args: [], self: undefined, awaited: true };

// ------------------------------------------------------------------------------------- the stack

/** The same as a stack, as simply as can be. */
class NaiveStack {
  handlers: { func: AnyFunction; awaited: boolean }[] = [];

  get size(): number {
    return this.handlers.length;
  }

  get asynchronous(): number {
    return this.handlers.filter(({ awaited }) => awaited).length;
  }

  push(func: AnyFunction, awaited: boolean): void {
    this.handlers.push({ func, awaited });
  }

  pop(): AnyFunction | undefined {
    return this.handlers.pop()?.func;
  }

  remove(func: AnyFunction): void {
    this.handlers = this.handlers.filter((handler) => handler.func !== func);
  }
}

/** Numbers from 0 to 1 that are the same for the same seed: mulberry32. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

for (const most of [3, 40, 300]) {
  Deno.test(`Stack does what an array does, with up to ${most} handlers`, () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = randomNumbers(seed);
      const functions = Array.from({ length: 1 + Math.floor(random() * most) }, () => () => {});
      const pick = () => functions[Math.floor(random() * functions.length)];
      // How likely each operation is, for this seed: so that stacks grow, shrink and have gaps.
      const [pushes, pops] = [0.3 + random() * 0.5, random() * 0.3];
      const stack = new Stack();
      const naive = new NaiveStack();
      for (let step = 0; step < most * 4; step++) {
        const kind = random();
        if (kind < pushes) {
          const [func, isAwaited] = [pick(), random() < 0.3];
          stack.push(func, isAwaited ? awaited : undefined);
          naive.push(func, isAwaited);
        } else if (kind < pushes + pops) {
          const popped = stack.pop();
          const func = typeof popped === "object" ? popped.func : popped;
          assertEquals({ seed, step, same: func === naive.pop() }, { seed, step, same: true });
        } else {
          const func = pick();
          stack.remove(func);
          naive.remove(func);
        }
        const { size, asynchronous } = stack;
        assertEquals({ seed, step, size, asynchronous }, {
          seed,
          step,
          size: naive.size,
          asynchronous: naive.asynchronous,
        });
      }
      while (naive.size > 0) {
        const popped = stack.pop();
        const func = typeof popped === "object" ? popped.func : popped;
        assertEquals({ seed, same: func === naive.pop() }, { seed, same: true });
      }
      assertEquals(stack.pop(), undefined);
    }
  });
}

Deno.test("Stack does what an array does when many are taken back in a row", () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = randomNumbers(seed);
    const upTo = (most: number) => Math.floor(random() * most);
    const functions = Array.from({ length: 1 + upTo(2_000) }, () => () => {});
    const pick = () => functions[upTo(functions.length)];
    const stack = new Stack();
    const naive = new NaiveStack();
    for (let turn = 0; turn < 6; turn++) {
      for (let pushes = upTo(2_000); pushes > 0; pushes--) {
        const [func, isAwaited] = [pick(), random() < 0.3];
        stack.push(func, isAwaited ? awaited : undefined);
        naive.push(func, isAwaited);
      }
      for (let removals = upTo(400); removals > 0; removals--) {
        const func = random() < 0.9 ? pick() : () => {};
        stack.remove(func);
        naive.remove(func);
      }
      // What is asked first differs: each has to see what was taken back.
      const asks = [
        () => assertEquals({ seed, size: stack.size }, { seed, size: naive.size }),
        () => {
          const { asynchronous } = naive;
          assertEquals({ seed, asynchronous: stack.asynchronous }, { seed, asynchronous });
        },
        () => {
          const popped = stack.pop();
          const func = typeof popped === "object" ? popped.func : popped;
          assertEquals({ seed, same: func === naive.pop() }, { seed, same: true });
        },
        () => {
          stack.push(functions[0]);
          naive.push(functions[0], false);
        },
      ];
      const first = upTo(asks.length);
      for (let i = 0; i < asks.length; i++) asks[(first + i) % asks.length]();
    }
    while (naive.size > 0) {
      const popped = stack.pop();
      const func = typeof popped === "object" ? popped.func : popped;
      assertEquals({ seed, same: func === naive.pop() }, { seed, same: true });
    }
    assertEquals(stack.pop(), undefined);
  }
});

Deno.test("Stack.remove() takes no setter of Object.prototype for its own", () => {
  const { stack } = create();
  const functions = Array.from({ length: 2_000 }, () => () => {});
  for (const func of functions) stack.push(func);
  const set = () => {
    throw new Error("set");
  };
  for (const index of [0, 1]) {
    Object.defineProperty(Object.prototype, index, { set, configurable: true });
  }
  try {
    for (const func of functions.slice(0, 500)) stack.remove(func);
  } finally {
    for (const index of [0, 1]) delete (Object.prototype as { [index: number]: unknown })[index];
  }
  assertEquals(stack.size, 1_500);
});

Deno.test("Stack does what an array does while its handlers change it during a run", () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = randomNumbers(seed);
    const count = 1 + Math.floor(random() * 60);
    const script = Array.from({ length: 2_000 }, () => ({
      adds: random() < 0.45,
      index: Math.floor(random() * count),
    }));
    /** Runs handlers that push and remove by the script, and returns which of them ran. */
    const trace = (
      push: (func: AnyFunction) => void,
      remove: (func: AnyFunction) => void,
      runAll: () => void,
    ): number[] => {
      const calls: number[] = [];
      let step = 0;
      const functions = Array.from({ length: count }, (_, id) => () => {
        calls.push(id);
        for (let times = 0; times < 3 && step < script.length; times++) {
          const { adds, index } = script[step++];
          if (adds) push(functions[index]);
          else remove(functions[index]);
        }
      });
      for (const func of [...functions, ...functions]) push(func);
      runAll();
      return calls;
    };
    const { stack, run } = create();
    const naive = new NaiveStack();
    const actual = trace(
      (func) => stack.push(func),
      (func) => stack.remove(func),
      () => run.atOnce(),
    );
    const expected = trace(
      (func) => naive.push(func, false),
      (func) => naive.remove(func),
      () => {
        for (let func = naive.pop(); func !== undefined; func = naive.pop()) {
          (func as () => void)();
        }
      },
    );
    assertEquals({ seed, actual }, { seed, actual: expected });
  }
});

Deno.test("Stack.remove() finds the handlers of a function among many of others", () => {
  const { log, stack, run, handler } = create();
  const functions = Array.from({ length: 200 }, (_, index) => handler(`${index}`));
  for (const func of [...functions, ...functions]) stack.push(func);
  for (const [index, func] of functions.entries()) if (index % 4 !== 0) stack.remove(func);
  run.atOnce();
  const left = functions.map(({ name }) => name).filter((_, index) => index % 4 === 0).reverse();
  assertEquals(log, [...left, ...left]);
});

Deno.test("Stack.remove() takes what is no function for none of those that were taken back", () => {
  const { stack, handler } = create();
  const functions = Array.from({ length: 100 }, (_, index) => handler(`${index}`));
  for (const func of functions) stack.push(func);
  for (const func of functions.slice(0, 50)) stack.remove(func);
  stack.remove(undefined as unknown as AnyFunction);
  assertEquals(stack.size, 50);
});

// --------------------------------------------------------------------------------------- the run

Deno.test("Run.gracefully() awaits one handler after the other, and then says that it is over", async () => {
  const { log, stack, run, handler } = create();
  const { promise, resolve } = Promise.withResolvers<void>();
  stack.push(handler("sync"));
  stack.push(async function waits() {
    await promise;
    log.push("settled");
  }, awaited);
  assertEquals(run.gracefully(), false);
  assertEquals([run.active, run.calling], [true, false]);
  resolve();
  await settle();
  assertEquals(log, ["waiting for waits", "settled", "sync", "over"]);
  assertEquals(run.active, false);
});

Deno.test("Run.gracefully() is over at once if no handler returns a promise", () => {
  const { log, stack, run, handler } = create();
  stack.push(handler("sync"));
  stack.push(handler("asynchronous by name only"), awaited);
  assertEquals(run.gracefully(), true);
  assertEquals(log, ["asynchronous by name only", "sync"]);
});

Deno.test("Run.atOnce() cuts a graceful run short, and each handler runs once", async () => {
  const { log, stack, run, handler } = create();
  const { promise, resolve } = Promise.withResolvers<void>();
  stack.push(handler("sync"));
  stack.push(async function waits() {
    await promise;
    log.push("goes on by itself");
  }, awaited);
  run.gracefully();
  run.atOnce();
  resolve();
  await settle();
  assertEquals(log, ["waiting for waits", "waits not awaited", "sync", "goes on by itself"]);
});

Deno.test("Run.atOnce() tells of promises by the kind of the handler", () => {
  const { log, stack, run } = create();
  stack.push(function plain() {
    return Promise.resolve();
  });
  stack.push(function asynchronous() {
    return Promise.resolve();
  }, awaited);
  stack.push(function object() {
    return {};
  }, awaited);
  run.atOnce();
  assertEquals(log, ["asynchronous not awaited", "plain returned a promise"]);
});

Deno.test("Run.giveUp() takes the pending handler for failed, and goes on", async () => {
  for (const graceful of [true, false]) {
    const { log, stack, run } = create();
    stack.push(async function second() {}, awaited);
    stack.push(() => new Promise(() => {}), awaited);
    run.gracefully();
    run.giveUp("stuck", graceful);
    await settle();
    assertEquals(log.slice(1), [
      " raised stuck",
      ...graceful ? ["waiting for second", "over"] : ["second not awaited", "over"],
    ]);
    run.giveUp("nobody", graceful);
    assertEquals(log.length, 4);
  }
});

Deno.test("Run calls a handler with its arguments and its this, and a plain one with neither", () => {
  const { stack, run } = create();
  const [plain, bound] = [spy(), spy()];
  const call = { args: [1, "two"], self: { name: "instance" } };
  stack.push(bound, call);
  stack.push(plain);
  run.atOnce();
  assertSpyCall(plain, 0, { args: [], self: undefined });
  assertSpyCall(bound, 0, call);
});

Deno.test("Run.calling is true until the outermost of nested runs returns", () => {
  const { log, stack, run } = create();
  stack.push(() => void log.push("inner"));
  stack.push(() => {
    run.atOnce();
    log.push(`after the inner run: ${run.calling}`);
  });
  run.atOnce();
  assertEquals(log, ["inner", "after the inner run: true"]);
  assertEquals([run.calling, run.active], [false, false]);
});

Deno.test("Run takes an exception for that of its handler, and goes on", async () => {
  const { log, stack, run, handler } = create();
  stack.push(handler("last"));
  stack.push(async function rejects() {
    await settle();
    throw "later";
  }, awaited);
  stack.push(function throws() {
    throw "now";
  });
  assertEquals(run.gracefully(), false);
  await settle();
  await settle();
  assertEquals(log, [
    "throws raised now",
    "waiting for rejects",
    "rejects raised later",
    "last",
    "over",
  ]);
});

Deno.test("Run awaits whatever is like a promise, and nothing else", async () => {
  const { log, stack, run } = create();
  const thenable = Object.assign(() => {}, { then: (resolve: () => void) => resolve() });
  stack.push(function callable() {
    return thenable;
  }, awaited);
  for (const value of [null, undefined, 5]) stack.push(() => value, awaited);
  run.gracefully();
  await settle();
  assertEquals(log, ["waiting for callable", "over"]);
});

Deno.test("Run takes no object for a promise whose then is no function, or throws", () => {
  const { log, stack, run } = create();
  stack.push(() => ({ then: 5 }));
  stack.push(() => ({
    get then() {
      throw new Error("trap");
    },
  }));
  stack.push(() => Object.assign(() => {}, { awaited: true }));
  stack.push(() => null);
  run.atOnce();
  assertEquals(log, []);
});

Deno.test("Stack takes no property of a function for its own", () => {
  const { stack } = create();
  const func = Object.assign(() => {}, { awaited: true });
  stack.push(func);
  assertEquals([stack.pop(), stack.asynchronous], [func, 0]);
  stack.push(func, { args: [1] });
  stack.remove(func);
  assertEquals([stack.size, stack.asynchronous], [0, 0]);
});

Deno.test("Stack calls a handler with no arguments if none are given", () => {
  const { stack, run } = create();
  const func = spy();
  stack.push(func, { self: {} });
  assertEquals(stack.asynchronous, 0);
  run.atOnce();
  assertSpyCall(func, 0, { args: [] });
});

Deno.test("Stack keeps no handler that was taken back or has run", () => {
  const { stack, run, handler } = create();
  const functions = Array.from({ length: 100 }, (_, index) => handler(`${index}`));
  for (const func of functions) stack.push(func);
  for (const func of functions.slice(0, 90)) stack.remove(func);
  assertEquals(stack.size, 10);
  run.atOnce();
  for (const func of functions) stack.remove(func);
  assertEquals(stack.size, 0);
});
