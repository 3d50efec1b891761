// Where no handler runs, so that the documentation is true.

import { assertNotEquals } from "@std/assert";
import { assertOutcome, type Outcome, run, start } from "./program.ts";
import { skipIf, withoutSignals } from "./skip.ts";

/** How most programs begin. */
const handler = `
  import { register } from "@atexit/atexit";
  register(() => console.log("handler"));
  console.log("started");
`;

Deno.test("handlers are not run when a top-level await never settles", async () => {
  assertOutcome(await run(`${handler} await new Promise(() => {});`), {
    lines: ["started"],
    code: 1,
    stderr: /Top-level await promise never resolved/,
  });
});

Deno.test("handlers are not run when a worker is terminated", async () => {
  const main = `
    import { register } from "@atexit/atexit";
    register(() => console.log("main"));
    const worker = new Worker(new URL("worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = () => worker.terminate();
  `;
  const outcome = await run(main, {
    command: ["run", "--allow-read"],
    files: { "worker.ts": `${handler} setTimeout(() => self.postMessage("dry"));` },
  });
  assertOutcome(outcome, { lines: ["started", "main"], code: 0 });
});

Deno.test("handlers are not run when an error listener itself throws", async () => {
  const outcome = await run(`${handler}
    addEventListener("error", () => { throw new Error("in listener"); });
    setTimeout(() => { throw new Error("boom"); });
  `);
  assertOutcome(outcome, { lines: ["started"], code: 1, stderr: /Error: in listener/ });
});

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] as const) {
  Deno.test({
    name: `handlers are not run when nobody listens to the signal: ${signal}`,
    ignore: withoutSignals(),
    async fn() {
      await using program = start(`${handler} setInterval(() => {}, 1000);`);
      await program.says("started");
      program.kill(signal);
      assertOutcome(await program.outcome(), { lines: ["started"], signal });
    },
  });
}

Deno.test(
  "on Windows a signal of another program's is the end: no handler runs, and the status is 1",
  {
    ignore: skipIf(Deno.build.os !== "windows", "TerminateProcess() is a function of Windows"),
  },
  async () => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGKILL"] as const) {
      await using program = start(`${handler}
      import { exitOnSignals } from "@atexit/atexit";
      exitOnSignals();
      setInterval(() => {}, 1000);`);
      await program.says("started");
      program.kill(signal);
      assertOutcome(await program.outcome(), { lines: ["started"], code: 1 });
    }
  },
);

/** Asserts that a program has died in a way that depends on the system. */
function assertDied(outcome: Outcome): void {
  assertOutcome(outcome, { lines: ["started"] });
  assertOutcome(outcome, ({ code }) => assertNotEquals(code, 0));
}

Deno.test("process.abort() runs no handler", async () => {
  assertDied(await run(`${handler} process.abort();`));
});

Deno.test("handlers are not run when memory runs out", async () => {
  const source = `${handler}
    const kept = [];
    while (true) kept.push(new Array(1e6).fill(kept.length));
  `;
  assertDied(await run(source, { command: ["run", "--v8-flags=--max-old-space-size=50"] }));
});
