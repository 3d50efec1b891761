// What `deno task compare` asks of each subject. An answer is found by running a program; it is empty
// where there is no such thing.

import type { Outcome } from "../program.ts";
import { type Bench, nameOf, type RunOptions, write } from "./bench.ts";
import { javascript, type Subject } from "./subjects.ts";

export type Ask = (bench: Bench) => Promise<string> | string;

// ---------------------------------------------------------------------------------- ways of asking

const yes = (condition: boolean) => condition ? "yes" : "no";
const prints = (...expected: string[]) => ({ lines }: Outcome) =>
  expected.includes(lines.join(" "));
const turn = (time: number) => `await new Promise((resolve) => setTimeout(resolve, ${time}));`;

/** Whether a program does something. Default: its end is one at which handlers run. */
function does(
  code: (bench: Bench) => string[],
  judge: (outcome: Outcome) => boolean,
  { end, ...options }: RunOptions & { end?: string } = {},
): Ask {
  return async (bench) =>
    yes(judge(await bench.run(end ?? await bench.usualEnd, code(bench), options)));
}

function onDeno(ask: Ask): Ask {
  return inJavaScript((bench) => bench.runtime === "deno" ? ask(bench) : "");
}

function inJavaScript(ask: Ask): Ask {
  return (bench) => bench.subject.language === javascript ? ask(bench) : "";
}

/** Asks subjects that have something. */
function having(key: keyof Subject, ask: Ask, otherwise = "no"): Ask {
  return (bench) => bench.subject[key] === undefined ? otherwise : ask(bench);
}

/** Asks at the subject's own function that ends the program. */
function atOwnExit(ask: (end: string) => Ask): Ask {
  return (bench) => bench.subject.exit === undefined ? "" : ask(bench.subject.exit)(bench);
}

// ----------------------------------------------------------------------------------- kinds of rows

function runsAt(end: string, options?: RunOptions): Ask {
  const ask = does((bench) => bench.register("ran"), prints("ran"), { ...options, end });
  return (bench) => end in javascript.ends && bench.ends[end] === undefined ? "" : ask(bench);
}

/** Three handlers that await: one after the other and the last one first, all at once, or not all. */
function awaitsAt(end: string): Ask {
  return inJavaScript(having("registerAsync", async (bench) => {
    const code = [1, 2, 3].map((n) =>
      bench.subject.registerAsync!(`console.log("begin"); ${turn(100 * n)} console.log("${n}");`)
    );
    const outcome = await bench.run(end, code);
    if (prints("begin 3 begin 2 begin 1")(outcome)) return "yes";
    return ["no", "one", "two", "at once"][outcome.lines.filter((line) => line !== "begin").length];
  }));
}

/** What becomes of the message that the runtime prints where there is no handler. */
function message(end: string, key: "register" | "registerAsync" = "register"): Ask {
  return inJavaScript(having(key, async (bench) => {
    // Some runtimes print the lines above the place: they have to be the same.
    const file = write("mjs", bench.ends[end]!);
    const code = [bench.subject[key]!(`${key === "register" ? "" : turn(50)} console.log("ran");`)];
    const { lines, stderr } = await bench.run(`import "./${file}";`, code);
    const bare = await bench.run(`import "./${file}";`, code, { bare: true });
    if (key === "registerAsync" && !lines.includes("ran")) return "";
    if (stderr === bare.stderr) return "yes";
    return new RegExp(`error: boom\\n +at .*${file}`, "i").test(stderr) ? "trace" : "lost";
  }, ""));
}

/** The application listens to an event, works on for a while, and ends then. */
function leaves(event: string, end: string): Ask {
  return inJavaScript(async (bench) => {
    const { register, leaveCtrlC = register } = bench.subject;
    const more = 'setTimeout(() => { console.log("more"); process.exit(); }, 50)';
    const code = [
      (event === "SIGINT" ? leaveCtrlC : register)('console.log("ran");'),
      `process.on("${event}", () => ${more});`,
    ];
    const outcome = await bench.run(end, code, { optIn: event !== "SIGINT" });
    if (prints("more ran", "more")(outcome)) return "yes";
    return outcome.lines.includes("more") ? "early" : "ended";
  });
}

/** How the parent of a program sees its end. */
function seenAt(end: string, options?: RunOptions): Ask {
  return async (bench) => {
    if (end in javascript.ends && bench.ends[end] === undefined) return "";
    const { signal, code } = await bench.run(end, bench.register("ran"), options);
    return signal ?? String(code);
  };
}

// -------------------------------------------------------------------------------------- the rows

const fail = (bench: Bench) => bench.subject.register(bench.subject.language.fail);
const twice: Deno.Signal[] = ["SIGINT", "SIGINT"];
const unprivileged = { flags: ["--no-prompt"] };

export const groups: Record<string, Record<string, Ask>> = {
  "Handlers run at": {
    "the event loop running dry": runsAt("dry"),
    "`Deno.exit()`": onDeno(runsAt("Deno.exit")),
    "`process.exit()`": runsAt("process.exit"),
    "its own function for ending": atOwnExit(runsAt),
    "an uncaught error": runsAt("error"),
    "an unhandled rejection": runsAt("rejection"),
    "Ctrl-C": runsAt("SIGINT"),
    "`SIGTERM`": runsAt("SIGTERM"),
    "`process.exit()` in a worker": inJavaScript(runsAt("process.exit", { worker: "node" })),
    "`close()` in a Web worker": onDeno(runsAt("close", { worker: "web" })),
  },
  "The run": {
    "last registered, first run": does((bench) => bench.register("1", "2", "3"), prints("3 2 1")),
    "a handler that throws loses no other": does(
      (bench) => [...bench.register("1"), fail(bench), ...bench.register("3")],
      prints("1 3", "3 1"),
    ),
    "what it throws is shown": does(
      (bench) => [fail(bench)],
      (run) => run.stderr.includes("handler"),
    ),
    "what it throws sets the status": does((bench) => [fail(bench)], ({ code }) => code !== 0),
  },
  "Promises are awaited at": {
    "the event loop running dry": awaitsAt("dry"),
    "its own function for ending": atOwnExit(awaitsAt),
    "an uncaught error": awaitsAt("error"),
    "an unhandled rejection": awaitsAt("rejection"),
    "Ctrl-C": awaitsAt("SIGINT"),
    "... until a second Ctrl-C": having("registerAsync", async (bench) => {
      const code = `console.log("begin"); ${turn(2000)} console.log("late");`;
      const signals = { signals: twice };
      const { lines } = await bench.run("SIGINT", [bench.subject.registerAsync!(code)], signals);
      return lines.includes("begin") ? yes(!lines.includes("late")) : "";
    }, ""),
    "... until a time limit": having(
      "registerAsync",
      having(
        "stuck",
        does(({ subject }) => [subject.stuck!], (run) => run.signal !== "SIGKILL", {
          end: "SIGINT",
        }),
      ),
      "",
    ),
  },
  "What stays as it is": {
    "the message of an uncaught error": message("error"),
    "the message of a rejection": message("rejection"),
    "the message of an uncaught error, after awaiting": message("error", "registerAsync"),
    "the status of an uncaught error": seenAt("error"),
    "the status of a rejection": seenAt("rejection"),
    "the status of a rejection at the very end": seenAt("last rejection"),
    "`process.exitCode`": inJavaScript(does(
      (bench) => [...bench.register("ran"), "process.exitCode = 3;"],
      ({ code }) => code === 3,
      { end: "dry" },
    )),
    "an error that the application handles": leaves("uncaughtException", "error"),
    "a rejection that the application handles": leaves("unhandledRejection", "rejection"),
    "what a `beforeExit` listener starts": leaves("beforeExit", "dry"),
    "Ctrl-C, if the application listens to it": leaves("SIGINT", "SIGINT"),
    "Ctrl-C, as its parent sees it": seenAt("SIGINT"),
    "`SIGTERM`, as its parent sees it": seenAt("SIGTERM"),
    "Ctrl-C, without a permission": onDeno(seenAt("SIGINT", unprivileged)),
  },
  "Other things": {
    "runs without a permission": onDeno(runsAt("dry", unprivileged)),
    "copies in one program keep one order": having(
      "package",
      does((bench) => {
        const name = nameOf(bench.subject);
        const modules = bench.register("1", "2", "3").map((code, index) =>
          write("mjs", bench.subject.setup(index === 1 ? `${name}-copy` : name), code)
        );
        return modules.map((file) => `import "./${file}";`);
      }, prints("1 2 3", "3 2 1")),
      "",
    ),
    "takes a handler back": having("takeBack", async (bench) => {
      const taken = bench.subject.takeBack!(bench.subject.language.say("taken"));
      const outcome = await bench.run(await bench.usualEnd, [...bench.register("kept"), taken]);
      return outcome.lines.length === 0 ? "only all" : yes(prints("kept")(outcome));
    }),
    "... by a function that registering returns": inJavaScript(does((bench) => {
      const [kept, taken] = bench.register("kept", "taken");
      return [`${kept};`, `const undo = ${taken};`, "undo?.call?.();"];
    }, prints("kept"))),
    "tells a handler the error": having(
      "showError",
      does(({ subject }) => [subject.showError!], prints("boom"), { end: "error" }),
    ),
    "tells a handler the signal": having(
      "showSignal",
      does(({ subject }) => [subject.showSignal!], prints("SIGINT"), { end: "SIGINT" }),
    ),
    "a handler can refuse to end at Ctrl-C": having(
      "veto",
      does(
        ({ subject }) => [
          subject.veto!,
          'setTimeout(() => { console.log("alive"); process.exit(); }, 500);',
        ],
        ({ lines }) => lines.includes("alive"),
        { end: "SIGINT" },
      ),
    ),
    "an option to run after all others": having(
      "last",
      does((bench) => {
        const [first, second] = bench.register("1", "2");
        return [first, bench.subject.last!('console.log("last");'), second];
      }, ({ lines }) => lines.at(-1) === "last"),
    ),
    "ends at the `shutdown` message of PM2": inJavaScript(does(
      (bench) => [...bench.register("ran"), "setTimeout(() => process.exit(9), 500);"],
      ({ code }) => code !== 9,
      { end: 'process.emit("message", "shutdown");' },
    )),
  },
};
