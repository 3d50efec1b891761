// Runs a program with a package once: by one runtime, to one end, with the module or without.

import { startBy, startInShell } from "../portable.ts";
import { newFolder, type Outcome, terminalScript } from "../program.ts";
import type { TestRuntime } from "../runtimes.ts";
import type { End, Ended, Subject } from "./subject.ts";

/** How long a program may take to start, on a busy machine, and then to end. */
const START_TIMEOUT_MS = 50_000;
const END_TIMEOUT_MS = 20_000;

/** How a cell has ended. */
export interface Result extends Ended {
  /** The end in one word. `ok`, or `called` where nothing can be awaited. */
  word: string;
  code: number;
  /** The shell command that runs the program by hand. */
  command: string;
}

const withModule = `
import { exit, exitOnSignals, register, registerAsync } from "@atexit/atexit";
`;

const withoutModule = `
// In the place of "@atexit/atexit".
const exit = (code) => process.exit(code);
const exitOnSignals = () => {};
const register = () => {};
const registerAsync = () => {};
`;

const prelude = `
import { once } from "node:events";
import { existsSync, writeSync } from "node:fs";
process.chdir(process.env.PACKAGES_FOLDER);
/** A turn of the event loop, or more. */
const sleep = (milliseconds = 50) => new Promise((resolve) => setTimeout(resolve, milliseconds));
/** Writes a line where no package holds it back. */
const say = (text) => writeSync(1, text + "\\n");
/** The port that a client connects to. */
let port = 0;
/** Registers the asynchronous handler. */
const atEnd = (release) => registerAsync(async function flush() {
  say("[flush begins]");
  await sleep();
  const isReleased = await release();
  say(isReleased === true ? "[flush ends: released]" : "[flush ends: held]");
});
/** Calls process.exit(3), in the place from which the package does it. */
let leave = () => process.exit(3);
register(function last() { say("[last]"); });
`;

/** Announces that the program is up, and causes the end that the driver asks for. */
const postlude = `
exitOnSignals();
const ends = {
  "exit": () => exit(3),
  "throw": () => { throw new Error("boom"); },
  "process.exit": () => leave(),
};
const asked = setInterval(() => {
  if (!existsSync("end")) return;
  clearInterval(asked);
  ends[process.env.PACKAGES_END]();
}, 20);
setTimeout(() => say("\\n[ready " + process.pid + " " + port + "]"), 100);
`;

/** Runs a program, and waits for its end. */
export async function runCell(
  subject: Subject,
  runtime: TestRuntime,
  end: End,
  { isWith, env, receiver }: {
    isWith: boolean;
    env: Record<string, string>;
    receiver: Receiver;
  },
): Promise<Result> {
  const folder = newFolder();
  const address = receiver.open();
  const row = {
    program: `${isWith ? withModule : withoutModule}${prelude}${subject.program}${postlude}`,
    needsPackage: true,
    env: {
      ...env,
      PACKAGES_END: end,
      PACKAGES_FOLDER: folder,
      PACKAGES_RECEIVER: address,
      FORCE_COLOR: "0",
      TEXT: "[none]", // terminal.py presses no key.
    },
  };
  const script = subject.script ?? `stty cols 80 rows 24; stty -a >${folder}/stty-before; ` +
      `unset CI NO_COLOR; "$@"; status=$?; stty -a >${folder}/stty-after; exit $status`;
  const program = subject.terminal === true
    ? startInShell(runtime, row, script, { before: ["python3", terminalScript] })
    : subject.script === undefined
    ? startBy(runtime, row)
    : startInShell(runtime, row, script, { before: ["setsid"] });
  const started = await program;

  let isLate = false;
  const watch = (milliseconds: number) =>
    setTimeout(() => {
      isLate = true;
      killAll(folder);
    }, milliseconds);
  let watchdog = watch(START_TIMEOUT_MS);
  let over: Promise<Outcome> | undefined;
  try {
    const [, pid, port] = await started.saysMatch(/\[ready (\d+) (\d+)\]/);
    clearTimeout(watchdog);
    watchdog = watch(END_TIMEOUT_MS);
    if (port !== "0") await (subject.connect ?? request)(Number(port));
    if (end !== "SIGINT" && end !== "SIGTERM") await Deno.writeTextFile(`${folder}/end`, "");
    else if (subject.script === undefined) Deno.kill(Number(pid), end);
    // A terminal's Ctrl-C goes to all processes of the group, `kill` to one.
    else Deno.kill(end === "SIGINT" ? -started.pid : started.pid, end);
    over = started.outcome();
    await started.status();
  } catch {
    // It has ended before it was up: what it has written tells why.
  }
  const processes = await countLeft(folder);
  killAll(folder); // They may hold its output open.
  const outcome = await (over ?? started.outcome());
  clearTimeout(watchdog);
  const ended = { ...outcome, folder, processes, received: receiver.close(address) };
  return {
    ...ended,
    word: isLate ? "hangs" : wordOf(subject, end, ended, outcome, isWith),
  };
}

async function request(port: number): Promise<void> {
  await (await fetch(`http://127.0.0.1:${port}/`)).text();
}

const statuses: Record<End, number[]> = {
  "exit": [3],
  "throw": [1],
  // 128 + n, or what terminal.py makes of a death by a signal.
  "SIGINT": [130, 254],
  "SIGTERM": [143, 241],
  "process.exit": [3],
};

/** The end of a program in one word. */
function wordOf(
  subject: Subject,
  end: End,
  ended: Ended,
  { code }: Outcome,
  isWith: boolean,
): string {
  const { stdout, stderr } = ended;
  if (!stdout.includes("[ready")) return "no start";
  if (!isWith) return "ok";
  const isAwaited = stdout.includes("[flush ends");
  if (!stdout.includes("[flush begins]")) return "not called";
  // A package may call process.exit() at any end. listr2 holds back the report of it.
  const isReported = /Cannot await atexit handler flush\S*: process\.exit/.test(stdout + stderr);
  if (!isAwaited && !isReported && end !== "process.exit") return "cut";
  if (!stdout.includes("[last]")) return "no last";
  if (subject.script === undefined && !statuses[end].includes(code)) return `status ${code}`;
  if (!isAwaited) return "called";
  const isReleased = stdout.includes("[flush ends: released]") &&
    subject.isReleased?.(ended) !== false;
  return isReleased ? "ok" : "held";
}

// -------------------------------------------------------------------------------------- processes

/** The processes that have been started, at any depth, by the program of a folder. */
function processesOf(folder: string): number[] {
  const found: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const environment = Deno.readTextFileSync(`/proc/${name}/environ`).split("\0");
      if (environment.includes(`PACKAGES_FOLDER=${folder}`)) found.push(Number(name));
    } catch {
      // It has ended.
    }
  }
  return found;
}

/** How many of them are left, a second after the program's end. */
async function countLeft(folder: string): Promise<number> {
  for (let polls = 20; polls > 0 && processesOf(folder).length > 0; polls--) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return processesOf(folder).length;
}

function killAll(folder: string): void {
  for (const pid of processesOf(folder)) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

// --------------------------------------------------------------------------------------- telemetry

/** An HTTP server that keeps what is sent to it. */
export class Receiver implements AsyncDisposable {
  readonly #bodies = new Map<string, string>();
  readonly #server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const id = new URL(request.url).pathname.split("/")[1];
      const body = await bodyOf(request);
      if (this.#bodies.has(id)) this.#bodies.set(id, this.#bodies.get(id) + body);
      return Response.json({});
    },
  );
  #count = 0;

  /** Returns a new address to send to: `http://127.0.0.1:1234/1`. */
  open(): string {
    const id = `${++this.#count}`;
    this.#bodies.set(id, "");
    return `http://127.0.0.1:${this.#server.addr.port}/${id}`;
  }

  /** Returns what was sent to an address. */
  close(address: string): string {
    const id = address.slice(address.lastIndexOf("/") + 1);
    const bodies = this.#bodies.get(id)!;
    this.#bodies.delete(id);
    return bodies;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

async function bodyOf(request: Request): Promise<string> {
  if (request.headers.get("content-encoding") !== "gzip") return await request.text();
  const stream = request.body!.pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).text();
}
