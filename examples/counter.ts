// The counter of Python's atexit documentation: counts how often it is started, and saves the count
// when it ends. The arguments `exit` and `throw` end it by Deno.exit() or by an error.
//
//   deno run -R=counterfile -W=counterfile examples/counter.ts

import { register } from "../mod.ts";

const path = "counterfile";

function readCount(): number {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
  const count = Number(text);
  if (!/^\d+\s*$/.test(text) || !Number.isSafeInteger(count)) {
    throw new Error(`Cannot count: ${path} contains ${JSON.stringify(text)} instead of a number`);
  }
  return count;
}

// Registered after the file was read, so that a file that cannot be read is not overwritten.
let count = readCount();
register(() => Deno.writeTextFileSync(path, `${count}\n`));

count++;
console.log(`${count}`);

if (Deno.args[0] === "exit") Deno.exit(3);
if (Deno.args[0] === "throw") throw new Error("The count is saved all the same");
