// The examples do what they say, with the permissions that they say.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { assertOutcome, deno, type Options, type Outcome, Program } from "./program.ts";
import { withoutSignals } from "./skip.ts";

const ignore = withoutSignals();

/** A directory for what an example writes. */
class Directory implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync();

  async read(name: string): Promise<string> {
    return await Deno.readTextFile(`${this.path}/${name}`);
  }

  async write(name: string, text: string): Promise<void> {
    await Deno.writeTextFile(`${this.path}/${name}`, text);
  }

  /** The names of what is in it, in order. */
  names(): string[] {
    return Array.from(Deno.readDirSync(this.path), ({ name }) => name).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** The flags in the line of an example's header that says how to run it. */
async function flagsOf(name: string): Promise<string[]> {
  const source = await Deno.readTextFile(new URL(`../examples/${name}.ts`, import.meta.url));
  const header = source.slice(0, source.indexOf("\nimport "));
  const line = header.match(new RegExp(`^//   deno run (.*)examples/${name}\\.ts`, "m"));
  if (!line) throw new Error(`The header of ${name}.ts does not say how to run it`);
  return line[1].split(" ").filter((flag) => flag !== "");
}

/** Starts an example the way its header says. */
async function start(name: string, options: Options = {}): Promise<Program> {
  const { args = [], command = ["run", ...await flagsOf(name)] } = options;
  const url = new URL(`../examples/${name}.ts`, import.meta.url).href;
  return new Program([...command, url, ...args], options);
}

/** Runs an example until its end. */
async function run(name: string, options: Options = {}): Promise<Outcome> {
  return await (await start(name, options)).outcome();
}

// ------------------------------------------------------------------------------------- counter

Deno.test("counter.ts counts up from run to run", async () => {
  await using directory = new Directory();
  for (const count of ["1", "2", "3"]) {
    const outcome = await run("counter", { cwd: directory.path });
    assertOutcome(outcome, { lines: [count], code: 0, stderr: "" });
  }
  assertEquals(directory.names(), ["counterfile"]);
  assertEquals(await directory.read("counterfile"), "3\n");
});

Deno.test("counter.ts counts up with -RW, which is easier to type", async () => {
  await using directory = new Directory();
  const options = { cwd: directory.path, command: ["run", "-RW"] };
  for (const count of ["1", "2", "3"]) {
    assertOutcome(await run("counter", options), { lines: [count] });
  }
});

Deno.test("counter.ts saves the count at Deno.exit() and at an uncaught error", async () => {
  await using directory = new Directory();
  const cwd = directory.path;
  const exited = await run("counter", { cwd, args: ["exit"] });
  assertOutcome(exited, { lines: ["1"], code: 3, stderr: "" });
  assertOutcome(await run("counter", { cwd, args: ["throw"] }), {
    lines: ["2"],
    code: 1,
    stderr: /^error: Uncaught .*Error: The count is saved all the same\n/,
  });
  assertOutcome(await run("counter", { cwd }), { lines: ["3"] });
});

Deno.test("counter.ts does not write over a file that it cannot read", async () => {
  await using directory = new Directory();
  for (const text of ["", "many", "-1", "1.5", "9007199254740993"]) {
    await directory.write("counterfile", text);
    assertOutcome(await run("counter", { cwd: directory.path }), {
      stdout: "",
      code: 1,
      counts: { [`counterfile contains "${text}" instead of a number`]: 1 },
    });
    assertEquals(await directory.read("counterfile"), text);
  }
});

// -------------------------------------------------------------------------- goodbye, decorator

Deno.test("goodbye.ts passes the arguments", async () => {
  assertOutcome(await run("goodbye"), {
    lines: [
      "Last registered, first run:",
      "Goodbye Walter, it was good to meet you.",
      "Goodbye Maude, it was great to meet you.",
      "Goodbye Donny, it was nice to meet you.",
    ],
    code: 0,
    stderr: "",
  });
});

Deno.test("decorator.ts calls the method with the class", async () => {
  assertOutcome(await run("decorator"), {
    lines: ["You have seen the decorator and its class. Goodbye."],
    code: 0,
    stderr: "",
  });
});

// ------------------------------------------------------------------------------------- history

Deno.test("history.ts keeps the history at .exit and at the end of the input", async () => {
  await using directory = new Directory();
  const cwd = directory.path;
  const first = await run("history", { cwd, stdin: "6 * 7\n\n1 - 1.5\n.exit\n2 + 2\n" });
  assertOutcome(first, { lines: ["42", "-0.5"], code: 0, stderr: "" });
  assertEquals(await directory.read("calculator_history"), "6 * 7\n1 - 1.5\n");
  const second = await run("history", { cwd, stdin: "six\r\n1 / 4\r\n.history" });
  assertOutcome(second, {
    lines: [
      "Cannot calculate six: expected two numbers, such as 6 * 7",
      "0.25",
      "6 * 7",
      "1 - 1.5",
      "six",
      "1 / 4",
    ],
    code: 0,
    stderr: "",
  });
  assertEquals(await directory.read("calculator_history"), "6 * 7\n1 - 1.5\nsix\n1 / 4\n");
});

Deno.test("history.ts keeps the history at Ctrl-C", { ignore }, async () => {
  await using directory = new Directory();
  // Its stdin is a pipe with a name, which the test holds open.
  const { path } = directory;
  await makePipe(`${path}/keyboard`);
  const flags = await flagsOf("history");
  const url = new URL("../examples/history.ts", import.meta.url).href;
  const script = 'exec "$@" < keyboard';
  await using program = new Program(["-c", script, "sh", deno, "run", ...flags, url], {
    cwd: path,
  }, "sh");
  using keyboard = await Deno.open(`${path}/keyboard`, { write: true });
  await keyboard.write(new TextEncoder().encode("6 * 7\n"));
  await program.says("42\n");
  program.kill("SIGINT");
  assertOutcome(await program.outcome(), { code: 130, stderr: "" });
  assertEquals(await directory.read("calculator_history"), "6 * 7\n");
});

// ------------------------------------------------------------------------------------- tempdir

Deno.test("tempdir.ts leaves no directory behind when it is done", async () => {
  await using directory = new Directory();
  await directory.write("one.txt", "The quick brown fox jumps");
  await directory.write("two.txt", "over the lazy dog, and the cat.");
  const outcome = await run("tempdir", { cwd: directory.path, args: ["one.txt", "two.txt"] });
  assertOutcome(outcome, {
    lines: "and brown cat dog fox jumps lazy over quick the".split(" "),
    code: 0,
    stderr: "",
  });
  assertEquals(directory.names(), ["one.txt", "two.txt"]);
});

Deno.test("tempdir.ts leaves no directory behind when it fails halfway", async () => {
  await using directory = new Directory();
  await directory.write("one.txt", "The quick brown fox jumps");
  const outcome = await run("tempdir", { cwd: directory.path, args: ["one.txt", "missing.txt"] });
  assertOutcome(outcome, {
    stdout: "",
    code: 1,
    stderr: /^error: Uncaught .*NotFound: .*missing\.txt/,
  });
  assertEquals(directory.names(), ["one.txt"]);
});

Deno.test("tempdir.ts leaves no directory behind at SIGTERM", { ignore }, async () => {
  await using directory = new Directory();
  await directory.write("one.txt", "The quick brown fox jumps");
  await makePipe(`${directory.path}/pipe`);
  await using program = await start("tempdir", {
    cwd: directory.path,
    args: ["one.txt", "pipe"],
  });
  // Opened as soon as the program opens it to read from it: then it is halfway through.
  using _pipe = await Deno.open(`${directory.path}/pipe`, { write: true });
  assertMatch(directory.names().join(" "), /^one\.txt pipe words-\w+$/);
  program.kill("SIGTERM");
  assertOutcome(await program.outcome(), { stdout: "", stderr: "", code: 143 });
  assertEquals(directory.names(), ["one.txt", "pipe"]);
});

/** Makes a pipe with a name. */
async function makePipe(path: string): Promise<void> {
  const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
  assert(success);
}

// -------------------------------------------------------------------------------------- server

/** A port that nobody uses. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Starts the server in a directory, and tells its address. */
async function startServer(
  cwd: string,
  flags: string[] = [],
): Promise<{ program: Program; url: string }> {
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const command = ["run", ...await flagsOf("server"), ...flags];
  const program = await start("server", { cwd, command, args: [`${port}`] });
  await program.says(`Listening on ${url}\n`);
  return { program, url };
}

/** Sends a signal, and asserts that what is new is refused while a request is under way. */
async function stopServer(program: Program, url: string, signal: Deno.Signal): Promise<void> {
  program.kill(signal);
  await program.says("Finishing the requests under way\n");
  const response = await fetch(url);
  assertEquals([response.status, await response.text()], [503, "The server ends\n"]);
}

Deno.test("server.ts keeps notes, and closes its store at Ctrl-C", { ignore }, async () => {
  await using directory = new Directory();
  const { program, url } = await startServer(directory.path);
  await using _program = program;
  const first = await fetch(url, { method: "POST", body: "Feed the cat" });
  assertEquals(await first.text(), "Feed the cat\n");
  const second = await fetch(`${url}/again`, { method: "POST", body: "Buy milk" });
  assertEquals(await second.text(), "Feed the cat\nBuy milk\n");
  program.kill("SIGINT");
  assertOutcome(await program.outcome(), {
    lines: [
      `Listening on ${url}`,
      "POST /",
      "POST /again",
      "Finishing the requests under way",
      "Store closed",
    ],
    stderr: "",
    code: 130,
  });
  assertEquals(await directory.read("notes.txt"), "Feed the cat\nBuy milk\n");
});

Deno.test("server.ts starts on a port that is free", { ignore }, async () => {
  await using directory = new Directory();
  await using program = await start("server", { cwd: directory.path, args: ["0"] });
  await program.says("\n");
  program.kill("SIGHUP");
  assertOutcome(await program.outcome(), {
    stdout:
      /^Listening on http:\/\/127.0.0.1:[1-9]\d*\nFinishing the requests under way\nStore closed\n$/,
    stderr: "",
    code: 129,
  });
});

Deno.test("server.ts closes its store when it cannot start", async () => {
  await using directory = new Directory();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const args = [`${listener.addr.port}`];
  assertOutcome(await run("server", { cwd: directory.path, args }), {
    lines: ["Store closed"],
    code: 1,
    stderr: /^error: Uncaught .*AddrInUse/,
  });
});

for (
  const [title, flags, signal, status] of [
    ["exits with 128 and the signal's number", [], "SIGTERM", { code: 143 }],
    ["dies by the signal where it may", ["--allow-run"], "SIGINT", { signal: "SIGINT" }],
  ] as const
) {
  Deno.test(`server.ts finishes the response under way and ${title}`, { ignore }, async () => {
    await using directory = new Directory();
    const notes = "Buy milk\n".repeat(4_000_000); // More than the system takes off the server.
    await directory.write("notes.txt", notes);
    const { program, url } = await startServer(directory.path, [...flags]);
    await using _program = program;
    const response = await fetch(url);
    await program.says("GET /\n");
    program.kill(signal);
    await program.says("Finishing the requests under way\n");
    assert(await response.text() === notes, "The response is not complete");
    assertOutcome(await program.outcome(), {
      lines: [
        `Listening on ${url}`,
        "GET /",
        "Finishing the requests under way",
        "Store closed",
      ],
      stderr: "",
      ...status,
    });
  });
}

Deno.test("server.ts takes the rest of a note that is under way", { ignore }, async () => {
  await using directory = new Directory();
  const { program, url } = await startServer(directory.path);
  await using _program = program;
  const { readable, writable } = new TransformStream<string, string>();
  const writer = writable.getWriter();
  writer.write("Buy ");
  const body = readable.pipeThrough(new TextEncoderStream());
  const responding = fetch(url, { method: "POST", body });
  await program.says("POST /\n");
  await stopServer(program, url, "SIGTERM");
  writer.write("milk");
  writer.close();
  assertEquals(await (await responding).text(), "Buy milk\n");
  assertOutcome(await program.outcome(), { stderr: "", code: 143 });
  assertEquals(await directory.read("notes.txt"), "Buy milk\n");
});

Deno.test("server.ts closes streams that never end", { ignore }, async () => {
  await using directory = new Directory();
  const { program, url } = await startServer(directory.path);
  await using _program = program;
  const events = await fetch(`${url}/events`);
  const socket = new WebSocket(`${url.replace("http", "ws")}/socket`);
  await new Promise((resolve) => socket.onopen = resolve);
  const messages: string[] = [];
  const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
  const told = new Promise<void>((resolve) => {
    socket.onmessage = ({ data }) => resolve(void messages.push(data));
  });
  await (await fetch(url, { method: "POST", body: "Buy milk" })).text();
  await told;
  program.kill("SIGINT");
  assertEquals(await events.text(), ": connected\n\ndata: Buy milk\n\n");
  const { code, reason } = await closed;
  assertEquals([messages, code, reason], [["Buy milk"], 1001, "The server ends"]);
  assertOutcome(await program.outcome(), { stderr: "", code: 130 });
});

Deno.test("server.ts closes its store though its terminal is closed", { ignore }, async () => {
  await using directory = new Directory();
  // What it prints goes to a pipe whose reader has gone when it says that it listens.
  const url = new URL("../examples/server.ts", import.meta.url).href;
  const script = '{ "$@" & echo $! > pid; wait $!; echo $? > status; } | head -n 1';
  const args = ["-c", script, "sh", deno, "run", ...await flagsOf("server"), url, "0"];
  await using program = new Program(args, { cwd: directory.path }, "sh");
  await program.says("Listening on");
  Deno.kill(Number(await directory.read("pid")), "SIGHUP");
  assertOutcome(await program.outcome(), { code: 0 });
  assertEquals(await directory.read("status"), "129\n");
});

// ---------------------------------------------------------------------------- cli, crash_report

Deno.test("cli.ts sorts lines, to a file or to stdout", async () => {
  await using directory = new Directory();
  await directory.write("one.txt", "pear\napple\n");
  await directory.write("two.txt", "orange\n");
  const cwd = directory.path;
  const files = ["one.txt", "two.txt"];
  assertOutcome(await run("cli", { cwd, args: files }), {
    lines: ["apple", "orange", "pear"],
    code: 0,
    stderr: "",
  });
  const written = await run("cli", { cwd, args: ["-r", "--output", "sorted.txt", ...files] });
  assertOutcome(written, { stdout: "", code: 0, stderr: "" });
  assertEquals(await directory.read("sorted.txt"), "pear\norange\napple\n");
  assertEquals(directory.names(), ["one.txt", "sorted.txt", "two.txt"]);
});

Deno.test("cli.ts shows its usage, with status 0 if asked for it and 2 if called wrongly", async () => {
  const help = await run("cli", { args: ["--help"] });
  assertOutcome(help, { stdout: /^Usage: cli\.ts /, code: 0, stderr: "" });
  for (const args of [[], ["--unknown", "file"], ["--output"]]) {
    assertOutcome(await run("cli", { args }), { stdout: "", code: 2, stderr: /^.+\n\nUsage: / });
  }
});

Deno.test("cli.ts leaves no incomplete output behind", async () => {
  await using directory = new Directory();
  await directory.write("one.txt", "pear\n");
  await Deno.mkdir(`${directory.path}/sorted`); // So that it cannot be replaced.
  const args = ["--output", "sorted", "one.txt"];
  assertOutcome(await run("cli", { cwd: directory.path, args }), {
    stdout: "",
    code: 1,
    stderr: /^error: Uncaught .*sorted/,
  });
  assertEquals(directory.names(), ["one.txt", "sorted"]);
});

Deno.test("crash_report.ts reports what nobody has handled, and nothing else", async () => {
  const ends = { throw: [1, "Error: Out of milk"], reject: [1, '"Out of milk"'] } as const;
  for (const [how, [code, error]] of Object.entries(ends)) {
    await using directory = new Directory();
    assertOutcome(await run("crash_report", { cwd: directory.path, args: [how] }), {
      code,
      counts: { "Please send us crash.txt": 1, "error: Uncaught": 1 },
    });
    const report = await directory.read("crash.txt");
    assertMatch(report, /^\d{4}-.*Z\nDeno 2\..*\nstarted\nasked to /);
    assert(report.includes(error), report);
  }
  for (const [how, code] of [["fine", 0], ["exit", 3]] as const) {
    await using directory = new Directory();
    assertOutcome(await run("crash_report", { cwd: directory.path, args: [how] }), {
      code,
      stderr: "",
    });
    assertEquals(directory.names(), []);
  }
});

// ----------------------------------------------------------------------------------- logbuffer

for (const [how, status] of [["done", 0], ["exit", 3], ["now", 3], ["throw", 1]] as const) {
  Deno.test(`logbuffer.ts writes the log: ${how}`, async () => {
    await using directory = new Directory();
    assertOutcome(await run("logbuffer", { cwd: directory.path, args: [how] }), {
      stdout: "",
      code: status,
      stderr: how === "throw" ? /^error: Uncaught .*Error: The log is written/ : "",
    });
    assertEquals(await directory.read("app.log"), `started\nended with status ${status}\n`);
  });
}

Deno.test("logbuffer.ts writes the log: a signal", { ignore }, async () => {
  for (const [signal, status] of [["SIGHUP", 129], ["SIGINT", 130], ["SIGTERM", 143]] as const) {
    await using directory = new Directory();
    await using program = await start("logbuffer", { cwd: directory.path, args: ["wait"] });
    await program.says("Waiting for a signal\n");
    program.kill(signal);
    assertOutcome(await program.outcome(), { stderr: "", code: status });
    assertEquals(await directory.read("app.log"), `started\nended with status ${status}\n`);
  }
});

// --------------------------------------------------------------------------------------- child

/** Asserts that an example has started a child that is gone. */
function assertChildEnded(outcome: Outcome): void {
  // The child's stderr is the program's: its outcome is there when both have closed it.
  const [pid] = outcome.stdout.match(/\d+/) ?? [];
  assertOutcome(outcome, { lines: [`Child ${pid} is running`, `Child ${pid} has ended`] });
  if (ignore) return;
  assertThrows(() => Deno.kill(Number(pid), "SIGCONT"), Deno.errors.NotFound);
}

for (const [how, status] of [["done", 0], ["exit", 3], ["throw", 1]] as const) {
  Deno.test(`child.ts takes its child with it: ${how}`, async () => {
    const outcome = await run("child", { args: [how] });
    assertChildEnded(outcome);
    assertOutcome(outcome, {
      code: status,
      stderr: how === "throw" ? /^error: Uncaught .*Error: The child ends/ : "",
    });
  });
}

Deno.test("child.ts takes its child with it: a signal", { ignore }, async () => {
  for (const [signal, status] of [["SIGHUP", 129], ["SIGINT", 130], ["SIGTERM", 143]] as const) {
    await using program = await start("child");
    await program.says("is running\n");
    program.kill(signal);
    const outcome = await program.outcome();
    assertChildEnded(outcome);
    assertOutcome(outcome, { stderr: "", code: status });
  }
});

Deno.test("a task of examples/dev leaves nothing behind at Ctrl-C", { ignore }, async () => {
  const cwd = fileURLToPath(new URL("../examples/dev", import.meta.url));
  const names = () => Array.from(Deno.readDirSync(cwd), ({ name }) => name).sort();
  // Of the newest Deno: `deno task` of older ones does not pass a signal on.
  await using program = new Program(["task", "--quiet", "dev"], { cwd }, Deno.execPath());
  await program.says("Serving ./scratch-");
  assertEquals(names().length, 3);
  program.kill("SIGINT");
  assertOutcome(await program.outcome(), { code: 130 });
  assertEquals(names(), ["deno.json", "dev.ts"]);
});
