// exit(): its status, its timeout, and where it turns out not to end the program.

import { assertOutcome, run, runFixture } from "./program.ts";

Deno.test("exit(code) awaits the handlers, ends with code, and never resolves", async () => {
  const outcome = await run(`
    import { exit, register, registerAsync } from "@atexit/atexit";
    register(() => console.log("last"));
    registerAsync(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      console.log("awaited", Deno.exitCode);
    });
    setInterval(() => {}, 1000);
    exit(3).then(() => console.log("resolved"), () => console.log("rejected"));
  `);
  assertOutcome(outcome, { lines: ["awaited 3", "last"], code: 3, stderr: "" });
});

Deno.test("exit() ends with Deno.exitCode", async () => {
  const outcome = await run(`
    import { exit } from "@atexit/atexit";
    Deno.exitCode = 6;
    setInterval(() => {}, 1000);
    exit();
  `);
  assertOutcome(outcome, { code: 6 });
});

Deno.test("exit() rejects bad arguments at once, and nothing ends", async () => {
  const code = "expected a 32-bit integer as exit code, received";
  const timeout = "expected a timeout in milliseconds";
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
    import { exit, register } from "@atexit/atexit";
    register(() => console.log("handler"));
    for (const call of [${calls.join("\n")}]) {
      const promise = call();
      console.log("no exception");
      await promise.catch((error) => console.log(String(error)));
    }
  `);
  assertOutcome(outcome, {
    lines: [...Object.values(rejections).flatMap((line) => ["no exception", line]), "handler"],
    code: 0,
  });
});

Deno.test("exit() inside a handler sets the code, stops the handler that awaits it, and cannot deadlock", async () => {
  for (const [end, code] of [["", 0], ["Deno.exit(1);", 1], ["exit(1);", 1]] as const) {
    const outcome = await run(`
      import { exit, register, registerAsync } from "@atexit/atexit";
      addEventListener("unhandledrejection", () => console.log("unhandled"));
      register(() => console.log("last", Deno.exitCode));
      registerAsync(async () => {
        console.log("awaits exit");
        await exit(5);
        console.log("not reached");
      });
      register(() => { console.log("forgets exit", Deno.exitCode); exit(4); });
      ${end}
    `);
    assertOutcome(outcome, {
      lines: [`forgets exit ${code}`, "awaits exit", "last 5"],
      code: 5,
      counts: { "Cannot await": end === "Deno.exit(1);" ? 1 : 0 },
    });
  }
});

Deno.test("exit() twice at the same time is one exit, with the last code", async () => {
  const outcome = await run(`
    import { exit, registerAsync } from "@atexit/atexit";
    let runs = 0;
    registerAsync(async () => {
      console.log("handler", ++runs);
      await new Promise((resolve) => setTimeout(resolve, 10));
    });
    setInterval(() => {}, 1000);
    exit(1);
    exit(2);
    setTimeout(() => exit(3).catch((error) => console.log(String(error))));
  `);
  assertOutcome(outcome, {
    lines: ["handler 1", "SystemExit: The program ends with exit code 3"],
    code: 3,
    stderr: "",
  });
});

/** A handler that is stuck, one that takes a second, and one that does not wait. */
const stuck = `
  import { exit, register, registerAsync } from "@atexit/atexit";
  register(() => console.log("sync last"));
  registerAsync(async function neverAwaited() {
    console.log("async");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    console.log("not reached");
  });
  registerAsync(function stuck() { console.log("stuck"); return new Promise(() => {}); });
`;

for (
  const [how, end] of [
    ["busy loop", "exit(3, { timeout: 30 });"],
    ["top level", "await exit(3, { timeout: 30 });"],
  ]
) {
  Deno.test(`exit() awaits no handler any longer after its timeout: ${how}`, async () => {
    assertOutcome(await run(`${stuck} setInterval(() => {}, 1000); ${end}`), {
      lines: ["stuck", "async", "sync last"],
      code: 1,
      stderr: /^Exception in atexit handler stuck:\nError: .* did not settle within 30 ms/,
      counts: { "Cannot await atexit handler neverAwaited": 1, "error: Uncaught Error: ": 1 },
    });
  });
}

Deno.test("exit() with a timeout does not keep a program alive whose event loop is dry", async () => {
  const exit = "exit(3, { timeout: 1e9 })";
  for (const end of [`${exit};`, `setTimeout(() => ${exit});`]) {
    assertOutcome(await run(`${stuck} ${end}`), {
      lines: ["stuck", "async", "not reached", "sync last"],
      code: 1,
      stderr: /can never settle/,
    });
  }
});

Deno.test("exit() counts a timeout from the start of the run, and of several the shortest one", async () => {
  for (const [first, second] of [["20", "1e9"], ["1e9", "20"]]) {
    const outcome = await run(`
      import { exit, register, registerAsync } from "@atexit/atexit";
      register(() => console.log("last"));
      registerAsync(function stuck() {
        exit(4, { timeout: ${second} });
        return new Promise(() => {});
      });
      setInterval(() => {}, 1000);
      exit(3, { timeout: ${first} });
    `);
    assertOutcome(outcome, { lines: ["last"], code: 1, stderr: /did not settle within 20 ms/ });
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
    exit(3, { timeout: 20 });
  `);
  assertOutcome(outcome, { lines: ["last"], code: 1 });
});

Deno.test("exit() rejects if deno test refuses it, and nothing is left behind for its sanitizers", async () => {
  assertOutcome(await runFixture("leaves_nothing_behind", { command: ["test"] }), {
    stdout: /handler\nrefused Test case attempted to exit with exit code: 0\n/,
    code: 0,
  });
});

Deno.test("exit() rejects with SystemExit if Deno.exit returns, and the registry is usable as before", async () => {
  const outcome = await run(`
    import { exit, registerAsync } from "@atexit/atexit";
    const real = Deno.exit;
    Deno.exit = (code) => console.log("stub", code);
    const handler = async (text) => { await Promise.resolve(); console.log(text); };
    registerAsync(handler, "handler");
    await exit(7).catch((error) => console.log(String(error), error.code));
    Deno.exit = real;
    Deno.exitCode = 0;
    registerAsync(handler, "later");
  `);
  assertOutcome(outcome, {
    lines: ["handler", "stub 7", "SystemExit: The program ends with exit code 7 7", "later"],
    code: 0,
  });
});
