// The run, with a fake runtime: signals, an empty event loop, output, what handlers raise, `unload`, and
// time limits.

import { assertEquals } from "@std/assert";
import { SystemExit } from "../errors.ts";
import { catchExit, causes, DRAINED, Harness, NO_TRACES, settle } from "./fake_runtime.ts";

// -------------------------------------------------------------------------------------- signals

Deno.test("Signals: the run starts in a turn of its own, so that other listeners are called first", () => {
  const h = new Harness();
  h.sync("last", () => h.said.push(`${h.runtime.exitCode}`));
  h.signal("SIGTERM");
  assertEquals([h.said, h.runtime.exitCode, h.lifecycle.exitReason()], [[], 143, {
    kind: "signal",
    signal: "SIGTERM",
  }]);
  h.runtime.pass(0);
  assertEquals([h.said, h.runtime.ends], [["last", "143"], ["exit 143 by SIGTERM"]]);
});

/** Signals after a first SIGINT, after a number of milliseconds, and whether they end the program. */
const signals: [signal: string, milliseconds: number, interrupts: boolean][] = [
  ["SIGINT", 0, false],
  ["SIGINT", 499, false],
  ["SIGINT", 500, true],
  ["SIGQUIT", 499, false],
  ["SIGQUIT", 500, true],
  ["SIGBREAK", 500, true],
  ["SIGTERM", 500, false],
  ["SIGHUP", 60_000, false],
  ["toString", 500, false],
];

for (const [signal, milliseconds, interrupts] of signals) {
  const outcome = interrupts ? "interrupts the run" : "joins it";
  Deno.test(`Signals: ${signal} ${milliseconds} ms after SIGINT ${outcome}`, async () => {
    const h = new Harness();
    h.lifecycle.setGracePeriod(100_000); // No notice.
    h.sync("last");
    const awaited = h.async("awaited");
    h.signal("SIGINT");
    h.runtime.pass(0);
    h.runtime.pass(milliseconds);
    h.signal(signal);
    assertEquals(h.said, interrupts ? ["awaited", "last"] : ["awaited"]);
    awaited.resolve();
    await settle();
    assertEquals(h.runtime.ends, ["exit 130 by SIGINT"]);
    assertEquals(
      h.reports,
      interrupts
        ? [
          `Cannot await atexit handler awaited: a second ${signal} arrived. ` +
          "Press Ctrl-C only once to let the handlers finish",
        ]
        : [],
    );
    assertEquals(h.traces, NO_TRACES);
  });
}

Deno.test("Signals: the time of duplicates counts from the turn after a handler that blocks", () => {
  const h = new Harness();
  h.async("blocks", () => h.runtime.block(60_000));
  h.signal("SIGINT");
  h.lifecycle.drained();
  for (const milliseconds of [0, 499]) {
    h.runtime.pass(milliseconds);
    h.signal("SIGINT");
    assertEquals(h.runtime.ends, []);
  }
  h.runtime.pass(1);
  h.signal("SIGINT");
  assertEquals(h.runtime.ends, ["exit 130 by SIGINT"]);
});

Deno.test("Signals: SIGINT that a handler sends itself joins the run", async () => {
  const h = new Harness();
  h.async("behind").resolve();
  h.sync("sends", () => h.signal("SIGINT"));
  const awaited = h.async("awaited");
  h.signal("SIGINT");
  h.runtime.pass(0);
  h.runtime.pass(500); // From now on SIGINT would interrupt the run.
  awaited.resolve();
  await settle();
  assertEquals(h.said, ["awaited", "awaited settles", "sends", "behind", "behind settles"]);
  assertEquals(h.reports, []);
  assertEquals(h.runtime.ends, ["exit 130 by SIGINT"]);
});

Deno.test("Signals: Ctrl-C ends a program whose output is slow", () => {
  const h = new Harness();
  h.runtime.flushing = new Promise(() => {});
  h.signal("SIGTERM");
  h.runtime.pass(0);
  h.runtime.pass(500);
  assertEquals(h.runtime.ends, []);
  h.signal("SIGINT");
  assertEquals(h.runtime.ends, ["exit 143 by SIGTERM"]);
});

Deno.test("Signals: after an exit that is prevented, the next signal is a first one", async () => {
  const h = new Harness();
  h.signal("SIGINT");
  h.runtime.pass(0);
  const awaited = h.async("awaited");
  h.runtime.pass(60_000);
  h.signal("SIGINT");
  h.runtime.pass(0);
  h.signal("SIGINT");
  assertEquals(h.reports, []);
  awaited.resolve();
  await settle();
  assertEquals(h.runtime.ends, ["exit 130 by SIGINT", "exit 130 by SIGINT"]);
});

Deno.test("Signals: a signal that joins a run starts no timer but that of the duplicates", () => {
  const h = new Harness();
  h.async("awaited");
  h.exit(3);
  h.lifecycle.drained();
  h.signal("SIGTERM");
  h.signal("SIGTERM");
  assertEquals(h.runtime.timerModes, [undefined, undefined]); // The notice, and this.
});

Deno.test("Signals: the shortest timeout of a signal limits the run", () => {
  const h = new Harness();
  h.async("stuck");
  for (const timeout of [9_000, 100, undefined]) {
    h.lifecycle.exitOnSignals({ signals: ["SIGTERM"], timeout });
  }
  h.runtime.send("SIGTERM");
  h.runtime.pass(0);
  h.runtime.pass(99);
  assertEquals(h.runtime.ends, []);
  h.runtime.pass(1);
  assertEquals(h.runtime.ends, ["exit 143 by SIGTERM"]);
});

Deno.test("Signals: a signal limits the run that is under way, from its arrival", () => {
  const h = new Harness();
  h.async("stuck");
  h.lifecycle.exitOnSignals({ signals: ["SIGTERM"], timeout: 100 });
  h.exit(3);
  h.lifecycle.drained();
  h.runtime.pass(5_000);
  h.runtime.send("SIGTERM");
  h.runtime.pass(99);
  assertEquals(h.runtime.ends, []);
  h.runtime.pass(1);
  assertEquals(h.runtime.ends, ["exit 143 by SIGTERM"]);
});

Deno.test("Signals: where the program drains, the run starts when the event loop is empty", () => {
  const h = new Harness();
  h.runtime.signals.drains = true;
  h.sync("last");
  h.signal("SIGTERM");
  h.runtime.pass(4_999);
  assertEquals([h.said, h.lifecycle.state], [[], "pending"]);
  h.lifecycle.drained();
  assertEquals([h.said, h.runtime.ends], [["last"], ["exit 143 by SIGTERM"]]);
});

Deno.test("Signals: where the program drains, the run starts after five seconds, or its limit if that is shorter", () => {
  type Time = number | undefined;
  const rows: [timeout: Time, grace: Time, latest: number][] = [
    [undefined, undefined, 5_000],
    [60_000, undefined, 5_000],
    [100, 9_000, 100],
    [undefined, 100, 100],
    [9_000, 100, 5_000],
  ];
  for (const [timeout, grace, latest] of rows) {
    const h = new Harness();
    h.runtime.signals.drains = true;
    h.sync("last");
    h.lifecycle.setGracePeriod(grace);
    h.lifecycle.exitOnSignals({ signals: ["SIGTERM"], timeout });
    h.runtime.send("SIGTERM");
    h.runtime.pass(latest - 1);
    assertEquals(h.said, []);
    h.runtime.pass(1);
    assertEquals(h.said, ["last"]);
  }
});

// ------------------------------------------------------------------------------- an empty loop

Deno.test("An empty loop ends a program without asynchronous handlers", () => {
  const h = new Harness();
  h.sync("last");
  assertEquals([h.lifecycle.mustWait, h.lifecycle.drained()], [false, false]);
  assertEquals(h.traces, NO_TRACES);
  h.unload("finished");
  assertEquals(h.said, ["last"]);
});

Deno.test("An empty loop is waited for once per end where signals are listened to", () => {
  const h = new Harness();
  const stop = h.lifecycle.exitOnSignals({ signals: ["SIGTERM"] });
  for (let end = 1; end <= 2; end++) {
    assertEquals(h.lifecycle.mustWait, true);
    assertEquals([h.lifecycle.drained(), h.runtime.turns], [true, end]);
    assertEquals(h.lifecycle.mustWait, false);
    assertEquals([h.lifecycle.drained(), h.runtime.turns], [false, end]);
  }
  stop();
  assertEquals([h.lifecycle.mustWait, h.lifecycle.drained(), h.runtime.turns], [false, false, 2]);
});

Deno.test("An empty loop starts the run after signals had their turn", () => {
  const h = new Harness();
  h.async("awaited");
  h.lifecycle.exitOnSignals({ signals: ["SIGTERM"] });
  assertEquals([h.lifecycle.drained(), h.lifecycle.mustWait, h.said], [true, true, []]);
  assertEquals([h.lifecycle.drained(), h.lifecycle.mustWait, h.said], [true, true, ["awaited"]]);
  assertEquals(h.runtime.turns, 1);
});

Deno.test("An empty loop is waited for again after an exit that was prevented", () => {
  const h = new Harness();
  h.lifecycle.exitOnSignals({ signals: ["SIGTERM"] });
  h.lifecycle.drained();
  h.exitNow(3);
  assertEquals([h.lifecycle.drained(), h.runtime.turns], [true, 2]);
});

Deno.test("An empty loop awaits what was registered since the last one", async () => {
  const h = new Harness();
  for (const name of ["first", "second"]) {
    h.async(name).resolve();
    assertEquals(h.lifecycle.drained(), true);
    await settle();
    assertEquals(h.lifecycle.exitReason(), { kind: "finished" });
    assertEquals([h.lifecycle.state, h.lifecycle.mustWait], ["idle", false]);
  }
  assertEquals(h.lifecycle.drained(), false);
  assertEquals(h.said, ["first", "first settles", "second", "second settles"]);
  h.unload("finished");
  assertEquals(h.traces, NO_TRACES);
});

Deno.test("An empty loop ends a program whose asynchronous handlers return nothing", () => {
  const h = new Harness();
  h.register(() => void h.said.push("called"), { awaited: true });
  assertEquals([h.lifecycle.drained(), h.said], [false, ["called"]]);
  assertEquals(h.lifecycle.state, "idle");
});

Deno.test("An empty loop may be followed by another end", async () => {
  const rows: [end: (h: Harness) => void, expected: string[]][] = [
    [(h) => h.exit(3), ["exit 3"]],
    [(h) => h.exitNow(3), ["now 3"]],
    [(h) => h.uncaught(new Error("1")), ["rethrow Error: 1"]],
    [(h) => h.signal("SIGINT"), ["exit 130 by SIGINT"]],
    [(h) => h.unload("exit"), []],
  ];
  for (const [end, expected] of rows) {
    const h = new Harness();
    h.async("awaited").resolve();
    h.lifecycle.drained();
    await settle();
    h.sync("late");
    end(h);
    h.lifecycle.drained();
    assertEquals([h.said, h.runtime.ends], [["awaited", "awaited settles", "late"], expected]);
    assertEquals({ ...h.traces, code: 0 }, NO_TRACES);
  }
});

Deno.test("An empty loop is kept turning for a second, then the handler has failed", async () => {
  const h = new Harness();
  h.async("behind").resolve();
  h.async("stuck");
  h.exit(3);
  h.lifecycle.drained();
  h.lifecycle.drained();
  h.lifecycle.drained();
  const holding = [...h.runtime.timers].filter(({ keepAlive }) => keepAlive === "always");
  assertEquals(holding.map(({ time }) => time), [h.runtime.clock.now() + 1_000]);
  h.runtime.pass(1_000);
  assertEquals(h.said, ["stuck"]);
  h.lifecycle.drained();
  assertEquals(h.said, ["stuck", "behind"]);
  await settle();
  assertEquals(h.runtime.written, [
    `Exception in atexit handler stuck:\nError: ${DRAINED}`,
  ]);
  assertEquals(h.runtime.ends, [`rethrow Error: ${DRAINED}`, "exit 3"]);
  assertEquals(h.runtime.timers.size, 0);
});

Deno.test("An empty loop that comes later than the end of that second is kept turning again", () => {
  const h = new Harness();
  h.async("stuck");
  h.exit(3);
  h.lifecycle.drained();
  for (const later of [100, 60_000]) {
    h.lifecycle.drained();
    h.runtime.pass(1_000);
    h.runtime.pass(later);
  }
  assertEquals(h.runtime.ends, []);
  h.lifecycle.drained();
  h.runtime.pass(1_000);
  h.runtime.pass(99);
  h.lifecycle.drained();
  assertEquals(h.runtime.ends.length, 2);
});

Deno.test("An empty loop holds each handler for a second of its own", async () => {
  const h = new Harness();
  h.async("b");
  const a = h.async("a");
  h.exit(3);
  h.lifecycle.drained();
  h.lifecycle.drained();
  h.runtime.pass(1_000);
  a.resolve();
  await settle();
  assertEquals(h.said, ["a", "a settles", "b"]);
  h.lifecycle.drained();
  assertEquals(h.runtime.ends, []);
  h.runtime.pass(1_000);
  h.lifecycle.drained();
  assertEquals(h.runtime.ends, [`rethrow Error: ${DRAINED}`, "exit 3"]);
});

Deno.test("An empty loop is no longer held when the handler settles", async () => {
  const h = new Harness();
  const awaited = h.async("awaited");
  h.exit(3);
  h.lifecycle.drained();
  h.lifecycle.drained();
  awaited.resolve();
  await settle();
  assertEquals([h.runtime.ends, h.traces], [["exit 3"], NO_TRACES]);
});

Deno.test("An empty loop is kept turning until the limit, if there is one", () => {
  const h = new Harness();
  h.async("behind");
  h.async("stuck");
  h.exit(3, 60_000);
  h.lifecycle.drained();
  assertEquals(h.runtime.timerModes, ["unlessDrained"]);
  h.lifecycle.drained();
  assertEquals(h.runtime.timerModes, ["always"]);
  h.runtime.pass(53_999);
  h.lifecycle.drained();
  assertEquals(h.said, ["stuck"]);
  h.runtime.pass(1);
  assertEquals([h.said, h.runtime.timerModes], [["stuck", "behind"], ["always"]]);
  h.runtime.pass(6_000);
  assertEquals(h.runtime.ends.at(-1), "exit 3");
});

Deno.test("An empty loop ends a program by an exit after a handler has timed out", async () => {
  for (const milliseconds of [95, 100]) {
    const h = new Harness();
    h.lifecycle.setGracePeriod(100);
    const behind = h.async("behind");
    h.async("stuck");
    h.lifecycle.drained();
    h.runtime.pass(milliseconds); // It may keep the event loop turning forever.
    behind.resolve();
    await settle();
    assertEquals(h.runtime.ends.at(-1), "exit 0");
    assertEquals(h.traces, NO_TRACES);
  }
});

// -------------------------------------------------------------------------- output is written

Deno.test("Lifecycle: what the program has written is waited for at graceful ends", async () => {
  const rows: [end: (h: Harness) => void, waits: boolean, expected: string[]][] = [
    [(h) => h.exit(3), true, ["exit 3"]],
    [(h) => h.signal("SIGINT"), true, ["exit 130 by SIGINT"]],
    [(h) => h.uncaught(new Error("1")), true, ["rethrow Error: 1"]],
    [() => {}, false, []],
    [(h) => h.exitNow(3), false, ["now 3"]],
    [(h) => h.unload(), false, []],
  ];
  for (const [end, waits, expected] of rows) {
    const h = new Harness();
    const flushing = Promise.withResolvers<void>();
    h.runtime.flushing = flushing.promise;
    h.async("awaited").resolve();
    end(h);
    if (h.lifecycle.state !== "awaiting") h.lifecycle.drained();
    await settle();
    assertEquals(
      [h.lifecycle.state, h.runtime.ends],
      waits ? ["awaiting", []] : ["idle", expected],
    );
    if (waits) {
      h.lifecycle.drained(); // Nothing fails: the output keeps the event loop turning.
      assertEquals(h.runtime.timerModes.includes("always"), false);
    }
    flushing.resolve();
    await settle();
    assertEquals([h.runtime.ends, h.count("Exception")], [expected, 0]);
    assertEquals(h.runtime.timers.size, 0);
  }
});

Deno.test("Lifecycle: handlers that are registered while output is written run", async () => {
  const h = new Harness();
  const flushing = Promise.withResolvers<void>();
  h.runtime.flushing = flushing.promise;
  h.exit(3);
  h.lifecycle.drained();
  const late = h.async("late");
  assertEquals(h.said, []);
  flushing.resolve();
  await settle();
  assertEquals([h.said, h.runtime.ends], [["late"], []]);
  h.runtime.flushing = undefined;
  late.resolve();
  await settle();
  assertEquals([h.said, h.runtime.ends], [["late", "late settles"], ["exit 3"]]);
});

Deno.test("Lifecycle: output is waited for until the limit, and no handler is lost", () => {
  const h = new Harness();
  h.runtime.flushing = new Promise(() => {});
  h.exit(3, 100);
  h.lifecycle.drained();
  h.async("late");
  h.runtime.pass(99);
  assertEquals([h.said, h.runtime.ends], [[], []]);
  h.runtime.pass(1);
  assertEquals([h.said, h.runtime.ends], [["late"], ["exit 3"]]);
  assertEquals(h.reports, [
    "Cannot await atexit handler late: the time limit of 100 ms has passed. " +
    "Set a longer timeout or grace period",
  ]);
  assertEquals(h.traces, NO_TRACES);
});

Deno.test("Lifecycle: output is waited for no longer than a turn when a handler has used up the limit", async () => {
  const h = new Harness();
  h.runtime.flushing = new Promise(() => {});
  h.async("stuck");
  h.exit(3, 100);
  h.lifecycle.drained();
  h.runtime.pass(100);
  await h.turn();
  assertEquals(h.runtime.ends.at(-1), "exit 3");
});

Deno.test("Lifecycle: output that is waited for is not named after ten seconds", () => {
  const h = new Harness();
  h.runtime.flushing = new Promise(() => {});
  h.exit(3);
  h.lifecycle.drained();
  h.runtime.pass(60_000);
  assertEquals([h.runtime.written, h.lifecycle.state], [[], "awaiting"]);
});

Deno.test("Lifecycle: an error while output is written decides, and is told once", async () => {
  const h = new Harness();
  const flushing = Promise.withResolvers<void>();
  h.runtime.flushing = flushing.promise;
  h.exit(3);
  h.lifecycle.drained();
  assertEquals(h.uncaught(new Error("1")), false);
  flushing.resolve();
  await settle();
  assertEquals([h.runtime.ends, h.reports], [["rethrow Error: 1"], []]);
});

Deno.test("Lifecycle: an error is rethrown once if the run is interrupted while output is written", async () => {
  const h = new Harness();
  const flushing = Promise.withResolvers<void>();
  h.runtime.flushing = flushing.promise;
  h.async("awaited").resolve();
  h.uncaught(new Error("1"));
  await settle();
  h.unload();
  flushing.resolve();
  await settle();
  assertEquals(h.runtime.ends, ["rethrow Error: 1"]);
});

Deno.test("Lifecycle: output that is written after the run was interrupted ends nothing", async () => {
  const h = new Harness();
  const flushing = Promise.withResolvers<void>();
  h.runtime.flushing = flushing.promise;
  h.exit(3);
  h.lifecycle.drained();
  h.unload();
  assertEquals(h.runtime.ends, ["exit 3"]);
  h.runtime.flushing = undefined;
  h.async("next");
  h.exit(4);
  h.lifecycle.drained();
  flushing.resolve();
  await settle();
  assertEquals([h.said, h.runtime.ends], [["next"], ["exit 3"]]);
});

// --------------------------------------------------------------------- what handlers raise and set

Deno.test("Lifecycle: handlers run last in, first out, and read the exit code", () => {
  const h = new Harness();
  for (const name of ["a", "b"]) h.sync(name, () => h.said.push(`${h.runtime.exitCode}`));
  h.exitNow(3);
  assertEquals(h.said, ["b", "3", "a", "3"]);
});

Deno.test("Lifecycle: a handler changes the exit code, unless an error or a signal decides", () => {
  const rows: [end: (h: Harness) => void, expected: string][] = [
    [(h) => h.exit(3), "exit 9"],
    [(h) => h.exitNow(3), "now 9"],
    [(h) => h.uncaught(new Error("1")), "rethrow Error: 1"],
    [(h) => h.signal("SIGINT"), "exit 130 by SIGINT"],
  ];
  const changes = [(h: Harness) => h.runtime.exitCode = 9, () => {
    throw new SystemExit(9);
  }];
  for (const [end, expected] of rows) {
    for (const change of changes) {
      const h = new Harness();
      h.sync("changes", () => change(h));
      end(h);
      h.lifecycle.drained();
      assertEquals(h.runtime.ends, [expected]);
    }
  }
});

Deno.test("Lifecycle: the last exception of the handlers is rethrown, and the code of the last SystemExit counts", () => {
  const [a, b, exit4, exit5] = [
    new Error("a"),
    new Error("b"),
    new SystemExit(4),
    new SystemExit(5),
  ];
  const rows: [errors: unknown[], expected: string[]][] = [
    [[a, b], ["rethrow Error: b", "exit 3"]],
    [[a, exit4], ["exit 4"]],
    [[exit4, a], ["rethrow Error: a", "exit 4"]],
    [[exit4, exit5], ["exit 5"]],
    [[a, exit4, b], ["rethrow Error: b", "exit 4"]],
  ];
  for (const [errors, expected] of rows) {
    const h = new Harness();
    for (const error of errors.toReversed()) {
      h.sync("fails", () => {
        throw error;
      });
    }
    h.exit(3);
    h.lifecycle.drained();
    assertEquals(h.runtime.ends, expected);
    const thrown = errors.filter((error) => !(error instanceof SystemExit));
    assertEquals(
      h.runtime.written,
      thrown.map((error) => `Exception in atexit handler fails:\n${error}`),
    );
  }
});

Deno.test("Lifecycle: the text of a SystemExit is written before the handlers run, whatever decides", async () => {
  const rows: [end: (h: Harness) => void, expected: string][] = [
    [() => {}, "exit 1"],
    [(h) => h.exit(3), "exit 3"],
    [(h) => h.signal("SIGINT"), "exit 130 by SIGINT"],
  ];
  for (const [end, expected] of rows) {
    const h = new Harness();
    h.sync("last", () => h.runtime.output.write("last"));
    end(h);
    h.uncaught(new SystemExit("the text"));
    assertEquals(h.runtime.written, ["the text"]);
    await h.turn();
    assertEquals([h.runtime.written, h.runtime.ends], [["the text", "last"], [expected]]);
  }
});

Deno.test("Lifecycle: the text of a SystemExit that leaves a handler is written at that time", () => {
  const h = new Harness();
  h.sync("last", () => h.runtime.output.write("last"));
  h.sync("fails", () => {
    throw new SystemExit("the text");
  });
  h.exitNow(3);
  assertEquals([h.runtime.written, h.runtime.ends], [["the text", "last"], ["now 1"]]);
});

Deno.test("Lifecycle: the promise of a synchronous handler is reported, and its rejection if that comes later", async () => {
  for (const isLater of [true, false]) {
    const h = new Harness();
    const { promise, reject } = Promise.withResolvers<void>();
    if (!isLater) reject(new Error("rejected"));
    h.register(function saves() {
      return promise;
    });
    h.unload("finished");
    await settle();
    reject(new Error("rejected"));
    await settle();
    assertEquals(h.reports, [
      "The promise of atexit handler saves is not awaited: register the handler with registerAsync()",
      ...isLater ? ["Exception in atexit handler saves:"] : [],
    ]);
    assertEquals(h.runtime.ends, []);
  }
});

Deno.test("Lifecycle: an exit that is called while a report is written joins the run", () => {
  const exits: ((h: Harness) => void)[] = [
    (h) => h.exit(20),
    (h) => assertEquals(catchExit(() => h.exitNow(21)), 21),
  ];
  for (const exit of exits) {
    const h = new Harness();
    h.sync("last");
    h.async("unawaited");
    h.runtime.output.write = () => {
      exit(h); // By a console that the program has replaced.
      h.said.push("exited");
    };
    h.exitNow(11);
    assertEquals([h.said, h.runtime.ends], [["unawaited", "exited", "last"], ["now 11"]]);
    assertEquals(h.traces, NO_TRACES);
  }
});

Deno.test("Lifecycle: an exit that is called while a report is written starts no run", () => {
  const h = new Harness();
  h.async("unawaited");
  h.runtime.output.write = () => h.exit(20);
  let timers: number | undefined;
  h.runtime.onExit = () => timers = h.runtime.timers.size;
  h.exitNow(11);
  assertEquals(timers, 0);
});

Deno.test("Lifecycle: the rejection of a handler that nobody awaits counts as handled", async () => {
  const h = new Harness();
  h.register(() => Promise.reject(new Error("rejected")), { awaited: true });
  h.exitNow(3);
  await settle();
  assertEquals([h.runtime.ends, h.reports.length], [["now 3"], 1]);
});

Deno.test("Lifecycle: one error that comes twice is told once", () => {
  const h = new Harness();
  h.async("awaited");
  const error = new Error("1");
  h.uncaught(error);
  h.uncaught(error);
  assertEquals(h.reports, []);
  h.uncaught(new Error("1"));
  assertEquals(h.runtime.written, ["Uncaught error:\nError: 1"]);
});

Deno.test("Lifecycle: an error that a signal overrules is reported when the signal arrives", () => {
  const h = new Harness();
  h.async("awaited");
  h.uncaught(new Error("1"));
  h.signal("SIGINT");
  assertEquals(h.runtime.written, ["Uncaught error:\nError: 1"]);
});

Deno.test("Lifecycle: an error that does not decide is reported, also if it is undefined", () => {
  const h = new Harness();
  h.signal("SIGINT");
  h.uncaught(undefined);
  assertEquals(h.runtime.written, ["Uncaught error:\nundefined"]);
});

Deno.test("Lifecycle: an error in a program without handlers is left to the runtime", () => {
  const h = new Harness();
  Object.defineProperty(h.runtime, "exitCode", {
    get: () => 0,
    set: () => h.said.push("the exit code was set"),
  });
  assertEquals(h.uncaught(new Error("1")), true);
  assertEquals([h.said, h.traces], [[], NO_TRACES]);
});

Deno.test("Lifecycle: an error that ends a program with synchronous handlers leaves nothing behind", () => {
  const h = new Harness();
  h.runtime.exitCode = 6;
  let reason: unknown;
  const error = new Error("1");
  h.sync("last", () => reason = [h.lifecycle.exitReason(), h.runtime.exitCode]);
  assertEquals(h.uncaught(error), true);
  assertEquals(reason, [{ kind: "error", error }, 1]);
  assertEquals(h.traces, { ...NO_TRACES, code: 6 });
});

Deno.test("Lifecycle: handlers that are registered after the runtime has taken an error run in unload", () => {
  const h = new Harness();
  const error = new Error("1");
  h.sync("first");
  h.uncaught(error);
  const unloading = h.lifecycle.unloading({ error, rethrow() {} }, () => ({ kind: "unload" }));
  let reason: unknown;
  h.sync("late", () => reason = h.lifecycle.exitReason());
  assertEquals([h.said, reason], [["first", "late"], { kind: "error", error }]);
  unloading?.finish();
  assertEquals([h.runtime.ends, h.traces], [["rethrow Error: 1"], { ...NO_TRACES, code: 1 }]);
});

Deno.test("Lifecycle: an error in a program without handlers is left to the runtime", () => {
  const h = new Harness();
  const uncaught = { error: new Error("1"), rethrow() {} };
  h.lifecycle.unloading(uncaught, () => ({ kind: "unload" }));
  assertEquals([h.runtime.exitCode, h.lifecycle.exitReason()?.kind], [0, "error"]);
  h.lifecycle.exitNow(9, () => ({ kind: "unload" }));
  assertEquals(h.reports, []);
});

Deno.test("Lifecycle: an error with which the runtime unloads the program overrules an exit", () => {
  const h = new Harness();
  h.exit(3);
  const uncaught = { error: new Error("1"), rethrow: () => void h.said.push("rethrown") };
  h.lifecycle.unloading(uncaught, () => ({ kind: "unload" }))?.finish();
  assertEquals([h.said, h.runtime.ends, h.runtime.exitCode], [[], [], 1]);
});

// -------------------------------------------------------------------------------------- unload

Deno.test("unload runs what its listeners register at once, and lives on afterwards", () => {
  for (const kind of ["finished", "close", "exit", "unload"] as const) {
    const h = new Harness();
    h.sync("first");
    h.unload(kind, () => {
      h.async("late");
      h.said.push("listener");
    });
    assertEquals(h.said, ["first", "late", "listener"]);
    assertEquals(h.reports, [
      "Cannot await atexit handler late: the program is unloading, which cannot be delayed. " +
      "Use register() with a synchronous function instead",
    ]);
    assertEquals(h.traces, NO_TRACES);
    h.sync("later");
    assertEquals(h.said.length, 3);
    h.unload(kind);
    assertEquals(h.said.at(-1), "later");
  }
});

Deno.test("unload rethrows the last exception of the handlers once, when its listeners were called", () => {
  const h = new Harness();
  h.sync("fails", () => {
    throw new Error("bad");
  });
  const unloading = h.lifecycle.unloading("finished", () => ({ kind: "unload" }));
  assertEquals(h.runtime.ends, []);
  unloading?.rethrow();
  assertEquals(h.runtime.ends, ["rethrow Error: bad"]);
  unloading?.finish();
  unloading?.finish();
  unloading?.rethrow();
  assertEquals(h.runtime.ends, ["rethrow Error: bad"]);
});

Deno.test("unload in a handler, or while the program is exiting, does nothing", () => {
  const h = new Harness();
  const results: unknown[] = [];
  const unload = () =>
    void results.push(h.lifecycle.unloading("unload", () => ({ kind: "unload" })));
  h.sync("unloads", unload);
  h.runtime.onExit = unload;
  h.exit(3);
  h.lifecycle.drained();
  assertEquals([results, h.runtime.ends], [[undefined, undefined], ["exit 3"]]);
});

Deno.test("unload whose end comes in a handler leaves the run alone", () => {
  const h = new Harness();
  const unloading = h.lifecycle.unloading("unload", () => ({ kind: "unload" }));
  let reason: unknown;
  h.sync("last", () => {
    unloading?.finish();
    reason = h.lifecycle.exitReason();
  });
  assertEquals(reason, { kind: "unload" });
  unloading?.finish();
  assertEquals([h.said, h.traces], [["last"], NO_TRACES]);
});

Deno.test("unload that has ended leaves an exit() alone that comes later", () => {
  const h = new Harness();
  const unloading = h.lifecycle.unloading("unload", () => ({ kind: "unload" }));
  unloading?.finish();
  h.exit(3);
  unloading?.finish();
  assertEquals(h.lifecycle.state, "pending");
});

Deno.test("unload ends the program with the code of the exit that it interrupts", () => {
  const h = new Harness();
  h.exit(3);
  h.unload("exit", () => h.runtime.exitCode = 9);
  assertEquals(h.runtime.ends, ["exit 3"]);
});

Deno.test("exitReason() names the cause while the program is ending", () => {
  const error = new Error("1");
  const rows: [end: (h: Harness) => void, expected: unknown][] = [
    [(h) => h.unload("finished"), { kind: "finished" }],
    [(h) => h.unload("close"), { kind: "exit" }],
    [(h) => h.unload("exit"), { kind: "exit" }],
    [(h) => h.unload("unload"), { kind: "unload" }],
    [(h) => h.exit(3), { kind: "exit" }],
    [(h) => h.exitNow(3), { kind: "exit" }],
    [(h) => h.uncaught(error), { kind: "error", error }],
    [(h) => h.uncaught(new SystemExit()), { kind: "exit" }],
    [(h) => h.signal("SIGINT"), { kind: "signal", signal: "SIGINT" }],
  ];
  for (const [end, expected] of rows) {
    const h = new Harness();
    let reason: unknown;
    h.sync("asks", () => reason = h.lifecycle.exitReason());
    end(h);
    h.lifecycle.drained();
    assertEquals([reason, h.lifecycle.exitReason()], [expected, undefined]);
  }
});

// ---------------------------------------------------------------------------------- time limits

Deno.test("setGracePeriod() limits every graceful run from the next one on", () => {
  for (const [name, end] of Object.entries(causes)) {
    const h = new Harness();
    h.lifecycle.setGracePeriod(100);
    h.async("stuck");
    end(h);
    if (h.lifecycle.state === "pending") h.lifecycle.drained();
    h.lifecycle.setGracePeriod(undefined); // Too late for this run.
    h.runtime.pass(99);
    assertEquals([name, h.reports], [name, []]);
    h.runtime.pass(1);
    assertEquals([name, h.reports], [name, ["Exception in atexit handler stuck:"]]);
  }
});

Deno.test("setGracePeriod() is replaced by a timeout, also a longer one", () => {
  for (const timeout of [10, 200]) {
    const h = new Harness();
    h.lifecycle.setGracePeriod(100);
    h.async("stuck");
    h.exit(3, timeout);
    h.lifecycle.drained();
    h.runtime.pass(timeout - 1);
    assertEquals(h.runtime.ends, []);
    h.runtime.pass(1);
    assertEquals(h.runtime.ends.at(-1), "exit 3");
  }
});

Deno.test("Limits: when the limit is over, the rest run without being awaited", async () => {
  const h = new Harness();
  h.sync("last");
  h.async("stuck");
  h.exit(3, 100);
  h.lifecycle.drained();
  h.runtime.pass(95);
  h.async("registered meanwhile");
  h.runtime.pass(5);
  await settle();
  assertEquals(h.said, ["stuck", "registered meanwhile", "last"]);
  assertEquals(
    h.runtime.written[0],
    "Exception in atexit handler stuck:\nError: The handler did " +
      "not settle within 100 ms. Set a longer timeout or grace period",
  );
  assertEquals(
    h.reports[1],
    "Cannot await atexit handler registered meanwhile: the time limit of " +
      "100 ms has passed. Set a longer timeout or grace period",
  );
});

Deno.test("Limits: the last tenth is reserved for the handlers behind a pending one", async () => {
  const h = new Harness();
  const flush = h.async("flush");
  h.async("stuck");
  h.exit(3, 100);
  h.lifecycle.drained();
  h.runtime.pass(89);
  assertEquals(h.said, ["stuck"]);
  h.runtime.pass(1);
  assertEquals(h.said, ["stuck", "flush"]);
  flush.resolve();
  await settle();
  assertEquals(h.said, ["stuck", "flush", "flush settles"]);
  assertEquals(h.runtime.written, [
    "Exception in atexit handler stuck:\nError: The handler did not settle within nine tenths of " +
    "the 100 ms: the last tenth is reserved for the remaining handlers. " +
    "Set a longer timeout or grace period",
  ]);
});

Deno.test("Limits: nothing is reserved for synchronous handlers", () => {
  const h = new Harness();
  h.sync("last");
  h.async("stuck");
  h.exit(3, 100);
  h.lifecycle.drained();
  h.runtime.pass(99);
  assertEquals(h.said, ["stuck"]);
  h.runtime.pass(1);
  assertEquals(h.said, ["stuck", "last"]);
});

Deno.test("Limits: a timeout of 0 calls each handler, and awaits none", async () => {
  const h = new Harness();
  h.async("b");
  h.async("a");
  h.exit(3, 0);
  await h.turn();
  assertEquals([h.said, h.runtime.ends.at(-1)], [["a", "b"], "exit 3"]);
});

Deno.test("Limits: no timer is started where nothing is awaited", () => {
  for (const end of [(h: Harness) => h.exitNow(3), (h: Harness) => h.unload()]) {
    const h = new Harness();
    let timers: number | undefined;
    h.sync("last", () => timers = h.runtime.timers.size);
    h.sync("limits", () => h.exit(4, 100));
    end(h);
    assertEquals(timers, 0);
  }
});

Deno.test("Limits: a handler that is awaited for 10 s without a limit is named, once", async () => {
  const rows: [end: string, reason: string, error: string][] = [
    ["an empty loop", "nothing is left to do", ""],
    ["exit()", "an exit was requested", ""],
    ["an error", "of an uncaught error", ". The error:\nError: 1"],
    ["a signal", "of SIGINT", ""],
  ];
  for (const [end, reason, error] of rows) {
    const h = new Harness();
    h.sync("behind");
    const slow = h.async("slow");
    causes[end](h);
    if (h.lifecycle.state === "pending") h.lifecycle.drained();
    assertEquals(h.runtime.timerModes.includes("always"), false);
    h.runtime.pass(9_999);
    assertEquals(h.runtime.written, []);
    h.runtime.pass(60_000);
    assertEquals(h.runtime.written, [
      "Still awaiting atexit handler slow after 10 s; 1 more handler is waiting. " +
      `The program is ending because ${reason}. Set a limit with setGracePeriod(), ` +
      `or with the timeout of exit() or exitOnSignals()${error}`,
    ]);
    slow.resolve();
    await settle();
    assertEquals(h.runtime.timers.size, 0);
  }
});

// ---------------------------------------------------------------------------------- registration

Deno.test("register() tells the runtime whether the handler is asynchronous", () => {
  const h = new Harness();
  h.sync("sync");
  h.async("async");
  assertEquals(h.runtime.added, [false, true]);
});

Deno.test("register() during a run lets the handler run next", async () => {
  const h = new Harness();
  h.sync("waits");
  const awaited = h.async("awaited", () => h.sync("next"));
  h.exit();
  h.lifecycle.drained();
  h.sync("meanwhile");
  awaited.resolve();
  await settle();
  assertEquals(h.said, ["awaited", "awaited settles", "meanwhile", "next", "waits"]);
});

Deno.test("register() while the program is exiting runs the handler at once", () => {
  const h = new Harness();
  h.runtime.onExit = () => void h.async("late");
  h.exit(3);
  h.lifecycle.drained();
  assertEquals(h.said, ["late"]);
  assertEquals(h.reports, [
    "Cannot await atexit handler late: the program is unloading, which cannot be delayed. " +
    "Use register() with a synchronous function instead",
  ]);
});

Deno.test("unregister() removes handlers that wait while a run is under way", async () => {
  const h = new Harness();
  const never = () => void h.said.push("never");
  h.register(never);
  h.async("awaited", () => h.lifecycle.unregister(never)).resolve();
  h.exit();
  h.lifecycle.drained();
  await settle();
  assertEquals(h.said, ["awaited", "awaited settles"]);
});

Deno.test("mustWait is true for asynchronous handlers, and while an end is under way", () => {
  const h = new Harness();
  h.sync("sync");
  assertEquals(h.lifecycle.mustWait, false);
  h.async("async");
  assertEquals(h.lifecycle.mustWait, true);
  h.lifecycle.drained();
  assertEquals(h.lifecycle.mustWait, true);
});
