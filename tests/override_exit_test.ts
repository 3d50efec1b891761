// overrideExit() on Deno alone: Deno.exit(), unload listeners, deno test.

import { assertOutcome, run } from "./program.ts";

/** How the programs begin. Handlers read the exit code and the reason. */
const head = `
  import process, { exit as importedExit } from "node:process";
  import { exitReason, overrideExit, register, registerAsync, SystemExit } from "@atexit/atexit";
  registerAsync(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    console.log("awaited", Deno.exitCode, exitReason().kind);
  });
`;

const exits = ["Deno.exit(3);", "process.exit(3);", "importedExit(3);", "savedExit(3);"];

for (const exit of exits) {
  Deno.test(`overrideExit() awaits handlers at ${exit} caught or not`, async () => {
    for (const kept of [exit, `try { ${exit} } catch (error) { console.log(error.name); }`]) {
      const outcome = await run(`${head}
        overrideExit();
        const { exit: savedExit } = Deno;
        ${kept}
      `);
      const lines = kept === exit ? [] : ["SystemExit"];
      assertOutcome(outcome, { lines: [...lines, "awaited 3 exit"], code: 3, stderr: "" });
    }
  });
}

Deno.test("overrideExit() is in force until each of its objects is disposed of", async () => {
  const program = (dispose: string) =>
    `${head}
    const [one, other] = [overrideExit(), overrideExit({ timeout: 1e9 })];
    ${dispose}
    Deno.exit(3);`;
  assertOutcome(await run(program("one[Symbol.dispose]();")), {
    lines: ["awaited 3 exit"],
    code: 3,
    stderr: "",
  });
  assertOutcome(await run(program("one[Symbol.dispose](); other[Symbol.dispose]();")), {
    lines: [],
    code: 3,
    stderr: /^Cannot await atexit handler/,
  });
});

Deno.test("overrideExit() with several timeouts keeps to the shortest one", async () => {
  const outcome = await run(`${head}
    registerAsync(function stuck() { return new Promise(() => setInterval(() => {}, 1_000)); });
    overrideExit({ timeout: 1e9 });
    overrideExit({ timeout: 2_000 });
    Deno.exit(3);
  `);
  assertOutcome(outcome, {
    lines: ["awaited 3 exit"],
    code: 1,
    stderr: /handler stuck:\n\[Error: .* within nine tenths of the 2000 ms/,
  });
});

Deno.test("overrideExit() lets an exit that joins a run wait for as long as it takes", async () => {
  const outcome = await run(`
    import { overrideExit, registerAsync } from "@atexit/atexit";
    registerAsync(async () => {
      setTimeout(() => Deno.exit(4));
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      console.log("awaited", Deno.exitCode);
    });
    overrideExit();
    Deno.exit(3);
  `);
  assertOutcome(outcome, { lines: ["awaited 3"], code: 3, stderr: "" });
});

Deno.test("overrideExit() has no effect in listeners of unload and of exit", async () => {
  const unload = await run(`${head}
    overrideExit();
    addEventListener("unload", () => { console.log("unload"); Deno.exit(4); });
    Deno.exit(3);
  `);
  assertOutcome(unload, { lines: ["awaited 3 exit", "unload"], code: 4, stderr: "" });
  const exit = await run(`${head}
    overrideExit();
    process.on("exit", (code) => { console.log("exit", code); process.exit(4); });
    Deno.exit(3);
  `);
  assertOutcome(exit, { lines: ["awaited 3 exit", "exit 3"], code: 4, stderr: "" });
});

Deno.test("overrideExit() in a listener of an error event returns, as exit() does", async () => {
  const outcome = await run(`${head}
    overrideExit();
    addEventListener("error", (event) => {
      event.preventDefault();
      Deno.exit(3);
      console.log("returned");
    });
    reportError("boom");
  `);
  assertOutcome(outcome, { lines: ["returned", "awaited 3 exit"], code: 3, stderr: "" });
});

Deno.test("overrideExit() has no effect under deno test", async () => {
  const outcome = await run(
    `
    import { overrideExit, register, SystemExit } from "@atexit/atexit";
    overrideExit();
    register(() => console.log("handler"));
    Deno.test("refused", () => {
      try { Deno.exit(0); } catch (error) { console.log(error instanceof SystemExit); }
      console.log("alive");
    });
  `,
    { command: ["test"], name: "main_test.ts" },
  );
  assertOutcome(outcome, { code: 0, stdout: /handler\nfalse\nalive\n/ });
});

Deno.test("overrideExit() throws at a bad timeout, and overrides nothing", async () => {
  const time = "Cannot override exit: expected a time in milliseconds";
  const rows = {
    "null": "TypeError: Cannot override exit: expected options, received null",
    '{ timeout: "1" }': `TypeError: ${time}, received "1"`,
    "{ timeout: -1 }": `RangeError: ${time}, a finite number of 0 or more, received -1`,
  };
  const outcome = await run(`
    import { overrideExit, registerAsync } from "@atexit/atexit";
    registerAsync(async function waits() { await new Promise(() => {}); });
    for (const call of [${Object.keys(rows).map((args) => `() => overrideExit(${args})`)}]) {
      try { call(); } catch (error) { console.log(String(error)); }
    }
    Deno.exit(3);
  `);
  assertOutcome(outcome, { lines: Object.values(rows), code: 3, stderr: /^Cannot await/ });
});
