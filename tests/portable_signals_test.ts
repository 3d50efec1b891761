// The package on Node.js, Bun and Deno: signals, sent by the program to itself.

import { constants } from "node:os";
import { testRows } from "./portable.ts";

const send = (signal: string) => `process.kill(process.pid, "${signal}");`;

/** A program that waits, and so lives until a signal comes. */
const waits = `setTimeout(() => console.log("never"), 30_000);`;

const notBySigterm = {
  because:
    "a watcher may share the process, and would die of SIGTERM; at others Deno loses telemetry",
  code: 143,
  signal: null,
};

const notToListeners = {
  because: "before 2.7 Deno does not tell listeners which signal it is, either",
  lines: ["before undefined undefined", "after undefined undefined", "handler signal SIGINT"],
  code: 130,
  signal: null,
};

const signals: Record<string, [number, Deno.Signal]> = {
  ...{ SIGINT: [130, "SIGINT"], SIGTERM: [143, "SIGTERM"], SIGHUP: [129, "SIGHUP"] },
};

for (const [name, [code, signal]] of Object.entries(signals)) {
  const sync = ["started", `handler ${code} signal ${name}`, `exit ${code}`];
  const async = ["started", `flush ${code}`, `flushed ${code} signal ${name}`, `exit ${code}`];
  testRows({
    [`${name}: a handler runs, then exit listeners, and the program dies by it`]: {
      program: `
        register(() => console.log("handler", code(), why()));
        process.on("exit", (code) => console.log("exit", code));
        exitOnSignals();
        console.log("started");
        ${send(name)} ${waits}`,
      ...{ signals: true, lines: sync, signal },
      cannot: { ...name === "SIGTERM" ? { deno: { ...notBySigterm, lines: sync } } : {} },
    },
    [`${name}: an asynchronous handler is awaited, and the program dies by it`]: {
      program: `
        registerAsync(async () => {
          console.log("flush", code()); await turn(); console.log("flushed", code(), why());
        });
        process.on("exit", (code) => console.log("exit", code));
        exitOnSignals();
        console.log("started");
        ${send(name)} ${waits}`,
      ...{ signals: true, lines: async, signal },
      cannot: { ...name === "SIGTERM" ? { deno: { ...notBySigterm, lines: async } } : {} },
    },
    [`${name}: without exitOnSignals() no handler runs`]: {
      program: `
        register(() => console.log("never"));
        console.log("started");
        setTimeout(() => { ${send(name)} }); ${waits}`,
      ...{ signals: true, lines: ["started"], signal },
    },
    [`${name}: its default action is back when exitOnSignals() has been disposed of`]: {
      program: `
        register(() => console.log("never"));
        exitOnSignals()[Symbol.dispose]();
        console.log("started");
        setTimeout(() => { ${send(name)} }); ${waits}`,
      ...{ signals: true, lines: ["started"], signal },
    },
  });
}

// The systems have other numbers for these.
const usr2 = 128 + constants.signals.SIGUSR2;
const tstp = 128 + constants.signals.SIGTSTP;

testRows({
  "SIGUSR2: a handler runs, and the program dies by it": {
    program: `
      register(() => console.log("handler", code(), why()));
      exitOnSignals({ signals: ["SIGUSR2"] });
      ${send("SIGUSR2")} ${waits}`,
    ...{ signals: true, lines: [`handler ${usr2} signal SIGUSR2`], signal: "SIGUSR2" },
    cannot: { deno: { ...notBySigterm, lines: [`handler ${usr2} signal SIGUSR2`], code: usr2 } },
  },
  "SIGTSTP: the program does not stop, it ends": {
    program: `
      register(() => console.log("handler", code(), why()));
      exitOnSignals({ signals: ["SIGTSTP"] });
      ${send("SIGTSTP")} ${waits}`,
    ...{ signals: true, lines: [`handler ${tstp} signal SIGTSTP`], code: tstp },
  },
  "as on Windows: no signal is sent to oneself, and default signals that are refused are left out":
    {
      not: { "deno 2.5": "process.platform cannot be redefined" },
      program: `
      Object.defineProperty(process, "platform", { value: "win32" });
      if (globalThis.Deno) {
        Object.defineProperty(Deno, "build", { value: { ...Deno.build, os: "windows" } });
      }
      const { exitOnSignals, register } = await import("@atexit/atexit");
      register(() => console.log("handler", code()));
      exitOnSignals();
      ${send("SIGINT")} ${waits}`,
      ...{ signals: true, lines: ["handler 130"], code: 130 },
    },
  "exitOnSignals() keeps nothing alive": {
    program: `
      register(() => console.log("handler", why()));
      exitOnSignals();
      exitOnSignals({ signals: new Set(["SIGINT"]), timeout: 1_000 });
      console.log("started");`,
    lines: ["started", "handler finished"],
  },
  "what another call covers stays covered": {
    program: `
      register(() => console.log("handler", why()));
      exitOnSignals();
      const second = exitOnSignals({ signals: ["SIGINT", "SIGINT"] });
      second[Symbol.dispose](); second[Symbol.dispose]();
      ${send("SIGINT")} ${waits}`,
    ...{ signals: true, lines: ["handler signal SIGINT"], signal: "SIGINT" },
  },
  "one Ctrl-C that comes as several signals is one": {
    program: `
      registerAsync(async () => {
        console.log("flush");
        ${send("SIGINT")} ${send("SIGTERM")} ${send("SIGHUP")}
        await turn(20);
        console.log("flushed", why());
      });
      exitOnSignals();
      ${send("SIGINT")} ${send("SIGINT")} ${waits}`,
    ...{ signals: true, lines: ["flush", "flushed signal SIGINT"], signal: "SIGINT" },
  },
  "one that arrives while a handler blocks the event loop is a duplicate of the first one": {
    program: `
      registerAsync(async () => { await turn(20); console.log("flushed", why()); });
      register(() => {
        for (const start = Date.now(); Date.now() < start + 300;);
        ${send("SIGINT")}
        console.log("blocked");
      });
      exitOnSignals();
      ${send("SIGINT")} ${waits}`,
    ...{ signals: true, lines: ["blocked", "flushed signal SIGINT"], signal: "SIGINT" },
  },
  "a second signal of the keyboard interrupts the run, and the first one is the status": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async function flush() {
        console.log("flush");
        await turn(1_000);
        setTimeout(() => { ${send("SIGINT")} });
        await turn(30_000);
      });
      exitOnSignals();
      ${send("SIGTERM")} ${waits}`,
    ...{ signals: true, lines: ["flush", "last 143 signal SIGTERM"], signal: "SIGTERM" },
    counts: { "Cannot await atexit handler flush: a second SIGINT arrived": 1 },
    cannot: {
      deno: {
        ...notBySigterm,
        lines: ["flush", "last 143 signal SIGTERM"],
        counts: { "Cannot await atexit handler flush: a second SIGINT arrived": 1 },
      },
    },
  },
  "a second signal that is not of the keyboard joins": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async function flush() {
        await turn(1_000);
        setTimeout(() => { ${send("SIGTERM")} ${send("SIGHUP")} });
        await turn(200);
        console.log("flushed");
      });
      exitOnSignals();
      ${send("SIGINT")} ${waits}`,
    ...{ signals: true, lines: ["flushed", "last 130 signal SIGINT"], signal: "SIGINT" },
  },
  "a second signal of the keyboard within half a second joins": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async function flush() {
        setTimeout(() => { ${send("SIGINT")} }, 300);
        await turn(800);
        console.log("flushed");
      });
      exitOnSignals();
      ${send("SIGINT")} ${waits}`,
    ...{ signals: true, lines: ["flushed", "last 130 signal SIGINT"], signal: "SIGINT" },
  },
  "a process manager that sends SIGTERM 300 ms after SIGINT": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async function flush() {
        setTimeout(() => { ${send("SIGTERM")} }, 300);
        await turn(600);
        console.log("flushed");
      });
      exitOnSignals();
      ${send("SIGINT")} ${waits}`,
    ...{ signals: true, lines: ["flushed", "last 130 signal SIGINT"], signal: "SIGINT" },
  },
  "a framework that sends the process its signal again when it has shut down": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async function flush() { await turn(600); console.log("flushed"); });
      exitOnSignals();
      const onSignal = async () => {
        await turn(200);
        console.log("framework");
        process.removeListener("SIGTERM", onSignal);
        process.kill(process.pid, "SIGTERM");
      };
      process.on("SIGTERM", onSignal);
      ${send("SIGTERM")} ${waits}`,
    ...{ signals: true, signal: "SIGTERM" },
    lines: ["framework", "flushed", "last 143 signal SIGTERM"],
    cannot: {
      deno: { ...notBySigterm, lines: ["framework", "flushed", "last 143 signal SIGTERM"] },
    },
  },
  ...Object.fromEntries(["process.exit()", "process.exit(1)"].map((call) => [
    `${call} in a listener of the same signal joins, and the status is the signal's`,
    {
      program: `
        register(() => console.log("last", code(), why()));
        registerAsync(async function flush() { await turn(100); console.log("flushed"); });
        exitOnSignals();
        process.on("SIGINT", async () => { await turn(20); ${call}; });
        ${send("SIGINT")} ${waits}`,
      ...{ signals: true, signal: "SIGINT" as const },
      lines: ["flushed", "last 130 signal SIGINT"],
      cannot: {
        deno: {
          because: "the program's own listener keeps the process from dying by it",
          ...{ lines: ["flushed", "last 130 signal SIGINT"], code: 130, signal: null },
        },
      },
    },
  ])),
  "process.exit() in a listener of the same signal, called synchronously": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async function flush() { await turn(20); console.log("flushed"); });
      exitOnSignals();
      process.on("SIGINT", () => process.exit(1));
      ${send("SIGINT")} ${waits}`,
    ...{ signals: true, signal: "SIGINT" },
    lines: ["flushed", "last 130 signal SIGINT"],
    cannot: {
      deno: {
        because: "the program's own listener keeps the process from dying by it",
        ...{ lines: ["flushed", "last 130 signal SIGINT"], code: 130, signal: null },
      },
    },
  },
  ...Object.fromEntries(["synchronous", "asynchronous"].map((kind) => [
    `a listener of the same signal that rejects: the signal decides, ${kind} handler`,
    {
      program: `
        ${kind === "synchronous" ? "register" : "registerAsync"}(function flush() {
          console.log("handler", code(), why());
        });
        exitOnSignals();
        process.on("SIGINT", () => void Promise.reject(new Error("boom")));
        ${send("SIGINT")} ${waits}`,
      ...{ signals: true, signal: "SIGINT" as const },
      lines: ["handler 130 signal SIGINT"],
      counts: { "Uncaught error:\n": 1 },
      errors: { boom: 1 },
      cannot: {
        deno: {
          because: "the program's own listener keeps the process from dying by it",
          ...{ lines: ["handler 130 signal SIGINT"], code: 130, signal: null },
          counts: { "Uncaught error:\n": 1 },
          errors: { boom: 1 },
        },
      },
    },
  ])),
  ...Object.fromEntries(["synchronous", "asynchronous"].map((kind) => [
    `a signal that arrives while spawnSync() blocks, with nothing left to do, ${kind} handler`,
    {
      program: `
        import { spawnSync } from "node:child_process";
        ${kind === "synchronous" ? "register" : "registerAsync"}(function flush() {
          console.log("handler", code(), why());
        });
        exitOnSignals();
        console.log(spawnSync("sh", ["-c", "kill -INT " + process.pid + "; sleep 0.2"]).status);`,
      ...{ signals: true, signal: "SIGINT" as const },
      lines: ["0", "handler 130 signal SIGINT"],
    },
  ])),
  "process.exit() in a listener that was there before exitOnSignals() joins, too": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async function flush() { await turn(100); console.log("flushed"); });
      process.once("SIGTERM", () => { console.log("listener"); process.exit(1); });
      exitOnSignals();
      ${send("SIGTERM")} ${waits}`,
    ...{ signals: true, signal: "SIGTERM" },
    lines: ["listener", "flushed", "last 143 signal SIGTERM"],
    cannot: {
      deno: { ...notBySigterm, lines: ["listener", "flushed", "last 143 signal SIGTERM"] },
    },
  },
  "exitOnSignals() in a listener of the same signal calls no listener twice": {
    program: `
      const listener = () => { console.log("listener"); exitOnSignals({ signals: ["SIGUSR2"] })[Symbol.dispose](); };
      process.on("SIGUSR2", listener);
      ${send("SIGUSR2")}
      setTimeout(() => console.log("end"), 300);`,
    ...{ signals: true, lines: ["listener", "end"] },
  },
  "exitOnSignals() leaves the program its listeners, in their order": {
    program: `
      const a = () => console.log("a"), b = () => console.log("b");
      process.on("SIGUSR2", a).on("SIGUSR2", b).once("SIGUSR2", a);
      const stop = exitOnSignals({ signals: ["SIGUSR2"] });
      await turn();
      stop[Symbol.dispose]();
      console.log(process.listenerCount("SIGUSR2"));
      ${send("SIGUSR2")}
      await turn(300);
      console.log(process.listenerCount("SIGUSR2"));`,
    ...{ signals: true, lines: ["3", "a", "b", "a", "2"] },
    not: { "bun 1.4.0": "it drops a listener that is added twice, without the module, too" },
  },
  "exit listeners run before a death by a signal, and one may throw": {
    program: `
      register(() => console.log("handler"));
      process.on("exit", (code) => { console.log("exit", code); throw new Error("boom"); });
      exitOnSignals();
      ${send("SIGINT")} ${waits}`,
    ...{ signals: true, signal: "SIGINT" },
    lines: ["handler", "exit 130"],
    counts: { "Exception in an exit listener of process:\n": 1 },
    errors: { boom: 1 },
    cannot: {
      bun: {
        because: "Bun takes what an exit listener throws for an uncaught error",
        ...{ lines: ["handler", "exit 130"], signal: "SIGINT" },
        counts: { "Uncaught error:\n": 1 },
        errors: { boom: 1 },
      },
    },
  },
  "a signal that comes while exit() awaits a handler joins, and is the status": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async () => {
        console.log("flush", why());
        ${send("SIGINT")}
        while (code() !== 130) await turn();
        console.log("flushed", why());
      });
      exitOnSignals();
      exit(3);`,
    ...{ signals: true, signal: "SIGINT" },
    lines: ["flush exit", "flushed signal SIGINT", "last 130 signal SIGINT"],
  },
  "a signal that comes while handlers are awaited for an error decides, and the error is reported":
    {
      program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async () => {
        console.log("flush", why());
        ${send("SIGINT")}
        while (code() !== 130) await turn();
      });
      exitOnSignals();
      setTimeout(() => { throw new Error("boom"); });`,
      ...{ signals: true, signal: "SIGINT" },
      lines: ["flush error boom", "last 130 signal SIGINT"],
      counts: { "Uncaught error:\n": 1 },
      errors: { boom: 1 },
    },
  "an error that comes while handlers are awaited for a signal joins, and is reported": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async () => { setTimeout(() => { throw new Error("boom"); }); await turn(20); });
      exitOnSignals();
      ${send("SIGINT")} ${waits}`,
    ...{ signals: true, signal: "SIGINT" },
    lines: ["last 130 signal SIGINT"],
    counts: { "Uncaught error:\n": 1 },
    errors: { boom: 1 },
  },
  "whatever handlers raise or assign at a signal leaves the signal": {
    program: `
      register(() => console.log("last", code(), why()));
      register(function bad() { throw new Error("boom"); });
      register(() => { throw new SystemExit(9); });
      register(() => { if (globalThis.Deno) Deno.exitCode = 7; process.exitCode = 7; });
      exitOnSignals();
      ${send("SIGINT")} ${waits}`,
    ...{ signals: true, signal: "SIGINT", lines: ["last 7 signal SIGINT"] },
    counts: { "Exception in atexit handler bad:\n": 1 },
    errors: { boom: 1 },
  },
  "process.exit(n) in a handler that is awaited for a signal joins": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async function flush() { await turn(); process.exit(3); });
      exitOnSignals();
      ${send("SIGINT")} ${waits}`,
    ...{ signals: true, signal: "SIGINT", lines: ["last 130 signal SIGINT"] },
  },
  "a timeout ends the wait": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async function slow() { await turn(30_000); });
      exitOnSignals({ timeout: 1_000 });
      ${send("SIGINT")} ${waits}`,
    ...{ signals: true, signal: "SIGINT", lines: ["last 130 signal SIGINT"] },
    counts: { "Exception in atexit handler slow": 1 },
  },
  "listeners of the program are called, too, before the handlers": {
    program: `
      process.on("SIGINT", (name, number) => console.log("before", name, number));
      register(() => console.log("handler", why()));
      exitOnSignals();
      process.on("SIGINT", (name, number) => console.log("after", name, number));
      ${send("SIGINT")} ${waits}`,
    ...{ signals: true, signal: "SIGINT" },
    lines: ["before SIGINT 2", "after SIGINT 2", "handler signal SIGINT"],
    cannot: {
      "deno 2.5": notToListeners,
      "deno 2.6": notToListeners,
      deno: {
        because: "the program's own listeners keep the process from dying by it",
        lines: ["before SIGINT undefined", "after SIGINT undefined", "handler signal SIGINT"],
        code: 130,
        signal: null,
      },
    },
  },
  "a listener of the program that calls exit(0) makes the status 0": {
    program: `
      process.on("SIGINT", () => exit(0));
      registerAsync(async () => { await turn(); console.log("handler", why()); });
      ${send("SIGINT")} ${waits}`,
    ...{ signals: true, lines: ["handler exit"] },
  },
  "a listener of the program stays when exitOnSignals() has been disposed of": {
    program: `
      process.on("SIGINT", () => { console.log("own"); clearTimeout(timer); });
      register(() => console.log("handler", why()));
      exitOnSignals()[Symbol.dispose]();
      const timer = setTimeout(() => console.log("never"), 30_000);
      ${send("SIGINT")}`,
    ...{ signals: true, lines: ["own", "handler finished"] },
  },
  "a signal that is no one's to listen to is a TypeError, and none is covered": {
    program: `
      for (const name of ["SIGKILL", "SIGSTOP", "SIGNONSENSE"]) {
        try { exitOnSignals({ signals: ["SIGINT", name] }); } catch (error) { console.log(error instanceof TypeError); }
      }
      register(() => console.log("never"));
      setTimeout(() => { ${send("SIGINT")} }); ${waits}`,
    ...{ signals: true, lines: ["true", "true", "true"], signal: "SIGINT" },
  },
  "a signal while a top-level await never settles": {
    program: `
      registerAsync(async () => { await turn(); console.log("handler", why()); });
      exitOnSignals();
      ${send("SIGINT")}
      await new Promise((resolve) => setTimeout(resolve, 30_000));`,
    ...{ signals: true, lines: ["handler signal SIGINT"], signal: "SIGINT" },
  },
});
