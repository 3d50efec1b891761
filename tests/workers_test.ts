// Workers of both kinds: those of the web, and those of node:worker_threads.

import { assertEquals } from "@std/assert";
import { assertOutcome, type Outcome, run, start, version } from "./program.ts";
import { withoutSignals } from "./skip.ts";

const ignore = withoutSignals();

/** How each kind is made, and what is told of its end. */
const mains = {
  web: `
    const newWorker = () => new Worker(new URL("worker.ts", import.meta.url), { type: "module" });
    const onError = (worker, listener) => worker.onerror = (event) => {
      event.preventDefault();
      listener(event.message.replace("Uncaught ", ""));
    };
    const onMessage = (worker, listener) => worker.onmessage = ({ data }) => listener(data);`,
  node: `
    import { Worker } from "node:worker_threads";
    const newWorker = () => new Worker(new URL("worker.ts", import.meta.url));
    const onError = (worker, listener) =>
      worker.on("error", (error) => listener(String(error).replace("Uncaught ", "")));
    const onMessage = (worker, listener) => worker.on("message", listener);`,
};
/** How a worker of each kind talks to who has started it. */
const ports = {
  web: `const post = (data) => postMessage(data); const onMessage = (f) => onmessage = f;`,
  node: `
    import { parentPort } from "node:worker_threads";
    const post = (data) => parentPort.postMessage(data);
    const onMessage = (f) => parentPort.on("message", f);`,
};
type Kind = keyof typeof mains;
// Before 2.7 Deno tells nobody of the end of a worker of Node's.
const kinds: Kind[] = version < 207 ? ["web"] : ["web", "node"];

const main = (kind: Kind) => `
  import { register, registerAsync, exitOnSignals } from "@atexit/atexit";
  ${mains[kind]}
  const worker = newWorker();
  register(() => console.log("main"));
  onError(worker, (message) => console.log("error", message));`;
const shows = 'onMessage(worker, (data) => console.log("message", data));';
const worker = (kind: Kind) => `
  import { exit, exitOnSignals, exitReason, register, registerAsync, SystemExit } from "@atexit/atexit";
  ${ports[kind]}
  register(() => console.log("sync", exitReason().kind));
  registerAsync(async function slow() {
    console.log("begins");
    await new Promise((resolve) => setTimeout(resolve, 10));
    console.log("ends");
  });`;

/** A worker that says when its handlers have run: what is registered first runs last. */
const closing = (kind: Kind) =>
  worker(kind).replace("register(()", 'register(() => post("closed")); register(()');

const stays = "setInterval(() => {}, 1000);";
const command = ["run", "--allow-read", "--allow-env"];

function runWorker(kind: Kind, end: string, more = shows): Promise<Outcome> {
  const files = { "worker.ts": `${worker(kind)}\n${end}` };
  return run(`${main(kind)}\n${more}`, { command, files });
}

const awaited = (reason: string) => ["begins", "ends", `sync ${reason}`];
const atOnce = (reason: string) => ["begins", `sync ${reason}`];

/** How a worker ends, what its handlers print, and what the main program is told. */
const ends: Record<string, [end: string, handlers: string[], told?: string[]]> = {
  "exit()": ["exit(3);", awaited("exit")],
  "exit() in a listener": [`onMessage(() => exit()); post("ready");`, awaited("exit"), [
    "message ready",
  ]],
  "a SystemExit": ["setTimeout(() => { throw new SystemExit(3); });", awaited("exit")],
  "Deno.exit()": ["Deno.exit(3);", atOnce("exit")],
  "self.close()": ["self.close();", atOnce("exit")],
  "an error": ['setTimeout(() => { throw new Error("boom"); });', awaited("error"), [
    "error Error: boom",
  ]],
  "a rejection": ["Promise.reject(4);", awaited("error"), ["error"]],
};

for (const kind of kinds) {
  for (const [name, [end, handlers, told = []]] of Object.entries(ends)) {
    if (kind === "node" && name === "self.close()") continue; // There is none.

    Deno.test(`a worker ends, and only the worker: ${kind}, ${name}`, async () => {
      const outcome = await runWorker(
        kind,
        end,
        `onMessage(worker, (data) => { console.log("message", data); worker.postMessage("end"); });`,
      );
      assertOutcome(outcome, { code: 0 });
      assertOutcome(outcome, ({ lines }) => {
        const of = (pattern: RegExp) => lines.filter((line) => pattern.test(line));
        assertEquals(of(/^(begins|ends|sync)/), handlers);
        const events = of(/^(error|message)/);
        assertEquals(events.length, told.length);
        for (const [i, text] of told.entries()) assertEquals(events[i].startsWith(text), true);
        assertEquals(lines.at(-1), "main");
      });
      const cut = handlers.includes("ends") ? 0 : 1;
      assertOutcome(outcome, { counts: { "Cannot await atexit handler slow": cut } });
    });
  }

  Deno.test(`a signal that a worker covers ends it: ${kind}`, { ignore }, async () => {
    const files = { "worker.ts": `${closing(kind)} exitOnSignals(); ${stays} post("ready");` };
    const listens = `
      Deno.addSignalListener("SIGINT", () => {});
      onMessage(worker, (data) => {
        console.log("message", data);
        if (data === "closed") Deno.exit(5);
      });`;
    await using program = start(`${main(kind)} ${listens}`, { command, files });
    await program.says("message ready");
    program.kill("SIGINT");
    assertOutcome(await program.outcome(), {
      lines: ["message ready", ...awaited("signal"), "message closed", "main"],
      code: 5,
    });
  });

  Deno.test(`terminate() runs no handler of the worker: ${kind}`, async () => {
    const outcome = await runWorker(
      kind,
      `${stays} post("ready");`,
      `onMessage(worker, (data) => { console.log("message", data); worker.terminate(); });`,
    );
    assertOutcome(outcome, { lines: ["message ready", "main"], code: 0, stderr: "" });
  });

  Deno.test(`a main program that ends over a worker runs its own handlers only: ${kind}`, async () => {
    for (const [end, code] of [["Deno.exit(4);", 4], ['throw new Error("boom");', 1]] as const) {
      const outcome = await runWorker(
        kind,
        `${stays} post("ready");`,
        `onMessage(worker, (data) => { console.log("message", data); ${end} });`,
      );
      assertOutcome(outcome, { lines: ["message ready", "main"], code });
    }
  });

  Deno.test(
    `a main program can ask a worker to close, and await its handlers: ${kind}`,
    { ignore },
    async () => {
      const files = { "worker.ts": `${closing(kind)} onMessage(() => exit()); post("ready");` };
      const asks = `
      const closed = Promise.withResolvers();
      onMessage(worker, (data) => {
        console.log("message", data);
        if (data === "closed") closed.resolve();
      });
      registerAsync(async function closeWorker() {
        worker.postMessage("close");
        await closed.promise;
      });
      exitOnSignals();
      setInterval(() => {}, 1000);`;
      await using program = start(`${main(kind)} ${asks}`, { command, files });
      await program.says("message ready");
      program.kill("SIGINT");
      assertOutcome(await program.outcome(), {
        lines: ["message ready", ...awaited("exit"), "message closed", "main"],
        code: 130,
        stderr: "",
      });
    },
  );
}

for (
  const [name, end, stderr] of [
    ["an error", 'setTimeout(() => { throw new Error("boom"); });', /boom/],
    ["a rejection", 'Promise.reject(new Error("boom"));', /boom/],
    [
      "an exception of a handler at close()",
      'register(function bad() { throw new Error("boom"); }); self.close();',
      /^Exception in atexit handler bad:/m,
    ],
  ] as const
) {
  Deno.test(`${name} in a worker that nobody handles ends the main program, too`, async () => {
    const main = `
      import { register } from "@atexit/atexit";
      register(() => console.log("main", Deno.exitCode));
      new Worker(new URL("worker.ts", import.meta.url), { type: "module" });`;
    const worker = `
      import { register } from "@atexit/atexit";
      register(() => console.log("worker"));
      ${end}`;
    const outcome = await run(main, { command, files: { "worker.ts": worker } });
    assertOutcome(outcome, { lines: ["worker", "main 1"], code: 1, stderr });
    assertOutcome(outcome, { counts: { "Unhandled error in child worker": 1 } });
  });
}

Deno.test("a worker in a worker: each runs its own handlers", async () => {
  const inner = `
    import { exit, register, registerAsync } from "@atexit/atexit";
    register(() => postMessage("over"));
    register(() => console.log("inner sync"));
    registerAsync(async () => { await null; console.log("inner async"); });
    await exit();`;
  const outer = `
    import { exit, register } from "@atexit/atexit";
    register(() => postMessage("over"));
    register(() => console.log("outer"));
    const inner = new Worker(new URL("inner.ts", import.meta.url), { type: "module" });
    inner.onmessage = () => exit();`;
  const outcome = await run(`${main("web")} ${shows}`, {
    command,
    files: { "worker.ts": outer, "inner.ts": inner },
  });
  assertOutcome(outcome, {
    lines: ["inner async", "inner sync", "outer", "message over", "main"],
    code: 0,
    stderr: "",
  });
});

Deno.test("a worker of Node's in a worker of Node's: each runs its own handlers", {
  ignore: !kinds.includes("node"),
}, async () => {
  const inner = `${worker("node").replace("begins", "inner begins")} exit(3);`;
  const outer = `
    import process from "node:process";
    ${mains.node}
    import { register } from "@atexit/atexit";
    register(() => console.log("outer"));
    newWorker().on("exit", (code) => { console.log("inner exits", code); process.exit(5); });`
    .replace("worker.ts", "inner.ts");
  const outcome = await run(
    `${main("node")} worker.on("exit", (code) => console.log("outer exits", code));`,
    { command, files: { "worker.ts": outer, "inner.ts": inner } },
  );
  assertOutcome(outcome, {
    lines: [
      ...["inner begins", "ends", "sync exit", "inner exits 3", "outer", "outer exits 5"],
      "main",
    ],
    code: 0,
    stderr: "",
  });
});
