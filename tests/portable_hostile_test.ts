// Deno, Node.js and Bun: hostile values, replaced globals, refused exits, and packages that hook the end
// of a program.

import { testRows } from "./portable.ts";

const hostile = `const hostile = new Proxy(new SystemExit(3), {
  get() { throw new Error("get"); },
});`;
const refused = `const { reallyExit } = process;
  process.reallyExit = () => {};
  process.exit(5);
  process.reallyExit = reallyExit;`;

const windows = Deno.build.os === "windows";

testRows({
  "a SystemExit that throws when looked at, raised by a handler, loses no other": {
    program: `
      ${hostile}
      register(() => console.log("first"));
      register(() => { throw hostile; });
      register(() => console.log("last"));`,
    lines: ["last", "first"],
    code: 1,
  },
  "a SystemExit that throws when looked at, uncaught, runs the handlers": {
    program: `
      ${hostile}
      register(() => console.log("first"));
      setTimeout(() => { throw hostile; });`,
    lines: ["first"],
    code: 1,
  },
  "NaN is an error like any other, and handlers are awaited at it": {
    program: `
      registerAsync(async () => { await turn(); console.log("handler", exitReason().kind); });
      setTimeout(() => { throw NaN; });`,
    lines: ["handler error"],
    code: 1,
    stderr: /^(?![^]*error:\n)[^]*NaN/,
  },
  "an exit code of more than 31 bits is cut as without the module": {
    program: `
      register(() => console.log("handler"));
      process.exit(3221225786);`,
    lines: ["handler"],
    code: windows ? 3221225786 | 0 : 58,
    cannot: windows
      ? { bun: { because: "it cuts it to eight bits", lines: ["handler"], code: 58 } }
      : {},
  },
  "process.exit() in the catch of an infinite recursion is not left half done": {
    program: `
      register(() => console.log("handler", why()));
      function recurse() { try { recurse(); } catch { process.exit(3); } }
      recurse();`,
    lines: ["handler exit"],
    code: 3,
  },
  "exit() in the catch of an infinite recursion is not left half done": {
    program: `
      registerAsync(async () => { await turn(); console.log("handler", why()); });
      function recurse() { try { recurse(); } catch { exit(3); } }
      recurse();`,
    lines: ["handler exit"],
    code: 3,
    // Bun takes minutes, and Deno before 2.7.14 may have to load its timers in the full stack.
    only: ["node", "deno 2.8", "deno 2.9"],
  },
  "a SystemExit ends the program, also where rejections end nothing": {
    program: `
      registerAsync(async () => { await turn(); console.log("handler", why()); });
      setTimeout(() => Promise.reject(new SystemExit(3)));`,
    only: ["node"],
    command: { node: ["--unhandled-rejections=none"] },
    lines: ["handler exit"],
    code: 3,
  },
  "a rejection that the program emits itself is not taken for the next error": {
    program: `
      register(() => console.log("handler", why()));
      process.emit("unhandledRejection", new Error("by hand"), Promise.resolve());
      setTimeout(() => { throw new Error("boom"); });`,
    only: ["node", "bun"],
    lines: ["handler error boom"],
    code: 1,
    errors: { boom: 1, "by hand": 0 },
  },
  "a rejection is one, whatever stacks look like": {
    program: `
      register(() => console.log("handler", why()));
      Error.prepareStackTrace = () => "Error\\n    at program (file:///program.js:1:2)";
      setTimeout(() => Promise.reject(new Error("boom")));`,
    only: ["node", "bun"],
    lines: ["handler error boom"],
    code: 1,
    stderr: /./,
  },
  "handlers that are registered after a refused exit run at an empty event loop": {
    program: `
      ${refused}
      register(() => console.log("handler", why()));
      console.log("started");`,
    lines: ["started", "handler finished"],
    code: 5,
  },
  "process.emit is frozen: listeners tell of the ends": {
    program: `
      register(() => console.log("handler", code(), why()));
      process.exitCode = 3;
      console.log("started");`,
    files: { "freezes.mjs": `Object.defineProperty(process, "emit", { value: process.emit });` },
    command: { node: ["--import", "./freezes.mjs"] },
    only: ["node"],
    lines: ["started", "handler 3 finished"],
    code: 3,
  },
  "process.emit is frozen: an error": {
    program: `
      register(() => console.log("handler", code(), why()));
      setTimeout(() => { throw new Error("boom"); });`,
    files: { "freezes.mjs": `Object.defineProperty(process, "emit", { value: process.emit });` },
    command: { node: ["--import", "./freezes.mjs"] },
    only: ["node"],
    lines: ["handler 1 error boom"],
    code: 1,
    errors: { boom: 1 },
  },

  // ---------------------------------------------------------------------------- refused exits

  "an exit imported by name that process.reallyExit() refuses leaves everything as before": {
    program: `
      import { exit as leave } from "node:process";
      const { reallyExit } = process;
      process.reallyExit = () => {};
      register(() => console.log("first", why()));
      leave(3);
      console.log("lives", exitReason());
      process.reallyExit = reallyExit;
      register(() => console.log("second", why()));
      console.log("goes on");`,
    lines: ["first exit", "lives undefined", "goes on", "second finished"],
    code: 3,
  },
  "process.emit('exit') by hand leaves everything as before": {
    program: `
      register(() => console.log("handler", why()));
      setTimeout(() => {
        process.emit("exit", 7);
        console.log("lives", exitReason());
        register(() => console.log("late", why()));
        console.log("goes on");
      });`,
    lines: ["lives undefined", "goes on", "late finished", "handler finished"],
  },
  "an exit in a setImmediate() that a beforeExit listener has started": {
    program: `
      register(() => console.log("handler", code(), why()));
      process.once("beforeExit", () => setImmediate(() => process.exit(3)));
      console.log("started");`,
    lines: ["started", "handler 3 exit"],
    code: 3,
  },
  "an exit imported by name, in a setImmediate() that a beforeExit listener has started": {
    program: `
      import { exit as leave } from "node:process";
      register(() => console.log("handler", code(), why()));
      process.once("beforeExit", () => setImmediate(() => leave(3)));
      console.log("started");`,
    lines: ["started", "handler 3 exit"],
    code: 3,
  },

  // ------------------------------------------------------------------------- replaced globals

  "Promise is replaced before the import: a rejection ends the program": {
    program: `
      import { setTimeout as sleep } from "node:timers/promises";
      globalThis.Promise = class Foreign {
        static resolve() { return new Foreign(); }
        static reject() { return new Foreign(); }
        then() { return this; }
      };
      const { exitReason, registerAsync } = await import("@atexit/atexit");
      registerAsync(async () => { await sleep(20); console.log("flushed", exitReason().kind); });
      setTimeout(async () => { throw new Error("boom"); });`,
    lines: ["flushed error"],
    code: 1,
    errors: { boom: 1 },
  },
  "reportError() is replaced before the import: no error is lost": {
    program: `
      globalThis.reportError = () => {};
      const { exitReason, registerAsync } = await import("@atexit/atexit");
      registerAsync(async () => { await turn(); console.log("flushed", exitReason().kind); });
      setTimeout(() => { throw new Error("boom"); });`,
    lines: ["flushed error"],
    code: 1,
    errors: { boom: 1 },
  },
  "Error.prototype is frozen: exits are what they are": {
    program: `
      Object.freeze(Error.prototype);
      const { exit, registerAsync, SystemExit } = await import("@atexit/atexit");
      registerAsync(async () => { await turn(); console.log("flushed", new SystemExit(3).name); });
      exit(3);`,
    lines: ["flushed SystemExit"],
    code: 3,
  },
  "Error.prototype is frozen, in a program that only imports the module": {
    program: `
      Object.freeze(Error.prototype);
      await import("@atexit/atexit");
      console.log("started");
      process.exit(3);`,
    lines: ["started"],
    code: 3,
  },
  ...Object.fromEntries(
    Object.entries({
      "Error.prepareStackTrace is the program's": "Error.prepareStackTrace = () => 'no stack';",
      "Error.stackTraceLimit is 0": "Error.stackTraceLimit = 0;",
      "Error.captureStackTrace is gone": "delete Error.captureStackTrace;",
    }).flatMap(([name, tampers]) => [
      [`${name}: asynchronous handlers are awaited at an empty event loop`, {
        program: `
          ${tampers}
          registerAsync(async () => { await turn(); console.log("flushed", why()); });
          console.log("started");`,
        lines: ["started", "flushed finished"],
      }],
      [`${name}: an exit imported by name cannot be caught`, {
        program: `
          import { exit as leave } from "node:process";
          ${tampers}
          register(() => console.log("handler", code(), why()));
          try { leave(3); } catch { console.log("caught"); } finally { console.log("finally"); }`,
        lines: ["handler 3 exit"],
        code: 3,
      }],
    ]),
  ),
  "nothing shows in async_hooks where nothing is registered": {
    program: `
      import { createHook } from "node:async_hooks";
      const types = [];
      createHook({ init(_, type) { types.push(type); } }).enable();
      await import("@atexit/atexit");
      await turn(20);
      const before = types.length;
      process.on("exit", () => {
        const made = types.slice(before).filter((type) => /Timeout|Immediate/.test(type));
        process.stdout.write("made " + made.join() + "\\n");
      });`,
    only: ["node"],
    lines: ["made "],
  },
  "a signal that the runtime does not deliver is a TypeError": {
    program: `
      register(() => console.log("handler", why()));
      try { exitOnSignals({ signals: ["SIGPWR"] }); console.log("accepted"); }
      catch (error) { console.log(error.name); }`,
    only: ["bun"],
    lines: ["TypeError", "handler finished"],
  },
  "an exit listener that throws after an uncaught error": {
    program: `
      register(() => console.log("handler", why()));
      process.on("exit", (code) => { console.log("exit", code); throw new Error("worse"); });
      setTimeout(() => { throw new Error("boom"); });`,
    only: ["node", "bun"],
    lines: ["handler error boom", "exit 1"],
    code: 1,
    errors: { boom: 1, worse: 0 },
    cannot: {
      bun: {
        because: "Bun prints both errors, also without the module",
        ...{ lines: ["handler error boom", "exit 1"], code: 1, errors: { boom: 1, worse: 1 } },
      },
    },
  },
});

// -------------------------------------------------------- packages that hook the end of a program

/** What packages such as signal-exit do: save at the import, replace when used, put back. */
const hooks = `
const { emit, reallyExit } = process;
const report = (code) => { if (!reported) { reported = true; console.log("package", code); } };
let reported = false;
export function load() {
  process.emit = function (event, code) {
    if (event !== "exit") return emit.apply(this, arguments);
    if (code !== undefined) process.exitCode = code;
    const result = emit.apply(this, arguments);
    report(process.exitCode);
    return result;
  };
  process.reallyExit = function (code) {
    process.exitCode = code || 0;
    report(process.exitCode);
    reallyExit.call(process, process.exitCode);
  };
}
export function unload() { process.emit = emit; process.reallyExit = reallyExit; }
`;

const hookEnds: Record<string, { program: string; code: number; errors?: Record<string, number> }> =
  {
    "an empty event loop": { program: "", code: 0 },
    "exit(3)": { program: "exit(3);", code: 3 },
    "an uncaught SystemExit": {
      program: "setTimeout(() => { throw new SystemExit(3); });",
      code: 3,
    },
    "an error": {
      program: `setTimeout(() => { throw new Error("boom"); });`,
      code: 1,
      errors: { boom: 1 },
    },
  };

const load =
  `const { exit, register, registerAsync, SystemExit } = await import("@atexit/atexit");\n`;
const loadPackage = `const { load, unload } = await import("./hooks.mjs");\n`;
const orders = { "before the module": loadPackage + load, "after the module": load + loadPackage };
const uses = {
  "used": "load();",
  "put back": "load(); unload();",
  "used again": "load(); unload(); load();",
};

for (const [order, imports] of Object.entries(orders)) {
  for (const [use, calls] of Object.entries(uses)) {
    testRows(Object.fromEntries(
      Object.entries(hookEnds).map(([name, { program, code, errors }]) => [
        `a package hooks process.emit, imported ${order}, ${use}: ${name}`,
        {
          program: `${imports}
            register(() => console.log("handler"));
            registerAsync(async () => { await turn(); console.log("flushed"); });
            ${calls}
            ${program}`,
          files: { "hooks.mjs": hooks },
          lines: ["flushed", "handler", ...use === "put back" ? [] : [`package ${code}`]],
          only: ["node", "bun"],
          slow: use === "used again" || order === "after the module" && name !== "exit(3)",
          code,
          ...errors ? { errors } : {},
          cannot: name === "an empty event loop" || errors
            ? {
              bun: {
                because: "Bun itself never calls process.emit",
                ...{ lines: ["flushed", "handler"], code, ...errors ? { errors } : {} },
              },
            }
            : {},
        },
      ]),
    ));
  }
}
