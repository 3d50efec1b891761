// Deno, Node.js and Bun: the recipes of docs/recipes.md with packages from npm, and what it says about
// packages that listen to signals themselves.

import { assert, assertEquals } from "@std/assert";
import { readProgram } from "../pages.ts";
import {
  assertPortable,
  chooseRuntimes,
  installPackages,
  labels,
  npm,
  onEach,
  type Row,
  startBy,
  testRows,
  tooOld,
} from "../portable.ts";
import { freePort, isInstalled, type Outcome } from "../program.ts";
import type { TestRuntime } from "../runtimes.ts";
import { skipIf, withoutSignals } from "../skip.ts";

const packages = {
  "@godaddy/terminus": "4.12.1",
  "@nestjs/common": "12.5.1",
  "@nestjs/core": "12.5.1",
  "@nestjs/platform-express": "12.5.1",
  "@opentelemetry/api": "1.9.1",
  "@opentelemetry/sdk-trace-node": "2.12.1",
  "@puppeteer/browsers": "2.13.2",
  "@sentry/node": "11.12.0",
  "express": "5.3.0",
  "fastify": "5.12.8",
  "koa": "3.3.0",
  "pino": "10.4.0",
  "piscina": "5.3.2",
  "reflect-metadata": "0.2.2",
  "rxjs": "7.8.2",
  "vite": "8.4.0",
  "vitest": "4.1.12",
  "winston": "3.19.0",
};

const ignore = skipIf(!await isInstalled(npm), "npm is not installed") || withoutSignals();
if (!ignore) await installPackages(packages);

const page = "docs/recipes.md";
const chosen = chooseRuntimes({ not: tooOld });

/** A recipe as a program of the portable tests, with replacements in its text. */
function readRecipe(heading: string, replacements: Record<string, string> = {}): Row {
  let program = readProgram(page, heading);
  for (const [text, replacement] of Object.entries(replacements)) {
    assert(program.includes(text), text);
    program = program.replace(text, replacement);
  }
  return { program, needsPackage: true };
}

/** Makes a test that starts a recipe by each runtime, and talks to it. */
function testRecipe(name: string, check: (runtime: TestRuntime) => Promise<void>): void {
  Deno.test({
    name: `recipe: ${name} (${labels(chosen)})`,
    ignore: ignore || chosen.length === 0,
    fn: () => onEach(chosen, check),
  });
}

/** What a program leaves behind that ends by `SIGTERM`. */
function assertTerminated(outcome: Outcome, runtime: TestRuntime, lines: string[]): void {
  const end = runtime.name === "deno" ? { code: 143 } : { signal: "SIGTERM" as const };
  assertPortable(outcome, { lines, ...end });
}

// --------------------------------------------------------------------------------------- servers

for (const framework of ["express", "koa", "fastify"]) {
  testRecipe(
    `${framework} answers what is under way, and closes the connection that is kept alive`,
    async (runtime) => {
      const port = freePort();
      await using program = await startBy(
        runtime,
        readRecipe(framework, {
          "8000": port,
          "await setTimeout(500);": 'console.log("request"); await setTimeout(500);',
        }),
      );
      await program.says("Listening\n");
      using client = Deno.createHttpClient({ poolMaxIdlePerHost: 4 }); // keeps a connection alive
      const underWay = fetch(`http://127.0.0.1:${port}`, { client });
      await program.says("request\n");
      const start = performance.now();
      program.kill("SIGTERM");
      assertEquals(await (await underWay).text(), "Hello\n");
      assertTerminated(await program.outcome(), runtime, ["Listening", "request"]);
      assert(performance.now() - start < 4_500, "The connection has held up the end");
    },
  );
}

// ------------------------------------------------------------------------------- logs and traces

for (const logger of ["pino", "winston"]) {
  testRecipe(`${logger} writes the last line of a handler`, async (runtime) => {
    const { program, ...row } = readRecipe(logger);
    const text = program.replace(
      "exitOnSignals({ timeout: 8_000 });",
      `import { exit, register } from "@atexit/atexit";
      import { readFileSync } from "node:fs";
      exitOnSignals({ timeout: 8_000 });
      register(() => {
        const lines = readFileSync("app.log", "utf8").trim().split("\\n");
        for (const line of lines) console.log((JSON.parse(line).msg ?? JSON.parse(line).message));
      });`,
    );
    await using started = await startBy(runtime, { ...row, program: `${text}\nexit();` });
    assertPortable(await started.outcome(), { lines: ["started", "the last line"] });
  });
}

testRecipe("Sentry sends what a handler captures, and what is not caught", async (runtime) => {
  for (
    const [end, code, messages] of [
      ["exit(3);", 3, ["The program is ending"]],
      ["process.exit(3);", 3, ["The program is ending"]],
      ['setTimeout(() => { throw new Error("boom"); });', 1, ["boom"]],
    ] as const
  ) {
    const sent: string[] = [];
    await using sentry = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      async (request) => {
        const isZipped = request.headers.get("content-encoding") === "gzip";
        const body = isZipped
          ? request.body!.pipeThrough(new DecompressionStream("gzip"))
          : request.body;
        const lines = (await new Response(body).text()).trim().split("\n");
        for (const item of lines.map((line) => JSON.parse(line))) {
          const message = item.message ?? item.exception?.values[0].value;
          if (message !== undefined) sent.push(message);
        }
        return new Response("{}");
      },
    );
    const { program, ...row } = readRecipe("Sentry", {
      "https://key@sentry.example.com/1": `http://key@127.0.0.1:${sentry.addr.port}/1`,
    });
    const text = `import { exit } from "@atexit/atexit";\n${program}
      registerAsync(async function flush() { await turn(); console.log("flushed"); });
      ${end}`;
    await using started = await startBy(runtime, { ...row, program: text });
    assertPortable(await started.outcome(), { lines: ["flushed"], code, stderr: /^/ });
    assertEquals(sent, [...messages], end);
  }
});

testRecipe("OpenTelemetry exports the last span", async (runtime) => {
  await using program = await startBy(runtime, readRecipe("OpenTelemetry"));
  assertPortable(await program.outcome(), { stdout: /name: ['"]start['"]/ });
});

testRecipe("piscina finishes its tasks, and refuses new ones", async (runtime) => {
  const heading = "A pool of workers: piscina";
  const { program, ...row } = readRecipe(heading);
  await using started = await startBy(runtime, {
    ...row,
    program: `${program}\nawait pool.run(1).catch(() => console.log("refused"));`,
    files: { "worker.js": readProgram(page, heading, 1), "package.json": '{ "type": "module" }' },
  });
  await started.says("Working\n");
  started.kill("SIGTERM");
  assertTerminated(await started.outcome(), runtime, ["Working", "42", "refused"]);
});

// ---------------------------------------------------------- packages that take signals themselves

const flush = `import { exitOnSignals, overrideExit, registerAsync } from "@atexit/atexit";
  registerAsync(async function flush() {
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    console.log("flushed");
  });
`;

const nest = `${flush}
  import "reflect-metadata";
  import { Module } from "@nestjs/common";
  import { NestFactory } from "@nestjs/core";
  class App {
    onApplicationShutdown(signal) { console.log("hook", signal); }
  }
  Module({})(App);
  const app = await NestFactory.create(App, { logger: false });
  app.enableShutdownHooks(["SIGTERM"], OPTIONS); // Deno refuses some of the others.
  await app.listen(0, "127.0.0.1");
  console.log("Listening");`;

const terminus = `${flush}
  import terminus from "@godaddy/terminus";
  import { createServer } from "node:http";
  const server = createServer();
  terminus.createTerminus(server, OPTIONS);
  server.listen(0, () => console.log("Listening"));`;

const puppeteer = `${flush}
  import { launch } from "@puppeteer/browsers";
  launch({ executablePath: "/bin/sleep", args: ["60"] });
  setInterval(() => {}, 60_000);
  console.log("Listening");`;

const vite = `${flush}
  import { createServer } from "vite";
  const server = await createServer({ logLevel: "error", server: { port: 0, ws: false } });
  await server.listen();
  console.log("Listening");`;

/** Programs, each with a handler that takes three seconds. What they write, and their status. */
const signalPackages: Record<
  string,
  { program: string; signal: "SIGINT" | "SIGTERM"; lines: string[]; code?: 0; cutOff?: RegExp }
> = {
  "vite: its exit waits with a timeout": {
    program: `exitOnSignals({ timeout: 8_000 });${vite}`,
    ...{ signal: "SIGTERM", lines: ["flushed"] },
  },
  "vite: its exit waits with overrideExit()": {
    program: `exitOnSignals(); overrideExit();${vite}`,
    ...{ signal: "SIGTERM", lines: ["flushed"] },
  },
  "vite: its exit cuts the handlers off after two seconds without either": {
    program: `exitOnSignals();${vite}`,
    ...{ signal: "SIGTERM", lines: [] },
    cutOff: /process\.exit\(\) was called by the package vite, at /,
  },
  "puppeteer: its exit waits with overrideExit()": {
    program: `exitOnSignals(); overrideExit();${puppeteer}`,
    ...{ signal: "SIGINT", lines: ["flushed"] },
  },
  "NestJS: its hooks run, and the signal that it sends again joins": {
    program: `exitOnSignals();${nest.replace("OPTIONS", "{}")}`,
    ...{ signal: "SIGTERM", lines: ["hook SIGTERM", "flushed"] },
  },
  "NestJS: its exit waits with overrideExit()": {
    program: `exitOnSignals(); overrideExit();${
      nest.replace("OPTIONS", "{ useProcessExit: true }")
    }`,
    ...{ signal: "SIGTERM", lines: ["hook SIGTERM", "flushed"] },
  },
  "terminus: the signal that it sends again joins": {
    program: `exitOnSignals();${terminus.replace("OPTIONS", "{}")}`,
    ...{ signal: "SIGTERM", lines: ["flushed"] },
  },
  "terminus: with useExit0 and overrideExit(), status 0 at a signal that is left to it": {
    program: `exitOnSignals({ signals: ["SIGINT"] }); overrideExit();
      ${terminus.replace("OPTIONS", "{ useExit0: true }")}`,
    ...{ signal: "SIGTERM", lines: ["flushed"], code: 0 },
  },
};

for (const [name, { program, signal, lines, code, cutOff }] of Object.entries(signalPackages)) {
  testRecipe(name, async (runtime) => {
    await using started = await startBy(runtime, { program, needsPackage: true });
    await started.says("Listening\n");
    started.kill(signal);
    const status = runtime.name === "deno" && signal === "SIGTERM" ? { code: 143 } : { signal };
    assertPortable(await started.outcome(), {
      lines: ["Listening", ...lines],
      ...code === undefined ? status : { code },
      ...cutOff === undefined ? {} : { stderr: cutOff },
    });
  });
}

const pools: [pool: string, call: string, output: RegExp][] = [
  ["forks", "exitOnSignals();", /handler SIGTERM\n/],
  ["forks", "", /^(?![^]*handler)/],
  ["threads", "exitOnSignals();", /^(?![^]*handler)/],
];

for (const [pool, call, stdout] of ignore ? [] : pools) {
  testRows({
    [`vitest: handlers of a test file in ${pool}${call && ", with exitOnSignals()"}`]: {
      only: ["node"],
      not: tooOld,
      needsPackage: true,
      name: "main.test.mjs",
      command: { node: ["../node_modules/vitest/vitest.mjs", "run", `--pool=${pool}`] },
      program: `
        import { test } from "vitest";
        import { writeSync } from "node:fs";
        import { exitOnSignals, exitReason, register } from "@atexit/atexit";
        ${call}
        register(() => writeSync(1, \`handler \${exitReason().signal}\\n\`));
        test("one", () => {});`,
      stdout,
    },
  });
}
