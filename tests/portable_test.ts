// The package on Node.js, Bun and Deno: handlers, their order, and what becomes of what they raise.

import { testRows } from "./portable.ts";
import { runtimes, skipped } from "./runtimes.ts";

for (const text of skipped) Deno.test({ name: `skipped: ${text}`, ignore: true, fn() {} });
console.log("with", runtimes.map(({ label }) => label).join(", "));

testRows({
  "handlers run last registered first, with their arguments, and this is undefined": {
    program: `
      register(function (...args) { console.log("first", ...args, this); }, 1, "two");
      register((...args) => console.log("second", args.length));
      const twice = register((name) => console.log("third", name), "a");
      register(twice, "b");
      console.log("started");`,
    lines: ["started", "third b", "third a", "second 0", "first 1 two undefined"],
  },
  "register() and registerAsync() take functions only": {
    program: `
      for (const func of [undefined, null, 1, "text", {}, class Goodbye {}]) {
        for (const add of [register, registerAsync]) {
          try { add(func); } catch (error) { console.log(error instanceof TypeError); }
        }
      }`,
    lines: Array(12).fill("true"),
  },
  "unregister() removes every registration of a function, also during the run": {
    program: `
      const gone = (name) => console.log("gone", name);
      register(() => console.log("first"));
      register(gone, 1);
      registerAsync(gone, 2);
      register(() => { console.log("last"); unregister(gone); });
      register(gone, 3);
      unregister(gone);
      register(gone, 4);
      unregister(() => {});`,
    lines: ["gone 4", "last", "first"],
  },
  "asynchronous handlers are awaited one after the other": {
    program: `
      register(() => console.log("last"));
      registerAsync(async (name) => { console.log(name); await turn(); console.log(name, "done"); }, "one");
      registerAsync(async (name) => { console.log(name); await turn(); console.log(name, "done"); }, "two");
      console.log("started");`,
    lines: ["started", "two", "two done", "one", "one done", "last"],
  },
  "an exception stops no other handler, is reported, and is rethrown: an empty event loop": {
    program: `
      register(() => console.log("last", code()));
      register(function bad() { throw new TypeError("boom"); });
      console.log("started");`,
    lines: ["started", "last 0"],
    code: 1,
    counts: { "Exception in atexit handler bad:\n": 1 },
    errors: { boom: 2 },
  },
  "an exception stops no other handler, is reported, and is rethrown: awaited": {
    program: `
      register(() => console.log("last", code()));
      registerAsync(async function bad() { await turn(); throw new TypeError("boom"); });
      console.log("started");`,
    lines: ["started", "last 0"],
    code: 1,
    counts: { "Exception in atexit handler bad:\n": 1 },
    errors: { boom: 2 },
  },
  "an exception stops no other handler, is reported, and is rethrown: process.exit(7)": {
    program: `
      register(() => console.log("last", code()));
      register(function bad() { throw new TypeError("boom"); });
      try { process.exit(7); } catch { console.log("caught"); } finally { console.log("finally"); }`,
    lines: ["last 7"],
    code: 1,
    counts: { "Exception in atexit handler bad:\n": 1 },
    errors: { boom: 2 },
  },
  "an exception stops no other handler, is reported, and is rethrown: exit(7)": {
    program: `
      register(() => console.log("last", code()));
      register(function bad() { throw new TypeError("boom"); });
      setTimeout(() => { exit(7); console.log("never"); });`,
    lines: ["last 7"],
    code: 1,
    counts: { "Exception in atexit handler bad:\n": 1 },
    errors: { boom: 2 },
  },
  "of several exceptions the last one is rethrown": {
    program: `
      register(function third() { throw new Error("third boom"); });
      register(function second() { throw new Error("second boom"); });
      registerAsync(async function first() { throw new Error("first boom"); });`,
    lines: [],
    code: 1,
    counts: { "Exception in atexit handler ": 3 },
    errors: { "first boom": 1, "second boom": 1, "third boom": 2 },
  },
  "an exception of a handler at an error leaves the error and its status": {
    program: `
      register(() => console.log("last", code()));
      register(() => { throw new SystemExit(9); });
      register(function bad() { throw new Error("bad boom"); });
      setTimeout(() => { throw new Error("own boom"); });
      console.log("started");`,
    lines: ["started", "last 1"],
    code: 1,
    counts: { "Exception in atexit handler bad:\n": 1 },
    errors: { "bad boom": 1, "own boom": 1 },
  },
  "listeners of uncaughtException see what a handler has raised, and may handle it: an empty event loop":
    {
      program: `
      process.on("uncaughtException", (error) => console.log("seen", error.message));
      register(() => console.log("last"));
      register(function bad() { throw new Error("boom"); });
      process.exitCode = 3;`,
      lines: ["last", "seen boom"],
      code: 3,
      counts: { "Exception in atexit handler bad:\n": 1 },
      errors: { boom: 1 },
    },
  "listeners of uncaughtException see what a handler has raised, and may handle it: exit(3)": {
    program: `
      process.on("uncaughtException", (error) => console.log("seen", error.message));
      register(() => console.log("last"));
      registerAsync(async function bad() { await turn(); throw new Error("boom"); });
      exit(3);`,
    lines: ["last", "seen boom"],
    code: 3,
    counts: { "Exception in atexit handler bad:\n": 1 },
    errors: { boom: 1 },
  },
  "anything can be thrown": {
    program: `
      const hostile = new Proxy({}, { get() { throw new Error("hostile"); }, ownKeys() { throw 1; } });
      const values = [undefined, null, "text", 0, {}, Symbol("s"), Object.freeze(new Error("frozen")), hostile];
      for (const value of values) register(() => { throw value; });
      register(() => { console.log("started", values.length); throw new SystemExit(0); });
      register(() => { throw new SystemExit(3); });
      const last = () => { throw new SystemExit(5); };
      register(() => { throw 1; });`,
    lines: ["started 8"],
    code: 1,
    counts: { "Exception in atexit handler ": 9 },
  },
  "SystemExit in a handler sets the status and is not reported": {
    program: `
      register(() => console.log("last", code()));
      register(() => { throw new SystemExit(4); });
      register(() => { throw new SystemExit("text"); });
      registerAsync(async () => { await turn(); throw new SystemExit(6); });`,
    lines: ["last 4"],
    stderr: "text\n",
    code: 4,
  },
  "an exception after SystemExit decides": {
    program: `
      register(() => { throw new Error("boom"); });
      register(() => { throw new SystemExit(4); });
      console.log("started");`,
    lines: ["started"],
    code: 1,
    counts: { "Exception in atexit handler": 1 },
    errors: { boom: 2 },
  },
  "SystemExit after an exception decides, and the exception stays reported": {
    program: `
      register(() => { throw new SystemExit(0); });
      register(function bad() { throw new Error("boom"); });
      console.log("started");`,
    lines: ["started"],
    errors: { boom: 1 },
  },
  "process.exit(n) in a handler sets the code and ends that handler alone": {
    program: `
      register(() => console.log("last", code()));
      register(() => { try { process.exit(5); } finally { console.log("finally"); } console.log("never"); });
      registerAsync(async () => { process.exit(6); });
      console.log("started");`,
    lines: ["started", "finally", "last 5"],
    code: 5,
  },
  "process.reallyExit(n) in a handler sets the code and ends that handler alone": {
    program: `
      register(() => console.log("last", code()));
      register(() => { process.reallyExit(5); console.log("never"); });
      console.log("started");`,
    lines: ["started", "last 5"],
    code: 5,
  },
  "an exit imported by name, in a handler, sets the code and ends that handler alone": {
    program: `
      import { exit as leave } from "node:process";
      register(() => console.log("last", code()));
      register(() => { leave(5); console.log("never"); });
      console.log("started");`,
    lines: ["started", "last 5"],
    code: 5,
  },
  "an exit imported by name before the module, in a handler": {
    program: `
      import { exit as leave } from "node:process";
      const { register } = await import("@atexit/atexit");
      register(() => console.log("last", code()));
      register(() => { leave(5); console.log("never"); });
      console.log("started");`,
    lines: ["started", "last 5"],
    code: 5,
  },
  "exit(n) in a handler sets the code if its exception leaves the handler": {
    program: `
      register(() => console.log("last", code()));
      registerAsync(async () => {
        try { exit(5); } catch (error) { console.log(error instanceof SystemExit, error.code, code()); }
        await turn();
        exit(6);
        console.log("never");
      });
      console.log("started");`,
    lines: ["started", "true 5 0", "last 6"],
    code: 6,
  },
  "a synchronous handler that returns a promise is reported, and keeps the status": {
    program: `
      register(function careless() { return Promise.reject(new Error("boom")); });
      console.log("started");`,
    lines: ["started"],
    counts: {
      "The promise of atexit handler careless is not awaited: register the handler with registerAsync()":
        1,
    },
  },
  "an asynchronous handler at process.exit() is reported with exit() as the remedy": {
    program: `registerAsync(async function flush() { await turn(); });
      setTimeout(() => process.exit(3));`,
    lines: [],
    code: 3,
    stderr:
      /^Cannot await atexit handler flush: process\.exit\(\) was called[^.]*(\.mjs:\d+:\d+)?\. Use exit\(\) from/,
  },
  "an asynchronous handler at process.exit() is called, and reported with the place": {
    program: `
      register(() => console.log("last"));
      registerAsync(async function flush() { console.log("called"); await turn(); console.log("never"); });
      process.exit(2);`,
    lines: ["called", "last"],
    code: 2,
    stderr:
      /^Cannot await atexit handler flush: process\.exit\(\) was called at .*main\.mjs:\d+:\d+\. Use exit\(\) from @atexit\/atexit instead, which awaits handlers\nPromise \{ <pending> \}\n$/,
  },
  ...Object.fromEntries(
    [["an empty event loop", "", 0], ["process.exit(3)", "process.exit(3);", 3]].map((
      [name, end, code],
    ) => [`a handler registered during the run runs next: ${name}`, {
      program: `
      register(() => console.log("waiting"));
      register(() => {
        console.log("running");
        register(() => console.log("new 1"));
        registerAsync(async () => { console.log("called"); await turn(); console.log("never"); });
        register(() => { console.log("new 2"); register(() => console.log("newest")); });
      });
      console.log("started");
      ${end}`,
      lines: ["started", "running", "new 2", "newest", "called", "new 1", "waiting"],
      code: Number(code),
      counts: { "Cannot await atexit handler": 1 },
    }]),
  ),
  "a handler registered during an awaited run runs next, and is awaited": {
    program: `
      register(() => console.log("first"));
      registerAsync(async () => { console.log("second"); registerAsync(async () => { await turn(); console.log("added"); }); });
      console.log("started");`,
    lines: ["started", "second", "added", "first"],
  },
  "a handler registered in an exit listener runs, whichever came first": {
    program: `
      process.on("exit", () => { console.log("exit before"); if (globalThis.late) late("before"); });
      const { register } = await import("@atexit/atexit");
      globalThis.late = (name) => register(() => console.log("late", name));
      process.on("exit", () => { console.log("exit after"); late("after"); });
      register(() => console.log("handler"));
      process.exit(2);`,
    lines: ["handler", "exit before", "late before", "exit after", "late after"],
    code: 2,
  },
  "a handler registered in an exit listener of a program that has none": {
    program: `
      process.on("exit", () => { register(() => console.log("late")); console.log("exit"); });
      console.log("started");`,
    lines: ["started", "late", "exit"],
  },
  "a handler registered in a beforeExit listener is awaited": {
    program: `
      process.once("beforeExit", () => { console.log("beforeExit"); registerAsync(async () => { await turn(); console.log("late"); }); });
      console.log("started");`,
    lines: ["started", "beforeExit", "late"],
  },
  "a handler whose promise nothing settles has failed at an empty event loop, and the next one runs":
    {
      program: `
      register(() => console.log("last"));
      registerAsync(function stuck() { console.log("stuck"); return new Promise(() => {}); });
      exit(3);`,
      lines: ["stuck", "last"],
      code: 1,
      counts: {
        "Exception in atexit handler stuck:\n": 1,
        "The handler's promise never settled: the event loop is empty": 2,
      },
    },
  "a timeout ends the wait, and the rest is called": {
    program: `
      register(() => console.log("last"));
      registerAsync(async function quick() { console.log("quick"); await undefined; console.log("quick done"); });
      registerAsync(function slow() { console.log("slow"); return new Promise((resolve) => setTimeout(resolve, 30_000)); });
      exit(3, { timeout: 2_000 });`,
    lines: ["slow", "quick", "quick done", "last"],
    code: 1,
    counts: { "Exception in atexit handler slow:": 1 },
  },
  "setGracePeriod() ends the wait at an empty event loop, too": {
    program: `
      setGracePeriod(500);
      register(() => console.log("last"));
      registerAsync(function slow() { console.log("slow"); return new Promise((resolve) => setTimeout(resolve, 30_000)); });`,
    lines: ["slow", "last"],
    code: 1,
    counts: { "Exception in atexit handler slow:": 1 },
  },
  "arguments are checked": {
    program: `
      const name = (error) => error.constructor.name;
      for (const code of ["1", 1.5]) try { exit(code); } catch (error) { console.log("exit", name(error)); }
      for (const end of [exit.bind(null, 0), overrideExit]) {
        try { end({ timeout: -1 }); } catch (error) { console.log("timeout", name(error)); }
      }
      for (const value of ["1", -1, NaN]) try { setGracePeriod(value); } catch (error) { console.log("grace", name(error)); }
      for (const signals of [["SIGNONSENSE"], "SIGINT", [1], 1]) {
        try { exitOnSignals({ signals }); } catch (error) { console.log("signals", name(error)); }
      }
      for (const code of [{}, 1.5]) try { new SystemExit(code); } catch (error) { console.log("SystemExit", name(error)); }`,
    lines: [
      ...["exit TypeError", "exit RangeError", "timeout RangeError", "timeout RangeError"],
      ...["grace TypeError", "grace RangeError", "grace RangeError"],
      ...Array(4).fill("signals TypeError"),
      ...["SystemExit TypeError", "SystemExit RangeError"],
    ],
  },
  "a second copy of the package shares the registry": {
    needsPackage: true,
    program: `
      import { cpSync } from "node:fs";
      import { resolve } from "node:path";
      import { register } from "@atexit/atexit";
      cpSync(resolve("../node_modules/@atexit/atexit"), resolve("copy"), { recursive: true });
      const copy = await import("./copy/mod.js");
      console.log(copy.register === register);
      register(() => console.log("one"));
      copy.register(() => console.log("two"));
      register(() => console.log("three"));
      register(() => { throw new copy.SystemExit(3); });`,
    lines: ["false", "three", "two", "one"],
    code: 3,
  },
  "require() gets the module that import gets": {
    needsPackage: true,
    program: `
      import { createRequire } from "node:module";
      import { register } from "@atexit/atexit";
      const required = createRequire(import.meta.url)("@atexit/atexit");
      console.log(required.register === register);
      required.register(() => console.log("required"));
      register(() => console.log("imported"));`,
    lines: ["true", "imported", "required"],
    cannot: {
      "node 20.16": { because: "require() of a module came with 20.17", code: 1, errors: {} },
      "node 22.3": { because: "require() of a module came with 22.12", code: 1, errors: {} },
    },
  },
  "a CommonJS program": {
    name: "main.cjs",
    program: `
      import("@atexit/atexit").then(({ register }) => {
        register(() => console.log("handler", process.exitCode));
        process.exit(3);
      });`,
    lines: ["handler 3"],
    code: 3,
  },
  "something else under the key of the module is an error at import that says so": {
    program: `
      globalThis[Symbol.for("@atexit/atexit")] = 1;
      await import("@atexit/atexit").catch((error) => console.log(error.message));`,
    lines: [
      'Cannot load @atexit/atexit: globalThis[Symbol.for("@atexit/atexit")] is in use by something else',
    ],
  },
  "a program that shims Deno is no Deno program": {
    only: ["node", "bun"],
    program: `
      globalThis.Deno = { exit() { console.log("no"); }, version: { deno: "2.9.6" }, build: { os: "linux" } };
      const { register } = await import("@atexit/atexit");
      register(() => console.log("handler"));
      process.exit(3);`,
    lines: ["handler"],
    code: 3,
  },
  "no listener of the module shows up, and many make no warning": {
    program: `
      const events = ["beforeExit", "exit", "uncaughtException", "uncaughtExceptionMonitor", "unhandledRejection", "SIGINT"];
      const before = events.map((name) => process.listenerCount(name));
      const { register, exitOnSignals } = await import("@atexit/atexit");
      for (let i = 0; i < 50; i++) register(() => {});
      for (let i = 0; i < 50; i++) exitOnSignals({ signals: ["SIGINT"] });
      const after = events.map((name) => process.listenerCount(name));
      console.log(events.filter((name, index) => after[index] > before[index] + 1).join());`,
    lines: [""],
  },
  "removeAllListeners() loses no handler": {
    program: `
      register(() => console.log("last"));
      registerAsync(async () => { await turn(); console.log("awaited"); });
      process.removeAllListeners();
      for (const name of ["beforeExit", "exit", "uncaughtException"]) process.removeAllListeners(name);
      console.log("started");`,
    lines: ["started", "awaited", "last"],
    cannot: {
      bun: { because: "only listeners get events there", lines: ["started"] },
    },
  },
});
