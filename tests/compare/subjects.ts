// What `deno task compare` compares, and how a program uses each: as its README says, with every opt-in
// that it has. All of a subject is here; ../compare.ts knows none of them.

/** How a program is written, and what it ends by. */
export interface Language {
  suffix: string;
  say: (text: string) => string;
  /** A statement, or an expression in Python, that raises an error. */
  fail: string;
  /** What is not there cannot be done in the language. */
  ends: Record<string, string | undefined>;
}

const soon = (code: string) => `setTimeout(() => { ${code} }, 5);`;
const busy = "setTimeout(() => {}, 500);";
const stay = 'setInterval(() => {}, 1000); console.log("ready");';

export const javascript: Language = {
  suffix: "mjs",
  say: (text) => `console.log("${text}");`,
  fail: 'throw new Error("handler");',
  ends: {
    dry: "",
    "Deno.exit": "Deno.exit();",
    "process.exit": "process.exit();",
    error: `${soon('throw new Error("boom");')} ${busy}`,
    rejection: `${soon('Promise.reject(new Error("boom"));')} ${busy}`,
    "last rejection": soon('Promise.reject(new Error("boom"));'),
    SIGINT: stay,
    SIGTERM: stay,
    close: "close();",
  },
};

const python: Language = {
  suffix: "py",
  say: (text) => `print("${text}")`,
  fail: "fail()",
  ends: {
    dry: "",
    exit: "sys.exit()",
    error: 'raise Exception("boom")',
    SIGINT: 'print("ready", flush=True); time.sleep(5)',
    SIGTERM: 'print("ready", flush=True); time.sleep(5)',
  },
};

/** What is left out does not exist. Code that a handler is given is one or more statements. */
export interface Subject {
  /** Its package on npm, with the version. */
  package?: string;
  /** Only there where it exists. Default: everywhere. */
  runtime?: string;
  language: Language;
  setup: (name: string) => string;
  /** An expression that registers a handler. */
  register: (code: string) => string;
  /** The same for code that awaits. */
  registerAsync?: (code: string) => string;
  /** Statements that ask for errors or for signals to be taken. */
  takeErrors?: string;
  takeSignals?: string;
  /** Its function that ends the program and awaits handlers. */
  exit?: string;
  /** Statements that register a handler and take it back. */
  takeBack?: (code: string) => string;
  /** Statements that limit the time, and register a handler that never settles. */
  stuck?: string;
  /** Statements that register a handler and leave Ctrl-C to others. Default: `register`. */
  leaveCtrlC?: (code: string) => string;
  /** A statement after which a signal does not end the program. */
  veto?: string;
  /** An expression that registers a handler that runs after all others. */
  last?: (code: string) => string;
  /** A statement that registers a handler which prints the message of the error, or the signal's name. */
  showError?: string;
  showSignal?: string;
}

const never = "new Promise(() => {})";
// Deno lets nobody listen to the first four of these, which close-with-grace does by default.
const grace = (code: string, delay = 1000, skip = "") =>
  `closeWithGrace({ delay: ${delay}, skip: ["SIGILL", "SIGBUS", "SIGFPE", "SIGSEGV", "${skip}"] }, ` +
  `async ({ err, signal }) => { if (err) console.error(err); ${code} })`;

export const subjects: Record<string, Subject> = {
  "atexit": {
    package: "@atexit/atexit",
    language: javascript,
    setup: (name) =>
      `import { exit, exitOnSignals, exitReason, register, registerAsync, setGracePeriod, unregister } from "${name}";`,
    register: (code) => `register(() => { ${code} })`,
    registerAsync: (code) => `registerAsync(async () => { ${code} })`,
    takeSignals: "exitOnSignals();",
    exit: "exit();",
    takeBack: (code) => `unregister(register(() => { ${code} }));`,
    stuck: `setGracePeriod(100); registerAsync(() => ${never});`,
    showError: "register(() => console.log(exitReason().error.message));",
    showSignal: "register(() => console.log(exitReason().signal));",
  },
  "`unload`": {
    runtime: "deno",
    language: javascript,
    setup: () => "",
    register: (code) => `addEventListener("unload", () => { ${code} })`,
    registerAsync: (code) => `addEventListener("unload", async () => { ${code} })`,
    takeBack: (code) =>
      `const f = () => { ${code} }; addEventListener("unload", f); removeEventListener("unload", f);`,
  },
  "signal-exit": {
    package: "signal-exit@4",
    language: javascript,
    setup: (name) => `import { onExit } from "${name}";`,
    register: (code) => `onExit(() => { ${code} })`,
    takeBack: (code) => `onExit(() => { ${code} })();`,
    veto: "onExit(() => true);",
    last: (code) => `onExit(() => { ${code} }, { alwaysLast: true })`,
    showSignal: "onExit((code, signal) => console.log(signal));",
  },
  "exit-hook": {
    package: "exit-hook@5",
    language: javascript,
    setup: (name) => `import exitHook, { asyncExitHook, gracefulExit } from "${name}";`,
    register: (code) => `exitHook(() => { ${code} })`,
    registerAsync: (code) => `asyncExitHook(async () => { ${code} }, { wait: 1000 })`,
    exit: "gracefulExit();",
    takeBack: (code) => `exitHook(() => { ${code} })();`,
    stuck: `asyncExitHook(() => ${never}, { wait: 100 });`,
  },
  "async-exit-hook": {
    package: "async-exit-hook@2",
    language: javascript,
    setup: (name) => `import exitHook from "${name}";`,
    register: (code) => `exitHook(() => { ${code} })`,
    registerAsync: (code) => `exitHook(async (done) => { ${code} done(); })`,
    takeErrors:
      "exitHook.uncaughtExceptionHandler((e) => console.error(e)); exitHook.unhandledRejectionHandler((e) => console.error(e));",
    stuck: "exitHook.forceExitTimeout(100); exitHook((done) => {});",
    leaveCtrlC: (code) => `exitHook(() => { ${code} }); exitHook.unhookEvent("SIGINT");`,
    showError: "exitHook.uncaughtExceptionHandler((e) => console.log(e.message));",
  },
  "node-cleanup": {
    package: "node-cleanup@2",
    language: javascript,
    setup: (name) => `import nodeCleanup from "${name}";`,
    register: (code) => `nodeCleanup(() => { ${code} }, { ctrl_C: "", uncaughtException: "" })`,
    registerAsync: (code) =>
      `nodeCleanup((_, signal) => { const end = (async () => { ${code} })(); if (!signal) return; end.then(() => process.kill(process.pid, signal)); nodeCleanup.uninstall(); return false; })`,
    takeBack: (code) => `nodeCleanup(() => { ${code} }); nodeCleanup.uninstall();`,
    veto: "nodeCleanup(() => false);",
    showSignal: "nodeCleanup((code, signal) => { console.log(signal); });",
  },
  "close-with-grace": {
    package: "close-with-grace@2",
    language: javascript,
    setup: (name) => `import closeWithGrace from "${name}";`,
    register: (code) => `globalThis.grace = ${grace(code)}`,
    registerAsync: (code) => `globalThis.grace = ${grace(code)}`,
    exit: "grace.close();",
    takeBack: (code) => `${grace(code)}.uninstall();`,
    stuck: `${grace(`await ${never};`, 100)};`,
    leaveCtrlC: (code) => `${grace(code, 1000, "SIGINT")};`,
    showError: `${grace("console.log(err.message);")};`,
    showSignal: `${grace("console.log(signal);")};`,
  },
  "Python's `atexit`": {
    language: python,
    setup: () =>
      'import atexit, signal, sys, time\ndef fail(): raise Exception("handler")\ndef show(): print(sys.last_value)',
    register: (code) => `atexit.register(lambda: (${code}))`,
    takeSignals: "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))",
    exit: "sys.exit()",
    takeBack: (code) => `atexit.unregister(atexit.register(lambda: (${code})))`,
    showError: "atexit.register(show)",
  },
};
