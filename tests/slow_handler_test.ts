// A handler that takes longer than ten seconds. In a file of its own, so that other tests run meanwhile.

import { assertOutcome, run } from "./program.ts";

Deno.test("a handler that is awaited for 10 s without a limit is named on stderr, and keeps nothing alive", async () => {
  const outcome = await run(`
    import { registerAsync } from "@atexit/atexit";
    registerAsync(async function slow() {
      await new Promise((resolve) => setTimeout(resolve, 10_500));
    });
    setTimeout(() => { throw new Error("boom"); });`);
  assertOutcome(outcome, {
    code: 1,
    stderr: /^Still awaiting atexit handler slow after 10 s. .*\nError: boom/,
    counts: { "error: Uncaught Error: boom": 1 },
  });
});
