// The exact types of the exports: `any` can be assigned to a declared type, but is not the same type.

import { assertType, type IsExact, type IsNever } from "@std/testing/types";
import {
  type AsyncDisposable,
  type Disposable,
  type exit,
  type exitOnSignals,
  type ExitOnSignalsOptions,
  type ExitOptions,
  type ExitReason,
  type exitReason,
  type overrideExit,
  type OverrideExitOptions,
  register,
  registerAsync,
  type setGracePeriod,
  type Signal,
  type SystemExit,
  type unregister,
} from "../mod.ts";

Deno.test("exit() never returns", () => {
  assertType<IsExact<typeof exit, (code?: number, options?: ExitOptions) => never>>(true);
  assertType<IsNever<ReturnType<typeof exit>>>(true);
});

Deno.test("exitOnSignals() and overrideExit() return a Disposable", () => {
  assertType<IsExact<typeof exitOnSignals, (options?: ExitOnSignalsOptions) => Disposable>>(true);
  assertType<IsExact<typeof overrideExit, (options?: OverrideExitOptions) => Disposable>>(true);
});

Deno.test("the options of exit() and overrideExit() are a timeout, those of exitOnSignals() signals too", () => {
  type Timeout = { timeout?: number | undefined };
  type Signals = { signals?: Iterable<Signal> | undefined };
  assertType<IsExact<ExitOptions, Timeout>>(true);
  assertType<IsExact<OverrideExitOptions, Timeout>>(true);
  assertType<IsExact<Pick<ExitOnSignalsOptions, "timeout">, Timeout>>(true);
  assertType<IsExact<Pick<ExitOnSignalsOptions, "signals">, Signals>>(true);
  assertType<IsExact<keyof ExitOnSignalsOptions, "signals" | "timeout">>(true);
});

Deno.test("exitReason() returns an ExitReason or undefined", () => {
  assertType<IsExact<typeof exitReason, () => ExitReason | undefined>>(true);
  // deno-lint-ignore no-explicit-any
  assertType<IsExact<any, ExitReason | undefined>>(false);
});

Deno.test("an ExitReason has five kinds, of which two have a value", () => {
  type Kinds = "finished" | "exit" | "error" | "signal" | "unload";
  assertType<IsExact<ExitReason["kind"], Kinds>>(true);
  type Failure = Extract<ExitReason, { kind: "error" }>;
  assertType<IsExact<Failure["error"], unknown>>(true);
  type BySignal = Extract<ExitReason, { kind: "signal" }>;
  assertType<IsExact<BySignal["signal"], string>>(true);
  type Others = Exclude<ExitReason, Failure | BySignal>;
  assertType<IsExact<keyof Others, "kind">>(true);
});

Deno.test("setGracePeriod() takes a number or undefined", () => {
  type Expected = (milliseconds: number | undefined) => void;
  assertType<IsExact<typeof setGracePeriod, Expected>>(true);
});

Deno.test("register() and registerAsync() return the type of the function", () => {
  const greet = (name: string, times?: number) => console.log(name.repeat(times ?? 1));
  const save = async (path: string) => await Deno.writeTextFile(path, "");
  const greets = () => register(greet, "Ada", 2);
  const saves = () => registerAsync(save, "notes.txt");
  assertType<IsExact<ReturnType<typeof greets>, typeof greet>>(true);
  assertType<IsExact<ReturnType<typeof saves>, typeof save>>(true);
});

Deno.test("register() and registerAsync() return the type of the resource", () => {
  const opens = () => register(Deno.openSync("notes.txt"));
  const spawns = () => registerAsync(new Deno.Command("x").spawn());
  const stacks = () => registerAsync(new DisposableStack());
  const literals = () => register({ value: 1, [Symbol.dispose]() {} });
  assertType<IsExact<ReturnType<typeof opens>, Deno.FsFile>>(true);
  assertType<IsExact<ReturnType<typeof spawns>, Deno.ChildProcess>>(true);
  assertType<IsExact<ReturnType<typeof stacks>, DisposableStack>>(true);
  assertType<IsExact<ReturnType<typeof literals>["value"], number>>(true);
  // A wrong type is noticed.
  assertType<IsExact<ReturnType<typeof opens>, Disposable>>(false);
});

Deno.test("unregister() takes a function, a Disposable or an AsyncDisposable", () => {
  type Handler = ((...args: never[]) => unknown) | Disposable | AsyncDisposable;
  assertType<IsExact<typeof unregister, (handler: Handler) => void>>(true);
});

Deno.test("Disposable and AsyncDisposable are those of TypeScript's library", () => {
  type IsSame<A, B> = [A, B] extends [B, A] ? true : false;
  assertType<IsExact<IsSame<Disposable, globalThis.Disposable>, true>>(true);
  assertType<IsExact<IsSame<AsyncDisposable, globalThis.AsyncDisposable>, true>>(true);
  assertType<IsExact<ReturnType<Disposable[typeof Symbol.dispose]>, void>>(true);
  assertType<IsExact<ReturnType<AsyncDisposable[typeof Symbol.asyncDispose]>, PromiseLike<void>>>(
    true,
  );
});

Deno.test("SystemExit is constructed with a code or a text, and its code is a number", () => {
  type Arguments = ConstructorParameters<typeof SystemExit>;
  assertType<IsExact<Arguments, [code?: string | number | undefined]>>(true);
  assertType<IsExact<SystemExit["code"], number>>(true);
});
