// "Nobody handles" is meant exactly: a listener that prevents the default keeps the program alive.

import { assertOutcome, run, runFixture } from "./program.ts";

for (const how of ["before", "after", "onerror", "node"]) {
  Deno.test(`an error whose default is prevented runs no handler: listener ${how}`, async () => {
    assertOutcome(await runFixture("handles_error", { args: [how] }), {
      lines: [how === "node" ? "seen 1 boom" : "seen 1", "alive", "handler"],
      code: 0,
      stderr: "",
    });
  });
}

for (const how of ["before", "after", "onunhandledrejection", "node", "nodeException"]) {
  Deno.test(`a rejection whose default is prevented runs no handler: listener ${how}`, async () => {
    assertOutcome(await runFixture("handles_rejection", { args: [how] }), {
      lines: [how.startsWith("node") ? "seen 1 boom" : "seen 1", "alive", "handler"],
      code: 0,
      stderr: "",
    });
  });
}

Deno.test("a rejection that nobody handles runs the handlers where there is no process", async () => {
  const outcome = await run(`
    import { register } from "@atexit/atexit";
    register(() => console.log("handler", Deno.exitCode));
    delete globalThis.process;
    Promise.reject(new Error("boom"));
  `);
  assertOutcome(outcome, { lines: ["handler 1"], code: 1 });
});

Deno.test("every listener sees each event exactly once", async () => {
  const program = `
    addEventListener("error", (event) => console.log("error before", event.error));
    addEventListener("unhandledrejection", (event) => console.log("rejection before", event.reason));
    const { register } = await import("@atexit/atexit");
    register(() => console.log("handler"));
    addEventListener("error", (event) => console.log("error after", event.error));
    addEventListener("unhandledrejection", (event) => console.log("rejection after", event.reason));
  `;
  assertOutcome(await run(`${program} setTimeout(() => { throw "boom"; });`), {
    lines: ["error before boom", "error after boom", "handler"],
    code: 1,
  });
  assertOutcome(await run(`${program} Promise.reject("boom");`), {
    lines: ["rejection before boom", "rejection after boom", "handler"],
    code: 1,
  });
});
