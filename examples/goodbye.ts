// Arguments: those that follow the function are what it is called with. In place of Python's keyword
// arguments, pass an object. Both are type-checked.
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
