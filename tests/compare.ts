// Runs this module, other packages for the same purpose, plain `unload` and Python, each for real, and
// prints the table of the README.
//
//   deno task compare

/** How a subject registers code that runs at the end, and ends in each way. */
interface Subject {
  /** What stands before. */
  setup: string;
  sync: (code: string) => string;
  /** Code that waits for 20 ms and then runs. */
  async: (code: string) => string;
  signals?: string;
  ends: Record<string, string>;
}

const denoEnds: Record<string, string> = {
  "running dry": "",
  "`Deno.exit()`": "Deno.exit();",
  "`process.exit()`": "process.exit();",
  "an uncaught error": 'setTimeout(() => { throw new Error("end"); }, 5);',
  "an unhandled rejection": 'setTimeout(() => Promise.reject(new Error("end")), 5);',
  "Ctrl-C": 'setInterval(() => {}, 1000); Deno.kill(Deno.pid, "SIGINT");',
  "a worker's `close()`": "close();",
};
const turn = "await new Promise((resolve) => setTimeout(resolve, 20));";
const mod = new URL("../mod.ts", import.meta.url).href;

const subjects: Record<string, Subject> = {
  "atexit": {
    setup: `import { exitOnSignals, register, registerAsync } from "${mod}";`,
    sync: (code) => `register(() => { ${code} });`,
    async: (code) => `registerAsync(async () => { ${turn} ${code} });`,
    signals: "exitOnSignals();",
    ends: denoEnds,
  },
  "`unload`": {
    setup: "",
    sync: (code) => `addEventListener("unload", () => { ${code} });`,
    async: (code) => `addEventListener("unload", async () => { ${turn} ${code} });`,
    ends: denoEnds,
  },
  "signal-exit 4": {
    setup: 'import { onExit } from "npm:signal-exit@4";',
    sync: (code) => `onExit(() => { ${code} });`,
    async: (code) => `onExit(async () => { ${turn} ${code} });`,
    ends: denoEnds,
  },
  "exit-hook 5": {
    setup: 'import exitHook, { asyncExitHook } from "npm:exit-hook@5";',
    sync: (code) => `exitHook(() => { ${code} });`,
    async: (code) => `asyncExitHook(async () => { ${turn} ${code} }, { wait: 1000 });`,
    ends: denoEnds,
  },
  "async-exit-hook 2": {
    setup: 'import exitHook from "npm:async-exit-hook@2";',
    sync: (code) => `exitHook(() => { ${code} });`,
    async: (code) => `exitHook(async (done) => { ${turn} ${code} done(); });`,
    ends: denoEnds,
  },
  "Python's `atexit`": {
    setup: "import atexit, os, signal, sys\ndef fail(): raise Exception('handler')",
    sync: (code) => `atexit.register(lambda: (${code}))`,
    async: () => "",
    ends: {
      "running dry": "",
      "`Deno.exit()`": "sys.exit()",
      "an uncaught error": 'raise Exception("end")',
      "Ctrl-C": "os.kill(os.getpid(), signal.SIGINT)",
    },
  },
};

const say = (subject: Subject, text: string) =>
  subject.ends === denoEnds ? `console.log("${text}");` : `print("${text}")`;

/** What each row asks. The answer is a cell. */
const rows: Record<string, (name: string, subject: Subject) => Promise<string>> = {};
for (const end of Object.keys(denoEnds)) {
  rows[`runs at ${end}`] = async (name, subject) => {
    const code = [subject.sync(say(subject, "ran")), subject.signals ?? "", subject.ends[end]];
    if (subject.ends[end] === undefined) return "";
    return yes((await execute(name, [subject.setup, ...code], end.startsWith("a worker"))).lines, [
      "ran",
    ]);
  };
}
rows["last registered, first run"] = async (name, subject) => {
  const code = ["1", "2", "3"].map((text) => subject.sync(say(subject, text)));
  return yes((await execute(name, [subject.setup, ...code])).lines, ["3", "2", "1"]);
};
const failing = (subject: Subject) => [
  subject.sync(say(subject, "1")),
  subject.sync(subject.ends === denoEnds ? 'throw new Error("handler");' : "fail()"),
  subject.sync(say(subject, "3")),
];
rows["a handler that throws loses no other"] = async (name, subject) => {
  const { lines } = await execute(name, [subject.setup, ...failing(subject)]);
  return yes(lines.sort(), ["1", "3"]);
};
rows["a handler that throws sets the status"] = async (name, subject) => {
  const { code } = await execute(name, [subject.setup, ...failing(subject)]);
  return code === 0 ? "no" : "yes";
};
for (const end of ["running dry", "an uncaught error"]) {
  rows[`awaits promises, in order, at ${end}`] = async (name, subject) => {
    if (subject.async("") === "") return "";
    const code = [
      subject.sync(say(subject, "1")),
      subject.async(say(subject, "2")),
      subject.async(say(subject, "3")),
    ];
    const { lines } = await execute(name, [subject.setup, ...code, subject.ends[end]]);
    return yes(lines, ["3", "2", "1"]);
  };
}

console.log(`| | ${Object.keys(subjects).join(" | ")} |`);
console.log(`| --- |${" :-: |".repeat(Object.keys(subjects).length)}`);
for (const [row, ask] of Object.entries(rows)) {
  const cells: string[] = [];
  for (const [name, subject] of Object.entries(subjects)) cells.push(await ask(name, subject));
  console.log(`| ${row} | ${cells.join(" | ")} |`);
}

function yes(lines: string[], expected: string[]): string {
  return lines.join() === expected.join() ? "yes" : "no";
}

/** Runs a program, perhaps in a worker. */
async function execute(
  name: string,
  lines: string[],
  inWorker = false,
): Promise<{ lines: string[]; code: number }> {
  const [command, suffix, ...flags] = name.startsWith("Python")
    ? ["python3", ".py"]
    : [Deno.execPath(), ".js", "run", "-A", "--no-config", "--quiet"];
  const file = await Deno.makeTempFile({ suffix });
  const main = await Deno.makeTempFile({ suffix });
  try {
    await Deno.writeTextFile(file, lines.join("\n"));
    const worker = `new Worker(${JSON.stringify(`file://${file}`)}, { type: "module" });`;
    await Deno.writeTextFile(main, worker);
    const { stdout, code } = await new Deno.Command(command, {
      args: [...flags, inWorker ? main : file],
    }).output();
    const text = new TextDecoder().decode(stdout).trim();
    return { lines: text === "" ? [] : text.split(/\r?\n/), code };
  } finally {
    await Deno.remove(file);
    await Deno.remove(main);
  }
}
