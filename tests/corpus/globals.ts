// Globals: what reflection shows of those that the module replaces, and programs that replace,
// delete, freeze or count them themselves.

import { combine, type Programs, since } from "./program.ts";

/** Where each replaced function is found, and how it is called. */
const replaced: Record<string, string> = {
  "Deno.exit": `[Deno, "exit"]`,
  "dispatchEvent": `[globalThis, "dispatchEvent"]`,
  "close": `[globalThis, "close"]`,
};

/** What a program can ask of a function. */
const questions: Record<string, string> = {
  "name and length": `console.log(f.name, f.length, typeof f);`,
  "own keys": `console.log(Reflect.ownKeys(f));`,
  "own descriptors": `console.log(Object.getOwnPropertyDescriptors(f));`,
  "its descriptor":
    `const d = Object.getOwnPropertyDescriptor(o, k) ?? Object.getOwnPropertyDescriptor(EventTarget.prototype, k); console.log(Object.keys(d), d.writable, d.enumerable, d.configurable);`,
  "whether it is own": `console.log(Object.hasOwn(o, k), k in o);`,
  "its prototype":
    `console.log(Object.getPrototypeOf(f) === Function.prototype, "prototype" in f, f.prototype);`,
  "as text": `console.log(String(f));`,
  "shown": `console.log(f, [f], { f }); console.log(Deno.inspect(f, { showHidden: true }));`,
  "with new":
    `try { console.log(typeof new f(new Event("x"))); } catch (e) { console.log(e.name, e.message); }`,
  "as a base":
    `try { console.log(typeof class extends f {}); } catch (e) { console.log(e.name, e.message); }`,
  "strict":
    `for (const p of ["caller", "arguments"]) try { console.log(f[p]); } catch (e) { console.log(e.name); }`,
  "extensible":
    `console.log(Object.isExtensible(f), Object.isFrozen(f)); f.extra = 1; console.log(f.extra);`,
  "replaced":
    `let n = 0; o[k] = function (...args) { n++; return f.apply(this, args); }; console.log(o[k] !== f); o[k] = f; console.log(o[k] === f, n);`,
  "deleted":
    `try { console.log(delete o[k], typeof o[k]); } catch (e) { console.log(e.name, e.message); }`,
  "defined anew":
    `Object.defineProperty(o, k, { value: f, writable: false }); try { o[k] = 1; } catch (e) { console.log(e.name); } console.log(typeof o[k]);`,
};

/** Calls of the replaced functions that are unusual. */
const calls: Programs = Object.fromEntries([
  `Deno.exit.call(null, 3)`,
  `Deno.exit.apply(undefined, [3])`,
  `const { exit } = Deno; exit(3)`,
  `Deno.exit(3, 4, 5)`,
  `Reflect.apply(Deno.exit, 7, [3])`,
  `[3].forEach(Deno.exit)`,
  `Promise.resolve(3).then(Deno.exit)`,
  `setTimeout(Deno.exit, 1, 3)`,
  `Deno.exit.bind(Deno, 3)()`,
  `console.log(dispatchEvent(new Event("x")))`,
  `console.log(dispatchEvent(new Event("x", { cancelable: true })))`,
  `dispatchEvent()`,
  `dispatchEvent(null)`,
  `dispatchEvent({ type: "error" })`,
  `dispatchEvent("unload")`,
  `dispatchEvent.call(undefined, new Event("x")); dispatchEvent.call(null, new Event("x"))`,
  `dispatchEvent.call({}, new Event("x"))`,
  `dispatchEvent.call(1, new Event("unload"))`,
  `const t = new EventTarget(); t.addEventListener("error", (e) => console.log(e.target === t)); dispatchEvent.call(t, new ErrorEvent("error", { message: "Uncaught x", cancelable: true }))`,
  `const t = new EventTarget(); t.dispatchEvent = dispatchEvent; t.addEventListener("unload", () => console.log("its")); t.dispatchEvent(new Event("unload"))`,
  `const e = new Event("x"); addEventListener("x", () => { try { dispatchEvent(e); } catch (e) { console.log(e.name, e.message); } }); dispatchEvent(e)`,
  `globalThis.dispatchEvent(new CustomEvent("x", { detail: 1 })); self.dispatchEvent(new Event("y"))`,
  `EventTarget.prototype.dispatchEvent.call(globalThis, new Event("unload")); console.log("after")`,
  `dispatchEvent(new (class extends Event { get type() { console.log("type"); return "error"; } })("x"))`,
  `dispatchEvent(new Proxy(new Event("x"), {}))`,
  `console.log(Reflect.apply(dispatchEvent, globalThis, [new Event("x"), 2, 3]))`,
  `close.call(undefined); console.log("closed")`,
  `const { close } = globalThis; close(1, 2)`,
  `console.log(close === self.close, globalThis === self, typeof window)`,
  `console.log(Object.keys(globalThis).length, Object.keys(Deno).length)`,
  `console.log(Reflect.ownKeys(Deno).map(String).sort().join())`,
  `console.log(Reflect.ownKeys(globalThis).map(String).sort().join())`,
  `for (const key in globalThis) console.log(key)`,
  `console.log(Object.isExtensible(globalThis), Object.prototype.toString.call(globalThis))`,
  `console.log(Object.getOwnPropertySymbols(globalThis).length)`,
  `console.log(Object.getPrototypeOf(globalThis).constructor.name)`,
  `console.log(globalThis)`,
  `console.log(dispatchEvent === EventTarget.prototype.dispatchEvent)`,
  `console.log(Deno.mainModule.split("/").at(-1), import.meta.main, import.meta.url === Deno.mainModule)`,
  `console.log(new Error().stack.split("\\n").length, Error.stackTraceLimit)`,
  `addEventListener("unload", () => console.log(new Error().stack.split("\\n").length))`,
  `addEventListener("x", () => console.log(new Error().stack.split("\\n").length)); dispatchEvent(new Event("x"))`,
  `console.log(Deno.exitCode, Object.getOwnPropertyDescriptor(Deno, "exitCode")?.get?.name)`,
].map((source) => [source, source]));

/** `TYPE` is dispatched by the program itself. */
const byHand: Programs = Object.fromEntries(
  [
    ...["load", "beforeunload", "unload", "error", "unhandledrejection", "rejectionhandled", "x"]
      .map((type) => `new Event("${type}", { cancelable: true })`),
    `new ErrorEvent("error", { message: "boom", error: new Error("boom"), cancelable: true })`,
    `new ErrorEvent("error", { message: "boom" })`,
    `new PromiseRejectionEvent("unhandledrejection", { promise: Promise.resolve(), reason: 1 })`,
    `new CustomEvent("unload", { detail: 1 })`,
    `new CustomEvent("error", { cancelable: true })`,
    `new MessageEvent("message", { data: 1 })`,
  ].flatMap((event) => [
    [
      `${event}, watched`,
      `for (const type of ["load", "beforeunload", "unload", "error", "unhandledrejection", "rejectionhandled", "x", "message"]) addEventListener(type, (e) => { console.log(e.type, e.target === globalThis, e.isTrusted); });
      console.log(dispatchEvent(${event}), "after"); setTimeout(() => console.log("timer", Deno.exitCode));`,
    ],
    [
      `${event}, prevented`,
      `for (const type of ["load", "beforeunload", "unload", "error", "unhandledrejection"]) addEventListener(type, (e) => { e.preventDefault(); console.log(e.type); }, { once: true });
      console.log(dispatchEvent(${event}), "after");`,
    ],
  ]),
);

/** Changes of the globals, and what is left of the ends after them. */
const changes: Record<string, string> = {
  "Deno frozen": `Object.freeze(Deno);`,
  "Deno sealed": `Object.seal(Deno);`,
  "Deno deleted": `delete globalThis.Deno;`,
  "Deno replaced": `globalThis.Deno = { version: "none" };`,
  "globalThis frozen": `try { Object.freeze(globalThis); } catch (e) { console.log(e.message); }`,
  "globalThis not extensible":
    `try { Object.preventExtensions(globalThis); } catch (e) { console.log(e.message); }`,
  "globalThis deleted": `delete globalThis.globalThis;`,
  "Deno.exit deleted": `delete Deno.exit;`,
  "Deno.exit replaced":
    `{ const { exit } = Deno; Deno.exit = (code) => { console.log("exiting", code); return exit(code); }; }`,
  "Deno.exit refused":
    `{ const { exit } = Deno; Deno.exit = (code) => { Deno.exit = exit; throw new Error("refused " + code); }; }`,
  "dispatchEvent replaced":
    `{ const { dispatchEvent } = globalThis; globalThis.dispatchEvent = function (e) { console.log("dispatch", e.type); return dispatchEvent.call(this, e); }; }`,
  "dispatchEvent deleted": `delete globalThis.dispatchEvent;`,
  "dispatchEvent of EventTarget replaced":
    `{ const { dispatchEvent } = EventTarget.prototype; EventTarget.prototype.dispatchEvent = function (e) { console.log("dispatch", e.type); return dispatchEvent.call(this, e); }; }`,
  "addEventListener replaced":
    `globalThis.addEventListener = () => { throw new Error("no listeners"); };`,
  "event classes deleted":
    `for (const name of ["Event", "ErrorEvent", "PromiseRejectionEvent", "EventTarget"]) delete globalThis[name];`,
  "event classes replaced":
    `for (const name of ["Event", "ErrorEvent", "PromiseRejectionEvent"]) globalThis[name] = class {};`,
  "Promise replaced": `globalThis.Promise = class { constructor() { console.log("made"); } };`,
  "Promise.prototype.then counted":
    `{ let n = 0; const { then } = Promise.prototype; Promise.prototype.then = function (...a) { n++; return Reflect.apply(then, this, a); }; addEventListener("unload", () => console.log(n)); }`,
  "Promise.reject replaced": `Promise.reject = () => { console.log("reject"); return 1; };`,
  "Reflect emptied":
    `Reflect.apply = Reflect.construct = Reflect.get = () => { throw new Error("reflect"); };`,
  "Object's functions replaced":
    `for (const n of ["defineProperty", "getOwnPropertyDescriptor", "hasOwn", "assign", "keys", "freeze"]) Object[n] = () => { throw new Error(n); };`,
  "Array.prototype replaced":
    `for (const n of ["push", "pop", "shift", "slice", "splice", "map", "filter", "forEach", "includes", "indexOf", "join"]) Array.prototype[n] = () => { throw new Error(n); };`,
  "Array iteration replaced":
    `Array.prototype[Symbol.iterator] = () => { throw new Error("iterator"); };`,
  "Function.prototype replaced":
    `for (const n of ["call", "apply", "bind", "toString"]) Function.prototype[n] = () => { throw new Error(n); };`,
  "String.prototype replaced":
    `for (const n of ["startsWith", "slice", "indexOf", "replace", "split"]) String.prototype[n] = () => { throw new Error(n); };`,
  "Object.prototype with getters":
    `for (const n of ["func", "args", "error", "code", "signal", "timeout", "cause", "kind", "raise"]) Object.defineProperty(Object.prototype, n, { get() { console.log("got", n); }, set(v) { console.log("set", n); }, configurable: true });`,
  "Object.prototype with a setter for 0":
    `Object.defineProperty(Object.prototype, "0", { set() { console.log("set 0"); }, configurable: true });`,
  "Map and Set replaced":
    `for (const C of [Map, Set, WeakMap]) for (const n of ["get", "set", "has", "delete", "add"]) if (C.prototype[n]) C.prototype[n] = () => { throw new Error(n); };`,
  "queueMicrotask and timers replaced":
    `for (const n of ["queueMicrotask", "clearTimeout", "reportError"]) globalThis[n] = () => { console.log("called", n); };`,
  "performance replaced": `globalThis.performance = undefined; Date.now = () => 0;`,
  "console.error counted":
    `{ const { error } = console; console.error = (...a) => { console.log("error called"); error(...a); }; }`,
  "console emptied": `for (const n of ["log", "error", "warn"]) console[n] = () => {};`,
  "console deleted": `delete globalThis.console;`,
  "Error.prepareStackTrace": `Error.prepareStackTrace = (e, sites) => "prepared " + sites.length;`,
  "Error.stackTraceLimit of 0": `Error.stackTraceLimit = 0;`,
  "Error replaced": `globalThis.Error = class Replaced { constructor(m) { this.message = m; } };`,
  "Symbol.hasInstance of Error":
    `Object.defineProperty(Error, Symbol.hasInstance, { value: () => { console.log("asked"); return true; } });`,
  "Deno.inspect replaced": `Deno.inspect = () => "inspected";`,
  "Deno's listeners replaced":
    `Deno.addSignalListener = Deno.removeSignalListener = () => { throw new Error("signals"); };`,
  "process deleted": `delete globalThis.process;`,
  "process.exit deleted": `delete process.exit; process.reallyExit = undefined;`,
  "process emptied": `process.emit = process.on = process.listenerCount = undefined;`,
  "setTimeout counted":
    `{ let n = 0; const t = setTimeout; globalThis.setTimeout = (...a) => { n++; return t(...a); }; addEventListener("unload", () => console.log("timers", n)); }`,
  "structuredClone, atob and URL deleted":
    `for (const n of ["structuredClone", "atob", "URL", "TextEncoder", "AbortController"]) delete globalThis[n];`,
  "Atomics emptied": `for (const n of ["wait", "waitAsync", "notify"]) delete Atomics[n];`,
  "the key of the module asked for":
    `console.log(Symbol.keyFor(Symbol.for("x")), "@atexit" in globalThis);`,
  "Deno.exitCode defined anew":
    `try { Object.defineProperty(Deno, "exitCode", { value: 5 }); } catch (e) { console.log(e.name); }`,
  "onerror and onunload set":
    `globalThis.onerror = 1; globalThis.onunload = {}; globalThis.onbeforeunload = null;`,
  "Event.prototype changed":
    `Object.defineProperty(Event.prototype, "type", { get() { return "x"; } }); Event.prototype.preventDefault = () => {};`,
  "with a proxy for Deno":
    `globalThis.Deno = new Proxy(Deno, { get(t, k) { return Reflect.get(t, k); } });`,
};

const afterwards: Record<string, string> = {
  "dry": `log("start");`,
  "then Deno.exit": `save.exit?.(3);`,
  "then an error": `timer(() => { throw "boom"; });`,
};

/** What programs take before they change it. */
const save = `
const log = console.log.bind(console), timer = setTimeout;
const save = { get exit() { return globalThis.Deno?.exit; } };
`;

/** Changes that break the timers, the events or the errors of older versions themselves. */
const breaking = [
  ...["globalThis deleted", "Map and Set replaced", "Function.prototype replaced"],
  ...["Object.prototype with a setter for 0", "event classes replaced"],
];

export const globals: Programs = {
  ...combine(
    replaced,
    questions,
    (where, question) => `const [o, k] = ${where}; const f = o[k];\n${question}`,
  ),
  ...calls,
  ...byHand,
  ...since(
    208,
    breaking,
    combine(changes, afterwards, (change, end) => `${save}${change}\n${end}`),
  ),
};
