// When a run happens: one test for each way a program can end.

import { assertEquals } from "@std/assert";
import { assertOutcome, fixture, mod, type Outcome, Program, run, version } from "./program.ts";

/** How most programs begin. */
const twoHandlers = `
  import { register, SystemExit } from "@atexit/atexit";
  register(() => console.log("first", Deno.exitCode));
  register(() => console.log("second", Deno.exitCode));
`;

/** What the two handlers print: last registered first, with the exit code. */
const handlers = (code: number) => [`second ${code}`, `first ${code}`];

Deno.test("handlers run when the event loop runs dry", async () => {
  const outcome = await run(`${twoHandlers} setTimeout(() => console.log("work"), 1);`);
  assertOutcome(outcome, { lines: ["work", ...handlers(0)], code: 0, stderr: "" });
});

Deno.test("Deno.exitCode is the status of a program that runs dry", async () => {
  assertOutcome(await run(`${twoHandlers} Deno.exitCode = 3;`), { lines: handlers(3), code: 3 });
});

Deno.test("no handler runs while a beforeunload listener objects", async () => {
  const outcome = await run(`${twoHandlers}
    let objections = 2;
    addEventListener("beforeunload", (event) => {
      console.log("beforeunload", objections);
      if (objections-- > 0) {
        event.preventDefault();
        setTimeout(() => console.log("more work"), 1);
      }
    });
  `);
  assertOutcome(outcome, {
    lines: [
      "beforeunload 2",
      "more work",
      "beforeunload 1",
      "more work",
      "beforeunload 0",
      ...handlers(0),
    ],
  });
});

Deno.test("Deno.exit(n) runs the handlers, and the status is n", async () => {
  const outcome = await run(`${twoHandlers}
    try {
      Deno.exit(3);
    } catch {
      console.log("caught");
    } finally {
      console.log("finally");
    }
  `);
  assertOutcome(outcome, { lines: handlers(3), code: 3, stderr: "" });
});

Deno.test("Deno.exit() without a code ends with Deno.exitCode", async () => {
  const outcome = await run(`${twoHandlers} Deno.exitCode = 4; Deno.exit();`);
  assertOutcome(outcome, { lines: handlers(4), code: 4 });
});

Deno.test("process.exit(n) runs the handlers, and the status is n", async () => {
  for (
    const end of ['import process from "node:process"; process.exit(3);', "process.reallyExit(3);"]
  ) {
    assertOutcome(await run(`${twoHandlers} ${end}`), { lines: handlers(3), code: 3 });
  }
});

Deno.test("Deno.exit runs the handlers though it was saved before the import", async () => {
  const outcome = await run(`
    const saved = Deno.exit;
    const { register } = await import("@atexit/atexit");
    register(() => console.log("handler", Deno.exitCode));
    saved(3);
  `);
  assertOutcome(outcome, { lines: ["handler 3"], code: 3 });
});

Deno.test("close() of the main program runs the handlers", async () => {
  assertOutcome(await run(`${twoHandlers} close();`), { lines: handlers(0), code: 0 });
});

const errors = {
  "in a timer": `setTimeout(() => { throw new Error("boom"); });`,
  "in a listener": `
    addEventListener("ping", () => { throw new Error("boom"); });
    dispatchEvent(new Event("ping"));
    console.log("not reached");
  `,
  "in a microtask": `queueMicrotask(() => { throw new Error("boom"); });`,
  "at the top level": `throw new Error("boom");`,
  "a rejection": `
    Promise.reject(new Error("boom"));
    setTimeout(() => console.log("not reached"), 10_000);
  `,
};
for (const [where, end] of Object.entries(errors)) {
  Deno.test(`an error that nobody handles runs the handlers, and the status is 1: ${where}`, async () => {
    assertOutcome(await run(`${twoHandlers} ${end}`), {
      lines: handlers(1),
      code: 1,
      stderr: /^error: Uncaught (\(in promise\) )?Error: boom\n/,
    });
  });
}

Deno.test("Deno prints the error itself as it would without the module", async () => {
  const end = `import { endWithValue } from "${fixture("end_with_value")}"; endWithValue();`;
  const place = /file:\S+/g; // The only difference.
  for (const how of ["throw", "reject"]) {
    for (const value of ["error", "undefined", "null", "string", "object"]) {
      const plain = await run(end, { args: [how, value] });
      assertOutcome(plain, { code: 1, stderr: /^error: Uncaught / });
      const outcome = await run(`${twoHandlers} ${end}`, { args: [how, value] });
      assertOutcome(outcome, { lines: handlers(1), code: 1 });
      assertOutcome(outcome, ({ stderr }) => {
        assertEquals(stderr.replace(place, ""), plain.stderr.replace(place, ""));
      });
    }
  }
});

Deno.test("SystemExit(n) that nobody catches ends with n, and nothing is printed", async () => {
  const outcome = await run(`${twoHandlers} setTimeout(() => { throw new SystemExit(4); });`);
  assertOutcome(outcome, { lines: handlers(4), code: 4, stderr: "" });
});

Deno.test("SystemExit leaves a program with finally blocks and using disposals", async () => {
  const atTopLevel = await run(`${twoHandlers}
    try {
      throw new SystemExit(4);
    } finally {
      console.log("finally");
    }
  `);
  assertOutcome(atTopLevel, { lines: ["finally", ...handlers(4)], code: 4, stderr: "" });
  const rejected = await run(`${twoHandlers}
    (async () => {
      using _ = { [Symbol.dispose]: () => console.log("disposed") };
      await Promise.resolve();
      throw new SystemExit(4);
    })();
    setInterval(() => {}, 1000);
  `);
  assertOutcome(rejected, { lines: ["disposed", ...handlers(4)], code: 4, stderr: "" });
});

/** What the handlers of a worker and of its main program print. */
const workerLines = ["worker second", "worker first", "main"];

/** Runs a program whose worker has two handlers, and ends in a way. */
function runWorker(end: string, more = ""): Promise<Outcome> {
  const main = `
    import { register } from "@atexit/atexit";
    register(() => console.log("main"));
    const worker = new Worker(new URL("worker.ts", import.meta.url), { type: "module" });
    ${more}
  `;
  const worker = `
    import { register, SystemExit } from "@atexit/atexit";
    register(() => console.log("worker first"));
    register(() => console.log("worker second"));
    ${end}
  `;
  return run(main, { command: ["run", "--allow-read"], files: { "worker.ts": worker } });
}

Deno.test("handlers of a worker run at close(), Deno.exit(n) and SystemExit(n) in the worker", async () => {
  const ends = [
    "self.close();",
    "Deno.exit(3);",
    "setTimeout(() => { throw new SystemExit(4); });",
  ];
  for (const end of ends) {
    assertOutcome(await runWorker(end), { lines: workerLines, code: 0, stderr: "" });
  }
});

Deno.test("handlers of a worker run at an uncaught error, then those of the main program", async () => {
  for (const where of ["in a timer", "a rejection"] as const) {
    assertOutcome(await runWorker(errors[where]), {
      lines: workerLines,
      code: 1,
      stderr: /Unhandled error in child worker/,
    });
  }
});

Deno.test("an error of a worker that the main program handles ends only the worker", async () => {
  const handle = "worker.onerror = (event) => event.preventDefault();";
  const outcome = await runWorker(errors["in a timer"], handle);
  assertOutcome(outcome, { lines: workerLines, code: 0 });
});

Deno.test("what a handler raises at close() of a worker reaches the main program", async () => {
  const outcome = await runWorker(
    `register(function bad() { throw new Error("bad"); }); self.close();`,
  );
  assertOutcome(outcome, {
    lines: workerLines,
    code: 1,
    stderr: /^Exception in atexit handler bad:/m,
  });
});

for (
  const [end, code, reason] of [
    ["", 0, "dry"],
    ["exit(3);", 3, "exit"],
    ["Deno.exit(3);", 3, "exit"],
    ["process.exit(3);", 3, "exit"],
    ["setTimeout(() => { throw new SystemExit(3); });", 3, "exit"],
    ['setTimeout(() => { throw new Error("boom"); });', 1, "error"],
  ] as const
) {
  Deno.test({
    name: `handlers of a node:worker_threads worker run: ${end || "running dry"}`,
    // Before, nobody is told of the worker's end, and the main program may end before it.
    ignore: version < 207,
    async fn() {
      const main = `
        import { Worker } from "node:worker_threads";
        import { register } from "@atexit/atexit";
        register(() => console.log("main"));
        const worker = new Worker(new URL("worker.ts", import.meta.url));
        worker.on("error", () => {});
        worker.on("exit", (code) => console.log("worker exit", code));
      `;
      const worker = `
        import process from "node:process";
        import { exit, exitReason, register, SystemExit } from "@atexit/atexit";
        register(() => console.log("handler", exitReason().kind));
        ${end}
      `;
      const command = ["run", "--allow-read", "--allow-env"];
      assertOutcome(await run(main, { command, files: { "worker.ts": worker } }), {
        lines: [`handler ${reason}`, `worker exit ${code}`, "main"],
        code: 0,
      });
    },
  });
}

Deno.test("handlers run at the end of a deno test and of a deno bench module", async () => {
  const test = await run(`${twoHandlers} Deno.test("passes", () => {});`, { command: ["test"] });
  assertOutcome(test, { stdout: /passes \.\.\. .*ok[\s\S]*second 0\nfirst 0\n/, code: 0 });
  const bench = await run(
    `${twoHandlers} Deno.bench("does nothing", { n: 1, warmup: 0 }, () => {});`,
    { command: ["bench"] },
  );
  // The runner may print its table in between.
  assertOutcome(bench, ({ lines }) => {
    assertEquals(lines.filter((line) => /^(second|first) /.test(line)), handlers(0));
  });
});

Deno.test("handlers run in deno eval and in scripts from stdin", async () => {
  const script = twoHandlers.replace("@atexit/atexit", mod);
  const evaluated = await new Program(["eval", "--no-config", script]).outcome();
  assertOutcome(evaluated, { lines: handlers(0) });
  const flags = ["--no-check", "--no-config"];
  const piped = await new Program(["run", ...flags, "-"], { stdin: script }).outcome();
  assertOutcome(piped, { lines: handlers(0) });
});

Deno.test("handlers run in deno serve", async () => {
  const server = `${twoHandlers} export default { fetch: () => new Response("ok") };`;
  const command = ["serve", "--port", "0", "--host", "127.0.0.1"];
  const exited = await run(`${server} setTimeout(() => Deno.exit(3), 1);`, { command });
  assertOutcome(exited, { stdout: /second 3\nfirst 3\n$/, code: 3 });
  const thrown = await run(`${server} ${errors["in a timer"]}`, { command });
  assertOutcome(thrown, { stdout: /second 1\nfirst 1\n$/, code: 1 });
});
