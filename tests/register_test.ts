// register() and unregister(): bad input, decorators.

import { assertStrictEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { register, registerAsync, unregister } from "../mod.ts";
import { assertOutcome, runFixture } from "./program.ts";

Deno.test("register() returns the function", () => {
  const func = () => {};
  assertStrictEquals(register(func), func);
  assertStrictEquals(registerAsync(func), func);
  unregister(func);
});

Deno.test("register() throws a TypeError if the function is not callable", () => {
  const fails = () => {
    throw new Error("looked at");
  };
  const hostile = new Proxy({}, { get: fails, getPrototypeOf: fails, has: fails });
  const values: [unknown, string][] = [
    [undefined, "undefined"],
    [null, "null"],
    [5, "5"],
    ["text", '"text"'],
    [{}, "an object"],
    [Symbol("s"), "a symbol"],
    [hostile, "an object"],
  ];
  for (const add of [register, registerAsync]) {
    for (const [value, name] of values) {
      assertThrows(
        () => add(value as () => void),
        TypeError,
        `Cannot register the exit handler: expected a function, received ${name}`,
      );
    }
  }
});

Deno.test("register() throws a TypeError at a class, and names decorators of the old kind", () => {
  class Service {
    close() {}
  }
  const oldDecorator = (target: unknown, ...args: unknown[]) => () =>
    (register as (...args: unknown[]) => void)(target, ...args);
  const calls: [() => void, string][] = [
    [oldDecorator(Service), "a class"],
    [oldDecorator(Service, "close", {}), "a class"],
    [oldDecorator(Service.prototype, "close", {}), "an object"],
    [oldDecorator(Service.prototype, Symbol("close"), undefined), "an object"],
  ];
  for (const [call, received] of calls) {
    const { message } = assertThrows(call, TypeError);
    assertStringIncludes(
      message,
      `expected a function, received ${received}. As a decorator, @register`,
    );
    assertStringIncludes(message, "turn off experimentalDecorators");
  }
});

Deno.test("unregister() does nothing if there is no registration", () => {
  unregister(() => {});
});

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

Deno.test("register() says so where the function was called instead of passed", () => {
  for (const [value, name] of [[undefined, "undefined"], [Promise.resolve(), "a promise"]]) {
    assertThrows(
      () => register(value as unknown as () => void),
      TypeError,
      `expected a function, received ${name}. Pass the function, and do not call it`,
    );
  }
});
