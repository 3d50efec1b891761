// Ends: every way out of a program, seen by listeners of every kind; and exit codes.

import { combine, pick, type Programs, watched, withFlags } from "./program.ts";

const ends: Record<string, string> = {
  "dry": ``,
  "dry after a timer": `setTimeout(() => console.log("work"), 2);`,
  "dry, with Deno.exitCode": `Deno.exitCode = 5;`,
  "dry, with process.exitCode": `process.exitCode = 4;`,
  "Deno.exit()": `Deno.exit();`,
  "Deno.exit(3)": `Deno.exit(3);`,
  "Deno.exit(3) in a timer": `setTimeout(() => Deno.exit(3), 1);`,
  "process.exit(3)": `process.exit(3);`,
  "process.reallyExit(3)": `process.reallyExit(3);`,
  "close()": `close();\nconsole.log("after close");`,
  "an error in a timer": `setTimeout(() => { throw new Error("boom"); }, 1);`,
  "a rejection": `Promise.reject(new Error("boom"));`,
  "a throw": `throw new Error("boom");`,
  "an await that never settles": `await new Promise(() => {});`,
};

const observers: Record<string, string> = {
  "watched": watched,
  "beforeunload that objects once":
    `let n = 0;\naddEventListener("beforeunload", (e) => { console.log("asked", n); if (n++ < 1) { e.preventDefault(); setTimeout(() => console.log("more"), 1); } });`,
  "onunload": `onunload = (e) => console.log(e.type); onbeforeunload = (e) => console.log(e.type);`,
  "onerror":
    `onerror = (e) => console.log("onerror", typeof e, e.message); onunhandledrejection = (e) => console.log(e.type);`,
  "once and capture":
    `addEventListener("unload", () => console.log("once"), { once: true });\naddEventListener("unload", () => console.log("capture"), { capture: true });\naddEventListener("unload", { handleEvent(e) { console.log("object", this !== globalThis, e.type); } });`,
};

const processEvents = [
  "beforeExit",
  "exit",
  "uncaughtException",
  "uncaughtExceptionMonitor",
  "unhandledRejection",
  "rejectionHandled",
  "warning",
];

/** Listeners of all events of `process`, in one program or each in one of its own. */
const processObservers: Record<string, string> = {
  ...Object.fromEntries(processEvents.map((event) => [`process.on ${event}`, on(event)])),
  "process.on everything": processEvents.map(on).join("\n"),
  "process.once":
    `process.once("exit", (c) => console.log("once", c)); process.once("beforeExit", (c) => console.log("once before", c));`,
  "process.exit in exit":
    `process.on("exit", (c) => { console.log("exit", c); if (c !== 9) process.exit(9); });`,
  "process.exitCode in exit": `process.on("exit", () => { process.exitCode = 8; });`,
};

function on(event: string): string {
  return `process.on("${event}", (...args) => console.log("${event}", args.length, String(args[0]), typeof args[1], process.exitCode, Deno.exitCode));`;
}

/** Exit codes of all kinds. */
const codes = [
  ...["0", "1", "255", "256", "-1", "2 ** 31", "1.5", "NaN", "Infinity", "undefined", "null"],
  ...[`"3"`, `"abc"`, `""`, "true", "7n", "{}", "[]", "Symbol()", "{ valueOf: () => 3 }"],
];

const setters: Record<string, (code: string) => string> = {
  "Deno.exit": (code) => `Deno.exit(${code});`,
  "Deno.exitCode": (code) => `Deno.exitCode = ${code}; console.log(Deno.exitCode);`,
  "process.exit": (code) => `import process from "node:process"; process.exit(${code});`,
  "process.exitCode": (code) =>
    `import process from "node:process"; process.exitCode = ${code}; console.log(process.exitCode, Deno.exitCode);`,
};

const codePrograms: Programs = Object.fromEntries(
  Object.entries(setters).flatMap(([name, setter]) =>
    codes.map((code) => [
      `${name} with ${code}`,
      `addEventListener("unload", () => console.log("unload", Deno.exitCode));\n${setter(code)}`,
    ])
  ),
);

/** `EXIT` stands for the call that ends the program. */
const exitPlaces: Record<string, string> = {
  "in a function": `const f = () => { EXIT; };\nf();\nconsole.log("never");`,
  "in a try":
    `try { EXIT; } catch (e) { console.log("caught", e); } finally { console.log("finally"); }`,
  "in a finally": `try { throw 1; } finally { EXIT; }`,
  "in a catch": `try { throw 1; } catch { EXIT; }`,
  "in an async function": `(async () => { await 0; EXIT; })();\nconsole.log("first");`,
  "in a microtask": `queueMicrotask(() => { EXIT; });\nconsole.log("first");`,
  "in then": `Promise.resolve().then(() => { EXIT; });`,
  "in an interval": `let n = 0; setInterval(() => { if (n++ === 2) EXIT; }, 1);`,
  "in a listener":
    `addEventListener("x", () => { EXIT; });\ndispatchEvent(new Event("x"));\nconsole.log("never");`,
  "in load": `addEventListener("load", () => { EXIT; });`,
  "in beforeunload": `addEventListener("beforeunload", () => { EXIT; });`,
  "in unload":
    `addEventListener("unload", () => { console.log("unload"); EXIT; });\naddEventListener("unload", () => console.log("second"));`,
  "in unload at an exit":
    `addEventListener("unload", () => { console.log("unload"); EXIT; });\naddEventListener("unload", () => console.log("second"));\nDeno.exit(4);`,
  "in error": `addEventListener("error", () => { EXIT; });\nsetTimeout(() => { throw 1; });`,
  "in unhandledrejection":
    `addEventListener("unhandledrejection", () => { EXIT; });\nPromise.reject(1);`,
  "in beforeExit": `process.on("beforeExit", () => { EXIT; });`,
  "in exit": `process.on("exit", () => { EXIT; });`,
  "in uncaughtException":
    `process.on("uncaughtException", () => { EXIT; });\nsetTimeout(() => { throw 1; });`,
  "in nextTick": `process.nextTick(() => { EXIT; });`,
  "in a getter": "({ get x() { EXIT; return 1; } }).x;",
  "in toString": "`${{ toString() { EXIT; return ''; } }}`;",
  "in an abort": `const a = new AbortController(); a.signal.onabort = () => { EXIT; }; a.abort();`,
  "in a stream": `new ReadableStream({ start() { EXIT; } });`,
  "in a generator's return":
    `for (const x of (function* () { try { yield 1; } finally { EXIT; } })()) { console.log(x); break; }`,
  "in a message":
    `const { port1, port2 } = new MessageChannel(); port2.onmessage = () => { EXIT; }; port1.postMessage(1);`,
  "beside pending work":
    `setInterval(() => {}, 1000); fetch("data:,x").then(() => console.log("never")); new Promise(() => {}); EXIT;`,
};

const process = `import process from "node:process";\n`;

/** What listeners of the end do to it. */
const asked: Programs = {
  "beforeunload objects three times":
    `let n = 0; addEventListener("beforeunload", (e) => { console.log("asked", n); if (n++ < 3) { e.preventDefault(); setTimeout(() => console.log("more"), 1); } });`,
  "beforeunload objects by returnValue":
    `let n = 0; addEventListener("beforeunload", (e) => { console.log(n); if (n++ < 1) { e.returnValue = "stay"; setTimeout(() => console.log("more"), 1); } });`,
  "beforeunload objects by its return value":
    `let n = 0; onbeforeunload = () => { console.log(n); if (n++ < 1) { setTimeout(() => console.log("more"), 1); return false; } };`,
  "beforeunload objects without more work":
    `let n = 0; addEventListener("beforeunload", (e) => { console.log(n); if (n++ < 3) e.preventDefault(); });`,
  "beforeunload objects twice in two listeners":
    `let n = 0; for (const i of [1, 2]) addEventListener("beforeunload", (e) => { console.log(i); if (n++ < 4) e.preventDefault(); });`,
  "beforeunload schedules and does not object":
    `let n = 0; addEventListener("beforeunload", () => { console.log("asked"); if (n++ < 1) setTimeout(() => console.log("more"), 1); });`,
  "beforeunload queues a microtask":
    `addEventListener("beforeunload", () => queueMicrotask(() => console.log("microtask"))); addEventListener("unload", () => console.log("unload"));`,
  "unload queues a microtask":
    `addEventListener("unload", () => queueMicrotask(() => console.log("microtask")));`,
  "unload starts a timer":
    `addEventListener("unload", () => { setTimeout(() => console.log("never")); console.log("unload"); });`,
  "unload rejects":
    `addEventListener("unload", () => { Promise.reject("late"); console.log("unload"); });`,
  "unload is async":
    `addEventListener("unload", async () => { console.log(1); await 0; console.log(2); await new Promise((r) => setTimeout(r, 1)); console.log("never"); });`,
  "unload adds a listener":
    `addEventListener("unload", () => { addEventListener("unload", () => console.log("late")); console.log("first"); });`,
  "unload removes a listener":
    `const f = () => console.log("never"); addEventListener("unload", () => removeEventListener("unload", f)); addEventListener("unload", f);`,
  "unload stops the others":
    `addEventListener("unload", (e) => { e.stopImmediatePropagation(); console.log(1); }); addEventListener("unload", () => console.log("never"));`,
  "beforeunload stops the others":
    `addEventListener("beforeunload", (e) => { e.stopImmediatePropagation(); console.log(1); }); addEventListener("beforeunload", (e) => { e.preventDefault(); console.log("never"); });`,
  "unload sets Deno.exitCode": `addEventListener("unload", () => { Deno.exitCode = 6; });`,
  "unload sets Deno.exitCode at an exit":
    `addEventListener("unload", () => { console.log(Deno.exitCode); Deno.exitCode = 6; }); Deno.exit(2);`,
  "unload sets Deno.exitCode at an error":
    `addEventListener("error", () => { Deno.exitCode = 6; }); setTimeout(() => { throw 1; });`,
  "two throwing listeners of unload":
    `for (const i of [1, 2]) addEventListener("unload", () => { throw i; });`,
  "unload throws, and another listener is called":
    `addEventListener("unload", () => { throw 1; }); addEventListener("unload", () => console.log("second"));`,
  "unload throws and error prevents it":
    `addEventListener("error", (e) => { e.preventDefault(); console.log(e.message); }); addEventListener("unload", () => { throw 1; }); addEventListener("unload", () => console.log("second"));`,
  "load throws and error prevents it":
    `addEventListener("error", (e) => { e.preventDefault(); console.log(e.message); }); addEventListener("load", () => { throw 1; });`,
  "error prevents by returning true":
    `onerror = (...args) => { console.log(args.length); return true; }; setTimeout(() => { throw 1; });`,
  "error stops the others":
    `addEventListener("error", (e) => { e.stopImmediatePropagation(); console.log(1); }); addEventListener("error", () => console.log("never")); setTimeout(() => { throw 1; });`,
  "error prevents in a passive listener":
    `addEventListener("error", (e) => { e.preventDefault(); console.log(e.defaultPrevented); }, { passive: true }); setTimeout(() => { throw 1; });`,
  "error prevents once":
    `addEventListener("error", (e) => { e.preventDefault(); console.log(e.error); }, { once: true }); for (const i of [1, 2]) setTimeout(() => { throw i; }, i);`,
  "error with an aborted signal":
    `const a = new AbortController(); addEventListener("error", (e) => e.preventDefault(), { signal: a.signal }); a.abort(); setTimeout(() => { throw 1; });`,
  "unhandledrejection prevents some":
    `addEventListener("unhandledrejection", (e) => { console.log(e.reason); if (e.reason < 3) e.preventDefault(); }); for (const i of [1, 2, 3]) setTimeout(() => Promise.reject(i), i * 5);`,
  "unhandledrejection shows its promise":
    `const p = Promise.reject(1); addEventListener("unhandledrejection", (e) => { e.preventDefault(); console.log(e.promise === p); });`,
  "an error that is saved and thrown again":
    `let saved; addEventListener("error", (e) => { if (!saved) { saved = e.error; e.preventDefault(); setTimeout(() => { throw saved; }); } }); setTimeout(() => { throw new Error("boom"); });`,
  "close() twice": `addEventListener("unload", () => console.log("unload")); close(); close();`,
  "close() and Deno.exit()":
    `addEventListener("unload", () => console.log("unload")); close(); Deno.exit(3);`,
  "close() in unload":
    `addEventListener("unload", () => { console.log("unload"); close(); }); Deno.exit(3);`,
  "close() in a timer":
    `addEventListener("unload", () => console.log("unload", Deno.exitCode)); setTimeout(() => { Deno.exitCode = 4; close(); console.log("after"); }, 1); setInterval(() => {}, 1000);`,
  "close() after an error":
    `addEventListener("unload", () => console.log("unload")); setTimeout(() => { throw 1; }); close();`,
};

const processAsked: Programs = {
  "beforeExit schedules three times":
    `let n = 0; process.on("beforeExit", (c) => { console.log("before", c); if (n++ < 3) setTimeout(() => console.log("more"), 1); });`,
  "beforeExit schedules by setImmediate":
    `import { setImmediate } from "node:timers"; let n = 0; process.on("beforeExit", () => { console.log("before"); if (n++ < 2) setImmediate(() => console.log("more")); });`,
  "beforeExit queues a microtask":
    `process.on("beforeExit", () => queueMicrotask(() => console.log("microtask"))); process.on("exit", () => console.log("exit"));`,
  "beforeExit ticks":
    `process.on("beforeExit", () => process.nextTick(() => console.log("tick"))); process.on("exit", () => console.log("exit"));`,
  "beforeExit is async":
    `let n = 0; process.on("beforeExit", async () => { if (n++ > 0) return; console.log(1); await new Promise((r) => setTimeout(r, 1)); console.log(2); });`,
  "beforeExit and beforeunload":
    `process.on("beforeExit", () => console.log("beforeExit")); addEventListener("beforeunload", () => console.log("beforeunload")); process.on("exit", () => console.log("exit")); addEventListener("unload", () => console.log("unload"));`,
  "beforeExit and an objection":
    `let n = 0; process.on("beforeExit", () => console.log("beforeExit")); addEventListener("beforeunload", (e) => { console.log("beforeunload"); if (n++ < 2) e.preventDefault(); });`,
  "beforeExit sets the code": `process.on("beforeExit", () => { process.exitCode = 7; });`,
  "beforeExit removes itself":
    `let n = 0; const f = () => { console.log("before", n++); process.off("beforeExit", f); setTimeout(() => console.log("more"), 1); }; process.on("beforeExit", f);`,
  "beforeExit throws, and a listener of error goes on each time":
    `addEventListener("error", (e) => { e.preventDefault(); console.log("handled"); setTimeout(() => console.log("goes on"), 1); }); process.on("beforeExit", () => { throw new Error("boom"); });`,
  "beforeExit rejects": `process.on("beforeExit", () => { Promise.reject("late"); });`,
  "exit schedules":
    `process.on("exit", () => { setTimeout(() => console.log("never")); process.nextTick(() => console.log("tick")); queueMicrotask(() => console.log("microtask")); });`,
  "exit listeners in order":
    `process.on("exit", () => console.log(2)); process.prependListener("exit", () => console.log(1)); process.on("exit", () => console.log(3));`,
  "exit listeners, counted":
    `process.on("exit", () => console.log(process.listenerCount("exit"), process.listeners("exit").length)); process.on("exit", () => {});`,
  "exit emitted by hand":
    `process.on("exit", (c) => console.log("exit", c)); process.emit("exit", 5); console.log("after");`,
  "beforeExit emitted by hand":
    `process.on("beforeExit", (c) => console.log("before", c)); process.emit("beforeExit", 5);`,
  "listeners counted at once":
    `console.log(process.eventNames().length, process.listenerCount("exit"), process.listenerCount("beforeExit"));`,
  "removeAllListeners":
    `process.on("exit", () => console.log("never")); process.removeAllListeners("exit"); process.removeAllListeners();`,
  "a listener of exit throws, and another is called":
    `process.on("exit", () => { throw 1; }); process.on("exit", () => console.log("second"));`,
  "uncaughtException goes on":
    `process.on("uncaughtException", (e, origin) => { console.log(e.message, origin); setTimeout(() => console.log("goes on"), 1); }); setTimeout(() => { throw new Error("boom"); });`,
  "uncaughtException of a rejection":
    `process.on("uncaughtException", (e, origin) => console.log(e.message, origin)); Promise.reject(new Error("boom"));`,
  "uncaughtException of a throw":
    `process.on("uncaughtException", (e, origin) => console.log(e.message, origin)); throw new Error("boom");`,
  "unhandledRejection goes on":
    `process.on("unhandledRejection", (r, p) => { console.log(r, p instanceof Promise); setTimeout(() => console.log("goes on"), 1); }); Promise.reject(1);`,
  "rejectionHandled":
    `const p = Promise.reject(1); process.on("rejectionHandled", () => console.log("handled")); process.on("unhandledRejection", () => { console.log("unhandled"); setTimeout(() => p.catch(() => {}), 2); });`,
  "uncaughtException throws":
    `process.on("uncaughtException", () => { throw new TypeError("second"); }); addEventListener("unload", () => console.log("unload")); setTimeout(() => { throw 1; });`,
  "uncaughtException and a listener of error":
    `process.on("uncaughtException", (e) => console.log("process", e)); addEventListener("error", (e) => console.log("error", e.defaultPrevented)); setTimeout(() => { throw 1; });`,
  "uncaughtException, once":
    `process.once("uncaughtException", (e) => console.log("once", e)); setTimeout(() => { throw 1; }, 1); setTimeout(() => { throw 2; }, 10);`,
  "setUncaughtExceptionCaptureCallback":
    `try { process.setUncaughtExceptionCaptureCallback((e) => console.log("captured", e)); setTimeout(() => { throw 1; }); } catch (e) { console.log(e.name); }`,
  "setUncaughtExceptionCaptureCallback and a rejection":
    `try { process.setUncaughtExceptionCaptureCallback((e) => console.log("captured", e)); Promise.reject(1); } catch (e) { console.log(e.name); }`,
  "process.emitWarning":
    `process.on("warning", (w) => console.log(w.name, w.message)); setTimeout(() => process.emitWarning("careful"), 2);`,
  "process.abort is a function":
    `console.log(typeof process.abort, process.exit.length, process.exit.name);`,
  "process.exit replaced":
    `const { exit } = process; process.exit = (c) => { console.log("exiting", c); exit.call(process, c); }; process.exit(3);`,
  "process.reallyExit replaced":
    `const { reallyExit } = process; process.reallyExit = (c) => { console.log("really", c); reallyExit.call(process, c); }; process.on("exit", () => console.log("exit")); process.exit(3);`,
  "Deno.exit called by process.exit":
    `const { exit } = Deno; Deno.exit = (c) => { console.log("Deno.exit", c); exit(c); }; process.exit(3);`,
  "process.exit in unload":
    `addEventListener("unload", () => { console.log("unload"); process.exit(5); }); process.on("exit", (c) => console.log("exit", c));`,
};

/** The same end in other places than a file. */
const elsewhere: Programs = Object.fromEntries(
  (["eval", "stdin"] as const).flatMap((how) => [
    [`dry, ${how}`, { how, source: watched }],
    [`Deno.exit(3), ${how}`, { how, source: `${watched}\nDeno.exit(3);` }],
    [`Deno.exitCode, ${how}`, { how, source: `Deno.exitCode = 6;` }],
    [`beforeunload objects, ${how}`, { how, source: observers["beforeunload that objects once"] }],
  ]),
);

export const endings: Programs = {
  ...combine(
    observers,
    ends,
    (observer, end) => (end.includes("process.") ? process : "") + `${observer}\n${end}`,
  ),
  ...combine(
    processObservers,
    pick(
      ends,
      ...["dry", "dry, with process.exitCode", "Deno.exit(3)", "process.exit(3)"],
      ...["an error in a timer", "a rejection"],
    ),
    (observer, end) => `${process}${observer}\n${end}`,
  ),
  ...combine(
    { "Deno.exit(3)": "Deno.exit(3)" },
    exitPlaces,
    (exit, place) => (place.includes("process.") ? process : "") + place.replaceAll("EXIT", exit),
  ),
  ...combine(
    { "process.exit(3)": "process.exit(3)" },
    exitPlaces,
    (exit, place) => process + place.replaceAll("EXIT", exit),
  ),
  ...codePrograms,
  ...asked,
  ...Object.fromEntries(
    Object.entries(processAsked).map(([name, source]) => [name, process + source]),
  ),
  ...elsewhere,
  ...withFlags(["-A"], { "Deno.exit(3) with all permissions": `Deno.exit(3);` }),
};
