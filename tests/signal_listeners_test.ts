// The signals that `exitOnSignals()` listens to.

import { assertEquals, assertThrows } from "@std/assert";
import { SignalListeners, type SignalRequest } from "../signal_listeners.ts";
import { FakeRuntime } from "./fake_runtime.ts";

/** Listeners, and what they have been notified of. */
function create() {
  const runtime = new FakeRuntime();
  const log: string[] = [];
  const listeners = new SignalListeners(runtime.signals, runtime.clock, {
    onSignal: (signal, timeout) => void log.push(`${signal} ${timeout}`),
  });
  const getListening = () =>
    ["SIGINT", "SIGTERM", "SIGKILL", "SIGUSR1"].filter((signal) => runtime.isListening(signal));
  return { runtime, listeners, log, getListening };
}

Deno.test("SignalListeners: a signal is passed on with the shortest timeout of its requests", () => {
  const { runtime, listeners, log } = create();
  const requests: SignalRequest[] = [
    { signals: ["SIGTERM"], timeout: 9_000 },
    { signals: ["SIGTERM", "SIGINT"], timeout: 100 },
    { signals: ["SIGTERM"], timeout: 500 },
    { signals: ["SIGTERM", "SIGUSR1"] },
  ];
  const stops = requests.map((request) => listeners.add(request));
  for (const signal of ["SIGTERM", "SIGINT", "SIGUSR1"]) runtime.send(signal);
  assertEquals(log, ["SIGTERM 100", "SIGINT 100", "SIGUSR1 undefined"]);
  stops[1]();
  runtime.send("SIGTERM");
  assertEquals(log.at(-1), "SIGTERM 500");
});

Deno.test("SignalListeners: the default signals that are refused are left out", () => {
  const { runtime, listeners, getListening } = create();
  const stop = listeners.add({});
  assertEquals([runtime.signals.defaults, getListening()], [
    ["SIGINT", "SIGTERM", "SIGKILL"],
    ["SIGINT", "SIGTERM"],
  ]);
  stop();
  assertEquals(getListening(), []);
});

Deno.test("SignalListeners: a signal that is named and refused is an error, and none is listened to", () => {
  const { listeners, getListening } = create();
  const stop = listeners.add({ signals: ["SIGINT"] });
  const error = assertThrows(
    () => listeners.add({ signals: ["SIGTERM", "SIGINT", "SIGKILL", "SIGUSR1"] }),
    TypeError,
    "Cannot exit on signals: expected a signal that can be listened to here, such as " +
      '"SIGINT", received "SIGKILL"',
  );
  assertEquals((error.cause as Error).message, "refused");
  assertEquals(getListening(), ["SIGINT"]);
  stop();
  assertEquals([getListening(), listeners.areActive], [[], false]);
});

Deno.test("SignalListeners: a signal is listened to until each request has been removed", () => {
  const { listeners, getListening } = create();
  assertEquals(listeners.areActive, false);
  const one = listeners.add({ signals: ["SIGTERM", "SIGINT", "SIGTERM"] });
  const other = listeners.add({ signals: ["SIGINT"] });
  assertEquals([getListening(), listeners.areActive], [["SIGINT", "SIGTERM"], true]);
  one();
  one();
  assertEquals([getListening(), listeners.areActive], [["SIGINT"], true]);
  other();
  assertEquals([getListening(), listeners.areActive], [[], false]);
  listeners.add({ signals: ["SIGINT"] });
  assertEquals(getListening(), ["SIGINT"]);
});

Deno.test("SignalListeners: signals of the keyboard interrupt 500 ms after the next turn", () => {
  const { runtime, listeners } = create();
  const getInterrupting = () =>
    ["SIGBREAK", "SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "constructor"]
      .filter((signal) => listeners.interrupts(signal));
  listeners.arm();
  runtime.block(60_000);
  runtime.pass(0);
  runtime.pass(499);
  listeners.arm();
  assertEquals(getInterrupting(), []);
  runtime.pass(1);
  assertEquals(getInterrupting(), ["SIGBREAK", "SIGINT", "SIGQUIT"]);
  assertEquals(runtime.timers.size, 0);
});

for (const milliseconds of [undefined, 0, 500]) {
  Deno.test(`SignalListeners: disarm() forgets the first signal (after ${milliseconds} ms)`, () => {
    const { runtime, listeners } = create();
    listeners.arm();
    if (milliseconds !== undefined) runtime.pass(milliseconds);
    listeners.disarm();
    assertEquals(runtime.timers.size, 0);
    runtime.pass(60_000);
    assertEquals(listeners.interrupts("SIGINT"), false);
    listeners.arm();
    runtime.pass(500);
    assertEquals(listeners.interrupts("SIGINT"), true);
  });
}

Deno.test("SignalListeners: waiting for a second signal keeps nothing alive", () => {
  const { runtime, listeners } = create();
  listeners.arm();
  for (const _ of ["the next turn", "500 ms"]) {
    assertEquals([...runtime.timers].map(({ keepAlive }) => keepAlive), [undefined]);
    runtime.pass(0);
  }
});
