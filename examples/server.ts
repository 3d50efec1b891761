// A server that keeps notes. On Ctrl-C or SIGTERM it stops accepting connections, finishes the
// requests under way, closes its store and ends with the signal's status. It takes another port
// than 8000 as its argument.
//
//   deno run -N=127.0.0.1 -R=notes.txt -W=notes.txt examples/server.ts
//   curl --data "Buy milk" http://127.0.0.1:8000

import { exitOnSignals, register, registerAsync } from "../mod.ts";

// A client that never finishes its request does not hold up the end for longer than this.
exitOnSignals({ timeout: 5_000 });

// A file, because Deno 2.0 has no node:sqlite, and Deno.openKv wants a flag. What it takes to close
// a database is the same. Synchronous, so that it is closed also when there is no time to wait.
const store = Deno.openSync("notes.txt", { append: true, create: true });
register(function closeStore() {
  store.syncSync();
  store.close();
  console.log("Store closed");
});

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0] ?? 8000),
  onListen: ({ hostname, port }) => console.log(`Listening on http://${hostname}:${port}`),
}, async (request) => {
  console.log(`${request.method} ${new URL(request.url).pathname}`);
  if (request.method === "POST") {
    store.writeSync(new TextEncoder().encode(`${await request.text()}\n`));
  }
  return new Response((await Deno.open("notes.txt")).readable);
});

// Registered after the store, it runs before it: the last request still finds the store open.
// Deno 2.9 fails to read what arrives of a request's body from here on: denoland/deno#36809.
registerAsync(async function stopServer() {
  const stopped = server.shutdown();
  console.log("Finishing the requests under way");
  await stopped;
});
