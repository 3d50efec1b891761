// The package on Node.js, Bun and Deno: workers of node:worker_threads. Each has a registry of its own.

import { type Row, testRows } from "./portable.ts";

const head = `import process from "node:process";
import { exit, exitReason, register, registerAsync, SystemExit } from "@atexit/atexit";
import { writeSync } from "node:fs";
import { parentPort } from "node:worker_threads";
const turn = () => new Promise((resolve) => setTimeout(resolve, 1));
const say = (...parts) => void writeSync(1, parts.join(" ") + "\\n");
`;

const main = `import { Worker } from "node:worker_threads";
register(() => console.log("main's handler"));
const worker = new Worker(new URL("./worker.mjs", import.meta.url));
worker.on("error", (error) => console.log("error", error.message));
worker.on("exit", (code) => console.log("exit", code));
`;

const untold = "before 2.7 Deno tells nobody of the end of such a worker";
const not = { "deno 2.5": untold, "deno 2.6": untold };

function row(worker: string, lines: string[], rest: Partial<Row> = {}): Row {
  return {
    program: main,
    files: { "worker.mjs": head + worker },
    lines: [...lines, "main's handler"],
    not,
    ...rest,
  };
}

const sync = `register(() => say("handler", exitReason().kind));\n`;
const async = `registerAsync(async () => { await turn(); say("handler", exitReason().kind); });\n`;

const throws = `setTimeout(() => { throw new Error("boom"); });`;

const rejects = `setTimeout(() => Promise.reject(new Error("boom")));`;

const thrown = ["handler error", "error boom", "exit 1"];
const cannot = {
  deno: {
    because: "Deno prints the errors of workers, too",
    lines: [...thrown, "main's handler"],
    errors: { boom: 1 },
  },
};

testRows({
  "a worker has nothing left to do": row(`${sync}say("started");`, [
    "started",
    "handler finished",
    "exit 0",
  ]),
  "a worker calls process.exit(3)": row(`${sync}process.exit(3);`, ["handler exit", "exit 3"]),
  "a worker calls exit(3)": row(`${sync}exit(3);`, ["handler exit", "exit 3"]),
  "a worker calls exit(3), and a handler is awaited": row(
    `${async}exit(3);`,
    ["handler exit", "exit 3"],
  ),
  "a worker throws": row(`${sync}${throws}`, thrown, { cannot }),
  "a worker throws, and a handler is awaited": row(`${async}${throws}`, thrown, { cannot }),
  ...Object.fromEntries([["synchronous", sync], ["asynchronous", async]].map(([kind, handler]) => [
    `a worker calls exit(3) and catches its exception, ${kind} handler`,
    row(
      `${handler}try { exit(3, { timeout: 300 }); } catch { say("caught"); }`,
      ["caught", "handler exit", "exit 3"],
    ),
  ])),
  "a worker calls exit(3) in a message listener": {
    ...row(`${async}parentPort.on("message", () => exit(3));`, ["handler exit", "exit 3"]),
    program: `${main}worker.postMessage("stop");`,
  },
  "a worker calls exit(3) in a finally that awaits": row(
    `${async}try { exit(3); } finally { await turn(); say("finally"); }`,
    ["finally", "handler exit", "exit 3"],
  ),
  "a worker emits exit itself": row(
    `${sync}setTimeout(() => { process.emit("exit", 7); say("goes on", exitReason()); });`,
    ["goes on ", "handler finished", "exit 0"],
  ),
  "a worker rejects a promise": row(`${sync}${rejects}`, thrown, {
    cannot: {
      ...cannot,
      bun: {
        because: "a worker's rejection is lost there if the event loop does not turn afterwards",
        lines: ["handler finished", "exit 0", "main's handler"],
      },
    },
  }),
  "a worker rejects a promise, and a handler is awaited": row(
    `${async}${rejects}`,
    thrown,
    { cannot },
  ),
  "a worker throws SystemExit": row(
    `${sync}setTimeout(() => { throw new SystemExit(3); });`,
    ["handler exit", "exit 3"],
  ),
  "a worker with an asynchronous handler has nothing left to do": row(
    `${async}say("started");`,
    ["started", "handler finished", "exit 0"],
    {
      cannot: {
        deno: {
          because: "Deno tells workers too late that their event loop is empty",
          lines: ["started", "exit 0", "main's handler"],
          counts: { "Cannot await atexit handler": 1 },
        },
      },
    },
  ),
  "a worker is terminated": {
    program: `${main}worker.once("message", () => worker.terminate());`,
    files: {
      "worker.mjs":
        `${head}register(() => say("never")); setInterval(() => {}, 1000); say("started"); parentPort.postMessage("started");`,
    },
    lines: ["started", "exit 1", "main's handler"],
    not,
  },
  "the main program ends while a worker works": {
    program: `${main}worker.once("message", () => process.exit(3));`,
    files: {
      "worker.mjs":
        `${head}register(() => say("never")); setInterval(() => {}, 1000); say("started"); parentPort.postMessage("started");`,
    },
    lines: ["started", "main's handler"],
    code: 3,
  },
});
