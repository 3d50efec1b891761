// Errors: values of every kind, thrown in places of every kind, alone or several.

import {
  combine,
  type CorpusProgram,
  handled,
  pick,
  type Programs,
  since,
  watched,
} from "./program.ts";

const values: Record<string, string> = {
  "an Error": `new Error("boom")`,
  "a TypeError": `new TypeError("boom")`,
  "an error with a cause": `new Error("outer", { cause: new RangeError("inner") })`,
  "an error that is its own cause":
    `(() => { const e = new Error("x"); e.cause = e; return e; })()`,
  "an AggregateError": `new AggregateError([new Error("a"), "b", null], "many")`,
  "a DOMException": `new DOMException("gone", "AbortError")`,
  "an error of Deno's": `new Deno.errors.NotFound("nowhere")`,
  "an error of a class": `new (class Mine extends Error { name = "Mine"; extra = 1; })("boom")`,
  "an error of two lines": `new Error("one\\ntwo")`,
  "an error without a message": `new Error()`,
  "an error without a stack": `Object.assign(new Error("boom"), { stack: undefined })`,
  "an error whose stack throws":
    `Object.defineProperty(new Error("boom"), "stack", { get() { throw 1; } })`,
  "an error whose message throws":
    `Object.defineProperty(new Error("boom"), "message", { get() { throw 1; } })`,
  "an error whose name is a symbol": `Object.assign(new Error("boom"), { name: Symbol("n") })`,
  "an error with properties": `Object.assign(new Error("boom"), { code: "E", path: [1, 2] })`,
  "a frozen error": `Object.freeze(new Error("boom"))`,
  "what looks like an error": `({ name: "Error", message: "boom", stack: "none" })`,
  "a text": `"boom"`,
  "an empty text": `""`,
  "a text that begins with Uncaught": `"Uncaught (in promise) boom"`,
  "a number": `42`,
  "NaN": `NaN`,
  "minus zero": `-0`,
  "a bigint": `7n`,
  "false": `false`,
  "undefined": `undefined`,
  "null": `null`,
  "a symbol": `Symbol("boom")`,
  "an object": `({ a: 1, b: { c: [2] } })`,
  "an object without a prototype": `Object.create(null)`,
  "an object whose toString throws": `({ toString() { throw new Error("no text"); } })`,
  "an array": `[1, "two", null]`,
  "a function": `function boom() {}`,
  "a class": `class Boom {}`,
  "a date": `new Date(0)`,
  "a rejected promise": `(() => { const p = Promise.reject(1); p.catch(() => {}); return p; })()`,
  "a thenable": `({ then() { console.log("then"); } })`,
  "an event": `new Event("x")`,
  "a proxy": `new Proxy(new Error("boom"), {})`,
  "a proxy whose traps throw":
    `new Proxy({}, { get() { throw 1; }, has() { throw 2; }, getPrototypeOf() { throw 3; } })`,
  "a revoked proxy":
    `(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()`,
};

/** `VALUE` stands for what is thrown. */
const places: Record<string, string> = {
  "at the top level": `throw VALUE;`,
  "at the top level after an await": `await 0; throw VALUE;`,
  "at the top level after a timer": `await new Promise((r) => setTimeout(r, 1)); throw VALUE;`,
  "in a function": `function inner() { throw VALUE; }\nfunction outer() { inner(); }\nouter();`,
  "in a finally": `try { throw 1; } finally { throw VALUE; }`,
  "in a getter": `({ get x() { throw VALUE; } }).x;`,
  "in a generator": `for (const x of (function* () { yield 1; throw VALUE; })()) console.log(x);`,
  "in an async generator":
    `for await (const x of (async function* () { yield 1; throw VALUE; })()) console.log(x);`,
  "in a static method": `class C { static m() { throw VALUE; } }\nC.m();`,
  "in an async function": `(async () => { throw VALUE; })();`,
  "in an async function after an await": `(async () => { await 0; throw VALUE; })();`,
  "in an awaited promise": `await Promise.reject(VALUE);`,
  "in Promise.reject": `Promise.reject(VALUE);`,
  "in a promise's executor": `new Promise(() => { throw VALUE; });`,
  "in Promise.all": `Promise.all([Promise.reject(VALUE), Promise.reject(1)]);`,
  "in Promise.any": `Promise.any([Promise.reject(VALUE), Promise.reject(1)]);`,
  "in then": `Promise.resolve().then(() => { throw VALUE; });`,
  "in a promise's finally": `Promise.resolve().finally(() => { throw VALUE; });`,
  "in a timer": `setTimeout(() => { throw VALUE; });`,
  "in a later timer": `setTimeout(() => { throw VALUE; }, 5);`,
  "in an interval": `setInterval(() => { throw VALUE; }, 1);`,
  "in a nested timer": `setTimeout(() => setTimeout(() => { throw VALUE; }));`,
  "in a rejection of a timer": `setTimeout(() => { Promise.reject(VALUE); });`,
  "in a microtask": `queueMicrotask(() => { throw VALUE; });`,
  "in a microtask of a microtask": `queueMicrotask(() => queueMicrotask(() => { throw VALUE; }));`,
  "in a listener":
    `addEventListener("x", () => { throw VALUE; });\ndispatchEvent(new Event("x"));\nconsole.log("after");`,
  "in a listener of another target":
    `const t = new EventTarget();\nt.addEventListener("x", () => { throw VALUE; });\nt.dispatchEvent(new Event("x"));\nconsole.log("after");`,
  "in a listener of load": `addEventListener("load", () => { throw VALUE; });`,
  "in a listener of beforeunload": `addEventListener("beforeunload", () => { throw VALUE; });`,
  "in a listener of unload": `addEventListener("unload", () => { throw VALUE; });`,
  "in a listener of unload, at Deno.exit":
    `addEventListener("unload", () => { throw VALUE; });\nDeno.exit(3);`,
  "in a listener of abort":
    `const a = new AbortController();\na.signal.addEventListener("abort", () => { throw VALUE; });\na.abort();\nconsole.log("after");`,
  "in a listener of a message":
    `const { port1, port2 } = new MessageChannel();\nport2.onmessage = () => { port2.close(); throw VALUE; };\nport1.postMessage(1);`,
  "in reportError": `reportError(VALUE);\nconsole.log("after");`,
  "in reportError in a timer": `setTimeout(() => { reportError(VALUE); console.log("after"); });`,
  "in a stream's start": `new ReadableStream({ start() { throw VALUE; } });`,
  "in a stream's pull":
    `const s = new ReadableStream({ pull() { throw VALUE; } });\nawait s.getReader().read();`,
  "in a stream's write":
    `const w = new WritableStream({ write() { throw VALUE; } }).getWriter();\nawait w.write(1);`,
  "in a transform":
    `const t = new TransformStream({ transform() { throw VALUE; } });\nt.writable.getWriter().write(1);\nawait t.readable.getReader().read();`,
  "in process.nextTick":
    `import process from "node:process";\nprocess.nextTick(() => { throw VALUE; });`,
  "in setImmediate":
    `import { setImmediate } from "node:timers";\nsetImmediate(() => { throw VALUE; });`,
  "in a timer of Node's":
    `import { setTimeout } from "node:timers";\nsetTimeout(() => { throw VALUE; }, 1);`,
  "in an EventEmitter":
    `import { EventEmitter } from "node:events";\nnew EventEmitter().emit("error", VALUE);`,
  "in a callback of node:fs":
    `import fs from "node:fs";\nfs.stat("/none", () => { throw VALUE; });`,
  "in a listener of beforeExit":
    `import process from "node:process";\nprocess.on("beforeExit", () => { throw VALUE; });`,
  "in a listener of exit":
    `import process from "node:process";\nprocess.on("exit", () => { throw VALUE; });`,
  "in a listener of exit, at process.exit":
    `import process from "node:process";\nprocess.on("exit", () => { throw VALUE; });\nprocess.exit(3);`,
  "in a listener of error":
    `addEventListener("error", () => { throw VALUE; });\nsetTimeout(() => { throw 1; });`,
  "in a listener of unhandledrejection":
    `addEventListener("unhandledrejection", () => { throw VALUE; });\nPromise.reject(1);`,
  "in a listener of uncaughtException":
    `import process from "node:process";\nprocess.on("uncaughtException", () => { throw VALUE; });\nsetTimeout(() => { throw 1; });`,
};

// An interval goes on for ever if its errors are handled, and may fire twice if they are awaited.
const { ["in an interval"]: _, ...ending } = places;

/** Values at which older versions panic, with a message that is never the same. */
const hostile = [
  ...["an error whose stack throws", "an error whose message throws"],
  ...["an error whose name is a symbol", "a proxy whose traps throw", "a revoked proxy"],
];

const main = pick(values, "an Error");

function put(value: string, place: string): string {
  return place.replaceAll("VALUE", () => value);
}

/** Programs that load others. */
const loading: Programs = {
  "a module that throws": {
    source: `import "./other.ts"; console.log("never");`,
    files: { "other.ts": `console.log("other"); throw new Error("boom");` },
  },
  "a module that is imported late and throws": {
    source: `await import("./other.ts");`,
    files: { "other.ts": `throw new Error("boom");` },
  },
  "a module that is imported late, throws and is caught": {
    source: `try { await import("./other.ts"); } catch (e) { console.log(e.message); }`,
    files: { "other.ts": `throw new Error("boom");` },
  },
  "a module that does not parse": {
    source: `import("./other.ts");`,
    files: { "other.ts": `let let = ;` },
  },
  "a module that is not there": `import("./nowhere.ts");`,
  "an export that is not there": {
    source: `import { nothing } from "./other.ts"; console.log(nothing);`,
    files: { "other.ts": `export {};` },
  },
  "a module that never settles": {
    source: `import("./other.ts"); addEventListener("unload", () => console.log("unload"));`,
    files: { "other.ts": `await new Promise(() => {});` },
  },
};

/** Several errors, and what comes of the first. */
const several: Programs = {
  "two timers throw": `setTimeout(() => { throw 1; }); setTimeout(() => { throw 2; });`,
  "two rejections": `Promise.reject(1); Promise.reject(2);`,
  "two rejections, of which the first is handled":
    `addEventListener("unhandledrejection", (e) => { if (e.reason === 1) e.preventDefault(); console.log(e.reason); });
    Promise.reject(1); Promise.reject(2);`,
  "a rejection and a microtask": `Promise.reject(1); queueMicrotask(() => { throw 2; });`,
  "a microtask and a rejection": `queueMicrotask(() => { throw 2; }); Promise.reject(1);`,
  "a rejection and a throw": `Promise.reject(1); throw 2;`,
  "a thousand rejections, handled":
    `let n = 0; addEventListener("unhandledrejection", (e) => { e.preventDefault(); n++; });
    addEventListener("unload", () => console.log(n));
    for (let i = 0; i < 1000; i++) Promise.reject(i);`,
  "the same promise, handled late":
    `const p = Promise.reject(1); addEventListener("rejectionhandled", () => console.log("handled"));
    addEventListener("unhandledrejection", (e) => { e.preventDefault(); console.log("unhandled"); setTimeout(() => p.catch((r) => console.log("caught", r)), 2); });`,
  "a rejection that is caught in a microtask":
    `const p = Promise.reject(1); queueMicrotask(() => p.catch((r) => console.log("caught", r)));`,
  "an error handled by a listener that rejects":
    `addEventListener("error", (e) => { e.preventDefault(); Promise.reject("second"); });
    setTimeout(() => { throw "first"; });`,
  "an error handled by a listener that reports another": `let n = 0;
    addEventListener("error", (e) => { console.log(e.message); if (n++ < 2) { e.preventDefault(); reportError("again " + n); } });
    reportError("first"); console.log("after");`,
  "errors of a hundred timers, handled":
    `let n = 0; addEventListener("error", (e) => { e.preventDefault(); n++; });
    addEventListener("unload", () => console.log(n));
    for (let i = 0; i < 100; i++) setTimeout(() => { throw i; });`,
  "reportError three times": `reportError(1); reportError(2); reportError(3);`,
  "reportError without an argument": `try { reportError(); } catch (e) { console.log(e.message); }`,
  "a stack overflow in a timer, caught by its message":
    `addEventListener("error", (e) => { e.preventDefault(); console.log(e.message); });
    setTimeout(() => { const f = () => f(); f(); });`,
  "a stack overflow that is caught and goes on": `let depth = 0; const f = () => { depth++; f(); };
    try { f(); } catch (e) { console.log(e.message, depth > 1000); } Deno.exit(3);`,
  "an error with a long stack":
    `Error.stackTraceLimit = 50; const f = (n) => { if (n === 0) throw new Error("deep"); f(n - 1); }; setTimeout(() => f(30));`,
  "an error thrown twice":
    `const e = new Error("once"); addEventListener("error", (v) => { v.preventDefault(); console.log(v.error === e); });
    setTimeout(() => { throw e; }); setTimeout(() => { throw e; });`,
  "an error through layers of async functions":
    `async function a() { await 0; throw new Error("deep"); }\nasync function b() { await a(); }\nasync function c() { try { await b(); } finally { console.log("finally"); } }\nc();`,
  "an error beside work that is under way":
    `setTimeout(() => console.log("never"), 300); setTimeout(() => { throw "now"; });`,
  "an error in a callback of forEach": `[1, 2].forEach((n) => { throw n; });`,
  "an error in a comparison": `[3, 1, 2].sort(() => { throw new Error("no order"); });`,
  "an error in JSON.stringify": `JSON.stringify({ toJSON() { throw new Error("no text"); } });`,
  "an error in structuredClone": `structuredClone(() => {});`,
  "an error in a template": "`${{ toString() { throw new Error('no text'); } }}`;",
  "a syntax error of eval": `(0, eval)("let let");`,
  "an error of eval": `(0, eval)("throw new Error('evil')\\n//# sourceURL=evil.js");`,
  "an error of new Function": `new Function("throw new Error('made')")();`,
  "an assertion of Node's": `import assert from "node:assert"; assert.strictEqual(1, 2);`,
  "an undefined name": `nothing.at.all;`,
  "a call of undefined": `const x = {}; x.y();`,
  "a constant that is set": `const x = 1; x = 2;`,
  "a name used too early": `console.log(x); let x = 1;`,
};

const elsewhere: Programs = {
  "a program that does not parse": `console.log(1;`,
  "a program that imports nothing that exists": `import "./nowhere.ts";`,
  "an error in deno eval": {
    source: `setTimeout(() => { throw new Error("boom"); });`,
    how: "eval",
  },
  "a rejection in deno eval": { source: `Promise.reject(new Error("boom"));`, how: "eval" },
  "an error in a script from stdin": {
    source: `setTimeout(() => { throw new Error("boom"); });`,
    how: "stdin",
  },
  "a throw in a script from stdin": { source: `throw new Error("boom");`, how: "stdin" },
};

export const errors: Programs = {
  ...since(208, hostile, {
    ...combine(values, pick(places, "at the top level"), put),
    ...combine(values, pick(places, "in a timer"), put),
    ...combine(values, pick(places, "in Promise.reject"), put),
    ...combine(
      values,
      pick(places, "in reportError"),
      (value, place) => handled + put(value, place),
    ),
  }),
  ...combine(
    pick(values, "undefined"),
    pick(
      places,
      ...["in a listener of load", "in a listener of unload", "in a listener of exit"],
      ...["in a listener of unload, at Deno.exit", "in a listener of exit, at process.exit"],
      ...["in a listener of error", "in a listener of unhandledrejection", "in a transform"],
      ...["in an async function", "in a microtask", "in process.nextTick", "in an EventEmitter"],
    ),
    put,
  ),
  ...combine(main, places, put),
  ...renamed(
    "watched",
    combine(main, ending, (value, place) => watched + put(value, place)),
  ),
  ...renamed(
    "handled",
    combine(main, ending, (value, place) => handled + put(value, place)),
  ),
  ...loading,
  ...several,
  ...elsewhere,
};

function renamed(note: string, programs: Programs): Programs {
  return Object.fromEntries(
    Object.entries(programs).map((
      [name, program],
    ): [string, string | CorpusProgram] => [`${name}, ${note}`, program]),
  );
}
