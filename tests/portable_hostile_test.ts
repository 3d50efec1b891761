// The package on Node.js, Bun and Deno: hostile values, replaced globals, and events at odd times.

import { testRows } from "./portable.ts";

const hostile = `const hostile = new Proxy(new SystemExit(3), {
  get() { throw new Error("get"); },
});`;
const refused = `const { reallyExit } = process;
  process.reallyExit = () => {};
  process.exit(5);
  process.reallyExit = reallyExit;`;

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
    code: 58,
    signals: true,
  },
  "a rejection that ended nothing is not taken for the next error: SystemExit": {
    program: `
      register(() => console.log("handler", why()));
      setTimeout(() => Promise.reject(new SystemExit(3)));
      setTimeout(() => { throw new Error("boom"); }, 20);`,
    only: ["node"],
    command: { node: ["--unhandled-rejections=none"] },
    lines: ["handler error boom"],
    code: 1,
    errors: { boom: 1 },
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
  "handlers that are registered after a refused exit run at a dry end": {
    program: `
      ${refused}
      register(() => console.log("handler", why()));
      console.log("started");`,
    lines: ["started", "handler dry"],
    code: 5,
  },
  "a process whose emit cannot be replaced is refused where nothing else tells of an end": {
    program: "",
    files: { "freezes.mjs": `Object.defineProperty(process, "emit", { value: process.emit });` },
    command: { node: ["--import", "./freezes.mjs"] },
    only: ["node"],
    stderr: /TypeError: Cannot load @atexit\/atexit: the program has frozen process\.emit/,
    code: 1,
  },
});
