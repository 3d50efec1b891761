// The differences on Node.js and Bun that are intended, each with its reason. Each takes out of the
// texts what it is about, so that the rest is still compared.

import type { Known } from "./known.ts";

const all: Known["modes"] = ["imported", "synchronous", "asynchronous", "waiting"];
const registered = all.slice(1);
const graceful = all.slice(2);

const frames = /^ +at .*\n?/gm;
/** Where the error was thrown, with the lines of the program, and the stack. */
const nodePlace =
  /^(\S*:\d+|<anonymous_script>:\d+)\n(.*\n( *\^+\n)?)?\n?|^ +at .*\n?|^Thrown at:\n/gm;
const bunPlace = /^ *\d+ \| .*\n|^ +\^\n|^ +at .*\n?|\n?^Bun v.*\n/gm;
const joined = /^Uncaught error:\n.*\n|^ +at .*\n?/gm;

export const knownPortable: Known[] = [
  {
    reason: "a function that stands in the place of a native one is on the stack of what it calls",
    on: ["node", "bun"],
    modes: all,
    ignoring: frames,
    programs:
      /listener of (exit|beforeExit|uncaughtException|unhandledRejection)|with (1\.5|NaN|"|true|\{\}|7n|Symbol)|stack/,
    sometimes: true,
  },
  {
    reason: "copies of the module find each other at globalThis, by a symbol",
    on: ["node", "bun"],
    modes: all,
    programs: [
      "globals: console.log(Object.getOwnPropertySymbols(globalThis).length)",
      "globals: console.log(Reflect.ownKeys(globalThis).map(String).sort().join())",
    ],
    sometimes: true,
  },
  {
    reason: "emit and reallyExit are accessors, so that what packages assign to them is called",
    on: ["node"],
    modes: all,
    programs: ["emit", "reallyExit"].map((name) =>
      `process: JSON.stringify(Object.getOwnPropertyDescriptor(process, "${name}"))`
    ),
    sometimes: true,
  },
  {
    reason: "Bun calls listeners only, so that the module has to have some",
    on: ["bun"],
    modes: all,
    ignoring: /^[\d ,]+\n|^.*(beforeExit|uncaughtException).*\n/gm,
    programs: /listeners counted|exit listeners, counted|process\.eventNames|listenerCount/,
    sometimes: true,
  },
  {
    reason: "Bun shows the place where the native function was called, which is in the module",
    on: ["bun"],
    modes: all,
    ignoring: bunPlace,
    programs: /^process: process\.exit(Code)?( in exit)? with/,
    sometimes: true,
  },
  {
    reason: "process.exitCode is the code that the program is ending with",
    on: ["node", "bun"],
    modes: registered,
    ignoring: /(undefined|\d+)$|^ *\d+ \| .*\n|^ +\^\n|^ +at .*\n?/gm,
    programs: /with (a )?listeners? of|process\.on /,
    sometimes: true,
  },
  {
    reason: "an error that is raised again has another place in the message",
    on: ["node"],
    modes: graceful,
    ignoring: nodePlace,
    programs: /./,
    sometimes: true,
  },
  {
    reason: "an error that is raised again has another place in the message",
    on: ["bun"],
    modes: graceful,
    ignoring: bunPlace,
    programs: /./,
    sometimes: true,
  },
  {
    reason:
      "an event that is emitted again to end is seen by who replaces process.emit, and by no listener",
    on: ["node"],
    modes: graceful,
    ignoring: /^emit .*\n|^(\S*:\d+|<anonymous_script>:\d+)\n(.*\n( *\^+\n)?)?\n?|^ +at .*\n?/gm,
    programs: /with process\.emit replaced/,
    sometimes: true,
  },
  {
    reason: "Bun shows an error that is raised again to the monitor again",
    on: ["bun"],
    modes: graceful,
    ignoring: /^uncaughtExceptionMonitor .*\n|^ *\d+ \| .*\n|^ +\^\n|^ +at .*\n?/gm,
    programs: /uncaughtExceptionMonitor|of everything/,
    sometimes: true,
  },
  {
    reason: "an error that an exit overtakes is reported: without the module it is lost",
    on: ["node"],
    modes: ["synchronous"],
    ignoring: joined,
    programs: /exit in exit/,
    sometimes: true,
  },
  {
    reason: "an error that joins an end is reported: without the module it is lost",
    on: ["node", "bun"],
    modes: graceful,
    ignoring: joined,
    programs: /two|rejection|microtask|process\.exit in exit|exit in exit/,
    sometimes: true,
  },
  {
    reason: "an exit listener of Bun does not set the status of an error that is raised again",
    on: ["bun"],
    modes: graceful,
    programs: /^process: a throw.*, with process\.exitCode in exit$/,
    sometimes: true,
  },
  {
    reason: "listeners of beforeExit are asked once where a handler is awaited",
    on: ["node", "bun"],
    modes: graceful,
    programs: /beforeExit/,
    sometimes: true,
  },
  {
    reason: "Bun prints an error that is raised again in another way, or not all of several",
    on: ["bun"],
    modes: graceful,
    ignoring: /[^]+/g,
    unless: /can never settle/,
    programs: /^errors: |error|throw|rejection|uncaughtException/,
    sometimes: true,
  },
];
