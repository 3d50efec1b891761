// The run on Deno alone: what its own events and exits do to it. The rest is in portable_test.ts.

import { assertOutcome, run, runFixture } from "./program.ts";

/** Two ends where no handler waits, with their status, as the last statement of a program. */
const ends: [string, number][] = [["", 0], ["Deno.exit(3);", 3]];

for (const how of ["dry", "exit"]) {
  Deno.test(`an exception does not stop the run, and the last one is raised again: ${how}`, async () => {
    assertOutcome(await runFixture("handler_throws", { args: [how] }), {
      // Raised last, so no other listener of `unload` is lost.
      lines: ["last", "unload", "error event: Uncaught TypeError: second error"],
      code: 1,
      counts: {
        "Exception in atexit handler": 2,
        "error: Uncaught TypeError: second error": 1,
        "Uncaught Error: first error": 0,
      },
    });
  });

  Deno.test(`an error listener that prevents the default keeps the program's own status: ${how}`, async () => {
    const outcome = await run(`
      import { register } from "@atexit/atexit";
      register(() => { throw new Error("bad"); });
      addEventListener("error", (event) => {
        console.log("prevented", event.error.message);
        event.preventDefault();
      });
      ${how === "exit" ? "Deno.exit(7);" : "Deno.exitCode = 6;"}
    `);
    assertOutcome(outcome, {
      lines: ["prevented bad"],
      code: how === "exit" ? 7 : 6,
      counts: { "Exception in atexit handler": 1, "Uncaught": 0 },
    });
  });
}

Deno.test("SystemExit, Deno.exit(n) and process.exit(n) in a handler stop that handler and set the code", async () => {
  for (const [end, code] of ends) {
    const outcome = await run(`
      import process from "node:process";
      import { register, SystemExit } from "@atexit/atexit";
      register(() => console.log("last", Deno.exitCode));
      register(() => { console.log("c", Deno.exitCode); throw new SystemExit(5); });
      register(() => { console.log("b", Deno.exitCode); process.exit(4); });
      register(() => { console.log("a", Deno.exitCode); Deno.exit(3); console.log("not reached"); });
      ${end}
    `);
    assertOutcome(outcome, { lines: [`a ${code}`, "b 3", "c 4", "last 5"], code: 5, stderr: "" });
  }
});

Deno.test("handlers, results and arguments with hostile getters do not break the run", async () => {
  assertOutcome(await runFixture("hostile_handlers"), {
    lines: ["argument true", "last"],
    code: 1,
    counts: { "Exception in atexit handler (anonymous)": 2 },
  });
});

Deno.test("register() runs the handler at once when the run is over", async () => {
  for (const [end, code] of ends) {
    const outcome = await run(`
      import { register } from "@atexit/atexit";
      register(() => console.log("handler"));
      addEventListener("unload", () => {
        console.log("unload begins");
        register((text) => console.log(text), "late");
        register(() => { console.log("outer"); register(() => console.log("nested")); });
        console.log("unload ends");
      });
      process.on("exit", () => register(() => console.log("latest")));
      ${end}
    `);
    const late = ["late", "outer", "nested"];
    // The process has no `exit` event at `Deno.exit()`.
    const latest = end === "" ? ["latest"] : [];
    assertOutcome(outcome, {
      lines: ["handler", "unload begins", ...late, "unload ends", ...latest],
      code,
    });
  }
});

Deno.test("what a late handler raises is reported and raised, and loses no other listener", async () => {
  for (const [end] of ends) {
    const outcome = await run(`
      import { register } from "@atexit/atexit";
      addEventListener("unload", () => {
        register(function late() { throw new Error("late"); });
        console.log("registered");
      });
      addEventListener("unload", () => console.log("other listener"));
      ${end}
    `);
    assertOutcome(outcome, {
      lines: ["registered", "other listener"],
      code: 1,
      counts: { "Exception in atexit handler late:": 1, "error: Uncaught Error: late": 1 },
    });
  }
});

Deno.test("Deno.exit() in an unload listener loses no handler", async () => {
  for (const [end] of ends) {
    // By itself a second exit loses the listeners that follow.
    const outcome = await run(`
      addEventListener("unload", () => {
        console.log("early listener");
        Deno.exit(5);
      });
      const { register } = await import("@atexit/atexit");
      register(() => console.log("handler"));
      ${end}
    `);
    assertOutcome(outcome, { lines: ["handler", "early listener"], code: 5 });
  }
});

Deno.test("if the exit turns out not to happen, later handlers run at the next end: unload by hand", async () => {
  const failing: [string, number] = [
    'register(() => { throw new Error("bad"); }); Deno.exit(3);',
    1,
  ];
  for (const [end, code] of [...ends, failing]) {
    const outcome = await run(`
      import { register } from "@atexit/atexit";
      register(() => console.log("handler 1"));
      dispatchEvent(new Event("unload")); // What the test of a library may do.
      register(() => console.log("handler 2"));
      console.log("still here");
      ${end}
    `);
    assertOutcome(outcome, { lines: ["handler 1", "still here", "handler 2"], code });
  }
});

Deno.test("if the exit turns out not to happen, later handlers run at the next end: a stub", async () => {
  // Tests do this, before the module is loaded or after it.
  const stubbed = (before: string, after: string) => `
    const { exit } = Deno;
    const stub = () => Deno.exit = (code) => console.log("stub", code);
    ${before}
    const { register } = await import("@atexit/atexit");
    register(() => console.log("handler 1"));
    const ours = Deno.exit;
    ${after}
    Deno.exit(7);
    Deno.exit = ${before ? "exit" : "ours"};
    Deno.exitCode = 0;
    register(() => console.log("handler 2"));
    console.log("still here");
  `;
  assertOutcome(await run(stubbed("stub();", "")), {
    lines: ["handler 1", "stub 7", "still here", "handler 2"],
    code: 0,
  });
  assertOutcome(await run(stubbed("", "stub();")), {
    lines: ["stub 7", "still here", "handler 2", "handler 1"],
    code: 0,
  });
});

Deno.test("if the exit turns out not to happen, the exit code and later exits are as before", async () => {
  const outcome = await run(`
    const { exit } = Deno;
    Deno.exit = (code) => console.log("stub", code);
    const { register } = await import("@atexit/atexit");
    const ours = Deno.exit;
    for (const code of [7, 8]) {
      register(() => { throw new Error("bad"); });
      Deno.exit(code);
      console.log("alive", Deno.exitCode);
    }
    console.log(ours !== exit);
  `);
  assertOutcome(outcome, {
    lines: ["stub 7", "alive 0", "stub 8", "alive 0", "true"],
    code: 0,
    counts: { "Exception in atexit handler": 2 },
  });
});

Deno.test("if the exit turns out not to happen, later handlers run at the next end: deno test", async () => {
  assertOutcome(await runFixture("refused_exit", { command: ["test"] }), {
    stdout:
      /handler 1\nrefused\nhandler 2\nrefused again\ntest ends\n[\s\S]*\.\.\. .*ok[\s\S]*handler 3\n/,
    code: 0,
  });
});

Deno.test("dispatchEvent() of what is no uncaught error ends nothing", async () => {
  assertOutcome(await runFixture("dispatches_by_hand"), {
    lines: ["other target", "seen", "TypeError", "alive", "handler"],
    code: 0,
  });
});
