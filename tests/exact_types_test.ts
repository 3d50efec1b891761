// The exact types of the exports: `any` can be assigned to a declared type, but is not the same type.

import { assertType, type IsExact } from "@std/testing/types";
import { type ExitReason, exitReason, register, registerAsync, type SystemExit } from "../mod.ts";

Deno.test("exitReason() returns an ExitReason or undefined", () => {
  const reason = exitReason();
  assertType<IsExact<typeof reason, ExitReason | undefined>>(true);
  // deno-lint-ignore no-explicit-any
  assertType<IsExact<any, ExitReason | undefined>>(false);
});

Deno.test("an ExitReason of the kind error has an error of unknown type", () => {
  type Failure = Extract<ExitReason, { kind: "error" }>;
  assertType<IsExact<Failure["error"], unknown>>(true);
});

Deno.test("register() and registerAsync() return the type of the function", () => {
  const greet = (name: string, times?: number) => console.log(name.repeat(times ?? 1));
  const save = async (path: string) => await Deno.writeTextFile(path, "");
  const greets = () => register(greet, "Ada", 2);
  const saves = () => registerAsync(save, "notes.txt");
  assertType<IsExact<ReturnType<typeof greets>, typeof greet>>(true);
  assertType<IsExact<ReturnType<typeof saves>, typeof save>>(true);
});

Deno.test("the code of a SystemExit is a number", () => {
  assertType<IsExact<SystemExit["code"], number>>(true);
});
