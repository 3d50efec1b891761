// The package on Node.js, Bun and Deno: "nobody handles" is meant exactly, and each listener sees each
// error once.

import { type Row, testRows } from "./portable.ts";
import { errors, handlers } from "./portable_errors.ts";

/** Shows each event, and handles none of them. */
const watched = `
process.on("uncaughtExceptionMonitor", (error, origin) => console.log("monitor", error.message, origin));
process.on("exit", (code) => console.log("exit", code));
`;

const notToMonitors = Object.fromEntries(
  ["deno 2.5", "deno 2.6", "deno 2.7"].map((name) => [name, {
    because: "before 2.8 Deno shows errors to no monitor, and calls no exit listeners at an error",
    lines: ["handler 1 error"],
    code: 1,
    errors: { boom: 1 },
  }]),
);
const notAtExit = {
  because: "Deno calls no exit listeners at an error",
  code: 1,
  errors: { boom: 1 },
};

function unhandled(program: string, handler: string, origin: string): Row {
  return {
    program: `${watched}${handler}\n${program}`,
    lines: [`monitor boom ${origin}`, "handler 1 error", "exit 1"],
    code: 1,
    errors: { boom: 1 },
  };
}

for (const [kind, handler] of Object.entries(handlers)) {
  testRows({
    [`each listener sees an error once, ${kind} handler`]: {
      slow: false,
      ...unhandled(errors["an error"], handler, "uncaughtException"),
      cannot: {
        ...notToMonitors,
        deno: { ...notAtExit, lines: ["monitor boom uncaughtException", "handler 1 error"] },
        bun: {
          because: "the module's listener comes first, and runs handlers that need not be awaited",
          lines: kind === "synchronous"
            ? ["handler 1 error", "monitor boom uncaughtException", "exit 1"]
            : ["monitor boom uncaughtException", "handler 1 error", "exit 1"],
          code: 1,
          errors: { boom: 1 },
        },
      },
    },
    [`each listener sees a rejection once, ${kind} handler`]: {
      slow: false,
      ...unhandled(errors["a rejection"], handler, "unhandledRejection"),
      cannot: {
        ...notToMonitors,
        deno: { ...notAtExit, lines: ["handler 1 error", "monitor boom unhandledRejection"] },
        bun: {
          because: "Bun shows rejections to listeners of unhandledRejection alone",
          lines: ["handler 1 error", kind === "synchronous" ? "exit 0" : "exit 1"],
          code: 1,
          errors: { boom: 1 },
        },
      },
    },
    [`each listener sees a throw of the main module once, ${kind} handler`]: {
      ...unhandled(`throw new Error("boom");`, handler, "unhandledRejection"),
      cannot: {
        ...notToMonitors,
        deno: { ...notAtExit, lines: ["handler 1 error", "monitor boom unhandledRejection"] },
        bun: {
          because: "the module's listener comes first, and runs handlers that need not be awaited",
          lines: kind === "synchronous"
            ? ["handler 1 error", "monitor boom unhandledRejection", "exit 1"]
            : ["monitor boom unhandledRejection", "handler 1 error", "exit 1"],
          code: 1,
          errors: { boom: 1 },
        },
      },
    },
    [`several listeners see an error, one is enough to handle it, ${kind} handler`]: {
      program: `
        process.on("uncaughtException", (error) => console.log("one", error.message));
        ${handler}
        process.on("uncaughtException", (error) => console.log("two", error.message));
        process.once("uncaughtException", (error) => console.log("three", error.message));
        ${errors["an error"]}
        setTimeout(() => { throw new Error("again"); }, 5);`,
      lines: ["one boom", "two boom", "three boom", "one again", "two again", "handler 0 finished"],
    },
    [`a listener that handled one error once does not handle the next, ${kind} handler`]: {
      program: `
        process.once("uncaughtException", (error) => console.log("seen", error.message));
        ${handler}
        setTimeout(() => { throw new Error("first"); });
        setTimeout(() => { throw new Error("boom"); }, 5);`,
      lines: ["seen first", "handler 1 error"],
      code: 1,
      errors: { boom: 1, first: 0 },
    },
    [`a rejection that is handled later is none, ${kind} handler`]: {
      program: `
        ${handler}
        const alive = setInterval(() => {}, 1000);
        process.on("unhandledRejection", () => {
          console.log("unhandled");
          setTimeout(() => promise.catch(() => {}));
        });
        process.on("rejectionHandled", () => { console.log("handled"); clearInterval(alive); });
        const promise = Promise.reject(new Error("boom"));`,
      lines: ["unhandled", "handled", "handler 0 finished"],
    },
    [`a listener of uncaughtException handles a rejection that no other does, ${kind} handler`]: {
      program: `
        process.on("uncaughtException", (error, origin) => console.log("seen", error.message, origin));
        ${handler}
        ${errors["a rejection"]}`,
      lines: ["seen boom unhandledRejection", "handler 0 finished"],
      cannot: {
        bun: {
          because: "Bun does not show rejections to listeners of uncaughtException",
          lines: ["handler 1 error"],
          code: 1,
          errors: { boom: 1 },
        },
      },
    },
    [`a listener of unhandledRejection does not handle a throw of the main module, ${kind} handler`]:
      {
        program: `
        process.on("unhandledRejection", (error) => console.log("seen", error.message));
        ${handler}
        throw new Error("boom");`,
        lines: ["handler 1 error"],
        code: 1,
        errors: { boom: 1 },
        cannot: {
          deno: {
            because: "it is a rejection there",
            lines: ["seen boom", "handler 0 finished"],
            code: 0,
            errors: {},
          },
        },
      },
    [`setUncaughtExceptionCaptureCallback() handles errors, ${kind} handler`]: {
      program: `
        ${handler}
        process.setUncaughtExceptionCaptureCallback((error) => console.log("captured", error.message));
        ${errors["an error"]}
        setTimeout(() => Promise.reject(new Error("rejected")), 5);`,
      only: ["node", "bun"],
      lines: ["captured boom", "captured rejected", "handler 0 finished"],
      cannot: {
        bun: {
          because: "Bun does not hand rejections to the callback",
          lines: ["captured boom", "handler 1 error"],
          code: 1,
          errors: { rejected: 1 },
        },
      },
    },
    [`addUncaughtExceptionCaptureCallback() handles the errors for which it returns true, ${kind} handler`]:
      {
        program: `
        ${handler}
        process.addUncaughtExceptionCaptureCallback((error) => {
          console.log("captured", error.message);
          return error.message === "first";
        });
        setTimeout(() => { throw new Error("first"); });
        setTimeout(() => { throw new Error("boom"); }, 5);`,
        only: ["node 26"],
        lines: ["captured first", "captured boom", "handler 1 error"],
        code: 1,
        errors: { boom: 1 },
        cannot: kind === "synchronous" ? {} : {
          node: {
            because: "an error that is rethrown passes the callbacks again",
            lines: ["captured first", "captured boom", "handler 1 error", "captured boom"],
            code: 1,
            errors: { boom: 1 },
          },
        },
      },
    [`a domain handles errors, ${kind} handler`]: {
      program: `
        import domain from "node:domain";
        ${handler}
        const own = domain.create().on("error", (error) => console.log("domain", error.message));
        own.run(() => { ${errors["an error"]} });`,
      only: ["node"],
      stderr: /^(\(node:\d+\) .*domain.*\n.*\n?)?$/,
      lines: ["domain boom", "handler 0 finished"],
    },
    [`exit(3) in a listener of uncaughtException, ${kind} handler`]: {
      program: `
        process.on("uncaughtException", (error) => { console.log("seen", error.message); exit(3); });
        ${handler}
        ${errors["an error"]}`,
      lines: ["seen boom", "handler 3 exit"],
      code: 3,
    },
    [`exit(3) in a listener of unhandledRejection, ${kind} handler`]: {
      program: `
        process.on("unhandledRejection", (error) => { console.log("seen", error.message); exit(3); });
        ${handler}
        ${errors["a rejection"]}`,
      lines: ["seen boom", "handler 3 exit"],
      code: 3,
    },
    [`exit(3) in a listener of uncaughtExceptionMonitor: the error decides, ${kind} handler`]: {
      program: `
        process.on("uncaughtExceptionMonitor", (error) => { console.log("seen", error.message); exit(3); });
        ${handler}
        ${errors["an error"]}`,
      lines: ["seen boom", "handler 1 error"],
      code: 1,
      errors: { boom: 1 },
      cannot: {
        ...notToMonitors,
        bun: {
          because: "the module's listener comes first, and runs handlers that need not be awaited",
          lines: kind === "synchronous"
            ? ["handler 1 error", "seen boom"]
            : ["seen boom", "handler 1 error"],
          code: 1,
          errors: { boom: 1 },
        },
      },
    },
    [`a listener that is removed handles nothing, ${kind} handler`]: {
      program: `
        const listener = () => console.log("never");
        process.on("uncaughtException", listener);
        ${handler}
        process.off("uncaughtException", listener);
        ${errors["an error"]}`,
      lines: ["handler 1 error"],
      code: 1,
      errors: { boom: 1 },
    },
    [`errors that the program emits itself end nothing, ${kind} handler`]: {
      program: `
        ${handler}
        setTimeout(() => {
          console.log(process.emit("uncaughtException", new Error("boom"), "uncaughtException"));
          console.log(process.emit("unhandledRejection", new Error("boom"), Promise.resolve()));
          setTimeout(() => console.log("alive", exitReason()));
        });`,
      lines: ["false", "false", "alive undefined", "handler 0 finished"],
      cannot: {
        bun: {
          because: "the module listens to rejections there",
          lines: ["false", "true", "alive undefined", "handler 0 finished"],
        },
      },
    },
    [`an exit that the program emits itself ends nothing, ${kind} handler`]: {
      program: `
        ${handler}
        process.on("exit", (code) => console.log("exit", code));
        setTimeout(() => {
          process.emit("exit", 3);
          setTimeout(() => console.log("alive", exitReason()));
        });`,
      lines: ["exit 3", "alive undefined", "handler 0 finished", "exit 0"],
    },
    [`a beforeExit that the program emits itself is taken for one, ${kind} handler`]: {
      program: `
        ${handler}
        setTimeout(() => {
          process.emit("beforeExit", 0);
          setTimeout(() => { console.log("alive"); register(() => console.log("late")); }, 100);
        });`,
      lines: kind === "synchronous"
        ? ["alive", "late", "handler 0 finished"]
        : ["handler 0 finished", "alive", "late"],
      cannot: {
        deno: {
          because: "Deno tells of an empty event loop by another event",
          lines: kind === "synchronous"
            ? ["alive", "late", "handler 0 finished"]
            : ["alive", "late", "handler 0 finished"],
        },
        bun: {
          because: "what the program has begun is done first",
          lines: ["alive", "late", "handler 0 finished"],
        },
      },
    },
    [`an error that the program has reported itself and leaves by, ${kind} handler`]: {
      program: `
        process.on("uncaughtException", (error) => { console.log("seen", error.message); process.exit(9); });
        ${handler}
        ${errors["an error"]}`,
      lines: ["seen boom", ...kind === "synchronous" ? ["handler 9 exit"] : []],
      counts: { "Cannot await atexit handler": kind === "synchronous" ? 0 : 1 },
      code: 9,
    },
    [`a listener of uncaughtException that throws, ${kind} handler`]: {
      program: `
        process.on("uncaughtException", () => { console.log("seen"); throw new Error("worse"); });
        ${handler}
        ${errors["an error"]}`,
      lines: ["seen"],
      code: 7,
      errors: { worse: 1 },
      cannot: {
        deno: { because: "Deno gives another status", lines: ["seen"], code: 1, stderr: /worse/ },
        bun: {
          because: "Bun emits exit there, which is more than is promised",
          lines: ["seen", ...kind === "synchronous" ? ["handler 7 exit"] : []],
          code: 7,
          counts: kind === "synchronous" ? {} : { "Cannot await atexit handler": 1 },
          errors: { worse: 1 },
        },
      },
    },
    [`a warning ends nothing, ${kind} handler`]: {
      program: `${handler}\nprocess.emitWarning("careful"); console.log("started");`,
      lines: ["started", "handler 0 finished"],
      stderr: /careful/,
    },
  }, { slow: kind === "synchronous" });
}
