// Deno, Node.js and Bun: more places where `exit()` is called, each with synchronous handlers, and
// whose exception is caught.

import { testRows } from "../portable.ts";
import { getRows, morePlaces, places } from "../portable_exits.ts";

testRows(getRows(places, "caught", "asynchronous"));
for (const column of ["uncaught", "caught"] as const) {
  testRows(getRows(places, column, "synchronous"));
  testRows(getRows(morePlaces, column, "synchronous"));
  testRows(getRows(morePlaces, column, "asynchronous"));
}

testRows({
  "an exit whose exception is caught takes effect after five seconds at the latest": {
    program: `
      register(() => console.log("handler", code(), why()));
      setInterval(() => {}, 1_000);
      setTimeout(() => console.log("alive"), 4_000);
      try { exit(3); } catch { console.log("caught"); }`,
    lines: ["caught", "alive", "handler 3 exit"],
    code: 3,
  },
  "a finally that awaits has five seconds": {
    program: `
      register(() => console.log("handler", code(), why()));
      async function main() {
        try { exit(3); } finally {
          await turn(4_000);
          console.log("in time");
          await turn(30_000);
          console.log("never");
        }
      }
      main();`,
    lines: ["in time", "handler 3 exit"],
    code: 3,
  },
});
