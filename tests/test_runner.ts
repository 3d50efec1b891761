// Files for `deno test` and `deno bench`, whose tests fail in every way.

import { type Outcome, Program, writeProgram } from "./program.ts";

/** Imports that register handlers which print nothing. */
export const silent = {
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
export const bodies = {
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

/** What tests and benchmarks do, with its name. */
export const all = Object.entries(bodies);

/** Those that do something which a runner notices beside the tests. */
export const beside = all.filter(([name]) => /beside|timer$|microtask|^report|^never/.test(name));
export const alone = all.filter((body) => !beside.includes(body));

/** A test that does what a body does. */
export function testOf(name: string, body: string, options = "{}"): string {
  return `Deno.test(${JSON.stringify(name)}, ${options}, async () => {\n${body}\n});`;
}

/** The text of a file, which begins with imports. The tests stand in the same line each time. */
export function fileOf(imports: string, source: string): string {
  return `${imports.replaceAll("\n", " ")}
    console.log("started");
    const later = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));${source}`;
}

export interface TestOptions {
  command?: string[];
  /** Further files beside the first one. */
  files?: Record<string, string>;
}

/** Runs all tests of a folder. */
export async function runTests(
  source: string,
  { command = ["test", "-R", "--allow-run"], files = {} }: TestOptions = {},
): Promise<Outcome> {
  const name = `main_${command[0]}.ts`;
  const folder = writeProgram(source, { name, files }).slice(0, -name.length);
  return await new Program([...command, "--no-check", "--no-config", folder]).outcome();
}

/** The verdicts: which test, in which order, with what, and why. */
export function verdicts({ stdout, stderr, code, signal }: Outcome): unknown {
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
