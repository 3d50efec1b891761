// The program's own listeners: who is asked when, and what they may do.

import { assertEquals } from "@std/assert";
import { assertOutcome, run, start, version } from "./program.ts";
import { withoutSignals } from "./skip.ts";

const ignore = withoutSignals();

Deno.test("registerAsync() in a beforeunload listener is awaited, and the program ends", async () => {
  const outcome = await run(`
    import { registerAsync } from "@atexit/atexit";
    addEventListener("beforeunload", () => {
      console.log("beforeunload");
      registerAsync(async () => console.log(await Promise.resolve("handler")));
    });`);
  assertOutcome(outcome, { lines: ["beforeunload", "handler"], code: 0, stderr: "" });
});

Deno.test("beforeunload and beforeExit listeners are asked once, and their work is done before handlers start", async () => {
  const outcome = await run(`
    import process from "node:process";
    import { registerAsync } from "@atexit/atexit";
    addEventListener("beforeunload", () => console.log("beforeunload"));
    process.once("beforeExit", () => setTimeout(() => console.log("work"), 5));
    process.on("exit", (code) => console.log("exit", code));
    registerAsync(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      console.log("handler");
    });
    addEventListener("unload", () => console.log("unload"));`);
  assertOutcome(outcome, {
    lines: ["beforeunload", "work", "handler", "unload", "exit 0"],
    code: 0,
  });
});

Deno.test("what a beforeunload listener schedules is done before asynchronous handlers start", async () => {
  const outcome = await run(`
    import { registerAsync } from "@atexit/atexit";
    addEventListener("beforeunload", () => setTimeout(() => console.log("work"), 5), { once: true });
    registerAsync(async () => console.log(await Promise.resolve("handler")));`);
  assertOutcome(outcome, { lines: ["work", "handler"], code: 0 });
});

Deno.test("a beforeExit listener that throws ends the program as an uncaught error, after the handlers", async () => {
  const outcome = await run(`
    import process from "node:process";
    import { registerAsync } from "@atexit/atexit";
    process.on("beforeExit", () => { throw new Error("in listener"); });
    registerAsync(async () => console.log(await Promise.resolve("handler")));`);
  assertOutcome(outcome, { lines: ["handler"], code: 1, stderr: /Error: in listener/ });
});

Deno.test("an error event that the program dispatches itself ends nothing", async () => {
  const outcome = await run(`
    import { register } from "@atexit/atexit";
    register(() => console.log("handler"));
    const error = new Error("by hand");
    dispatchEvent(new ErrorEvent("error", { cancelable: true, error, message: "by hand" }));
    console.log("alive");`);
  assertOutcome(outcome, { lines: ["alive", "handler"], code: 0, stderr: "" });
});

Deno.test("register() after beforeunload and unload by hand waits for the end", async () => {
  const outcome = await run(`
    import { register } from "@atexit/atexit";
    register(() => console.log("first"));
    dispatchEvent(new Event("beforeunload", { cancelable: true }));
    dispatchEvent(new Event("unload"));
    register(() => console.log("second"));
    console.log("alive");`);
  assertOutcome(outcome, { lines: ["first", "alive", "second"], code: 0 });
});

Deno.test("unload by hand in a handler breaks nothing", async () => {
  const outcome = await run(`
    import { exit, register } from "@atexit/atexit";
    register(() => console.log("last"));
    register(() => void dispatchEvent(new Event("unload")));
    exit(3);`);
  assertOutcome(outcome, { lines: ["last"], code: 3, stderr: "" });
});

Deno.test({
  name:
    "the program's own signal listener is called, also if it was added later and no handler is awaited",
  ignore,
  async fn() {
    await using program = start(`
      import { exitOnSignals, register } from "@atexit/atexit";
      register(() => console.log("handler"));
      exitOnSignals({ signals: ["SIGTERM"] });
      Deno.addSignalListener("SIGTERM", () => console.log("own listener"));
      setInterval(() => {}, 1_000);
      console.log("ready");`);
    await program.says("ready");
    program.kill("SIGTERM");
    assertOutcome(await program.outcome(), {
      lines: ["ready", "own listener", "handler"],
      code: 143,
    });
  },
});

Deno.test({
  name: "exitOnSignals() of a signal named twice gives it back when disposed of",
  ignore,
  async fn() {
    await using program = start(`
      import { exitOnSignals, register } from "@atexit/atexit";
      register(() => console.log("handler"));
      exitOnSignals({ signals: ["SIGTERM", "SIGTERM"] })[Symbol.dispose]();
      setInterval(() => {}, 1_000);
      console.log("ready");`);
    await program.says("ready");
    program.kill("SIGTERM");
    assertOutcome(await program.outcome(), { lines: ["ready"], signal: "SIGTERM" });
  },
});

Deno.test("close() of the main program loses no unload listener by a handler that fails", async () => {
  const outcome = await run(`
    import { register } from "@atexit/atexit";
    register(() => { throw new Error("bad"); });
    addEventListener("unload", () => register(() => console.log("registered late")));
    addEventListener("unload", () => console.log("unload"));
    close();`);
  assertOutcome(outcome, {
    lines: ["registered late", "unload"],
    code: 1,
    counts: { "Exception in atexit handler": 1, "error: Uncaught Error: bad": 1 },
  });
});

Deno.test("close() of the main program prints an error that waits once", async () => {
  const outcome = await run(`
    import { registerAsync } from "@atexit/atexit";
    registerAsync(() => new Promise((resolve) => setTimeout(resolve, 10_000)));
    setTimeout(() => close(), 5);
    Promise.reject(new Error("boom"));`);
  assertOutcome(outcome, { code: 1, counts: { "Error: boom": 1 } });
});

Deno.test("close() in a handler of a worker that ends by an error leaves the error to the main program", async () => {
  const outcome = await run(
    `const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
     worker.onmessage = ({ data }) => console.log(data);`,
    {
      command: ["run", "--allow-read"],
      files: {
        "worker.ts": `
          import { register } from "@atexit/atexit";
          register(() => console.log("last"));
          register(() => self.close());
          console.log("started");
          setTimeout(() => { throw new Error("boom"); });`,
      },
    },
  );
  assertOutcome(outcome, { lines: ["started", "last"], code: 1, stderr: /Error: boom/ });
});

Deno.test("exit() from a timer prints the error of a handler that never settles", async () => {
  const outcome = await run(`
    import { exit, registerAsync } from "@atexit/atexit";
    registerAsync(() => new Promise(() => {}));
    setTimeout(() => exit(3), 1);`);
  assertOutcome(outcome, {
    code: 1,
    counts: { "Uncaught null": 0, "error: Uncaught Error: The handler's promise never settled": 1 },
  });
});

Deno.test({
  name: "a capture callback of process keeps the program alive",
  ignore: version < 209, // It does not have one.
  async fn() {
    const outcome = await run(`
      import process from "node:process";
      import { register } from "@atexit/atexit";
      register(() => console.log("handler"));
      process.setUncaughtExceptionCaptureCallback((error) => {
        console.log("captured", error.message);
        setTimeout(() => console.log("alive"));
      });
      Promise.reject(new Error("boom"));`);
    assertOutcome(outcome, { lines: ["captured boom", "alive", "handler"], code: 0, stderr: "" });
  },
});

Deno.test("a timeout of more than 2 ** 31 ms is no short one", async () => {
  const outcome = await run(`
    import { exit, registerAsync } from "@atexit/atexit";
    registerAsync(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      console.log("handler");
    });
    exit(3, { timeout: 2 ** 40 });`);
  assertOutcome(outcome, { lines: ["handler"], code: 3, stderr: "" });
});

Deno.test("Deno.exit, dispatchEvent and close look like the native functions", async () => {
  const outcome = await run(
    `const shape = () =>
       [Deno.exit, globalThis.dispatchEvent, globalThis.close].map((func) =>
         JSON.stringify([func.name, func.length, Object.getOwnPropertyNames(func).sort()])).join();
     const native = shape();
     await import("@atexit/atexit");
     console.log(native === shape());`,
    { command: ["run", "--allow-read"] },
  );
  assertOutcome(outcome, { lines: ["true"] });
});

Deno.test("another library may wrap dispatchEvent: handlers are awaited, its wrapper sees one event", async () => {
  for (const when of ["before", "after"]) {
    const wrap = `
      const inner = globalThis.dispatchEvent;
      globalThis.dispatchEvent = function (event) {
        console.log("wrapper", event.type);
        return inner.call(this, event);
      };`;
    const outcome = await run(
      `import ${when === "before" ? `"./wrapper.ts"` : `"data:text/javascript,"`};
       import { registerAsync } from "@atexit/atexit";
       registerAsync(async function slow() {
         await new Promise((resolve) => setTimeout(resolve, 5));
         console.log("awaited");
       });
       ${when === "after" ? wrap : ""}`,
      { files: { "wrapper.ts": wrap } },
    );
    assertOutcome(outcome, ({ lines, code, stderr }) => {
      assertEquals([lines.filter((line) => line === "awaited").length, code, stderr], [1, 0, ""]);
      assertEquals(lines.includes("wrapper load"), true);
    });
  }
});

Deno.test("an unhandledrejection that the program imitates is taken for one, and the registry is usable afterwards", async () => {
  const outcome = await run(`
    import { exitReason, register } from "@atexit/atexit";
    register(() => console.log("first"));
    const promise = Promise.resolve();
    dispatchEvent(
      new PromiseRejectionEvent("unhandledrejection", { promise, reason: 1, cancelable: true }),
    );
    register(() => console.log("second"));
    console.log("alive", exitReason(), Deno.exitCode);`);
  assertOutcome(outcome, { lines: ["first", "alive undefined 0", "second"], code: 0 });
});

Deno.test("the first error ends the program, also if another one comes while it is raised again", async () => {
  const outcome = await run(`
    import { registerAsync } from "@atexit/atexit";
    registerAsync(async () => {
      await undefined;
      queueMicrotask(() => queueMicrotask(() => { throw new Error("second"); }));
    });
    Promise.reject(new Error("first"));`);
  assertOutcome(outcome, {
    code: 1,
    counts: { "Uncaught error:\nError: second": 1, "error: Uncaught (in promise) Error: first": 1 },
  });
});

Deno.test("Deno.exit() in an unload listener does not lose what a handler has raised", async () => {
  const outcome = await run(`
    import { register } from "@atexit/atexit";
    register(() => { throw new Error("bad"); });
    addEventListener("unload", () => Deno.exit(7));
    Deno.exit(0);`);
  assertOutcome(outcome, { code: 1, counts: { "error: Uncaught Error: bad": 1 } });
});

Deno.test("what a handler raises at exit() is not lost if the program has put Deno.exit back", async () => {
  const outcome = await run(
    `const native = Deno.exit;
     const { exit, register } = await import("@atexit/atexit");
     register(() => { throw new Error("bad"); });
     Deno.exit = native;
     exit(0);`,
    { command: ["run", "--allow-read"] },
  );
  assertOutcome(outcome, { code: 1, counts: { "error: Uncaught Error: bad": 1 } });
});

Deno.test("registerAsync() in a beforeExit listener is awaited", async () => {
  const outcome = await run(`
    import process from "node:process";
    import { registerAsync } from "@atexit/atexit";
    process.once("beforeExit", () => {
      registerAsync(async () => console.log(await Promise.resolve("handler")));
    });`);
  assertOutcome(outcome, { lines: ["handler"], code: 0, stderr: "" });
});

Deno.test("a process of the program's own making breaks nothing", async () => {
  for (const end of ["", "exit(3);", "Promise.reject(new Error('boom'));"]) {
    const outcome = await run(
      `globalThis.process = { env: {} };
       const { exit, register, registerAsync } = await import("@atexit/atexit");
       register(() => console.log("last"));
       registerAsync(async () => console.log(await Promise.resolve("handler")));
       ${end}`,
      { command: ["run", "--allow-read"] },
    );
    const code = end === "" ? 0 : end === "exit(3);" ? 3 : 1;
    assertOutcome(outcome, { lines: ["handler", "last"], code, counts: { TypeError: 0 } });
  }
});

Deno.test("a stub of process.reallyExit that refuses an exit leaves everything as it was", async () => {
  // `process.exit()` sets the code itself.
  const ends = [["exit(3);", 0], ["process.exit(3);", 3], ["exitByName(3);", 3]] as const;
  for (const [end, code] of ends) {
    const outcome = await run(`
      import process, { exit as exitByName } from "node:process";
      import { exit, exitReason, register } from "@atexit/atexit";
      const { reallyExit } = process;
      process.reallyExit = (code) => {
        console.log("stub", code);
        setTimeout(() => {
          console.log(Deno.exitCode, exitReason());
          process.reallyExit = reallyExit;
          register(() => console.log("second"));
          console.log("registered");
        });
      };
      register(() => console.log("first"));
      ${end}`);
    const lines = ["first", "stub 3", `${code} undefined`, "registered", "second"];
    assertOutcome(outcome, { lines, code, stderr: "" });
  }
});

Deno.test({
  name: "an exception of the program's own signal listener is not lost",
  ignore,
  async fn() {
    await using program = start(`
      import { exitOnSignals, register } from "@atexit/atexit";
      register(() => console.log("handler"));
      exitOnSignals({ signals: ["SIGTERM"] });
      Deno.addSignalListener("SIGTERM", () => { throw new Error("in listener"); });
      setInterval(() => {}, 1_000);
      console.log("ready");`);
    await program.says("ready");
    program.kill("SIGTERM");
    assertOutcome(await program.outcome(), {
      lines: ["ready", "handler"],
      counts: { "Error: in listener": 1 },
    });
  },
});

Deno.test("exit() with a timeout under deno test fails no test by a handler that is stuck", async () => {
  const outcome = await run(
    `import { exit, registerAsync } from "@atexit/atexit";
     Deno.test("caught", () => {
       registerAsync(() => new Promise(() => {}));
       try { exit(3, { timeout: 500 }); } catch (error) { console.log(error.message); }
     });
     Deno.test("the next one", () => {});`,
    { command: ["test"], name: "main_test.ts" },
  );
  assertOutcome(outcome, { code: 0, stdout: /2 passed/ });
});

Deno.test("a beforeExit listener that throws is called once, also if its error is handled", async () => {
  const outcome = await run(`
    import process from "node:process";
    import { registerAsync } from "@atexit/atexit";
    addEventListener("error", (event) => {
      event.preventDefault();
      setTimeout(() => console.log("handled"), 1);
    });
    process.on("beforeExit", () => { throw new Error("boom"); });
    registerAsync(async () => console.log(await Promise.resolve("handler")));`);
  assertOutcome(outcome, { lines: ["handled", "handler"] });
});

Deno.test("beforeunload by hand has the outcome of its listeners, and is no end", async () => {
  const outcome = await run(`
    import { registerAsync } from "@atexit/atexit";
    registerAsync(async () => console.log(await Promise.resolve("handler")));
    addEventListener("beforeunload", () => console.log("asked"));
    console.log(dispatchEvent(new Event("beforeunload", { cancelable: true })));`);
  assertOutcome(outcome, { lines: ["asked", "true", "asked", "handler"], code: 0 });
});

Deno.test("Deno.exit() is given what the program gives it", async () => {
  for (const code of ["Infinity", "-1", "256.5", "undefined", "'3'"]) {
    const program = (setup: string) => `${setup}\nDeno.exitCode = 4;\nDeno.exit(${code});`;
    const plain = await run(program(""));
    const outcome = await run(
      program('import { register } from "@atexit/atexit"; register(() => {});'),
    );
    assertOutcome(outcome, { code: plain.code });
  }
});

Deno.test("handlers run at a dry end where the type of events is tampered with", async () => {
  const outcome = await run(`
    import { registerAsync } from "@atexit/atexit";
    registerAsync(async () => console.log(await Promise.resolve("handler")));
    Object.defineProperty(Event.prototype, "type", { get: () => "x" });`);
  assertOutcome(outcome, { lines: ["handler"] });
});

Deno.test("Deno.exit(n) ends with n where Object.defineProperty is tampered with", async () => {
  const outcome = await run(`
    import { register } from "@atexit/atexit";
    register(() => console.log("handler"));
    Object.defineProperty = () => { throw new Error("tampered with"); };
    Deno.exit(3);`);
  assertOutcome(outcome, { lines: ["handler"], code: 3, stderr: "" });
});

Deno.test("beforeExit listeners are asked once, whatever they begin", async () => {
  const actions = [
    "clearTimeout(setTimeout(() => {}, 1))",
    "setTimeout(() => {}, 1)",
    "registerAsync(wait)",
  ];
  for (const action of actions) {
    const outcome = await run(`
      import process from "node:process";
      import { registerAsync } from "@atexit/atexit";
      const wait = () => Promise.resolve();
      let times = 0;
      process.on("beforeExit", () => { times++; ${action}; });
      process.on("exit", () => console.log(times));
      registerAsync(wait);`);
    assertOutcome(outcome, { lines: ["1"], code: 0, stderr: "" });
  }
});

Deno.test("Deno.exit() while an error is on its way to be printed reports it", async () => {
  const outcome = await run(`
    import { registerAsync } from "@atexit/atexit";
    registerAsync(async () => {
      await undefined;
      Promise.resolve().then(() => {}).then(() => Deno.exit(0));
    });
    Promise.reject(new Error("boom"));`);
  assertOutcome(outcome, { code: 0, counts: { "Error: boom": 1 } });
});

Deno.test("register() in an exit listener of process runs at once, also if it is the first one", async () => {
  for (const before of ["", "register(() => console.log('before'));"]) {
    const outcome = await run(`
      import process from "node:process";
      import { exitReason, register } from "@atexit/atexit";
      ${before}
      process.on("exit", () => {
        register(() => console.log("late", exitReason().kind));
        console.log("exit");
      });`);
    const lines = ["late finished", "exit"];
    assertOutcome(outcome, { lines: before === "" ? lines : ["before", ...lines], code: 0 });
  }
});

Deno.test("an unhandledRejection listener that is added during the run does not take the cause", async () => {
  const outcome = await run(`
    import process from "node:process";
    import { registerAsync } from "@atexit/atexit";
    registerAsync(async () => {
      await undefined;
      process.on("unhandledRejection", () => console.log("taken"));
    });
    Promise.reject(new Error("boom"));
    setInterval(() => {}, 1_000);`);
  assertOutcome(outcome, { lines: [], code: 1, counts: { "Uncaught Error: boom": 1 } });
});

/** How a program gets to its `unload` listeners, with the reason and the status of it. */
const unloads: { [how: string]: { end: string; reason: string; code: number } } = {
  "a dry event loop": { end: "", reason: "finished", code: 0 },
  "Deno.exit()": { end: "Deno.exit(3);", reason: "exit", code: 3 },
  "close()": { end: "close();", reason: "exit", code: 0 },
  "exit()": { end: "exit(3);", reason: "exit", code: 3 },
  "an uncaught SystemExit": { end: "throw new SystemExit(3);", reason: "exit", code: 3 },
  "unload by hand": { end: 'dispatchEvent(new Event("unload"));', reason: "unload", code: 0 },
};

for (const [how, { end, reason, code }] of Object.entries(unloads)) {
  Deno.test(`the first handler runs that an unload listener registers, at ${how}`, async () => {
    const outcome = await run(`
      import { exit, exitReason, register, SystemExit } from "@atexit/atexit";
      addEventListener("unload", () => {
        console.log("listener");
        register(() => console.log("handler", exitReason()?.kind, Deno.exitCode));
        console.log("registered");
      }, { once: true });
      ${end}
    `);
    const lines = ["listener", `handler ${reason} ${code}`, "registered"];
    assertOutcome(outcome, { lines, code, stderr: "" });
  });
}

for (const [how, { end, reason, code }] of Object.entries(unloads)) {
  Deno.test(`exitReason() tells unload listeners why a program ends without handlers, at ${how}`, async () => {
    const outcome = await run(`
      import { exit, exitReason, SystemExit } from "@atexit/atexit";
      addEventListener("unload", () => console.log(exitReason()?.kind), { once: true });
      ${end}
      console.log(exitReason());
    `);
    const lines = how === "unload by hand" ? [reason, "undefined"] : [reason];
    assertOutcome(outcome, (outcome) => assertEquals(outcome.lines.slice(-lines.length), lines));
    assertOutcome(outcome, { code, stderr: "" });
  });
}

Deno.test("the first handler runs that an exit listener of process registers", async () => {
  const outcome = await run(`
    import process from "node:process";
    import { register } from "@atexit/atexit";
    process.on("exit", () => {
      register(() => console.log("handler"));
      console.log("registered");
    });
  `);
  assertOutcome(outcome, { lines: ["handler", "registered"], code: 0, stderr: "" });
});

Deno.test("a first handler that an unload listener registers raises its failure", async () => {
  const outcome = await run(`
    import { register } from "@atexit/atexit";
    addEventListener("unload", () => {
      register(() => { throw new Error("bad"); });
    });
    addEventListener("unload", () => console.log("other listener"));
  `);
  assertOutcome(outcome, {
    lines: ["other listener"],
    code: 1,
    counts: { "Exception in atexit handler": 1, "Uncaught Error: bad": 1 },
  });
});

Deno.test("unload by hand in an unload listener leaves the end as it was", async () => {
  for (const first of ["", 'register(() => console.log("first"));']) {
    const outcome = await run(`
      import { exitReason, register } from "@atexit/atexit";
      ${first}
      let nested = false;
      addEventListener("unload", () => {
        if (nested) return void register(() => console.log("nested", exitReason()?.kind));
        nested = true;
        dispatchEvent(new Event("unload"));
        register(() => console.log("outer"));
      });
    `);
    const lines = ["nested finished", "outer"];
    assertOutcome(outcome, {
      lines: first === "" ? lines : ["first", ...lines],
      code: 0,
      stderr: "",
    });
  }
});

Deno.test("unload by hand before the first registration starts no run", async () => {
  const unload = 'dispatchEvent(new Event("unload"));';
  for (const [beforeImport, afterImport] of [[unload, ""], ["", unload], [unload, unload]]) {
    const outcome = await run(`
      ${beforeImport}
      const { exitReason, register } = await import("@atexit/atexit");
      ${afterImport}
      console.log(exitReason());
      register(() => console.log("handler"));
      console.log("registered");
    `);
    const lines = ["undefined", "registered", "handler"];
    assertOutcome(outcome, { lines, code: 0, stderr: "" });
  }
});

Deno.test("exit listeners of process are called where another console was put in place", async () => {
  const consoles = [
    "{ log: (text) => native.log(text), error() {} }",
    "Object.assign(Object.create(native), { log: (text) => native.log(text) })",
  ];
  for (const [when, other] of consoles.flatMap((each) => [["before", each], ["after", each]])) {
    const replace = `globalThis.console = ${other};`;
    const outcome = await run(`
      const native = console;
      const { default: process } = await import("node:process");
      ${when === "before" ? replace : ""}
      const { exit, register } = await import("@atexit/atexit");
      ${when === "after" ? replace : ""}
      process.on("exit", (code) => console.log("exit " + code));
      register(() => console.log("handler"));
      exit(3);
    `);
    assertOutcome(outcome, { lines: ["handler", "exit 3"], code: 3, stderr: "" });
  }
});

Deno.test("exit() in an unload listener does what Deno.exit() does there", async () => {
  for (const end of ["Deno.exit(6);", "exit(6);"]) {
    const outcome = await run(`
      import { exit, register } from "@atexit/atexit";
      register(() => console.log("handler"));
      addEventListener("unload", () => { ${end} });
      addEventListener("unload", () => console.log("other listener"));
    `);
    assertOutcome(outcome, { lines: ["handler"], code: 6, stderr: "" });
  }
});

Deno.test("SystemExit in an unload listener of a program without handlers skips no listener", async () => {
  const outcome = await run(`
    import { SystemExit } from "@atexit/atexit";
    addEventListener("unload", () => { throw new SystemExit(6); });
    addEventListener("unload", () => console.log("other listener"));
  `);
  // Before 2.7 Deno ends the program immediately where a listener of `unload` throws.
  const lines = version < 207 ? [] : ["other listener"];
  assertOutcome(outcome, { lines, code: 6, stderr: "" });
});

Deno.test("a signal decides, whatever the first handler raises, that an unload listener registers", async () => {
  if (ignore) return;
  const source = `
    import { exitOnSignals, exitReason, register, SystemExit } from "@atexit/atexit";
    exitOnSignals({ signals: ["SIGTERM"] });
    addEventListener("unload", () => {
      register(() => {
        console.log(exitReason().kind);
        throw new SystemExit(5);
      });
    });
    setTimeout(() => {}, 60_000);
    setTimeout(() => Deno.kill(Deno.pid, "SIGTERM"));
  `;
  const outcome = await run(source, { command: ["run", "--allow-run"] });
  assertOutcome(outcome, { lines: ["signal"], code: 143 });
});

Deno.test("unload by a dispatchEvent that was saved before the import loses no handler", async () => {
  for (const first of ["", 'register(() => console.log("first"));']) {
    const outcome = await run(`
      const saved = globalThis.dispatchEvent;
      const { exitReason, register } = await import("@atexit/atexit");
      ${first}
      saved.call(globalThis, new Event("unload"));
      console.log(exitReason());
      register(() => console.log("second"));
      console.log("registered");
    `);
    const lines = ["undefined", "registered", "second"];
    assertOutcome(outcome, {
      lines: first === "" ? lines : ["first", ...lines],
      code: 0,
      stderr: "",
    });
  }
});

Deno.test("a failure is raised though a later handler dispatches unload", async () => {
  const outcome = await run(`
    import { register } from "@atexit/atexit";
    register(() => { throw new Error("bad"); });
    register(() => dispatchEvent(new Event("unload")));
  `);
  assertOutcome(outcome, { code: 1, counts: { "Exception in atexit handler": 1 } });
});

Deno.test("unload and an exit that were saved before the import lose no handler in between", async () => {
  const outcome = await run(`
    const { dispatchEvent } = globalThis;
    const { exit } = Deno;
    const { register } = await import("@atexit/atexit");
    register(() => console.log("first"));
    dispatchEvent.call(globalThis, new Event("unload"));
    register(() => console.log("second"));
    console.log("registered");
    exit(3);
  `);
  assertOutcome(outcome, { lines: ["first", "registered", "second"], code: 3, stderr: "" });
});

Deno.test("process.emit('exit') by hand runs the handlers, and the registry is usable afterwards", async () => {
  const program = `
    import process from "node:process";
    import { exitReason, register } from "@atexit/atexit";
    register(() => console.log("first"));
    process.emit("exit", 0);
    console.log("alive", exitReason());
    register(() => console.log("second"));
    console.log("registered");
  `;
  const lines = ["alive undefined", "registered", "second", "first"];
  assertOutcome(await run(program), { lines, code: 0, stderr: "" });
  if (version < 207) return; // Nothing tells there that a worker of Node's has nothing left to do.
  const main = `
    import { Worker } from "node:worker_threads";
    new Worker(new URL("worker.ts", import.meta.url));
  `;
  const outcome = await run(main, {
    command: ["run", "--allow-read"],
    files: { "worker.ts": program },
  });
  assertOutcome(outcome, { lines, code: 0, stderr: "" });
});

const stops = 'addEventListener("unload", (event) => event.stopImmediatePropagation());';
for (const when of ["before", "after"]) {
  Deno.test(`stopImmediatePropagation() in an unload listener loses no handler: added ${when} the import`, async () => {
    const ends: [end: string, code: number][] = [
      ["", 0],
      ["close();", 0],
      ["Deno.exit(3);", 3],
      ["exit(3);", 3],
      ["saved(3);", 3],
    ];
    for (const [end, code] of ends) {
      for (const fails of [false, true]) {
        const outcome = await run(`
          const saved = Deno.exit;
          ${when === "before" ? stops : ""}
          const { exit, register } = await import("@atexit/atexit");
          register(() => console.log("last"));
          register(() => { ${fails ? 'throw new Error("bad");' : ""} });
          ${when === "after" ? stops : ""}
          ${end}
        `);
        assertOutcome(outcome, {
          lines: ["last"],
          code: fails ? 1 : code,
          counts: { "error: Uncaught Error: bad": fails ? 1 : 0 },
        });
      }
    }
  });
}

Deno.test("a beforeExit listener that throws loses no synchronous handler", async () => {
  const outcome = await run(`
    import process from "node:process";
    import { register } from "@atexit/atexit";
    register(() => console.log("handler"));
    process.on("beforeExit", () => { throw new Error("in listener"); });
  `);
  // From 2.7 on Deno does not print it, with or without the module.
  const printed = version < 207 ? 1 : 0;
  assertOutcome(outcome, {
    lines: ["handler"],
    code: 1,
    counts: { "Error: in listener": printed, "Uncaught null": 0 },
  });
});

Deno.test("a rejection that a listener of process handles ends nothing, whatever console Deno has", async () => {
  const outcome = await run(
    `
    import process from "node:process";
    import { register } from "@atexit/atexit";
    register(() => Deno.stdout.writeSync(new TextEncoder().encode("handler\\n")));
    process.on("unhandledRejection", () => {
      setTimeout(() => Deno.stdout.writeSync(new TextEncoder().encode("alive\\n")));
    });
    Promise.reject(new Error("boom"));
  `,
    // There is no collector: the endpoint is a port that is closed.
    {
      command: ["run", "--unstable-otel"],
      env: {
        OTEL_DENO: "true",
        OTEL_DENO_CONSOLE: "replace",
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
        OTEL_EXPORTER_OTLP_TIMEOUT: "100",
      },
    },
  );
  assertOutcome(outcome, { lines: ["alive", "handler"], code: 0 });
});

Deno.test("close() after an exit keeps its code", async () => {
  for (const handler of ["register(() => {});", "registerAsync(async () => { await 0; });", ""]) {
    const outcome = await run(`
      import { exit, register, registerAsync } from "@atexit/atexit";
      ${handler}
      register(() => console.log("handler"));
      try { exit(5); } catch { close(); }
      setInterval(() => {}, 1_000);
    `);
    assertOutcome(outcome, { lines: ["handler"], code: 5 });
  }
});

Deno.test({
  name: "a signal decides, whatever code an unload listener sets",
  ignore,
  async fn() {
    for (const command of [["run"], ["run", "--allow-run"]]) {
      await using program = start(
        `
        import { exitOnSignals, register } from "@atexit/atexit";
        exitOnSignals();
        register(() => console.log("handler"));
        addEventListener("unload", () => { console.log("unload"); Deno.exitCode = 9; });
        setInterval(() => {}, 1_000);
        console.log("ready");`,
        { command },
      );
      await program.says("ready");
      program.kill("SIGINT");
      assertOutcome(await program.outcome(), {
        lines: ["ready", "handler", "unload"],
        ...command.length === 1 ? { code: 130 } : { signal: "SIGINT" },
        stderr: "",
      });
    }
  },
});
