// A library that buffers a log, and writes it when the program ends: asynchronously where the program
// can wait, and synchronously where it cannot. The arguments `exit`, `now` and `throw` end it by exit(),
// Deno.exit() or an error, `wait` waits for a signal; otherwise nothing is left to do.
//
//   deno run -W=app.log examples/logbuffer.ts

import { exit, exitOnSignals, register, registerAsync } from "../mod.ts";

/** Collects lines and writes them all at once. */
class Log {
  readonly #path: string;
  #text = "";

  constructor(path: string) {
    this.#path = path;
    // Registered before the handlers of the program, it runs after them: they can still log.
    registerAsync(this);
  }

  add(line: string): void {
    this.#text += `${line}\n`;
  }

  /** Where the program can wait. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.writeTextFile(this.#path, this.#take(), { append: true });
  }

  /** Where it cannot. */
  [Symbol.dispose](): void {
    Deno.writeTextFileSync(this.#path, this.#take(), { append: true });
  }

  #take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }
}

// The program that uses the library. Signals are the program's decision.
const log = new Log("app.log");
register(() => log.add(`ended with status ${Deno.exitCode}`));
exitOnSignals();
main(Deno.args[0]);

function main(how?: string): void {
  log.add("started");
  if (how === "exit") exit(3);
  if (how === "now") Deno.exit(3);
  if (how === "throw") throw new Error("The log is written all the same");
  if (how === "wait") {
    setInterval(() => log.add("still waiting"), 60_000);
    console.log("Waiting for a signal");
  }
}
