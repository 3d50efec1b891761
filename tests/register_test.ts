// register() and unregister(): bad input, decorators, copies of the module.

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { register, registerAsync, SystemExit, unregister } from "../mod.ts";
import { runFixture } from "./program.ts";

Deno.test("register() returns the function", () => {
  const func = () => {};
  assertStrictEquals(register(func), func);
  assertStrictEquals(registerAsync(func), func);
  unregister(func);
});

Deno.test("register() throws a TypeError if the function is not callable", () => {
  const values: [unknown, string][] = [
    [undefined, "undefined"],
    [null, "null"],
    [5, "5"],
    ["text", '"text"'],
    [{}, "an object"],
    [Symbol("s"), "a symbol"],
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

Deno.test("unregister() does nothing if there is no registration", () => {
  unregister(() => {});
});

Deno.test("SystemExit checks its code", () => {
  assertEquals(new SystemExit().code, 0);
  assertEquals(new SystemExit(-1).code, -1);
  for (const code of [1.5, NaN, Infinity, 2 ** 31]) {
    assertThrows(() => new SystemExit(code), RangeError, `received ${code}`);
  }
  for (const code of ["1", null, {}, () => {}]) {
    assertThrows(() => new SystemExit(code as number), TypeError, "Cannot create SystemExit");
  }
});

Deno.test("SystemExit is an Error with a name and a message", () => {
  const error = new SystemExit(2);
  assertEquals(error instanceof Error, true);
  assertEquals([error.name, error.message], ["SystemExit", "The program ends with exit code 2"]);
});

Deno.test("register works as a decorator of static and instance methods", async () => {
  const { lines, code, stderr } = await runFixture("decorated");
  assertEquals(lines, ["b", "a", "private", "static true"]);
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("register as a decorator of anything but a method throws a TypeError", async () => {
  const { lines } = await runFixture("decorates_others");
  assertEquals(
    lines,
    ["class", "field", "accessor", "getter", "setter"].map((kind) =>
      `TypeError: Cannot decorate a ${kind} with @register: expected a method`
    ),
  );
});

Deno.test("there is one registry per realm, however many copies are loaded", async () => {
  const { lines, code, stderr } = await runFixture("loads_copies");
  assertEquals(lines, ["true true false", "3 of copy 1", "2 of copy 2", "1 of copy 1"]);
  assertEquals([code, stderr], [3, ""]);
});
