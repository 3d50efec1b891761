// The package as a user gets it: what would be published, from a server that speaks JSR's protocol,
// added to an empty directory with an empty cache.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { JsrServer } from "../jsr.ts";
import { assertOutcome, mod, newFolder, type Options, type Outcome, Program } from "../program.ts";

const root = new URL("../..", import.meta.url);
const { version } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));

Deno.test("deno add and a program work with the package as it would be published", async () => {
  const files = await filesToPublish();
  const paths = Object.keys(files);
  for (const path of ["/README.md", "/LICENSE", "/mod.ts"]) assert(paths.includes(path), path);
  assertEquals(paths.filter((path) => /^\/(tests|bench|\.)/.test(path)), []);

  const exports = { ".": "./mod.ts" };
  await using server = await JsrServer.start({ name: "@atexit/atexit", version, exports, files });
  const cwd = await Deno.makeTempDir();
  const cache = await Deno.makeTempDir();
  const env = { JSR_URL: server.url, DENO_DIR: cache };
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
    await Deno.remove(cwd, { recursive: true });
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("a linked copy compiles in a project with the libraries of a browser", async () => {
  const cwd = newFolder();
  const config = {
    links: [fileURLToPath(root)],
    imports: { "@atexit/atexit": `jsr:@atexit/atexit@${version}` },
    compilerOptions: { lib: ["dom", "esnext"] },
  };
  await Deno.writeTextFile(`${cwd}/deno.json`, JSON.stringify(config));
  await Deno.writeTextFile(
    `${cwd}/main.ts`,
    'import { register } from "@atexit/atexit";\nregister(() => {});\n',
  );
  const check = await outcome(["check", "--quiet", "--all", "main.ts"], { cwd });
  assertOutcome(check, { stderr: "", code: 0 });
});

Deno.test("the public types download nothing, and fit beside a package.json", async () => {
  const cwd = newFolder();
  const main = `import { register } from ${JSON.stringify(mod)};\nregister(() => {});\n`;
  await Deno.writeTextFile(`${cwd}/package.json`, "{}");
  await Deno.writeTextFile(`${cwd}/main.ts`, main);
  const env = { DENO_DIR: newFolder(), NPM_CONFIG_REGISTRY: "http://127.0.0.1:9/" };
  const check = await outcome(["check", "main.ts"], { cwd, env });
  assertOutcome(check, { code: 0, counts: { "types/node": 0, "Download": 0 } });
});

/** Always of the newest Deno: older ones need the network to check types. */
function outcome(args: string[], options: Options): Promise<Outcome> {
  return new Program(args, options, Deno.execPath()).outcome();
}

/** The files of a publish dry run, by their path in the package. */
async function filesToPublish(): Promise<Record<string, string>> {
  const cwd = fileURLToPath(root);
  const publish = await outcome(["publish", "--dry-run", "--allow-dirty"], { cwd });
  assertOutcome(publish, { code: 0, stderr: /Simulating publish of @atexit\/atexit@/ });
  const files: Record<string, string> = {};
  for (const [, url] of publish.stderr.matchAll(/^\s+(file:\S+) \(/gm)) {
    files[`/${url.slice(root.href.length)}`] = await Deno.readTextFile(new URL(url));
  }
  return files;
}

Deno.test("the version is the same in deno.json and in the changelog", async () => {
  const changelog = await Deno.readTextFile(new URL("CHANGELOG.md", root));
  assertStringIncludes(changelog, `\n## ${version}`);
});
