// Deno, Node.js and Bun: where `exit()` is called, and who catches its exception. More of the table
// is in slow/portable_exit_test.ts.

import { getRows, places } from "./portable_exits.ts";
import { testRows } from "./portable.ts";

testRows(getRows(places, "uncaught", "asynchronous"));

const flush = `registerAsync(async function flush() {
  await turn();
  console.log("flushed", code(), why());
});
`;
const boom = { code: 1, errors: { boom: 1 } };

// ------------------------------------------------------------------------------- who decides

testRows({
  "the first exit decides, and the handlers are awaited: process.exit() in the catch": {
    program: `${flush}
      try { exit(2); } catch { process.exit(1); }`,
    lines: ["flushed 2 exit"],
    code: 2,
  },
  "the first exit decides: exit() in the catch": {
    program: `${flush}
      setTimeout(() => { try { exit(2); } catch { exit(1); } });`,
    lines: ["flushed 2 exit"],
    code: 2,
  },
  "the first exit decides: process.exit() after exit() has been caught": {
    program: `${flush}
      try { exit(2); } catch { setTimeout(() => process.exit(), 50); }`,
    lines: ["flushed 2 exit"],
    code: 2,
  },
  "an error that wraps the exception of exit() decides": {
    program: `${flush}
      try { exit(2); } catch (cause) { throw new Error("boom", { cause }); }`,
    lines: ["flushed 1 error boom"],
    ...boom,
  },
  "an error that is thrown by a finally decides": {
    program: `${flush}
      setTimeout(() => { try { exit(2); } finally { throw new Error("boom"); } });`,
    lines: ["flushed 1 error boom"],
    ...boom,
  },
  "an error that is thrown by the disposal of a resource decides": {
    program: `${flush}
      { using _ = { [Symbol.dispose]() { throw new Error("boom"); } }; exit(2); }`,
    stdout: /^flushed 1 error /,
    code: 1,
    stderr: /SuppressedError/,
    not: { "node 20": "it has no using", "node 22": "it has no using" },
  },
  "a SystemExit that is caught is cancelled": {
    program: `${flush}
      try { throw new SystemExit(2); } catch { console.log("caught", exitReason()); }`,
    lines: ["caught undefined", "flushed 0 finished"],
  },
  "the code and the reason can be read as soon as exit() has been called": {
    program: `${flush}
      try { exit(2); } catch (error) { console.log(error.message, process.exitCode, code(), why()); }`,
    lines: [
      "The program is ending with exit code 2. If you catch this exception, rethrow it 2 2 exit",
      "flushed 2 exit",
    ],
    code: 2,
  },
  "an exit whose exception is caught takes effect within its timeout": {
    program: `${flush}
      setInterval(() => {}, 1_000);
      try { exit(2, { timeout: 300 }); } catch { console.log("caught"); }`,
    lines: ["caught", "flushed 2 exit"],
    code: 2,
  },
  "a finally that awaits is interrupted by the timeout of the exit": {
    program: `${flush}
      try { exit(2, { timeout: 300 }); } finally { await turn(30_000); console.log("never"); }`,
    lines: ["flushed 2 exit"],
    code: 2,
  },
  "exit() of an argument that is no exit code ends nothing": {
    program: `${flush}
      try { exit("2"); } catch (error) { console.log(error.name, exitReason()); }`,
    lines: ["TypeError undefined", "flushed 0 finished"],
  },
});

// ------------------------------------------------------------------- listeners and SystemExit

const listeners = `
process.on("uncaughtExceptionMonitor", (error) => console.log("monitor", error.name));
process.on("uncaughtException", (error) => console.log("uncaughtException", error.name));
process.on("unhandledRejection", (error) => console.log("unhandledRejection", error.name));
`;
const handler = 'register(() => console.log("handler", code(), why()));\n';
for (const [kind, first] of Object.entries({ synchronous: handler, asynchronous: flush })) {
  const lines = [kind === "synchronous" ? "handler 3 exit" : "flushed 3 exit"];
  const instead = (listener: string) => ({
    bun: {
      because: "Bun calls these listeners by itself, and nothing keeps it from that",
      lines: [`${listener} SystemExit`, ...lines],
      code: 3,
    },
  });
  testRows({
    [`no listener of errors is shown the exception of exit(), ${kind} handler`]: {
      program: `${listeners}${first}\nsetTimeout(() => exit(3));`,
      lines,
      code: 3,
      cannot: instead("monitor"),
    },
    [`no listener of errors is shown an uncaught SystemExit, ${kind} handler`]: {
      program: `${first}${listeners}\nsetTimeout(() => { throw new SystemExit(3); });`,
      lines,
      code: 3,
      cannot: instead("monitor"),
    },
    [`no listener of errors is shown a SystemExit as a rejection, ${kind} handler`]: {
      program: `${listeners}${first}\nsetTimeout(() => Promise.reject(new SystemExit(3)));`,
      lines,
      code: 3,
      cannot: instead("unhandledRejection"),
    },
    [`no listener of errors is shown a SystemExit of the main module, ${kind} handler`]: {
      program: `${first}${listeners}\nthrow new SystemExit(3);`,
      lines,
      code: 3,
      cannot: instead("monitor"),
    },
  }, { slow: kind === "synchronous" });
}

// ------------------------------------------------------------------------------- overrideExit()

const tool = {
  files: { "node_modules/tool/index.mjs": "export function help() { process.exit(3); }" },
};

testRows({
  "overrideExit(): process.exit() awaits the handlers, and throws SystemExit": {
    program: `${flush}
      overrideExit();
      try { process.exit(3); } finally { console.log("finally"); }`,
    lines: ["finally", "flushed 3 exit"],
    code: 3,
  },
  "overrideExit(): process.exit() without a code": {
    program: `${flush}
      overrideExit();
      process.exitCode = 3;
      setTimeout(() => { process.exit(); console.log("never"); });`,
    lines: ["flushed 3 exit"],
    code: 3,
  },
  "overrideExit(): an exit imported by name": {
    program: `import { exit as leave } from "node:process";
      ${flush}
      overrideExit();
      setTimeout(() => { leave(3); console.log("never"); });`,
    lines: ["flushed 3 exit"],
    code: 3,
  },
  "overrideExit(): an exit of a package": {
    ...tool,
    program: `import { help } from "./node_modules/tool/index.mjs";
      ${flush}
      overrideExit();
      help();`,
    lines: ["flushed 3 exit"],
    code: 3,
  },
  "an exit of a package names the package and overrideExit()": {
    ...tool,
    program: `import { help } from "./node_modules/tool/index.mjs";
      ${flush}
      help();`,
    lines: [],
    code: 3,
    stderr:
      /^Cannot await atexit handler flush: process\.exit\(\) was called by the package tool, at .*index\.mjs:1:\d+\. Call overrideExit\(\) from @atexit\/atexit in the application to make such exits await handlers\nPromise/,
  },
  "overrideExit() that has been disposed of": {
    program: `${flush}
      overrideExit()[Symbol.dispose]();
      process.exit(3);`,
    lines: [],
    code: 3,
    counts: { "Cannot await atexit handler flush": 1 },
  },
  "overrideExit() is in force until each call has been disposed of": {
    program: `${flush}
      const [one, two] = [overrideExit(), overrideExit()];
      one[Symbol.dispose]();
      one[Symbol.dispose]();
      process.exit(3);`,
    lines: ["flushed 3 exit"],
    code: 3,
  },
  "overrideExit(): the shortest timeout counts": {
    program: `
      registerAsync(async function slow() { await turn(30_000); });
      overrideExit({ timeout: 30_000 });
      overrideExit({ timeout: 300 });
      overrideExit();
      process.exit(3);`,
    lines: [],
    code: 1,
    counts: { "Exception in atexit handler slow": 1, "did not settle within 300 ms": 2 },
  },
  "overrideExit() leaves exits in exit listeners alone": {
    program: `${flush}
      overrideExit();
      process.on("exit", () => { process.exit(4); console.log("never"); });
      process.exit(3);`,
    lines: ["flushed 3 exit"],
    code: 4,
  },
  "overrideExit() leaves process.reallyExit() alone": {
    program: `${flush}
      overrideExit();
      process.reallyExit(3);`,
    lines: [],
    code: 3,
    counts: { "Cannot await atexit handler flush": 1 },
    cannot: {
      deno: {
        because: "it calls Deno.exit(), as process.exit() does",
        ...{ lines: ["flushed 3 exit"], code: 3 },
      },
    },
  },
  "overrideExit(): process.exit() in a listener of uncaughtException": {
    program: `${flush}
      overrideExit();
      process.on("uncaughtException", (error) => { console.log("seen", error.message); process.exit(9); });
      setTimeout(() => { throw new Error("boom"); });`,
    lines: ["seen boom", "flushed 9 exit"],
    code: 9,
  },
});
