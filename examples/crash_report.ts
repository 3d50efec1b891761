// A crash report, with what led to the crash. It is written if an uncaught error ends the program, and
// not if the program ends normally or by Ctrl-C. The argument says how to end.
//
//   deno run -W=crash.txt examples/crash_report.ts throw
//   deno run -W=crash.txt examples/crash_report.ts fine

import { exitReason, register } from "../mod.ts";

const trail: string[] = [];

register(function writeReport() {
  const reason = exitReason();
  if (reason?.kind !== "error") return;
  // What was thrown need not be an Error.
  const error = Deno.inspect(reason.error);
  const lines = [new Date().toISOString(), `Deno ${Deno.version.deno}`, ...trail, error];
  Deno.writeTextFileSync("crash.txt", `${lines.join("\n")}\n`);
  console.error("The program has crashed. Please send us crash.txt.");
});

trail.push("started");
const [how] = Deno.args;
trail.push(`asked to ${how}`);
switch (how) {
  case "throw":
    throw new Error("Out of milk", { cause: "nobody went shopping" });
  case "reject":
    await Promise.reject("Out of milk");
    break;
  case "exit":
    Deno.exit(3);
}
console.log("Done");
