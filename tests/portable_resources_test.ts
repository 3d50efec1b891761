// Deno, Node.js and Bun: resources as handlers, of classes of the program's own and of the runtime.

import { type Row, testRows } from "./portable.ts";

/** A resource with both methods. They print which of them is called, and with what as `this`. */
const service = `class Service {
  name = "service";
  [Symbol.dispose]() { console.log("dispose", this.name, why()); }
  async [Symbol.asyncDispose]() { await turn(); console.log("asyncDispose", this.name, why()); }
}
`;

testRows({
  "register() and registerAsync() return the resource": {
    program: `${service}
      const one = new Service();
      console.log(register(one) === one, registerAsync(one) === one);
      unregister(one);`,
    lines: ["true true"],
  },
  "register(resource) disposes of it synchronously": {
    program: `${service}
      register(() => console.log("last"));
      register(new Service());
      exit(3);`,
    lines: ["dispose service exit", "last"],
    code: 3,
  },
  "registerAsync(resource) awaits its disposal at a graceful end": {
    program: `${service}
      register(() => console.log("last"));
      registerAsync(new Service());
      exit(3);`,
    lines: ["asyncDispose service exit", "last"],
    code: 3,
  },
  "registerAsync(resource) disposes of it synchronously at an immediate end, and reports nothing": {
    program: `${service}
      register(() => console.log("last"));
      registerAsync(new Service());
      process.exit(3);`,
    lines: ["dispose service exit", "last"],
    code: 3,
  },
  "registerAsync(resource) with only a synchronous method": {
    program: `
      register(() => console.log("last"));
      registerAsync({ [Symbol.dispose]() { console.log("dispose"); } });`,
    lines: ["dispose", "last"],
  },
  "a resource that cannot be awaited is reported by its class and method": {
    program: `
      class Upload { async [Symbol.asyncDispose]() { console.log("called"); await turn(); console.log("never"); } }
      registerAsync(new Upload());
      process.exit(3);`,
    lines: ["called"],
    code: 3,
    stderr:
      /^Cannot await atexit handler Upload\[(Symbol|nodejs)\.asyncDispose\]\(\): process\.exit\(\) was called/,
  },
  "a resource whose disposal fails is reported by its class and method": {
    program: `
      class Upload { [Symbol.dispose]() { throw new Error("boom"); } }
      register(() => console.log("last"));
      register(new Upload());`,
    lines: ["last"],
    code: 1,
    stderr: /^Exception in atexit handler Upload\[(Symbol|nodejs)\.dispose\]\(\):\n/,
    errors: { boom: 2 },
  },
  "a resource that is closed earlier is unregistered": {
    program: `${service}
      const one = registerAsync(new Service());
      unregister(one);
      console.log("started");`,
    lines: ["started"],
  },
  "what is no resource is a TypeError, and a promise is named": {
    program: `
      for (const value of [{}, [], Promise.resolve(), { [Symbol.asyncDispose]() {} }, { [Symbol.dispose]: 1 }]) {
        try { register(value); } catch (error) { console.log(error.name); }
      }
      console.log("started");`,
    lines: [...Array(5).fill("TypeError"), "started"],
  },
});

// ------------------------------------------------------------------------- what runtimes have

/** Runtimes in which it is no resource. */
const without = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, "it is no resource there"]));

/** A resource of the runtime, which prints "released" when it has been disposed of. */
const resources: Record<string, Row> = {
  "a DisposableStack": {
    program: `
      const stack = register(new DisposableStack());
      stack.defer(() => console.log("released"));`,
    not: without("node 20", "node 22"),
  },
  "an AsyncDisposableStack": {
    program: `
      const stack = registerAsync(new AsyncDisposableStack());
      stack.defer(async () => { await turn(); console.log("released"); });`,
    not: without("node 20", "node 22"),
  },
  "an http.Server": {
    program: `
      import { createServer } from "node:http";
      const server = registerAsync(createServer().on("close", () => console.log("released")));
      await new Promise((resolve) => server.listen(0, resolve));`,
    not: without("deno 2.5"),
  },
  "a net.Server": {
    program: `
      import { createServer } from "node:net";
      const server = registerAsync(createServer().on("close", () => console.log("released")));
      await new Promise((resolve) => server.listen(0, resolve));`,
    not: without("deno 2.5"),
  },
  "a Worker of node:worker_threads": {
    program: `
      import { Worker } from "node:worker_threads";
      const worker = registerAsync(new Worker("setInterval(() => {}, 1_000)", { eval: true }));
      worker.on("exit", () => console.log("released"));`,
    not: without("node 20", "node 22", "deno 2.5"),
  },
  "a FileHandle": {
    program: `
      import { open } from "node:fs/promises";
      const file = await open(import.meta.filename);
      register(() => console.log(file.fd === -1 ? "released" : "open"));
      registerAsync(file);`,
    not: without("deno 2.5"),
  },
  "a DatabaseSync of node:sqlite": {
    program: `
      import { DatabaseSync } from "node:sqlite";
      const database = new DatabaseSync(":memory:");
      register(() => console.log(database.isOpen ? "open" : "released"));
      register(database);`,
    not: without("node 20", "node 22", "deno 2.5"),
  },
  "a stream": {
    program: `
      import { Readable } from "node:stream";
      const stream = registerAsync(new Readable({ read() {} }));
      stream.on("close", () => console.log("released"));`,
  },
  "a child process": {
    program: `
      import { spawn } from "node:child_process";
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1_000)"], { stdio: "ignore" });
      register(() => console.log(child.killed ? "released" : "runs"));
      register(child);`,
    not: without("deno 2.5"),
  },
  "an interface of node:readline": {
    program: `
      import { createInterface } from "node:readline";
      import { PassThrough } from "node:stream";
      const reader = register(createInterface({ input: new PassThrough() }));
      reader.on("close", () => console.log("released"));`,
    not: without("node 20", "node 22", "deno"),
  },
  "a directory": {
    program: `
      import { opendir } from "node:fs/promises";
      const folder = await opendir(".");
      registerAsync(() => folder.read().then(() => console.log("open"), () => console.log("released")));
      registerAsync(folder);`,
    not: without("node 20", "node 22", "deno 2.5", "deno 2.7"),
  },
  "a temporary directory": {
    program: `
      import { existsSync, mkdtempDisposableSync } from "node:fs";
      const folder = mkdtempDisposableSync("temporary-");
      register(() => console.log(existsSync(folder.path) ? "there" : "released"));
      register(folder);`,
    not: without("node 20", "node 22", "deno 2.5"),
  },
};

testRows(Object.fromEntries(
  Object.entries(resources).map(([name, { program, ...rest }]) => [
    `a resource of the runtime: ${name}`,
    { program: `${program}\nsetTimeout(() => exit(3));`, lines: ["released"], code: 3, ...rest },
  ]),
));
