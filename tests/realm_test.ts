// What all copies of the module in a realm share, and what an import finds under the key.

import { assertEquals } from "@std/assert";
import { constants } from "node:os";
import { pathToFileURL } from "node:url";
import { version } from "../realm.ts";
import { findImports } from "./imports.ts";
import { assertOutcome, type Expected, mod, run, start } from "./program.ts";
import { withoutSignals } from "./skip.ts";

const root = new URL("..", import.meta.url);
const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
/** The files of the module, and their folders. */
const folders = ["", "runtimes/", "runtimes/deno/", "runtimes/process/"];
const files = folders.flatMap((folder) =>
  Array.from(Deno.readDirSync(new URL(`./${folder}`, root)), ({ name }) => `${folder}${name}`)
    .filter((file) => file.endsWith(".ts"))
);
const key = 'Symbol.for("@atexit/atexit")';

Deno.test("the version is the same in realm.ts and in deno.json", () => {
  assertEquals(version, config.version);
});

Deno.test("mod.ts is the first to import each file that is loaded", async () => {
  const imports = await findImports(mod);
  const named = new Set(imports.get(mod)!.map(({ url }) => url));
  const others = [...imports.values()].flat().map(({ url }) => url).filter((url) =>
    !named.has(url)
  );
  assertEquals(others, []);
});

// ----------------------------------------------------------------------------------------- copies

/** Copies the module to a folder of its own, and returns the address of its `mod.ts`. */
function copyModule(): string {
  const copy = Deno.makeTempDirSync({ prefix: "atexit-" });
  addEventListener("unload", () => Deno.removeSync(copy, { recursive: true }));
  for (const folder of folders) Deno.mkdirSync(`${copy}/${folder}`, { recursive: true });
  for (const file of files) Deno.copyFileSync(new URL(file, root), `${copy}/${file}`);
  return pathToFileURL(`${copy}/mod.ts`).href;
}

const importTwoCopies = `
  const native = Deno.exit;
  const one = await import("${copyModule()}");
  const ours = Deno.exit;
  const two = await import("${copyModule()}");
`;

Deno.test("copies of the module share one registry and one set of hooks", async () => {
  const source = `${importTwoCopies}
    console.log(native !== ours, ours === Deno.exit, one.register !== two.register);
    const undone = () => console.log("never");
    one.register(() => console.log("1", one.exitReason().kind, two.exitReason().kind));
    two.registerAsync(async () => { await Promise.resolve(); console.log("2"); });
    one.register(undone);
    two.register(undone);
    two.unregister(undone);
    one.registerAsync(async () => { await Promise.resolve(); console.log("3"); });
    two.register(() => { throw new one.SystemExit(5); });
  `;
  for (const [end, kind] of [["", "finished"], ["two.exit(4);", "exit"]]) {
    assertOutcome(await run(source + end), {
      lines: ["true true true", "3", "2", `1 ${kind} ${kind}`],
      code: 5,
      stderr: "",
    });
  }
  assertOutcome(await run(`${source} Deno.exit(4);`), {
    lines: ["true true true", "1 exit exit"], // What cannot wait does not get to print.
    code: 5,
    counts: { "Cannot await atexit handler": 2 },
  });
});

Deno.test("copies of the module recognise each other's SystemExit", async () => {
  const source = `${importTwoCopies}
    class Derived extends one.SystemExit {}
    console.log(one.SystemExit !== two.SystemExit);
    console.log(new one.SystemExit() instanceof two.SystemExit, new Derived() instanceof two.SystemExit);
    console.log(new two.SystemExit() instanceof Derived, new Error() instanceof two.SystemExit);
    setTimeout(() => { throw new two.SystemExit("text of the other copy"); });
  `;
  assertOutcome(await run(source), {
    lines: ["true", "true true", "false false"],
    code: 1,
    stderr: "text of the other copy\n",
  });
});

Deno.test("copies of the module share the grace period", async () => {
  const source = `${importTwoCopies}
    two.register(() => console.log("last"));
    one.registerAsync(() => new Promise(() => {}));
    two.setGracePeriod(500);
    setInterval(() => {}, 1000);
    one.exit();
  `;
  assertOutcome(await run(source), {
    lines: ["last"],
    code: 1,
    stderr: /did not settle within 500 ms/,
  });
});

Deno.test({
  name: "copies of the module share their signals",
  ignore: withoutSignals(),
  async fn() {
    const source = `${importTwoCopies}
      one.register(() => console.log("handler"));
      {
        using _signals = one.exitOnSignals({ signals: ["SIGUSR1"] });
        two.exitOnSignals({ signals: ["SIGUSR1"] });
      }
      setInterval(() => {}, 1000);
      console.log("ready");
    `;
    await using program = start(source);
    await program.says("ready");
    program.kill("SIGUSR1");
    assertOutcome(await program.outcome(), {
      lines: ["ready", "handler"],
      code: 128 + constants.signals.SIGUSR1,
    });
  },
});

// --------------------------------------------------------------------------------- other versions

/** Runs a program that finds something under the key of the module, and asserts its outcome. */
async function assertFinds(found: string, program: string, expected: Expected): Promise<void> {
  const outcome = await run(`
    globalThis[${key}] = ${found};
    const print = (error) => console.log(String(error));
    try {
      const { exit, exitOnSignals, register, setGracePeriod, unregister } = await import("@atexit/atexit");
      ${program}
    } catch (error) {
      print(error);
    }
  `);
  assertOutcome(outcome, expected);
}

/** A realm of another version, which knows neither setGracePeriod() nor the timeout of exit(). */
const otherRealm = `{
  version: "0.0.1",
  options: {
    register: ["handler", "func", "args", "self", "awaited"],
    unregister: ["handler"],
    exit: ["code"],
    exitOnSignals: ["signals", "timeout"],
  },
  name: "other",
  register({ func, args }) { console.log(this.name, "register", func.name, args); },
  unregister({ handler }) { console.log(this.name, "unregister", handler.name); },
  exit({ code }) { console.log(this.name, "exit", code); },
  exitOnSignals({ signals }) { return () => console.log(this.name, "dispose", signals); },
}`;

const outdated = (what: string) =>
  `Error: Cannot use ${what}: @atexit/atexit 0.0.1 was loaded first and does not have it, ` +
  `but version ${version} does. Update the older one`;

Deno.test("a realm of another version is used, and a method that it lacks throws an error that names both versions", async () => {
  const program = `
    function handler() {}
    register(handler);
    register(handler, 1);
    unregister(handler);
    exitOnSignals({ signals: ["SIGINT"] })[Symbol.dispose]();
    exit(3);
    setGracePeriod(1);
  `;
  await assertFinds(otherRealm, program, {
    lines: [
      "other register handler []",
      "other register handler [ 1 ]",
      "other unregister handler",
      'other dispose [ "SIGINT" ]',
      "other exit 3",
      outdated("setGracePeriod()"),
    ],
    code: 0,
    stderr: "",
  });
});

Deno.test("an option that a realm of another version lacks throws an error that names both versions", async () => {
  const program = `
    const resource = { [Symbol.dispose]() {}, async [Symbol.asyncDispose]() {} };
    try { exit(3, { timeout: 1 }); } catch (error) { print(error); }
    const { registerAsync } = await import("@atexit/atexit");
    registerAsync(resource);
  `;
  await assertFinds(otherRealm, program, {
    lines: [
      outdated("the option timeout of exit()"),
      outdated("the option funcSync of register()"),
    ],
    code: 0,
    stderr: "",
  });
});

Deno.test("what is no realm is an error at the import that says so", async () => {
  const line =
    `TypeError: Cannot load @atexit/atexit: globalThis[${key}] is in use by something else`;
  const junk = [
    ...["5", '"text"', "null", "{}", "[]", "Object.create(null)", "() => {}", "class {}"],
    "{ version: 1, options: {}, register() {} }",
    '{ version: "0.1.0", register() {} }',
    '{ version: "0.1.0", options: null, register() {} }',
    '{ version: "0.1.0", options: {} }',
  ];
  for (const found of junk) {
    await assertFinds(found, 'console.log("imported");', { lines: [line], code: 0, stderr: "" });
  }
});
