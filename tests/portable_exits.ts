// Where `exit(3)` is called × whether its exception is caught × the kind of the handlers, and what
// each runtime makes of it.

import type { Row } from "./portable.ts";

/** What a program prints, and its status. */
interface Cell {
  lines?: string[];
  stdout?: RegExp;
  code?: number;
  errors?: Record<string, number>;
  stderr?: RegExp;
}

/** A place in a program. */
interface Place {
  /** The program. `EXIT` stands for the call. */
  program: string;
  /** The cells that are not the default: the handler runs, with this code, and the status is 3. */
  uncaught?: Cell;
  caught?: Cell;
  /** What a runtime does instead. */
  cannot?: Record<string, { because: string; uncaught?: Cell; caught?: Cell }>;
  signals?: true;
  not?: Record<string, string>;
}

/** The default: the handler reads the code and the reason, and the status is the code. */
const ends = (...lines: string[]): Cell => ({ lines: [...lines, "handler 3 exit"], code: 3 });

/** What a program does that catches the exception of `exit()`, and goes on. */
const goesOn = (...lines: string[]): Cell => ends("caught 3", ...lines);

/** The same lines, whether the exception is caught or not. */
const both = (uncaught: Cell, caught = uncaught) => ({ uncaught, caught });

const noUsing = "it is a syntax error there";
const boom = { code: 1, errors: { boom: 1 } };

/** Places that are tried by `deno task test`. */
export const places: Record<string, Place> = {
  "the top level of a module": { program: `EXIT` },
  "a function": { program: `function main() { EXIT } main();` },
  "a timer": { program: `setTimeout(() => { EXIT });` },
  "a microtask": { program: `queueMicrotask(() => { EXIT });` },
  "a promise's callback": { program: `turn().then(() => { EXIT });` },
  "try, with a finally that awaits": {
    program: `
      async function main() { try { EXIT } finally { await turn(100); console.log("finally"); } }
      main();`,
    ...both(ends("finally"), goesOn("finally")),
  },
  "a block with using": {
    program: `{ using resource = { [Symbol.dispose]() { console.log("disposed"); } }; EXIT }`,
    ...both(ends("disposed"), goesOn("disposed")),
    not: { "node 20": noUsing, "node 22": noUsing },
  },
  "a block with await using": {
    program: `
      const close = async () => { await turn(100); console.log("disposed"); };
      { await using resource = { [Symbol.asyncDispose]: close }; EXIT }`,
    ...both(ends("disposed"), goesOn("disposed")),
    not: { "node 20": noUsing, "node 22": noUsing },
  },
  "a listener of an emitter": {
    program: `
      import { EventEmitter } from "node:events";
      const emitter = new EventEmitter().on("ping", () => { EXIT });
      setTimeout(() => { emitter.emit("ping"); console.log("after"); });`,
    ...both(ends(), goesOn("after")),
  },
  "a listener of an event target, whose caller goes on": {
    program: `
      const target = new EventTarget();
      target.addEventListener("ping", () => { EXIT });
      setTimeout(() => { target.dispatchEvent(new Event("ping")); console.log("after"); });`,
    ...both(ends("after"), goesOn("after")),
  },
  "a callback of node:fs": {
    program: `import { stat } from "node:fs"; stat(".", () => { EXIT });`,
  },
  "a callback of node:child_process": {
    program: `
      import { execFile } from "node:child_process";
      execFile(process.execPath, ["--version"], () => { EXIT });`,
  },
  "a request listener of node:http": {
    program: `
      import { createServer, get } from "node:http";
      const server = createServer((_, response) => { response.end(); server.close(); EXIT });
      server.listen(0, () => get({ port: server.address().port, agent: false }, (response) => response.resume()));`,
  },
  "a listener of a signal": {
    program: `
      const timer = setInterval(() => {}, 1_000);
      process.once("SIGUSR2", () => { clearInterval(timer); EXIT });
      process.kill(process.pid, "SIGUSR2");`,
    signals: true,
  },
  "a listener of uncaughtException, to which it returns": {
    program: `
      process.on("uncaughtException", () => { EXIT console.log("returned"); });
      setTimeout(() => { throw new Error("boom"); });`,
    ...both(ends("returned")),
  },
  "a listener of unhandledRejection, to which it returns": {
    program: `
      process.on("unhandledRejection", () => { EXIT console.log("returned"); });
      setTimeout(() => Promise.reject(new Error("boom")));`,
    ...both(ends("returned")),
  },
  "a listener of beforeExit": { program: `process.once("beforeExit", () => { EXIT });` },
  "a listener of exit": {
    program: `process.on("exit", () => { EXIT console.log("never"); });`,
    ...both({ lines: ["handler 0 finished"], code: 3 }),
  },
  "a synchronous handler": {
    program: `register(() => { EXIT });`,
    ...both({ lines: ["handler 3 finished"], code: 3 }, {
      lines: ["caught 3", "handler 0 finished"],
    }),
  },
  "an asynchronous handler, before it awaits": {
    program: `registerAsync(async () => { EXIT await turn(); });`,
    ...both({ lines: ["handler 3 finished"], code: 3 }, {
      lines: ["caught 3", "handler 0 finished"],
    }),
  },
  // Nothing tells that a handler calls it: it joins, as an exit elsewhere does.
  "an asynchronous handler, after it has awaited": {
    program: `registerAsync(async () => { await turn(); EXIT });`,
  },
};

/** Places that only `deno task test:all` tries. */
export const morePlaces: Record<string, Place> = {
  "the top level of a module, after an await": { program: `await turn(); EXIT` },
  "an imported module": {
    program: `globalThis.leave = () => { EXIT }; await import("data:text/javascript,leave()");`,
  },
  "a generator": { program: `function* main() { EXIT } for (const _ of main()) ;` },
  "an async generator": {
    program: `async function* main() { await turn(); EXIT } for await (const _ of main()) ;`,
  },
  "an async function": { program: `(async () => { await turn(); EXIT })();` },
  "an executor of a promise": { program: `new Promise(() => { EXIT });` },
  "an interval": {
    program: `const timer = setInterval(() => { clearInterval(timer); EXIT }, 1);`,
  },
  "setImmediate()": { program: `setImmediate(() => { EXIT });` },
  "process.nextTick()": { program: `process.nextTick(() => { EXIT });` },
  "a listener of an abort signal, whose caller goes on": {
    program: `
      const controller = new AbortController();
      controller.signal.addEventListener("abort", () => { EXIT });
      setTimeout(() => { controller.abort(); console.log("after"); });`,
    ...both(ends("after"), goesOn("after")),
  },
  "a callback of node:net": {
    program: `
      import { createServer } from "node:net";
      const server = createServer().listen(0, () => { server.close(); EXIT });`,
  },
  "a connection listener of node:net": {
    program: `
      import { connect, createServer } from "node:net";
      const server = createServer((socket) => { socket.destroy(); server.close(); EXIT });
      server.listen(0, () => connect(server.address().port).on("error", () => {}).resume());`,
    cannot: {
      "deno 2.5": {
        because: "Deno hides what such a listener throws, and ends nothing",
        uncaught: ends(),
      },
      deno: {
        because: "Deno prints what such a listener throws, on stdout, and ends nothing",
        uncaught: {
          stdout:
            /^handler 3 exit\n\S+: Uncaught SystemExit: .*If you catch this exception, rethrow it\n$/,
          code: 3,
        },
      },
    },
  },
  "a listener of a stream": {
    program: `
      import { Readable } from "node:stream";
      Readable.from(["text"]).on("data", () => { EXIT });`,
  },
  "a listener of node:readline": {
    program: `
      import { createInterface } from "node:readline";
      import { Readable } from "node:stream";
      createInterface({ input: Readable.from(["line\\n"]) }).on("line", () => { EXIT });`,
  },
  "a callback of node:zlib": {
    program: `import { gzip } from "node:zlib"; gzip("text", () => { EXIT });`,
  },
  "a callback of node:dns": {
    program: `import { lookup } from "node:dns"; lookup("127.0.0.1", () => { EXIT });`,
  },
  "a callback of node:crypto": {
    program: `import { randomBytes } from "node:crypto"; randomBytes(8, () => { EXIT });`,
  },
  "a message of a worker": {
    program: `
      import { Worker } from "node:worker_threads";
      const source = 'require("node:worker_threads").parentPort.postMessage("ready");';
      new Worker(source, { eval: true }).on("message", () => { EXIT });`,
  },
  "a message port": {
    program: `
      const { port1, port2 } = new MessageChannel();
      port2.onmessage = () => { port2.close(); EXIT };
      port1.postMessage("ready");`,
  },
  "node:async_hooks": {
    program: `
      import { AsyncLocalStorage } from "node:async_hooks";
      new AsyncLocalStorage().run(1, () => setTimeout(() => { EXIT }));`,
  },
  "a listener of uncaughtExceptionMonitor, which handles nothing": {
    program: `
      process.on("uncaughtExceptionMonitor", () => { EXIT });
      setTimeout(() => { throw new Error("boom"); });`,
    ...both({ lines: ["handler 1 error boom"], ...boom }),
  },
  "a listener of uncaughtException, for a rejection": {
    program: `
      process.on("uncaughtException", () => { EXIT console.log("returned"); });
      setTimeout(() => Promise.reject(new Error("boom")));`,
    ...both(ends("returned")),
    cannot: {
      bun: {
        because: "Bun does not show rejections to listeners of uncaughtException",
        ...both({ lines: ["handler 1 error boom"], ...boom }),
      },
    },
  },
};

const calls = {
  uncaught: "exit(3);",
  caught: 'try { exit(3); } catch (error) { console.log("caught", error.code); }',
};

/** A handler of each kind, which prints the code and the reason. */
export const handlers = {
  synchronous: 'register(() => console.log("handler", code(), why()));\n',
  asynchronous:
    'registerAsync(async () => { await turn(); console.log("handler", code(), why()); });\n',
};

/** The rows of places, for one column of the table. */
export function getRows(
  places: Record<string, Place>,
  column: keyof typeof calls,
  kind: keyof typeof handlers,
): Record<string, Row> {
  return Object.fromEntries(
    Object.entries(places).map(([name, { program, cannot = {}, not, signals, ...cells }]) => {
      const defaults = column === "uncaught" ? ends() : goesOn();
      const row: Row = {
        program: handlers[kind] + program.replace("EXIT", calls[column]),
        ...cells[column] ?? defaults,
        ...not === undefined ? {} : { not },
        ...signals === undefined ? {} : { signals },
        cannot: Object.fromEntries(
          Object.entries(cannot).map(([runtime, { because, ...instead }]) => [
            runtime,
            { because, ...instead[column] ?? cells[column] ?? defaults },
          ]),
        ),
      };
      return [`exit() in ${name}, ${column}, ${kind} handler`, row];
    }),
  );
}
