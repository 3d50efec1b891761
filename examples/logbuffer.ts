// A log that a library buffers, and that is in its file when the program has ended. Give it `exit`
// or `throw` to end by exit() or by an error, `wait` to wait for a signal; else it runs dry.
//
//   deno run -W=app.log examples/logbuffer.ts

import { exit, exitOnSignals, register, registerAsync } from "../mod.ts";

/** Collects lines and writes them all at once. */
class Log {
  readonly #path: string;
  #text = "";

  constructor(path: string) {
    this.#path = path;
    // Registered before what the program registers, it runs after: that can still be logged.
    // Only Deno.exit() cannot wait for it: a program with asynchronous handlers calls exit().
    registerAsync(() => this.flush());
  }

  add(line: string): void {
    this.#text += `${line}\n`;
  }

  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    await Deno.writeTextFile(this.#path, text, { append: true });
  }
}

// Here the library ends and the program begins. To end by a signal is for the program to decide.
const log = new Log("app.log");
register(() => log.add(`ended with status ${Deno.exitCode}`));
exitOnSignals();
main(Deno.args[0]);

async function main(how?: string): Promise<void> {
  log.add("started");
  if (how === "exit") await exit(3);
  if (how === "throw") throw new Error("The log is written all the same");
  if (how === "wait") {
    setInterval(() => log.add("still waiting"), 60_000);
    console.log("Waiting for a signal");
  }
}
