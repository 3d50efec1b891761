// Console events of Windows on Node.js, Bun and Deno: Ctrl-C, Ctrl-Break, and closing the console.

import { assert } from "@std/assert";
import { onEach, startBy } from "./portable.ts";
import { assertOutcome, type Expected } from "./program.ts";
import { runtimes } from "./runtimes.ts";
import { skipIf } from "./skip.ts";

const ignore = skipIf(Deno.build.os !== "windows", "console events are those of Windows");

/** The events with their numbers, and what programs are told. */
const events = [
  { event: "Ctrl-C", number: 0, signal: "SIGINT", code: 130 },
  { event: "Ctrl-Break", number: 1, signal: "SIGBREAK", code: 149 },
  { event: "closing the console", number: 2, signal: "SIGHUP", code: 129 },
];

/** What programs begin with. It keeps them alive. */
const head = `
  process.on("exit", (code) => console.log("exit", code));
  setInterval(() => {}, 1_000);
`;

const handlers = `
  register(() => console.log("last", code()));
  registerAsync(async () => {
    console.log("flush", code(), why());
    await turn(100);
    console.log("flushed");
  });
`;

/** Runs a program by each runtime, and sends it console events, each when it has said a text. */
async function send(
  program: string,
  sent: [text: string, event: number][],
  expected: Expected,
): Promise<void> {
  await onEach(runtimes, async (runtime) => {
    await using running = await startBy(runtime, { program: head + program });
    for (const [text, event] of sent) {
      await running.says(text);
      sendConsoleEvent(running.pid, event);
    }
    assertOutcome(await running.outcome(), expected);
  });
}

/**
 * Does what Windows does at a console event: it starts a thread in the process, with a function that
 * calls the process's console handlers. `GenerateConsoleCtrlEvent()` would send Ctrl-C to the tests, too.
 */
function sendConsoleEvent(pid: number, event: number): void {
  const library = Deno.dlopen("kernel32.dll", {
    GetModuleHandleA: { parameters: ["buffer"], result: "pointer" },
    GetProcAddress: { parameters: ["pointer", "buffer"], result: "pointer" },
    OpenProcess: { parameters: ["u32", "i32", "u32"], result: "pointer" },
    CreateRemoteThread: {
      parameters: ["pointer", "pointer", "usize", "pointer", "usize", "u32", "pointer"],
      result: "pointer",
    },
    CloseHandle: { parameters: ["pointer"], result: "i32" },
  });
  const kernel = library.symbols;
  const text = (name: string) => new TextEncoder().encode(`${name}\0`);
  const routine = kernel.GetProcAddress(
    kernel.GetModuleHandleA(text("kernelbase.dll")),
    text("CtrlRoutine"),
  );
  assert(routine !== null, "kernelbase.dll has no CtrlRoutine");
  const allAccess = 0x1fffff;
  const process = kernel.OpenProcess(allAccess, 0, pid);
  const thread = kernel.CreateRemoteThread(process, null, 0n, routine, BigInt(event), 0, null);
  assert(thread !== null, "The event cannot be sent");
  kernel.CloseHandle(thread);
  kernel.CloseHandle(process);
  library.close();
}

for (const { event, number, signal, code } of events) {
  Deno.test(`Windows: handlers are awaited at ${event}, a ${signal}`, { ignore }, async () => {
    await send(`${handlers} exitOnSignals(); console.log("ready");`, [["ready", number]], {
      lines: ["ready", `flush ${code} signal ${signal}`, "flushed", `last ${code}`, `exit ${code}`],
      code,
      stderr: "",
    });
  });

  Deno.test(`Windows: the status without handlers is ${code} at ${event}`, { ignore }, async () => {
    await send('exitOnSignals(); console.log("ready");', [["ready", number]], {
      lines: ["ready", `exit ${code}`],
      code,
      stderr: "",
    });
  });
}

const ctrlC = 0;
/** The default action. With which status it ends the program is up to the runtime and the system. */
const ended: Expected = { lines: ["ready"] };

Deno.test("Windows: no handler runs at a console event without exitOnSignals()", {
  ignore,
}, async () => {
  for (const { number } of events) {
    await send(`${handlers} console.log("ready");`, [["ready", number]], ended);
  }
});

Deno.test(
  "Windows: the default action of Ctrl-C is back when exitOnSignals() has been disposed of",
  {
    ignore,
  },
  async () => {
    const disposed = `${handlers} exitOnSignals()[Symbol.dispose](); console.log("ready");`;
    await send(disposed, [["ready", ctrlC]], ended);
  },
);

Deno.test("Windows: a second Ctrl-C ends the program at once, with the status of the first event", {
  ignore,
}, async () => {
  const waits = `
    register(() => console.log("last", code(), why()));
    registerAsync(async function flush() {
      console.log("flush");
      await turn(1_000);
      console.log("still waiting");
      await new Promise(() => {});
    });
    exitOnSignals();
    console.log("ready");`;
  const [, ctrlBreak] = events;
  await send(waits, [["ready", ctrlBreak.number], ["still waiting", ctrlC]], {
    lines: ["ready", "flush", "still waiting", "last 149 signal SIGBREAK", "exit 149"],
    code: 149,
    stderr: /Cannot await atexit handler flush: a second SIGINT arrived/,
  });
});
