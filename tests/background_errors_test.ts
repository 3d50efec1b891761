// What goes wrong in the background while handlers are awaited: nothing is cut, all of it is reported.

import { assertEquals } from "@std/assert";
import { assertOutcome, start } from "./program.ts";
import { withoutSignals } from "./skip.ts";

const noSignals = withoutSignals();

/** A program whose asynchronous handlers wait until its background has failed as often as it does. */
const program = (background: string) => `
  import { exit, exitOnSignals, register, registerAsync } from "@atexit/atexit";
  exitOnSignals();
  let failures = 0;
  const failed = Promise.withResolvers();
  const count = (times) => { if (++failures === times) failed.resolve(); };
  addEventListener("unhandledrejection", () => count(expected));
  ${background}
  register(() => console.log("first"));
  registerAsync(async function flush() {
    console.log("flush begins");
    await new Promise((resolve) => setTimeout(resolve, 1));
    console.log("flush ends");
  });
  registerAsync(async function waits() {
    console.log("waits");
    begin();
    await failed.promise;
    console.log("waited");
  });
  console.log("ready");`;

const backgrounds: Record<string, [source: string, times: number, message: string]> = {
  "a server under load whose requests fail": [
    `
    const expected = 20;
    const server = Deno.serve({ port: 0, onListen() {} }, () => {
      Promise.reject(new Error("request failed"));
      return new Response("served");
    });
    async function load() {
      for (let i = 0; i < expected; i++) {
        const response = await fetch("http://localhost:" + server.addr.port);
        await response.text();
      }
    }
    const begin = () => load();`,
    20,
    "Error: request failed",
  ],
  "fetches that are aborted": [
    `
    const expected = 3;
    const server = Deno.serve({ port: 0, onListen() {} }, () => new Promise(() => {}));
    const controllers = Array.from({ length: expected }, () => new AbortController());
    for (const { signal } of controllers) {
      fetch("http://localhost:" + server.addr.port, { signal });
    }
    const begin = () => {
      for (const controller of controllers) controller.abort(new Error("aborted by hand"));
    };`,
    3,
    "Error: aborted by hand",
  ],
  "connections that are dropped": [
    `
    const expected = 3;
    const listener = Deno.listen({ port: 0 });
    async function accept() {
      for await (const connection of listener) connection.close();
    }
    const begin = () => {
      accept();
      for (let i = 0; i < expected; i++) fetch("http://localhost:" + listener.addr.port);
    };`,
    3,
    "TypeError: ",
  ],
};

/** How the program ends, and the status: an error decides over all but a signal. */
const ends: Record<string, [source: string, code: number]> = {
  "an exit": ["exit(3);", 1],
  "an error": ['setTimeout(() => { throw new Error("the cause"); });', 1],
  "a signal": ["setInterval(() => {}, 1_000);", 143],
};

for (const [background, [source, times, message]] of Object.entries(backgrounds)) {
  for (const [name, [end, code]] of Object.entries(ends)) {
    const ignore = name === "a signal" && noSignals;
    Deno.test(`while handlers are awaited at ${name}: ${background}`, { ignore }, async () => {
      const command = ["run", "--allow-net"];
      await using running = start(`${program(source)}\n${end}`, { command });
      await running.says("ready");
      if (name === "a signal") running.kill("SIGTERM");
      const outcome = await running.outcome();
      assertOutcome(outcome, {
        lines: ["ready", "waits", "waited", "flush begins", "flush ends", "first"],
        code,
      });
      assertOutcome(outcome, ({ stderr }) => {
        // The first one is the cause of an exit that it joins: Deno prints that one in the end.
        const deno = name === "an exit" ? 1 : 0;
        assertEquals(stderr.split("Uncaught error:\n").length - 1, times - deno);
        assertEquals(stderr.split(message).length - 1, times);
        assertEquals(stderr.includes("the cause"), name === "an error");
      });
    });
  }
}
