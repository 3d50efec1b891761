// The package on Node.js and Bun: test runners, watchers, clusters, npm install, bun add, bundles.

import { isInstalled, newFolder, Program } from "./program.ts";
import {
  assertPortable,
  labels,
  npm,
  onEach,
  pack,
  startBy,
  succeed,
  testRows,
} from "./portable.ts";
import { others, type TestRuntime } from "./runtimes.ts";
import { skipIf, withoutSignals } from "./skip.ts";

const noSignals = withoutSignals();

testRows({
  "node --test: handlers run when a file's tests are over": {
    only: ["node"],
    command: { node: ["--test", "--test-reporter=tap"] },
    program: `
      import { test } from "node:test";
      register(() => console.log("handler", why()));
      registerAsync(async () => { await turn(); console.log("flushed"); });
      test("one", async () => { await turn(); });
      test("two", () => {});`,
    stdout: /# flushed\n(.*\n)*?# handler finished\n(.*\n)*# pass 2\n# fail 0/,
  },
  "node --test: a test that fails fails as without the module": {
    only: ["node"],
    command: { node: ["--test", "--test-reporter=tap"] },
    program: `
      import { test } from "node:test";
      register(() => console.log("handler", why()));
      test("one", () => { throw new Error("boom"); });
      test("two", () => { setTimeout(() => { throw new Error("late"); }); return turn(20); });
      test("three", () => { Promise.reject(new Error("rejected")); return turn(20); });
      test("four", () => {});`,
    stdout:
      /not ok 1 - one\n(.*\n)*?not ok 2 - two\n(.*\n)*?not ok 3 - three\n(.*\n)*?ok 4 - four\n(.*\n)*# pass 1\n# fail 3/,
    code: 1,
  },
  "test() of node:test without a runner": {
    only: ["node"],
    program: `
      import { test } from "node:test";
      registerAsync(async () => { await turn(); console.log("flushed", code(), why()); });
      test("one", () => { throw new Error("boom"); });`,
    stdout: /flushed \d finished\n/,
    code: 1,
  },
  "bun test: tests pass and fail as without the module, and nothing tells of the end": {
    only: ["bun"],
    command: { bun: ["test"] },
    name: "main.test.mjs",
    program: `
      import { test } from "bun:test";
      import { register } from "@atexit/atexit";
      register(() => console.log("handler"));
      test("one", () => { throw new Error("boom"); });
      test("two", () => {});
      console.log("started");`,
    stdout: /^bun test .*\n?started\n$|^started\n$/,
    stderr: /1 pass\n 1 fail\n/,
    code: 1,
  },
  "node --test: no test is lost by a main() that calls exit(2)": {
    only: ["node"],
    command: { node: ["--test", "--test-reporter=tap"] },
    program: `
      import assert from "node:assert";
      import { test } from "node:test";
      registerAsync(async () => { await turn(); console.log("handler", why()); });
      const main = () => exit(2, { timeout: 100 });
      test("one", () => assert.throws(main, SystemExit));
      test("two", async () => { await turn(300); });
      test("three", () => { throw new Error("boom"); });`,
    stdout:
      /ok 1 - one\n(.*\n)*?ok 2 - two\n(.*\n)*?not ok 3 - three\n(.*\n)*?# handler finished\n(.*\n)*# pass 2\n# fail 1/,
    code: 1,
  },
  "test() of node:test without a runner: no test is lost by a main() that calls exit(2)": {
    only: ["node"],
    program: `
      import assert from "node:assert";
      import { test } from "node:test";
      const main = () => exit(2, { timeout: 100 });
      test("one", () => assert.throws(main, SystemExit));
      test("two", async () => { await turn(300); console.log("two"); });
      test("three", async () => { await turn(20); console.log("three"); });`,
    stdout: /two\n[^]*three\n[^]*pass 3\n/,
  },
  "node --test: a program that a test starts ends with its code": {
    only: ["node"],
    command: { node: ["--test", "--test-reporter=tap"] },
    files: {
      "tool.mjs": `import { exit, registerAsync } from "@atexit/atexit";
        registerAsync(async () => { await null; console.log("flushed"); });
        try { exit(2); } catch { setInterval(() => {}, 1_000); process.exit(1); }`,
    },
    program: `
      import assert from "node:assert";
      import { spawnSync } from "node:child_process";
      import { test } from "node:test";
      test("one", () => {
        const { status, stdout } = spawnSync(process.execPath, ["tool.mjs"], { encoding: "utf8" });
        assert.deepEqual([status, stdout], [2, "flushed\\n"]);
      });`,
    stdout: /# pass 1\n# fail 0/,
  },
  "bun test: no test is lost by a main() that calls exit(2)": {
    only: ["bun"],
    command: { bun: ["test"] },
    name: "main.test.mjs",
    program: `
      import { expect, test } from "bun:test";
      import { exit, SystemExit } from "@atexit/atexit";
      const main = () => exit(2, { timeout: 100 });
      test("one", () => expect(main).toThrow(SystemExit));
      test("two", async () => { await new Promise((resolve) => setTimeout(resolve, 300)); });
      test("three", () => { throw new Error("boom"); });`,
    stderr: /2 pass\n 1 fail\n/,
    code: 1,
  },
  "bun test: a program that a test starts ends with its code": {
    only: ["bun"],
    command: { bun: ["test"] },
    name: "main.test.mjs",
    files: {
      "tool.mjs": `import { exit, registerAsync } from "@atexit/atexit";
        registerAsync(async () => { await null; console.log("flushed"); });
        try { exit(2); } catch { setInterval(() => {}, 1_000); process.exit(1); }`,
    },
    program: `
      import { expect, test } from "bun:test";
      test("one", () => {
        const { exitCode, stdout } = Bun.spawnSync([process.execPath, "tool.mjs"]);
        expect([exitCode, String(stdout)]).toEqual([2, "flushed\\n"]);
      });`,
    stderr: /1 pass\n 0 fail\n/,
  },
  "bun test: process.exit() in a test runs the handlers": {
    only: ["bun"],
    command: { bun: ["test"] },
    name: "main.test.mjs",
    program: `
      import { test } from "bun:test";
      import { register } from "@atexit/atexit";
      register(() => console.log("handler"));
      test("one", () => process.exit(3));`,
    stdout: /handler\n$/,
    stderr: /./,
    code: 3,
  },
  "a cluster: a worker that disconnects, and one that is killed": {
    only: ["node"],
    signals: true,
    program: `
      import cluster from "node:cluster";
      if (cluster.isPrimary) {
        register(() => console.log("primary's handler"));
        const one = cluster.fork({ NAME: "one" });
        one.on("online", () => one.disconnect());
        one.on("exit", (code) => {
          console.log("exit", code);
          const two = cluster.fork({ NAME: "two" });
          two.on("message", () => two.process.kill("SIGTERM"));
          two.on("exit", (code, signal) => console.log("exit", code, signal));
        });
      } else {
        registerAsync(async () => { await turn(); console.log(process.env.NAME, why()); });
        exitOnSignals();
        if (process.env.NAME === "two") process.send("ready");
      }`,
    lines: [
      "one finished",
      "exit 0",
      "two signal SIGTERM",
      "exit null SIGTERM",
      "primary's handler",
    ],
  },
  "a cluster: its primary ends, and its workers are told of no place in the module": {
    only: ["deno 2.9", "node", "bun"], // Deno 2.5 has no clusters, and 2.7 does not end the workers.
    signals: true,
    program: `
      import cluster from "node:cluster";
      if (cluster.isPrimary) {
        cluster.fork().on("message", () => { console.log("primary ends"); process.exit(); });
      } else {
        registerAsync(async function flush() { await turn(); });
        setInterval(() => {}, 1_000);
        process.send("ready");
      }`,
    lines: ["primary ends"],
    stderr:
      /^Cannot await atexit handler flush: process\.exit\(\) was called by node:cluster, because the primary has disconnected\. Call overrideExit\(\) from @atexit\/atexit in the application to make such exits await handlers\nPromise/,
  },
  "a program with an IPC channel ends when the channel closes": {
    only: ["node", "bun"],
    program: `
      import { fork } from "node:child_process";
      import { fileURLToPath } from "node:url";
      if (process.send === undefined) {
        const child = fork(fileURLToPath(import.meta.url));
        child.on("message", () => child.disconnect());
        child.on("exit", (code) => console.log("exit", code));
      } else {
        register(() => console.log("handler", why()));
        process.on("message", () => {});
        process.send("ready");
      }`,
    lines: ["handler finished", "exit 0"],
  },
});

const nodes = others.filter(({ name }) => name === "node");
const buns = others.filter(({ name }) => name === "bun");

Deno.test({
  name: `node --watch: SIGTERM before a restart runs the handlers (${labels(nodes)})`,
  ignore: nodes.length === 0 || noSignals,
  fn: () =>
    onEach(nodes, async (runtime) => {
      await using program = await startBy(runtime, {
        command: { node: ["--watch"] },
        program: `
          import { existsSync, readFileSync, writeFileSync } from "node:fs";
          import { fileURLToPath } from "node:url";
          registerAsync(async () => { await turn(); console.log("flushed", why()); });
          exitOnSignals();
          console.log("started");
          const file = fileURLToPath(import.meta.url);
          if (!existsSync("seen")) setInterval(() => writeFileSync(file, readFileSync(file)), 700);
          else setTimeout(() => {}, 30_000);
          writeFileSync("seen", "");`,
      });
      await program.says("started");
      await program.says("flushed signal SIGTERM");
      await program.says("started", 2);
      program.kill("SIGINT"); // It takes its child along.
      await program.says("flushed signal", 2);
    }),
});

Deno.test({
  name: `npm install (${labels(nodes)})`,
  ignore: nodes.length === 0 || skipIf(!await isInstalled(npm), "npm is not installed"),
  async fn() {
    const folder = newFolder();
    const file = await pack(folder);
    await Deno.writeTextFile(`${folder}/package.json`, `{ "private": true }\n`);
    await succeed(npm, ["install", "--offline", "--no-audit", "--no-fund", file], folder);
    await Deno.writeTextFile(
      `${folder}/main.mjs`,
      `import { register } from "@atexit/atexit";
       register((name) => console.log("Goodbye,", name), "npm");
       process.exit(3);`,
    );
    await onEach(nodes, async ({ path }) => {
      const outcome = await new Program(["main.mjs"], { cwd: folder }, path).outcome();
      assertPortable(outcome, { lines: ["Goodbye, npm"], code: 3 });
    });
  },
});

Deno.test({
  name: `bun add installs the package (${labels(buns.slice(-1))})`,
  ignore: buns.length === 0 || noSignals,
  fn: () =>
    onEach(buns.slice(-1), async ({ path }) => {
      const folder = newFolder();
      const file = await pack(folder);
      await Deno.writeTextFile(`${folder}/package.json`, `{ "private": true }\n`);
      await succeed(path, ["add", file], folder);
      await Deno.writeTextFile(
        `${folder}/main.ts`,
        `import { register } from "@atexit/atexit";
         register((name: string) => console.log("Goodbye,", name), "Bun");
         process.exit(3);`,
      );
      const outcome = await new Program(["main.ts"], { cwd: folder }, path).outcome();
      assertPortable(outcome, { lines: ["Goodbye, Bun"], code: 3 });
    }),
});

/** Makes one file of a program and the package, and runs that. */
async function bundled(runtime: TestRuntime, format: "esm" | "cjs"): Promise<void> {
  const bun = buns.at(-1)!;
  const folder = newFolder();
  const file = await pack(folder);
  await Deno.writeTextFile(`${folder}/package.json`, `{ "private": true }\n`);
  await succeed(bun.path, ["add", file], folder);
  await Deno.writeTextFile(
    `${folder}/main.mjs`,
    `import { register, registerAsync, exit } from "@atexit/atexit";
     register(() => console.log("last"));
     registerAsync(async () => { await new Promise((resolve) => setTimeout(resolve, 1)); console.log("flushed"); });
     exit(3);`,
  );
  const target = format === "esm" ? "out.mjs" : "out.cjs";
  const args = ["build", "main.mjs", "--target=node", `--format=${format}`, `--outfile=${target}`];
  await succeed(bun.path, args, folder);
  await Deno.remove(`${folder}/node_modules`, { recursive: true });
  const outcome = await new Program([target], { cwd: folder }, runtime.path).outcome();
  assertPortable(outcome, { lines: ["flushed", "last"], code: 3 });
}

for (const format of ["esm", "cjs"] as const) {
  Deno.test({
    name: `a bundle of a program and the package, ${format} (${labels(nodes)})`,
    ignore: nodes.length === 0 || buns.length === 0 || noSignals,
    fn: () => onEach(nodes, (runtime) => bundled(runtime, format)),
  });
}
