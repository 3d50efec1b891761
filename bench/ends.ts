// The end of a program on Deno: wall time from the last statement until the parent sees that the process
// has ended, compared with a program that does the same by hand.

import {
  type Command,
  denoRun,
  difference,
  type Estimate,
  measureCpuTimes,
  median,
  type Rounds,
  run,
  type Samples,
  scale,
  takeTurns,
  writeProgram,
} from "./measure.ts";
import { getPackages } from "./packages.ts";
import { type Section, show, showEstimate, showRounds, table, type Target } from "./tables.ts";

/** Milliseconds of CPU time of an empty script on the machine that the targets are for. */
const referenceMs = 17;

/** A way to end. */
interface End {
  readonly byHand: string;
  readonly atexit: string;
  /** The exit code. Default: 0. */
  readonly code?: number;
  readonly flags?: string[];
}

const imports = `import { exit, exitOnSignals, register, registerAsync, SystemExit } from MODULE;`;

/** Calls the handler when Deno unloads the program. */
const onUnload = `
const dispatch = globalThis.dispatchEvent;
globalThis.dispatchEvent = (event) => {
  if (event.type === "unload") handler();
  return dispatch.call(globalThis, event);
};`;

/** Starts the asynchronous handler when the event loop is empty, and lets it turn once more. */
const onBeforeUnload = `
const dispatch = globalThis.dispatchEvent;
let started = false;
globalThis.dispatchEvent = (event) => {
  if (event.type !== "beforeunload" || started) return dispatch.call(globalThis, event);
  started = true;
  asyncHandler();
  return false;
};`;

/** END is replaced by a statement that prints the time. */
const ends: Record<string, End> = {
  "no handler": { byHand: "END;", atexit: "import MODULE; END;" },
  "one handler": { byHand: `${onUnload} END;`, atexit: `${imports} register(handler); END;` },
  "1000 handlers": {
    byHand: `${onUnload.replace("handler()", "for (const func of handlers) func()")}
      const handlers = []; for (let i = 0; i < 1000; i++) handlers.push(() => handler()); END;`,
    atexit: `${imports} for (let i = 0; i < 1000; i++) register(() => handler()); END;`,
  },
  "one asynchronous handler": {
    byHand: `${onBeforeUnload} END;`,
    atexit: `${imports} registerAsync(asyncHandler); END;`,
  },
  "uncaught error, one handler": {
    byHand: `addEventListener("unhandledrejection", () => handler()); END; throw new Error();`,
    atexit: `${imports} register(handler); END; throw new Error();`,
    code: 1,
  },
  "uncaught error, one asynchronous handler": {
    byHand: `
      addEventListener("unhandledrejection", (event) => {
        event.preventDefault();
        asyncHandler().then(() => { console.error(event.reason); Deno.exit(1); });
      });
      END; throw new Error();`,
    atexit: `${imports} registerAsync(asyncHandler); END; throw new Error();`,
    code: 1,
  },
  "`SystemExit`, one handler": {
    byHand: `
      class Exit extends Error {}
      addEventListener("unhandledrejection", (event) => {
        if (!(event.reason instanceof Exit)) return;
        event.preventDefault();
        handler();
        Deno.exit(3);
      });
      END; throw new Exit();`,
    atexit: `${imports} register(handler); END; throw new SystemExit(3);`,
    code: 3,
  },
  "`exit()`, one handler": {
    byHand: `END; handler(); Deno.exit(3);`,
    atexit: `${imports} register(handler); END; exit(3);`,
    code: 3,
  },
  "`SIGTERM`, one handler": {
    byHand: `
      Deno.addSignalListener("SIGTERM", () => { handler(); Deno.exit(143); });
      setTimeout(() => {}, 10_000);
      END; Deno.kill(Deno.pid, "SIGTERM");`,
    atexit: `${imports} register(handler); exitOnSignals();
      setTimeout(() => {}, 10_000);
      END; Deno.kill(Deno.pid, "SIGTERM");`,
    code: 143,
    flags: ["--allow-run"],
  },
};

export async function measureEnds(rounds: Rounds): Promise<Section> {
  const { atexit, before } = await getPackages();
  const empty = denoRun(await writeProgram("empty", ""));
  const emptyMs = median((await measureCpuTimes({ empty }, rounds(11))).empty);
  const factor = referenceMs / emptyMs;

  const jobs: Record<string, () => Promise<number>> = {};
  for (const [name, end] of Object.entries(ends)) {
    jobs[`${name}, by hand`] = await prepare(name, end, end.byHand);
    jobs[`${name}, atexit`] = await prepare(name, end, end.atexit, atexit.local);
    if (before === undefined) continue;
    jobs[`${name}, before`] = await prepare(name, end, end.atexit, before.local);
  }
  const endRounds = rounds(41);
  const times = await takeTurns(endRounds, jobs);

  const over = (name: string, subject: string) =>
    difference(times[`${name}, ${subject}`], times[`${name}, by hand`]);
  return {
    title: "Ends on Deno",
    targets: getTargets((name) => scale(over(name, "atexit"), factor)),
    tables: [
      `Milliseconds, ${showRounds(endRounds)}. An empty script takes ${
        show(emptyMs)
      } ms of CPU time, so ` +
      `“scaled” is the difference times ${show(factor)}.`,
      getTable(times, over, factor),
    ],
    figures: {
      ends: Object.keys(ends).flatMap((end) =>
        ["atexit", "before"].map((subject) => ({ end, subject, ...over(end, subject) }))
      ).filter(({ median }) => Number.isFinite(median)),
    },
  };
}

function getTable(
  times: Samples,
  over: (name: string, subject: string) => Estimate,
  factor: number,
): string {
  return table(
    ["", "by hand", "atexit", "more than by hand", "scaled", "before the redesign", "scaled"],
    Object.keys(ends).map((name) => [
      name,
      show(median(times[`${name}, by hand`])),
      show(median(times[`${name}, atexit`])),
      showEstimate(over(name, "atexit")),
      showEstimate(scale(over(name, "atexit"), factor)),
      showEstimate(over(name, "before")),
      showEstimate(scale(over(name, "before"), factor)),
    ]),
  );
}

/** Makes sure that the program runs its handler, and returns a function that measures its end. */
async function prepare(
  name: string,
  { code = 0, flags = [] }: End,
  source: string,
  module = "",
): Promise<() => Promise<number>> {
  const write = async (name: string, handlers: string): Promise<Command> => {
    const text = `${handlers}\n${source}`
      .replace("MODULE", JSON.stringify(module))
      .replace("END", "console.log(performance.timeOrigin + performance.now())");
    return denoRun(await writeProgram(name, text), ...flags);
  };
  const program = `${name} ${module}`;
  const checked = await write(`${program} checked`, getHandlers(`console.log("ran")`));
  const { stdout } = await run(checked, { code });
  if (stdout.includes("ran") === (name === "no handler")) {
    throw new Error(`A program of “${name}” is wrong:\n${stdout}`);
  }
  const measured = await write(program, getHandlers(""));
  await run(measured, { code }); // Fills Deno's caches.
  return async () => {
    const end = Number((await run(measured, { code })).stdout);
    return performance.timeOrigin + performance.now() - end;
  };
}

function getHandlers(body: string): string {
  return `const handler = () => { ${body} };
    const asyncHandler = async () => { await 1; ${body} };`;
}

const compiling =
  "V8 compiles each function that is called for the first time, which takes 0.01 to 0.03 ms. " +
  "Deno's cache does not have those that are called at an end: it is written before a module runs.";

function getTargets(over: (name: string) => Estimate): Target[] {
  const target = (name: string, atMost: number, why: string): Target => ({
    item: `${name}, scaled`,
    measured: over(name),
    atMost,
    unit: "ms",
    why,
  });
  return [
    target(
      "no handler",
      0,
      `the module sees three events, and its memory has to be freed. ${compiling}`,
    ),
    target("one handler", 0.7, compiling),
    target(
      "one asynchronous handler",
      1.2,
      `the stack has to tell whether Deno or the program asks if the program may end. ${compiling}`,
    ),
  ];
}
