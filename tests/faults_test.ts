// Faults: handlers that use up what there is, and permissions. Tampering is in slow/faults_test.ts.

import { assertOutcome, run } from "./program.ts";

Deno.test("a handler that overflows the stack stops no other", async () => {
  const outcome = await run(`
    import { register } from "@atexit/atexit";
    register(() => console.log("last"));
    register(function overflows() { overflows(); });
    register(() => console.log("first"));
  `);
  assertOutcome(outcome, {
    lines: ["first", "last"],
    code: 1,
    stderr: /Exception in atexit handler overflows:\nRangeError: Maximum call/,
  });
});

Deno.test("a handler that nearly fills the memory stops no other", async () => {
  // What the handler has allocated is garbage when the next one runs.
  const source = `
    import { register } from "@atexit/atexit";
    register(() => console.log("last"));
    register(() => {
      const kept = [];
      while (kept.length < 40) kept.push(new Array(125_000).fill(kept.length)); // 1 MB each
      console.log("allocated", kept.length);
      throw new Error("full");
    });
    register(() => console.log("first"));
  `;
  const outcome = await run(source, { command: ["run", "--v8-flags=--max-old-space-size=64"] });
  assertOutcome(outcome, { lines: ["first", "allocated 40", "last"], code: 1 });
});

Deno.test("no permission is needed, and none is asked for", async () => {
  const handlers = `
    import { exit, exitOnSignals, register, registerAsync } from "@atexit/atexit";
    register(() => console.log("last"));
    registerAsync(async () => { await Promise.resolve(); console.log("awaited"); });
  `;
  const ends = [
    "exit(0);",
    "exitOnSignals();",
    'setTimeout(() => { throw new Error("boom"); });',
  ];
  for (const end of ends) {
    // In a terminal Deno would ask; `--no-prompt` turns each question into an error.
    const outcome = await run(`${handlers} ${end}`, { command: ["run", "--no-prompt"] });
    assertOutcome(outcome, { lines: ["awaited", "last"], counts: { "NotCapable": 0 } });
  }
});

/** What another package has done to the program before it imports the module. */
const foreign: Record<string, string> = {
  "a foreign Promise": `
    const Native = Promise;
    globalThis.Promise = class Foreign {
      constructor(executor) { this.inner = new Native(executor); }
      then(...args) { return this.inner.then(...args); }
      static resolve(value) { return new Foreign((resolve) => resolve(value)); }
      static reject() { return new Foreign(() => {}); } // The runtime never sees it.
    };`,
  "reportError() that does nothing": "globalThis.reportError = () => {};",
  "a frozen Error.prototype": "Object.freeze(Error.prototype); Object.freeze(Error);",
  "Error.prepareStackTrace of another format": `
    Error.prepareStackTrace = (error, callSites) =>
      [error, ...callSites.map((callSite) => "in " + callSite.getFunctionName())].join("\\n");`,
  "Error.prepareStackTrace that throws":
    "Error.prepareStackTrace = () => { throw new Error('hidden'); };",
  "Error.stackTraceLimit = 0": "Error.stackTraceLimit = 0;",
};

for (const [name, setup] of Object.entries(foreign)) {
  Deno.test(`handlers run and are awaited at every end, and errors are errors, with ${name}`, async () => {
    const ends: [end: string, code: number][] = [
      ["", 0],
      ["exit(3);", 3],
      ["fails();", 1],
      ["setTimeout(() => { throw boom; });", 1],
      ["throw new SystemExit(3);", 3],
    ];
    await Promise.all(ends.map(async ([end, code]) => {
      const outcome = await run(
        `import "./setup.ts";
         import { exit, register, registerAsync, SystemExit } from "@atexit/atexit";
         const boom = "boom";
         const fails = async () => { throw boom; };
         register(() => console.log("last"));
         registerAsync(async function slow() {
           await 0;
           await { then: (resolve) => setTimeout(resolve, 5) };
           console.log("awaited");
         });
         ${end}`,
        { files: { "setup.ts": setup } },
      );
      const counts = { "atexit handler": 0, '"boom"\n': code === 1 ? 1 : 0 };
      assertOutcome(outcome, { lines: ["awaited", "last"], code, counts });
    }));
    const outcome = await run(
      `import "./setup.ts";
       import { register } from "@atexit/atexit";
       register(() => console.log("last"));
       register(() => { throw "bad"; });
       if (Deno.args[0] === "exit") Deno.exit(3);`,
      { files: { "setup.ts": setup }, args: ["exit"] },
    );
    assertOutcome(outcome, {
      lines: ["last"],
      code: 1,
      counts: { "Exception in atexit handler": 1 },
    });
  });

  Deno.test(`a program that only imports the module is the same, with ${name}`, async () => {
    const outcome = await run(`import "./setup.ts"; import "@atexit/atexit"; Deno.exit(3);`, {
      files: { "setup.ts": setup },
    });
    assertOutcome(outcome, { code: 3, stderr: "" });
  });
}
