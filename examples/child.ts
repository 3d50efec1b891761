// A child process that does not outlive its parent. Ctrl-C ends this program. The arguments `done`,
// `exit` and `throw` end it with nothing left to do, by exit(), or by an error instead.
//
// registerAsync(child) would kill the child with SIGTERM and wait for its end. This program also kills
// a child that ignores SIGTERM.
//
//   deno run --allow-run=deno examples/child.ts

import { exit, exitOnSignals, registerAsync } from "../mod.ts";

const child = new Deno.Command("deno", {
  args: ["eval", "setInterval(() => {}, 1_000); console.log('ready');"],
  stdin: "null",
  stdout: "piped",
}).spawn();

registerAsync(async function stopChild() {
  child.ref(); // Undo unref(), since what is awaited here has to keep the program alive.
  try {
    child.kill("SIGTERM");
  } catch {
    // It has ended by itself.
  }
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await child.status;
  clearTimeout(timer);
  console.log(`Child ${child.pid} has ended`);
});
exitOnSignals();
main(Deno.args[0]);

async function main(how?: string): Promise<void> {
  await child.stdout.getReader().read();
  console.log(`Child ${child.pid} is running`);
  if (how === "done") child.unref(); // Otherwise the child keeps the program alive.
  if (how === "exit") exit(3);
  if (how === "throw") throw new Error("The child ends all the same");
}
