// One end of the program: which of two causes decides, the code, and the reason.

import { assertEquals, assertStrictEquals } from "@std/assert";
import { type Cause, Shutdown } from "../shutdown.ts";

const error = new Error("1");

/** The causes in the order of their rank. The first three have the same one. */
const causes: Cause[] = [
  { kind: "finished" },
  { kind: "close" },
  { kind: "unload" },
  { kind: "exit", code: 3 },
  { kind: "error", error, rethrow() {} },
  { kind: "signal", signal: "SIGINT", code: 130 },
];

/** For each of them: its exit code, whether it decides the status whatever handlers do, its reason. */
const expected: [code: number | undefined, isDecided: boolean, reason: unknown][] = [
  [undefined, false, { kind: "finished" }],
  [undefined, false, { kind: "exit" }],
  [undefined, false, { kind: "unload" }],
  [3, false, { kind: "exit" }],
  [1, true, { kind: "error", error }],
  [130, true, { kind: "signal", signal: "SIGINT" }],
];

for (const [i, cause] of causes.entries()) {
  Deno.test(`Shutdown: the code and the reason of ${cause.kind}`, () => {
    const shutdown = new Shutdown(cause, 6);
    const [code, isDecided, reason] = expected[i];
    assertEquals([shutdown.code, shutdown.isDecided], [code, isDecided]);
    assertEquals(shutdown.toReason(), reason as ReturnType<Shutdown["toReason"]>);
    assertEquals([shutdown.codeBefore, shutdown.codeAwaiting], [6, 6]);
    assertEquals([shutdown.stage, shutdown.timedOut], ["pending", false]);
  });

  for (const [j, other] of causes.entries()) {
    const isHigher = j > i && j > 2;
    const winner = isHigher ? other : cause;
    Deno.test(`Shutdown: of ${cause.kind}, then ${other.kind}, ${winner.kind} decides`, () => {
      const shutdown = new Shutdown(cause, 0);
      const joined = { ...other };
      assertStrictEquals(shutdown.join(joined), isHigher ? cause : joined);
      assertStrictEquals(shutdown.cause, isHigher ? joined : cause);
    });
  }

  Deno.test(`Shutdown: the last exception of the handlers is taken once, at ${cause.kind}`, () => {
    const shutdown = new Shutdown(cause, 0);
    const failure = { error: new Error("bad") };
    assertEquals(shutdown.takeFailure(), undefined);
    shutdown.failure = failure;
    assertStrictEquals(shutdown.takeFailure(), shutdown.isDecided ? undefined : failure);
    assertEquals([shutdown.failure, shutdown.takeFailure()], [undefined, undefined]);
  });
}
