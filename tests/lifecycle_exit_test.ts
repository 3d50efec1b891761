// Exits, with a fake runtime: `exit()`, `overrideExit()`, exits of the runtime that join, and exits
// that are prevented.

import { assertEquals, assertThrows } from "@std/assert";
import { SystemExit } from "../errors.ts";
import { catchExit, Harness, INTERRUPTION, NO_TRACES, settle } from "./fake_runtime.ts";

// --------------------------------------------------------------------------------------- exit()

Deno.test("exit() throws a SystemExit with the code, or with the exit code of the program", () => {
  for (const [code, expected] of [[3, 3], [undefined, 6]]) {
    const h = new Harness();
    h.runtime.exitCode = 6;
    h.sync("last");
    assertEquals(catchExit(() => h.lifecycle.exit(code)), expected);
    assertEquals([h.said, h.runtime.exitCode], [[], expected]);
    assertEquals(h.lifecycle.exitReason(), { kind: "exit" });
    assertEquals(h.lifecycle.mustWait, true);
  }
});

Deno.test("exit() runs the handlers in a turn of its own when its exception has surfaced", () => {
  const h = new Harness();
  h.sync("last", () => h.said.push(`${h.runtime.exitCode}`));
  h.exitUncaught(3);
  assertEquals(h.said, []);
  h.runtime.pass(0);
  assertEquals([h.said, h.runtime.ends], [["last", "3"], ["exit 3"]]);
});

Deno.test("exit() that is caught takes effect after five seconds, or its timeout if that is shorter", () => {
  type Time = number | undefined;
  const rows: [timeout: Time, grace: Time, latest: number][] = [
    [undefined, undefined, 5_000],
    [100, undefined, 100],
    [60_000, undefined, 5_000],
    [undefined, 200, 200],
    [undefined, 60_000, 5_000],
    [100, 50, 100],
    [0, undefined, 0],
  ];
  for (const [timeout, grace, latest] of rows) {
    const h = new Harness();
    h.sync("last");
    h.lifecycle.setGracePeriod(grace);
    h.exit(3, timeout);
    if (latest > 0) h.runtime.pass(latest - 1);
    assertEquals(h.said, []);
    h.runtime.pass(1);
    assertEquals([h.said, h.runtime.ends], [["last"], ["exit 3"]]);
  }
});

Deno.test("exit() keeps the program alive until the handlers run where an empty loop is not reported", () => {
  const h = new Harness();
  h.exit(3);
  assertEquals(h.runtime.timerModes, ["unlessDrained"]);
});

Deno.test("exit() of several: the first one decides the code, and the shortest timeout counts", () => {
  for (const timeouts of [[100, 9_000], [9_000, 100], [100, undefined], [undefined, 100]]) {
    const h = new Harness();
    h.async("stuck");
    h.exit(3, timeouts[0]);
    h.exit(4, timeouts[1]);
    h.runtime.pass(0);
    h.runtime.pass(99);
    assertEquals([h.said, h.runtime.ends], [["stuck"], []]);
    h.runtime.pass(1);
    assertEquals(h.runtime.ends.at(-1), "exit 3");
  }
});

Deno.test("exit() restores its code when the run starts, whatever has been assigned since", () => {
  const h = new Harness();
  h.exit(3);
  h.runtime.exitCode = 9;
  h.runtime.pass(5_000);
  assertEquals(h.runtime.ends, ["exit 3"]);
});

Deno.test("exit() in a handler has its timeout counted from the call", async () => {
  const h = new Harness();
  h.async("stuck");
  h.sync("limits", () => h.exit(4, 100));
  h.async("first", () => h.runtime.block(1_000)).resolve();
  h.exit(3);
  h.lifecycle.drained();
  await settle();
  h.runtime.pass(99);
  assertEquals(h.runtime.ends, []);
  h.runtime.pass(1);
  assertEquals(h.runtime.ends.at(-1), "exit 3");
});

Deno.test("exit() sets the code in an asynchronous handler that nobody awaits", () => {
  const h = new Harness();
  h.register(async () => await h.lifecycle.exit(20), { awaited: true });
  h.exitNow(11);
  assertEquals(h.runtime.ends, ["now 20"]);
});

Deno.test("exit() after an await in a handler joins the run, and stops the handler", async () => {
  const h = new Harness();
  h.sync("last");
  h.register(async function exits() {
    await undefined;
    h.lifecycle.exit(20);
  }, { awaited: true });
  h.lifecycle.drained();
  await settle();
  assertEquals([h.said, h.runtime.ends, h.reports], [["last"], ["exit 20"], []]);
});

Deno.test("exit() in an exit listener does what the exit of the runtime does there", () => {
  for (const isStubbed of [true, false]) {
    const h = new Harness();
    h.runtime.onExit = () => {
      h.runtime.isStubbed = isStubbed;
      assertEquals(catchExit(() => h.lifecycle.exit(20)), 20);
    };
    h.exit(3);
    h.lifecycle.drained();
    assertEquals(h.runtime.ends, ["exit 20", "exit 3"]);
  }
});

const exitsInListener: [name: string, exit: (h: Harness) => void, end: string][] = [
  ["exit()", (h) => h.exit(20), "exit 20"],
  ["an exit of the runtime", (h) => h.exitNow(20), "now 20"],
];

for (const [name, exit, end] of exitsInListener) {
  Deno.test(`${name} in an exit listener rethrows the last exception of the handlers`, () => {
    const h = new Harness();
    h.sync("fails", () => {
      throw new Error("bad");
    });
    h.runtime.onExit = () => exit(h);
    h.exit(3);
    h.lifecycle.drained();
    assertEquals(h.runtime.ends, ["rethrow Error: bad", end, "exit 3"]);
  });
}

Deno.test("exit() that joins a run starts no timer", () => {
  const joins: ((h: Harness) => void)[] = [
    (h) => h.exit(4),
    (h) => h.uncaught(new SystemExit(4)),
    (h) => h.handled(new Error("1"), () => h.lifecycle.exit(4)),
  ];
  for (const join of joins) {
    const h = new Harness();
    h.async("awaited");
    h.exit(3);
    h.lifecycle.drained();
    const timers = [...h.runtime.timers];
    join(h);
    assertEquals([...h.runtime.timers], timers);
  }
});

// -------------------------------------------------------------------------- in error listeners

/** Exits that error listeners call, and the code with which the program ends. */
const listenerExits: [name: string, exit: (h: Harness) => void, code: number][] = [
  ["exit()", (h) => h.lifecycle.exit(7), 7],
  ["exit() twice", (h) => {
    h.lifecycle.exit(7);
    h.lifecycle.exit(8);
  }, 7],
  ["exit(), then Deno.exit()", (h) => {
    h.lifecycle.exit(7);
    h.exitNow(8);
  }, 7],
  ["Deno.exit() that is overridden", (h) => {
    h.lifecycle.overrideExit(undefined);
    h.exitNow(7);
  }, 7],
];

for (const [name, exit, code] of listenerExits) {
  Deno.test(`${name} in an error listener returns, and takes effect when the error is handled`, () => {
    const h = new Harness();
    h.sync("last");
    h.handled(new Error("1"), () => {
      exit(h);
      assertEquals([h.lifecycle.state, h.lifecycle.exitReason()], ["idle", undefined]);
    });
    assertEquals([h.said, h.lifecycle.state], [[], "pending"]);
    h.runtime.pass(0);
    assertEquals([h.said, h.runtime.ends], [["last"], [`exit ${code}`]]);
    assertEquals(h.traces, NO_TRACES);
  });

  for (const handler of ["sync", "async"] as const) {
    Deno.test(`${name} in an error listener has no effect if the error is not handled (${handler})`, async () => {
      const h = new Harness();
      const settling: PromiseWithResolvers<void> | void = h[handler]("last");
      const endsNow = h.uncaught(new Error("1"), () => exit(h));
      assertEquals([endsNow, h.said], [handler === "sync", ["last"]]);
      settling?.resolve();
      await h.turn();
      assertEquals(h.runtime.ends, ["rethrow Error: 1"]);
      assertEquals(h.runtime.timers.size, 0);
    });
  }
}

Deno.test("exit() in an error listener of a program without handlers leaves the end to the error", () => {
  const h = new Harness();
  assertEquals(h.uncaught(new Error("1"), () => h.lifecycle.exit(7)), true);
  for (let times = 0; times < 2; times++) h.handled(new Error("2"));
  assertEquals(h.traces, NO_TRACES);
});

Deno.test("exit() in an error listener limits the run that the error starts", () => {
  const h = new Harness();
  h.async("stuck");
  h.uncaught(new Error("1"), () => h.lifecycle.exit(7, 100));
  h.runtime.pass(100);
  assertEquals(h.runtime.ends, ["rethrow Error: 1"]);
});

Deno.test("exit() in a listener of an error within an error waits for both", () => {
  const h = new Harness();
  h.handled(new Error("1"), () => {
    h.handled(new Error("2"), () => h.lifecycle.exit(7));
    assertEquals(h.lifecycle.state, "idle");
  });
  assertEquals(h.lifecycle.state, "pending");
});

Deno.test("Deno.exit() in an error listener joins the run that is under way", async () => {
  const h = new Harness();
  const awaited = h.async("awaited");
  h.lifecycle.overrideExit(100);
  h.exit(3);
  h.lifecycle.drained();
  h.handled(new Error("1"), () => h.exitNow(8));
  assertEquals(h.lifecycle.state, "awaiting");
  awaited.resolve();
  await settle();
  assertEquals(h.runtime.ends, ["exit 3"]);
});

Deno.test("Deno.exit() in an error listener ends a program that is not ending", () => {
  const h = new Harness();
  h.sync("last");
  h.handled(new Error("1"), () => h.exitNow(8));
  assertEquals([h.said, h.runtime.ends], [["last"], ["now 8"]]);
  assertEquals(h.traces, NO_TRACES);
});

Deno.test("exit() in an exit listener that an error event interrupts ends the program", () => {
  const h = new Harness();
  h.runtime.onExit = () => h.handled(new Error("1"), () => catchExit(() => h.lifecycle.exit(7)));
  h.exit(3);
  h.lifecycle.drained();
  assertEquals(h.runtime.ends, ["exit 7", "exit 3"]);
});

Deno.test("Deno.exit() in an error listener among exit listeners ends the program", () => {
  const h = new Harness();
  h.lifecycle.overrideExit(undefined);
  h.runtime.onExit = () => h.handled(new Error("1"), () => h.exitNow(7));
  h.exit(3);
  h.lifecycle.drained();
  assertEquals(h.runtime.ends, ["now 7", "exit 3"]);
});

// -------------------------------------------------------------------------------- test runners

Deno.test("exit() that is caught does nothing more in the process of a test runner", async () => {
  for (
    const call of [
      (h: Harness) => h.exit(2),
      (h: Harness) => h.handled(1, () => h.lifecycle.exit(2)),
    ]
  ) {
    const h = new Harness();
    h.runtime.inTestRunner = true;
    h.sync("last");
    call(h);
    assertEquals(h.traces, NO_TRACES);
    await h.turn();
    assertEquals([h.said, h.lifecycle.drained()], [[], false]);
  }
});

Deno.test("exit() that nobody catches ends the process of a test runner", () => {
  const h = new Harness();
  h.runtime.inTestRunner = true;
  h.sync("last");
  h.exitUncaught(3);
  h.runtime.pass(0);
  assertEquals([h.said, h.runtime.ends], [["last"], ["exit 3"]]);
});

Deno.test("overrideExit() has no effect in the process of a test runner", () => {
  const h = new Harness();
  h.runtime.inTestRunner = true;
  h.async("unawaited");
  h.lifecycle.overrideExit(undefined);
  h.exitNow(3);
  h.handled(new Error("1"), () => h.exitNow(4));
  assertEquals([h.said, h.runtime.ends], [["unawaited"], ["now 3", "now 4"]]);
});

// ------------------------------------------------------------------------------- overrideExit()

Deno.test("overrideExit() makes Deno.exit() an exit() until each of its objects is disposed of", async () => {
  const h = new Harness();
  const [one, other] = [undefined, 100].map((timeout) => h.lifecycle.overrideExit(timeout));
  one();
  one();
  h.async("awaited").resolve();
  assertEquals(catchExit(() => h.exitNow(3)), 3);
  assertEquals([h.said, h.lifecycle.state], [[], "pending"]);
  h.lifecycle.drained();
  await settle();
  assertEquals([h.said, h.runtime.ends], [["awaited", "awaited settles"], ["exit 3"]]);
  other();
  h.async("unawaited");
  h.exitNow(4);
  assertEquals([h.said.at(-1), h.runtime.ends.at(-1)], ["unawaited", "now 4"]);
});

Deno.test("overrideExit() takes the shortest of its timeouts", () => {
  const rows = [[100, 500, undefined], [500, 100], [undefined, 100, 500], [100]];
  for (const timeouts of rows) {
    const h = new Harness();
    for (const timeout of timeouts) h.lifecycle.overrideExit(timeout);
    h.async("stuck");
    catchExit(() => h.exitNow(3));
    h.lifecycle.drained();
    h.runtime.pass(99);
    assertEquals(h.runtime.ends, []);
    h.runtime.pass(1);
    assertEquals(h.runtime.ends.at(-1), "exit 3");
  }
});

Deno.test("overrideExit() limits an exit that an error listener calls", () => {
  const h = new Harness();
  h.lifecycle.overrideExit(100);
  h.async("stuck");
  h.handled(new Error("1"), () => h.exitNow(3));
  h.lifecycle.drained();
  h.runtime.pass(100);
  assertEquals(h.runtime.ends.at(-1), "exit 3");
});

// ---------------------------------------------------------------------- Deno.exit() that joins

/** Begins an end, and lets `Deno.exit()` join it. */
const joins: [name: string, join: (h: Harness) => void][] = [
  ["while a handler is awaited", (h) => {
    h.exit(3);
    h.lifecycle.drained();
    assertEquals(catchExit(() => h.exitNow(21)), 21);
  }],
  ["before the run", (h) => {
    h.exit(3);
    assertEquals(catchExit(() => h.exitNow(21)), 21);
  }],
];

for (const [when, join] of joins) {
  Deno.test(`Deno.exit() that joins ${when} interrupts the run after two seconds`, () => {
    const h = new Harness();
    h.async("behind");
    h.async("stuck");
    join(h);
    h.runtime.pass(1_000);
    catchExit(() => h.exitNow(22));
    h.runtime.pass(999);
    assertEquals([h.said, h.runtime.ends], [["stuck"], []]);
    h.runtime.pass(1);
    assertEquals([h.said, h.runtime.ends], [["stuck", "behind"], ["exit 3"]]);
    const why = "Deno.exit() was called at main.ts:1:2. " +
      "Use exit() from @atexit/atexit instead, which awaits handlers";
    assertEquals(h.reports, [
      `Cannot await atexit handler stuck: ${why}`,
      `Cannot await atexit handler behind: ${why}`,
    ]);
    assertEquals(h.traces, NO_TRACES);
  });

  const limits: [name: string, limit: (h: Harness) => void][] = [
    ["a timeout", (h) => h.exit(3, 60_000)],
    ["a grace period", (h) => h.lifecycle.setGracePeriod(60_000)],
    ["overrideExit()", (h) => h.lifecycle.overrideExit(undefined)],
  ];
  for (const [name, limit] of limits) {
    Deno.test(`Deno.exit() that joins ${when} does not interrupt a run with ${name}`, () => {
      const h = new Harness();
      h.async("stuck");
      limit(h);
      join(h);
      h.runtime.pass(50_000);
      assertEquals([h.said, h.runtime.ends], [["stuck"], []]);
    });
  }
}

Deno.test("Deno.exit() that joins keeps the program alive where an empty loop is not reported", async () => {
  const h = new Harness();
  const awaited = h.async("awaited");
  h.exit(3);
  h.lifecycle.drained();
  for (let times = 0; times < 2; times++) catchExit(() => h.exitNow(21));
  assertEquals(h.runtime.timerModes, [undefined, "unlessDrained"]); // The notice, and this.
  awaited.resolve();
  await settle();
  assertEquals(h.traces, NO_TRACES);
});

Deno.test("Deno.exit() that joins is interrupted whatever limits other runs have", () => {
  const h = new Harness();
  h.async("a").resolve();
  h.exit(1, 100);
  h.lifecycle.drained();
  h.runtime.pass(100); // A run with a limit, whose exit is prevented.
  assertEquals(h.runtime.ends, [
    "rethrow Error: The handler did not settle within 100 ms. " +
    "Set a longer timeout or grace period",
    "exit 1",
  ]);
  h.async("b");
  h.exit(3);
  h.lifecycle.drained();
  h.lifecycle.setGracePeriod(60_000); // Takes effect at the next run.
  catchExit(() => h.exitNow(21));
  h.runtime.pass(2_000);
  assertEquals(h.runtime.ends.at(-1), "exit 3");
});

Deno.test("Deno.exit() that joins leaves the code that a handler has set", async () => {
  const h = new Harness();
  const waiting = h.async("awaited");
  h.async("sets the code", () => h.runtime.exitCode = 4).resolve();
  h.exit(3);
  h.lifecycle.drained();
  await settle();
  assertEquals(h.said.at(-1), "awaited");
  h.runtime.exitCode = 21; // An exit that was imported by name sets it before it is noticed.
  catchExit(() => h.exitNow(21));
  waiting.resolve();
  await settle();
  assertEquals(h.runtime.ends, ["exit 4"]);
});

Deno.test("Deno.exit() that joins while output is written leaves the code that a handler has set", async () => {
  const h = new Harness();
  const flushing = Promise.withResolvers<void>();
  h.runtime.flushing = flushing.promise;
  h.sync("sets the code", () => h.lifecycle.exit(4));
  h.exit(3);
  h.lifecycle.drained();
  assertEquals(h.lifecycle.state, "awaiting");
  catchExit(() => h.exitNow(21));
  flushing.resolve();
  await settle();
  assertEquals(h.runtime.ends, ["exit 4"]);
});

// ---------------------------------------------------------------------- ends that are prevented

/** Ends of the module's own, all of which a stub of the program's exit prevents. */
const prevented: Record<string, (h: Harness) => void> = {
  "exit()": (h) => h.exit(3),
  "SystemExit": (h) => h.uncaught(new SystemExit(3)),
  "a signal": (h) => h.signal("SIGINT"),
  "overrideExit()": (h) => {
    h.lifecycle.overrideExit(undefined);
    catchExit(() => h.exitNow(3));
  },
  "an exit in an error listener": (h) => h.handled(new Error("1"), () => h.lifecycle.exit(3)),
};

for (const [name, end] of Object.entries(prevented)) {
  for (const throws of [true, false]) {
    const stub = throws ? "throws" : "returns";
    Deno.test(`Lifecycle: all is as before if a stub ${stub} at ${name}`, async () => {
      const h = new Harness();
      const { runtime } = h;
      runtime.exitCode = 6;
      runtime.isStubbed = true;
      h.lifecycle.exitOnSignals({ signals: ["SIGTERM"] });
      if (throws) {
        const exit = runtime.exit.bind(runtime);
        runtime.exit = (request) => {
          exit(request);
          throw new Error("refused");
        };
      }
      h.sync("fails", () => {
        throw new Error("bad");
      });
      const awaited = h.async("awaited");
      end(h);
      h.lifecycle.drained();
      awaited.resolve();
      await settle();
      assertEquals(runtime.ends.length, 1);
      assertEquals(h.traces, { ...NO_TRACES, code: 6 });
      assertEquals(runtime.isListening("SIGTERM"), true);
      h.sync("later");
      assertEquals(h.said.includes("later"), false);
      h.unload("finished");
      assertEquals(h.said.at(-1), "later");
      assertEquals(runtime.ends.length, 1); // The exception of the prevented end is not rethrown.
    });
  }
}

Deno.test("Deno.exit() that is prevented leaves all as before", () => {
  const h = new Harness();
  h.runtime.exitCode = 6;
  h.sync("sets the code", () => h.runtime.exitCode = 9);
  h.runtime.onExit = () => {
    assertEquals([h.lifecycle.state, h.runtime.exitCode], ["exiting", 6]);
    throw new Error("refused");
  };
  assertThrows(() => h.exitNow(3), Error, "refused");
  assertEquals(h.traces, { ...NO_TRACES, code: 6 });
  h.exitNow(4);
  assertEquals(h.runtime.ends, ["now 4"]);
});

Deno.test("Deno.exit() that is prevented leaves an exit() alone that comes later", () => {
  const h = new Harness();
  const attempt = h.lifecycle.exitNow(3, () => INTERRUPTION);
  attempt?.prevented();
  attempt?.prevented();
  assertEquals(h.traces, NO_TRACES);
  h.exit(4);
  attempt?.prevented();
  assertEquals(h.lifecycle.state, "pending");
});
