// The package on Node.js, Bun and Deno: each way to listen to errors, and each mode of Node.js.

import { testRows } from "../portable.ts";
import { errors, handlers } from "../portable_errors.ts";

/** What is thrown or rejected, and a timer that shows that the program lives on. */
const alive = (name: string) =>
  `setTimeout(() => setTimeout(() => console.log("alive"), 20));\n${errors[name]}`;

/** Listeners that handle errors. `ADD` stands for `on` or what else adds one. */
const handling: Record<string, [event: string, listener: string]> = {
  "a listener of uncaughtException handles an error": [
    "an error",
    `process.ADD("uncaughtException", (error, origin) => {
       console.log("seen", error.message, origin);
     });`,
  ],
  "a listener of unhandledRejection handles a rejection": [
    "a rejection",
    `process.ADD("unhandledRejection", (error) => {
       console.log("seen", error.message, "uncaughtException");
     });`,
  ],
};

const load = `const { exitReason, register, registerAsync } = await import("@atexit/atexit");`;

for (const [name, [error, listener]] of Object.entries(handling)) {
  for (const [kind, handler] of Object.entries(handlers)) {
    for (const add of ["on", "once", "prependListener", "prependOnceListener"]) {
      const text = listener.replace("ADD", add);
      const expected = { lines: ["seen boom uncaughtException", "alive", "handler 0 finished"] };
      testRows({
        [`${name}: added before by ${add}(), ${kind} handler`]: {
          program: `${text}\n${load}\n${handler}\n${alive(error)}`,
          ...expected,
        },
        [`${name}: added after by ${add}(), ${kind} handler`]: {
          program: `${load}\n${handler}\n${text}\n${alive(error)}`,
          ...expected,
        },
      });
    }
  }
}

/** What each mode of Node.js makes of a rejection. */
const modes: Record<string, { ends: boolean; code: number; stderr: RegExp }> = {
  "throw": { ends: true, code: 1, stderr: /^(?!.*Warning).*Error: boom\n/s },
  "strict": { ends: true, code: 1, stderr: /^(?!.*Warning).*Error: boom\n/s },
  "warn": { ends: false, code: 0, stderr: /UnhandledPromiseRejectionWarning: Error: boom/ },
  "none": { ends: false, code: 0, stderr: /^$/ },
  "warn-with-error-code": {
    ends: false,
    code: 1,
    stderr: /UnhandledPromiseRejectionWarning: Error: boom/,
  },
};

for (const [mode, { ends, code, stderr }] of Object.entries(modes)) {
  const command = { node: [`--unhandled-rejections=${mode}`] };
  for (const [kind, handler] of Object.entries(handlers)) {
    testRows({
      [`a rejection under --unhandled-rejections=${mode}, ${kind} handler`]: {
        program: `${handler}\n${
          errors["a rejection"]
        }\nsetTimeout(() => console.log("alive"), 200);`,
        ...{ command, only: ["node"], code, stderr },
        lines: [
          ...ends ? [] : ["alive"],
          ends ? "handler 1 error" : `handler ${code} finished`,
        ],
      },
      [`what a handler raises under --unhandled-rejections=${mode}, ${kind} handler`]: {
        program: `
          ${handler}
          register(() => { throw new Error("first"); });
          registerAsync(async () => { await turn(); throw new Error("boom"); });
          unregister(() => {});
          exit(3);`,
        ...{ command, only: ["node"], code: 1 },
        lines: [`handler 3 exit`],
        errors: { first: 2, boom: 1 },
      },
      [`SystemExit as a rejection under --unhandled-rejections=${mode}, ${kind} handler`]: {
        program: `
          ${handler}
          setTimeout(() => Promise.reject(new SystemExit(3)));`,
        ...{ command, only: ["node"] },
        lines: ["handler 3 exit"],
        code: 3,
        // Node.js warns of each rejection before it tells of any.
        stderr: mode === "warn" ? /UnhandledPromiseRejectionWarning: SystemExit/ : /^$/,
      },
    });
  }
}
