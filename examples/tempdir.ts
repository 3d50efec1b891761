// Prints the words of files in alphabetical order. Sorts them in a temporary directory, which is removed
// when the program ends, also if a file cannot be read halfway through, and at Ctrl-C.
//
//   deno run -R=. -W=. examples/tempdir.ts README.md LICENSE

import { exitOnSignals, register } from "../mod.ts";

exitOnSignals();
const directory = Deno.makeTempDirSync({ dir: ".", prefix: "words-" });
register(Deno.removeSync, directory, { recursive: true });

// A file for each first letter, so that only one of them has to fit into memory. Asynchronous, because
// a signal is handled only when the event loop turns.
for (const path of Deno.args) {
  for (const [word] of (await Deno.readTextFile(path)).toLowerCase().matchAll(/[a-z]+/g)) {
    await Deno.writeTextFile(`${directory}/${word[0]}`, `${word}\n`, { append: true });
  }
}

const letters = Array.from(Deno.readDirSync(directory), ({ name }) => name);
for (const letter of letters.sort()) {
  const words = (await Deno.readTextFile(`${directory}/${letter}`)).trimEnd().split("\n");
  console.log([...new Set(words)].sort().join("\n"));
}
