// How a program ends, with a runtime made for the test: every pair of ends, every point of "The run".

import { assertEquals, assertThrows } from "@std/assert";
import { assertSpyCall, assertSpyCalls, spy } from "@std/testing/mock";
import { SystemExit } from "../errors.ts";
import { Program, settle } from "./test_runtime.ts";

// -------------------------------------------------------------------------------- two ends meet

/** How a program ends in each way. Each first end sets another code than each second one. */
const first: Record<string, (program: Program) => void> = {
  dry: ({ lifecycle }) => assertEquals(lifecycle.dry(), true),
  exit: (program) => program.exit(10),
  SystemExit: (program) => assertEquals(program.uncaught(new SystemExit(12)), false),
  error: (program) => assertEquals(program.uncaught(new Error("1")), false),
  signal: (program) => program.signal("SIGINT"),
};

const second: Record<string, (program: Program) => void> = {
  dry: ({ lifecycle }) => assertEquals(lifecycle.dry(), true),
  exit: (program) => program.exit(20),
  SystemExit: (program) => assertEquals(program.uncaught(new SystemExit(22)), false),
  error: (program) => assertEquals(program.uncaught(new Error("2")), false),
  signal: (program) => program.signal("SIGTERM"),
  "second signal": (program) => {
    program.runtime.pass(101);
    program.signal("SIGTERM");
  },
  "Deno.exit": (program) => program.exitNow(21),
  unload: (program) => program.unload(),
};

/**
 * For each first end (row) and second end (column), while a handler is awaited: how the program ends,
 * and what becomes of the handler that is awaited and of the asynchronous one behind it. Both are
 * awaited (`+`), or the first one has failed and the other one is awaited (`-`), or neither is (`!`).
 */
const awaiting: Record<string, Record<string, string>> = {
  dry: {
    "dry": "- raise Error: stuck",
    "exit": "+ exit 20",
    "SystemExit": "+ exit 22",
    "error": "+ raise Error: 2",
    "signal": "+ exit 143 by SIGTERM",
    "second signal": "+ exit 143 by SIGTERM",
    "Deno.exit": "! now 21",
    "unload": "! ",
  },
  exit: {
    "dry": "- raise Error: stuck, exit 10",
    "exit": "+ exit 20",
    "SystemExit": "+ exit 22",
    "error": "+ raise Error: 2",
    "signal": "+ exit 143 by SIGTERM",
    "second signal": "+ exit 143 by SIGTERM",
    "Deno.exit": "! now 21",
    "unload": "! exit 10",
  },
  SystemExit: {
    "dry": "- raise Error: stuck, exit 12",
    "exit": "+ exit 20",
    "SystemExit": "+ exit 22",
    "error": "+ raise Error: 2",
    "signal": "+ exit 143 by SIGTERM",
    "second signal": "+ exit 143 by SIGTERM",
    "Deno.exit": "! now 21",
    "unload": "! exit 12",
  },
  error: {
    "dry": "- raise Error: 1",
    "exit": "+ raise Error: 1",
    "SystemExit": "+ raise Error: 1",
    "error": "+ raise Error: 1",
    "signal": "+ exit 143 by SIGTERM",
    "second signal": "+ exit 143 by SIGTERM",
    "Deno.exit": "! now 21",
    "unload": "! raise Error: 1",
  },
  signal: {
    "dry": "- exit 130 by SIGINT",
    "exit": "+ exit 130 by SIGINT",
    "SystemExit": "+ exit 130 by SIGINT",
    "error": "+ exit 130 by SIGINT",
    "signal": "+ exit 130 by SIGINT",
    "second signal": "! exit 130 by SIGINT",
    "Deno.exit": "! now 21",
    "unload": "! exit 130 by SIGINT",
  },
};

/** What `exitReason()` says of the cause that decides. */
const reasons: [end: RegExp, kind: string][] = [
  [/^exit \d+ by/, "signal"],
  [/, exit/, "exit"],
  [/^raise Error: [12]/, "error"],
  [/^(exit|now)/, "exit"],
  [/^(raise Error: stuck)?$/, "dry"],
];

for (const [one, row] of Object.entries(awaiting)) {
  for (const [other, cell] of Object.entries(row)) {
    Deno.test(`Lifecycle: ${one}, then ${other} while a handler is awaited: ${cell}`, async () => {
      const [fate, end] = [cell[0], cell.slice(2)];
      const program = new Program();
      const { lifecycle, runtime, said } = program;
      let kind: string | undefined;
      program.sync("last", () => kind = lifecycle.exitReason()?.kind);
      const behind = program.async("behind");
      const awaited = program.async("awaited");
      first[one](program);
      assertEquals(said, ["awaited"]);
      second[other](program);
      awaited.resolve();
      await settle();
      behind.resolve();
      await settle();
      if (one === "dry" && runtime.ends.length === 0) program.unload("dry");

      const calls = {
        "+": ["awaited", "awaited settles", "behind", "behind settles", "last"],
        "-": ["awaited", "behind", "awaited settles", "behind settles", "last"],
        "!": ["awaited", "behind", "last", "awaited settles", "behind settles"],
      }[fate];
      assertEquals(said.filter((line) => !line.startsWith("rejected")), calls);
      const stuck = "raise Error: The handler can never settle: the event loop has run dry. " +
        "Return a promise that something under way settles";
      const ends = runtime.ends.map((text) => text === stuck ? "raise Error: stuck" : text);
      assertEquals(ends.join(", "), end);
      assertEquals(kind, reasons.find(([pattern]) => pattern.test(end))?.[1]);
      assertEquals(runtime.timers.size, 0);

      const count = (text: string) =>
        program.reports.filter((line) => line.startsWith(text)).length;
      assertEquals(count("Cannot await atexit handler awaited"), fate === "!" ? 1 : 0);
      assertEquals(count("Cannot await atexit handler behind"), fate === "!" ? 1 : 0);
      assertEquals(count("Exception in atexit handler awaited"), fate === "-" ? 1 : 0);
      // Each error is told of once: by the runtime or in a report.
      const errors = [one, other].filter((name) => name === "error").length;
      const raised = /raise Error: [12]/.test(end) ? 1 : 0;
      assertEquals(count("Uncaught error:"), errors - raised);
    });
  }
}

/** For each end that a handler causes, in each kind of run: how the program ends. */
const calling: Record<string, Record<string, string>> = {
  dry: {
    "exit": "exit 20",
    "SystemExit": "exit 22",
    "error": "raise Error: 2",
    "signal": "exit 143 by SIGTERM",
    "Deno.exit": "",
  },
  exit: {
    "exit": "exit 20",
    "SystemExit": "exit 22",
    "error": "raise Error: 2",
    "signal": "exit 143 by SIGTERM",
    "Deno.exit": "exit 21",
  },
  SystemExit: {
    "exit": "exit 20",
    "SystemExit": "exit 22",
    "error": "raise Error: 2",
    "signal": "exit 143 by SIGTERM",
    "Deno.exit": "exit 21",
  },
  error: {
    "exit": "raise Error: 1",
    "SystemExit": "raise Error: 1",
    "error": "raise Error: 1",
    "signal": "exit 143 by SIGTERM",
    "Deno.exit": "raise Error: 1",
  },
  signal: {
    "exit": "exit 130 by SIGINT",
    "SystemExit": "exit 130 by SIGINT",
    "error": "exit 130 by SIGINT",
    "signal": "exit 130 by SIGINT",
    "Deno.exit": "exit 130 by SIGINT",
  },
  "Deno.exit": {
    "exit": "now 20",
    "SystemExit": "now 22",
    "error": "now 11",
    "signal": "now 11",
    "Deno.exit": "now 21",
  },
  unload: {
    "exit": "exit 20",
    "SystemExit": "exit 22",
    "error": "raise Error: 2",
    "signal": "exit 143 by SIGTERM",
    "Deno.exit": "",
  },
};

for (const [one, row] of Object.entries(calling)) {
  for (const [other, cell] of Object.entries(row)) {
    Deno.test(`Lifecycle: ${one}, then ${other} in a synchronous handler: ${cell}`, async () => {
      const program = new Program();
      const { runtime, said } = program;
      program.sync("last");
      program.sync("ends", () => second[other](program));
      program.sync("first");
      switch (one) {
        case "dry":
        case "unload":
          program.unload(one);
          break;
        case "Deno.exit":
          program.exitNow(11);
          break;
        case "error":
          assertEquals(program.uncaught(new Error("1")), cell === "raise Error: 1");
          break;
        default:
          first[one](program);
      }
      await settle();
      assertEquals(said.filter((line) => !line.startsWith("rejected")), ["first", "ends", "last"]);
      assertEquals(runtime.ends.join(", "), cell);
      if (cell === "") assertEquals(runtime.exitCode, 21);
    });
  }
}

// --------------------------------------------------------------------------- the points of a run

Deno.test("Lifecycle: the last handler runs first, and the exit code is there", () => {
  const program = new Program();
  for (const name of ["a", "b"]) {
    program.sync(name, () => program.said.push(`${program.runtime.exitCode}`));
  }
  program.exit(3);
  assertEquals(program.said.slice(0, 4), ["b", "3", "a", "3"]);
  assertEquals(program.runtime.ends, ["exit 3"]);
});

Deno.test("Lifecycle: a handler can change the exit code, but not where an error or a signal ends it", () => {
  const ends: [end: (program: Program) => void, expected: string][] = [
    [(program) => program.exit(3), "exit 9"],
    [(program) => program.exitNow(3), "now 9"],
    [(program) => program.uncaught(new Error("1")), "raise Error: 1"],
    [(program) => program.signal("SIGINT"), "exit 130 by SIGINT"],
  ];
  for (const [end, expected] of ends) {
    const program = new Program();
    program.sync("assigns", () => program.runtime.exitCode = 9);
    end(program);
    assertEquals(program.runtime.ends, [expected]);
  }
});

Deno.test("Lifecycle: the last exception is raised again, unless SystemExit came after it", () => {
  const raise = (error: unknown) => () => {
    throw error;
  };
  for (const end of ["exitNow", "unload"] as const) {
    const rows: [unknown[], string[]][] = [
      [[new Error("first"), new Error("last")], ["raise Error: last"]],
      [[new Error("first"), new SystemExit(4)], []],
      [[new SystemExit(4), new Error("last")], ["raise Error: last"]],
    ];
    for (const [errors, expected] of rows) {
      const program = new Program();
      for (const error of errors.toReversed()) program.sync("fails", raise(error));
      if (end === "exitNow") program.exitNow(3);
      else program.unload("dry");
      assertEquals(program.runtime.ends.filter((text) => text.startsWith("raise")), expected);
      const thrown = errors.filter((error) => !(error instanceof SystemExit)).length;
      assertEquals(program.reports.length, thrown);
    }
  }
});

Deno.test("Lifecycle: an error or a signal stays the cause, whatever handlers raise", () => {
  for (const error of [new Error("fails"), new SystemExit(9)]) {
    const program = new Program();
    program.sync("fails", () => {
      throw error;
    });
    program.signal("SIGTERM");
    assertEquals(program.runtime.ends, ["exit 143 by SIGTERM"]);
  }
});

Deno.test("Lifecycle: Deno.exit(n) that cuts a run short raises what had failed, unless that was decided", () => {
  const expected = { exit: ["raise Error: bad", "now 21"], error: ["now 21"] };
  for (const one of ["exit", "error"] as const) {
    const program = new Program();
    program.async("awaited");
    program.sync("fails", () => {
      throw new Error("bad");
    });
    first[one](program);
    program.exitNow(21);
    assertEquals(program.runtime.ends, expected[one]);
  }
});

Deno.test("Lifecycle: what is registered during a run runs next, and after it at once", async () => {
  const program = new Program();
  program.sync("waits");
  const awaited = program.async("awaited", () => program.sync("next"));
  program.runtime.onExit = () => program.sync("late");
  program.exit();
  awaited.resolve();
  await settle();
  assertEquals(program.said.slice(0, 5), ["awaited", "awaited settles", "next", "waits", "late"]);
});

Deno.test("Lifecycle: an asynchronous handler that is registered late is called, and that is reported", () => {
  const program = new Program();
  program.runtime.onExit = () => program.async("late");
  program.exit();
  assertEquals(program.said, ["late"]);
  assertEquals(program.reports, [
    "Cannot await atexit handler late: the program is unloading, and nothing can delay that. " +
    "Use register() and a synchronous function for this",
  ]);
});

Deno.test("Lifecycle: a second dry loop awaits what was registered since the first", async () => {
  const program = new Program();
  program.async("first").resolve();
  assertEquals(program.lifecycle.dry(), true);
  await settle();
  assertEquals(program.lifecycle.exitReason(), { kind: "dry" });
  program.async("second").resolve();
  assertEquals(program.lifecycle.dry(), true);
  await settle();
  assertEquals(program.lifecycle.dry(), false);
  assertEquals(program.said, ["first", "first settles", "second", "second settles"]);
});

Deno.test("Lifecycle: synchronous handlers alone do not keep a dry program alive", () => {
  const program = new Program();
  program.sync("last");
  assertEquals(program.lifecycle.dry(), false);
  assertEquals(program.lifecycle.exitReason(), undefined);
  program.unload("dry");
  assertEquals(program.said, ["last"]);
});

Deno.test("Lifecycle: unregister() takes back handlers that wait", async () => {
  const program = new Program();
  const never = () => void program.said.push("never");
  program.lifecycle.register(never);
  program.async("awaited", () => program.lifecycle.unregister(never)).resolve();
  program.exit();
  await settle();
  assertEquals(program.said.slice(0, 2), ["awaited", "awaited settles"]);
  assertEquals(program.said.includes("never"), false);
});

Deno.test("Lifecycle: a synchronous handler's promise is reported, and its rejection if that comes later", async () => {
  for (const later of [true, false]) {
    const program = new Program();
    const { promise, reject } = Promise.withResolvers<void>();
    if (!later) reject(new Error("rejected"));
    program.lifecycle.register(function saves() {
      return promise;
    });
    program.unload("dry");
    await settle();
    reject(new Error("rejected"));
    await settle();
    assertEquals(program.reports, [
      "Nobody awaits the promise of atexit handler saves: register it with registerAsync()",
      ...later ? ["Exception in atexit handler saves:"] : [],
    ]);
    assertEquals(program.runtime.ends, []);
  }
});

// ------------------------------------------------------------------------------------ error events

Deno.test("Lifecycle: exit() in an error listener waits for what becomes of the error", async () => {
  for (const handled of [true, false]) {
    const program = new Program();
    const { runtime } = program;
    program.sync("last");
    const error = new Error("1");
    const endsNow = program.lifecycle.showError(() => {
      program.exit(7);
      program.exit(8);
      assertEquals(program.said, []);
      return handled ? undefined : { error, raise: () => runtime.raise(error) };
    });
    assertEquals([endsNow, program.said], [!handled, ["last"]]);
    assertEquals(runtime.ends, handled ? ["exit 8"] : []);
    assertEquals(runtime.exitCode, 0);
    await settle();
  }
});

Deno.test("Lifecycle: exit() waits while exits are held, and until it is known who handles an error", async () => {
  const error = new Error("1");
  for (const handled of [true, false]) {
    const program = new Program();
    const { lifecycle, runtime } = program;
    program.async("awaited").resolve();
    const release = lifecycle.holdExits();
    program.exit(7);
    assertEquals(program.said, []);
    const raise = () => runtime.raise(error);
    lifecycle.showError(() => handled ? undefined : { error, raise });
    assertEquals(program.said, handled ? [] : ["awaited"]);
    release();
    release();
    await settle();
    assertEquals(program.said.slice(0, 2), ["awaited", "awaited settles"]);
    assertEquals(runtime.ends, [handled ? "exit 7" : "raise Error: 1"]);
  }
});

Deno.test("Lifecycle: what is registered where the runtime ends the program with an error runs at once", () => {
  const program = new Program();
  const error = new Error("1");
  program.sync("first");
  assertEquals(program.lifecycle.showError(() => ({ error, raise() {} })), true);
  program.lifecycle.unload({ error, raise() {} }, { kind: "unload" });
  let reason: unknown;
  program.sync("late", () => reason = program.lifecycle.exitReason());
  assertEquals(program.said, ["first", "late"]);
  assertEquals(reason, { kind: "error", error });
});

Deno.test("Lifecycle: exit() in an error listener limits the run that the error starts", async () => {
  const program = new Program();
  const error = new Error("1");
  program.async("awaited");
  program.lifecycle.showError(() => {
    program.exit(7, 50);
    return { error, raise: () => program.runtime.raise(error) };
  });
  program.runtime.pass(50);
  await settle();
  assertEquals(program.runtime.ends, ["raise Error: 1"]);
  assertEquals(program.reports, ["Exception in atexit handler awaited:"]);
});

Deno.test("Lifecycle: an error listener that throws leaves later errors alone", () => {
  const program = new Program();
  assertThrows(() =>
    program.lifecycle.showError(() => {
      throw new Error("in listener");
    })
  );
  program.exit(3);
  assertEquals(program.runtime.ends, ["exit 3"]);
});

Deno.test("Lifecycle: an error while the program is leaving is the runtime's", () => {
  const program = new Program();
  const onExit = program.runtime.onExit = spy(() => program.uncaught(new Error("2")));
  program.exit(3);
  assertSpyCall(onExit, 0, { returned: true });
});

Deno.test("Lifecycle: an uncaught SystemExit while the program is leaving sets the code", () => {
  const program = new Program();
  let code: number | undefined;
  program.runtime.onExit = () => {
    assertEquals(program.uncaught(new SystemExit(5)), false);
    code = program.runtime.exitCode;
  };
  program.exit(3);
  assertEquals([code, program.runtime.ends], [5, ["exit 3"]]);
});

Deno.test("Lifecycle: the text of an uncaught SystemExit comes before the handlers, whatever decides", () => {
  for (const signalled of [false, true]) {
    const program = new Program();
    program.async("awaited");
    if (signalled) program.signal("SIGINT");
    program.uncaught(new SystemExit("the text"));
    assertEquals(program.runtime.written, ["the text"]);
    assertEquals(program.runtime.exitCode, signalled ? 130 : 1);
  }
});

// -------------------------------------------------------------------------------------- time

Deno.test("Lifecycle: after the timeout the rest are called without being awaited", async () => {
  const program = new Program();
  program.sync("last");
  const stuck = program.async("stuck");
  program.exit(3, 100);
  program.runtime.pass(99);
  assertEquals(program.said, ["stuck"]);
  program.async("registered meanwhile");
  program.runtime.pass(1);
  await settle();
  assertEquals(program.said.slice(0, 3), ["stuck", "registered meanwhile", "last"]);
  assertEquals(program.reports, [
    "Exception in atexit handler stuck:",
    "Cannot await atexit handler registered meanwhile: the time is over, 100 ms for all handlers. " +
    "Give them a longer timeout or grace period",
  ]);
  assertEquals(program.runtime.written[0].includes("did not settle within 100 ms"), true);
  stuck.resolve();
});

Deno.test("Lifecycle: the last tenth of the time belongs to the handlers behind", async () => {
  const program = new Program();
  const flush = program.async("flush");
  program.async("stuck");
  program.exit(3, 100);
  program.runtime.pass(89);
  assertEquals(program.said, ["stuck"]);
  program.runtime.pass(1);
  assertEquals(program.said, ["stuck", "flush"]);
  flush.resolve();
  await settle();
  assertEquals(program.said.slice(2), [
    "flush settles",
    "rejected: SystemExit: The program ends with exit code 3",
  ]);
  assertEquals(program.runtime.written, [
    "Exception in atexit handler stuck:\nError: The handler did not settle within nine tenths of the 100 ms: " +
    "the last one is for the handlers behind it. Give handlers a longer timeout or grace period",
  ]);
});

Deno.test("Lifecycle: a handler with no asynchronous one behind it has all of the time", () => {
  const program = new Program();
  program.sync("last");
  program.async("stuck");
  program.exit(3, 100);
  program.runtime.pass(99.9);
  assertEquals(program.said, ["stuck"]);
  program.runtime.pass(0.1);
  assertEquals(program.said, ["stuck", "last"]);
});

Deno.test("Lifecycle: the last tenth is given once", () => {
  const program = new Program();
  for (const name of ["c", "b", "a"]) program.async(name);
  program.exit(3, 100);
  program.runtime.pass(99);
  assertEquals(program.said, ["a", "b"]);
  program.runtime.pass(1);
  assertEquals(program.said, ["a", "b", "c"]);
});

Deno.test("Lifecycle: of several limits the shortest counts, from the start of the run", () => {
  for (const [one, other] of [[50, 1e9], [1e9, 50], [50, undefined]]) {
    const program = new Program();
    program.async("stuck");
    program.exit(3, one);
    program.runtime.pass(40);
    program.exit(4, other);
    program.runtime.pass(9);
    assertEquals(program.runtime.ends, []);
    program.runtime.pass(1);
    assertEquals(program.runtime.ends.at(-1), "exit 4");
  }
});

Deno.test("Lifecycle: a timeout takes the place of the grace period, also a longer one", () => {
  for (const timeout of [10, 200]) {
    const program = new Program();
    program.lifecycle.setGracePeriod(100);
    program.async("stuck");
    program.exit(3, timeout);
    program.runtime.pass(timeout - 1);
    assertEquals(program.runtime.ends, []);
    program.runtime.pass(1);
    assertEquals(program.runtime.ends.at(-1), "exit 3");
  }
});

for (const [one, end] of Object.entries(first)) {
  Deno.test(`Lifecycle: the grace period limits a run for ${one}, and takes effect at the next run`, () => {
    const program = new Program();
    program.lifecycle.setGracePeriod(100);
    program.async("stuck");
    end(program);
    program.lifecycle.setGracePeriod(undefined);
    assertEquals([...program.runtime.timers].some(({ holds }) => holds), true);
    program.runtime.pass(100);
    assertEquals(program.reports, ["Exception in atexit handler stuck:"]);
    program.async("after that");
    if (program.lifecycle.dry()) {
      program.runtime.pass(1_000);
      assertEquals(program.reports.length, 1);
    }
  });
}

Deno.test("Lifecycle: a timeout of 0 calls each handler, and awaits none", () => {
  const program = new Program();
  program.async("b");
  program.async("a");
  program.exit(3, 0);
  assertEquals(program.said, ["a"]);
  program.runtime.pass(0);
  assertEquals([program.said, program.runtime.ends.at(-1)], [["a", "b"], "exit 3"]);
});

Deno.test("Lifecycle: a handler that is awaited for 10 s without a limit is named, once", async () => {
  const rows: [end: string, reason: string, rest: string][] = [
    ["dry", "its event loop has run dry", ""],
    ["exit", "an exit was asked for", ""],
    ["error", "nobody has handled an error", ". The error:\nError: 1"],
    ["signal", "SIGINT came", ""],
  ];
  for (const [end, reason, rest] of rows) {
    const program = new Program();
    program.sync("behind");
    const slow = program.async("slow");
    first[end](program);
    assertEquals([...program.runtime.timers].some(({ holds }) => holds), false);
    program.runtime.pass(9_999);
    assertEquals(program.runtime.written, []);
    program.runtime.pass(60_000);
    assertEquals(program.runtime.written, [
      "Still awaiting atexit handler slow after 10 s, and 1 handler waits behind it. " +
      `The program ends because ${reason}. Set a limit with setGracePeriod(), ` +
      `or with the timeout of exit() or exitOnSignals()${rest}`,
    ]);
    slow.resolve();
    await settle();
    assertEquals(program.runtime.timers.size, 0);
  }
});

Deno.test("Lifecycle: each handler has 10 s before it is named", async () => {
  const program = new Program();
  program.async("b");
  const a = program.async("a");
  program.exit();
  program.runtime.pass(9_000);
  a.resolve();
  await settle();
  program.runtime.pass(9_999);
  assertEquals(program.reports, []);
  program.runtime.pass(1);
  assertEquals(
    program.reports[0].startsWith("Still awaiting atexit handler b after 10 s. The"),
    true,
  );
});

// ------------------------------------------------------------------------------------------ signals

Deno.test("Lifecycle: further signals are the first one until 100 ms after the event loop has turned", () => {
  const program = new Program();
  program.sync("last");
  program.async("awaited");
  program.signal("SIGINT");
  program.runtime.pass(0); // The event loop turns.
  program.runtime.pass(99);
  program.signal("SIGTERM");
  program.signal("SIGINT");
  assertEquals(program.said, ["awaited"]);
  program.runtime.pass(1);
  program.signal("SIGTERM");
  assertEquals([program.said, program.runtime.ends], [["awaited", "last"], ["exit 130 by SIGINT"]]);
  assertEquals(program.reports, [
    "Cannot await atexit handler awaited: a second signal came, SIGTERM. " +
    "Only after the first one handlers are awaited",
  ]);
});

Deno.test("Lifecycle: a signal that comes while the program leaves changes nothing", () => {
  const program = new Program();
  program.runtime.onExit = () => program.signal("SIGTERM");
  program.exit(3);
  assertEquals(program.runtime.ends, ["exit 3"]);
});

Deno.test("Lifecycle: signals are covered by each call, and a signal named twice counts once", () => {
  const program = new Program();
  const { lifecycle, runtime } = program;
  const one = lifecycle.exitOnSignals({ signals: ["SIGTERM", "SIGINT", "SIGTERM"] });
  const other = lifecycle.exitOnSignals({ signals: ["SIGINT"] });
  const listens = () => ["SIGTERM", "SIGINT"].map((signal) => runtime.listens(signal));
  assertEquals(listens(), [true, true]);
  one();
  assertEquals(listens(), [false, true]);
  one();
  assertEquals(listens(), [false, true]);
  other();
  assertEquals(listens(), [false, false]);
});

Deno.test("Lifecycle: a signal that cannot be listened to covers none of its call", () => {
  const { lifecycle, runtime } = new Program();
  assertThrows(() => lifecycle.exitOnSignals({ signals: ["SIGTERM", "SIGKILL"] }), TypeError);
  assertEquals(runtime.listens("SIGTERM"), false);
});

Deno.test("Lifecycle: of the calls that cover a signal the shortest timeout counts", () => {
  const program = new Program();
  program.async("stuck");
  for (const timeout of [1e9, 20, undefined]) {
    program.lifecycle.exitOnSignals({ signals: ["SIGTERM"], timeout });
  }
  program.runtime.send("SIGTERM");
  program.runtime.pass(19);
  assertEquals(program.runtime.ends, []);
  program.runtime.pass(1);
  assertEquals(program.runtime.ends, ["exit 143 by SIGTERM"]);
});

// ---------------------------------------------------------------------------------- refused exits

for (
  const [end, act] of Object.entries({
    exit: first.exit,
    SystemExit: first.SystemExit,
    signal: first.signal,
  })
) {
  Deno.test(`Lifecycle: if the exit does not happen everything is as before it: ${end}`, async () => {
    const program = new Program();
    const { lifecycle, runtime } = program;
    lifecycle.exitOnSignals({ signals: ["SIGTERM"] });
    runtime.exitCode = 6;
    runtime.refuses = true;
    program.sync("fails", () => {
      throw new Error("bad");
    });
    const awaited = program.async("awaited");
    act(program);
    program.exit(undefined, 1_000);
    awaited.resolve();
    await settle();
    assertEquals(runtime.ends.length, 1);
    assertEquals([runtime.exitCode, lifecycle.exitReason()], [6, undefined]);
    assertEquals([runtime.timers.size, runtime.listens("SIGTERM")], [0, true]);
    program.sync("later");
    assertEquals(program.said.includes("later"), false);
    program.unload("dry");
    assertEquals(program.said.at(-1), "later");
    assertEquals(runtime.ends.length, 1); // The failure of the refused exit is not raised.
  });
}

Deno.test("Lifecycle: exit() rejects with what refuses it, whoever else has joined", async () => {
  for (const joins of ["error", "signal", "nobody"]) {
    const program = new Program();
    const awaited = program.async("awaited");
    program.exit(3);
    if (joins === "signal") program.signal("SIGTERM");
    program.runtime.onExit = () => {
      throw new Error("refused");
    };
    if (joins === "error") program.exitNow = () => {};
    awaited.resolve();
    await settle();
    assertEquals(program.said.at(-1), "rejected: Error: refused");
  }
});

Deno.test("Lifecycle: Deno.exit(n) that is refused leaves the exit code to the runtime", async () => {
  const program = new Program();
  const { runtime } = program;
  runtime.exitCode = 6;
  program.async("awaited");
  program.exit(3);
  program.sync("sets", () => runtime.exitCode = 9);
  let seen: number | undefined;
  runtime.onExit = () => {
    seen = runtime.exitCode;
    throw new Error("refused");
  };
  assertThrows(() => program.exitNow(21), Error, "refused");
  assertEquals([seen, runtime.exitCode, runtime.ends], [6, 6, ["now 9"]]);
  await settle();
  assertEquals(program.said.at(-1), "rejected: Error: refused");
  assertEquals(program.lifecycle.exitReason(), undefined);
});

Deno.test("Lifecycle: exit() while handlers run sets the code and rejects with it", async () => {
  const program = new Program();
  let caught: unknown;
  program.lifecycle.register(async () => {
    try {
      await program.lifecycle.exit(5);
    } catch (error) {
      caught = error;
    }
  }, { args: [], self: undefined, awaited: true });
  program.exit(3);
  await settle();
  assertEquals([caught instanceof SystemExit && caught.code, program.runtime.ends], [5, [
    "exit 5",
  ]]);
});

Deno.test("Lifecycle: after unload by hand the program lives on, and its handlers run at the next end", () => {
  const program = new Program();
  for (const kind of ["dry", "unload", "close"] as const) {
    program.sync(`before ${kind}`);
    program.unload(kind);
    program.sync(`after ${kind}`);
    assertEquals(program.said.pop(), `before ${kind}`);
    program.unload(kind);
    assertEquals(program.said.pop(), `after ${kind}`);
  }
});

Deno.test("Lifecycle: unload by hand in a handler runs the others, and breaks nothing", () => {
  const program = new Program();
  program.sync("last");
  program.sync("by hand", () => {
    program.unload();
    throw new Error("bad");
  });
  program.exit(3);
  assertEquals(program.said.slice(0, 2), ["by hand", "last"]);
  assertEquals(program.reports, ["Exception in atexit handler by hand:"]);
});

Deno.test("Lifecycle: exitReason() says why, as long as the program ends", () => {
  const error = new Error("1");
  const rows: [(program: Program) => void, unknown][] = [
    [(program) => program.unload("dry"), { kind: "dry" }],
    [(program) => program.unload("close"), { kind: "exit" }],
    [(program) => program.unload("exit"), { kind: "exit" }],
    [(program) => program.unload(), { kind: "unload" }],
    [(program) => program.exit(3), { kind: "exit" }],
    [(program) => program.exitNow(3), { kind: "exit" }],
    [(program) => program.uncaught(error), { kind: "error", error }],
    [(program) => program.uncaught(new SystemExit()), { kind: "exit" }],
    [(program) => program.signal("SIGINT"), { kind: "signal", signal: "SIGINT" }],
  ];
  for (const [end, expected] of rows) {
    const program = new Program();
    let reason: unknown;
    program.sync("asks", () => reason = program.lifecycle.exitReason());
    assertEquals(program.lifecycle.exitReason(), undefined);
    end(program);
    assertEquals(reason, expected);
  }
});

Deno.test("Lifecycle: an exit listener that throws is reported", () => {
  const program = new Program();
  program.lifecycle.exitListenerRaised(new Error("bad"));
  assertEquals(program.runtime.written, ["Exception in an exit listener of process:\nError: bad"]);
});

// ------------------------------------------------------------------------------- what else it holds

Deno.test("Lifecycle: a handler that is registered while listeners of unload are called runs at once", () => {
  const program = new Program();
  program.lifecycle.unload("unload", { kind: "unload" });
  program.sync("late");
  assertEquals(program.said, ["late"]);
  program.lifecycle.unloaded();
  program.sync("later");
  assertEquals(program.said, ["late"]);
});

Deno.test("Lifecycle: what comes without an end changes nothing", () => {
  const { lifecycle, runtime } = new Program();
  lifecycle.unloaded();
  lifecycle.raiseFailure();
  lifecycle.refused(new Error("nobody"));
  assertEquals([runtime.ends, lifecycle.leaving, lifecycle.active, lifecycle.calling], [
    [],
    false,
    false,
    false,
  ]);
});

Deno.test("Lifecycle: calling and used tell of handlers", () => {
  const program = new Program();
  const { lifecycle } = program;
  assertEquals(lifecycle.used, false);
  let calling: boolean | undefined;
  program.sync("asks", () => calling = lifecycle.calling);
  program.unload();
  assertEquals([calling, lifecycle.calling, lifecycle.used], [true, false, true]);
});

Deno.test("Lifecycle: no timer is started where nothing is awaited", () => {
  for (const end of Object.values(first)) {
    const program = new Program();
    program.sync("limits", () => program.exit(4, 100));
    program.runtime.refuses = true;
    if (end === first.dry) program.unload("dry");
    else if (end === first.error) program.uncaught(new Error("1"));
    else end(program);
    assertEquals([program.said[0], program.runtime.timers.size], ["limits", 0]);
  }
});

Deno.test("Lifecycle: after a signal that was refused, another one is a first one again", async () => {
  const program = new Program();
  program.runtime.refuses = true;
  program.async("a");
  program.signal("SIGINT");
  program.runtime.pass(200);
  program.signal("SIGINT");
  program.async("b").resolve();
  program.signal("SIGINT");
  program.signal("SIGTERM");
  await settle();
  assertEquals(program.said, ["a", "b", "b settles"]);
  assertEquals(program.reports.length, 1);
});

Deno.test("Lifecycle: exit() in a listener of an error within an error waits for both", () => {
  const program = new Program();
  program.lifecycle.showError(() => {
    program.lifecycle.showError(() => {
      program.exit(7);
      return undefined;
    });
    assertEquals(program.runtime.ends, []);
    return undefined;
  });
  assertEquals(program.runtime.ends, ["exit 7"]);
});

Deno.test("Lifecycle: Deno.exit(n) after an error that has joined raises no exception of a handler", () => {
  const program = new Program();
  program.async("awaited");
  program.sync("fails", () => {
    throw new Error("bad");
  });
  first.dry(program);
  program.uncaught(new Error("2"));
  program.exitNow(21);
  assertEquals(program.runtime.ends, ["now 21"]);
});

Deno.test("Lifecycle: an error that is being raised again stays the one that ends the program", async () => {
  const program = new Program();
  program.async("awaited").resolve();
  program.uncaught(new Error("1"));
  await settle();
  assertEquals(program.runtime.ends, ["raise Error: 1"]);
  assertEquals(program.uncaught(new Error("2")), false);
  assertEquals(program.reports, ["Uncaught error:"]);
});

Deno.test("Lifecycle: one reason of two rejections is told of once", () => {
  const program = new Program();
  program.async("awaited");
  const error = new Error("1");
  program.uncaught(error);
  program.uncaught(error);
  assertEquals(program.reports, []);
});

Deno.test("Lifecycle: an error where no handler is registered changes nothing", () => {
  const program = new Program();
  assertEquals(program.lifecycle.showError(() => ({ error: 1, raise() {} })), true);
  assertEquals([program.runtime.exitCode, program.lifecycle.exitReason()], [0, undefined]);
});

Deno.test("Lifecycle: exit() in a listener of an error that ends the program starts nothing", () => {
  const program = new Program();
  program.sync("last");
  program.lifecycle.showError(() => {
    program.exit(7);
    return { error: 1, raise() {} };
  });
  assertEquals([program.said, program.runtime.ends], [["last"], []]);
});

Deno.test("Lifecycle: a timer that is early is started again", () => {
  const program = new Program();
  program.async("behind");
  program.async("stuck");
  program.exit(3, 100);
  for (let early = 0; early < 3; early++) {
    const [timer] = program.runtime.timers;
    program.runtime.timers.delete(timer);
    timer.callback();
  }
  assertEquals(program.said, ["stuck"]);
  program.runtime.pass(90);
  const [timer] = program.runtime.timers;
  program.runtime.timers.delete(timer);
  timer.callback();
  assertEquals(program.said, ["stuck", "behind"]);
  program.runtime.pass(10);
  assertEquals(program.runtime.ends.at(-1), "exit 3");
});

Deno.test("Lifecycle: a dry program whose handler's time was over is ended", () => {
  const program = new Program();
  program.lifecycle.setGracePeriod(100);
  program.async("stuck");
  program.lifecycle.dry();
  program.runtime.pass(100);
  assertEquals(program.runtime.ends, [
    "raise Error: The handler did not settle within 100 ms. Give handlers a longer timeout or grace period",
    "exit 0",
  ]);
});

Deno.test("Lifecycle: a dry program is ended if the time of a handler was over in the last tenth", async () => {
  const program = new Program();
  program.lifecycle.setGracePeriod(100);
  const behind = program.async("behind");
  program.async("stuck");
  program.lifecycle.dry();
  program.runtime.pass(95);
  behind.resolve();
  await settle();
  assertEquals(program.runtime.ends.at(-1), "exit 0");
});

Deno.test("Lifecycle: registering an asynchronous handler keeps the program from ending before that", () => {
  const program = new Program();
  program.sync("sync");
  assertSpyCalls(program.runtime.turnOnce, 0);
  program.async("async");
  assertSpyCalls(program.runtime.turnOnce, 1);
});
