// Work of every kind that runs beside an end: timers, microtasks, promises, streams, `using`,
// garbage, messages, `fetch`, the console.

import { type Programs, withFlags } from "./program.ts";

const order: Programs = {
  "the order of everything": `
    import process from "node:process"; import { setImmediate } from "node:timers";
    setTimeout(() => console.log("timer"), 30); setImmediate(() => console.log("immediate"));
    process.nextTick(() => console.log("tick")); queueMicrotask(() => console.log("microtask"));
    Promise.resolve().then(() => console.log("then")); (async () => { await 0; console.log("async"); })();
    addEventListener("load", () => console.log("load")); addEventListener("unload", () => console.log("unload")); console.log("sync");`,
  "microtasks in turn": `
    (async () => { for (let i = 0; i < 5; i++) { await 0; console.log("a", i); } })();
    (async () => { for (let i = 0; i < 5; i++) { await 0; console.log("b", i); } })();
    let p = Promise.resolve(); for (let i = 0; i < 5; i++) p = p.then(() => console.log("c", i));`,
  "microtasks after the last timer":
    `setTimeout(async () => { for (let i = 0; i < 20; i++) await 0; console.log("done"); }, 2);`,
  "a thenable":
    `const t = { then(f) { console.log("then"); f(1); } }; console.log(await t); Promise.resolve(t).then(console.log);`,
  "stdout and stderr in turn":
    `for (let i = 0; i < 20; i++) (i % 2 ? console.error : console.log)(i);`,
  "stdout and stderr in turn, in all events": `
    for (const type of ["load", "beforeunload", "unload"]) addEventListener(type, () => { console.log("out", type); console.error("err", type); });
    setTimeout(() => { console.error("err timer"); console.log("out timer"); });`,
  "a large output": `console.log("x".repeat(300_000)); Deno.exit(3);`,
  "a large output in unload": `addEventListener("unload", () => console.log("x".repeat(300_000)));`,
  "output by Deno.stdout":
    `const w = Deno.stdout.writable.getWriter(); await w.write(new TextEncoder().encode("hello\\n")); w.releaseLock();`,
  "output by writeSync in unload":
    `addEventListener("unload", () => Deno.stdout.writeSync(new TextEncoder().encode("bye\\n")));`,
  "stdout closed":
    `Deno.stdout.close(); try { console.log("lost"); } catch (e) { console.error(e.name); }`,
  "stderr closed": `Deno.stderr.close(); setTimeout(() => { throw 1; });`,
  "the console's ways": `
    console.group("group"); console.log("in"); console.groupEnd(); console.table([{ a: 1 }]); console.count(); console.count();
    console.assert(false, "asserted"); console.dir({ a: { b: { c: { d: 1 } } } }); console.warn("%s %d %o", "a", 1, {}); console.debug("debug"); console.trace("trace");`,
  "a group that is open at the end":
    `console.group("group"); addEventListener("unload", () => console.log("unload")); setTimeout(() => { throw new Error("boom"); });`,
};

const timers: Programs = {
  "timers in order":
    `for (const ms of [10, 5, 1, 0, 3]) setTimeout(() => console.log(ms), ms * 4);`,
  "timers of the same time": `for (let i = 0; i < 10; i++) setTimeout(() => console.log(i), 2);`,
  "an interval that is cleared":
    `let n = 0; const t = setInterval(() => { console.log(n); if (n++ === 3) clearInterval(t); }, 1);`,
  "an unref'd timer":
    `Deno.unrefTimer(setTimeout(() => console.log("never"), 60_000)); addEventListener("unload", () => console.log("unload"));`,
  "an unref'd interval beside a timer":
    `const t = setInterval(() => {}, 5); Deno.unrefTimer(t); setTimeout(() => console.log("work"), 12);`,
  "an unref'd timer that is ref'd":
    `const t = setTimeout(() => console.log("work"), 2); Deno.unrefTimer(t); Deno.refTimer(t);`,
  "a timer of Node's, unref'd":
    `import { setTimeout } from "node:timers"; setTimeout(() => console.log("never"), 60_000).unref();`,
  "a timer that clears itself":
    `const t = setTimeout(() => { clearTimeout(t); console.log("once"); });`,
  "a timer with arguments and this":
    `setTimeout(function (a, b) { console.log(a, b, typeof this); }, 1, "a", 2);`,
  "a timer that is text": `setTimeout("globalThis.x = 1; console.log(x)", 1);`,
  "a timer for too long":
    `const t = setTimeout(() => {}, 2 ** 40); clearTimeout(t); console.log("cleared");`,
  "timers that start timers":
    `let n = 0; const go = () => { console.log(n); if (n++ < 5) setTimeout(go); }; go();`,
  "a thousand timers":
    `let n = 0; for (let i = 0; i < 1000; i++) setTimeout(() => n++, i % 7); addEventListener("unload", () => console.log(n));`,
  "timers/promises":
    `import { setTimeout } from "node:timers/promises"; console.log(await setTimeout(2, "value"));`,
  "a timer under way at Deno.exit":
    `setTimeout(() => console.log("never"), 5); setTimeout(() => Deno.exit(2));`,
  "a timer beside an error":
    `setTimeout(() => console.log("never"), 100); setTimeout(() => { throw 1; });`,
  "a timer right after an error":
    `setTimeout(() => { throw 1; }); setTimeout(() => console.log("never"));`,
  "AbortSignal.timeout":
    `const s = AbortSignal.timeout(3); s.onabort = () => console.log(s.reason.name); setTimeout(() => {}, 40);`,
  "AbortSignal.timeout alone": `AbortSignal.timeout(30).onabort = () => console.log("aborted");`,
  "AbortSignal.any":
    `const a = new AbortController(); const s = AbortSignal.any([a.signal, AbortSignal.abort("other")]); console.log(s.aborted, s.reason);`,
  "throwIfAborted": `AbortSignal.abort().throwIfAborted();`,
};

const promises: Programs = {
  "a promise that never settles":
    `new Promise(() => {}).then(() => console.log("never")); addEventListener("unload", () => console.log("unload"));`,
  "an async function that never returns":
    `(async () => { try { await new Promise(() => {}); } finally { console.log("never"); } })();`,
  "an await that never settles":
    `console.log("before"); await new Promise(() => {}); console.log("never");`,
  "an await that never settles, with listeners":
    `for (const t of ["beforeunload", "unload", "load"]) addEventListener(t, () => console.log(t)); await new Promise(() => {});`,
  "an await that a timer settles":
    `await new Promise((r) => setTimeout(r, 3)); console.log("settled"); Deno.exitCode = 2;`,
  "an await that never settles, and an error":
    `setTimeout(() => { throw 1; }, 2); await new Promise(() => {});`,
  "an await that never settles, and an exit":
    `setTimeout(() => Deno.exit(3), 2); await new Promise(() => {});`,
  "an await that never settles, and a rejection":
    `setTimeout(() => Promise.reject(1), 2); await new Promise(() => {});`,
  "an await that never settles, and beforeunload":
    `addEventListener("beforeunload", (e) => { console.log("asked"); e.preventDefault(); }); await new Promise(() => {});`,
  "allSettled, race, any and withResolvers": `
    console.log(await Promise.allSettled([1, Promise.reject(2)]), await Promise.race([new Promise(() => {}), 3]), await Promise.any([Promise.reject(1), 4]));
    const { promise, resolve } = Promise.withResolvers(); setTimeout(resolve, 1, 5); console.log(await promise);`,
  "async iteration that is left":
    `async function* f() { try { yield 1; yield 2; } finally { console.log("finally"); } } for await (const x of f()) { console.log(x); break; }`,
  "top-level for await over a stream":
    `for await (const x of ReadableStream.from([1, 2, 3])) console.log(x);`,
  "a deep chain":
    `let p = Promise.resolve(0); for (let i = 0; i < 10_000; i++) p = p.then((n) => n + 1); console.log(await p);`,
};

const resources: Programs = {
  "using":
    `{ using r = { [Symbol.dispose]() { console.log("disposed"); } }; console.log("in use"); } console.log("after");`,
  "using at the top level":
    `using r = { [Symbol.dispose]() { console.log("disposed"); } }; addEventListener("unload", () => console.log("unload")); setTimeout(() => console.log("timer"));`,
  "await using":
    `{ await using r = { async [Symbol.asyncDispose]() { await 0; console.log("disposed"); } }; console.log("in use"); }`,
  "await using at the top level":
    `await using r = { async [Symbol.asyncDispose]() { await new Promise((r) => setTimeout(r, 1)); console.log("disposed"); } };`,
  "using that throws":
    `{ using r = { [Symbol.dispose]() { throw new Error("dispose"); } }; throw new Error("body"); }`,
  "using and Deno.exit":
    `{ using r = { [Symbol.dispose]() { console.log("never"); } }; Deno.exit(2); }`,
  "a DisposableStack": {
    since: 209,
    source:
      `const s = new DisposableStack(); s.defer(() => console.log(1)); s.defer(() => console.log(2)); s.dispose();`,
  },
  "an interval that is disposed of": {
    since: 209,
    source: `{ using s = AbortSignal.abort() && { [Symbol.dispose]() { console.log("done"); } }; }`,
  },
};

const garbage: Programs = withFlags(["--v8-flags=--expose-gc"], {
  "FinalizationRegistry": `
    const r = new FinalizationRegistry((v) => console.log("collected", v)); (() => r.register({}, 1))(); gc(); await new Promise((r) => setTimeout(r, 5)); console.log("end");`,
  "FinalizationRegistry at the end":
    `const r = new FinalizationRegistry(() => console.log("never")); globalThis.keep = {}; r.register(keep, 1); addEventListener("unload", () => gc());`,
  "WeakRef":
    `let o = {}; const w = new WeakRef(o); await 0; o = null; await new Promise((r) => setTimeout(r)); gc(); console.log(w.deref());`,
  "an error that is collected": `
    const r = new FinalizationRegistry(() => console.log("collected")); addEventListener("error", (e) => e.preventDefault());
    setTimeout(() => { const e = new Error("boom"); r.register(e, 1); throw e; }); setTimeout(() => gc(), 10); setTimeout(() => console.log("end"), 30);`,
});

const streams: Programs = {
  "a stream that is read":
    `const r = new Response("text").body.getReader(); console.log((await r.read()).value.length, (await r.read()).done);`,
  "a stream that is cancelled":
    `const s = new ReadableStream({ cancel(r) { console.log("cancel", r); } }); await s.cancel("why");`,
  "a stream that never ends":
    `const s = new ReadableStream({}); s.getReader().read().then(() => console.log("never"));`,
  "a stream that errors":
    `const s = new ReadableStream({ start(c) { c.error(new Error("broken")); } }); try { await s.getReader().read(); } catch (e) { console.log(e.message); }`,
  "a stream that errors and nobody reads":
    `new ReadableStream({ start(c) { c.error(new Error("broken")); } }); console.log("fine");`,
  "a pipe":
    `await ReadableStream.from(["a", "b"]).pipeThrough(new TextEncoderStream()).pipeTo(new WritableStream({ write(c) { console.log(c); }, close() { console.log("close"); } }));`,
  "a pipe that breaks":
    `await ReadableStream.from([1, 2]).pipeTo(new WritableStream({ write() { throw new Error("full"); } }));`,
  "a pipe that is aborted":
    `const a = new AbortController(); const p = new ReadableStream({}).pipeTo(new WritableStream({ abort(r) { console.log("abort", r); } }), { signal: a.signal }); a.abort("stop"); try { await p; } catch (e) { console.log(e); }`,
  "a writer that is closed in unload":
    `const w = new WritableStream({ close() { console.log("closed"); } }).getWriter(); addEventListener("unload", () => w.close());`,
  "compression":
    `console.log((await new Response(new Blob(["x".repeat(1000)]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer()).byteLength);`,
  "tee":
    `const [a, b] = ReadableStream.from([1, 2]).tee(); console.log(await Array.fromAsync(a), await Array.fromAsync(b));`,
  "stdin": {
    source: `console.log(await new Response(Deno.stdin.readable).text());`,
    stdin: "typed\n",
  },
  "stdin, read to the end by Node's stream": {
    source:
      `import process from "node:process"; process.stdin.on("data", (d) => console.log(String(d))); process.stdin.on("end", () => console.log("end"));`,
    stdin: "typed\n",
  },
  "stdin that nobody reads": { source: `console.log("no");`, stdin: "typed\n" },
  "prompt without a terminal": {
    source: `console.log(prompt("?"), confirm("?")); alert("!");`,
    stdin: "answer\n",
  },
};

const messages: Programs = {
  "a MessageChannel":
    `const { port1, port2 } = new MessageChannel(); port2.onmessage = (e) => { console.log(e.data); port2.close(); }; port1.postMessage({ a: 1 });`,
  "a port that is closed at once":
    `const { port1, port2 } = new MessageChannel(); port1.close(); port2.close(); console.log("closed");`,
  "a BroadcastChannel":
    `const a = new BroadcastChannel("x"), b = new BroadcastChannel("x"); b.onmessage = (e) => { console.log(e.data); a.close(); b.close(); }; a.postMessage(1);`,
  "an EventTarget of one's own":
    `class T extends EventTarget {} const t = new T(); t.addEventListener("unload", () => console.log("its own")); t.dispatchEvent(new Event("unload"));`,
  "Atomics.wait":
    `const a = new Int32Array(new SharedArrayBuffer(4)); console.log(Atomics.wait(a, 0, 0, 5), Atomics.wait(a, 0, 1), Atomics.notify(a, 0));`,
  "Atomics.wait in unload":
    `addEventListener("unload", () => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5); console.log("waited"); });`,
  "Atomics.waitAsync that is notified":
    `const a = new Int32Array(new SharedArrayBuffer(4)); const w = Atomics.waitAsync(a, 0, 0); w.value.then(console.log); Atomics.notify(a, 0); setTimeout(() => {}, 5);`,
  "fetch of data": `console.log(await (await fetch("data:text/plain,hello")).text());`,
  "fetch of a blob":
    `const u = URL.createObjectURL(new Blob(["blob"])); console.log(await (await fetch(u)).text()); URL.revokeObjectURL(u);`,
  "fetch that nobody awaits": `fetch("data:,x").then((r) => r.text()).then(console.log);`,
  "fetch without permission": `await fetch("http://127.0.0.1:9/");`,
  "fetch that is aborted":
    `const p = fetch("data:,x", { signal: AbortSignal.abort("no") }); p.catch((e) => console.log(e));`,
  "crypto":
    `console.log(new Uint8Array(await crypto.subtle.digest("SHA-1", new Uint8Array(3)))[0], crypto.randomUUID().length);`,
  "WebAssembly that traps": `
    const m = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11]);
    const { instance } = await WebAssembly.instantiate(m); try { instance.exports.f(); } catch (e) { console.log(e.constructor.name, e.message); }`,
  "performance":
    `performance.mark("a"); performance.measure("m", "a"); console.log(performance.getEntries().map((e) => e.name)); new PerformanceObserver((l) => console.log(l.getEntries().length)).observe({ entryTypes: ["mark"] });`,
  "localStorage":
    `try { localStorage.setItem("a", "1"); console.log(localStorage.length); } catch (e) { console.log(e.name); }`,
  "navigator":
    `console.log(navigator.hardwareConcurrency > 0, navigator.userAgent.startsWith("Deno"));`,
  "import.meta": `console.log(import.meta.main, Object.keys(import.meta).sort().join());`,
  "dynamic import of data":
    `console.log((await import("data:text/javascript,export default 1")).default);`,
  "arguments": { source: `console.log(Deno.args);`, args: ["a", "--b", "c d"] },
  "an import of JSON": {
    source: `import data from "./data.json" with { type: "json" }; console.log(data);`,
    files: { "data.json": `{"a":1}` },
  },
  "strict mode off": {
    source: `import "./old.cjs";`,
    files: {
      "old.cjs":
        `console.log(typeof module, typeof require); setTimeout(() => { throw new Error("boom"); });`,
    },
  },
};

export const work: Programs = {
  ...order,
  ...timers,
  ...promises,
  ...resources,
  ...garbage,
  ...streams,
  ...messages,
};
