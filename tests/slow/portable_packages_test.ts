// Deno, Node.js and Bun: packages from npm that end a program, or catch the exception of `exit()`, one
// for each mechanism.

import { isInstalled } from "../program.ts";
import {
  assertPortable,
  chooseRuntimes,
  installPackages,
  labels,
  npm,
  onEach,
  type Row,
  runInShell,
  testRows,
  tooOld,
} from "../portable.ts";
import { skipIf, withoutSignals } from "../skip.ts";

const packages = {
  "@hono/node-server": "2.1.9",
  "@sentry/node": "11.12.0",
  "cac": "7.1.0",
  "citty": "0.2.2",
  "commander": "14.0.3",
  "express": "5.3.0",
  "fastify": "5.12.8",
  "hono": "4.13.19",
  "pino": "10.4.0",
  "proper-lockfile": "4.1.2",
  "signal-exit": "4.1.0",
  "signal-exit-3": "npm:signal-exit@3.0.7",
  "vitest": "4.1.12",
  "yargs": "18.2.0",
};

const ignore = skipIf(!await isInstalled(npm), "npm is not installed");
if (!ignore) await installPackages(packages);

/** Makes tests of programs that use the packages. */
function testPackages(rows: Record<string, Row>): void {
  if (!ignore) testRows(rows, { needsPackage: true, not: tooOld });
}

const flush = `registerAsync(async function flush() {
  await turn();
  console.log("flushed", code(), exitReason().kind);
});
`;

// ------------------------------------------------------------------------------ argument parsers

/** Programs whose arguments are `ARGS`, and whose command `run` does `ACTION`. */
const parsers: Record<string, string> = {
  commander: `import { Command } from "commander";
    const program = new Command("tool");
    program.command("run").action(() => { ACTION });
    program.parse(ARGS, { from: "user" });`,
  yargs: `import yargs from "yargs";
    await yargs(ARGS).scriptName("tool").command("run", "runs", () => {}, () => { ACTION }).parseAsync();`,
  citty: `import { defineCommand, runMain } from "citty";
    const run = defineCommand({ run() { ACTION } });
    await runMain(defineCommand({ meta: { name: "tool" }, subCommands: { run } }), { rawArgs: ARGS });`,
  cac: `import { cac } from "cac";
    const tool = cac("tool").help();
    tool.command("run", "runs").action(() => { ACTION });
    tool.parse(["", "", ...ARGS]);`,
};

/** What the parser prints that catches the exception and prints it: that it is to be thrown on. */
const rethrowIt =
  /SystemExit: The program is ending with exit code \d\. If you catch this exception, rethrow it/;

for (const [name, text] of Object.entries(parsers)) {
  const program = (args: string[], action: string) =>
    flush + text.replace("ARGS", JSON.stringify(args)).replace("ACTION", action);
  const isCitty = name === "citty";
  testPackages({
    [`${name}: --help awaits the handlers after overrideExit()`]: {
      program: `overrideExit();\n${program(["--help"], "")}`,
      stdout: name === "cac" ? /flushed 0 finished\n$/ : /flushed 0 exit\n$/,
      ...isCitty ? { stderr: rethrowIt } : {},
    },
    [`${name}: exit(3) in an action`]: {
      program: program(["run"], "exit(3);"),
      lines: ["flushed 3 exit"],
      code: 3,
      ...isCitty ? { stderr: rethrowIt } : {},
    },
    [`${name}: an error in an action`]: {
      program: program(["run"], `throw new Error("boom");`),
      lines: isCitty ? [] : ["flushed 1 error"],
      code: 1,
      ...isCitty
        ? { stderr: /boom[^]*process\.exit\(\) was called by the package citty, at / }
        : { errors: { boom: 1 } },
    },
  });
}

// --------------------------------------------------------------------------------------- servers

/** Servers whose route `/` calls `exit(3)`. They answer `ask(port)`. */
const servers: Record<string, { program: string; stderr: RegExp }> = {
  express: {
    program: `import express from "express";
      const server = express().get("/", () => exit(3)).listen(0, () => ask(server.address().port));`,
    stderr: rethrowIt,
  },
  fastify: {
    program: `import fastify from "fastify";
      const app = fastify().get("/", async () => exit(3));
      await app.listen({ port: 0 });
      ask(app.server.address().port);`,
    stderr: /^$/,
  },
  hono: {
    program: `import { serve } from "@hono/node-server";
      import { Hono } from "hono";
      serve({ fetch: new Hono().get("/", () => exit(3)).fetch, port: 0 }, ({ port }) => ask(port));`,
    stderr: rethrowIt,
  },
};

for (const [name, { program, stderr }] of Object.entries(servers)) {
  testPackages({
    [`${name}: exit(3) in a route is answered with 500, and the program ends after five seconds`]: {
      program: `import { get } from "node:http";
        ${flush}
        const ask = (port) => get({ port, agent: false }, (response) => {
          console.log("answer", response.statusCode);
          response.resume();
        });
        ${program}`,
      lines: ["answer 500", "flushed 3 exit"],
      code: 3,
      stderr,
    },
  });
}

// -------------------------------------------------------------------------------- error trackers

const sentry = `import * as Sentry from "@sentry/node";
  Sentry.init({
    dsn: "http://key@127.0.0.1:9/1",
    beforeSend(event) { console.log("sent", event.exception.values[0].type); return null; },
  });
  ${flush}`;
const sees = /^(\[Sentry\] .*\n)?(This error originated[^]*SystemExit[^]*)?$/;

testPackages({
  "@sentry/node: an exit is no error": {
    program: `${sentry} setTimeout(() => exit(3));`,
    lines: ["flushed 3 exit"],
    code: 3,
    stderr: /^(\[Sentry\] .*\n)?$/,
  },
  "@sentry/node: a SystemExit as a rejection is no error": {
    program: `${sentry} setTimeout(() => Promise.reject(new SystemExit(3)));`,
    lines: ["flushed 3 exit"],
    code: 3,
    stderr: /^$/,
    cannot: {
      bun: {
        because: "Bun shows rejections to listeners of unhandledRejection, and Sentry prints it",
        // It may be done before the end, or not.
        ...{ stdout: /^(sent SystemExit\n)?flushed 3 exit\n$/, code: 3, stderr: sees },
      },
    },
  },
  "@sentry/node: its exit after an error awaits the handlers, with overrideExit()": {
    program: `overrideExit();\n${sentry} setTimeout(() => { throw new Error("boom"); });`,
    lines: ["sent Error", "flushed 1 exit"],
    code: 1,
    stderr: /boom/,
    cannot: {
      bun: {
        because:
          "Bun shows the exception of process.exit() to listeners of unhandledRejection, too",
        // Sentry may be done with it before the end, or not.
        stdout: /^sent Error\n(sent SystemExit\n)?flushed 1 exit\n$/,
        code: 1,
        stderr: /boom/,
      },
    },
  },
  "@sentry/node: its exit after an error cannot be awaited without overrideExit()": {
    program: `${sentry} setTimeout(() => { throw new Error("boom"); });`,
    lines: ["sent Error"],
    code: 1,
    stderr:
      /boom[^]*process\.exit\(\) was called by the package @sentry\/node, at [^]*overrideExit\(\)/,
  },
});

// ------------------------------------------------------------------------------------- signal-exit

const load =
  `const { exit, exitOnSignals, register, registerAsync, SystemExit } = await import("@atexit/atexit");`;
const hookEnds: Record<string, Partial<Row> & { program: string; reported: string }> = {
  "an empty event loop": { program: "", reported: "0 null" },
  "exit(3)": { program: "exit(3);", code: 3, reported: "3 null" },
  "an uncaught SystemExit": {
    program: "setTimeout(() => { throw new SystemExit(3); });",
    ...{ code: 3, reported: "3 null" },
  },
  "an error": {
    program: `setTimeout(() => { throw new Error("boom"); });`,
    ...{ code: 1, errors: { boom: 1 }, reported: "1 null" },
  },
  "SIGTERM": {
    program: `exitOnSignals(); process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 30_000);`,
    ...{ signal: "SIGTERM", signals: true, reported: "143 null" },
  },
};

for (const [name, imports] of [["signal-exit-3", "default: onExit"], ["signal-exit", "onExit"]]) {
  const loadPackage = `const { ${imports} } = await import("${name}");`;
  for (const [order, text] of [["before", loadPackage + load], ["after", load + loadPackage]]) {
    for (const use of ["off", "on", "on and off", "on, off and on"]) {
      const on = 'const stop = onExit((code, signal) => console.log("package", code, signal));\n';
      const calls = {
        "off": "",
        "on": on,
        "on and off": `${on} stop();`,
        "on, off and on":
          `${on} stop(); onExit((code, signal) => console.log("package", code, signal));`,
      }[use]!;
      testPackages(Object.fromEntries(
        Object.entries(hookEnds).map(([end, { program, reported, ...expected }]) => [
          `${name}, imported ${order} the module, ${use}: ${end}`,
          {
            program: `${text}
              register(() => console.log("handler"));
              registerAsync(async () => { await turn(); console.log("flushed"); });
              ${calls}
              ${program}`,
            only: ["node", "bun"],
            lines: ["flushed", "handler", ...use.endsWith("on") ? [`package ${reported}`] : []],
            ...expected,
            cannot: end === "an empty event loop" || end === "an error"
              ? {
                bun: {
                  because: "Bun itself never calls process.emit",
                  lines: ["flushed", "handler"],
                  ...expected.code === undefined ? {} : { code: expected.code },
                  ...expected.errors ? { errors: expected.errors } : {},
                },
              }
              : {},
          },
        ]),
      ));
    }
  }
}

// -------------------------------------------------------------------- what packages hold at the end

const chosen = chooseRuntimes({ not: tooOld });

for (const signal of ["SIGINT", "SIGTERM"]) {
  Deno.test({
    name: `proper-lockfile: its lock is released at a death by ${signal} (${labels(chosen)})`,
    ignore: ignore || withoutSignals(),
    fn: () =>
      onEach(chosen, async (runtime) => {
        const row: Row = {
          needsPackage: true,
          program: `
            import { existsSync, writeFileSync } from "node:fs";
            import lockfile from "proper-lockfile";
            writeFileSync("data", "");
            lockfile.lockSync("data");
            ${flush}
            exitOnSignals();
            console.log(existsSync("data.lock"));
            process.kill(process.pid, "${signal}");
            setTimeout(() => {}, 30_000);`,
        };
        const script = '"$@"; echo $?; test -e data.lock && echo locked || echo released';
        const code = signal === "SIGINT" ? 130 : 143;
        assertPortable(await runInShell(runtime, row, script), {
          lines: ["true", `flushed ${code} signal`, `${code}`, "released"],
          stderr: /^/, // The shell may say by which signal the program has died.
        });
      }),
  });
}

testPackages({
  ...Object.fromEntries(["exit(3)", "process.exit(3)"].map((call) => [
    `pino: a handler can log its last line through a transport at ${call}`,
    {
      program: `
        import { once } from "node:events";
        import { readFileSync } from "node:fs";
        import pino from "pino";
        const transport = pino.transport({ target: "pino/file", options: { destination: "log" } });
        await once(transport, "ready");
        const log = pino(transport);
        register(() => log.info("last line"));
        process.on("exit", () => console.log(/last line/.test(readFileSync("log", "utf8"))));
        ${call};`,
      lines: ["true"],
      code: 3,
    },
  ])),
  "pino: a transport that is awaited settles although its worker is unreferenced": {
    program: `
      import { once } from "node:events";
      import { readFileSync } from "node:fs";
      import pino from "pino";
      const transport = pino.transport({ target: "pino/file", options: { destination: "log" } });
      const log = pino(transport);
      registerAsync(async () => {
        log.info("last line");
        transport.end();
        await once(transport, "close");
        console.log(/last line/.test(readFileSync("log", "utf8")));
      });`,
    lines: ["true"],
  },
  "vitest: no test is lost by a main() that calls exit(2)": {
    only: ["node"],
    name: "main.test.mjs",
    command: { node: ["../node_modules/vitest/vitest.mjs", "run"] },
    program: `
      import { expect, test } from "vitest";
      import { exit, SystemExit } from "@atexit/atexit";
      const main = () => exit(2);
      test("one", () => expect(main).toThrow(SystemExit));
      test("two", async () => { await new Promise((resolve) => setTimeout(resolve, 50)); });
      test("three", () => {});`,
    stdout: /Tests\s+3 passed/,
  },
});
