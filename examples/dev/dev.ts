// A program for `deno task dev`: a server, a scratch directory and a lock file, all of which are gone
// after Ctrl-C. The task ends with the status of the signal.
//
//   deno task --cwd examples/dev dev

import { exitOnSignals, register, registerAsync } from "../../mod.ts";

exitOnSignals({ timeout: 5_000 });

const scratch = Deno.makeTempDirSync({ dir: ".", prefix: "scratch-" });
register(Deno.removeSync, scratch, { recursive: true });
Deno.writeTextFileSync(`${scratch}/lock`, `${Deno.pid}\n`);

registerAsync(Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ hostname, port }) => console.log(`Serving ${scratch} on http://${hostname}:${port}`),
}, async () => new Response(await Deno.readTextFile(`${scratch}/lock`))));
