// What a runtime throws stops no run.

import { assertEquals, assertThrows } from "@std/assert";
import { reserveStack } from "../guard.ts";
import { causes, Harness, settle } from "./fake_runtime.ts";

// ------------------------------------------------------------- what the runtime throws stops no run

/** Each function of the runtime that the lifecycle calls, to be replaced. */
const functions: [
  name: string,
  replace: (runtime: Harness["runtime"], func: () => never) => void,
][] = [
  ["isTestRunner()", (runtime, func) => runtime.isTestRunner = func],
  ["handlerAdded()", (runtime, func) => runtime.handlerAdded = func],
  ["keepAlive()", (runtime, func) => runtime.keepAlive = func],
  ["flush()", (runtime, func) => runtime.flush = func],
  ["exit()", (runtime, func) => runtime.exit = func],
  ["now()", ({ clock }, func) => clock.now = func],
  ["startTimer()", ({ clock }, func) => clock.startTimer = func],
  ["stopping a timer", ({ clock }, func) => {
    const { startTimer } = clock;
    clock.startTimer = (...args) => {
      startTimer(...args);
      return func;
    };
  }],
  ["inspect()", ({ output }, func) => output.inspect = func],
  ["highlight()", ({ output }, func) => output.highlight = func],
  ["write()", ({ output }, func) => output.write = func],
  ["numberOf()", ({ signals }, func) => signals.numberOf = func],
  ["drains", ({ signals }, get) => Object.defineProperty(signals, "drains", { get })],
  ["exitCode", (runtime, get) => Object.defineProperty(runtime, "exitCode", { get, set: get })],
];

const ends: ((h: Harness) => void)[] = [
  ...Object.values(causes),
  (h) => h.exitNow(3),
  (h) => h.unload(),
  (h) => h.handled(new Error("1"), () => h.lifecycle.exit(3)),
  (h) => {
    h.lifecycle.overrideExit(undefined);
    h.exitNow(3);
  },
];

for (const [name, replace] of functions) {
  Deno.test(`Lifecycle: each handler runs though ${name} of the runtime throws`, async () => {
    for (const end of ends) {
      const h = new Harness();
      replace(h.runtime, () => {
        throw new Error("broken");
      });
      h.sync("last");
      h.async("awaited").resolve();
      h.sync("fails", () => {
        throw new Error("bad");
      });
      try {
        end(h);
      } catch {
        // `SystemExit`, or what is broken: the fake runtime calls it, too.
      }
      h.lifecycle.drained();
      await settle();
      h.runtime.pass(5_000);
      await settle();
      assertEquals(h.said.filter((line) => line !== "awaited settles"), [
        "fails",
        "awaited",
        "last",
      ]);
      h.unload("finished");
      // An error that is rethrown is on its way.
      if (h.lifecycle.state !== "exiting") assertEquals(h.lifecycle.exitReason(), undefined);
    }
  });
}

Deno.test("Lifecycle: the program ends though its output is rejected", async () => {
  const h = new Harness();
  h.runtime.flushing = Promise.reject(new Error("closed"));
  h.exit(3);
  h.lifecycle.drained();
  await settle();
  assertEquals(h.runtime.ends, ["exit 3"]);
});

Deno.test("exitOnSignals() throws what stops it from listening, and stops without an exception", () => {
  const h = new Harness();
  assertThrows(() => h.lifecycle.exitOnSignals({ signals: ["SIGKILL"] }), TypeError);
  h.runtime.signals.listen = () => () => {
    throw new Error("broken");
  };
  h.lifecycle.exitOnSignals({ signals: ["SIGTERM"] })();
});

Deno.test("guard() answers for a runtime that throws", () => {
  const h = new Harness();
  h.sync("last");
  for (const [name, replace] of functions) {
    if (!/^(isTestRunner|numberOf|drains)/.test(name)) continue;
    replace(h.runtime, () => {
      throw new Error("broken");
    });
  }
  h.exit(3);
  assertEquals(h.lifecycle.state, "pending");
  h.signal("SIGTERM");
  assertEquals(h.runtime.exitCode, 128);
  h.runtime.pass(0);
  assertEquals([h.said, h.runtime.ends], [["last"], ["exit 128 by SIGTERM"]]);
});

Deno.test("guard() lets signals be stopped", () => {
  const h = new Harness();
  const stop = h.lifecycle.exitOnSignals({ signals: ["SIGTERM"] });
  assertEquals(h.runtime.isListening("SIGTERM"), true);
  stop();
  assertEquals(h.runtime.isListening("SIGTERM"), false);
});

Deno.test("reserveStack() throws where the stack is nearly full", () => {
  const dive = (): unknown => {
    try {
      return dive();
    } catch {
      return assertThrows(() => reserveStack(), RangeError);
    }
  };
  dive();
  reserveStack(); // Here is room.
});
