// The package on Node.js, Bun and Deno: signals, sent by the program to itself.

import { testRows } from "./portable.ts";

const send = (signal: string) => `process.kill(process.pid, "${signal}");`;

/** A program that waits, and so lives until a signal comes. */
const waits = `setTimeout(() => console.log("never"), 30_000);`;

const notBySigterm = {
  because: "a watcher of Deno may share the process, and would die of it",
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
    [`${name}: its default action is back when exitOnSignals() is taken back`]: {
      program: `
        register(() => console.log("never"));
        exitOnSignals()[Symbol.dispose]();
        console.log("started");
        setTimeout(() => { ${send(name)} }); ${waits}`,
      ...{ signals: true, lines: ["started"], signal },
    },
  });
}

testRows({
  "SIGUSR2: a handler runs, and the program dies by it": {
    program: `
      register(() => console.log("handler", code(), why()));
      exitOnSignals({ signals: ["SIGUSR2"] });
      ${send("SIGUSR2")} ${waits}`,
    ...{ signals: true, lines: ["handler 140 signal SIGUSR2"], signal: "SIGUSR2" },
  },
  "SIGTSTP: the program does not stop, it ends": {
    program: `
      register(() => console.log("handler", code(), why()));
      exitOnSignals({ signals: ["SIGTSTP"] });
      ${send("SIGTSTP")} ${waits}`,
    ...{ signals: true, lines: ["handler 148 signal SIGTSTP"], code: 148 },
  },
  "exitOnSignals() keeps nothing alive": {
    program: `
      register(() => console.log("handler", why()));
      exitOnSignals();
      exitOnSignals({ signals: new Set(["SIGUSR2"]), timeout: 1_000 });
      console.log("started");`,
    ...{ signals: true, lines: ["started", "handler dry"] },
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
      registerAsync(async () => { console.log("flush"); await turn(20); console.log("flushed", why()); });
      exitOnSignals();
      ${send("SIGINT")} ${send("SIGINT")} ${waits}
      setTimeout(() => { ${send("SIGINT")} ${send("SIGTERM")} ${send("SIGHUP")} });`,
    ...{ signals: true, lines: ["flush", "flushed signal SIGINT"], signal: "SIGINT" },
  },
  "one that comes while a handler blocks the event loop is the first one again": {
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
  "a second signal cuts the run, and the first one is the status": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async function flush() {
        console.log("flush");
        await turn(1_000);
        setTimeout(() => { ${send("SIGTERM")} });
        await turn(30_000);
      });
      exitOnSignals();
      ${send("SIGINT")} ${waits}`,
    ...{ signals: true, lines: ["flush", "last 130 signal SIGINT"], signal: "SIGINT" },
    counts: { "Cannot await atexit handler flush: a second signal came, SIGTERM": 1 },
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
  "process.exit(n) while handlers are awaited for a signal decides": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async function flush() { await turn(); process.exit(3); });
      exitOnSignals();
      ${send("SIGINT")} ${waits}`,
    ...{ signals: true, code: 3, lines: ["last 3 exit"] },
    counts: { "Cannot await atexit handler flush": 1 },
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
  "a listener of the program keeps living after exitOnSignals() is taken back": {
    program: `
      process.on("SIGINT", () => { console.log("own"); clearTimeout(timer); });
      register(() => console.log("handler", why()));
      exitOnSignals()[Symbol.dispose]();
      const timer = setTimeout(() => console.log("never"), 30_000);
      ${send("SIGINT")}`,
    ...{ signals: true, lines: ["own", "handler dry"] },
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
