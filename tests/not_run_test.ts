// Where no handler runs, so that the documentation is true.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { runFixture, startFixture } from "./program.ts";

const windows = Deno.build.os === "windows";

Deno.test("handlers are not run when a top-level await never settles", async () => {
  const { lines, code, stderr } = await runFixture("waits_forever");
  assertEquals([lines, code], [[], 1]);
  assertStringIncludes(stderr, "Top-level await promise never resolved");
});

Deno.test("handlers are not run when a worker is terminated", async () => {
  const { lines, code } = await runFixture("terminates_worker", {
    command: ["run", "--allow-read"],
  });
  assertEquals([lines, code], [["main"], 0]);
});

Deno.test("handlers are not run when an error listener itself throws", async () => {
  const { lines, code, stderr } = await runFixture("error_listener_throws");
  assertEquals([lines, code], [[], 1]);
  assertStringIncludes(stderr, "Error: in listener");
});

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] as const) {
  Deno.test({
    name: `handlers are not run when nobody listens to the signal: ${signal}`,
    ignore: windows,
    async fn() {
      await using program = startFixture("waits_for_signal");
      await program.says("ready");
      program.kill(signal);
      const outcome = await program.outcome();
      assertEquals([outcome.lines, outcome.signal], [["ready"], signal]);
    },
  });
}

Deno.test("handlers are not run by process.abort()", async () => {
  const { lines, code } = await runFixture("aborts");
  assertEquals(lines, []);
  assertEquals(code !== 0, true);
});

Deno.test("handlers are not run when memory runs out", async () => {
  const { lines, code } = await runFixture("runs_out_of_memory", {
    command: ["run", "--v8-flags=--max-old-space-size=50"],
  });
  assertEquals(lines, []);
  assertEquals(code !== 0, true);
});
