// The differences that are intended, each with its reason.

import type { Mode } from "./run.ts";

/** A difference that is intended. One that is not seen is an error, too. */
export interface Known {
  reason: string;
  modes: Mode[];
  /** Their names, or what matches those. */
  programs: string[] | RegExp;
  /** What is left out of both texts, so that the rest is still compared. Default: everything. */
  ignoring?: RegExp;
  /** What explains nothing when it is in the text. */
  unless?: RegExp;
  /** The runtimes that show it, as `node 20` or `bun`. Default: Deno. */
  on?: string[];
  /** The versions of Deno that show it, as in `version` of ../program.ts. */
  since?: number;
  until?: number;
  /** Whether it depends on timing or on the version, so that it is not always seen. */
  sometimes?: boolean;
}

const all: Mode[] = ["imported", "synchronous", "asynchronous", "waiting"];
const registered: Mode[] = all.slice(1);
const loaded: Mode[] = ["imported", "synchronous"];
const graceful: Mode[] = ["asynchronous", "waiting"];

const frames = /^ +at .*\n/gm;
/** The stack, and the line of the program that it begins with. */
const place = /^.*\n *\^\n|^ +at .*\n/gm;
/** What is said of an error that joins an end. */
const joined = /^Uncaught error:\n.*\n|^ +at .*\n/gm;

const shownPlace =
  "Deno shows the first line of the stack that is not its own, which is in the function that stands in the place of a native one";

const inListeners = (note: string, ...types: string[]) =>
  types.map((type) => `errors: an Error, in a listener${type}${note}`);

export const known: Known[] = [
  {
    reason: "a function that stands in the place of a native one is on the stack of what it calls",
    modes: all,
    ignoring: frames,
    programs: [
      ...["", ", watched"].flatMap((note) => inListeners(note, " of unload, at Deno.exit")),
      ...["", ", watched", ", handled"].flatMap((note) =>
        inListeners(note, " of error", " of uncaughtException")
      ),
      "ends: uncaughtException throws",
    ],
  },
  {
    reason: "a function that stands in the place of a native one is on the stack of what it calls",
    modes: all,
    ignoring: frames,
    programs: ["", ", watched"].flatMap((note) =>
      inListeners(note, " of load", " of beforeunload", " of unload")
    ),
    since: 207,
  },
  {
    reason: "an error is printed that Deno calls null if it is thrown as it ends",
    modes: graceful,
    programs: [
      "errors: undefined, in a listener of load",
      ...["", ", watched"].flatMap((note) => inListeners(note, " of load", " of beforeunload")),
    ],
    until: 206,
  },
  {
    reason: "a function that stands in the place of a native one is on the stack of what it calls",
    modes: loaded,
    ignoring: frames,
    programs: [
      ...inListeners("", "", " of unhandledrejection"),
      ...inListeners(", watched", "", " of unhandledrejection"),
    ],
  },
  {
    reason: "a function that stands in the place of a native one is on the stack of what it calls",
    modes: registered,
    ignoring: frames,
    programs: ["", ", watched", ", handled"].flatMap((note) => inListeners(note, " of exit")),
  },
  {
    reason: shownPlace,
    modes: all,
    ignoring: place,
    programs: [
      "globals: dispatchEvent()",
      "globals: dispatchEvent(null)",
      `globals: dispatchEvent({ type: "error" })`,
      `globals: dispatchEvent("unload")`,
      `globals: dispatchEvent.call({}, new Event("x"))`,
      `globals: dispatchEvent.call(1, new Event("unload"))`,
    ],
  },
  {
    reason: shownPlace,
    modes: all,
    ignoring: place,
    programs: [
      "globals: globalThis frozen, dry",
      "globals: globalThis frozen, then Deno.exit",
      "globals: globalThis not extensible, dry",
      "globals: globalThis not extensible, then Deno.exit",
    ],
    since: 208,
  },
  {
    reason: "a function that stands in the place of a native one is on the stack of what it calls",
    modes: graceful,
    ignoring: frames,
    programs: ["globals: Array iteration replaced, dry"],
    until: 207,
  },
  {
    reason: "a function that stands in the place of a native one is on the stack of what it calls",
    modes: graceful,
    ignoring: frames,
    programs: ["globals: String.prototype replaced, dry"],
    until: 206,
  },
  {
    reason: "a function that stands in the place of a native one has a text of its own",
    modes: all,
    programs: [
      "globals: Deno.exit, as text",
      "globals: dispatchEvent, as text",
      "globals: dispatchEvent, as a base",
      "globals: close, as text",
    ],
  },
  {
    reason: "Deno calls globalThis.dispatchEvent, so that the module has to put an own one there",
    modes: all,
    programs: [
      "globals: dispatchEvent, its descriptor",
      "globals: dispatchEvent, whether it is own",
      "globals: console.log(dispatchEvent === EventTarget.prototype.dispatchEvent)",
      "globals: console.log(Reflect.ownKeys(globalThis).map(String).sort().join())",
      "globals: for (const key in globalThis) console.log(key)",
      "globals: dispatchEvent of EventTarget replaced, dry",
      "globals: dispatchEvent of EventTarget replaced, then an error",
    ],
  },
  {
    reason: "the functions in the place of native ones make the stack longer",
    modes: all,
    programs: [
      `globals: addEventListener("unload", () => console.log(new Error().stack.split("\\n").length))`,
      `globals: addEventListener("x", () => console.log(new Error().stack.split("\\n").length)); dispatchEvent(new Event("x"))`,
    ],
  },
  {
    reason: "copies of the module find each other at globalThis, by a symbol",
    modes: all,
    programs: ["globals: console.log(Object.getOwnPropertySymbols(globalThis).length)"],
  },
  {
    reason:
      "Deno reads this of every listener that is added or called, and the module listens to unload",
    modes: all,
    programs: [
      "globals: Object.prototype with getters, then Deno.exit",
      "globals: Object.prototype with a setter for 0, dry",
      "globals: Object.prototype with a setter for 0, then Deno.exit",
    ],
  },
  {
    reason: "Deno reads this of every error, and the module raises it again after its handlers",
    modes: graceful,
    programs: ["globals: Object.prototype with getters, then an error"],
  },
  {
    reason: "while handlers are awaited, the program goes on after an error",
    modes: graceful,
    ignoring: /^after\n|^load .*\n|^ +at .*\n/gm,
    programs: [
      ...["", ", watched"].flatMap((note) => [
        `errors: an Error, in a listener${note}`,
        `errors: an Error, in a listener of another target${note}`,
        `errors: an Error, in a listener of abort${note}`,
        `errors: an Error, in reportError${note}`,
        `errors: an Error, in reportError in a timer${note}`,
      ]),
    ],
  },
  {
    reason: "while handlers are awaited, the program goes on after an error",
    modes: ["waiting"],
    ignoring: /^load .*\n|^unload\n|^never\n/gm,
    programs: ["errors: an Error, at the top level after a timer, watched"],
    since: 207,
  },
  {
    reason: "while handlers are awaited, the program goes on after an error",
    modes: ["waiting"],
    ignoring: /^load .*\n|^unload\n|^never\n/gm,
    programs: [
      "errors: an Error, in a microtask of a microtask, watched",
      "ends: close() after an error",
      "work: a timer right after an error",
    ],
  },
  {
    reason: "an error that joins an end is reported: without the module it is lost",
    modes: graceful,
    ignoring: joined,
    programs: [
      "errors: undefined, in a listener of unhandledrejection",
      "errors: an Error, in a listener of unhandledrejection",
      "errors: an Error, in a listener of unhandledrejection, watched",
      "errors: two rejections",
      "errors: a rejection and a throw",
    ],
  },
  {
    reason: "an error that joins an end is reported: without the module it is lost",
    modes: graceful,
    ignoring: /^Uncaught error:\n.*\n/gm,
    programs: ["errors: reportError three times"],
  },
  {
    reason: "an error that joins an end is reported: without the module it is lost",
    modes: ["waiting"],
    ignoring: joined,
    programs: ["errors: two timers throw"],
  },
  {
    reason: "an error that joins an end is reported: without the module it is lost",
    modes: ["waiting"],
    ignoring: joined,
    programs: ["errors: an Error, in an interval"],
    sometimes: true,
  },
  {
    reason:
      "the first of two errors decides: Deno shows the microtask's one to the listeners first, and prints the other",
    modes: ["waiting"],
    programs: ["errors: a rejection and a microtask", "errors: a microtask and a rejection"],
  },
  {
    reason:
      "the first of two errors decides: Deno shows the microtask's one to the listeners first, and prints the other",
    modes: ["asynchronous"],
    programs: ["errors: a rejection and a microtask", "errors: a microtask and a rejection"],
    since: 207,
  },
  {
    reason:
      "what listeners of beforeunload schedule is done before handlers that are awaited: Deno drops it unless one objects",
    modes: graceful,
    ignoring: /^(more|microtask|goes on)\n/gm,
    programs: [
      "ends: beforeunload objects by returnValue",
      "ends: beforeunload objects by its return value",
      "ends: beforeunload schedules and does not object",
      "ends: beforeunload queues a microtask",
      "errors: an Error, in a listener of beforeunload, handled",
    ],
    since: 209,
  },
  {
    reason: "listeners of beforeunload are asked once: before 2.9 Deno asks them after each work",
    modes: graceful,
    ignoring: /^(1|asked|handled error)\n/gm,
    programs: [
      "ends: beforeunload objects by returnValue",
      "ends: beforeunload objects by its return value",
      "ends: beforeunload schedules and does not object",
      "errors: an Error, in a listener of beforeunload, handled",
    ],
    until: 208,
  },
  {
    reason:
      "an event that is dispatched again to wait or to end is seen by who replaces dispatchEvent, and by no listener",
    modes: graceful,
    ignoring: /^dispatch .*\n/gm,
    programs: [
      "globals: dispatchEvent replaced, dry",
      "globals: dispatchEvent replaced, then an error",
    ],
  },
  {
    reason: "that nobody can await the handler is written by the program's console.error",
    modes: graceful,
    ignoring: /^error called\n/gm,
    programs: ["globals: console.error counted, then Deno.exit"],
  },
  {
    reason: "deno test frames what is written: that nobody can await the handler",
    modes: graceful,
    ignoring: /^-+ post-test output( end)? -+\n/gm,
    programs: [
      "outside: a test passes",
      "outside: a test throws",
      "outside: a test throws in a timer",
      "outside: a test rejects",
      "outside: a test leaks a timer",
      "outside: a test sets the exit code",
    ],
  },
  {
    reason: shownPlace,
    modes: loaded,
    ignoring: place,
    programs: ["outside: a test exits", "outside: a test exits by process.exit"],
  },
  {
    reason: "deno test frames what is written: that nobody can await the handler",
    modes: graceful,
    ignoring: /^one \.\.\.\n?|^-+ (post-test )?output( end)? -+\n|^.*\n *\^\n|^ +at .*\n/gm,
    programs: ["outside: a test exits", "outside: a test exits by process.exit"],
  },
  {
    reason: "while handlers are awaited, listeners of other events see them",
    modes: graceful,
    ignoring: /^unhandledrejection .*\n/gm,
    programs: ["errors: an Error, in a transform, watched"],
  },
  {
    reason: "while handlers are awaited, Deno.exitCode is the code that the program is ending with",
    modes: graceful,
    ignoring: /^load .*\n|\d$/gm,
    programs: ["ends: process.on uncaughtExceptionMonitor, a rejection"],
    since: 208,
  },
  {
    reason: "while handlers are awaited, Deno.exitCode is the code that the program is ending with",
    modes: ["waiting"],
    ignoring: /^load .*\n|\d$/gm,
    programs: ["errors: an Error, in a microtask, watched"],
  },
  {
    reason: "while handlers are awaited, Deno.exitCode is the code that the program is ending with",
    modes: ["asynchronous"],
    ignoring: /^load .*\n|\d$/gm,
    programs: ["errors: an Error, in a microtask, watched"],
    since: 207,
  },
  {
    reason: "while handlers are awaited, the main module may come to its end",
    modes: graceful,
    ignoring: /^load .*\n/gm,
    programs: [
      "errors: an Error, in a listener of a message, watched",
      "errors: an Error, in process.nextTick, watched",
    ],
    sometimes: true,
  },
  {
    reason:
      "the loop runs dry once for beforeExit listeners, so that handlers that are awaited are not put off for ever",
    modes: graceful,
    programs: [
      "ends: beforeExit schedules three times",
      "ends: beforeExit schedules by setImmediate",
      "ends: beforeExit throws, and a listener of error goes on each time",
    ],
  },
  {
    reason: "an error in a listener of beforeExit is printed: Deno 2.9 alone drops it",
    modes: graceful,
    programs: ["", ", watched", ", handled"].flatMap((note) => inListeners(note, " of beforeExit")),
  },
  {
    reason: "what is read of an error to tell SystemExit from others is read once more",
    modes: graceful,
    ignoring: /^.*main\.ts:\d+: Uncaught 1\n|^ +at .*\n/gm,
    programs: [
      "errors: an error whose message throws, in a timer",
      "errors: an error whose stack throws, in a timer",
    ],
    sometimes: true,
  },
];
