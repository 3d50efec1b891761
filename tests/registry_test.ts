// The run that takes the handlers off the stack.

import { assertEquals } from "@std/assert";
import { type AnyFunction, type Entry, isThenable, onRejected, Run, Stack } from "../registry.ts";
import { settle } from "./fake_runtime.ts";

/** A run that records what it reports to its host. */
function create() {
  const log: string[] = [];
  const stack = new Stack();
  const getName = ({ func }: Entry) => func.name;
  const run: Run = new Run(stack, {
    raised: (entry, error) => log.push(`${getName(entry)} raised ${error}`),
    returnedPromise: (entry) => log.push(`${getName(entry)} returned a promise`),
    awaiting: (entry) => log.push(`awaiting ${getName(entry)}`),
    unawaited: (entry) => log.push(`${getName(entry)} not awaited`),
    finished: () => log.push("finished"),
  });
  const push = (func: (...args: never[]) => unknown, options: Partial<Entry> = {}): void =>
    stack.push({ handler: func, func, args: [], self: undefined, awaited: false, ...options });
  const say = (name: string) =>
    Object.defineProperty(() => void log.push(name), "name", { value: name });
  return { log, stack, run, push, say };
}

const awaited = { awaited: true };

Deno.test("Run.runAsync() runs the last handler first, and awaits each asynchronous one", async () => {
  const { log, run, push, say } = create();
  push(say("last"));
  for (const name of ["second", "first"]) {
    const func = async () => {
      log.push(name);
      await settle();
      log.push(`${name} settles`);
    };
    push(Object.defineProperty(func, "name", { value: name }), awaited);
  }
  push(say("sync"));
  assertEquals(run.runAsync(), false);
  assertEquals(log, ["sync", "first", "awaiting first"]);
  assertEquals([run.pending?.func.name, run.calling], ["first", false]);
  await settle();
  await settle();
  await settle();
  assertEquals(log.slice(3), [
    "first settles",
    "second",
    "awaiting second",
    "second settles",
    "last",
    "finished",
  ]);
  assertEquals(run.pending, undefined);
});

Deno.test("Run.runAsync() is over if nothing has to be awaited", () => {
  const { log, run, push, say } = create();
  assertEquals(run.runAsync(), true);
  push(say("sync"));
  push(say("asynchronous in name only"), awaited);
  for (const value of [null, undefined, 5, "text"]) push(() => value, awaited);
  assertEquals([run.runAsync(), log], [true, ["asynchronous in name only", "sync"]]);
});

Deno.test("Run.runAsync() awaits any object, and a function that has a then()", async () => {
  const { log, run, push } = create();
  const thenable = Object.assign(() => {}, { then: (resolve: () => void) => resolve() });
  push(function callable() {
    return thenable;
  }, awaited);
  push(function plain() {
    return {};
  }, awaited);
  push(function hostile() {
    return {
      get then() {
        throw "trap";
      },
    };
  }, awaited);
  run.runAsync();
  await settle();
  assertEquals(log, [
    "awaiting hostile",
    "hostile raised trap",
    "awaiting plain",
    "awaiting callable",
    "finished",
  ]);
});

Deno.test("Run.runSync() interrupts a graceful run, and each handler runs once", async () => {
  const { log, run, push, say } = create();
  const { promise, resolve } = Promise.withResolvers<void>();
  push(say("last"));
  push(async function waits() {
    await promise;
    log.push("waits settles");
  }, awaited);
  run.runAsync();
  run.runSync();
  assertEquals([run.pending, log], [undefined, ["awaiting waits", "waits not awaited", "last"]]);
  resolve();
  await settle();
  assertEquals(log.slice(3), ["waits settles"]);
});

Deno.test("Run.runSync() reports promises according to the kind of the handler", () => {
  const { log, run, push } = create();
  const promise = Promise.resolve();
  push(function sync() {
    return promise;
  });
  push(function asynchronous() {
    return promise;
  }, awaited);
  push(function object() {
    return {};
  }, awaited);
  push(function nothing() {}, awaited);
  run.runSync();
  assertEquals(log, ["asynchronous not awaited", "sync returned a promise"]);
});

Deno.test("Run.runAsync() reports the promise of a synchronous handler, and does not await it", () => {
  const { log, run, push } = create();
  push(function sync() {
    return new Promise(() => {});
  });
  assertEquals([run.runAsync(), log], [true, ["sync returned a promise"]]);
});

Deno.test("Run disposes of a resource asynchronously, or synchronously where nothing is awaited", async () => {
  for (const graceful of [true, false]) {
    const { log, run, push } = create();
    const resource = {
      [Symbol.dispose]() {
        log.push(`dispose ${this === resource}`);
      },
      [Symbol.asyncDispose]() {
        log.push(`asyncDispose ${this === resource}`);
        return Promise.resolve();
      },
    };
    push(resource[Symbol.asyncDispose], {
      ...awaited,
      handler: resource,
      self: resource,
      funcSync: resource[Symbol.dispose],
    });
    if (graceful) run.runAsync();
    else run.runSync();
    await settle();
    assertEquals(
      log,
      graceful
        ? ["asyncDispose true", "awaiting [Symbol.asyncDispose]", "finished"]
        : ["dispose true"],
    );
  }
});

Deno.test("Run reports a promise of a method that disposes synchronously", () => {
  const { log, run, push } = create();
  push(function resource() {}, { ...awaited, funcSync: () => Promise.resolve() });
  run.runSync();
  assertEquals(log, ["resource returned a promise"]);
});

Deno.test("Run.fail() lets the pending handler fail, and goes on", async () => {
  for (const graceful of [true, false]) {
    const { log, run, push } = create();
    push(async function behind() {}, awaited);
    push(() => new Promise(() => {}), awaited);
    run.fail("nobody", graceful);
    run.runAsync();
    run.fail("stuck", graceful);
    await settle();
    assertEquals(log, [
      "awaiting ",
      " raised stuck",
      ...graceful ? ["awaiting behind", "finished"] : ["behind not awaited", "finished"],
    ]);
  }
});

Deno.test("Run ignores a handler that settles after it has timed out", async () => {
  for (const method of ["resolve", "reject"] as const) {
    const { log, run, push } = create();
    const settling = Promise.withResolvers<void>();
    push(() => new Promise(() => {}), awaited);
    push(function slow() {
      return settling.promise;
    }, awaited);
    run.runAsync();
    run.fail("stuck", true);
    settling[method]();
    await settle();
    assertEquals(log, ["awaiting slow", "slow raised stuck", "awaiting "]);
  }
});

Deno.test("Run calls a handler with its arguments and its this", () => {
  const { log, run, push } = create();
  const func = function (this: unknown, ...args: unknown[]) {
    log.push(`${JSON.stringify(this)} ${JSON.stringify(args)}`);
  } as AnyFunction;
  push(func, { args: [1, "two"], self: { a: 1 } });
  push(func);
  run.runSync();
  assertEquals(log, ["undefined []", '{"a":1} [1,"two"]']);
});

Deno.test("Run.calling is true while a handler is on the call stack", () => {
  const { log, run, push } = create();
  const record = () => log.push(`${run.calling} ${run.callingUnawaited}`);
  push(() => void record());
  push(() => void record(), awaited);
  push(() => void record(), { ...awaited, funcSync: () => void record() });
  record();
  run.runSync();
  record();
  assertEquals(log, ["false false", "true false", "true true", "true false", "false false"]);
  push(() => void record(), awaited);
  run.runAsync();
  assertEquals(log.at(-1), "true false");
});

Deno.test("Run reports an exception or a rejection, and goes on", async () => {
  const { log, run, push, say } = create();
  push(say("last"));
  push(async function rejects() {
    await undefined;
    throw "later";
  }, awaited);
  push(function throws() {
    throw "now";
  });
  run.runAsync();
  await settle();
  assertEquals(log, [
    "throws raised now",
    "awaiting rejects",
    "rejects raised later",
    "last",
    "finished",
  ]);
});

Deno.test("Run takes whatever is thrown for an exception, also undefined", async () => {
  const { log, run, push } = create();
  push(() => Promise.reject(undefined), awaited);
  push(() => {
    throw undefined;
  });
  run.runAsync();
  await settle();
  assertEquals(log, [" raised undefined", "awaiting ", " raised undefined", "finished"]);
});

Deno.test("Run goes on whatever its host throws", async () => {
  const broken = () => {
    throw new Error("broken");
  };
  const stack = new Stack();
  const run = new Run(stack, {
    raised: broken,
    returnedPromise: broken,
    awaiting: broken,
    unawaited: broken,
    finished: broken,
  });
  const log: string[] = [];
  const push = (func: () => unknown, awaited: boolean) =>
    stack.push({ handler: func, func, args: [], self: undefined, awaited });
  const pushAll = () => {
    push(() => void log.push("last"), false);
    push(() => Promise.resolve(), false);
    push(() => Promise.resolve(), true);
    push(broken, false);
  };
  pushAll();
  run.runAsync();
  await settle();
  pushAll();
  run.runAsync();
  run.runSync();
  pushAll();
  run.runSync();
  assertEquals(log, ["last", "last", "last"]);
});

Deno.test("isThenable() takes no object for a promise whose then is no function, or throws", () => {
  const trap = {
    get then() {
      throw new Error("trap");
    },
  };
  const values = [Promise.resolve(), { then() {} }, Object.assign(() => {}, { then() {} })];
  assertEquals(values.map(isThenable), [true, true, true]);
  assertEquals([{}, { then: 5 }, trap, () => {}, []].map(isThenable), [
    false,
    false,
    false,
    false,
    false,
  ]);
});

Deno.test("onRejected() calls back with what a promise is rejected with, and calls no then()", async () => {
  const log: unknown[] = [];
  onRejected(Promise.reject("reason"), (error) => log.push(error));
  onRejected(Promise.resolve(1), (error) => log.push(error));
  onRejected({ then: () => log.push("called") }, (error) => log.push(error));
  await settle();
  assertEquals(log, ["reason"]);
});
