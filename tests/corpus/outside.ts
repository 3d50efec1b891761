// What reaches outside the program's own thread: workers, signals, child processes, files, servers,
// Node's modules, permissions, and `deno test`.

import { combine, type CorpusProgram, type Programs, withFlags } from "./program.ts";

/** How a worker ends. It says so before. */
const workerEnds: Record<string, string> = {
  "runs dry": ``,
  "runs dry after a timer": `setTimeout(() => postMessage("work"), 2);`,
  "closes": `close(); postMessage("after close");`,
  "closes in a timer":
    `setTimeout(() => { postMessage("closing"); close(); }, 1); setInterval(() => {}, 1000);`,
  "exits": `Deno.exit(3);`,
  "exits in a timer": `setTimeout(() => Deno.exit(3), 1);`,
  "throws": `throw new Error("boom");`,
  "throws in a timer": `setTimeout(() => { throw new Error("boom"); }, 1);`,
  "rejects": `Promise.reject(new Error("boom"));`,
  "handles its error":
    `addEventListener("error", (e) => { e.preventDefault(); postMessage("handled"); }); setTimeout(() => { throw 1; }, 1);`,
  "throws in a message": `onmessage = () => { throw new Error("boom"); };`,
  "reports an error": `reportError(new Error("boom"));`,
  "awaits for ever": `await new Promise(() => {});`,
  "listens to unload and closes":
    `addEventListener("unload", () => postMessage("unload")); setTimeout(close, 1);`,
  "listens to unload and exits":
    `addEventListener("unload", () => postMessage("unload")); setTimeout(() => Deno.exit(1), 1);`,
  "shows its globals":
    `postMessage([close.name, close.length, typeof Deno.exit, dispatchEvent.length, Deno.exitCode]);`,
  "answers": `onmessage = (e) => postMessage(e.data + 1);`,
};

/** What the main program does about it. */
const workerMains: Record<string, string> = {
  "and nobody cares": ``,
  "and the main program handles its errors":
    `worker.onerror = (e) => { e.preventDefault(); console.log("error", e.message, e.error); };`,
};

function withWorker(end: string, main: string): CorpusProgram {
  return {
    flags: ["-R"],
    source: `
      const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
      worker.onmessage = (e) => console.log("message", e.data);
      ${main}
      worker.postMessage(1);
      addEventListener("unload", () => console.log("unload", Deno.exitCode));
      // What the worker does is over by then.
      setTimeout(() => { console.log("terminate"); worker.terminate(); }, 400);`,
    files: { "worker.ts": `${end}` },
  };
}

function withNodeWorker(end: string): CorpusProgram {
  return {
    flags: ["-A"],
    source: `
      import { Worker } from "node:worker_threads";
      const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: 1 });
      for (const type of ["message", "error", "exit"]) worker.on(type, (v) => console.log(type, v instanceof Error ? v.message : v));
      worker.postMessage(1);`,
    files: {
      "worker.ts":
        `import { parentPort, workerData } from "node:worker_threads"; import process from "node:process";\n${end}`,
    },
  };
}

const nodeWorkerEnds: Record<string, string> = {
  "runs dry": `parentPort.postMessage(workerData);`,
  "exits by process.exit":
    `parentPort.postMessage("before"); setTimeout(() => process.exit(3), 20);`,
  "throws": `setTimeout(() => { throw new Error("boom"); }, 1);`,
  "listens to exit": `process.on("exit", (c) => parentPort.postMessage("exit " + c));`,
  "answers once":
    `parentPort.once("message", (m) => parentPort.postMessage(m)); parentPort.unref();`,
};

const workers: Programs = {
  ...Object.fromEntries(
    Object.entries(combine(workerEnds, workerMains, withWorker)).map((
      [name, row],
    ) => [`a worker ${name}`, row]),
  ),
  ...Object.fromEntries(
    Object.entries(nodeWorkerEnds).map((
      [name, end],
    ) => [`a worker of Node's ${name}`, withNodeWorker(end)]),
  ),
  "a worker that is terminated at once": {
    flags: ["-R"],
    source:
      `const w = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }); w.terminate(); console.log("terminated");`,
    files: { "worker.ts": `setInterval(() => {}, 1000);` },
  },
  "a worker in a worker": {
    flags: ["-R"],
    source:
      `const w = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }); w.onmessage = (e) => { console.log(e.data); if (e.data === "end") w.terminate(); };`,
    files: {
      "worker.ts":
        `const w = new Worker(new URL("./worker_inner.ts", import.meta.url), { type: "module" }); w.onmessage = (e) => { postMessage(e.data); setTimeout(() => { w.terminate(); postMessage("end"); }, 20); };`,
      "worker_inner.ts": `postMessage("inner");`,
    },
  },
  "a main program that exits over a worker": {
    flags: ["-R"],
    source:
      `const w = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }); w.onmessage = () => { console.log("ready"); Deno.exit(4); };`,
    files: {
      "worker.ts":
        `addEventListener("unload", () => console.log("never")); postMessage(1); setInterval(() => {}, 1000);`,
    },
  },
  "a main program that throws over a worker": {
    flags: ["-R"],
    source:
      `const w = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }); w.onmessage = () => { throw new Error("boom"); };`,
    files: { "worker.ts": `postMessage(1); setInterval(() => {}, 1000);` },
  },
  "a worker that does not exist": {
    flags: ["-R"],
    source:
      `new Worker(new URL("./nowhere.ts", import.meta.url), { type: "module" }).onerror = (e) => { e.preventDefault(); console.log("error"); };`,
  },
  "a worker of a blob": {
    source:
      `const u = URL.createObjectURL(new Blob(["postMessage(1)"], { type: "text/javascript" })); const w = new Worker(u, { type: "module" }); w.onmessage = (e) => { console.log(e.data); w.terminate(); };`,
  },
  "a classic worker":
    `try { new Worker("data:,", { type: "classic" }); } catch (e) { console.log(e.name, e.message); }`,
};

const wait = (ms: number) => `await new Promise((r) => setTimeout(r, ${ms}));`;

const signals: Programs = withFlags(["-A"], {
  ...Object.fromEntries(
    ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2", "SIGKILL", "SIGALRM"].map((signal) => [
      `${signal} by default`,
      `for (const t of ["unload", "beforeunload"]) addEventListener(t, () => console.log("never")); console.log("start"); Deno.kill(Deno.pid, "${signal}"); ${
        wait(2000)
      }`,
    ]),
  ),
  "SIGINT, listened to":
    `Deno.addSignalListener("SIGINT", () => { console.log("SIGINT"); Deno.exit(130); }); Deno.kill(Deno.pid, "SIGINT"); ${
      wait(2000)
    }`,
  "SIGTERM, listened to by process":
    `import process from "node:process"; process.on("SIGTERM", (s, n) => { console.log(s, n); process.exit(143); }); process.kill(process.pid, "SIGTERM"); ${
      wait(2000)
    }`,
  "SIGUSR1, twice":
    `let n = 0; const f = () => { console.log(++n); if (n === 2) Deno.removeSignalListener("SIGUSR1", f); else Deno.kill(Deno.pid, "SIGUSR1"); }; Deno.addSignalListener("SIGUSR1", f); Deno.kill(Deno.pid, "SIGUSR1"); ${
      wait(100)
    }`,
  "SIGUSR2, two listeners in order":
    `for (const i of [1, 2]) Deno.addSignalListener("SIGUSR2", () => console.log(i)); Deno.kill(Deno.pid, "SIGUSR2"); ${
      wait(100)
    } Deno.exit(0);`,
  "a listener that throws":
    `Deno.addSignalListener("SIGUSR2", () => { throw new Error("boom"); }); Deno.kill(Deno.pid, "SIGUSR2"); ${
      wait(2000)
    }`,
  "a listener that rejects":
    `Deno.addSignalListener("SIGUSR2", () => { Promise.reject("boom"); }); Deno.kill(Deno.pid, "SIGUSR2"); ${
      wait(2000)
    }`,
  "a listener does not keep the program alive":
    `Deno.addSignalListener("SIGINT", () => {}); console.log("end");`,
  "a listener that is removed":
    `const f = () => {}; Deno.addSignalListener("SIGTERM", f); Deno.removeSignalListener("SIGTERM", f); Deno.kill(Deno.pid, "SIGTERM"); ${
      wait(2000)
    }`,
  "a signal that cannot be listened to": `Deno.addSignalListener("SIGKILL", () => {});`,
  "a signal that is unknown":
    `try { Deno.addSignalListener("SIGNOTHING", () => {}); } catch (e) { console.log(e.name); }`,
  "process.once of SIGINT":
    `import process from "node:process"; process.once("SIGINT", () => console.log("once")); process.kill(process.pid, "SIGINT"); ${
      wait(100)
    } process.kill(process.pid, "SIGINT"); ${wait(2000)}`,
  "process.kill with 0":
    `import process from "node:process"; console.log(process.kill(process.pid, 0));`,
  "process.abort":
    `import process from "node:process"; addEventListener("unload", () => console.log("never")); process.abort();`,
  "a signal in unload":
    `addEventListener("unload", () => { console.log("unload"); Deno.kill(Deno.pid, "SIGKILL"); });`,
});

const files: Programs = withFlags(["-A"], {
  "files":
    `await Deno.writeTextFile("a.txt", "text"); console.log(await Deno.readTextFile("a.txt")); Deno.removeSync("a.txt"); console.log([...Deno.readDirSync(".")].some((e) => e.name === "a.txt"));`,
  "a file written in unload":
    `addEventListener("unload", () => { Deno.writeTextFileSync("a.txt", "text"); console.log(Deno.readTextFileSync("a.txt")); });`,
  "a file that is not there": `Deno.readTextFileSync("none.txt");`,
  "a file left open":
    `const f = await Deno.open("main.ts"); f.read(new Uint8Array(1)); console.log("open");`,
  "a watcher that is closed":
    `const w = Deno.watchFs("."); setTimeout(() => w.close(), 5); for await (const e of w) console.log("event"); console.log("closed");`,
  "a watcher that is left": `const w = Deno.watchFs("."); Deno.exit(2);`,
  "node:fs":
    `import fs from "node:fs"; fs.writeFileSync("b.txt", "text"); fs.readFile("b.txt", "utf8", (e, t) => console.log(e, t)); console.log(fs.existsSync("b.txt"));`,
  "node:fs/promises":
    `import fs from "node:fs/promises"; await fs.writeFile("b.txt", "text"); console.log((await fs.stat("b.txt")).size); await fs.readFile("none").catch((e) => console.log(e.code));`,
  "node:fs streams":
    `import fs from "node:fs"; fs.createReadStream("main.ts").on("data", (d) => console.log(d.length > 0)).on("close", () => console.log("close"));`,
  "a write stream, flushed in exit":
    `import fs from "node:fs"; import process from "node:process"; const w = fs.createWriteStream("c.txt"); w.end("text"); w.on("finish", () => console.log("finish")); process.on("exit", () => console.log(fs.readFileSync("c.txt", "utf8")));`,
  "a child process":
    `const { code, stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", "console.log(1); Deno.exit(3)"] }).output(); console.log(code, new TextDecoder().decode(stdout));`,
  "a child process by Node's spawn":
    `import { spawn } from "node:child_process"; spawn("sh", ["-c", "echo out; exit 3"]).on("exit", (c, s) => console.log("exit", c, s)).stdout.on("data", (d) => console.log(String(d)));`,
  "a child process by Node's exec":
    `import { execSync, exec } from "node:child_process"; console.log(String(execSync("echo sync"))); exec("exit 4", (e) => console.log(e.code));`,
  "a child process that is unref'd":
    `const c = new Deno.Command("sleep", { args: ["1"] }).spawn(); c.unref(); c.kill("SIGKILL"); console.log("left");`,
  "a child process that is killed":
    `const c = new Deno.Command("sleep", { args: ["5"] }).spawn(); c.kill("SIGTERM"); console.log(await c.status);`,
  "a child process that does not exist": `new Deno.Command("/no/such/command").outputSync();`,
  "the environment":
    `Deno.env.set("A", "1"); console.log(Deno.env.get("A")); Deno.env.delete("A"); console.log(Deno.env.has("A"));`,
  "Deno.chdir":
    `Deno.mkdirSync("inner"); Deno.chdir("inner"); console.log(Deno.cwd().endsWith("inner"));`,
});

const serve =
  `const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, HANDLER); const url = "http://127.0.0.1:" + server.addr.port;\n`;
const serving = (handler: string, rest: string) => serve.replace("HANDLER", handler) + rest;

const servers: Programs = withFlags(["-A"], {
  "a server that shuts down": serving(
    `() => new Response("hello")`,
    `console.log(await (await fetch(url)).text()); await server.shutdown(); console.log("down");`,
  ),
  "a server that is aborted":
    `const a = new AbortController(); const server = Deno.serve({ port: 0, signal: a.signal, onListen() {} }, () => new Response()); server.finished.then(() => console.log("finished")); setTimeout(() => a.abort(), 3);`,
  "a server that is unref'd": serving(
    `() => new Response()`,
    `server.unref(); console.log("end");`,
  ),
  "a server and Deno.exit": serving(
    `() => new Response("hello")`,
    `console.log(await (await fetch(url)).text()); Deno.exit(5);`,
  ),
  "a server and an error": serving(
    `() => new Response("hello")`,
    `await (await fetch(url)).text(); setTimeout(() => { throw "boom"; });`,
  ),
  "a server whose handler throws": serving(
    `() => { throw new Error("broken"); }`,
    `const r = await fetch(url); console.log(r.status, await r.text()); await server.shutdown();`,
  ),
  "a server whose handler rejects later": serving(
    `() => { setTimeout(() => Promise.reject("late")); return new Response("hello"); }`,
    `await (await fetch(url)).text();`,
  ),
  "a server whose handler exits": serving(`() => Deno.exit(6)`, `await fetch(url);`),
  "a server with onError":
    `const server = Deno.serve({ port: 0, onListen() {}, onError: (e) => new Response(e.message, { status: 501 }) }, () => { throw new Error("broken"); }); const r = await fetch("http://127.0.0.1:" + server.addr.port); console.log(r.status, await r.text()); await server.shutdown();`,
  "a server that streams": serving(
    `() => new Response(ReadableStream.from(["a", "b"]).pipeThrough(new TextEncoderStream()))`,
    `console.log(await (await fetch(url)).text()); await server.shutdown();`,
  ),
  "a server that shuts down in unload": serving(
    `() => new Response()`,
    `addEventListener("unload", () => { server.shutdown(); console.log("unload"); }); server.unref();`,
  ),
  "a server that is disposed of":
    `{ await using server = Deno.serve({ port: 0, onListen() {} }, () => new Response()); console.log(typeof server.addr.port); } console.log("disposed");`,
  "a WebSocket": serving(
    `(request) => { const { socket, response } = Deno.upgradeWebSocket(request); socket.onmessage = (e) => { socket.send(e.data + "!"); }; return response; }`,
    `const ws = new WebSocket(url.replace("http", "ws")); ws.onopen = () => ws.send("hello"); ws.onmessage = (e) => { console.log(e.data); ws.close(); }; ws.onclose = async (e) => { console.log("closed", e.wasClean); await server.shutdown(); };`,
  ),
  "a WebSocket to nowhere":
    `const ws = new WebSocket("ws://127.0.0.1:9/"); ws.onerror = () => console.log("error"); ws.onclose = (e) => console.log("close", e.code);`,
  "a WebSocketPair of a closed port, unhandled": `new WebSocket("ws://127.0.0.1:9/");`,
  "fetch of a closed port": `await fetch("http://127.0.0.1:9/");`,
  "fetch of a closed port, nobody awaits": `fetch("http://127.0.0.1:9/");`,
  "fetch of a closed port, caught":
    `try { await fetch("http://127.0.0.1:9/"); } catch (e) { console.log(e.name); }`,
  "a listener that is closed":
    `const l = Deno.listen({ port: 0 }); setTimeout(() => l.close(), 2); for await (const c of l) c.close(); console.log("closed");`,
  "a connection":
    `const l = Deno.listen({ port: 0 }); const p = l.accept(); const c = await Deno.connect({ port: l.addr.port }); const s = await p; await s.write(new Uint8Array([1, 2])); const b = new Uint8Array(2); await c.read(b); console.log(b); for (const x of [l, c, s]) x.close();`,
  "a port that is in use":
    `const l = Deno.listen({ port: 0 }); try { Deno.listen({ port: l.addr.port }); } catch (e) { console.log(e.name); } l.close();`,
  "node:http":
    `import http from "node:http"; const s = http.createServer((q, r) => r.end("hello")); s.listen(0, async () => { console.log(await (await fetch("http://127.0.0.1:" + s.address().port)).text()); s.close(() => console.log("closed")); s.closeAllConnections?.(); });`,
  "node:http and process.exit":
    `import http from "node:http"; import process from "node:process"; const s = http.createServer(); s.listen(0, () => { console.log("listening"); process.exit(3); }); process.on("exit", (c) => console.log("exit", c));`,
  "node:http to nowhere":
    `import http from "node:http"; http.get("http://127.0.0.1:9/").on("error", (e) => console.log(e.code));`,
  "node:http to nowhere, nobody listens":
    `import http from "node:http"; http.get("http://127.0.0.1:9/");`,
  "node:net":
    `import net from "node:net"; const s = net.createServer((c) => c.end("bye")); s.listen(0, () => net.connect(s.address().port).on("data", (d) => console.log(String(d))).on("close", () => s.close()));`,
});

const nodeModules: Programs = withFlags(["-A"], {
  "node:events":
    `import { EventEmitter, once } from "node:events"; const e = new EventEmitter(); setTimeout(() => e.emit("x", 1)); console.log(await once(e, "x")); e.on("error", (x) => console.log(x)); e.emit("error", "handled");`,
  "node:events, an error that nobody handles":
    `import { EventEmitter } from "node:events"; setTimeout(() => new EventEmitter().emit("error", new Error("boom")));`,
  "node:events, captured rejections":
    `import { EventEmitter } from "node:events"; const e = new EventEmitter({ captureRejections: true }); e.on("x", async () => { throw new Error("boom"); }); e.on("error", (x) => console.log(x.message)); e.emit("x");`,
  "node:async_hooks":
    `import { AsyncLocalStorage } from "node:async_hooks"; const s = new AsyncLocalStorage(); s.run(1, () => setTimeout(() => console.log(s.getStore()), 1)); s.run(2, () => addEventListener("unload", () => console.log(s.getStore()))); s.run(3, () => Promise.resolve().then(() => console.log(s.getStore())));`,
  "node:async_hooks and an error":
    `import { AsyncLocalStorage } from "node:async_hooks"; const s = new AsyncLocalStorage(); addEventListener("error", (e) => { e.preventDefault(); console.log(s.getStore()); }); s.run(1, () => setTimeout(() => { throw 1; }));`,
  "node:async_hooks, enterWith":
    `import { AsyncLocalStorage } from "node:async_hooks"; const s = new AsyncLocalStorage(); s.enterWith(7); addEventListener("unload", () => console.log(s.getStore())); addEventListener("beforeunload", () => console.log(s.getStore()));`,
  "node:util":
    `import util from "node:util"; const f = util.promisify((cb) => setTimeout(() => cb(null, 1))); console.log(await f(), util.inspect({ a: 1 })); util.callbackify(async () => { throw new Error("boom"); })((e) => console.log(e.message));`,
  "node:util, callbackify that throws":
    `import util from "node:util"; util.callbackify(async () => 1)(() => { throw new Error("boom"); });`,
  "node:readline": {
    source:
      `import readline from "node:readline"; import process from "node:process"; const r = readline.createInterface({ input: process.stdin }); r.on("line", (l) => console.log(l)); r.on("close", () => console.log("close"));`,
    stdin: "a\nb\n",
  },
  "node:readline/promises": {
    source:
      `import readline from "node:readline/promises"; import process from "node:process"; const r = readline.createInterface({ input: process.stdin }); for await (const l of r) console.log(l);`,
    stdin: "a\nb\n",
  },
  "node:stream":
    `import { Readable, pipeline, Writable } from "node:stream"; pipeline(Readable.from(["a", "b"]), new Writable({ write(c, _, cb) { console.log(String(c)); cb(); } }), (e) => console.log("done", e));`,
  "node:stream, destroyed":
    `import { Readable } from "node:stream"; new Readable({ read() {} }).destroy(new Error("broken"));`,
  "node:stream/promises":
    `import { pipeline } from "node:stream/promises"; import { Readable, Writable } from "node:stream"; await pipeline(Readable.from([1]), new Writable({ objectMode: true, write(c, _, cb) { cb(new Error("full")); } }));`,
  "node:vm":
    `import vm from "node:vm"; console.log(vm.runInNewContext("1 + x", { x: 2 })); vm.runInNewContext("throw new Error('boom')");`,
  "node:crypto":
    `import { createHash, randomBytes } from "node:crypto"; console.log(createHash("sha1").update("x").digest("hex")); randomBytes(4, (e, b) => console.log(b.length));`,
  "node:zlib":
    `import zlib from "node:zlib"; zlib.gzip("x", (e, b) => console.log(zlib.gunzipSync(b).toString()));`,
  "node:os and node:path":
    `import os from "node:os"; import path from "node:path"; console.log(typeof os.cpus().length, path.join("a", "..", "b"));`,
  "node:module":
    `import { createRequire } from "node:module"; const require = createRequire(import.meta.url); console.log(typeof require("node:fs").readFileSync); require("./none.cjs");`,
  "node:perf_hooks":
    `import { performance, monitorEventLoopDelay } from "node:perf_hooks"; console.log(typeof performance.now());`,
  "node:diagnostics_channel":
    `import dc from "node:diagnostics_channel"; const c = dc.channel("x"); c.subscribe((m) => console.log(m)); c.publish(1);`,
  "node:dns to nowhere":
    `import dns from "node:dns"; dns.lookup("127.0.0.1", (e, a) => console.log(e, a));`,
  "node:domain":
    `import domain from "node:domain"; try { const d = domain.create(); d.on("error", (e) => console.log("domain", e.message)); d.run(() => { throw new Error("boom"); }); } catch (e) { console.log(e.name); }`,
  "node:test": `import test from "node:test"; test("passes", () => {});`,
  "node:process, on the global":
    `process.on("exit", (c) => console.log("exit", c)); process.exitCode = 3;`,
  "node:process, features":
    `import process from "node:process"; console.log(process.argv.length, typeof process.pid, process.title, process.uptime() > 0, process.memoryUsage().rss > 0);`,
  "process.stdout":
    `import process from "node:process"; process.stdout.write("a\\n", () => console.log("written")); process.stderr.write("b\\n");`,
  "process.stdout and process.exit":
    `import process from "node:process"; process.stdout.write("x".repeat(100_000)); process.exit(1);`,
  "process.nextTick in order":
    `import process from "node:process"; process.nextTick(() => console.log(2)); Promise.resolve().then(() => { console.log(3); process.nextTick(() => console.log(4)); }); console.log(1);`,
  "process.nextTick in unload":
    `import process from "node:process"; addEventListener("unload", () => process.nextTick(() => console.log("tick")));`,
  "process.nextTick in exit":
    `import process from "node:process"; process.on("exit", () => process.nextTick(() => console.log("tick")));`,
  "process.getActiveResourcesInfo":
    `import process from "node:process"; try { console.log(process.getActiveResourcesInfo?.()); } catch (e) { console.log(e.name); }`,
});

const permissions: Programs = {
  ...Object.fromEntries(
    Object.entries({
      "reading": `Deno.readTextFileSync("main.ts");`,
      "writing": `await Deno.writeTextFile("a.txt", "");`,
      "the net": `await Deno.connect({ port: 9 });`,
      "running": `new Deno.Command("ls").outputSync();`,
      "the environment": `Deno.env.get("HOME");`,
      "killing": `Deno.kill(Deno.pid, "SIGTERM");`,
      "the system": `Deno.hostname();`,
      "importing": `await import("./" + "nowhere" + ".ts");`,
      "a worker":
        `new Worker(new URL("./main.ts", import.meta.url).href, { type: "module", deno: { permissions: { read: true } } });`,
    }).flatMap(([name, source]) => [
      [`${name} is denied`, source],
      [
        `${name} is denied and caught`,
        `try { ${source} } catch (e) { console.log(e.name); } Deno.exitCode = 2;`,
      ],
    ]),
  ),
  "queries":
    `for (const name of ["read", "write", "net", "env", "run", "sys", "ffi"]) console.log(name, Deno.permissions.querySync({ name }).state);`,
  "queries, with some": {
    source:
      `for (const name of ["read", "run"]) console.log(name, Deno.permissions.querySync({ name }).state);`,
    flags: ["-R=.", "--allow-run=ls"],
  },
  "requests": `console.log((await Deno.permissions.request({ name: "env" })).state);`,
  "revoked": {
    source:
      `console.log(Deno.permissions.revokeSync({ name: "read" }).state); Deno.readTextFileSync("main.ts");`,
    flags: ["-R"],
  },
  "denied by a flag": { source: `Deno.env.get("HOME");`, flags: ["-A", "--deny-env"] },
  "a change that is listened to": {
    source:
      `const s = Deno.permissions.querySync({ name: "read" }); s.onchange = () => console.log(s.state); Deno.permissions.revokeSync({ name: "read" });`,
    flags: ["-R"],
  },
};

/** Test modules. */
const tests: Programs = Object.fromEntries(
  Object.entries({
    "passes": `Deno.test("one", () => {});`,
    "throws": `Deno.test("one", () => { throw new Error("boom"); }); Deno.test("two", () => {});`,
    "throws in a timer":
      `Deno.test("one", async () => { setTimeout(() => { throw new Error("boom"); }); await new Promise((r) => setTimeout(r, 20)); }); Deno.test("two", () => {});`,
    "rejects":
      `Deno.test("one", async () => { Promise.reject(new Error("boom")); await new Promise((r) => setTimeout(r, 5)); }); Deno.test("two", () => {});`,
    "exits": `Deno.test("one", () => { Deno.exit(3); }); Deno.test("two", () => {});`,
    "exits by process.exit":
      `import process from "node:process"; Deno.test("one", () => { process.exit(3); }); Deno.test("two", () => {});`,
    "leaks a timer": `Deno.test("one", () => { setTimeout(() => {}, 10_000); });`,
    "sets the exit code": `Deno.test("one", () => { Deno.exitCode = 4; });`,
    "throws at the top": `Deno.test("one", () => {}); throw new Error("boom");`,
    "listens to unload":
      `addEventListener("unload", () => console.log("unload")); addEventListener("beforeunload", () => console.log("beforeunload")); Deno.test("one", () => {});`,
  }).map((
    [name, source],
  ) => [`a test ${name}`, { source, how: "test" }]),
);

export const outside: Programs = {
  ...workers,
  ...signals,
  ...files,
  ...servers,
  ...nodeModules,
  ...permissions,
  ...tests,
};
