// The programs of docs/recipes.md that listen, wait, or start other processes do what the page says. (Those
// that are followed by a session are run by docs_test.ts, the others by `deno test --doc`.)

import { assert, assertEquals, assertThrows } from "@std/assert";
import { readProgram } from "./pages.ts";
import {
  assertOutcome,
  freePort,
  type Outcome,
  type Program,
  type SourceOptions,
  start,
} from "./program.ts";
import { withoutSignals } from "./skip.ts";

const ignore = withoutSignals();
const page = "docs/recipes.md";

/** Starts a recipe with all permissions, and with replacements in its text. */
function startRecipe(
  heading: string,
  replacements: Record<string, string> = {},
  options: SourceOptions = {},
): Program {
  let source = readProgram(page, heading);
  for (const [text, replacement] of Object.entries(replacements)) {
    assert(source.includes(text), text);
    source = source.replace(text, replacement);
  }
  return start(source, { command: ["run", "-A"], ...options });
}

/** Asserts that the process whose number a program has printed is gone. */
function assertGone({ stdout }: Outcome): void {
  const [, pid] = stdout.match(/^Started (\d+)$/m) ?? [];
  assertThrows(() => Deno.kill(Number(pid), "SIGCONT"), Deno.errors.NotFound);
}

for (const heading of ["A child process", "A child and its children"]) {
  Deno.test(`recipe: ${heading}: killed at SIGTERM`, { ignore }, async () => {
    await using program = startRecipe(heading);
    await program.says("Started ");
    await program.says("\n");
    program.kill("SIGTERM");
    // Each child holds the output of the program: its outcome is there when all are gone.
    const outcome = await program.outcome();
    assertOutcome(outcome, { code: 143, stderr: "" });
    assertGone(outcome);
  });
}

Deno.test("recipe: the main program asks its worker to end", { ignore }, async () => {
  const heading = "Workers";
  await using program = start(
    `${readProgram(page, heading)}
    worker.postMessage("ping");
    setTimeout(() => console.log("ready"), 500);`,
    {
      command: ["run", "-A"],
      files: {
        "worker.ts": readProgram(page, heading, 1)
          .replace(
            'postMessage("closed")',
            "(console.log('worker closed'), postMessage(\"closed\"))",
          ),
      },
    },
  );
  await program.says("ready\n");
  program.kill("SIGTERM");
  assertOutcome(await program.outcome(), {
    lines: ["ready", "worker closed"],
    code: 143,
    stderr: "",
  });
});

Deno.test("recipe: Deno.serve() refuses new connections at SIGTERM", { ignore }, async () => {
  const port = freePort();
  await using program = startRecipe("Deno.serve", {
    "port: 8000": `port: ${port}, onListen: () => console.log("Listening")`,
  });
  await program.says("Listening\n");
  assertEquals(await (await fetch(`http://127.0.0.1:${port}`)).text(), "Hello\n");
  program.kill("SIGTERM");
  assertOutcome(await program.outcome(), { code: 143, stderr: "" });
});

Deno.test(
  "recipe: node:http answers what is under way, and closes idle connections",
  { ignore },
  async () => {
    const port = freePort();
    await using program = startRecipe("node:http, with keep-alive", {
      "8000": port,
      "(_request, response) => {": "(_request, response) => { console.log('request');",
    });
    await program.says("Listening\n");
    using client = Deno.createHttpClient({ poolMaxIdlePerHost: 4 }); // keeps a connection alive
    const url = `http://127.0.0.1:${port}`;
    assertEquals(await (await fetch(url, { client })).text(), "Hello\n");
    const underWay = fetch(url, { client });
    await program.says("request\n", 2);
    const start = performance.now();
    program.kill("SIGTERM");
    assertEquals(await (await underWay).text(), "Hello\n");
    assertOutcome(await program.outcome(), { code: 143, stderr: "" });
    assert(
      performance.now() - start < 4_500,
      "A connection that is kept alive has held up the end",
    );
  },
);

Deno.test("recipe: the readiness probe fails before the server closes", { ignore }, async () => {
  const port = freePort();
  await using program = startRecipe("Draining with a readiness probe", {
    "8000": port,
    "10_000": "1_500",
    "isReady = false;": "isReady = false; console.log('draining');",
  });
  await program.says("Listening\n");
  const url = `http://127.0.0.1:${port}`;
  const getStatus = async (path: string) => {
    const response = await fetch(`${url}${path}`);
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await getStatus("/ready"), 200);
  program.kill("SIGTERM");
  await program.says("draining\n");
  assertEquals([await getStatus("/ready"), await getStatus("/")], [503, 200]);
  assertOutcome(await program.outcome(), { code: 143, stderr: "" });
});

Deno.test("recipe: streams and web sockets are closed at SIGTERM", { ignore }, async () => {
  const port = freePort();
  await using program = startRecipe("Server-sent events and web sockets", {
    "port: 8000": `port: ${port}, onListen: () => console.log("Listening")`,
  });
  await program.says("Listening\n");
  const events = await fetch(`http://127.0.0.1:${port}`);
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  await new Promise((resolve) => socket.onopen = resolve);
  const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
  program.kill("SIGTERM");
  assertEquals(await events.text(), ": connected\n\n");
  const { code, reason } = await closed;
  assertEquals([code, reason], [1001, "The server ends"]);
  assertOutcome(await program.outcome(), { code: 143, stderr: "" });
});

Deno.test("recipe: the terminal is restored at SIGTERM", { ignore }, async () => {
  await using program = startRecipe("The terminal");
  await program.says("\x1b[?1049h\x1b[?25l");
  program.kill("SIGTERM");
  assertOutcome(await program.outcome(), {
    stdout: "\x1b[?1049h\x1b[?25l\x1b[?25h\x1b[?1049l",
    code: 143,
    stderr: "",
  });
});

Deno.test("recipe: a prompt that is cancelled ends the program with 130", async () => {
  await using program = startRecipe("Prompts");
  assertOutcome(await program.outcome(), { code: 130, stdout: "", stderr: "" });
});

Deno.test("recipe: status 0 at SIGTERM, and 130 at SIGINT", { ignore }, async () => {
  for (const [signal, code] of [["SIGTERM", 0], ["SIGINT", 130]] as const) {
    await using program = startRecipe("Status 0 at SIGTERM", {}, { command: ["run"] });
    await program.says("Working\n");
    program.kill(signal);
    assertOutcome(await program.outcome(), { code, stderr: "" });
  }
});
