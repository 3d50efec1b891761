// Programs in which others take part in the end, as frameworks, error trackers, loggers, process
// managers and packages that hook `process` do.

import { type Programs, withFlags } from "./program.ts";

/** Sends this process a signal, and keeps it alive until the program ends it. */
const kill = (signal: string) =>
  `process.kill(process.pid, "${signal}"); const alive = setTimeout(() => console.log("late"), 20_000);`;

const signals: Programs = {
  "a listener that exits after some work":
    `process.on("SIGTERM", () => setTimeout(() => { console.log("closed"); process.exit(0); }, 20)); ${
      kill("SIGTERM")
    }`,
  "a listener that sets the code and lets the program end":
    `process.on("SIGTERM", () => { process.exitCode = 7; clearTimeout(alive); }); ${
      kill("SIGTERM")
    }`,
  "a framework that sends itself the signal again":
    `process.on("SIGHUP", async function stop() { console.log("closing"); await new Promise((resolve) => setTimeout(resolve, 20)); process.removeListener("SIGHUP", stop); process.kill(process.pid, "SIGHUP"); }); ${
      kill("SIGHUP")
    }`,
  "a manager that sends SIGINT, then SIGTERM":
    `for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => console.log(name)); process.on("SIGTERM", () => process.exit(3)); process.kill(process.pid, "SIGINT"); setTimeout(() => process.kill(process.pid, "SIGTERM"), 50); setTimeout(() => {}, 20_000);`,
  "a listener that rejects":
    `process.on("SIGINT", async () => { await null; throw new Error("cancelled"); }); ${
      kill("SIGINT")
    }`,
  "a signal while spawnSync() blocks":
    `import { spawnSync } from "node:child_process"; process.on("SIGTERM", () => { console.log("signal"); clearTimeout(alive); }); spawnSync("sh", ["-c", "kill -TERM " + process.pid]); console.log("blocked"); const alive = setTimeout(() => {}, 20_000);`,
  "a listener of a signal that is removed again":
    `const listener = () => console.log("never"); process.on("SIGTERM", listener); process.off("SIGTERM", listener); ${
      kill("SIGTERM")
    }`,
};

const hooks: Programs = {
  "process.emit hooked as by signal-exit":
    `const { emit } = process; process.emit = function (name, ...args) { if (name !== "exit") return emit.call(this, name, ...args); if (args[0] !== undefined) process.exitCode = args[0]; const result = emit.call(this, name, ...args); console.log("hook", process.exitCode); return result; }; process.on("exit", (code) => console.log("exit", code)); process.exitCode = 4;`,
  "process.emit and process.reallyExit hooked, then process.exit()":
    `const { emit, reallyExit } = process; process.emit = function (...args) { return emit.apply(this, args); }; process.reallyExit = function (code) { console.log("hook", code); return reallyExit.call(process, code); }; process.on("exit", (code) => console.log("exit", code)); process.exit(4);`,
  "process.exit replaced by one that awaits":
    `const { exit } = process; process.exit = (code) => void setTimeout(() => { console.log("flushed"); exit.call(process, code); }, 20); process.exit(4); console.log("goes on");`,
  "another Error.prepareStackTrace, and an error":
    `Error.prepareStackTrace = (error) => String(error) + " by hand"; setTimeout(() => { throw new Error("boom"); });`,
  "another Promise, and an error":
    `const { Promise: Native } = globalThis; globalThis.Promise = class extends Native {}; setTimeout(() => { throw new Error("boom"); });`,
  "other timers, and an exit":
    `const { setTimeout: native } = globalThis; globalThis.setTimeout = (...args) => native(...args); setTimeout(() => process.exit(4), 5);`,
};

const trackers: Programs = {
  "an error tracker that sends, then exits":
    `process.on("uncaughtException", (error) => { console.log("sending", error.message); setTimeout(() => { console.log("sent"); process.exit(1); }, 20); }); setTimeout(() => { throw new Error("boom"); });`,
  "an error tracker that exits at once":
    `process.on("exit", (code) => console.log("exit", code)); process.on("uncaughtException", (error) => { console.log(error.message); process.exit(7); }); setTimeout(() => { throw new Error("boom"); });`,
  "an error tracker for rejections that goes on":
    `process.on("unhandledRejection", (error) => { console.log("tracked", error.message); setTimeout(() => console.log("goes on"), 5); }); Promise.reject(new Error("boom"));`,
  "two errors, of which a tracker handles both":
    `process.on("uncaughtException", (error) => console.log(error.message)); setTimeout(() => { throw new Error("one"); }); setTimeout(() => { throw new Error("two"); }, 10);`,
};

const work: Programs = {
  "a log buffer that is written in an exit listener":
    `const lines = []; process.on("exit", () => console.log(lines.join())); lines.push("a"); setTimeout(() => lines.push("b"), 5);`,
  "a parser that prints its usage and exits":
    `function parse() { console.log("usage: tool"); process.exit(0); } parse(); console.log("never");`,
  "a main() whose rejection sets the code":
    `async function main() { await null; throw new Error("boom"); } main().catch((error) => { console.log(error.message); process.exitCode = 1; });`,
  "a main() that exits in its finally":
    `async function main() { try { await null; throw new Error("boom"); } finally { process.exit(4); } } main();`,
  "a timer, a child and a server that keep nothing alive":
    `import { spawn } from "node:child_process"; import { createServer } from "node:net"; setTimeout(() => console.log("never"), 20_000).unref(); const child = spawn("sleep", ["20"], { stdio: "ignore" }); process.on("exit", () => child.kill()); child.unref(); createServer().listen(0).unref(); console.log("started");`,
  "a worker that ends by itself":
    `import { Worker } from "node:worker_threads"; new Worker("process.exit(5)", { eval: true }).on("exit", (code) => console.log("worker", code));`,
  "a child that tells of its end by IPC":
    `import { fork } from "node:child_process"; import { writeFileSync } from "node:fs"; import { fileURLToPath } from "node:url"; const file = fileURLToPath(new URL("./child.mjs", import.meta.url)); writeFileSync(file, 'process.on("disconnect", () => process.exit(6)); process.send("ready");'); const child = fork(file); child.on("message", () => child.disconnect()); child.on("exit", (code) => console.log("child", code));`,
  "an input that closes":
    `import { createInterface } from "node:readline"; createInterface({ input: process.stdin }).on("close", () => { console.log("closed"); process.exit(2); });`,
};

/** Programs that share their end with others. */
export const shared: Programs = withFlags(["-A"], { ...signals, ...hooks, ...trackers, ...work });
