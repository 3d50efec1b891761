// `deno test` over files whose tests fail in every way: handlers change no verdict. More runs of the
// runner are in slow/test_runner_test.ts.

import { assertEquals } from "@std/assert";
import { assertOutcome, type Outcome } from "./program.ts";
import { all } from "./runtimes.ts";
import { alone, beside, fileOf, runTests, silent, testOf, verdicts } from "./test_runner.ts";

const unsanitized = "{ sanitizeOps: false, sanitizeResources: false, sanitizeExit: false }";
const staying = alone.filter(([name]) => !name.startsWith("exit") || name === "exit by a stub");

/** Files that one runner runs, one after the other. */
const files: Record<string, string> = {
  "all kinds of tests": alone.map(([name, body]) => testOf(name, body)).join("\n"),
  "without sanitizers": staying.map(([name, body]) => testOf(name, body, unsanitized)).join("\n"),
  "all kinds of steps": `Deno.test("steps", async (t) => {
    ${
    alone.map(([name, body]) => `await t.step(${JSON.stringify(name)}, async () => {\n${body}\n});`)
      .join("\n")
  }
  });`,
  "a hundred tests": `
    for (let i = 0; i < 100; i++) Deno.test("test " + i, async () => {
      if (i === 50) Promise.reject(new Error("beside"));
      await later();
    });`,
  "a hook throws": `
    addEventListener("unload", () => { throw new Error("unload"); });
    Deno.test("passes", () => {});`,
  "the module throws": `Deno.test("passes", () => {}); throw new Error("top level");`,
  "the module rejects": `Deno.test("passes", () => {}); Promise.reject(new Error("top"));`,
};

// What a runner notices beside the tests cancels all the others: so it has a file of its own.
for (const [name, body] of beside) {
  files[name] = ["", body, ""].map((body, i) => testOf(`test ${i}`, body)).join("\n");
}

let withoutModule: Promise<Outcome> | undefined;

/** Runs all files by one runner. */
async function runFiles(imports: string): Promise<Outcome> {
  const written = Object.entries(files).map(([name, source]): [string, string] => [
    `${name.replaceAll(" ", "_")}_test.ts`,
    fileOf(imports, source),
  ]);
  const outcome = await runTests("", { files: Object.fromEntries(written) });
  assertOutcome(outcome, ({ stdout }) => {
    assertEquals(stdout.match(/^started$/gm)?.length, written.length);
  });
  return outcome;
}

/** A run takes seconds. What both kinds of handlers and signals change is seen with all of them. */
const kinds = Object.entries(silent).slice(all ? 0 : -1);

for (const [kind, imports] of kinds) {
  Deno.test(`deno test: ${kind} changes no verdict of any file`, async () => {
    const plain = await (withoutModule ??= runFiles(""));
    const outcome = await runFiles(imports);
    assertOutcome(outcome, () => assertEquals(verdicts(outcome), verdicts(plain)));
  });
}

Deno.test("each file of tests starts from an empty registry, and a test can empty it", async () => {
  const outcome = await runTests(
    `
    import { register } from "@atexit/atexit";
    let released = 0;
    Deno.test("the library releases what it holds", () => {
      register(() => released++);
      dispatchEvent(new Event("unload"));
      if (released !== 1) throw new Error("not released");
    });
    Deno.test("the next test starts from an empty registry", () => {
      dispatchEvent(new Event("unload"));
      if (released !== 1) throw new Error("released twice");
    });
    Deno.test("handlers can be registered again", () => {
      register(() => console.log("at the end", released));
    });`,
    {
      files: {
        "b_test.ts": `
          import { exitReason } from "@atexit/atexit";
          Deno.test("the other file", () => console.log("reason", exitReason()));`,
      },
    },
  );
  assertOutcome(outcome, { code: 0, stdout: /ok \| 4 passed \| 0 failed/ });
  assertOutcome(outcome, ({ stdout }) => {
    assertEquals(stdout.match(/^at the end \d+|reason \w+/gm)?.sort(), [
      "at the end 1",
      "reason undefined",
    ]);
  });
});

Deno.test("under deno test the first handler that is registered after a refused Deno.exit() runs at the end", async () => {
  const { stdout } = await runTests(`
    const { exit } = Deno;
    const { register } = await import("@atexit/atexit");
    Deno.test("exits", () => {
      try { exit(0); } catch { /* It is refused. */ }
      register(() => console.log("handler"));
      console.log("registered");
    });`);
  assertEquals(stdout.match(/registered|handler/g), ["registered", "handler"]);
});

Deno.test("deno test: a module that exits at its top level after an await counts once", async () => {
  const source = "await new Promise((resolve) => setTimeout(resolve, 1)); Deno.exit(7);";
  const plain = await runTests(fileOf("", source));
  for (const [kind, imports] of kinds) {
    const outcome = await runTests(fileOf(imports, source));
    assertOutcome(outcome, () => assertEquals(verdicts(outcome), verdicts(plain), kind));
  }
});

Deno.test("deno test: Deno.exit(0) that is let through does not hide the failure of a handler", async () => {
  const outcome = await runTests(`
    import { register } from "@atexit/atexit";
    register(() => { throw new Error("bad"); });
    Deno.test("exits", { sanitizeExit: false }, () => Deno.exit(0));`);
  assertOutcome(outcome, { code: 1 });
  assertOutcome(outcome, ({ stdout, stderr }) => {
    assertEquals((stdout + stderr).split("Exception in atexit handler").length, 2);
  });
});
