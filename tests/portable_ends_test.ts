// The package on Node.js, Bun and Deno: every way in which a program ends.

import { type Row, testRows } from "./portable.ts";

interface End {
  /** What ends the program. */
  program: string;
  code?: number;
  /** What exitReason() says. */
  reason: string;
  /** Whether handlers cannot be awaited. */
  immediate?: true;
  errors?: Record<string, number>;
  stderr?: string;
  only?: string[];
}

const boom = { code: 1, reason: "error boom", errors: { boom: 1 } };

const ends: Record<string, End> = {
  "an empty event loop": { program: "", reason: "finished" },
  "an empty event loop after a timer": { program: "await turn();", reason: "finished" },
  "an empty event loop, with process.exitCode": {
    program: "process.exitCode = 4;",
    reason: "finished",
    code: 4,
  },
  "process.exit()": { program: "process.exit();", reason: "exit", immediate: true },
  "process.exit(3)": { program: "process.exit(3);", reason: "exit", code: 3, immediate: true },
  "process.exit(3) in a timer": {
    ...{ program: "setTimeout(() => process.exit(3));", reason: "exit", code: 3, immediate: true },
  },
  "process.exit() with process.exitCode": {
    ...{ program: "process.exitCode = 4; process.exit();", reason: "exit", code: 4 },
    immediate: true,
  },
  "process.reallyExit(3)": {
    ...{ program: "process.reallyExit(3);", reason: "exit", code: 3, immediate: true },
  },
  "an exit imported by name": {
    program: `import { exit as leave } from "node:process"; leave(3);`,
    ...{ reason: "exit", code: 3, immediate: true },
  },
  "exit()": { program: "exit();", reason: "exit" },
  "exit() with process.exitCode": {
    ...{ program: "process.exitCode = 4; exit();", reason: "exit", code: 4 },
  },
  "exit(3)": { program: `exit(3);`, reason: "exit", code: 3 },
  "exit(3) in a timer": { program: "setTimeout(() => exit(3));", reason: "exit", code: 3 },
  "exit(3) beside work that never ends": {
    ...{
      program: `setInterval(() => {}, 1); exit(3);`,
      reason: "exit",
      code: 3,
    },
  },
  "exit(3) with a limit": {
    ...{ program: "exit(3, { timeout: 10_000 });", reason: "exit", code: 3 },
  },
  "a throw": { program: `throw new Error("boom");`, ...boom },
  "a throw after an await": { program: `await turn(); throw new Error("boom");`, ...boom },
  "a throw in a timer": { program: `setTimeout(() => { throw new Error("boom"); });`, ...boom },
  "a throw in a microtask": {
    ...{ program: `queueMicrotask(() => { throw new Error("boom"); });`, ...boom },
  },
  "a throw in process.nextTick": {
    ...{ program: `process.nextTick(() => { throw new Error("boom"); });`, ...boom },
  },
  "a throw in a listener": {
    program: `import { EventEmitter } from "node:events";
      const emitter = new EventEmitter().on("x", () => { throw new Error("boom"); });
      setTimeout(() => emitter.emit("x"));`,
    ...boom,
  },
  "a throw beside work that never ends": {
    program: `setInterval(() => {}, 1); setTimeout(() => { throw new Error("boom"); });`,
    ...boom,
  },
  "an event 'error' without a listener": {
    program: `import { EventEmitter } from "node:events";
      setTimeout(() => new EventEmitter().emit("error", new Error("boom")));`,
    ...boom,
  },
  "a rejection": { program: `Promise.reject(new Error("boom"));`, ...boom },
  "a rejection in a timer": {
    ...{ program: `setTimeout(() => Promise.reject(new Error("boom")));`, ...boom },
  },
  "a rejection beside work that never ends": {
    ...{ program: `setInterval(() => {}, 1); Promise.reject(new Error("boom"));`, ...boom },
  },
  "an async function that throws": {
    ...{ program: `(async () => { await turn(); throw new Error("boom"); })();`, ...boom },
  },
  "an imported module that throws": {
    ...{ program: `await import("data:text/javascript,throw new Error('boom')");`, ...boom },
  },
  "SystemExit at the top level": {
    ...{ program: "throw new SystemExit(3);", reason: "exit", code: 3 },
  },
  "SystemExit in a timer": {
    ...{ program: "setTimeout(() => { throw new SystemExit(3); });", reason: "exit", code: 3 },
  },
  "SystemExit in a microtask": {
    ...{ program: "queueMicrotask(() => { throw new SystemExit(3); });", reason: "exit", code: 3 },
  },
  "SystemExit as a rejection": {
    ...{ program: "Promise.reject(new SystemExit(3));", reason: "exit", code: 3 },
  },
  "SystemExit(0)": { program: "throw new SystemExit();", reason: "exit" },
  "Deno.exitCode": { program: "Deno.exitCode = 4;", reason: "finished", code: 4, only: ["deno"] },
  "Deno.exit() with Deno.exitCode": {
    program: "Deno.exitCode = 4; Deno.exit();",
    ...{ reason: "exit", code: 4, immediate: true, only: ["deno"] },
  },
  "Deno.exit(3) within try": {
    program: `
      try { Deno.exit(3); } catch { console.log("caught"); } finally { console.log("finally"); }`,
    ...{ reason: "exit", code: 3, immediate: true, only: ["deno"] },
  },
  "exit() with Deno.exitCode": {
    ...{ program: "Deno.exitCode = 4; exit();", reason: "exit", code: 4, only: ["deno"] },
  },
  "close()": { program: "close();", reason: "exit", immediate: true, only: ["deno"] },
  "a throw in a listener of globalThis": {
    program: `
      addEventListener("ping", () => { throw new Error("boom"); });
      dispatchEvent(new Event("ping"));`,
    ...boom,
    only: ["deno"],
  },
  "SystemExit with a text": {
    program: `throw new SystemExit("usage: greet NAME");`,
    ...{ reason: "exit", code: 1, stderr: "usage: greet NAME\n" },
  },
};

const report = "Cannot await atexit handler flush";

/** One end for each mechanism: these are always tried, also with a synchronous handler alone. */
const mechanisms = new Set([
  ...[
    "an empty event loop",
    "process.exit(3)",
    "process.reallyExit(3)",
    "an exit imported by name",
  ],
  ...["exit(3)", "Deno.exitCode", "close()"],
  ...["a throw", "a throw in a timer", "a rejection", "SystemExit in a timer"],
]);

/** Whether an end is another one at another place. */
const isVariation = (name: string) =>
  !mechanisms.has(name) && / in | after | beside |async function|imported module/.test(name);

function synchronous({ program, code = 0, reason, errors, stderr, only }: End): Row {
  return {
    program: `register(() => console.log("handler", code(), why()));\n` +
      `console.log("started");\n${program}`,
    lines: ["started", `handler ${code} ${reason}`],
    code,
    ...errors ? { errors } : {},
    ...stderr ? { stderr } : {},
    ...only ? { only } : {},
  };
}

function asynchronous(
  { program, code = 0, reason, immediate, errors = {}, stderr, only }: End,
): Row {
  return {
    program: `register(() => console.log("last", code(), why()));
      registerAsync(async function flush() {
        console.log("flush", code(), why());
        await turn(); await turn();
        console.log("flushed", code(), why());
      });
      console.log("started");\n${program}`,
    lines: [
      ...["started", `flush ${code} ${reason}`],
      ...immediate ? [] : [`flushed ${code} ${reason}`],
      `last ${code} ${reason}`,
    ],
    ...{ code, errors, counts: { [report]: immediate ? 1 : 0 } },
    ...stderr ? { stderr } : {},
    ...only ? { only } : {},
  };
}

testRows(Object.fromEntries(
  Object.entries(ends).flatMap(([name, end]) => [
    [`ends, ${name}: a handler runs`, { ...synchronous(end), slow: !mechanisms.has(name) }],
    [
      `ends, ${name}: an asynchronous handler is ${end.immediate ? "called" : "awaited"}`,
      { ...asynchronous(end), slow: isVariation(name) },
    ],
  ]),
));

testRows({
  "a throw in a listener of globalThis ends a program that awaits nothing on the spot": {
    only: ["deno"],
    program: `
      register(() => console.log("handler"));
      addEventListener("ping", () => { throw new Error("boom"); });
      dispatchEvent(new Event("ping"));
      console.log("never");`,
    lines: ["handler"],
    code: 1,
    errors: { boom: 1 },
  },
  "a top-level await that never settles": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async () => { await turn(); console.log("flushed"); });
      console.log("started");
      await new Promise(() => {});`,
    lines: ["started", "flushed", "last 0 finished"],
    only: ["node", "deno"],
    code: 13,
    stderr: /^(Warning: Detected unsettled top-level await at[^]*)?$/,
    cannot: {
      deno: {
        because: "Deno tells nobody of it",
        lines: ["started"],
        code: 1,
        stderr: /Top-level await promise never resolved/,
      },
    },
  },
  "a top-level await that never settles, with synchronous handlers": {
    program: `
      register(() => console.log("last", code(), why()));
      console.log("started");
      await new Promise(() => {});`,
    lines: ["started", "last 13 finished"],
    only: ["node"],
    code: 13,
    stderr: /^(Warning: Detected unsettled top-level await at[^]*)?$/,
    cannot: {
      "node 20": {
        because: "Node.js 20 sets it later",
        lines: ["started", "last 0 finished"],
        code: 13,
      },
      "node 22.3": {
        because: "it sets it later, as Node.js 20",
        lines: ["started", "last 0 finished"],
        code: 13,
        stderr: /^Warning: Detected unsettled top-level await at/,
      },
    },
  },
  "an exit while a top-level await never settles": {
    program: `
      register(() => console.log("handler", code(), why()));
      setTimeout(() => process.exit(3));
      await new Promise(() => {});`,
    lines: ["handler 3 exit"],
    code: 3,
  },
  "a program from stdin": {
    how: "stdin",
    program:
      `register(() => console.log("handler", code())); console.log("started"); process.exitCode = 3;`,
    lines: ["started", "handler 3"],
    code: 3,
  },
  "a program from stdin that throws": {
    how: "stdin",
    program: `register(() => console.log("handler", code(), why()));
      setTimeout(() => { throw new Error("boom"); });`,
    lines: ["handler 1 error boom"],
    code: 1,
    errors: { boom: 1 },
  },
  "a program in an argument": {
    how: "-e",
    program:
      `registerAsync(async () => { await turn(); console.log("handler", code()); }); exit(3);`,
    lines: ["handler 3"],
    code: 3,
  },
  "a program in an argument that throws": {
    how: "-e",
    program: `registerAsync(async () => { await turn(); console.log("handler", code(), why()); });
      setTimeout(() => { throw new Error("boom"); });`,
    lines: ["handler 1 error boom"],
    code: 1,
    errors: { boom: 1 },
  },
  "a handler can change the exit code: an empty event loop": {
    program: `
      register(() => console.log("last", code()));
      register(() => { if (globalThis.Deno) Deno.exitCode = 6; else process.exitCode = 6; });
      console.log("started");`,
    lines: ["started", "last 6"],
    code: 6,
  },
  "a handler can change the exit code: awaited": {
    program: `
      register(() => console.log("last", code()));
      registerAsync(async () => { await turn(); process.exitCode = 6; });
      exit(3);`,
    lines: ["last 6"],
    code: 6,
  },
  "a handler can change the exit code: process.exit(3)": {
    program: `
      register(() => console.log("last", code()));
      register(() => { if (globalThis.Deno) Deno.exitCode = 6; else process.exitCode = 6; });
      process.exit(3);`,
    lines: ["last 6"],
    code: 6,
  },
  "a handler cannot change the status of an error": {
    program: `
      register(() => { console.log("handler"); process.exitCode = 0; });
      setTimeout(() => { throw new Error("boom"); });`,
    lines: ["handler"],
    code: 1,
    errors: { boom: 1 },
  },
  "exitReason() and the code are unset while the program works": {
    program: `
      console.log(exitReason(), process.exitCode);
      setTimeout(() => console.log(exitReason(), process.exitCode));
      register(() => console.log(why()));`,
    lines: ["undefined undefined", "undefined undefined", "finished"],
  },
  "a program that registers nothing": {
    program:
      `console.log("started"); process.exitCode = 3; process.on("exit", (code) => console.log("exit", code));`,
    lines: ["started", "exit 3"],
    code: 3,
  },
  "process.exit(n) in a handler that is awaited joins, and stops the handler": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async function flush() { await turn(); process.exit(4); console.log("never"); });
      exit(3);`,
    lines: ["last 4 exit"],
    code: 4,
  },
  "process.exit(n) elsewhere while a handler is awaited joins, and throws SystemExit": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async function flush() { await turn(200); console.log("flushed", code()); });
      setTimeout(() => {
        try { process.exit(4); } catch (error) { console.log(error instanceof SystemExit, error.code); }
      }, 50);
      exit(3);`,
    lines: ["true 4", "flushed 3", "last 3 exit"],
    code: 3,
  },
  "process.exit(n) while a handler is awaited without a limit interrupts the run after 2 seconds": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async function flush() { await turn(30_000); console.log("never"); });
      setTimeout(() => { process.exit(4); }, 50);
      exit(3);`,
    lines: ["last 3 exit"],
    code: 3,
    counts: { "Cannot await atexit handler flush: process.exit() was called at ": 1 },
  },
  "process.exit(n) while a handler is awaited with a limit changes nothing": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async function flush() { await turn(2_500); console.log("flushed"); });
      setTimeout(() => process.exit(4), 50);
      exit(3, { timeout: 30_000 });`,
    lines: ["flushed", "last 3 exit"],
    code: 3,
  },
  "two errors at once: the first decides, the other is reported": {
    program: `
      registerAsync(async () => { console.log("flush", why()); await turn(20); console.log("flushed", why()); });
      setTimeout(() => { throw new Error("one"); });
      setTimeout(() => { throw new Error("two"); }, 5);`,
    lines: ["flush error one", "flushed error one"],
    code: 1,
    counts: { "Uncaught error:\n": 1 },
    errors: { one: 1, two: 1 },
  },
  "two rejections at once: the first decides, the other is reported": {
    program: `
      registerAsync(async () => { console.log("flush", why()); await turn(20); console.log("flushed", why()); });
      Promise.reject(new Error("one"));
      Promise.reject(new Error("two"));`,
    lines: ["flush error one", "flushed error one"],
    code: 1,
    counts: { "Uncaught error:\n": 1 },
    errors: { one: 1, two: 1 },
  },
  "an error while exit() awaits a handler decides": {
    program: `
      register(() => console.log("last", code(), why()));
      registerAsync(async () => { await turn(10); console.log("flushed"); });
      setTimeout(() => { throw new Error("boom"); });
      exit(3);`,
    lines: ["flushed", "last 1 error boom"],
    code: 1,
    errors: { boom: 1 },
  },
  "beforeExit listeners are asked before asynchronous handlers, and what they start is done": {
    program: `
      let asked = 0;
      process.on("beforeExit", () => { if (asked++ === 0) setTimeout(() => console.log("work"), 5); });
      registerAsync(async () => { console.log("flush"); await turn(); console.log("flushed"); });
      process.on("exit", () => console.log("exit"));`,
    lines: ["work", "flush", "flushed", "exit"],
  },
  "beforeExit listeners that always start work are asked once where a handler is awaited": {
    program: `
      process.on("beforeExit", () => { console.log("asked"); setTimeout(() => {}, 1); });
      registerAsync(async () => { await turn(); console.log("flushed"); process.exitCode = 0; });`,
    lines: ["asked", "flushed"],
  },
  "beforeExit listeners and a synchronous handler": {
    program: `
      let asked = 0;
      process.on("beforeExit", (code) => { console.log("asked", code); if (asked++ < 2) setTimeout(() => console.log("work"), 1); });
      register(() => console.log("handler"));`,
    lines: ["asked 0", "work", "asked 0", "work", "asked 0", "handler"],
  },
  "exit listeners follow a graceful run, each once": {
    program: `
      process.on("exit", (code) => console.log("exit before", code));
      registerAsync(async () => { await turn(); console.log("flushed"); });
      process.on("exit", (code) => console.log("exit after", code));
      exit(3);`,
    lines: ["flushed", "exit before 3", "exit after 3"],
    code: 3,
  },
  "exit listeners follow a rejection with SystemExit, and a handler that is awaited": {
    program: `
      process.on("exit", (code) => console.log("exit", code));
      registerAsync(async () => { await turn(); console.log("handler"); });
      Promise.reject(new SystemExit(3));`,
    lines: ["handler", "exit 3"],
    code: 3,
  },
  "exit listeners follow an uncaught SystemExit": {
    program: `
      process.on("exit", (code) => console.log("exit", code));
      register(() => console.log("handler"));
      throw new SystemExit(3);`,
    lines: ["handler", "exit 3"],
    code: 3,
  },
  "an exit listener that throws after exit() is reported, and the program ends all the same": {
    program: `
      process.on("exit", () => { throw new Error("boom"); });
      registerAsync(async () => { await turn(); console.log("flushed"); });
      exit(3);`,
    lines: ["flushed"],
    code: 3,
    counts: { "Exception in an exit listener of process:\n": 1 },
    errors: { boom: 1 },
    cannot: {
      bun: {
        because: "Bun takes it for an uncaught error",
        lines: ["flushed"],
        code: 1,
        errors: { boom: 1 },
      },
    },
  },
  "an exit that is refused leaves everything as before it": {
    program: `
      const { reallyExit } = process;
      let refusing = true;
      process.reallyExit = (code) => { if (refusing) console.log("refused", code); else reallyExit.call(process, code); };
      register(() => console.log("first", why()));
      try { process.exit(3); } catch (error) { console.log("thrown", error.message); }
      console.log("lives", exitReason());
      refusing = false;
      register(() => console.log("second", why()));
      setTimeout(() => exit(4));`,
    lines: ["first exit", "refused 3", "lives undefined", "second exit"],
    code: 4,
  },
  "an exit() that is refused leaves everything as before it": {
    program: `
      const { reallyExit } = process;
      process.reallyExit = (code) => { throw new Error("no"); };
      register(() => console.log("first", why()));
      setTimeout(() => {
        console.log("lives", exitReason(), code());
        process.reallyExit = reallyExit;
        register(() => console.log("second", why()));
        process.exit(4);
      }, 200);
      exit(3);`,
    lines: ["first exit", "lives undefined 0", "second exit"],
    code: 4,
  },
});
