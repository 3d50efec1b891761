// register() and unregister(): bad input, decorators, copies of the module.

import { assertStrictEquals, assertThrows } from "@std/assert";
import { register, registerAsync, unregister } from "../mod.ts";
import { assertOutcome, runFixture } from "./program.ts";

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

Deno.test("register decorates static and instance methods", async () => {
  assertOutcome(await runFixture("decorated"), {
    lines: ["b", "a", "private", "static true"],
    code: 0,
    stderr: "",
  });
});

Deno.test("register as a decorator of anything but a method throws a TypeError", async () => {
  const kinds = ["class", "field", "accessor", "getter", "setter"];
  assertOutcome(await runFixture("decorates_others"), {
    lines: kinds.map((kind) =>
      `TypeError: Cannot decorate a ${kind} with @register: expected a method`
    ),
  });
});

Deno.test("register() of all copies of the module in a realm adds to one registry", async () => {
  assertOutcome(await runFixture("loads_copies"), {
    lines: ["true true false", "3 of copy 1", "2 of copy 2", "1 of copy 1"],
    code: 3,
    stderr: "",
  });
});
