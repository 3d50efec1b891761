// register() and unregister(): resources, bad input, decorators.

import { assertEquals, assertStrictEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { register, registerAsync, unregister } from "../mod.ts";
import { assertOutcome, run, runFixture } from "./program.ts";

/** `register` and `registerAsync`, without their types. */
const adders = [register, registerAsync] as unknown as ((...args: unknown[]) => unknown)[];

const refused = "Cannot register the exit handler: ";
const neither = `${refused}expected a function or a disposable resource, received `;

/** Asserts that both functions throw a TypeError with this message. */
function assertRefused(args: unknown[], message: string): void {
  for (const add of adders) {
    assertEquals(assertThrows(() => add(...args), TypeError).message, message);
  }
}

Deno.test("register() returns the function", () => {
  const func = () => {};
  assertStrictEquals(register(func), func);
  assertStrictEquals(registerAsync(func), func);
  unregister(func);
});

Deno.test("unregister() does nothing if there is no registration", () => {
  unregister(() => {});
  unregister({ [Symbol.dispose]() {} });
});

// --------------------------------------------------------------------------------------- resources

Deno.test("register() returns the resource", () => {
  const resource = { [Symbol.dispose]() {}, async [Symbol.asyncDispose]() {} };
  assertStrictEquals(register(resource), resource);
  assertStrictEquals(registerAsync(resource), resource);
  unregister(resource);
});

Deno.test("register() calls the method of a resource with the resource as `this`, and without arguments", async () => {
  const outcome = await run(`
    import { register, registerAsync } from "@atexit/atexit";
    class Resource {
      #name;
      constructor(name) { this.#name = name; }
      [Symbol.dispose](...args) { console.log("dispose", this.#name, args.length); }
    }
    class AsyncResource extends Resource {
      async [Symbol.asyncDispose](...args) { super[Symbol.dispose](...args); console.log("awaited"); }
    }
    register(new Resource("a"));
    registerAsync(new Resource("b"));
    registerAsync(new AsyncResource("c"));
  `);
  const lines = ["dispose c 0", "awaited", "dispose b 0", "dispose a 0"];
  assertOutcome(outcome, { lines, code: 0, stderr: "" });
});

Deno.test("register() looks up the method of a resource when it is called, and only once", async () => {
  const outcome = await run(`
    import { register, registerAsync } from "@atexit/atexit";
    for (const add of [register, registerAsync]) {
      add({
        get [Symbol.dispose]() {
          console.log(add.name, "looks up");
          return () => console.log(add.name, "disposes");
        },
      });
    }
    const replaced = register({ [Symbol.dispose]() { console.log("first method"); } });
    replaced[Symbol.dispose] = () => console.log("second method");
    const removed = register({ [Symbol.dispose]() { console.log("removed method"); } });
    delete removed[Symbol.dispose];
    console.log("started");
  `);
  const lines = [
    ...["register looks up", "registerAsync looks up", "started"],
    ...["removed method", "first method", "registerAsync disposes", "register disposes"],
  ];
  assertOutcome(outcome, { lines, code: 0, stderr: "" });
});

Deno.test("register() calls a function that is also a resource, and does not dispose of it", async () => {
  const outcome = await run(`
    import { register, registerAsync } from "@atexit/atexit";
    const func = Object.assign((text) => console.log("called", text), {
      [Symbol.dispose]() { console.log("never"); },
      [Symbol.asyncDispose]() { console.log("never"); },
    });
    register(func, 1);
    registerAsync(func, 2);
  `);
  assertOutcome(outcome, { lines: ["called 2", "called 1"], code: 0, stderr: "" });
});

Deno.test("unregister() removes every registration of a resource, and leaves others of its class", async () => {
  const outcome = await run(`
    import { register, registerAsync, unregister } from "@atexit/atexit";
    class Resource {
      constructor(name) { this.name = name; }
      [Symbol.dispose]() { console.log("dispose", this.name); }
    }
    const closed = register(new Resource("closed"));
    register(new Resource("open"));
    register(closed);
    registerAsync(closed);
    unregister(closed);
  `);
  assertOutcome(outcome, { lines: ["dispose open"], code: 0, stderr: "" });
});

Deno.test("register() throws what a getter of the resource throws", () => {
  const error = new Error("no method today");
  const fails = () => {
    throw error;
  };
  const proxy = new Proxy({}, { get: fails });
  const getter = Object.defineProperty({}, Symbol.dispose, { get: fails });
  const asyncGetter = Object.defineProperty({ [Symbol.dispose]() {} }, Symbol.asyncDispose, {
    get: fails,
  });
  for (const add of adders) {
    assertStrictEquals(assertThrows(() => add(proxy)), error);
    assertStrictEquals(assertThrows(() => add(getter)), error);
  }
  assertStrictEquals(assertThrows(() => registerAsync(asyncGetter)), error);
});

Deno.test("register() throws a TypeError if a resource is given with arguments", () => {
  class Resource {
    [Symbol.dispose]() {}
  }
  const message = `${refused}a resource takes no arguments`;
  assertRefused([new Resource(), 1], message);
  assertRefused([new Resource(), undefined], message);
  assertRefused([new Resource(), "text", 2, 3], message);
});

Deno.test("register() throws a TypeError that names registerAsync() if a resource can only be awaited", () => {
  const resource = { async [Symbol.asyncDispose]() {} };
  const { message } = assertThrows(
    () => register(resource as unknown as Disposable),
    TypeError,
  );
  const expected = "expected an object with [Symbol.dispose](), received one with only " +
    "[Symbol.asyncDispose](), which has to be awaited. Use registerAsync()";
  assertEquals(message, refused + expected);
  registerAsync(resource);
  unregister(resource);
});

// --------------------------------------------------------------------------------------- bad input

Deno.test("register() throws a TypeError if the handler is neither a function nor a resource", () => {
  const values: [unknown, string][] = [
    [null, "null"],
    [5, "5"],
    ["text", '"text"'],
    [{}, "an object"],
    [[() => {}], "an object"],
    [{ [Symbol.dispose]: 1 }, "an object"],
    [{ [Symbol.dispose]: null, [Symbol.asyncDispose]: undefined }, "an object"],
    [Symbol("s"), "a symbol"],
  ];
  for (const [value, name] of values) assertRefused([value], neither + name);
});

Deno.test("register() says so where the function was called instead of passed", () => {
  const remedy = ". Pass the function instead of calling it";
  assertRefused([undefined], `${neither}undefined${remedy}`);
  assertRefused([Promise.resolve()], `${neither}a promise${remedy}`);
  assertRefused([{ then() {} }], `${neither}a promise${remedy}`);
});

Deno.test("register() throws a TypeError at a class, and names decorators of the old kind", () => {
  class Service {
    close() {}
    [Symbol.dispose]() {}
  }
  const calls: [args: unknown[], string][] = [
    [[Service], "a class"],
    [[Service, "close", {}], "a class"],
    [[Service.prototype, "close", {}], "an object"],
    [[Service.prototype, Symbol.dispose, {}], "an object"],
    [[Service.prototype, Symbol("close"), undefined], "an object"],
  ];
  for (const add of adders) {
    for (const [args, received] of calls) {
      const { message } = assertThrows(() => add(...args), TypeError);
      assertStringIncludes(
        message,
        `${neither}${received}. As a decorator, @${add.name} works on methods only`,
      );
      assertStringIncludes(message, "turn off experimentalDecorators, or use Bun 1.4 or newer");
    }
  }
});

Deno.test("register() registers nothing if it throws", async () => {
  const outcome = await run(`
    import { register, registerAsync } from "@atexit/atexit";
    const never = () => console.log("never");
    const calls = {
      "a resource with an argument": (add) => add({ [Symbol.dispose]: never }, 1),
      "a getter that throws": (add) =>
        add({ [Symbol.asyncDispose]: never, get [Symbol.dispose]() { throw new Error(); } }),
      "an old decorator": (add) =>
        add({ [Symbol.dispose]: never, [Symbol.asyncDispose]: never }, "close", {}),
      "a resource that can only be awaited": () => register({ [Symbol.asyncDispose]: never }),
      "a class": (add) => add(class { static [Symbol.dispose]() { never(); } }),
      "a getter": (add) => class { @add get getter() { return never(); } },
    };
    for (const [name, call] of Object.entries(calls)) {
      for (const add of [register, registerAsync]) {
        try {
          call(add);
        } catch {
          console.log("throws at", name);
        }
      }
    }
  `);
  const names = [
    "a resource with an argument",
    "a getter that throws",
    "an old decorator",
    "a resource that can only be awaited",
    "a class",
    "a getter",
  ];
  assertOutcome(outcome, {
    lines: names.flatMap((name) => Array(2).fill(`throws at ${name}`)),
    code: 0,
    stderr: "",
  });
});

// -------------------------------------------------------------------------------------- decorators

Deno.test("register decorates static and instance methods", async () => {
  assertOutcome(await runFixture("decorated"), {
    lines: ["b", "a", "private", "static true"],
    code: 0,
    stderr: "",
  });
});

Deno.test("register as a decorator of anything but a method throws a TypeError", async () => {
  const kinds = ["a class", "a field", "an accessor", "a getter", "a setter"];
  assertOutcome(await runFixture("decorates_others"), {
    lines: kinds.map((kind) =>
      `TypeError: Cannot decorate ${kind} with @register: expected a method`
    ),
  });
});
