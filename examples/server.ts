// A server that keeps notes, and sends each new one to whoever listens. On Ctrl-C or SIGTERM it
// answers 503 to what is new, finishes the requests under way, closes the streams that would never
// end, closes its store and ends with the signal's status. It takes another port than 8000 as its
// argument.
//
//   deno run -N=127.0.0.1 -R=notes.txt -W=notes.txt examples/server.ts
//   curl --no-buffer http://127.0.0.1:8000/events &
//   curl --data "Buy milk" http://127.0.0.1:8000

import { exitOnSignals, register, registerAsync } from "../mod.ts";

// A client that never finishes its request does not hold up the end for longer than this.
exitOnSignals({ timeout: 5_000 });

// A file stands for a database here, which is closed in the same way. Synchronously, so that it is
// closed also when there is no time to wait.
const store = Deno.openSync("notes.txt", { append: true, create: true });
register(function closeStore() {
  store.syncSync();
  store.close();
  say("Store closed"); // When it is: printing may fail.
});

/** Prints, unless the terminal has been closed: then `console.log` throws. */
function say(text: string): void {
  try {
    console.log(text);
  } catch {
    // Nobody reads it.
  }
}

/** Who is told of new notes: without an end, unless the server ends. */
interface Listener {
  send(note: string): void;
  close(): Promise<void> | void;
}
const listeners = new Set<Listener>();

function serverSentEvents(): Response {
  let listener: Listener;
  const events = new ReadableStream<string>({
    start(controller) {
      controller.enqueue(": connected\n\n");
      listener = {
        send: (note) => controller.enqueue(`data: ${note}\n\n`),
        close: () => controller.close(),
      };
      listeners.add(listener);
    },
    cancel: () => void listeners.delete(listener),
  });
  const headers = { "content-type": "text/event-stream" };
  return new Response(events.pipeThrough(new TextEncoderStream()), { headers });
}

function webSocket(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  const closed = new Promise<void>((resolve) => socket.onclose = () => resolve());
  const listener: Listener = {
    send: (note) => socket.send(note),
    close: () => {
      socket.close(1001, "The server ends");
      return closed;
    },
  };
  socket.onopen = () => listeners.add(listener);
  closed.then(() => listeners.delete(listener));
  return response;
}

async function respond(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  say(`${request.method} ${pathname}`);
  if (pathname === "/events") return serverSentEvents();
  if (pathname === "/socket") return webSocket(request);
  if (request.method === "POST") {
    const note = await request.text();
    store.writeSync(new TextEncoder().encode(`${note}\n`));
    for (const listener of listeners) listener.send(note);
  }
  return new Response((await Deno.open("notes.txt")).readable);
}

let ending = false;
let underWay = 0;
const finished = Promise.withResolvers<void>();

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0] ?? 8000),
  onListen: ({ hostname, port }) => say(`Listening on http://${hostname}:${port}`),
}, async (request) => {
  if (ending) return new Response("The server ends\n", { status: 503 });
  underWay++;
  try {
    return await respond(request);
  } finally {
    underWay--;
    if (ending && underWay === 0) finished.resolve();
  }
});

// Registered after the store, it runs before it: the last request still finds the store open.
registerAsync(async function stopServer() {
  ending = true;
  say("Finishing the requests under way");
  // First: Deno 2.9 reads no more of a request after shutdown() (denoland/deno#36809).
  if (underWay > 0) await finished.promise;
  await Promise.all(Array.from(listeners, (listener) => listener.close()));
  await server.shutdown(); // It waits for the responses under way.
});
