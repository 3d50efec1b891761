// Graceful ends: registerAsync(). What exit() does is in exit_test.ts.

import { assertEquals } from "@std/assert";
import { assertOutcome, Program, run, runFixture, version, writeProgram } from "./program.ts";

/** How most programs begin. The asynchronous handlers wait for a chain of turns of the event loop. */
const fourHandlers = `
  import { exit, register, registerAsync, SystemExit } from "@atexit/atexit";
  const handler = async (name) => {
    console.log(name, "begins", Deno.exitCode);
    await new Promise((resolve) => setTimeout(() => setTimeout(resolve, 5), 5));
    console.log(name, "ends");
  };
  register(() => console.log("sync first"));
  registerAsync(handler, "a");
  register(() => console.log("sync between"));
  registerAsync(handler, "b");
`;

/** What the four handlers print, the asynchronous ones awaited in their turn. */
const inOrder = (code: number) => [
  `b begins ${code}`,
  "b ends",
  "sync between",
  `a begins ${code}`,
  "a ends",
  "sync first",
];

/** What they print where nothing can wait. */
const atOnce = (code: number) => [
  `b begins ${code}`,
  "sync between",
  `a begins ${code}`,
  "sync first",
];

/** Two ends where the handlers are awaited, as the last statement of a program. */
const gracefulEnds = ["", "exit(3);"];

Deno.test("registerAsync() adds handlers that are awaited in order when the program runs dry", async () => {
  const outcome = await run(
    `${fourHandlers} addEventListener("unload", () => console.log("unload"));`,
  );
  assertOutcome(outcome, { lines: [...inOrder(0), "unload"], code: 0, stderr: "" });
  assertOutcome(await run(`${fourHandlers} Deno.exitCode = 3;`), { lines: inOrder(3), code: 3 });
});

Deno.test("no run starts while a beforeunload listener objects, from before the import or after", async () => {
  const objects = (how: string) => `
    addEventListener("beforeunload", (event) => {
      if (${how} === 0) return;
      console.log("${how}", ${how}--);
      event.preventDefault();
    });
  `;
  const rows: [number, number, string[]][] = [
    [2, 1, ["before 2", "after 1", "before 1"]],
    [1, 2, ["before 1", "after 2", "after 1"]],
  ];
  for (const [before, after, lines] of rows) {
    const outcome = await run(
      `import "./before.ts"; ${fourHandlers} let after = ${after}; ${objects("after")}`,
      { files: { "before.ts": `let before = ${before}; ${objects("before")}` } },
    );
    assertOutcome(outcome, { lines: [...lines, ...inOrder(0)], code: 0 });
  }
});

const errors: [string, string, string[]][] = [
  [
    "in a timer",
    `addEventListener("error", (event) => console.log("event", event.error.message));
     setTimeout(() => { throw new Error("boom"); });`,
    ["event boom"],
  ],
  [
    "a rejection",
    `addEventListener("unhandledrejection", (event) => console.log("event", event.reason.message));
     Promise.reject(new Error("boom"));`,
    ["event boom"],
  ],
  ["at the top level", 'throw new Error("boom");', []],
];
for (const [where, end, lines] of errors) {
  Deno.test(`async handlers are awaited before Deno reports the uncaught error: ${where}`, async () => {
    assertOutcome(await run(`${fourHandlers} ${end}`), {
      lines: [...lines, ...inOrder(1)],
      code: 1,
      stderr: /^error: Uncaught (\(in promise\) )?Error: boom\n/,
    });
  });
}

Deno.test("async handlers are awaited at an uncaught SystemExit", async () => {
  const ends = [
    "setTimeout(() => { throw new SystemExit(4); });",
    "Promise.reject(new SystemExit(4));",
  ];
  for (const end of ends) {
    const outcome = await run(`${fourHandlers} ${end} setInterval(() => {}, 1000);`);
    assertOutcome(outcome, { lines: inOrder(4), code: 4, stderr: "" });
  }
});

Deno.test("on an immediate end async handlers are called in their turn, and that is reported", async () => {
  for (const call of ["Deno.exit", "process.exit"]) {
    const file = writeProgram(`${fourHandlers}\n/* here */ ${call}(3);`);
    const line = (await Deno.readTextFile(file)).split("\n").findIndex((text) =>
      text.includes("here")
    );
    const outcome = await new Program(["run", "--no-check", "--no-config", file]).outcome();
    const place = `${file}:${line + 1}:${call === "Deno.exit" ? 17 : 20}`;
    const report = `Cannot await atexit handler handler: ${call}() was called at ${place}. ` +
      "Use exit() from @atexit/atexit instead, which awaits handlers\nPromise { <pending> }\n";
    assertOutcome(outcome, { lines: atOnce(3), code: 3, stderr: report + report });
  }
});

Deno.test("a report that nobody awaits a handler says why", async () => {
  const rows = {
    "close();": "close() was called. Use exit() from @atexit/atexit instead, which awaits handlers",
    'dispatchEvent(new Event("unload"));':
      "the program is unloading, which cannot be delayed. Use register() with a synchronous function instead",
    "const { exit } = Deno; exit(1);": "Deno.exit() was called at ",
  };
  for (const [end, reason] of Object.entries(rows)) {
    const outcome = await run(`
      import { registerAsync } from "@atexit/atexit";
      registerAsync(async function waits() { await new Promise(() => {}); });
      ${end}
    `);
    const counts = { [`Cannot await atexit handler waits: ${reason}`]: 1 };
    assertOutcome(outcome, { counts });
  }
});

Deno.test("a report that nobody awaits a handler shows its rejection", async () => {
  const outcome = await run(`
    import { registerAsync } from "@atexit/atexit";
    registerAsync(async function fails() { throw new Error("at once"); });
    Deno.exit(3);
  `);
  assertOutcome(outcome, {
    code: 3,
    stderr: /^Cannot await atexit handler fails: .*\nPromise {\n {2}<rejected> Error: at once\n/,
    counts: { "Error: at once": 1, "Exception in": 0 },
  });
});

Deno.test("a promise that can never settle is noticed when the loop is dry, and the run goes on", async () => {
  const boom = 'setTimeout(() => { throw new Error("boom"); });';
  for (const end of [...gracefulEnds, boom]) {
    const outcome = await run(`
      import { exit, register, registerAsync } from "@atexit/atexit";
      register(() => console.log("last"));
      registerAsync(async function stuck() { console.log("stuck"); await new Promise(() => {}); });
      registerAsync(async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        console.log("settled");
      });
      ${end}
    `);
    assertOutcome(outcome, {
      lines: ["settled", "stuck", "last"],
      code: 1,
      stderr:
        /^Exception in atexit handler stuck:\n\[Error: .* never settled: the event loop is empty/,
      counts: { "error: Uncaught": 1, "error: Uncaught Error: boom": end === boom ? 1 : 0 },
    });
  }
});

Deno.test("rejections of async handlers are reported, and the last one is raised again", async () => {
  for (const end of gracefulEnds) {
    const outcome = await run(`
      import { exit, register, registerAsync, SystemExit } from "@atexit/atexit";
      const turn = () => Promise.resolve();
      register(() => console.log("last", Deno.exitCode));
      registerAsync(async function rejects() { await turn(); throw new TypeError("second"); });
      registerAsync(async () => { await turn(); throw new SystemExit(5); });
      registerAsync(function throwsAtOnce() { throw new Error("first"); });
      addEventListener("unload", () => console.log("unload"));
      ${end}
    `);
    assertOutcome(outcome, {
      lines: ["last 5", "unload"],
      code: 1,
      counts: {
        "Exception in atexit handler": 2,
        "Exception in atexit handler throwsAtOnce:\nError: first\n": 1,
        "Exception in atexit handler rejects:\nTypeError: second\n": 1,
        "error: Uncaught TypeError: second": 1,
      },
    });
  }
});

Deno.test("hostile promises and thenables do not break a graceful run", async () => {
  assertOutcome(await runFixture("async_hostile"), {
    lines: [6, 5, 4, 3, 2, 1, 0].map((n) => `handler ${n}`).concat("last"),
    code: 1,
    counts: { "Exception in atexit handler": 4 },
  });
});

Deno.test("register() and registerAsync() in an async handler add those that run next, once it has settled", async () => {
  const outcome = await run(`
    import { register, registerAsync, unregister } from "@atexit/atexit";
    const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
    const undone = () => console.log("never");
    register(() => console.log("waiting"));
    registerAsync(async () => {
      register(() => console.log("new sync"));
      await turn();
      registerAsync(async () => { await turn(); console.log("new async"); });
      unregister(undone);
    });
    register(undone);
    unregister(undone);
    register(() => console.log("begin"));
  `);
  assertOutcome(outcome, { lines: ["begin", "new async", "new sync", "waiting"], code: 0 });
});

Deno.test("unregister() by an async handler removes those that wait", async () => {
  const outcome = await run(`
    import { register, registerAsync, unregister } from "@atexit/atexit";
    const undone = async () => { await Promise.resolve(); console.log("never"); };
    registerAsync(undone);
    register(() => console.log("between"));
    registerAsync(undone);
    registerAsync(async () => {
      await Promise.resolve();
      unregister(undone);
    });
  `);
  assertOutcome(outcome, { lines: ["between"], code: 0 });
});

Deno.test("a program without async handlers sees no additional event", async () => {
  const outcome = await run(`
    for (const type of ["load", "beforeunload", "unload"]) {
      addEventListener(type, () => console.log(type));
    }
    const { register } = await import("@atexit/atexit");
    register(() => console.log("handler"));
  `);
  assertOutcome(outcome, { lines: ["load", "beforeunload", "handler", "unload"], code: 0 });
});

Deno.test("in a worker async handlers are awaited where the worker can wait", async () => {
  const main = `
    import { register } from "@atexit/atexit";
    register(() => console.log("main"));
    new Worker(new URL("worker.ts", import.meta.url), { type: "module" });
  `;
  const worker = `
    import { exit, register, registerAsync } from "@atexit/atexit";
    register(() => console.log("worker first"));
    registerAsync(async () => {
      console.log("worker begins");
      await new Promise((resolve) => setTimeout(resolve, 5));
      console.log("worker ends");
    });
  `;
  const outcome = (end: string) =>
    run(main, {
      command: ["run", "--allow-read"],
      files: { "worker.ts": `${worker} ${end}` },
    });
  const awaited = ["worker begins", "worker ends", "worker first", "main"];
  const notAwaited = ["worker begins", "worker first", "main"];
  assertOutcome(await outcome("exit(3);"), { lines: awaited, code: 0, stderr: "" });
  assertOutcome(await outcome('setTimeout(() => { throw new Error("boom"); });'), {
    lines: awaited,
    code: 1,
  });
  assertOutcome(await outcome("self.close();"), {
    lines: notAwaited,
    stderr: /Cannot await atexit handler/,
  });
  assertOutcome(
    await outcome("registerAsync(() => new Promise(() => {})); exit(3, { timeout: 2_000 });"),
    { lines: awaited, stderr: /did not settle within nine tenths of the 2000 ms/ },
  );
});

Deno.test("an error joins a run: it goes on, later errors are reported at once, and the first one is the cause", async () => {
  const outcome = await run(`
    import { register, registerAsync } from "@atexit/atexit";
    const sleep = () => new Promise((resolve) => setTimeout(resolve, 5));
    register(() => console.error("last", Deno.exitCode));
    registerAsync(async () => {
      await sleep();
      console.error("flushed");
    });
    register(() => reportError(new Error("third")));
    registerAsync(async () => {
      Promise.reject(new Error("second"));
      await new Promise((resolve) => addEventListener("unhandledrejection", resolve));
      console.error("awaited");
    });
    Promise.reject(new Error("first"));
  `);
  assertOutcome(outcome, {
    code: 1,
    counts: {
      "Uncaught error:\nError: second\n": 1,
      "Uncaught error:\nError: third\n": 1,
      "error: Uncaught (in promise) Error: first\n": 1,
      "Cannot await": 0,
    },
  });
  assertOutcome(outcome, ({ stderr }) => {
    const said = stderr.match(/second$|awaited|third$|flushed|last 1|first$/gm);
    assertEquals(said, ["second", "awaited", "third", "flushed", "last 1", "first"]);
  });
});

Deno.test("an error that joins a run that nothing has decided is the cause", async () => {
  for (const end of ["exit(3);", ""]) {
    const outcome = await run(`
      import { exit, register, registerAsync } from "@atexit/atexit";
      register(() => console.log("last", Deno.exitCode));
      registerAsync(async () => {
        Promise.reject(new Error("first"));
        await new Promise((resolve) => setTimeout(resolve, 5));
        setTimeout(() => { throw new Error("second"); });
        await new Promise((resolve) => setTimeout(resolve, 5));
        console.log("awaited", Deno.exitCode);
        throw new Error("of the handler");
      });
      ${end}
    `);
    assertOutcome(outcome, {
      lines: ["awaited 1", "last 1"],
      code: 1,
      counts: {
        "Uncaught error:\nError: second\n": 1,
        "Exception in atexit handler (anonymous) ": 1,
        "Error: of the handler\n": 1,
        "error: Uncaught (in promise) Error: first\n": 1,
      },
    });
  }
});

Deno.test("Deno.exit(n) joins an end that an error has decided, and cuts it short after two seconds", async () => {
  const outcome = await run(`
    import { register, registerAsync } from "@atexit/atexit";
    register(function fails() { throw new Error("in the rest"); });
    register(() => console.log("after two seconds", performance.now() - start >= 2_000));
    let start;
    registerAsync(async function stuck() {
      await Promise.resolve();
      setInterval(() => {}, 1_000);
      setTimeout(() => {
        start = performance.now();
        Deno.exit(11);
      });
      await new Promise(() => {});
    });
    Promise.reject(new Error("the end"));
  `);
  assertOutcome(outcome, {
    lines: ["after two seconds true"],
    code: 1,
    counts: {
      "Cannot await atexit handler stuck: Deno.exit() was called at": 1,
      "Exception in atexit handler fails": 1,
      "error: Uncaught (in promise) Error: the end\n": 1,
    },
  });
});

Deno.test("an error that started a run which deno test cuts short still fails the module", async () => {
  const source = `
    import { registerAsync } from "@atexit/atexit";
    const sleep = () => new Promise((resolve) => setTimeout(resolve, 50));
    registerAsync(sleep);
    registerAsync(sleep);
    Deno.test("rejects", () => { Promise.reject(new Error("boom")); });
  `;
  const outcome = await run(source, { command: ["test"] });
  assertOutcome(outcome, { stdout: /boom/, code: 1 });
});

Deno.test("the end of a deno test module is no dry event loop", async () => {
  const source = `
    import { exit, registerAsync } from "@atexit/atexit";
    registerAsync(() => new Promise((resolve) => setTimeout(resolve, 50)));
    Deno.test("exits", { sanitizeOps: false, sanitizeResources: false }, () => {
      console.log("started");
      try { exit(0); } catch { /* It is caught. */ }
    });
  `;
  const outcome = await run(source, { command: ["test"] });
  assertOutcome(outcome, { stdout: /^started$/m });
  assertOutcome(outcome, ({ stdout, stderr }) => {
    assertEquals((stdout + stderr).includes("never settled"), false);
  });
});

Deno.test("close() in the midst of a run for an uncaught error keeps its status", async () => {
  const outcome = await run(`
    import { register, registerAsync } from "@atexit/atexit";
    register(() => console.log("rest"));
    registerAsync(async () => {
      close();
      await new Promise((resolve) => setTimeout(resolve, 10_000));
    });
    Promise.reject(new Error("boom"));
  `);
  assertOutcome(outcome, {
    lines: ["rest"],
    code: 1,
    stderr: /error: Uncaught Error: boom/,
  });
});

Deno.test("exit(), SystemExit and errors in a beforeunload listener await the handlers", async () => {
  const ends: [string, number][] = [
    ["exit(3);", 3],
    ["throw new SystemExit(3);", 3],
    ['throw new Error("boom");', 1],
  ];
  for (const [end, code] of ends) {
    const outcome = await run(
      `${fourHandlers} addEventListener("beforeunload", () => { ${end} }, { once: true });`,
    );
    assertOutcome(outcome, { lines: inOrder(code), code });
  }
});

Deno.test("an error in a listener that a handler calls does not change a decided status", async () => {
  assertOutcome(await runFixture("listener_throws_in_handler"), {
    lines: ["first", "last"],
    code: 1,
    counts: {
      "Uncaught error:\nError: in listener": 1,
      "error: Uncaught (in promise) Error: boom": 1,
    },
  });
});

Deno.test("a function that is a thenable is awaited too", async () => {
  const outcome = await run(`
    import { register, registerAsync } from "@atexit/atexit";
    register(() => console.log("last"));
    const thenable = () => {};
    thenable.then = (resolve) =>
      setTimeout(() => {
        console.log("settled");
        resolve();
      }, 5);
    registerAsync(() => thenable);
  `);
  assertOutcome(outcome, { lines: ["settled", "last"], code: 0 });
});

/** What settles a promise, and keeps nothing alive. */
const unreferenced: Record<string, string> = {
  "a timer": "Deno.unrefTimer(setTimeout(resolve, 300));",
  "a timer of Node's": "setTimeoutOfNode(resolve, 300).unref();",
  "a worker of Node's": `
    const worker = new Worker(
      "require('node:worker_threads').parentPort.once('message', () => process.exit())",
      { eval: true },
    );
    worker.on("exit", resolve);
    worker.unref();
    worker.postMessage("end");`,
  "a child of Node's": `
    const [command, ...args] = Deno.build.os === "windows"
      ? ["cmd", "/c", "set /p line="]
      : ["sh", "-c", "read line"];
    const child = spawn(command, args, { stdio: ["pipe", "ignore", "ignore"] });
    child.on("close", resolve);
    child.stdin.end();
    child.unref();
    child.stdin.unref?.();`,
};

/** Before 2.7 a worker that keeps nothing alive never tells of its end, with or without the module. */
const settling = Object.entries(unreferenced).filter(([name]) =>
  version >= 207 || name !== "a worker of Node's"
);

for (const [name, settles] of settling) {
  Deno.test(`a handler is awaited whose promise ${name} settles that keeps nothing alive`, async () => {
    for (const end of gracefulEnds) {
      const outcome = await run(
        `
        import { spawn } from "node:child_process";
        import { setTimeout as setTimeoutOfNode } from "node:timers";
        import { Worker } from "node:worker_threads";
        import { exit, register, registerAsync, setGracePeriod } from "@atexit/atexit";
        setGracePeriod(30_000); // A second, which is the default, may be too short under load.
        register(() => console.log("last"));
        registerAsync(async () => {
          await new Promise((resolve) => { ${settles} });
          console.log("awaited");
        });
        ${end}`,
        { command: ["run", "-A"] },
      );
      assertOutcome(outcome, {
        lines: ["awaited", "last"],
        code: end === "" ? 0 : 3,
        stderr: "",
      });
    }
  });
}

Deno.test("an empty event loop is kept turning for a second, and until the limit if there is one", async () => {
  for (const [end, least] of [["exit(3);", 1_000], ["exit(3, { timeout: 1_500 });", 1_350]]) {
    const outcome = await run(`
      import { exit, register, registerAsync } from "@atexit/atexit";
      const start = performance.now();
      register(() => console.log(performance.now() - start >= ${least}));
      registerAsync(() => new Promise(() => {}));
      ${end}
    `);
    assertOutcome(outcome, { lines: ["true"], code: 1, counts: { "Exception in": 1 } });
  }
});
