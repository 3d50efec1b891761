// A server that keeps notes, and sends each new one to all listeners. At Ctrl-C or SIGTERM it answers
// 503 to new requests, finishes the requests under way, closes the streams that would never end, closes
// its store, and ends with the status of the signal. The argument is the port, by default 8000.
//
//   deno run -N=127.0.0.1 -R=notes.txt -W=notes.txt examples/server.ts
//   curl --no-buffer http://127.0.0.1:8000/events &
//   curl --data "Buy milk" http://127.0.0.1:8000

import { exitOnSignals, register, registerAsync } from "../mod.ts";

// The longest time that a client can delay the end by not finishing its request.
exitOnSignals({ timeout: 5_000 });

// A file instead of a database, which would be closed in the same way: synchronously, so that it is
// also closed at ends that cannot wait.
const store = Deno.openSync("notes.txt", { append: true, create: true });
register(function closeStore() {
  store.syncSync();
  store.close();
  say("Store closed"); // Afterwards, because printing may fail.
});

/** Prints, if the terminal is still open: otherwise `console.log` throws. */
function say(text: string): void {
  try {
    console.log(text);
  } catch {
    // Nobody reads it.
  }
}

/** Receives new notes until the server ends. */
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

// Registered after the store, it runs before it, so that the last requests can still use the store.
registerAsync(async function stopServer() {
  ending = true;
  say("Finishing the requests under way");
  // Before shutdown(), after which Deno 2.9 reads no more of a request (denoland/deno#36809).
  if (underWay > 0) await finished.promise;
  await Promise.all(Array.from(listeners, (listener) => listener.close()));
  await server.shutdown(); // It waits for the responses under way.
});
