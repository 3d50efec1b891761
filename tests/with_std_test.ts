// with_std.ts finds @std where it is: on JSR, or on npm.

import { assertEquals } from "@std/assert";
import { assertOutcome, type Outcome, Program } from "./program.ts";

const root = new URL("..", import.meta.url).pathname;
const ignore = Deno.build.os === "windows";

/** Runs a program by with_std.ts, with a JSR of ours. */
async function runWithStd(jsr: string, env: Record<string, string> = {}): Promise<Outcome> {
  const code = `
    import * as std from "@std/assert";
    console.log("from", std.standIn ?? "npm", typeof std.assertEquals);
    Deno.exit(3);`;
  const args = ["run", "-A", "--no-config", "tests/with_std.ts", "eval", code];
  const options = { cwd: root, env: { JSR_URL: `${jsr}/`, ...env } };
  return await new Program(args, options, Deno.execPath()).outcome();
}

async function checksum(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const bytes = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0"));
  return `sha256-${bytes.join("")}`;
}

Deno.test("with_std.ts takes @std from JSR where that can be reached", { ignore }, async () => {
  const source = `export const standIn = "JSR"; export function assertEquals() {}`;
  const manifest = { "/mod.ts": { size: source.length, checksum: await checksum(source) } };
  const files: Record<string, string> = {
    "/@std/assert/meta.json": JSON.stringify({
      ...{ scope: "std", name: "assert", latest: "1.9.0" },
      versions: { "1.9.0": {} },
    }),
    "/@std/assert/1.9.0_meta.json": JSON.stringify({ manifest, exports: { ".": "./mod.ts" } }),
    "/@std/assert/1.9.0/mod.ts": source,
  };
  const asked = new Set<string>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    asked.add(pathname);
    const type = pathname.endsWith(".ts") ? "application/typescript" : "application/json";
    return pathname in files
      ? new Response(files[pathname], { headers: { "content-type": type } })
      : new Response(null, { status: 404 });
  });
  const cache = Deno.makeTempDirSync();
  try {
    const outcome = await runWithStd(`http://127.0.0.1:${server.addr.port}`, { DENO_DIR: cache });
    assertOutcome(outcome, { lines: ["from JSR function"], code: 3 });
    assertOutcome(outcome, { counts: { "JSR is out of reach": 0 } });
    assertEquals([...asked].sort(), Object.keys(files).sort());
  } finally {
    Deno.removeSync(cache, { recursive: true });
  }
});

Deno.test("with_std.ts says so, and takes @std from npm, where JSR is out of reach", {
  ignore,
}, async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close(); // Now nobody listens there.
  assertOutcome(await runWithStd(`http://127.0.0.1:${port}`), {
    lines: ["from npm function"],
    code: 3,
    counts: { "JSR is out of reach: taking @std from npm": 1 },
  });
});
