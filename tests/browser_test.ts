// Places that are neither Deno nor have Node's `process`: Deno without both of them.

import { assertOutcome, mod, run } from "./program.ts";

/** How the programs begin: as in a browser, or where there are no events either. */
const browser = `
  const log = console.log;
  delete globalThis.Deno;
  delete globalThis.process;
  delete globalThis.Buffer;
`;
const edge = `${browser}
  globalThis.addEventListener = undefined;
`;
const imports = `
  const {
    exit, exitOnSignals, exitReason, overrideExit, register, registerAsync, setGracePeriod, unregister,
  } = await import(${JSON.stringify(mod)});
`;
const command = ["run", "--allow-read"];

for (const type of ["pagehide", "unload"]) {
  Deno.test(`in a browser handlers run at ${type}, once, and later ones at the next`, async () => {
    const outcome = await run(
      `${browser} ${imports}
       register((text) => log(text, exitReason().kind), "first");
       registerAsync(async () => log("second"));
       register(() => { throw new Error("bad"); });
       addEventListener("error", (event) => {
         log("error", event.error.message);
         event.preventDefault();
       });
       dispatchEvent(new Event("${type}"));
       log("alive", exitReason());
       register(() => log("third"));
       dispatchEvent(new Event("${type}"));`,
      { command },
    );
    assertOutcome(outcome, {
      lines: ["second", "first unload", "error bad", "alive undefined", "third"],
      code: 0,
      counts: { "Exception in atexit handler": 1, "Cannot await atexit handler": 1 },
    });
  });
}

Deno.test("in a browser there are no signals, and everything else can be called", async () => {
  const outcome = await run(
    `${browser} ${imports}
     const stop = exitOnSignals();
     overrideExit({ timeout: 1 });
     setGracePeriod(1);
     const handler = register(() => log("never"));
     unregister(handler);
     try { exitOnSignals({ signals: ["SIGINT"] }); } catch (error) { log(error.message); }
     log(typeof stop, exitReason());`,
    { command },
  );
  assertOutcome(outcome, {
    lines: [
      'Cannot exit on signals: expected a signal that can be listened to here, such as "SIGINT", received "SIGINT"',
      "object undefined",
    ],
    code: 0,
    stderr: "",
  });
});

Deno.test("where there are no events the module loads, and does nothing", async () => {
  const outcome = await run(
    `${edge} ${imports}
     register(() => log("handler"));
     registerAsync(async () => log("handler"));
     log("loaded", exitReason());`,
    { command },
  );
  assertOutcome(outcome, { lines: ["loaded undefined"], code: 0, stderr: "" });
});
