// When a run happens on Deno alone. Ends that other runtimes have, too, are in portable_ends_test.ts.

import { assertEquals } from "@std/assert";
import { assertOutcome, fixture, run, version } from "./program.ts";

/** How most programs begin. */
const twoHandlers = `
  import { register, SystemExit } from "@atexit/atexit";
  register(() => console.log("first", Deno.exitCode));
  register(() => console.log("second", Deno.exitCode));
`;

/** What the two handlers print: last registered first, with the exit code. */
const handlers = (code: number) => [`second ${code}`, `first ${code}`];

Deno.test("no handler runs while a beforeunload listener objects", async () => {
  const outcome = await run(`${twoHandlers}
    let objections = 2;
    addEventListener("beforeunload", (event) => {
      console.log("beforeunload", objections);
      if (objections-- > 0) {
        event.preventDefault();
        setTimeout(() => console.log("more work"), 1);
      }
    });
  `);
  assertOutcome(outcome, {
    lines: [
      "beforeunload 2",
      "more work",
      "beforeunload 1",
      "more work",
      "beforeunload 0",
      ...handlers(0),
    ],
  });
});

Deno.test("Deno.exit runs the handlers though it was saved before the import", async () => {
  const outcome = await run(`
    const saved = Deno.exit;
    const { register } = await import("@atexit/atexit");
    register(() => console.log("handler", Deno.exitCode));
    saved(3);
  `);
  assertOutcome(outcome, { lines: ["handler 3"], code: 3 });
});

Deno.test({
  name: "no end loads Deno's timers, which takes longer than the rest of the module",
  ignore: version < 209, // They are always loaded.
  async fn() {
    const ends = [
      ["exitOnSignals();"],
      ["setGracePeriod(5_000);"],
      ["exit(3);", 3],
      ["exit(3, { timeout: 5_000 });", 3],
      ["try { exit(3, { timeout: 200 }); } catch {} await new Promise(() => {});", 3],
      ["throw new SystemExit(3);", 3],
      ["exitOnSignals(); Deno.kill(Deno.pid, 'SIGTERM'); await new Promise(() => {});", 143],
    ] as const;
    await Promise.all(ends.map(async ([end, code = 0]) => {
      const outcome = await run(`
        const { get, ...descriptor } = Object.getOwnPropertyDescriptor(globalThis, "setTimeout");
        const spy = () => {
          console.log("loaded");
          return get.call(globalThis);
        };
        Object.defineProperty(globalThis, "setTimeout", { ...descriptor, get: spy });
        const { exit, exitOnSignals, register, registerAsync, setGracePeriod, SystemExit } =
          await import("@atexit/atexit");
        registerAsync(async () => {
          await 1;
          console.log("awaited");
        });
        ${end}
      `);
      assertOutcome(outcome, { lines: ["awaited"], code });
    }));
  },
});

const brokenPorts = {
  "removed MessageChannel": "delete globalThis.MessageChannel;",
  "replaced MessageChannel": "globalThis.MessageChannel = () => {};",
};

for (const [name, statement] of Object.entries(brokenPorts)) {
  Deno.test(`an exit() that is caught takes effect though the program has ${name}`, async () => {
    const outcome = await run(`
      ${statement}
      const { exit, registerAsync } = await import("@atexit/atexit");
      registerAsync(async () => {
        await 1;
        console.log("awaited");
      });
      try { exit(3, { timeout: 200 }); } catch {}
      await new Promise(() => {});
    `);
    assertOutcome(outcome, { lines: ["awaited"], code: 3 });
  });
}

Deno.test("Deno prints the error itself as it would without the module", async () => {
  const imports = 'import { register, registerAsync } from "@atexit/atexit";';
  const kinds: Record<string, [handlers: string, lines: string[]]> = {
    "a synchronous handler": [
      `${imports} register(() => console.log("handler", Deno.exitCode));`,
      ["handler 1"],
    ],
    "an asynchronous handler": [
      `${imports} registerAsync(async () => {
         await new Promise((resolve) => setTimeout(resolve, 1));
         console.log("handler", Deno.exitCode);
       });`,
      ["handler 1"],
    ],
  };
  const end = `import { endWithValue } from "${fixture("end_with_value")}"; endWithValue();`;
  const place = /file:\S+/g; // The only difference.
  for (const how of ["throw", "reject"]) {
    for (const value of ["error", "undefined", "null", "string", "object"]) {
      const plain = await run(end, { args: [how, value] });
      assertOutcome(plain, { code: 1, stderr: /^error: Uncaught / });
      for (const [kind, [handlers, lines]] of Object.entries(kinds)) {
        const outcome = await run(`${handlers} ${end}`, { args: [how, value] });
        assertOutcome(outcome, { lines, code: 1 });
        assertOutcome(outcome, ({ stderr }) => {
          assertEquals(stderr.replace(place, ""), plain.stderr.replace(place, ""), kind);
        });
      }
    }
  }
});

Deno.test("SystemExit leaves a program with finally blocks and using disposals", async () => {
  const atTopLevel = await run(`${twoHandlers}
    try {
      throw new SystemExit(4);
    } finally {
      console.log("finally");
    }
  `);
  assertOutcome(atTopLevel, { lines: ["finally", ...handlers(4)], code: 4, stderr: "" });
  const rejected = await run(`${twoHandlers}
    (async () => {
      using _ = { [Symbol.dispose]: () => console.log("disposed") };
      await Promise.resolve();
      throw new SystemExit(4);
    })();
    setInterval(() => {}, 1000);
  `);
  assertOutcome(rejected, { lines: ["disposed", ...handlers(4)], code: 4, stderr: "" });
});

Deno.test("handlers run at the end of a deno test and of a deno bench module", async () => {
  const test = await run(`${twoHandlers} Deno.test("passes", () => {});`, { command: ["test"] });
  assertOutcome(test, { stdout: /passes \.\.\. .*ok[\s\S]*second 0\nfirst 0\n/, code: 0 });
  const bench = await run(
    `${twoHandlers} Deno.bench("does nothing", { n: 1, warmup: 0 }, () => {});`,
    { command: ["bench"] },
  );
  // The runner may print its table in between.
  assertOutcome(bench, ({ lines }) => {
    assertEquals(lines.filter((line) => /^(second|first) /.test(line)), handlers(0));
  });
});

Deno.test("handlers run in deno serve", async () => {
  const server = `${twoHandlers} export default { fetch: () => new Response("ok") };`;
  const command = ["serve", "--port", "0", "--host", "127.0.0.1"];
  const exited = await run(`${server} setTimeout(() => Deno.exit(3), 1);`, { command });
  assertOutcome(exited, { stdout: /second 3\nfirst 3\n$/, code: 3 });
  const thrown = await run(`${server} setTimeout(() => { throw new Error("boom"); });`, {
    command,
  });
  assertOutcome(thrown, { stdout: /second 1\nfirst 1\n$/, code: 1 });
});
