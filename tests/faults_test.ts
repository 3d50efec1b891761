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
