// Where exit() is called: the places that only Deno has. The others are in portable_exit_test.ts.

import { assertOutcome, mod, Program, run, version } from "../program.ts";

/** How the programs begin. */
const head = `
  import { exit, exitReason, register, registerAsync } from "@atexit/atexit";
  addEventListener("error", () => console.log("shown to error listeners"));
  addEventListener("unhandledrejection", () => console.log("shown to rejection listeners"));
`;

/** The handlers of a program: of the kind that can be awaited, and of the other one. */
const kinds: Record<string, string> = {
  "a synchronous handler": `
    register(() => console.log("handler", Deno.exitCode, exitReason().kind));`,
  "an asynchronous handler": `
    registerAsync(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      console.log("handler", Deno.exitCode, exitReason().kind);
    });`,
};

/** Programs that end by `exit(3)`, which is written EXIT. */
const places: Record<string, string> = {
  "an event listener": `
    const target = new EventTarget();
    target.addEventListener("event", () => { EXIT });
    target.dispatchEvent(new Event("event"));`,
  "a listener of abort": `
    const controller = new AbortController();
    controller.signal.addEventListener("abort", () => { EXIT });
    controller.abort();`,
  "a beforeunload listener": `addEventListener("beforeunload", () => { EXIT }, { once: true });`,
  "a message of a BroadcastChannel": `
    const [one, other] = [new BroadcastChannel("a"), new BroadcastChannel("a")];
    one.onmessage = () => { EXIT };
    other.postMessage("hello");`,
  "a message of a MessagePort": `
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { EXIT };
    port2.postMessage("hello");`,
  "a listener of a web socket": `
    const server = Deno.serve({ port: 0, onListen() {} }, (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onopen = () => socket.send("hello");
      return response;
    });
    const socket = new WebSocket("ws://localhost:" + server.addr.port);
    socket.onmessage = () => { EXIT };`,
  "a message of a worker": `
    const code = "postMessage('hello'); self.onmessage = () => {};";
    const worker = new Worker("data:text/javascript," + code, { type: "module" });
    worker.onmessage = () => { EXIT };`,
  "a stream": `
    new ReadableStream({ pull() { EXIT } }).getReader().read();`,
  "await using": `
    await using _ = { async [Symbol.asyncDispose]() { await null; console.log("disposed"); } };
    EXIT`,
};

const disposes: Record<string, string[]> = { "await using": ["disposed"] };

for (const [place, program] of Object.entries(places)) {
  Deno.test(`exit() in ${place} ends the program, caught or not`, async () => {
    const exits = ["exit(3);", "try { exit(3, { timeout: 500 }); } catch { /* Caught. */ }"];
    const rows = Object.values(kinds).flatMap((kind) => exits.map((exit) => [kind, exit]));
    await Promise.all(rows.map(async ([kind, exit]) => {
      const outcome = await run(`${head} ${kind} ${program.replace("EXIT", exit)}`, {
        // Before 2.6 it is not stable.
        command: ["run", "--allow-net", "--unstable-broadcast-channel"],
      });
      const lines = [...disposes[place] ?? [], "handler 3 exit"];
      assertOutcome(outcome, { lines, code: 3, stderr: "" });
    }));
  });
}

/** A server whose handler calls `exit()`. */
const server = (exit: string) => `
  const server = Deno.serve({ port: 0, onListen() {} }, () => { ${exit} });
  const { status } = await fetch("http://localhost:" + server.addr.port);
  console.log(status);
  await new Promise((resolve) => setTimeout(resolve, 60_000));`;

Deno.test("exit() in a handler of Deno.serve() is caught by it, and the program ends with the code", async () => {
  await Promise.all(
    Object.values(kinds).map(async (kind) => {
      const outcome = await run(`${head} ${kind} ${server("exit(3, { timeout: 500 });")}`, {
        command: ["run", "--allow-net"],
      });
      assertOutcome(outcome, {
        lines: ["500", "handler 3 exit"],
        code: 3,
        stderr: /SystemExit: The program is ending with exit code 3\. If you catch this/,
      });
    }),
  );
});

Deno.test("exit() that is caught takes effect after five seconds, and a finally that awaits has so long", async () => {
  const program = `${head} ${kinds["an asynchronous handler"]}
    const start = performance.now();
    register(() => console.log("after five seconds", performance.now() - start > 4_900));
    setInterval(() => {}, 1_000);
    const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));
    async function main() {
      try { exit(3); } finally { await wait(1_000); console.log("finally"); }
    }
    try { await main(); } catch { console.log("caught"); }
  `;
  assertOutcome(await run(program), {
    lines: ["finally", "caught", "after five seconds true", "handler 3 exit"],
    code: 3,
    stderr: "",
  });
});

Deno.test("exit() that is caught takes effect at the next exit, error and when nothing is left to do", async () => {
  const rows: [end: string, line: string, code: number][] = [
    ["Deno.exit(1);", "handler 3 exit", 3],
    ["exit(1);", "handler 3 exit", 3],
    ["", "handler 3 exit", 3],
    ['throw new Error("wrapped", { cause: error });', "handler 1 error", 1],
  ];
  for (const [end, line, code] of rows) {
    const outcome = await run(`${head} ${kinds["an asynchronous handler"]}
      try { exit(3); } catch (error) { ${end} }
    `);
    const shown = code === 1 ? ["shown to rejection listeners"] : [];
    assertOutcome(outcome, { lines: [...shown, line], code });
  }
});

Deno.test("exit() in a listener of an error event returns, and the error decides unless it is handled", async () => {
  for (const type of ["error", "unhandledrejection"]) {
    const raise = type === "error" ? 'reportError("boom");' : 'Promise.reject("boom");';
    for (
      const [prevent, line, code] of [["", "handler 1 error", 1], [
        "event.preventDefault();",
        "handler 3 exit",
        3,
      ]] as const
    ) {
      const outcome = await run(`
        import { exit, exitReason, register } from "@atexit/atexit";
        register(() => console.log("handler", Deno.exitCode, exitReason().kind));
        addEventListener("${type}", (event) => { ${prevent} exit(3); console.log("returned"); });
        ${raise}
      `);
      assertOutcome(outcome, { lines: ["returned", line], code });
    }
  }
});

Deno.test("exit() in a web worker ends the worker, caught or not", async () => {
  const main = `
    const worker = new Worker(new URL("worker.ts", import.meta.url), { type: "module" });
    worker.onerror = () => console.log("error");
    worker.onmessage = ({ data }) => console.log(data);`;
  const exits = [
    "exit(3);",
    "try { exit(3, { timeout: 500 }); } catch { /* Caught. */ }",
    "setTimeout(() => exit(3));",
    "Promise.resolve().then(() => exit(3));",
  ];
  const rows = Object.values(kinds).flatMap((kind) => exits.map((exit) => [kind, exit]));
  await Promise.all(rows.map(async ([kind, exit]) => {
    const worker = `${head} ${kind} self.onmessage = () => {}; ${exit}`;
    const outcome = await run(main, {
      command: ["run", "--allow-read"],
      files: { "worker.ts": worker },
    });
    // Before 2.6 the exit code of a worker cannot be set.
    const code = version < 206 ? 0 : 3;
    assertOutcome(outcome, { lines: [`handler ${code} exit`], code: 0, stderr: "" });
  }));
});

Deno.test("under deno test a test of a program that calls exit() loses no test", async () => {
  const outcome = await run(
    `
    import { exit, exitReason, register, registerAsync, SystemExit } from "@atexit/atexit";
    registerAsync(async () => console.log(await Promise.resolve("handler")));
    function main() { exit(2); }
    function assertExits(call) {
      try { call(); } catch (error) {
        if (error instanceof SystemExit && error.code === 2) return;
      }
      throw new Error("It does not exit with 2");
    }
    for (let i = 0; i < 3; i++) {
      Deno.test("exits " + i, async () => {
        assertExits(main);
        await new Promise((resolve) => setTimeout(resolve, 10));
        if (exitReason() !== undefined) throw new Error("The test runner is ending");
      });
    }
    Deno.test("the last one", () => {});
  `,
    { command: ["test"], name: "main_test.ts" },
  );
  assertOutcome(outcome, { code: 0, stdout: /4 passed \| 0 failed/ });
});

Deno.test("under deno test an exit() that nobody catches fails its test, as any error does", async () => {
  const outcome = await run(
    `
    import { exit } from "@atexit/atexit";
    Deno.test("first", () => {});
    Deno.test("exits", () => exit(2));
    Deno.test("last", () => {});
  `,
    { command: ["test"], name: "main_test.ts" },
  );
  assertOutcome(outcome, { code: 1, stdout: /2 passed \| 1 failed/ });
});

Deno.test("under deno bench an exit() that is caught ends nothing", async () => {
  const outcome = await run(
    `
    import { exit } from "@atexit/atexit";
    Deno.bench("exits", { n: 1, warmup: 0 }, () => { try { exit(2); } catch { /* Caught. */ } });
    Deno.bench("last one", { n: 1, warmup: 0 }, () => console.log("reached"));
  `,
    { command: ["bench"], name: "main_bench.ts" },
  );
  assertOutcome(outcome, { code: 0, stdout: /reached/ });
});

Deno.test("in the REPL exit() ends it with the code, and an error ends nothing", async () => {
  const stdin = [
    `const { exit, exitReason, registerAsync } = await import(${JSON.stringify(mod)});`,
    'registerAsync(async () => { await null; console.log("handler", Deno.exitCode); }); 0',
    'throw new Error("boom")',
    '"reason " + exitReason()',
    "exit(3)",
    "await new Promise((resolve) => setTimeout(resolve, 30_000))",
    "",
  ].join("\n");
  await using program = new Program(["repl", "-A"], { stdin });
  assertOutcome(await program.outcome(), {
    code: 3,
    stdout: /Uncaught Error: boom[^]*"reason undefined"[^]*handler 3\n/,
  });
});

Deno.test("in the REPL Deno.exit() calls the handlers, and is no test runner's", async () => {
  const stdin = [
    `const { overrideExit, registerAsync } = await import(${JSON.stringify(mod)});`,
    'registerAsync(async () => { await null; console.log("awaited", Deno.exitCode); }); 0',
    "overrideExit(); 0",
    "Deno.exit(3)",
    "await new Promise((resolve) => setTimeout(resolve, 30_000))",
    "",
  ].join("\n");
  await using program = new Program(["repl", "-A"], { stdin });
  assertOutcome(await program.outcome(), { code: 3, stdout: /awaited 3\n/ });
});
