// Arguments: what is given to `register` after the function is what the function is called with.
// Where Python has keyword arguments, TypeScript has an object. Both are type-checked.
//
//   deno run examples/goodbye.ts

import { register } from "../mod.ts";

function goodbye(name: string, adjective: string): void {
  console.log(`Goodbye ${name}, it was ${adjective} to meet you.`);
}

function goodbyeTo({ name, adjective = "good" }: { name: string; adjective?: string }): void {
  goodbye(name, adjective);
}

register(goodbye, "Donny", "nice");
register(goodbyeTo, { adjective: "great", name: "Maude" });
register(goodbyeTo, { name: "Walter" });

console.log("Last registered, first run:");
