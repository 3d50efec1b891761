// Programs for Node.js and Bun: ends, errors and signals, seen by listeners of `process`.

import { combine, type Programs } from "./program.ts";

const ends: Record<string, string> = {
  "dry": ``,
  "dry, with process.exitCode": `process.exitCode = 4;`,
  "dry after a timer": `setTimeout(() => console.log("work"), 2);`,
  "process.exit()": `process.exit();`,
  "process.exit(3)": `process.exit(3);`,
  "process.exit(3) in a timer": `setTimeout(() => process.exit(3), 1);`,
  "process.reallyExit(3)": `process.reallyExit(3);`,
  "an exit imported by name": `import { exit } from "node:process"; exit(3);`,
  "an error in a timer": `setTimeout(() => { throw new Error("boom"); }, 1);`,
  "an error in a microtask": `queueMicrotask(() => { throw new TypeError("boom"); });`,
  "a rejection": `Promise.reject(new Error("boom"));`,
  "a rejection in a timer": `setTimeout(() => Promise.reject(new RangeError("boom")), 1);`,
  "a rejection with undefined": `Promise.reject();`,
  "a throw": `throw new Error("boom");`,
  "a throw of a text after an await": `await 0; throw "boom";`,
};

const events = [
  "beforeExit",
  "exit",
  "uncaughtException",
  "uncaughtExceptionMonitor",
  "unhandledRejection",
];

const on = (event: string) =>
  `process.on("${event}", (...args) => console.log("${event}", args.length, String(args[0]), typeof args[1], process.exitCode));`;

const watching: Record<string, string> = {
  ...Object.fromEntries(events.map((event) => [`with a listener of ${event}`, on(event)])),
  "with listeners of everything": events.map(on).join("\n"),
  "with process.emit replaced":
    `const { emit } = process; process.emit = function (name, ...args) { if (typeof name === "string") console.log("emit", name); return Reflect.apply(emit, this, [name, ...args]); };`,
  "with process.exit replaced":
    `const { exit } = process; process.exit = (code) => { console.log("exit called", code); exit.call(process, code); };`,
  "with process.reallyExit replaced":
    `const { reallyExit } = process; process.reallyExit = (code) => { console.log("reallyExit called", code); reallyExit.call(process, code); };`,
  "with an exit in exit":
    `process.on("exit", (code) => { console.log("exit", code); if (code !== 9) process.exit(9); });`,
  "with process.exitCode in exit": `process.on("exit", () => { process.exitCode = 8; });`,
  "with beforeExit that works once":
    `let n = 0; process.on("beforeExit", () => { console.log("asked"); if (n++ === 0) setTimeout(() => console.log("more"), 1); });`,
  "with a rejection handled later":
    `process.on("rejectionHandled", () => console.log("handled")); const late = Promise.reject(1); process.once("unhandledRejection", () => setTimeout(() => late.catch(() => {}), 20));`,
  "with a capture callback":
    `process.setUncaughtExceptionCaptureCallback((error) => console.log("captured", String(error)));`,
};

/** Exit codes of all kinds. */
const codes = [
  ...["0", "1", "255", "256", "259", "-1", "2 ** 31", "1.5", "NaN", "undefined", "null"],
  ...[`"3"`, `"abc"`, `""`, "true", "7n", "{}", "Symbol()"],
];

const setters: Record<string, (code: string) => string> = {
  "process.exit": (code) => `process.exit(${code});`,
  "process.exitCode": (code) => `process.exitCode = ${code}; console.log(process.exitCode);`,
  "process.exitCode in exit": (code) =>
    `process.on("exit", () => { process.exitCode = ${code}; }); console.log("started");`,
};

const codePrograms: Programs = Object.fromEntries(
  Object.entries(setters).flatMap(([name, setter]) =>
    codes.map((code) => [
      `${name} with ${code}`,
      `process.on("exit", (code) => console.log("exit", code, process.exitCode));\n${setter(code)}`,
    ])
  ),
);

const signals: Programs = {
  "a signal that nobody listens to":
    `console.log("started"); process.kill(process.pid, "SIGTERM"); setTimeout(() => console.log("never"), 1000);`,
  "a signal with a listener":
    `process.on("SIGTERM", (...args) => { console.log(...args); clearTimeout(timer); }); const timer = setTimeout(() => {}, 1000); process.kill(process.pid, "SIGTERM");`,
  "a signal with a listener once":
    `process.once("SIGINT", () => { console.log("once"); process.kill(process.pid, "SIGINT"); }); setTimeout(() => {}, 1000); process.kill(process.pid, "SIGINT");`,
  "a signal with a listener that exits":
    `process.on("SIGHUP", () => process.exit(5)); setTimeout(() => {}, 1000); process.kill(process.pid, "SIGHUP");`,
  "a signal with a listener that throws":
    `process.on("SIGINT", () => { throw new Error("boom"); }); setTimeout(() => {}, 1000); process.kill(process.pid, "SIGINT");`,
  "SIGKILL": `console.log("started"); process.kill(process.pid, "SIGKILL");`,
};

/** What a program can see of `process`. */
const questions: Programs = Object.fromEntries(
  [
    `process.eventNames().map(String).sort().join()`,
    `["exit", "beforeExit", "uncaughtException", "unhandledRejection", "SIGINT"].map((name) => process.listenerCount(name)).join()`,
    `process.hasUncaughtExceptionCaptureCallback()`,
    `process.getMaxListeners()`,
    `process.exit.name, process.exit.length, process.reallyExit.name, process.reallyExit.length, process.emit.length, process.emit.name`,
    `Object.keys(process).sort().join()`,
    `Object.keys(globalThis).sort().join()`,
    `typeof process.exitCode, process.exitCode`,
    `process.execArgv.length, process.argv.length`,
    `process._exiting`,
    `Object.prototype.toString.call(process), process.constructor.name`,
    `JSON.stringify(Object.getOwnPropertyDescriptor(process, "exit"))`,
    `JSON.stringify(Object.getOwnPropertyDescriptor(process, "reallyExit"))`,
    `JSON.stringify(Object.getOwnPropertyDescriptor(process, "emit"))`,
    `process.on("exit", () => {}) === process, process.emit("x"), process.emit("exit", 3)`,
    `Object.keys(process.env).filter((name) => name.includes("ATEXIT")).join()`,
  ].map((question) => [question, `console.log(${question});`]),
);

const rest: Programs = {
  "an exit under way while work goes on":
    `setInterval(() => {}, 1); setTimeout(() => console.log("never"), 500); setTimeout(() => process.exit(2), 2);`,
  "an exit in a try":
    `try { process.exit(3); } catch { console.log("caught"); } finally { console.log("finally"); }`,
  "an exit that is refused":
    `const { reallyExit } = process; process.reallyExit = () => { console.log("refused"); }; try { process.exit(3); } catch (e) { console.log("thrown"); } console.log("lives"); process.reallyExit = reallyExit;`,
  "an exit that throws":
    `process.on("exit", (c) => console.log("exit", c)); process.exit = () => { throw new Error("no exit"); }; try { process.exit(3); } catch (e) { console.log(e.message); }`,
  "a listener of exit that throws":
    `process.on("exit", () => { throw new Error("boom"); }); process.on("exit", () => console.log("second"));`,
  "a listener of exit that throws under process.exit":
    `process.on("exit", () => { throw new Error("boom"); }); process.exit(5);`,
  "a listener of exit that throws after an error":
    `process.on("exit", () => { throw new Error("second"); }); throw new Error("first");`,
  "a listener of exit that rejects":
    `process.on("exit", () => { Promise.reject(new Error("late")); console.log("exit"); });`,
  "a listener of exit that starts a timer":
    `process.on("exit", () => { setTimeout(() => console.log("never")); console.log("exit"); });`,
  "a listener of exit that queues a microtask":
    `process.on("exit", () => { queueMicrotask(() => console.log("microtask")); process.nextTick(() => console.log("tick")); console.log("exit"); });`,
  "a listener of beforeExit that throws":
    `process.on("beforeExit", () => { throw new Error("boom"); });`,
  "a listener of uncaughtException that throws":
    `process.on("uncaughtException", () => { throw new Error("worse"); }); setTimeout(() => { throw new Error("boom"); });`,
  "a listener of unhandledRejection that throws":
    `process.on("unhandledRejection", () => { throw new Error("worse"); }); Promise.reject(new Error("boom"));`,
  "a listener of uncaughtException that exits":
    `process.on("exit", (c) => console.log("exit", c)); process.on("uncaughtException", (e) => { console.log(e.message); process.exit(6); }); setTimeout(() => { throw new Error("boom"); });`,
  "a listener of uncaughtExceptionMonitor that throws":
    `process.on("uncaughtExceptionMonitor", () => { throw new Error("worse"); }); setTimeout(() => { throw new Error("boom"); });`,
  "eleven listeners of exit": `for (let i = 0; i < 11; i++) process.on("exit", () => {});`,
  "ten listeners of exit":
    `for (let i = 0; i < 10; i++) process.on("exit", () => {}); console.log("started");`,
  "ten listeners of each event":
    `for (const name of ["exit", "beforeExit", "uncaughtException", "unhandledRejection", "SIGINT"]) for (let i = 0; i < 10; i++) process.on(name, () => {}); setTimeout(() => process.exit(), 2);`,
  "process.removeAllListeners()":
    `process.on("exit", () => console.log("never")); process.removeAllListeners(); console.log("started");`,
  "newListener":
    `process.on("newListener", (name) => console.log("new", name)); process.on("exit", () => console.log("exit")); process.on("beforeExit", () => {});`,
  "two errors":
    `setTimeout(() => { throw new Error("one"); }); setTimeout(() => { throw new Error("two"); });`,
  "two rejections": `Promise.reject(new Error("one")); Promise.reject(new Error("two"));`,
  "errors in 3 timers, handled":
    `process.on("uncaughtException", (e) => console.log(e.message)); for (const n of [1, 2, 3]) setTimeout(() => { throw new Error(n); }, n * 3);`,
  "rejections, handled":
    `process.on("unhandledRejection", (e) => console.log(e.message)); for (const n of [1, 2, 3]) setTimeout(() => Promise.reject(new Error(n)), n * 3);`,
  "a warning": `process.on("warning", (w) => console.log(w.name)); process.emitWarning("careful");`,
  "an error with a cause":
    `setTimeout(() => { throw new Error("outer", { cause: new Error("inner") }); });`,
  "an error thrown elsewhere than made":
    `const error = new Error("boom");\n\nsetTimeout(() => {\n  throw error;\n});`,
  "a rejection made elsewhere":
    `const error = new Error("boom");\n\nsetTimeout(() => Promise.reject(error));`,
  "stdout and stderr in turn, then an error":
    `for (let i = 0; i < 10; i++) (i % 2 ? console.error : console.log)(i); throw new Error("boom");`,
  "a large output, then an exit": `console.log("x".repeat(10_000)); process.exit(3);`,
  "a large output in exit": `process.on("exit", () => console.log("x".repeat(10_000)));`,
  "a child process":
    `import { spawnSync } from "node:child_process"; const { status, stdout } = spawnSync(process.execPath, ["-e", "console.log(1); process.exit(3)"]); console.log(status, String(stdout));`,
  "a server that closes":
    `import { createServer } from "node:http"; const server = createServer((_, response) => response.end("hello")); server.listen(0, async () => { const response = await fetch("http://localhost:" + server.address().port); console.log(await response.text()); server.closeAllConnections?.(); server.close(); });`,
  "a pipe of streams":
    `import { pipeline } from "node:stream/promises"; import { Readable } from "node:stream"; await pipeline(Readable.from(["a", "b"]), async function* (source) { for await (const chunk of source) console.log(String(chunk)); });`,
  "a readline":
    `import { createInterface } from "node:readline"; for await (const line of createInterface({ input: process.stdin })) console.log(line);`,
  "async hooks":
    `import { AsyncLocalStorage } from "node:async_hooks"; const storage = new AsyncLocalStorage(); storage.run(1, () => setTimeout(() => console.log(storage.getStore())));`,
  "a CommonJS module":
    `import { createRequire } from "node:module"; const require = createRequire(import.meta.url); console.log(typeof require("node:fs").readFileSync);`,
  "a syntax error in an imported module": `await import("data:text/javascript,let let = 1;");`,
  "a module that is not there": `await import("./nowhere.mjs");`,
};

export const processes: Programs = {
  ...combine(ends, watching, (end, watch) => `${watch}\n${end}`),
  ...codePrograms,
  ...signals,
  ...questions,
  ...rest,
};
