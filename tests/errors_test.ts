// SystemExit, and what is said on stderr.

import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { SystemExit } from "../mod.ts";
import {
  assertOutcome,
  deno,
  fixture,
  mod,
  Program,
  run,
  runFixture,
  terminalScript,
  version,
} from "./program.ts";
import { withoutSignals, withoutTerminals } from "./skip.ts";

Deno.test("SystemExit checks its code", () => {
  assertEquals(new SystemExit().code, 0);
  assertEquals(new SystemExit(-1).code, -1);
  for (const code of [1.5, NaN, Infinity, 2 ** 31]) {
    assertThrows(
      () => new SystemExit(code),
      RangeError,
      `Cannot create SystemExit: expected a 32-bit integer as exit code, received ${code}`,
    );
  }
  for (const code of [null, {}, () => {}, true, 1n, Symbol()]) {
    assertThrows(
      () => new SystemExit(code as number),
      TypeError,
      "Cannot create SystemExit: expected a 32-bit integer as exit code, received",
    );
  }
});

Deno.test("SystemExit is an Error with a name and a message", () => {
  const error = new SystemExit(2);
  assertEquals(error instanceof Error, true);
  assertEquals([error.name, error.message], [
    "SystemExit",
    "The program is ending with exit code 2. If you catch this exception, rethrow it",
  ]);
});

Deno.test("SystemExit of a text has the code 1, and the text as its message", () => {
  for (const text of ["1", "usage: greet NAME", ""]) {
    const exit = new SystemExit(text);
    assertEquals([exit.code, exit.message, exit.name], [1, text, "SystemExit"]);
  }
});

Deno.test("SystemExit recognises its instances; classes derived from it only their own", () => {
  class Derived extends SystemExit {}
  assertEquals(new Derived(3) instanceof SystemExit, true);
  assertEquals(new Derived(3) instanceof Derived, true);
  assertEquals(new SystemExit(3) instanceof Derived, false);
  for (const value of [undefined, null, 3, "text", {}, { code: 3 }, new Error()]) {
    assertEquals((value as unknown) instanceof SystemExit, false);
  }
});

/** Programs that write to one stream what they do, and end with a text. */
const endsWithText = `
  import { register, registerAsync, SystemExit } from "@atexit/atexit";
  register(() => console.error("handler", Deno.exitCode));
`;

for (
  const [end, stderr, code] of [
    ['setTimeout(() => { throw new SystemExit("text"); });', "text\nhandler 1\n", 1],
    ['Promise.reject(new SystemExit("two\\nlines"));', "two\nlines\nhandler 1\n", 1],
    ['throw new SystemExit("text");', "text\nhandler 1\n", 1],
    ['throw new SystemExit("");', "\nhandler 1\n", 1],
    // Whatever then decides the status.
    [
      'register(() => Deno.exit(4)); Promise.reject(new SystemExit("text"));',
      "text\nhandler 4\n",
      4,
    ],
    // In a handler, at that time.
    ['register(() => { throw new SystemExit("text"); });', "text\nhandler 1\n", 1],
    [
      'registerAsync(async () => { await Promise.resolve(); throw new SystemExit("text"); });',
      "text\nhandler 1\n",
      1,
    ],
    ['try { throw new SystemExit("text"); } catch {}', "handler 0\n", 0],
    ['register(() => { try { throw new SystemExit("text"); } catch {} });', "handler 0\n", 0],
    [
      // No listener is shown it.
      'addEventListener("error", (event) => event.preventDefault()); setTimeout(() => { throw new SystemExit("text"); });',
      "text\nhandler 1\n",
      1,
    ],
  ] as const
) {
  Deno.test(`SystemExit of a text writes it and a newline, and no heading: ${end}`, async () => {
    assertOutcome(await run(endsWithText + end), { stderr, code });
  });
}

Deno.test("SystemExit whose code was spoilt ends with 1, and loses no handler", async () => {
  const ends = [
    "register(() => { throw spoilt; });",
    "registerAsync(async () => { await Promise.resolve(); throw spoilt; });",
    "setTimeout(() => { throw spoilt; });",
  ];
  for (const end of ends) {
    for (const code of ['(() => { throw new Error("getter"); })()', "Symbol()", '"text"', "1.5"]) {
      const outcome = await run(`
        import { register, registerAsync, SystemExit } from "@atexit/atexit";
        const spoilt = Object.defineProperty(new SystemExit(3), "code", { get: () => ${code} });
        register(() => console.log("last"));
        ${end}
      `);
      assertOutcome(outcome, { lines: ["last"], code: 1, stderr: "" });
    }
  }
});

Deno.test("an exception is reported with the handler's name, stack, cause and an AggregateError's errors", async () => {
  assertOutcome(await runFixture("handler_throws"), ({ stderr }) => {
    const report = stderr.slice(0, stderr.indexOf("Exception in atexit handler second:"));
    assertMatch(report, /^Exception in atexit handler first:\nError: first error\n {4}at first \(/);
    assertStringIncludes(report, "AggregateError: the cause");
    // Deno before 2.6 shows the errors of an AggregateError, but not where that is a cause.
    if (version >= 206) assertStringIncludes(report, "RangeError: inner error");
  });
});

Deno.test("a report does not count the places that an error shares with its cause", async () => {
  const program = `
    import { register, SystemExit } from "@atexit/atexit";
    register(() => { throw new SystemExit(3); });
    const fails = () => { throw new Error("outer", { cause: causes() }); };
    const causes = () => new Error("inner", { cause: new Error("innermost") });
    register(function direct() { throw new Error("outer", { cause: new Error("inner") }); });
    register(function nested() { fails(); });`;
  const outcome = await run(program);
  assertOutcome(outcome, { code: 3, counts: { "Error: outer": 2, registry: 0 } });
  // Before 2.6 Deno shows the calls instead of counting them.
  if (version < 206) return;
  assertOutcome(outcome, ({ stderr }) => {
    assertEquals(stderr.match(/\.\.\. \d+ lines/g), null);
    const direct = stderr.slice(stderr.indexOf("handler direct"));
    assertMatch(
      direct,
      /^ {4}at direct [^]*\{\n {2}\[cause\]: Error: inner\n {6}at direct /m,
    );
  });
});

Deno.test("a report names no place in the module, only those of the program", async () => {
  // The last one to fail is SystemExit, so that Deno prints nothing.
  const program = `
    import { register, registerAsync, SystemExit } from "@atexit/atexit";
    class Failure extends Error { extra = "property"; }
    register(() => { throw new SystemExit(3); });
    register(function boom() { throw new Failure("boom"); });
  `;
  const ends = ["", "Deno.exit();", "registerAsync(async () => { await 0; });"];
  const home = mod.slice(0, -"mod.ts".length);
  for (const end of ends) {
    assertOutcome(await run(program + end), ({ code, stderr }) => {
      assertEquals(code, 3);
      const [head, ...rest] = stderr.split("\n");
      assertEquals(head, "Exception in atexit handler boom:");
      assertMatch(rest.join("\n"), /^ {4}at boom \(file:.*main\.ts:5:\d+\)( \{|$)/m);
      assertMatch(
        rest.join("\n"),
        /^(Failure|Failure \[Error\]|Error): boom\n[^]* \{\n {2}extra: "property"\n\}$/m,
      );
      assertEquals(stderr.includes(home), false);
    });
  }
});

/** Runs a failing program by way of `env`, with arguments, and returns its first report. */
async function firstReport(args: string[]): Promise<string> {
  const program = [deno, "run", "--no-check", "--no-config", fixture("handler_throws")];
  // Of a place below this folder Deno shows in gray what is the folder's.
  const cwd = fileURLToPath(new URL("./fixtures/", import.meta.url));
  const { stdout, stderr } = await new Program([...args, ...program], { cwd }, "env").outcome();
  // Deno colors its own messages, which follow.
  const report = /^\S*Exception in atexit handler first[^]*?(?=^\S*Exception in)/m;
  return (stdout + stderr).match(report)?.[0] ?? stdout + stderr;
}

const plainHeading = "Exception in atexit handler first:\n";

Deno.test("a report has no colors where stderr is no terminal", {
  ignore: withoutSignals(),
}, async () => {
  const report = await firstReport(["-u", "NO_COLOR"]);
  assertStringIncludes(report, plainHeading);
  assertEquals(report.includes("\x1b["), false);
});

Deno.test({
  name:
    "a report has colors in a terminal, its heading those of Deno's own, and none where NO_COLOR is set",
  ignore: await withoutTerminals(),
  async fn() {
    const terminal = ["python3", terminalScript];
    const colored = await firstReport(["-u", "NO_COLOR", ...terminal]);
    const heading = "\x1b[0m\x1b[1m\x1b[31mException in atexit handler first\x1b[0m:\n";
    assertStringIncludes(colored, heading);
    // Deno before 2.6 shows errors without colors everywhere.
    const rest = colored.slice(colored.indexOf(heading) + heading.length);
    assertEquals(rest.includes("\x1b["), version >= 206);
    const plain = await firstReport(["NO_COLOR=1", ...terminal]);
    assertStringIncludes(plain, plainHeading);
    assertEquals(plain.includes("\x1b["), false);
  },
});

for (
  const value of ["undefined", "null", "symbol", "proxy", "revoked", "getters", "inspect"]
) {
  Deno.test(`anything can be thrown, reporting never throws: ${value}`, async () => {
    for (const how of ["dry", "exit"]) {
      assertOutcome(await runFixture("throws_hostile", { args: [value, how] }), {
        lines: ["first", "last"],
        code: 1,
        counts: { "Exception in atexit handler (anonymous) ": 1 },
      });
    }
  });
}

Deno.test("a synchronous handler that returns a promise is reported, and its rejection ends nothing", async () => {
  // Where the program goes on, and where it does not.
  const slow = "registerAsync(() => new Promise((resolve) => setTimeout(resolve, 5)));";
  for (const before of ["", slow]) {
    const outcome = await run(`
      import { register, registerAsync } from "@atexit/atexit";
      register(() => console.log("last"));
      ${before}
      register(function saves() { return Promise.reject(new Error("not saved")); });
    `);
    assertOutcome(outcome, {
      lines: ["last"],
      code: 0,
      stderr:
        /^The promise of atexit handler saves is not awaited: register the handler with registerAsync\(\)\n[\s\S]*Error: not saved/,
    });
  }
});
