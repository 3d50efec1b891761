// deno test and deno bench over files whose tests fail in every way: handlers change no verdict.

import { assertEquals } from "@std/assert";
import { assertOutcome, type Outcome, Program, version, writeProgram } from "./program.ts";

const silent = {
  "a synchronous handler": `
    import { register } from "@atexit/atexit";
    register(() => {});`,
  "an asynchronous handler": `
    import { registerAsync } from "@atexit/atexit";
    registerAsync(async function silent() {});`,
  "both, and signals": `
    import { exitOnSignals, register, registerAsync } from "@atexit/atexit";
    exitOnSignals();
    register(() => {});
    registerAsync(async function silent() {});`,
};

/** What tests, and benchmarks, do. */
const bodies = {
  "pass": "",
  "throw": 'throw new Error("boom");',
  "throw nothing": "throw undefined;",
  "reject": 'return Promise.reject(new Error("boom"));',
  "reject beside": 'Promise.reject(new Error("beside")); await later();',
  "throw in a timer": 'setTimeout(() => { throw new Error("timer"); }, 1); await later(20);',
  "throw in a microtask": 'queueMicrotask(() => { throw new Error("microtask"); }); await later();',
  "report": 'reportError(new Error("reported")); await later();',
  "exit": "Deno.exit(7);",
  "exit by process": 'const { default: process } = await import("node:process"); process.exit(7);',
  "exit by another's exit()": 'const { exit } = await import("@atexit/atexit"); await exit(7);',
  "raise SystemExit":
    'const { SystemExit } = await import("@atexit/atexit"); throw new SystemExit(7);',
  "set the exit code": "Deno.exitCode = 7;",
  "exit by a stub": `
    const { exit } = Deno;
    const calls = [];
    Deno.exit = (code) => { calls.push(code); throw new Error("stubbed"); };
    try { Deno.exit(7); } catch (error) { if (error.message !== "stubbed") throw error; }
    finally { Deno.exit = exit; }
    if (calls.join() !== "7") throw new Error("the stub was not called");`,
  "stub timers": `
    const { setTimeout: native } = globalThis;
    globalThis.setTimeout = () => { throw new Error("stubbed"); };
    try { await null; } finally { globalThis.setTimeout = native; }`,
  "leak a timeout": "setTimeout(() => {}, 100_000);",
  "leak an interval": "setInterval(() => {}, 100_000);",
  "leak a file": "await Deno.open(new URL(import.meta.url));",
  "never settle": "await new Promise(() => {});",
  "send a signal to nobody": 'Deno.kill(Deno.pid, "SIGCONT");',
  "end": "",
};

/** Files of tests, with what they need. */
const prelude = `
  console.log("started");
  const later = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));`;
const testOf = (name: string, body: string, options = "{}") =>
  `Deno.test(${JSON.stringify(name)}, ${options}, async () => {\n${body}\n});`;
const all = Object.entries(bodies);
const beside = /beside|timer$|microtask|^report|^never/;
const unsanitized = "{ sanitizeOps: false, sanitizeResources: false, sanitizeExit: false }";
const alone = all.filter(([name]) => !beside.test(name));
const staying = alone.filter(([name]) => !name.startsWith("exit") || name === "exit by a stub");

interface TestOptions {
  command?: string[];
  files?: Record<string, string>;
}

/** Runs all tests of a folder. */
async function runTests(
  source: string,
  { command = ["test", "-R", "--allow-run"], files = {} }: TestOptions = {},
): Promise<Outcome> {
  const name = `main_${command[0]}.ts`;
  const folder = writeProgram(source, { name, files }).slice(0, -name.length);
  return await new Program([...command, "--no-check", "--no-config", folder]).outcome();
}

const files: Record<string, [source: string, options?: TestOptions]> = {
  "all kinds of tests": [alone.map(([name, body]) => testOf(name, body)).join("\n")],
  "all kinds of tests, without sanitizers": [
    staying.map(([name, body]) => testOf(name, body, unsanitized)).join("\n"),
  ],
  "all kinds of steps": [
    `Deno.test("steps", async (t) => {
      ${
      alone.map(([name, body]) =>
        `await t.step(${JSON.stringify(name)}, async () => {\n${body}\n});`
      ).join("\n")
    }
    });`,
  ],
  "hundreds of tests, and one rejects": [`
    for (let i = 0; i < 300; i++) Deno.test("test " + i, async () => {
      if (i === 150) Promise.reject(new Error("beside"));
      await later();
    });`],
  "hooks that throw": [`
    addEventListener("unload", () => { throw new Error("unload"); });
    Deno.test("passes", () => {});`],
  "a module that throws": [`Deno.test("passes", () => {}); throw new Error("top level");`],
  "a module that rejects": [`Deno.test("passes", () => {}); Promise.reject(new Error("top"));`],
  "a module that exits": [`Deno.test("passes", () => {}); Deno.exit(7);`],
  "two modules": [`Deno.test("passes", () => {}); Deno.exitCode = 7;`, {
    files: { "other_test.ts": 'Deno.test("other", () => {}); Deno.test("b", () => { throw 1; });' },
  }],
  "tests at once": [alone.map(([name, body]) => testOf(name, body)).join("\n"), {
    command: ["test", "--parallel", "-R", "--allow-run"],
  }],
  "the first failure ends it": [alone.map(([name, body]) => testOf(name, body)).join("\n"), {
    command: ["test", "--fail-fast", "-R", "--allow-run"],
  }],
};

// What a runner notices beside the tests cancels all the others: so it has a file of its own.
for (const [name, body] of all.filter(([name]) => beside.test(name))) {
  files[name] = [["", body, ""].map((body, i) => testOf(`test ${i}`, body)).join("\n")];
}

/** The verdicts: which test, in which order, with what, and why. */
function verdicts({ stdout, stderr, code, signal }: Outcome): unknown {
  const text = (stdout + stderr)
    .replace(/\(\d+(m\d+)?[mµn]?s\)/g, "(time)").replace(/\S*\/atexit-\w+\/\d+\//g, "/")
    // What is printed meanwhile: that nobody can await the handler, which is to be said.
    .replace(/^.*\.\.\.\n?-+ output( end)? -+\n/gm, "");
  return {
    verdicts: text.match(/^.*(\.\.\. .*|passed.*failed.*|=> .*)$|^error.*$/gm),
    code,
    signal,
  };
}

for (const [name, [source, options]] of Object.entries(files)) {
  Deno.test(`deno test: ${name}: handlers change no verdict`, async () => {
    const program = (imports: string) =>
      runTests(`${imports.replaceAll("\n", " ")}\n${prelude}${source}`, options);
    const plain = await program("");
    // Where a module exits, the runner of 2.5 may lose what it has printed.
    const mayBeLost = name === "a module that exits" && version < 206;
    assertOutcome(plain, mayBeLost ? { code: 7 } : { stdout: /started/ });
    for (const [kind, imports] of Object.entries(silent)) {
      const outcome = await program(imports);
      assertOutcome(outcome, () => assertEquals(verdicts(outcome), verdicts(plain), kind));
    }
  });
}

const benchmarkOf = (name: string, body = "") =>
  `Deno.bench(${JSON.stringify(name)}, { n: 1, warmup: 0 }, async () => {\n${body}\n});`;
const benchmarks: Record<string, string> = {
  "all kinds of benchmarks": alone.filter(([name]) => !/^(exit|leak|stub)/.test(name))
    .map(([name, body]) => benchmarkOf(name, body)).join("\n"),
  ...Object.fromEntries(
    alone.filter(([name]) => /^exit/.test(name))
      .map(([name, body]) => [name, benchmarkOf("first") + benchmarkOf(name, body)]),
  ),
};

/** The benchmarks that were begun, what failed, and the status. */
function rows({ stdout, stderr, code }: Outcome): unknown {
  const names = Object.keys(bodies).concat("first").join("|");
  const row = new RegExp(`^\\|? ?(${names})\\b|^error.*|Bench attempted.*`, "gm");
  return [...new Set((stdout + stderr).match(row)), code];
}

for (const [name, source] of Object.entries(benchmarks)) {
  Deno.test(`deno bench: ${name}: handlers change no verdict`, async () => {
    const program = (imports: string) =>
      runTests(`${imports.replaceAll("\n", " ")}\n${prelude}${source}`, {
        command: ["bench", "-R"],
      });
    const plain = await program("");
    assertOutcome(plain, { stdout: /started/ });
    for (const [kind, imports] of Object.entries(silent)) {
      const outcome = await program(imports);
      assertOutcome(outcome, () => assertEquals(rows(outcome), rows(plain), kind));
    }
  });
}

Deno.test("each file of tests starts from an empty registry, and a test can empty it", async () => {
  const outcome = await runTests(
    `
    import { register } from "@atexit/atexit";
    let released = 0;
    Deno.test("the library releases what it holds", () => {
      register(() => released++);
      dispatchEvent(new Event("unload"));
      if (released !== 1) throw new Error("not released");
    });
    Deno.test("the next test starts from an empty registry", () => {
      dispatchEvent(new Event("unload"));
      if (released !== 1) throw new Error("released twice");
    });
    Deno.test("handlers can be registered again", () => {
      register(() => console.log("at the end", released));
    });`,
    {
      files: {
        "b_test.ts": `
          import { exitReason } from "@atexit/atexit";
          Deno.test("the other file", () => console.log("reason", exitReason()));`,
      },
    },
  );
  assertOutcome(outcome, { code: 0, stdout: /ok \| 4 passed \| 0 failed/ });
  assertOutcome(outcome, ({ stdout }) => {
    assertEquals(stdout.match(/^at the end \d+|reason \w+/gm)?.sort(), [
      "at the end 1",
      "reason undefined",
    ]);
  });
});

Deno.test("under deno test the first handler that is registered after a refused Deno.exit() runs at the end", async () => {
  const { stdout } = await runTests(`
    const { exit } = Deno;
    const { register } = await import("@atexit/atexit");
    Deno.test("exits", () => {
      try { exit(0); } catch { /* It is refused. */ }
      register(() => console.log("handler"));
      console.log("registered");
    });`);
  assertEquals(stdout.match(/registered|handler/g), ["registered", "handler"]);
});
