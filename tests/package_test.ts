// The package as a user gets it: what would be published, from a server that speaks JSR's protocol,
// added to an empty directory with an empty cache.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertOutcome, type Options, type Outcome, Program } from "./program.ts";

const root = new URL("..", import.meta.url);
const { version } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
const base = `/@atexit/atexit`;

Deno.test("deno add and a program work with the package as it would be published", async () => {
  const files = await filesToPublish();
  for (const name of ["/README.md", "/LICENSE", "/mod.ts"]) assert(files.has(name), name);
  const others = [...files.keys()].filter((name) => /^\/(tests|bench|\.)/.test(name));
  assertEquals(others, []);

  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, registry(files));
  const cwd = await Deno.makeTempDir();
  const cache = await Deno.makeTempDir();
  const env = { JSR_URL: `http://127.0.0.1:${server.addr.port}/`, DENO_DIR: cache };
  try {
    const add = await outcome(["add", "jsr:@atexit/atexit"], { cwd, env });
    assertOutcome(add, { code: 0 });
    const { imports } = JSON.parse(await Deno.readTextFile(`${cwd}/deno.json`));
    assertEquals(imports, { "@atexit/atexit": `jsr:@atexit/atexit@^${version}` });

    await Deno.writeTextFile(
      `${cwd}/main.ts`,
      `import { exit, register, registerAsync } from "@atexit/atexit";
       const goodbye: (name: string) => void = (name) => console.log("Goodbye,", name);
       register(goodbye, "first");
       registerAsync(async () => goodbye(await Promise.resolve("second")));
       exit(3);`,
    );
    // Checked, so that the types are those that users see.
    const main = await outcome(["run", "--check", "main.ts"], { cwd, env });
    assertOutcome(main, { lines: ["Goodbye, second", "Goodbye, first"], code: 3 });

    await Deno.writeTextFile(
      `${cwd}/wrong.ts`,
      'import { register } from "@atexit/atexit";\nregister(async () => {});\n',
    );
    const wrong = await outcome(["check", "wrong.ts"], { cwd, env });
    assertOutcome(wrong, { stderr: /register\(\) does not await promises: use registerAsync\(\)/ });
  } finally {
    await server.shutdown();
    await Deno.remove(cwd, { recursive: true });
    await Deno.remove(cache, { recursive: true });
  }
});

/** Always of the newest Deno: older ones need the network to check types. */
function outcome(args: string[], options: Options): Promise<Outcome> {
  return new Program(args, options, Deno.execPath()).outcome();
}

/** The files of a publish dry run, by their path in the package. */
async function filesToPublish(): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const publish = await outcome(["publish", "--dry-run", "--allow-dirty"], { cwd: root.pathname });
  assertOutcome(publish, { code: 0, stderr: /Simulating publish of @atexit\/atexit@/ });
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [, url] of publish.stderr.matchAll(/^\s+(file:\S+) \(/gm)) {
    files.set(`/${url.slice(root.href.length)}`, await Deno.readFile(new URL(url)));
  }
  return files;
}

/** Answers as JSR does: the versions, a version's files with their checksums, a file. */
function registry(
  files: Map<string, Uint8Array<ArrayBuffer>>,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const path = new URL(request.url).pathname;
    if (path === `${base}/meta.json`) {
      return Response.json({
        scope: "atexit",
        name: "atexit",
        latest: version,
        versions: { [version]: {} },
      });
    }
    if (path === `${base}/${version}_meta.json`) {
      const manifest: Record<string, { size: number; checksum: string }> = {};
      for (const [name, content] of files) {
        manifest[name] = { size: content.length, checksum: await checksum(content) };
      }
      return Response.json({ manifest, exports: { ".": "./mod.ts" } });
    }
    const content = files.get(path.slice(`${base}/${version}`.length));
    return content === undefined
      ? new Response("Not found", { status: 404 })
      : new Response(content, { headers: { "content-type": "text/typescript" } });
  };
}

async function checksum(content: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return `sha256-${Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

Deno.test("the version is the same in deno.json and in the changelog", async () => {
  const changelog = await Deno.readTextFile(new URL("CHANGELOG.md", root));
  assertStringIncludes(changelog, `\n## ${version}`);
});
