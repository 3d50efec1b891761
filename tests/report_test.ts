// What is said on stderr.

import { assertEquals } from "@std/assert";
import { Reporter } from "../report.ts";
import type { Interruption } from "../runtimes/runtime.ts";
import { FakeRuntime } from "./fake_runtime.ts";

function create() {
  const runtime = new FakeRuntime();
  return { ...runtime, runtime, reporter: new Reporter(runtime.output) };
}

function namedHandler(name: string) {
  const func = Object.defineProperty(() => {}, "name", { value: name });
  return { handler: func, func };
}

const saves = namedHandler("saves");
const error = new Error("bad");

/** Each report, and its text. */
const reports: [name: string, report: (reporter: Reporter) => void, text: string][] = [
  [
    "an exception",
    (reporter) => reporter.exception(saves, error),
    "Exception in atexit handler saves:\nError: bad",
  ],
  [
    "a promise that is returned",
    (reporter) => reporter.returnedPromise(saves, "Promise { <pending> }"),
    "The promise of atexit handler saves is not awaited: register the handler with registerAsync()\n" +
    "Promise { <pending> }",
  ],
  [
    "a handler that is not awaited",
    (reporter) => reporter.unawaited(saves, "Promise { <pending> }", { kind: "unload" }),
    "Cannot await atexit handler saves: the program is unloading, which cannot be delayed. " +
    "Use register() with a synchronous function instead\nPromise { <pending> }",
  ],
  ["an uncaught error", (reporter) => reporter.uncaught(error), "Uncaught error:\nError: bad"],
  [
    "an exit listener that throws",
    (reporter) => reporter.exitListener(error),
    "Exception in an exit listener of process:\nError: bad",
  ],
  ["a text", (reporter) => reporter.text("usage: greet NAME"), "usage: greet NAME"],
];

for (const [name, report, text] of reports) {
  Deno.test(`Reporter: ${name}`, () => {
    const { reporter, written } = create();
    report(reporter);
    assertEquals(written, [text]);
  });
}

const HELP = "Set a limit with setGracePeriod(), or with the timeout of exit() or exitOnSignals()";

const slow: [Parameters<Reporter["slow"]>[3], waiting: number, text: string][] = [
  [{ kind: "finished" }, 0, ". The program is ending because nothing is left to do"],
  [
    { kind: "exit" },
    1,
    "; 1 more handler is waiting. The program is ending because an exit was requested",
  ],
  [
    { kind: "signal", signal: "SIGTERM" },
    2,
    "; 2 more handlers are waiting. The program is ending because of SIGTERM",
  ],
  [{ kind: "close" }, 0, ". The program is ending because an exit was requested"],
  [{ kind: "unload" }, 0, ". The program is ending because an exit was requested"],
];

for (const [cause, waiting, text] of slow) {
  Deno.test(`Reporter: a slow handler, at ${cause.kind}`, () => {
    const { reporter, written } = create();
    reporter.slow(saves, 10_000, waiting, cause);
    assertEquals(written, [`Still awaiting atexit handler saves after 10 s${text}. ${HELP}`]);
  });
}

Deno.test("Reporter: a slow handler, at an error, which is shown", () => {
  const { reporter, written } = create();
  reporter.slow(saves, 10_000, 0, { kind: "error", error });
  assertEquals(written, [
    "Still awaiting atexit handler saves after 10 s. The program is ending because of an uncaught " +
    `error. ${HELP}. The error:\nError: bad`,
  ]);
});

Deno.test("Reporter: the beginning of a report stands out", () => {
  const { reporter, runtime, written } = create();
  runtime.output.highlight = (text) => `<${text}>`;
  reporter.exception(saves, error);
  reporter.slow(saves, 10_000, 0, { kind: "finished" });
  assertEquals(written.map((text) => text.slice(0, text.indexOf(">") + 1)), [
    "<Exception in atexit handler saves>",
    "<Still awaiting atexit handler saves>",
  ]);
});

// -------------------------------------------------------------------- why a handler is not awaited

const called = (place: string | undefined): Interruption => ({
  kind: "exit",
  call: "process.exit()",
  place,
});

const inPackage = (name: string, place: string) =>
  `process.exit() was called by the package ${name}, at ${place}. ` +
  "Call overrideExit() from @atexit/atexit in the application to make such exits await handlers";

const remedy = "Use exit() from @atexit/atexit instead, which awaits handlers";

const interruptions: [Interruption, text: string][] = [
  [
    { kind: "signal", signal: "SIGINT" },
    "a second SIGINT arrived. Press Ctrl-C only once to let the handlers finish",
  ],
  [
    { kind: "timeout", limit: 100 },
    "the time limit of 100 ms has passed. Set a longer timeout or grace period",
  ],
  [called(undefined), `process.exit() was called. ${remedy}`],
  [
    { kind: "exit", call: "process.exit()", place: undefined, byCluster: true },
    "process.exit() was called by node:cluster, because the primary has disconnected. " +
    "Call overrideExit() from @atexit/atexit in the application to make such exits await handlers",
  ],
  [
    called("file:///app/main.ts:1:2"),
    `process.exit() was called at file:///app/main.ts:1:2. ${remedy}`,
  ],
  ...[
    ["vite", "file:///app/node_modules/vite/dist/cli.js:1:2"],
    ["@sentry/node", "/app/node_modules/@sentry/node/build/index.js:1:2"],
    ["inner", "/app/node_modules/outer/node_modules/inner/index.js:1:2"],
    ["vite", "C:\\app\\node_modules\\vite\\dist\\cli.js:1:2"],
    ["commander", "file:///root/.cache/deno/npm/registry.npmjs.org/commander/12.1.0/index.js:1:2"],
    ["@clack/core", "file:///root/.cache/deno/npm/registry.npmjs.org/@clack/core/0.3.4/a.mjs:1:2"],
    ["@std/cli", "https://jsr.io/@std/cli/1.0.0/mod.ts:1:2"],
  ].map(([name, place]): [Interruption, string] => [called(place), inPackage(name, place)]),
  ...[
    "/app/node_modules/vite.js:1:2",
    "/app/npm/registry/main.js:1:2",
    "https://jsr.io/mod.ts:1:2",
  ].map((place): [Interruption, string] => [
    called(place),
    `process.exit() was called at ${place}. ${remedy}`,
  ]),
];

for (const [interruption, text] of interruptions) {
  const place = "place" in interruption ? ` at ${interruption.place}` : "";
  Deno.test(`Reporter: why a handler is not awaited: ${interruption.kind}${place}`, () => {
    const { reporter, written } = create();
    reporter.unawaited(saves, "promise", interruption);
    assertEquals(written, [`Cannot await atexit handler saves: ${text}\npromise`]);
  });
}

// ------------------------------------------------------------------------------- names of handlers

class Database {
  [Symbol.dispose](): void {}
  close(): void {}
}

const [nameless] = [() => {}];
const database = new Database();
const hostile = Object.defineProperty(() => {}, "name", {
  get() {
    throw new Error("trap");
  },
});
const func = hostile;

const names: [handler: { handler: object; func: () => void }, name: string][] = [
  [saves, "saves"],
  [{ handler: nameless, func: nameless }, `(anonymous) ${nameless}`],
  [namedHandler("two\n  lines\x1b[31m"), "two lines [31m"],
  [namedHandler("\x9b1m\x7f"), " 1m "],
  [namedHandler("a".repeat(60)), "a".repeat(60)],
  [namedHandler("a".repeat(61)), `${"a".repeat(59)}…`],
  [{ handler: database, func: database[Symbol.dispose] }, "Database[Symbol.dispose]()"],
  [{ handler: database, func: database.close }, "Database.close()"],
  [
    { handler: Object.create({ constructor: { name: "" } }), func: database.close },
    "(anonymous).close()",
  ],
  [
    { handler: Object.create({ constructor: { name: 5 } }), func: database.close },
    "(anonymous).close()",
  ],
  [{ handler: Object.create(null), func: database.close }, "(anonymous)"],
  [{ handler: hostile, func }, "(anonymous)"],
  [
    { handler: nameless, func: Object.defineProperty(() => {}, "name", { value: 5 }) },
    `(anonymous) ${nameless}`,
  ],
];

for (const [handler, name] of names) {
  Deno.test(`Reporter: the name of a handler: ${JSON.stringify(name)}`, () => {
    const { reporter, written } = create();
    reporter.exception(handler, error);
    assertEquals(written, [`Exception in atexit handler ${name}:\nError: bad`]);
  });
}

// ------------------------------------------------------------------------------------ hostile values

Deno.test("Reporter: a value that cannot be shown is reported without it", () => {
  const { reporter, runtime, written } = create();
  runtime.output.inspect = () => {
    throw new Error("trap");
  };
  reporter.uncaught(error);
  assertEquals(written, [
    "Uncaught error:\n(a value that cannot be shown: inspecting it throws)",
  ]);
});

Deno.test("Reporter: a text is written as it is where the program has replaced methods of strings", () => {
  const { reporter, written } = create();
  const { replaceAll } = String.prototype;
  try {
    String.prototype.replaceAll = () => {
      throw new Error("replaced");
    };
    reporter.uncaught(error);
  } finally {
    String.prototype.replaceAll = replaceAll;
  }
  assertEquals(written, ["Uncaught error:\nError: bad"]);
});

Deno.test("Reporter: the module's own frames are not shown", () => {
  const { reporter, runtime, written } = create();
  const home = new URL("..", import.meta.url).href;
  runtime.output.inspect = () =>
    `Error: bad\n    at save (${home}main/save.ts:1:2)\n    at Run.#call (${home}registry.ts:3:4)`;
  reporter.uncaught(error);
  assertEquals(written, [`Uncaught error:\nError: bad\n    at save (${home}main/save.ts:1:2)`]);
});

Deno.test("Reporter: nothing is thrown if stderr is closed", () => {
  const { reporter, runtime } = create();
  runtime.output.write = () => {
    throw new Error("closed");
  };
  for (const [, report] of reports) report(reporter);
  reporter.slow(saves, 10_000, 0, { kind: "finished" });
});
