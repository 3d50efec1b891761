// How a program ends, with a fake runtime: every pair of causes, in every state of the lifecycle.

import { assert, assertEquals } from "@std/assert";
import { SystemExit } from "../errors.ts";
import { catchExit, causes, DRAINED, Harness, NO_TRACES, settle } from "./fake_runtime.ts";

type Table = Record<string, Record<string, string>>;

/** Further causes. Their codes differ from those of `causes`. */
const second: Record<string, (h: Harness) => void> = {
  "an empty loop": ({ lifecycle }) => assert(lifecycle.drained()),
  "exit()": (h) => h.exit(20),
  "SystemExit": (h) => assertEquals(h.uncaught(new SystemExit(22)), false),
  "an error": (h) => assertEquals(h.uncaught(new Error("2")), false),
  "a handled error": (h) => h.handled(new Error("2")),
  "a signal": (h) => h.signal("SIGTERM"),
  "a duplicate": (h) => h.signal("SIGINT"),
  "Ctrl-C again": (h) => {
    h.runtime.pass(500);
    h.signal("SIGINT");
  },
  "Deno.exit()": (h) => assertEquals(catchExit(() => h.exitNow(21)), 21),
  "unload": (h) => h.unload(),
};

/** What `exitReason()` is where a program ends like that. */
function reasonOf(end: string): string {
  if (/ by SIG/.test(end)) return "signal";
  if (/^rethrow Error: [12]$/.test(end)) return "error";
  return /(exit|now) \d+$/.test(end) ? "exit" : "finished";
}

/** How the program has ended, in one line. */
function describeEnds({ runtime }: Harness): string {
  return runtime.ends.join(", ").replace(`Error: ${DRAINED}`, "drained");
}

// ------------------------------------------------------------------------- a handler is awaited

/**
 * How the program ends, and what becomes of the handler that is awaited and of the asynchronous one
 * behind it: both are awaited (`+`), or the first one fails and the other one is awaited (`-`), or
 * neither is awaited any longer (`!`).
 */
const awaiting: Table = {
  "an empty loop": {
    "an empty loop": "- rethrow drained",
    "exit()": "+ exit 20",
    "SystemExit": "+ exit 22",
    "an error": "+ rethrow Error: 2",
    "a handled error": "+ ",
    "a signal": "+ exit 143 by SIGTERM",
    "a duplicate": "+ exit 130 by SIGINT",
    "Ctrl-C again": "+ exit 130 by SIGINT",
    "Deno.exit()": "+ exit 21",
    "unload": "! ",
  },
  "exit()": {
    "an empty loop": "- rethrow drained, exit 10",
    "exit()": "+ exit 10",
    "SystemExit": "+ exit 10",
    "an error": "+ rethrow Error: 2",
    "a handled error": "+ exit 10",
    "a signal": "+ exit 143 by SIGTERM",
    "a duplicate": "+ exit 130 by SIGINT",
    "Ctrl-C again": "+ exit 130 by SIGINT",
    "Deno.exit()": "+ exit 10",
    "unload": "! exit 10",
  },
  "SystemExit": {
    "an empty loop": "- rethrow drained, exit 12",
    "exit()": "+ exit 12",
    "SystemExit": "+ exit 12",
    "an error": "+ rethrow Error: 2",
    "a handled error": "+ exit 12",
    "a signal": "+ exit 143 by SIGTERM",
    "a duplicate": "+ exit 130 by SIGINT",
    "Ctrl-C again": "+ exit 130 by SIGINT",
    "Deno.exit()": "+ exit 12",
    "unload": "! exit 12",
  },
  "an error": {
    "an empty loop": "- rethrow Error: 1",
    "exit()": "+ rethrow Error: 1",
    "SystemExit": "+ rethrow Error: 1",
    "an error": "+ rethrow Error: 1",
    "a handled error": "+ rethrow Error: 1",
    "a signal": "+ exit 143 by SIGTERM",
    "a duplicate": "+ exit 130 by SIGINT",
    "Ctrl-C again": "+ exit 130 by SIGINT",
    "Deno.exit()": "+ rethrow Error: 1",
    "unload": "! rethrow Error: 1",
  },
  "a signal": {
    "an empty loop": "- exit 130 by SIGINT",
    "exit()": "+ exit 130 by SIGINT",
    "SystemExit": "+ exit 130 by SIGINT",
    "an error": "+ exit 130 by SIGINT",
    "a handled error": "+ exit 130 by SIGINT",
    "a signal": "+ exit 130 by SIGINT",
    "a duplicate": "+ exit 130 by SIGINT",
    "Ctrl-C again": "! exit 130 by SIGINT",
    "Deno.exit()": "+ exit 130 by SIGINT",
    "unload": "! exit 130 by SIGINT",
  },
};

for (const [one, row] of Object.entries(awaiting)) {
  for (const [other, cell] of Object.entries(row)) {
    Deno.test(`Lifecycle: ${one}, then ${other} while a handler is awaited`, async () => {
      const [fate, end] = [cell[0], cell.slice(2)];
      const h = new Harness();
      const { lifecycle, runtime, said } = h;
      let kind: string | undefined;
      h.sync("last", () => kind = lifecycle.exitReason()?.kind);
      const behind = h.async("behind");
      const awaited = h.async("awaited");
      causes[one](h);
      if (lifecycle.state === "pending") assert(lifecycle.drained());
      assertEquals([lifecycle.state, said], ["awaiting", ["awaited"]]);

      second[other](h);
      if (other === "an empty loop") {
        runtime.pass(1_000);
        assert(lifecycle.drained());
      }
      awaited.resolve();
      await settle();
      behind.resolve();
      await settle();
      if (reasonOf(end) === "finished") h.unload("finished");

      const calls: Record<string, string[]> = {
        "+": ["awaited", "awaited settles", "behind", "behind settles", "last"],
        "-": ["awaited", "behind", "awaited settles", "behind settles", "last"],
        "!": ["awaited", "behind", "last", "awaited settles", "behind settles"],
      };
      assertEquals(said, calls[fate]);
      assertEquals(describeEnds(h), end);
      assertEquals(kind, reasonOf(end));
      assertEquals(runtime.timers.size, 0);
      assertEquals(h.count("Cannot await atexit handler awaited"), fate === "!" ? 1 : 0);
      assertEquals(h.count("Cannot await atexit handler behind"), fate === "!" ? 1 : 0);
      assertEquals(h.count("Exception in atexit handler awaited"), fate === "-" ? 1 : 0);
      // Each error is told once: by the runtime or in a report.
      const errors = [one, other].filter((name) => name === "an error").length;
      assertEquals(h.count("Uncaught error:"), errors - (reasonOf(end) === "error" ? 1 : 0));
      // The fake runtime prevents each exit. An error that is rethrown is on its way.
      if (reasonOf(end) !== "error") {
        assertEquals(h.traces, NO_TRACES);
      }
    });
  }
}

// --------------------------------------------------------------------------- the run is pending

/**
 * When the handlers run, and how the program ends: in the call itself (`now`), in the next turn of
 * the event loop (`soon`), or not before the exit that was caught takes effect (`later`).
 */
const pending: Table = {
  "exit()": {
    "an empty loop": "now exit 10",
    "exit()": "soon exit 10",
    "SystemExit": "soon exit 10",
    "an error": "now rethrow Error: 2",
    "a handled error": "later exit 10",
    "a signal": "soon exit 143 by SIGTERM",
    "Deno.exit()": "soon exit 10",
    "unload": "now exit 10",
  },
  "SystemExit": {
    "an empty loop": "now exit 12",
    "exit()": "soon exit 12",
    "SystemExit": "soon exit 12",
    "an error": "now rethrow Error: 2",
    "a handled error": "soon exit 12",
    "a signal": "soon exit 143 by SIGTERM",
    "Deno.exit()": "soon exit 12",
    "unload": "now exit 12",
  },
  "a signal": {
    "an empty loop": "now exit 130 by SIGINT",
    "exit()": "soon exit 130 by SIGINT",
    "SystemExit": "soon exit 130 by SIGINT",
    "an error": "soon exit 130 by SIGINT",
    "a handled error": "soon exit 130 by SIGINT",
    "a signal": "soon exit 130 by SIGINT",
    "a duplicate": "soon exit 130 by SIGINT",
    "Deno.exit()": "soon exit 130 by SIGINT",
    "unload": "now exit 130 by SIGINT",
  },
};

for (const [one, row] of Object.entries(pending)) {
  for (const [other, cell] of Object.entries(row)) {
    Deno.test(`Lifecycle: ${one}, then ${other} before the run`, async () => {
      const [time] = cell.split(" ");
      const end = cell.slice(time.length + 1);
      const h = new Harness();
      const { lifecycle, runtime, said } = h;
      h.async("awaited").resolve();
      causes[one](h);
      assertEquals([lifecycle.state, said], ["pending", []]);
      assertEquals(lifecycle.exitReason()?.kind, one === "a signal" ? "signal" : "exit");

      second[other](h);
      assertEquals(said.length > 0, time === "now");
      await h.turn();
      assertEquals(said.length > 0, time !== "later");
      runtime.pass(4_999);
      assertEquals(said.length > 0, time !== "later");
      runtime.pass(1);
      await settle();

      assertEquals(said, ["awaited", "awaited settles"]);
      assertEquals(describeEnds(h), end);
      assertEquals(runtime.timers.size, 0);
      const isReported = other === "an error" && reasonOf(end) !== "error";
      assertEquals(h.count("Uncaught error:"), isReported ? 1 : 0);
      if (reasonOf(end) !== "error") assertEquals(h.traces, NO_TRACES);
    });
  }
}

// ------------------------------------------------------------------------ a handler is being called

/** How handlers may end the program. */
const inHandler: Record<string, (h: Harness) => void> = {
  "exit()": ({ lifecycle }) => lifecycle.exit(20),
  "exit() that is caught": second["exit()"],
  "SystemExit": () => {
    throw new SystemExit(22);
  },
  "an exception": () => {
    throw new Error("3");
  },
  "an error event": second["an error"],
  "a handled error": second["a handled error"],
  "exit() in an error listener": (h) => h.handled(new Error("2"), () => h.lifecycle.exit(20)),
  "Deno.exit() in an error listener": (h) => h.handled(new Error("2"), () => h.exitNow(21)),
  "a signal": second["a signal"],
  "Deno.exit()": (h) => h.exitNow(21),
  "Deno.exit() that is caught": second["Deno.exit()"],
  "unload": second["unload"],
  "an empty loop": second["an empty loop"],
};

/** The ends in which handlers are called. */
const runs: Record<string, (h: Harness) => void> = {
  ...causes,
  "Deno.exit()": (h) => h.exitNow(11),
  "unload": (h) => h.unload(),
};

/** How the program ends, and after `=` with which exit code if it ends by itself. */
const calling: Table = {
  "an empty loop": {
    "exit()": "= 20",
    "exit() that is caught": "= 0",
    "SystemExit": "= 22",
    "an exception": "rethrow Error: 3 = 0",
    "an error event": "rethrow Error: 2",
    "a handled error": "= 0",
    "exit() in an error listener": "exit 20",
    "Deno.exit() in an error listener": "exit 21",
    "a signal": "exit 143 by SIGTERM",
    "Deno.exit()": "= 21",
    "Deno.exit() that is caught": "= 0",
    "unload": "= 0",
    "an empty loop": "= 0",
  },
  "exit()": {
    "exit()": "exit 20",
    "exit() that is caught": "exit 10",
    "SystemExit": "exit 22",
    "an exception": "rethrow Error: 3, exit 10",
    "an error event": "rethrow Error: 2",
    "a handled error": "exit 10",
    "exit() in an error listener": "exit 10",
    "Deno.exit() in an error listener": "exit 10",
    "a signal": "exit 143 by SIGTERM",
    "Deno.exit()": "exit 21",
    "Deno.exit() that is caught": "exit 10",
    "unload": "exit 10",
    "an empty loop": "exit 10",
  },
  "SystemExit": {
    "exit()": "exit 20",
    "exit() that is caught": "exit 12",
    "SystemExit": "exit 22",
    "an exception": "rethrow Error: 3, exit 12",
    "an error event": "rethrow Error: 2",
    "a handled error": "exit 12",
    "exit() in an error listener": "exit 12",
    "Deno.exit() in an error listener": "exit 12",
    "a signal": "exit 143 by SIGTERM",
    "Deno.exit()": "exit 21",
    "Deno.exit() that is caught": "exit 12",
    "unload": "exit 12",
    "an empty loop": "exit 12",
  },
  "an error": {
    "exit()": "rethrow Error: 1",
    "exit() that is caught": "rethrow Error: 1",
    "SystemExit": "rethrow Error: 1",
    "an exception": "rethrow Error: 1",
    "an error event": "rethrow Error: 1",
    "a handled error": "rethrow Error: 1",
    "exit() in an error listener": "rethrow Error: 1",
    "Deno.exit() in an error listener": "rethrow Error: 1",
    "a signal": "exit 143 by SIGTERM",
    "Deno.exit()": "rethrow Error: 1",
    "Deno.exit() that is caught": "rethrow Error: 1",
    "unload": "rethrow Error: 1",
    "an empty loop": "rethrow Error: 1",
  },
  "a signal": {
    "exit()": "exit 130 by SIGINT",
    "exit() that is caught": "exit 130 by SIGINT",
    "SystemExit": "exit 130 by SIGINT",
    "an exception": "exit 130 by SIGINT",
    "an error event": "exit 130 by SIGINT",
    "a handled error": "exit 130 by SIGINT",
    "exit() in an error listener": "exit 130 by SIGINT",
    "Deno.exit() in an error listener": "exit 130 by SIGINT",
    "a signal": "exit 130 by SIGINT",
    "Deno.exit()": "exit 130 by SIGINT",
    "Deno.exit() that is caught": "exit 130 by SIGINT",
    "unload": "exit 130 by SIGINT",
    "an empty loop": "exit 130 by SIGINT",
  },
  "Deno.exit()": {
    "exit()": "now 20",
    "exit() that is caught": "now 11",
    "SystemExit": "now 22",
    "an exception": "rethrow Error: 3, now 11",
    "an error event": "now 1",
    "a handled error": "now 11",
    "exit() in an error listener": "now 11",
    "Deno.exit() in an error listener": "now 11",
    "a signal": "now 143",
    "Deno.exit()": "now 21",
    "Deno.exit() that is caught": "now 11",
    "unload": "now 11",
    "an empty loop": "now 11",
  },
  "unload": {
    "exit()": "= 20",
    "exit() that is caught": "= 0",
    "SystemExit": "= 22",
    "an exception": "rethrow Error: 3 = 0",
    "an error event": "rethrow Error: 2",
    "a handled error": "= 0",
    "exit() in an error listener": "exit 20",
    "Deno.exit() in an error listener": "exit 21",
    "a signal": "exit 143 by SIGTERM",
    "Deno.exit()": "= 21",
    "Deno.exit() that is caught": "= 0",
    "unload": "= 0",
    "an empty loop": "= 0",
  },
};

for (const [one, row] of Object.entries(calling)) {
  for (const [other, cell] of Object.entries(row)) {
    Deno.test(`Lifecycle: ${one}, then ${other} in a handler`, async () => {
      const [end, code] = cell.split(/ ?= /);
      const h = new Harness();
      const { lifecycle, runtime, said } = h;
      h.sync("last");
      h.sync("ends", () => {
        assertEquals(lifecycle.state, "calling");
        inHandler[other](h);
      });
      if (one === "unload" || one === "Deno.exit()") h.sync("first");
      else h.async("first").resolve();
      runs[one](h);
      if (one === "exit()") lifecycle.drained();
      await h.turn();
      if (code !== undefined && one !== "unload") h.unload("finished");
      assertEquals(said.filter((line) => line !== "first settles"), ["first", "ends", "last"]);
      assertEquals(describeEnds(h), end);
      if (code !== undefined) assertEquals(runtime.exitCode, Number(code));
      assertEquals(runtime.timers.size, 0);
      assertEquals(h.count("Exception in atexit handler ends:"), other === "an exception" ? 1 : 0);
      const errors = [one, other].filter((name) => /^an error/.test(name)).length;
      const rethrown = /^rethrow Error: [12]$/.test(end) ? 1 : 0;
      assertEquals(h.count("Uncaught error:"), errors - rethrown);
    });
  }
}

// -------------------------------------------------------------------------- the program is exiting

/** How the program ends if its `exit` listeners do that, after another end. */
const exiting: Table = {
  "exit()": {
    "exit()": "exit 20, exit 10",
    "SystemExit": "exit 10",
    "an error": "rethrow Error: 2, exit 10",
    "a signal": "exit 10",
    "Deno.exit()": "now 21, exit 10",
    "unload": "exit 10",
    "an empty loop": "exit 10",
  },
  "an error": {
    "exit()": "exit 20, rethrow Error: 1",
    "SystemExit": "rethrow Error: 1",
    "an error": "rethrow Error: 1",
    "a signal": "rethrow Error: 1",
    "Deno.exit()": "now 21, rethrow Error: 1",
    "unload": "rethrow Error: 1",
    "an empty loop": "rethrow Error: 1",
  },
  "a signal": {
    "exit()": "exit 20, exit 130 by SIGINT",
    "SystemExit": "exit 130 by SIGINT",
    "an error": "exit 130 by SIGINT",
    "a signal": "exit 130 by SIGINT",
    "Deno.exit()": "now 21, exit 130 by SIGINT",
    "unload": "exit 130 by SIGINT",
    "an empty loop": "exit 130 by SIGINT",
  },
};

const inListener: Record<string, (h: Harness) => void> = {
  ...second,
  "an error": (h) => h.uncaught(new Error("2")),
  "Deno.exit()": (h) => h.exitNow(21),
};

for (const [one, row] of Object.entries(exiting)) {
  for (const [other, cell] of Object.entries(row)) {
    Deno.test(`Lifecycle: ${one}, then ${other} in an exit listener`, async () => {
      const h = new Harness();
      const { lifecycle, runtime, said } = h;
      h.async("awaited").resolve();
      let code: number | undefined;
      runtime.onExit = () => {
        assertEquals(lifecycle.state, "exiting");
        const reason = lifecycle.exitReason();
        inListener[other](h);
        assertEquals(lifecycle.exitReason(), reason);
        code = runtime.exitCode;
        // Nothing that is registered now is lost.
        h.sync("late");
        assertEquals(said.at(-1), "late");
      };
      causes[one](h);
      lifecycle.drained();
      await settle();
      assertEquals(said, ["awaited", "awaited settles", "late"]);
      assertEquals(describeEnds(h), cell);
      assertEquals(
        code,
        {
          "exit()": other === "SystemExit" ? 22 : 10,
          "an error": 1,
          "a signal": 130,
        }[one],
      );
      assertEquals(runtime.timers.size, 0);
      const isReported = other === "an error" && one !== "exit()" ||
        one === "an error" && other === "Deno.exit()"; // It keeps the runtime from printing it.
      assertEquals(h.count("Uncaught error:"), isReported ? 1 : 0);
      if (one !== "an error") assertEquals(h.traces, NO_TRACES);
    });
  }
}
