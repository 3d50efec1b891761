// The time limit of a run.

import { assertEquals } from "@std/assert";
import { Deadline, getShorter } from "../deadline.ts";
import { FakeRuntime } from "./fake_runtime.ts";

/** A deadline, and what it has called back, each with the time since the beginning. */
function create(gracePeriod?: number) {
  const runtime = new FakeRuntime();
  const { clock } = runtime;
  const start = clock.now();
  const log: string[] = [];
  const record = (name: string) => (milliseconds: number) =>
    void log.push(`${clock.now() - start}: ${name} ${milliseconds}`);
  const deadline = new Deadline(clock, {
    onSlow: record("slow"),
    onReserve: record("reserve"),
    onTimeout: record("timeout"),
  }, gracePeriod);
  return { runtime, deadline, log };
}

type Create = ReturnType<typeof create>;

type Row = [
  name: string,
  gracePeriod: number | undefined,
  act: (created: Create) => void,
  expected: string[],
];

/** What is done, and what is called back within a hundred seconds. */
const rows: Row[] = [
  ["without a limit the notice comes after ten seconds, once", undefined, ({ deadline }) => {
    deadline.awaiting();
  }, ["10000: slow 10000"]],
  [
    "the notice counts from the time at which a handler is awaited",
    undefined,
    ({ deadline, runtime }) => {
      deadline.awaiting();
      runtime.pass(9_000);
      deadline.awaiting();
    },
    ["19000: slow 10000"],
  ],
  ["the last tenth is reserved", 100, ({ deadline }) => {
    deadline.awaiting();
  }, ["90: reserve 100", "100: timeout 100"]],
  ["the grace period counts from the start of the run", 100, ({ deadline, runtime }) => {
    runtime.pass(50);
    deadline.awaiting();
    runtime.pass(20);
    deadline.awaiting();
  }, ["90: reserve 100", "100: timeout 100"]],
  ["a timeout counts from the call", undefined, ({ deadline, runtime }) => {
    deadline.awaiting();
    runtime.pass(50);
    deadline.limit(100);
  }, ["140: reserve 100", "150: timeout 100"]],
  ["a timeout that comes after the notice is kept", undefined, ({ deadline, runtime }) => {
    deadline.awaiting();
    runtime.pass(20_000);
    deadline.limit(100);
  }, ["10000: slow 10000", "20090: reserve 100", "20100: timeout 100"]],
  ["a shorter timeout replaces the grace period", 100, ({ deadline }) => {
    deadline.limit(50);
    deadline.awaiting();
  }, ["45: reserve 50", "50: timeout 50"]],
  ["a longer timeout replaces the grace period", 100, ({ deadline }) => {
    deadline.limit(500);
    deadline.awaiting();
  }, ["450: reserve 500", "500: timeout 500"]],
  ["the timeout that ends first counts", undefined, ({ deadline, runtime }) => {
    deadline.limit(500);
    deadline.awaiting();
    deadline.limit(900);
    deadline.limit(undefined);
    runtime.pass(100);
    deadline.limit(450); // Shorter, and ends later.
  }, ["450: reserve 500", "500: timeout 500"]],
  ["a timeout replaces one that ends later", undefined, ({ deadline, runtime }) => {
    deadline.limit(500);
    deadline.awaiting();
    runtime.pass(100);
    deadline.limit(300);
  }, ["370: reserve 300", "400: timeout 300"]],
  ["a timeout that ends at the same time changes nothing", undefined, ({ deadline, runtime }) => {
    deadline.limit(100);
    deadline.awaiting();
    runtime.pass(90);
    deadline.limit(10);
  }, ["90: reserve 100", "100: timeout 100"]],
  [
    "a timeout that replaces a limit in its last tenth has a last tenth",
    100,
    ({ deadline, runtime }) => {
      deadline.awaiting();
      runtime.pass(95);
      deadline.limit(1_000);
    },
    ["90: reserve 100", "995: reserve 1000", "1095: timeout 1000"],
  ],
  ["the last tenth begins once", 100, ({ deadline, runtime }) => {
    deadline.awaiting();
    runtime.pass(95);
    deadline.awaiting();
  }, ["90: reserve 100", "100: timeout 100"]],
  ["a limit that is over when a handler is awaited fails it in the next turn", 100, (created) => {
    const { deadline, runtime } = created;
    runtime.pass(200);
    deadline.awaiting();
    assertEquals(created.log, []);
  }, ["200: timeout 100"]],
  ["after the timeout, what is awaited fails in the next turn", 100, ({ deadline, runtime }) => {
    deadline.awaiting();
    runtime.pass(100);
    deadline.awaiting();
  }, ["90: reserve 100", "100: timeout 100", "100: timeout 100"]],
  ["a limit of 0 is over in the next turn", 0, (created) => {
    created.deadline.awaiting();
    assertEquals(created.log, []);
  }, ["0: timeout 0"]],
  ["a limit that starts while nothing is awaited starts no timer", 100, ({ deadline, runtime }) => {
    deadline.limit(50);
    assertEquals(runtime.timers.size, 0);
  }, []],
  ["end() stops the timer", 100, ({ deadline, runtime }) => {
    deadline.awaiting();
    deadline.end();
    deadline.end();
    deadline.limit(50);
    assertEquals(runtime.timers.size, 0);
  }, []],
];

for (const [name, gracePeriod, act, expected] of rows) {
  Deno.test(`Deadline: ${name}`, () => {
    const created = create(gracePeriod);
    act(created);
    created.runtime.pass(100_000);
    assertEquals(created.log, expected);
  });
}

Deno.test("Deadline: timers that fire early are started again", () => {
  const { runtime, deadline, log } = create(100);
  deadline.awaiting();
  runtime.fireEarly();
  runtime.pass(89);
  runtime.fireEarly();
  assertEquals([log, runtime.timers.size], [[], 1]);
  runtime.pass(1);
  runtime.fireEarly();
  assertEquals(log, ["90: reserve 100"]);
  runtime.pass(10);
  assertEquals(log, ["90: reserve 100", "100: timeout 100"]);
});

Deno.test("Deadline: a limit may be longer than a timer", () => {
  const limit = 2 ** 33;
  const { runtime, deadline, log } = create(limit);
  deadline.awaiting();
  runtime.pass(2 ** 32);
  assertEquals([log, runtime.timers.size], [[], 1]);
  runtime.pass(2 ** 32);
  assertEquals(log.map((line) => line.slice(line.indexOf(" "))), [
    ` reserve ${limit}`,
    ` timeout ${limit}`,
  ]);
});

Deno.test("Deadline: isLimited tells whether there is a limit", () => {
  assertEquals(create(100).deadline.isLimited, true);
  const { deadline } = create();
  assertEquals(deadline.isLimited, false);
  deadline.limit(100);
  assertEquals(deadline.isLimited, true);
});

Deno.test("Deadline: the limit keeps the program alive, the notice does not", () => {
  const { runtime, deadline } = create();
  deadline.awaiting();
  assertEquals(runtime.timerModes, [undefined]);
  deadline.limit(100);
  assertEquals(runtime.timerModes, ["unlessDrained"]);
});

Deno.test("Deadline: keepAlive() keeps the program alive until the limit", () => {
  const { runtime, deadline, log } = create(100);
  deadline.awaiting();
  runtime.pass(50);
  deadline.keepAlive();
  const [timer] = runtime.timers;
  deadline.keepAlive();
  assertEquals([runtime.timerModes, runtime.timers.has(timer)], [["always"], true]);
  runtime.pass(40);
  assertEquals([runtime.timerModes, log], [["always"], ["90: reserve 100"]]);
  deadline.awaiting();
  assertEquals(runtime.timerModes, ["always"]);
});

Deno.test("getShorter() returns the shorter one of two timeouts", () => {
  const rows: [one: number | undefined, other: number | undefined, shorter: number | undefined][] =
    [[1, 2, 1], [2, 1, 1], [undefined, 1, 1], [1, undefined, 1], [undefined, undefined, undefined]];
  for (const [one, other, shorter] of rows) assertEquals(getShorter(one, other), shorter);
});
