// The examples do what they say, with the permissions that they say.

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { deno, type Options, type Outcome, Program, version } from "./program.ts";

const ignore = Deno.build.os === "windows"; // It has no signals that a test could send.

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
    const { lines, code, stderr } = await run("counter", { cwd: directory.path });
    assertEquals([lines, code, stderr], [[count], 0, ""]);
  }
  assertEquals(directory.names(), ["counterfile"]);
  assertEquals(await directory.read("counterfile"), "3\n");
});

Deno.test("counter.ts counts up with -RW, which is easier to type", async () => {
  await using directory = new Directory();
  const options = { cwd: directory.path, command: ["run", "-RW"] };
  for (const count of ["1", "2", "3"]) {
    assertEquals((await run("counter", options)).lines, [count]);
  }
});

Deno.test("counter.ts saves the count at Deno.exit() and at an uncaught error", async () => {
  await using directory = new Directory();
  const cwd = directory.path;
  const exited = await run("counter", { cwd, args: ["exit"] });
  assertEquals([exited.lines, exited.code, exited.stderr], [["1"], 3, ""]);
  const thrown = await run("counter", { cwd, args: ["throw"] });
  assertEquals([thrown.lines, thrown.code], [["2"], 1]);
  assertMatch(thrown.stderr, /^error: Uncaught .*Error: The count is saved all the same\n/);
  assertEquals((await run("counter", { cwd })).lines, ["3"]);
});

Deno.test("counter.ts does not write over a file that it cannot read", async () => {
  await using directory = new Directory();
  for (const text of ["", "many", "-1", "1.5", "9007199254740993"]) {
    await directory.write("counterfile", text);
    const { stdout, stderr, code } = await run("counter", { cwd: directory.path });
    assertEquals([stdout, code], ["", 1]);
    assertStringIncludes(stderr, `counterfile contains "${text}" instead of a number`);
    assertEquals(await directory.read("counterfile"), text);
  }
});

// -------------------------------------------------------------------------- goodbye, decorator

Deno.test("goodbye.ts passes the arguments", async () => {
  const { lines, code, stderr } = await run("goodbye");
  assertEquals(lines, [
    "Last registered, first run:",
    "Goodbye Walter, it was good to meet you.",
    "Goodbye Maude, it was great to meet you.",
    "Goodbye Donny, it was nice to meet you.",
  ]);
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("decorator.ts calls the method with the class", async () => {
  const { lines, code, stderr } = await run("decorator");
  assertEquals(lines, ["You have seen the decorator and its class. Goodbye."]);
  assertEquals([code, stderr], [0, ""]);
});

// ------------------------------------------------------------------------------------- history

Deno.test("history.ts keeps the history at .exit and at the end of the input", async () => {
  await using directory = new Directory();
  const cwd = directory.path;
  const first = await run("history", { cwd, stdin: "6 * 7\n\n1 - 1.5\n.exit\n2 + 2\n" });
  assertEquals([first.lines, first.code, first.stderr], [["42", "-0.5"], 0, ""]);
  assertEquals(await directory.read("calculator_history"), "6 * 7\n1 - 1.5\n");
  const second = await run("history", { cwd, stdin: "six\r\n1 / 4\r\n.history" });
  assertEquals(second.lines, [
    "Cannot calculate six: expected two numbers, such as 6 * 7",
    "0.25",
    "6 * 7",
    "1 - 1.5",
    "six",
    "1 / 4",
  ]);
  assertEquals([second.code, second.stderr], [0, ""]);
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
  const { code, stderr } = await program.outcome();
  assertEquals([code, stderr], [130, ""]);
  assertEquals(await directory.read("calculator_history"), "6 * 7\n");
});

// ------------------------------------------------------------------------------------- tempdir

Deno.test("tempdir.ts leaves no directory behind when it is done", async () => {
  await using directory = new Directory();
  await directory.write("one.txt", "The quick brown fox jumps");
  await directory.write("two.txt", "over the lazy dog, and the cat.");
  const { lines, code, stderr } = await run("tempdir", {
    cwd: directory.path,
    args: ["one.txt", "two.txt"],
  });
  assertEquals(
    lines.join(" "),
    "and brown cat dog fox jumps lazy over quick the",
  );
  assertEquals([code, stderr], [0, ""]);
  assertEquals(directory.names(), ["one.txt", "two.txt"]);
});

Deno.test("tempdir.ts leaves no directory behind when it fails half way", async () => {
  await using directory = new Directory();
  await directory.write("one.txt", "The quick brown fox jumps");
  const { stdout, code, stderr } = await run("tempdir", {
    cwd: directory.path,
    args: ["one.txt", "missing.txt"],
  });
  assertEquals([stdout, code], ["", 1]);
  assertMatch(stderr, /^error: Uncaught .*NotFound: .*missing\.txt/);
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
  // Opened as soon as the program opens it to read from it: then it is half way through.
  using _pipe = await Deno.open(`${directory.path}/pipe`, { write: true });
  assertMatch(directory.names().join(" "), /^one\.txt pipe words-\w+$/);
  program.kill("SIGTERM");
  const { stdout, stderr, code, signal } = await program.outcome();
  assertEquals([stdout, stderr, code, signal], ["", "", 143, null]);
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
): Promise<{ program: Program; url: string; port: number }> {
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const command = ["run", ...await flagsOf("server"), ...flags];
  const program = await start("server", { cwd, command, args: [`${port}`] });
  await program.says(`Listening on ${url}\n`);
  return { program, url, port };
}

/** Sends SIGTERM, and asserts that nobody can connect any more. */
async function stopServer(program: Program, url: string, port: number): Promise<void> {
  program.kill("SIGTERM");
  await program.says("Finishing the requests under way\n");
  // What reaches the listener in its last moment is reset, and then there is no listener.
  await assertRejects(() => fetch(url));
  const options = { hostname: "127.0.0.1", port };
  await assertRejects(() => Deno.connect(options), Deno.errors.ConnectionRefused);
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
  const { lines, stderr, code, signal } = await program.outcome();
  assertEquals(lines.slice(1), [
    "POST /",
    "POST /again",
    "Finishing the requests under way",
    "Store closed",
  ]);
  assertEquals([stderr, code, signal], ["", 130, null]);
  assertEquals(await directory.read("notes.txt"), "Feed the cat\nBuy milk\n");
});

Deno.test("server.ts starts on a port that is free", { ignore }, async () => {
  await using directory = new Directory();
  await using program = await start("server", { cwd: directory.path, args: ["0"] });
  await program.says("\n");
  program.kill("SIGHUP");
  const { stdout, stderr, code } = await program.outcome();
  assertMatch(
    stdout,
    /^Listening on http:\/\/127.0.0.1:[1-9]\d*\nFinishing the requests under way\nStore closed\n$/,
  );
  assertEquals([stderr, code], ["", 129]);
});

Deno.test("server.ts closes its store when it cannot start", async () => {
  await using directory = new Directory();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { stdout, stderr, code } = await run("server", {
    cwd: directory.path,
    args: [`${listener.addr.port}`],
  });
  assertEquals([stdout, code], ["Store closed\n", 1]);
  assertMatch(stderr, /^error: Uncaught .*AddrInUse/);
});

for (
  const [title, flags, signal] of [
    ["exits with 128 and the signal's number", [], null],
    ["dies by the signal where it may", ["--allow-run"], "SIGTERM"],
  ] as const
) {
  Deno.test(`server.ts finishes the request under way and ${title}`, { ignore }, async () => {
    await using directory = new Directory();
    const notes = "Buy milk\n".repeat(4_000_000); // More than the system takes off the server.
    await directory.write("notes.txt", notes);
    const { program, url, port } = await startServer(directory.path, [...flags]);
    await using _program = program;
    const response = await fetch(url);
    await program.says("GET /\n");
    await stopServer(program, url, port);
    assert(await response.text() === notes, "The response is not complete");
    const outcome = await program.outcome();
    assertEquals(outcome.lines.slice(1), [
      "GET /",
      "Finishing the requests under way",
      "Store closed",
    ]);
    assertEquals([outcome.stderr, outcome.code, outcome.signal], ["", 143, signal]);
  });
}

Deno.test("server.ts takes the rest of a note that is under way", {
  // https://github.com/denoland/deno/issues/36809
  ignore: ignore || version >= 209,
}, async () => {
  await using directory = new Directory();
  const { program, url, port } = await startServer(directory.path);
  await using _program = program;
  const { readable, writable } = new TransformStream<string, string>();
  const writer = writable.getWriter();
  writer.write("Buy ");
  const body = readable.pipeThrough(new TextEncoderStream());
  const responding = fetch(url, { method: "POST", body });
  await program.says("POST /\n");
  await stopServer(program, url, port);
  writer.write("milk");
  writer.close();
  assertEquals(await (await responding).text(), "Buy milk\n");
  const { stderr, code } = await program.outcome();
  assertEquals([stderr, code], ["", 143]);
  assertEquals(await directory.read("notes.txt"), "Buy milk\n");
});

// ----------------------------------------------------------------------------------- logbuffer

for (const [how, status] of [["dry", 0], ["exit", 3], ["throw", 1]] as const) {
  Deno.test(`logbuffer.ts writes the log: ${how}`, async () => {
    await using directory = new Directory();
    const { stdout, stderr, code } = await run("logbuffer", {
      cwd: directory.path,
      args: [how],
    });
    assertEquals([stdout, code], ["", status]);
    assertMatch(stderr, how === "throw" ? /^error: Uncaught .*Error: The log is written/ : /^$/);
    assertEquals(await directory.read("app.log"), `started\nended with status ${status}\n`);
  });
}

Deno.test("logbuffer.ts writes the log: a signal", { ignore }, async () => {
  for (const [signal, status] of [["SIGHUP", 129], ["SIGINT", 130], ["SIGTERM", 143]] as const) {
    await using directory = new Directory();
    await using program = await start("logbuffer", { cwd: directory.path, args: ["wait"] });
    await program.says("Waiting for a signal\n");
    program.kill(signal);
    const { stderr, code } = await program.outcome();
    assertEquals([stderr, code], ["", status]);
    assertEquals(await directory.read("app.log"), `started\nended with status ${status}\n`);
  }
});

// --------------------------------------------------------------------------------------- child

/** Asserts that an example has started a child that is gone. */
function assertChildEnded({ lines }: Outcome): void {
  // The child's stderr is the program's: its outcome is there when both have closed it.
  const [pid] = lines[0].match(/\d+/) ?? [];
  assertEquals(lines, [`Child ${pid} is running`, `Child ${pid} has ended`]);
  if (Deno.build.os === "windows") return;
  assertThrows(() => Deno.kill(Number(pid), "SIGCONT"), Deno.errors.NotFound);
}

for (const [how, status] of [["dry", 0], ["exit", 3], ["throw", 1]] as const) {
  Deno.test(`child.ts takes its child with it: ${how}`, async () => {
    const outcome = await run("child", { args: [how] });
    assertChildEnded(outcome);
    assertEquals(outcome.code, status);
    const expected = how === "throw" ? /^error: Uncaught .*Error: The child ends/ : /^$/;
    assertMatch(outcome.stderr, expected);
  });
}

Deno.test("child.ts takes its child with it: a signal", { ignore }, async () => {
  for (const [signal, status] of [["SIGHUP", 129], ["SIGINT", 130], ["SIGTERM", 143]] as const) {
    await using program = await start("child");
    await program.says("is running\n");
    program.kill(signal);
    const outcome = await program.outcome();
    assertChildEnded(outcome);
    assertEquals([outcome.stderr, outcome.code], ["", status]);
  }
});

Deno.test("a task of examples/dev leaves nothing behind at Ctrl-C", { ignore }, async () => {
  const cwd = new URL("../examples/dev", import.meta.url).pathname;
  const names = () => Array.from(Deno.readDirSync(cwd), ({ name }) => name).sort();
  // Of the newest Deno: `deno task` of older ones does not pass a signal on.
  await using program = new Program(["task", "--quiet", "dev"], { cwd }, Deno.execPath());
  await program.says("Serving ./scratch-");
  assertEquals(names().length, 3);
  program.kill("SIGINT");
  const { code } = await program.outcome();
  assertEquals([names(), code], [["deno.json", "dev.ts"], 130]);
});
