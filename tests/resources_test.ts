// Resources of Deno as handlers. Those of Node.js are in portable_resources_test.ts.

import { assertOutcome, deno, run, version } from "./program.ts";

/** What is registered, the methods that the class has, and what shows that it was disposed of. */
interface Resource {
  create: string;
  /** How it is registered. */
  by: "register" | "registerAsync";
  /** What a handler says that runs afterwards. */
  closed: string;
  permissions?: string[];
  ignore?: boolean;
}

const resources: Record<string, Resource> = {
  "a server": {
    create: "Deno.serve({ port: 0, onListen() {} }, () => new Response())",
    by: "registerAsync",
    closed:
      `await fetch("http://localhost:" + resource.addr.port).then(() => "open", () => "closed")`,
    permissions: ["--allow-net"],
  },
  "a child": {
    create: `new Deno.Command(${JSON.stringify(deno)}, { args: ["repl"], stdin: "piped" }).spawn()`,
    by: "registerAsync",
    closed: `(await resource.status).success ? "open" : "closed"`,
    permissions: ["--allow-run"],
  },
  "a file": {
    create: "Deno.openSync(new URL(import.meta.url))",
    by: "register",
    closed: `attempt(() => resource.statSync())`,
    permissions: ["--allow-read"],
  },
  "a listener of connections": {
    create: "Deno.listen({ port: 0 })",
    by: "register",
    closed: `await resource.accept().then(() => "open", () => "closed")`,
    permissions: ["--allow-net"],
  },
  "a database": {
    create: `new (await import("node:sqlite")).DatabaseSync(":memory:")`,
    by: "register",
    ignore: version < 207, // It cannot be disposed of there.
    closed: `attempt(() => resource.exec("SELECT 1"))`,
  },
  "a DisposableStack": {
    create: `new DisposableStack()`,
    by: "register",
    closed: `resource.disposed ? "closed" : "open"`,
    ignore: version < 207,
  },
  "an AsyncDisposableStack": {
    create: `new AsyncDisposableStack()`,
    by: "registerAsync",
    closed: `resource.disposed ? "closed" : "open"`,
    ignore: version < 207,
  },
  "a key-value store": {
    create: `await Deno.openKv(":memory:")`,
    by: "register",
    closed: `await resource.get(["key"]).then(() => "open", () => "closed")`,
    permissions: ["--unstable-kv"],
  },
};

for (
  const [name, { create, by, closed, permissions = [], ignore = false }] of Object.entries(
    resources,
  )
) {
  Deno.test(`${by}() disposes of ${name}, and returns it`, { ignore }, async () => {
    for (const end of ["exit(3);", "setTimeout(() => exit(3), 1);"]) {
      const outcome = await run(
        `
        import { exit, register, registerAsync } from "@atexit/atexit";
        const attempt = (call) => { try { call(); return "open"; } catch { return "closed"; } };
        registerAsync(async () => console.log(${closed}));
        const created = ${create};
        const resource = ${by}(created);
        console.log(resource === created);
        ${end}`,
        { command: ["run", ...permissions] },
      );
      assertOutcome(outcome, { lines: ["true", "closed"], code: 3 });
    }
  });
}

Deno.test("a resource with both methods is disposed of synchronously at Deno.exit(), and nothing is reported", async () => {
  const program = (end: string) => `
    import { exit, registerAsync } from "@atexit/atexit";
    class Log {
      lines = ["line"];
      async [Symbol.asyncDispose]() { await null; console.log("async", this.lines[0]); }
      [Symbol.dispose]() { console.log("sync", this.lines[0]); }
    }
    registerAsync(new Log());
    ${end}`;
  assertOutcome(await run(program("Deno.exit(3);")), { lines: ["sync line"], code: 3, stderr: "" });
  assertOutcome(await run(program("exit(3);")), { lines: ["async line"], code: 3, stderr: "" });
  assertOutcome(await run(program("")), { lines: ["async line"], code: 0, stderr: "" });
});

Deno.test("a report names a resource by its class and method", async () => {
  const outcome = await run(`
    import { registerAsync } from "@atexit/atexit";
    class Log { async [Symbol.asyncDispose]() { await new Promise(() => {}); } }
    registerAsync(new Log());
    Deno.exit(3);`);
  assertOutcome(outcome, {
    code: 3,
    stderr: /^Cannot await atexit handler Log\[Symbol\.asyncDispose\]\(\): Deno\.exit\(\)/,
  });
});

Deno.test("unregister() of a resource that was closed before keeps it from being disposed of", async () => {
  const outcome = await run(`
    import { register, unregister } from "@atexit/atexit";
    const resource = { [Symbol.dispose]() { console.log("disposed"); } };
    register(resource);
    unregister(resource);
    console.log("started");`);
  assertOutcome(outcome, { lines: ["started"], code: 0, stderr: "" });
});
