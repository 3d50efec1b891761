// Deno, Node.js and Bun: what a program has written arrives, what is unreferenced may still settle, and
// the terminal is left as it was.

import { assertOutcome, type Expected, terminalScript } from "../program.ts";
import { chooseRuntimes, labels, onEach, type Row, runInShell, testRows } from "../portable.ts";
import { withoutSignals, withoutTerminals } from "../skip.ts";

const noSignals = withoutSignals();
const noTerminals = await withoutTerminals();

/** Makes a test of a program that a shell script runs as `"$@"`, by all runtimes at once. */
function testInShell(
  name: string,
  { script, before, ignore = noSignals, expected, ...row }: Row & {
    script: string;
    before?: string[];
    ignore?: boolean;
    expected: Expected;
  },
): void {
  const chosen = chooseRuntimes(row);
  Deno.test({
    name: `${name} (${labels(chosen)})`,
    ignore,
    fn: () =>
      onEach(chosen, async (runtime) => {
        const outcome = await runInShell(runtime, row, script, before ? { before } : {});
        assertOutcome(outcome, expected);
      }),
  });
}

// ---------------------------------------------------------------------------- what is written

const slowReader = '{ "$@"; echo "status $?" >&2; } | { sleep 1; wc -c; }';
const writes = 'console.log("x".repeat(3 << 20));\n';
/** The same for Bun, whose console waits for the reader. */
const writesLater = 'process.stdout.write("x".repeat(3 << 20) + "\\n");\n';
const flush = "registerAsync(async () => { await turn(); });\n";

const ends: Record<string, { program: string; status: number; stderr?: RegExp }> = {
  "exit(0)": { program: `${writes} exit(0);`, status: 0 },
  "process.stdout.write(), exit(0)": { program: `${writesLater} exit(0);`, status: 0 },
  "process.stdout.write(), and a handler is awaited": {
    program: `${flush}${writesLater} exit(3);`,
    status: 3,
  },
  "process.stdout.write(), SIGINT": {
    program:
      `exitOnSignals(); ${writesLater} process.kill(process.pid, "SIGINT"); setTimeout(() => {}, 30_000);`,
    status: 130,
  },
  "exit(3), and a handler is awaited": { program: `${flush}${writes} exit(3);`, status: 3 },
  "an uncaught SystemExit": { program: `${writes} throw new SystemExit(3);`, status: 3 },
  "process.exit(3) after overrideExit()": {
    program: `overrideExit(); ${writes} process.exit(3);`,
    status: 3,
  },
  "SIGINT": {
    program:
      `exitOnSignals(); ${writes} process.kill(process.pid, "SIGINT"); setTimeout(() => {}, 30_000);`,
    status: 130,
  },
  "an error, and a handler is awaited": {
    program: `${flush}${writes} setTimeout(() => { throw new Error("boom"); });`,
    status: 1,
    stderr: /boom[^]*status 1\n$/,
  },
  "a handler that writes": {
    program: `registerAsync(async () => { await turn(); ${writes} }); exit(3);`,
    status: 3,
  },
};

for (const [name, { program, status, stderr = `status ${status}\n` }] of Object.entries(ends)) {
  testInShell(`three megabytes that are written into a slow pipe arrive: ${name}`, {
    program,
    script: slowReader,
    expected: { stdout: /^\s*3145729\n$/, stderr },
  });
}

testInShell("a reader that is gone does not hold the end up", {
  not: { "deno 2.5": "its console throws if the pipe is broken" },
  program: `console.log("first");
    setTimeout(() => { ${writes} exit(3); }, 200);`,
  script: '{ "$@"; echo "status $?" >&2; } | head -1',
  expected: { stdout: "first\n", stderr: "status 3\n" },
});

// The program ends before its reader does.
const stalled = { not: { deno: "Deno's console waits for the reader, also without the module" } };
const stalledReader = '{ "$@"; echo "status $?" >&2; } | { sleep 8; echo "reader" >&2; }';

testInShell("a reader that takes nothing is waited for as long as the limit allows", {
  ...stalled,
  program: `${writesLater} exit(3, { timeout: 300 });`,
  script: stalledReader,
  expected: { stdout: "", stderr: "status 3\nreader\n" },
});

testInShell("a reader that takes nothing is waited for one second without a limit", {
  ...stalled,
  program: `${writesLater} exit(3);`,
  script: stalledReader,
  expected: { stdout: "", stderr: "status 3\nreader\n" },
});

// ------------------------------------------------------------------------- what is unreferenced

testRows({
  "an unreferenced timer settles a handler": {
    program: `
      import { setTimeout as start } from "node:timers";
      registerAsync(async function flush() {
        await new Promise((resolve) => start(resolve, 300).unref());
        console.log("flushed");
      });`,
    lines: ["flushed"],
  },
  "an unreferenced worker settles a handler": {
    program: `
      import { once } from "node:events";
      import { Worker } from "node:worker_threads";
      const source = \`
        const { parentPort } = require("node:worker_threads");
        parentPort.on("message", (text) => setTimeout(() => parentPort.postMessage(text), 100));
        parentPort.postMessage("ready");\`;
      const worker = new Worker(source, { eval: true });
      await once(worker, "message");
      worker.unref();
      registerAsync(async function flush() {
        worker.postMessage("flush");
        console.log(await once(worker, "message"));
      });`,
    stdout: /flush/,
  },
  "an unreferenced socket settles a handler": {
    program: `
      import { once } from "node:events";
      import { connect, createServer } from "node:net";
      const server = createServer((socket) => socket.unref().on("data", (data) => socket.write(data)));
      server.listen(0).unref();
      await once(server, "listening");
      const socket = connect(server.address().port);
      await once(socket, "connect");
      socket.unref();
      registerAsync(async function flush() {
        socket.write("flush");
        console.log(String(await once(socket, "data")));
      });`,
    lines: ["flush"],
  },
  "a handler that nothing settles is waited for one second": {
    program: `
      register(() => console.log("last", code(), performance.now() - start >= 900));
      let start;
      registerAsync(function stuck() { start = performance.now(); return new Promise(() => {}); });`,
    lines: ["last 0 true"],
    code: 1,
    counts: { "Exception in atexit handler stuck": 1 },
  },
  "a handler that nothing settles is waited for until its limit": {
    program: `
      register(() => console.log("last", performance.now() - start >= 1_700));
      let start;
      registerAsync(function stuck() { start = performance.now(); return new Promise(() => {}); });
      setGracePeriod(2_000);`,
    lines: ["last true"],
    code: 1,
    counts: { "Exception in atexit handler stuck": 1 },
  },
});

// ------------------------------------------------------------------------------- the terminal

for (const end of ["SIGINT", "SIGTERM", "exit(3)", "process.exit(3)"]) {
  const ending = end.startsWith("SIG") ? `process.kill(process.pid, "${end}");` : `${end};`;
  testInShell(`raw mode is off after ${end}`, {
    program: `
      registerAsync(async () => { await turn(); });
      exitOnSignals();
      process.stdin.setRawMode(true);
      setTimeout(() => {}, 30_000);
      setTimeout(() => { ${ending} }, 20);`,
    before: ["python3", terminalScript],
    script: 'unset CI; before=$(stty -g); "$@" 2>/dev/null; after=$(stty -g); ' +
      'test "$before" = "$after" && echo same || echo different; stty sane',
    ignore: noTerminals,
    expected: { stdout: /same\n$/ },
  });
}
