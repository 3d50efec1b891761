// exit(), exitReason() and setGracePeriod() on Deno alone. The rest is in the portable tests.

import { assertOutcome, run, start } from "./program.ts";
import { withoutSignals } from "./skip.ts";

Deno.test("exit() rejects bad arguments at once, and nothing ends", async () => {
  const code = "expected a 32-bit integer as exit code, received";
  const timeout = "expected a time in milliseconds";
  const positive = `${timeout}, a finite number of 0 or more, received`;
  const rejections = {
    '"1"': `TypeError: Cannot exit: ${code} "1"`,
    "1.5": `RangeError: Cannot exit: ${code} 1.5`,
    "null": `TypeError: Cannot exit: ${code} null`,
    "2 ** 31": `RangeError: Cannot exit: ${code} 2147483648`,
    "0, null": "TypeError: Cannot exit: expected options, received null",
    '0, { timeout: "1" }': `TypeError: Cannot exit: ${timeout}, received "1"`,
    "0, { timeout: -1 }": `RangeError: Cannot exit: ${positive} -1`,
    "0, { timeout: NaN }": `RangeError: Cannot exit: ${positive} NaN`,
    "0, { timeout: Infinity }": `RangeError: Cannot exit: ${positive} Infinity`,
  };
  const calls = Object.keys(rejections).map((args) => `() => exit(${args}),`);
  const outcome = await run(`
    import { exit, exitReason, register } from "@atexit/atexit";
    register(() => console.log("handler"));
    for (const call of [${calls.join("\n")}]) {
      try { call(); } catch (error) { console.log(String(error)); }
    }
    console.log("alive", exitReason());
  `);
  const lines = [...Object.values(rejections), "alive undefined", "handler"];
  assertOutcome(outcome, { lines, code: 0, stderr: "" });
});

Deno.test("exit() inside a handler sets the code, and stops that handler and no other", async () => {
  for (const [end, code] of [["", 0], ["Deno.exit(1);", 1], ["exit(1);", 1]] as const) {
    const outcome = await run(`
      import { exit, register, registerAsync } from "@atexit/atexit";
      addEventListener("unhandledrejection", () => console.log("unhandled"));
      register(() => console.log("last", Deno.exitCode));
      register(() => { try { exit(6); } catch { console.log("caught"); } });
      registerAsync(async () => { exit(5); console.log("not reached"); });
      register(() => { console.log("first", Deno.exitCode); exit(4); console.log("not reached"); });
      ${end}
    `);
    assertOutcome(outcome, { lines: [`first ${code}`, "caught", "last 5"], code: 5 });
  }
});

Deno.test("exit() several times is one exit, with the first code", async () => {
  const outcome = await run(`
    import { exit, registerAsync } from "@atexit/atexit";
    registerAsync(async () => {
      console.log("handler", Deno.exitCode);
      await new Promise((resolve) => setTimeout(resolve, 10));
      console.log("awaited", Deno.exitCode);
    });
    setInterval(() => {}, 1000);
    try { exit(1); } catch (error) { console.log(String(error)); }
    setTimeout(() => exit(3));
    exit(2);
  `);
  assertOutcome(outcome, {
    lines: [
      "SystemExit: The program is ending with exit code 1. If you catch this exception, rethrow it",
      "handler 1",
      "awaited 1",
    ],
    code: 1,
    stderr: "",
  });
});

/** Handlers of which the last two cannot settle, one that takes its time, and one that is synchronous. */
const stuck = `
  import { exit, register, registerAsync } from "@atexit/atexit";
  register(() => console.log("sync last"));
  registerAsync(async function slow() {
    console.log("slow");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    console.log("slow ends");
  });
  registerAsync(function stuck2() { console.log("stuck 2"); return new Promise(() => {}); });
  registerAsync(function stuck1() { console.log("stuck 1"); return new Promise(() => {}); });
`;

for (
  const [how, end] of [
    ["busy loop", "exit(3, { timeout: 2_000 });"],
    ["timer", "setTimeout(() => exit(3, { timeout: 2_000 }));"],
  ]
) {
  Deno.test(`exit() awaits no handler any longer after its timeout: ${how}`, async () => {
    const outcome = await run(`${stuck} setInterval(() => {}, 1000); ${end}`);
    assertOutcome(outcome, {
      lines: ["stuck 1", "stuck 2", "slow", "sync last"],
      code: 1,
      stderr:
        /^Exception in atexit handler stuck1:\n\[Error: .* did not settle within nine tenths of the 2000 ms/,
      counts: {
        "Exception in atexit handler": 2,
        "Exception in atexit handler stuck2:\n[Error: The handler did not settle within 2000 ms. Set a longer timeout or grace period]\n":
          1,
        "Cannot await atexit handler slow: the time limit of 2000 ms has passed. Set a longer timeout or grace period\nPromise { <pending> }\n":
          1,
        "error: Uncaught Error: The handler did not settle within 2000 ms. Set a longer timeout or grace period\n":
          1,
      },
    });
  });
}

Deno.test("exit() leaves the last tenth of its timeout to the handlers behind a stuck one", async () => {
  const outcome = await run(`
    import { exit, register, registerAsync } from "@atexit/atexit";
    const start = performance.now();
    const passed = () => performance.now() - start < 1_800 ? "early" : "last tenth";
    const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));
    register(() => console.log("last", passed()));
    registerAsync(async () => { await sleep(5); console.log("flushed"); });
    register(() => console.log("between", passed()));
    registerAsync(function stuck() { return new Promise(() => {}); });
    setInterval(() => {}, 1000);
    exit(3, { timeout: 2_000 });
  `);
  assertOutcome(outcome, {
    lines: ["between last tenth", "flushed", "last last tenth"],
    code: 1,
    stderr: /^Exception in atexit handler stuck:\n\[Error: .* within nine tenths of the 2000 ms/,
    counts: { "Cannot await": 0, "Exception in": 1 },
  });
});

Deno.test("exit() gives the whole timeout to a handler with no asynchronous one behind it", async () => {
  const outcome = await run(`
    import { exit, register, registerAsync } from "@atexit/atexit";
    const start = performance.now();
    register(() => console.log("last", performance.now() - start >= 500));
    registerAsync(function stuck() { return new Promise(() => {}); });
    setInterval(() => {}, 1000);
    exit(3, { timeout: 500 });
  `);
  assertOutcome(outcome, {
    lines: ["last true"],
    code: 1,
    stderr: /^Exception in atexit handler stuck:\n\[Error: .* did not settle within 500 ms\. .*\n/,
    counts: { "Cannot await": 0, "Exception in": 1 },
  });
});

Deno.test("exit(code, { timeout: 0 }) calls the handlers, and awaits none", async () => {
  const outcome = await run(`
    import { exit, register, registerAsync } from "@atexit/atexit";
    register(() => console.log("last"));
    registerAsync(async function behind() { console.log("behind"); await new Promise(() => {}); });
    registerAsync(async function pending() { await new Promise(() => {}); });
    setInterval(() => {}, 1000);
    exit(3, { timeout: 0 });
  `);
  assertOutcome(outcome, {
    lines: ["behind", "last"],
    code: 1,
    stderr: /^Exception in atexit handler pending:\n\[Error: .* did not settle within 0 ms\. .*\n/,
    counts: { "Cannot await atexit handler behind: the time limit of 0 ms has passed": 1 },
  });
});

Deno.test("exit() counts a timeout from the start of the run, and of several the shortest one", async () => {
  for (const [first, second] of [["500", "1e9"], ["1e9", "500"]]) {
    const outcome = await run(`
      import { exit, register, registerAsync } from "@atexit/atexit";
      register(() => console.log("last"));
      registerAsync(function stuck() {
        setTimeout(() => exit(4, { timeout: ${second} }));
        return new Promise(() => {});
      });
      setInterval(() => {}, 1000);
      exit(3, { timeout: ${first} });
    `);
    assertOutcome(outcome, { lines: ["last"], code: 1, stderr: /did not settle within 500 ms/ });
  }
});

Deno.test("exit() keeps to its timeout whoever replaces the timers", async () => {
  const outcome = await run(`
    import { exit, register, registerAsync } from "@atexit/atexit";
    const { setInterval } = globalThis;
    globalThis.setTimeout = () => 0; // As tests do.
    globalThis.clearTimeout = () => {};
    register(() => console.log("last"));
    registerAsync(() => new Promise(() => {}));
    setInterval(() => {}, 1000);
    exit(3, { timeout: 500 });
  `);
  assertOutcome(outcome, { lines: ["last"], code: 1 });
});

Deno.test("exit() leaves everything as it was if Deno.exit returns, and exits that come meanwhile, too", async () => {
  const outcome = await run(`
    import { exit, exitReason, registerAsync } from "@atexit/atexit";
    const real = Deno.exit;
    const refused = Promise.withResolvers();
    Deno.exit = (code) => { console.log("stub", code); setTimeout(refused.resolve); };
    Deno.exitCode = 6;
    const handler = async (text) => { await Promise.resolve(); console.log(text, Deno.exitCode); };
    registerAsync(handler, "handler");
    for (const end of [() => exit(5), () => exit(7, { timeout: 1e9 })]) {
      try { end(); } catch (error) { console.log(error.code, exitReason().kind); }
    }
    await refused.promise;
    console.log(Deno.exitCode, exitReason());
    Deno.exit = real;
    registerAsync(handler, "later");
  `);
  assertOutcome(outcome, {
    lines: ["5 exit", "7 exit", "handler 5", "stub 5", "6 undefined", "later 6"],
    code: 6,
    stderr: "",
  });
});

Deno.test("an exit that a stub refuses leaves the exit code as it was, whoever sets it", async () => {
  for (const end of ["exit(4)", "throw new SystemExit(4)"]) {
    const outcome = await run(`
      import { exit, exitReason, register, registerAsync, SystemExit } from "@atexit/atexit";
      const real = Deno.exit;
      Deno.exit = (code) => {
        console.log("stub", code);
        setTimeout(() => {
          console.log(Deno.exitCode, exitReason());
          Deno.exit = real;
          register(() => console.log("later"));
        });
      };
      Deno.exitCode = 6;
      registerAsync(async () => { await Promise.resolve(); console.log("handler", Deno.exitCode); });
      addEventListener("error", () => console.log("shown"));
      setTimeout(() => { ${end} });
    `);
    assertOutcome(outcome, {
      lines: ["handler 4", "stub 4", "6 undefined", "later"],
      code: 6,
      stderr: "",
    });
  }
});

for (const type of ["error", "unhandledrejection"]) {
  const raise = type === "error"
    ? 'setTimeout(() => { throw new Error("boom"); });'
    : 'Promise.reject(new Error("boom"));';
  const source = (prevent: string) => `
    import { exit, exitReason, register, registerAsync } from "@atexit/atexit";
    register(() => console.log("last", Deno.exitCode, exitReason().kind));
    registerAsync(async () => await Promise.resolve());
    addEventListener("${type}", (event) => {
      ${prevent}
      exit(3);
      console.log("listener goes on");
    });
    addEventListener("${type}", () => console.log("other listener"));
    ${raise}
  `;

  Deno.test(`exit() in a listener of ${type} starts its run after the event, and the error is the cause`, async () => {
    assertOutcome(await run(source("")), {
      lines: ["listener goes on", "other listener", "last 1 error"],
      code: 1,
      stderr: /^error: Uncaught (\(in promise\) )?Error: boom\n/,
    });
  });

  Deno.test(`exit() in a listener of ${type} that prevents the default decides`, async () => {
    assertOutcome(await run(source("event.preventDefault();")), {
      lines: ["listener goes on", "other listener", "last 3 exit"],
      code: 3,
      stderr: "",
    });
  });
}

// ------------------------------------------------------------------------------------ exitReason()

/** A program that tells why it ends, before it does and in a handler of each kind. */
const tellsReason = `
  import { exit, exitOnSignals, exitReason, register, registerAsync, SystemExit } from "@atexit/atexit";
  console.log(exitReason());
  register(() => console.log(exitReason()));
`;

for (
  const [end, reason] of [
    ["", '{ kind: "finished" }'],
    ['setTimeout(() => { throw "boom"; });', '{ kind: "error", error: "boom" }'],
    ["Promise.reject(undefined);", '{ kind: "error", error: undefined }'],
    ['dispatchEvent(new Event("unload"));', '{ kind: "unload" }'],
  ]
) {
  Deno.test(`exitReason() tells why the program ends: ${end || "running dry"}`, async () => {
    assertOutcome(await run(tellsReason + end), { lines: ["undefined", reason] });
  });
}

Deno.test({
  name: "exitReason() tells which signal ends the program",
  ignore: withoutSignals(),
  async fn() {
    const end = 'exitOnSignals(); setInterval(() => {}, 1000); console.log("ready");';
    await using program = start(tellsReason + end);
    await program.says("ready");
    program.kill("SIGHUP");
    const lines = ["undefined", "ready", '{ kind: "signal", signal: "SIGHUP" }'];
    assertOutcome(await program.outcome(), { lines, code: 129 });
  },
});

Deno.test("exitReason() is the very value that nobody handled", async () => {
  const outcome = await run(`
    import { exitReason, registerAsync } from "@atexit/atexit";
    const error = new Error("boom");
    registerAsync(async () => {
      await Promise.resolve();
      console.log(exitReason().error === error);
    });
    Promise.reject(error);
  `);
  assertOutcome(outcome, { lines: ["true"], code: 1 });
});

Deno.test("exitReason() is undefined again if an exit turns out not to happen", async () => {
  const outcome = await run(`
    Deno.exit = () => {};
    const { exitReason, register } = await import("@atexit/atexit");
    register(() => console.log(exitReason()));
    Deno.exit(3);
    console.log(exitReason());
  `);
  assertOutcome(outcome, { lines: ['{ kind: "exit" }', "undefined"], code: 0 });
});

// -------------------------------------------------------------------------------- setGracePeriod()

/** A program whose only asynchronous handler never settles, and keeps the event loop turning. */
const neverSettles = `
  import { exit, exitOnSignals, register, registerAsync, setGracePeriod, SystemExit } from "@atexit/atexit";
  register(() => console.log("last"));
  registerAsync(function stuck() { return new Promise(() => setInterval(() => {}, 1000)); });
`;

for (
  const end of [
    'setTimeout(() => { throw new Error("boom"); });',
    "Promise.reject(new SystemExit(3));",
    "exit(3);",
    "",
    "await exit(3);",
  ]
) {
  Deno.test(`setGracePeriod() limits an end that nothing else limits: ${end || "running dry"}`, async () => {
    assertOutcome(await run(`${neverSettles} setGracePeriod(500); ${end}`), {
      lines: ["last"],
      code: 1,
      stderr: /Exception in atexit handler stuck:\n\[Error: .* did not settle within 500 ms\. .*\n/,
    });
  });
}

Deno.test("setGracePeriod() gives way to a timeout, also to a longer one", async () => {
  const outcome = await run(`${neverSettles} setGracePeriod(200); exit(3, { timeout: 800 });`);
  assertOutcome(outcome, {
    lines: ["last"],
    code: 1,
    stderr: /did not settle within 800 ms\. .*\n/,
  });
});

Deno.test("setGracePeriod() takes effect at the next run, and undefined sets no limit", async () => {
  for (const before of ["setGracePeriod(10); setGracePeriod(undefined);", ""]) {
    const outcome = await run(`
      import { exit, registerAsync, setGracePeriod } from "@atexit/atexit";
      ${before}
      registerAsync(async () => {
        setGracePeriod(10);
        await new Promise((resolve) => setTimeout(resolve, 100));
        console.log("awaited");
      });
      exit(3);
    `);
    assertOutcome(outcome, { lines: ["awaited"], code: 3, stderr: "" });
  }
});

Deno.test("setGracePeriod() throws at a bad value", async () => {
  const time = "Cannot set the grace period: expected a time in milliseconds";
  const rows = {
    "null": `TypeError: ${time}, received null`,
    '"1"': `TypeError: ${time}, received "1"`,
    "-1": `RangeError: ${time}, a finite number of 0 or more, received -1`,
    "NaN": `RangeError: ${time}, a finite number of 0 or more, received NaN`,
    "Infinity": `RangeError: ${time}, a finite number of 0 or more, received Infinity`,
  };
  const outcome = await run(`
    import { setGracePeriod } from "@atexit/atexit";
    for (const value of [${Object.keys(rows)}]) {
      try { setGracePeriod(value); } catch (error) { console.log(String(error)); }
    }
  `);
  assertOutcome(outcome, { lines: Object.values(rows), code: 0 });
});

// ------------------------------------------------------------------ the exit listeners of process

const listens = `
  import process from "node:process";
  import { exit, exitOnSignals, register, registerAsync, SystemExit } from "@atexit/atexit";
  register(() => console.log("handler"));
  registerAsync(async () => await Promise.resolve());
  process.on("exit", (code) => console.log("exit", code));
`;

Deno.test({
  name: "exit listeners of process are called before the process ends by a named signal",
  ignore: withoutSignals(),
  async fn() {
    const end = 'exitOnSignals(); setInterval(() => {}, 1000); console.log("ready");';
    for (
      const [command, status] of [
        [["run"], { code: 130 }],
        [["run", "--allow-run"], { signal: "SIGINT" }],
      ] as const
    ) {
      await using program = start(listens + end, { command: [...command] });
      await program.says("ready");
      program.kill("SIGINT");
      const lines = ["ready", "handler", "exit 130"];
      assertOutcome(await program.outcome(), { lines, ...status, stderr: "" });
    }
  },
});

Deno.test("exit listeners of process are not called where the exit may be refused", async () => {
  const outcome = await run(`${listens}
    const real = Deno.exit;
    Deno.exit = (code) => {
      console.log("stub", code);
      Deno.exit = real;
      setTimeout(() => exit(4));
    };
    exit(3);
  `);
  assertOutcome(outcome, { lines: ["handler", "stub 3", "exit 4"], code: 4 });
});

Deno.test("exit listeners of process are not called at Deno.exit() and at an uncaught error, as without the module", async () => {
  const sync = listens.replace(/registerAsync\(async.*/, "");
  assertOutcome(await run(`${sync} Deno.exit(3);`), { lines: ["handler"], code: 3 });
  const error = await run(`${sync} setTimeout(() => { throw new Error("boom"); });`);
  assertOutcome(error, { lines: ["handler"], code: 1 });
});
