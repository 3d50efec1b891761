// COUNT handlers that throw. Prints the CPU time of a report in microseconds, and the memory of the process
// in MiB: deno run failing_handlers.ts atexit|console.error COUNT

import { register } from "../mod.ts";

const [reporter, count] = Deno.args;
let start = 0;

function fails(): never {
  throw new Error("failed");
}

function failsByHand(): void {
  try {
    fails();
  } catch (error) {
    console.error(error);
  }
}

function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

cpuTime(); // Loads what it needs.
register(() => {
  const cost = (cpuTime() - start) / Number(count);
  console.log(JSON.stringify([cost, Deno.memoryUsage().rss / 2 ** 20]));
});
for (let i = 0; i < Number(count); i++) {
  register(reporter === "atexit" ? () => fails() : () => failsByHand());
}
register(() => void (start = cpuTime()));
