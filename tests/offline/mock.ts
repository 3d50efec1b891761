// The names of `@std/testing/mock` that the tests use, over `node:test`, for where JSR is out of reach.

import { assertEquals } from "@std/assert";
import { mock } from "node:test";

/** A method that is replaced until it is disposed of. */
export interface Stub extends Disposable {
  readonly calls: { readonly args: unknown[] }[];
}

export function stub<T extends object, K extends keyof T>(
  object: T,
  name: K,
  implementation: T[K],
): Stub {
  // deno-lint-ignore no-explicit-any
  const replaced = mock.method(object as any, name as any, implementation as any).mock;
  return {
    get calls() {
      return replaced.calls.map((call: { arguments: unknown[] }) => ({ args: call.arguments }));
    },
    [Symbol.dispose]: () => replaced.restore(),
  };
}

export function assertSpyCalls({ calls }: Stub, expected: number): void {
  assertEquals(calls.length, expected);
}
