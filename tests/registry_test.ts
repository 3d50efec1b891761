// The registry by itself: the stack, and the run.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { assertSpyCalls, stub } from "@std/testing/mock";
import { SystemExit } from "../errors.ts";
import { Registry } from "../registry.ts";
import { register } from "../mod.ts";

/** A registry, and the log of what its handlers do. */
function create() {
  const log: unknown[] = [];
  const registry = new Registry((code) => log.push(`code ${code}`));
  const push = (func: () => unknown, waits = false) => registry.push(func, [], undefined, waits);
  const handler = (name: string) => () => void log.push(name);
  return { log, registry, push, handler };
}

Deno.test("remove() takes back every handler of a function, among many others", () => {
  const { log, registry, push, handler } = create();
  const funcs = Array.from({ length: 200 }, (_, index) => handler(`${index}`));
  for (const func of funcs) push(func);
  for (const func of funcs) push(func);
  for (const func of funcs) registry.push(func, [1], undefined, false);
  // More than half of the stack goes, so it is compacted on the way.
  for (const [index, func] of funcs.entries()) if (index % 4 !== 0) registry.remove(func);
  registry.remove(funcs[1]);
  registry.runNow();
  const left = funcs.map((_, index) => `${index}`).filter((_, index) => index % 4 === 0).reverse();
  assertEquals(log, [...left, ...left, ...left]);
  assertEquals(registry.isEmpty, true);
});

Deno.test("the gaps that remove() leaves are closed, and what is left is still found", () => {
  const { log, registry, push, handler } = create();
  const old = Array.from({ length: 100 }, (_, index) => handler(`old ${index}`));
  const fresh = Array.from({ length: 40 }, (_, index) => handler(`fresh ${index}`));
  for (const func of old) push(func);
  for (const func of old.slice(0, 90)) registry.remove(func);
  for (const func of fresh) push(func);
  registry.remove(fresh[5]); // closes the gaps
  registry.remove(old[95]);
  registry.runNow();
  const names = (name: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${name} ${index}`).reverse();
  assertEquals(log, [
    ...names("fresh", 40).filter((name) => name !== "fresh 5"),
    ...names("old", 100).slice(0, 10).filter((name) => name !== "old 95"),
  ]);
});

Deno.test("remove() during a run finds handlers wherever they have moved", () => {
  const { log, registry, push, handler } = create();
  const [a, b, c] = ["a", "b", "c"].map(handler);
  push(a);
  push(b);
  push(() => {
    registry.remove(c); // builds the index
    push(c);
    push(a);
  });
  push(c);
  push(() => {
    registry.remove(b);
    push(b);
    push(b);
    registry.remove(a);
  });
  registry.runNow();
  assertEquals(log, ["b", "b", "c", "a", "c"]);
});

Deno.test("remove() leaves alone what has taken the place of a handler that has run", () => {
  const { log, registry, push, handler } = create();
  const c = handler("c");
  const b = () => {
    push(c);
    registry.remove(b);
  };
  push(handler("a"));
  push(b);
  registry.remove(c); // builds the index
  registry.runNow();
  assertEquals(log, ["c", "a"]);
});

Deno.test("remove() of the last handler that waits leaves nothing to wait for", () => {
  const { registry, push } = create();
  const func = () => Promise.resolve();
  push(func, true);
  push(func, true);
  push(() => {});
  assertEquals(registry.waits, true);
  registry.remove(func);
  assertEquals(registry.waits, false);
});

Deno.test("a registry can be used again after a run", () => {
  const { log, registry, push, handler } = create();
  const a = handler("a");
  push(a);
  registry.remove(() => {});
  registry.runNow();
  push(a);
  push(a);
  registry.remove(a);
  push(handler("b"));
  registry.runNow();
  registry.runNow();
  assertEquals(log, ["a", "b"]);
});

Deno.test("the failure is the last exception, unless SystemExit came after it", () => {
  using error = stub(console, "error", () => {});
  const { log, registry, push } = create();
  push(() => {
    throw "last";
  });
  push(() => {
    throw new SystemExit(3);
  });
  push(() => {
    throw "first";
  });
  registry.runNow();
  assertEquals(registry.failure, { error: "last" });
  assertEquals(log, ["code 3"]);
  assertSpyCalls(error, 2);
  push(() => {
    throw new SystemExit(4);
  });
  registry.runNow();
  assertEquals(registry.failure, undefined);
});

Deno.test("a report says which handler it is, in one line", () => {
  using error = stub(console, "error", () => {});
  const { registry, push } = create();
  const fail = (): never => {
    throw new TypeError("bad");
  };
  push(Object.defineProperty(() => fail(), "name", { value: "two\n  lines\x1b[31m" }));
  push(Object.defineProperty(() => fail(), "name", { value: `long${"!".repeat(100)}` }));
  push(Object.defineProperty(() => fail(), "name", { value: 5 }));
  push((() => () => fail())());
  registry.runNow();
  const lines = error.calls.map(({ args }) => String(args[0]).split("\n")[0]);
  assertEquals(lines, [
    "Exception in atexit handler (anonymous) ()=>fail():",
    "Exception in atexit handler (anonymous) ()=>fail():",
    `Exception in atexit handler long${"!".repeat(55)}…:`,
    "Exception in atexit handler two lines [31m:",
  ]);
});

Deno.test("a report that the program's console refuses is written all the same", () => {
  using _error = stub(console, "error", () => {
    throw new Error("refused");
  });
  const { log, registry, push, handler } = create();
  push(handler("last"));
  push(() => {
    throw "This line belongs to the test of a console that throws";
  });
  registry.runNow();
  assertEquals(log, ["last"]);
});

Deno.test("a graceful run awaits one handler after the other, and then says that it is over", async () => {
  const { log, registry, push, handler } = create();
  const { promise, resolve } = Promise.withResolvers<void>();
  push(handler("sync"));
  push(async () => {
    log.push("begins");
    await promise;
    log.push("ends");
  }, true);
  const over = new Promise<void>((resolve) => registry.onOver = resolve);
  assertEquals(registry.runGracefully(), false);
  assertEquals([registry.running, registry.calling], [true, false]);
  assertEquals(log, ["begins"]);
  resolve();
  await over;
  assertEquals(log, ["begins", "ends", "sync"]);
  assertEquals(registry.running, false);
});

Deno.test("a graceful run without a promise is over at once", () => {
  const { log, registry, push, handler } = create();
  push(handler("sync"));
  push(handler("async by name only"), true);
  assertEquals(registry.waits, true);
  assertEquals(registry.runGracefully(), true);
  assertEquals(log, ["async by name only", "sync"]);
  assertEquals(registry.waits, false);
});

Deno.test("runNow() cuts a graceful run short, and each handler runs once", async () => {
  using error = stub(console, "error", () => {});
  const { log, registry, push, handler } = create();
  const { promise, resolve } = Promise.withResolvers<void>();
  push(handler("sync"));
  push(async function waiting() {
    log.push("begins");
    await promise;
    log.push("ends");
  }, true);
  registry.onOver = () => log.push("over");
  registry.runGracefully();
  registry.runNow();
  assertEquals(log, ["begins", "sync"]);
  assertSpyCalls(error, 1);
  assertStringIncludes(String(error.calls[0].args[0]), "Cannot await atexit handler waiting");
  resolve();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(log, ["begins", "sync", "ends"]); // the handler itself goes on, the run does not
});

Deno.test("clear() drops every handler, the one that is awaited too", async () => {
  const { log, registry, push, handler } = create();
  push(handler("never"));
  push(() => Promise.resolve(), true);
  registry.runGracefully();
  registry.clear();
  assertEquals([registry.isEmpty, registry.running, registry.waits], [true, false, false]);
  await Promise.resolve();
  assertEquals(log, []);
});

Deno.test("a stub of Deno.exit sees the exit, and the handlers wait for the real one", () => {
  const calls: unknown[] = [];
  {
    using exit = stub(Deno, "exit", ((code?: number) => calls.push(code)) as typeof Deno.exit);
    register(() => console.log("This line belongs to the test of a stub of Deno.exit"));
    Deno.exit(7);
    assertSpyCalls(exit, 1);
  }
  assertEquals(calls, [7]);
});
