// "Nobody handles" is meant exactly: a listener that prevents the default keeps the program alive.

import { assertEquals } from "@std/assert";
import { run } from "./program.ts";

for (const how of ["before", "after", "onerror", "node"]) {
  Deno.test(`an error whose default is prevented runs no handler: listener ${how}`, async () => {
    const { lines, code, stderr } = await run("handles_error", { args: [how] });
    assertEquals(lines, [how === "node" ? "seen 1 boom" : "seen 1", "alive", "handler"]);
    assertEquals([code, stderr], [0, ""]);
  });
}

for (const how of ["before", "after", "onunhandledrejection", "node", "nodeException"]) {
  Deno.test(`a rejection whose default is prevented runs no handler: listener ${how}`, async () => {
    const { lines, code, stderr } = await run("handles_rejection", { args: [how] });
    assertEquals(lines, [how.startsWith("node") ? "seen 1 boom" : "seen 1", "alive", "handler"]);
    assertEquals([code, stderr], [0, ""]);
  });
}

Deno.test("a rejection that nobody handles runs the handlers where there is no process", async () => {
  const { lines, code } = await run("removes_process");
  assertEquals([lines, code], [["handler 1"], 1]);
});

Deno.test("every listener sees each event exactly once", async () => {
  const error = await run("watches_errors");
  assertEquals(error.lines, ["error before boom", "error after boom", "handler"]);
  assertEquals(error.code, 1);
  const rejection = await run("watches_errors", { args: ["reject"] });
  assertEquals(rejection.lines, ["rejection before boom", "rejection after boom", "handler"]);
  assertEquals(rejection.code, 1);
});
