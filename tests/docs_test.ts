// The pages: links lead somewhere, in the repository and in the published package; programs compile, and
// print what the pages say; and the README stays short.

import { assert, assertEquals } from "@std/assert";
import { dirname } from "node:path";
import { pages, readBlocks, readSessions } from "./pages.ts";
import { deno, mod, newFolder, Program, writeProgram } from "./program.ts";
import { withoutSignals } from "./skip.ts";

const root = new URL("..", import.meta.url);
const published = await filesToPublish();

Deno.test("the README has at most 7200 bytes", async () => {
  const { size } = await Deno.stat(new URL("README.md", root));
  assert(size <= 7200, `It has ${size}`);
});

const publishedPages = [...published].filter((name) => name.endsWith(".md"));
for (const page of publishedPages) {
  Deno.test(`the links of ${page} lead somewhere in the published package`, async () => {
    assertEquals(await brokenLinks(page, isPublished), []);
  });
}

Deno.test("the links of CONTRIBUTING.md lead somewhere in the repository", async () => {
  assertEquals(await brokenLinks("CONTRIBUTING.md", isInRepository), []);
});

Deno.test("the README leads to every page of docs/", async () => {
  const targets = linksOf(await read("README.md"));
  const missing = publishedPages.filter((page) =>
    page.startsWith("docs/") && !targets.includes(page)
  );
  assertEquals(missing, []);
});

Deno.test("nothing of the module's workshop is published", () => {
  const others = /^(\.|tests\/|bench\/|docs\/record\.ts|CONTRIBUTING|SECURITY)/;
  assertEquals([...published].filter((name) => others.test(name)), []);
});

Deno.test("docs/troubleshooting.md quotes what the module says", async () => {
  const files = [...published].filter((name) => /^[^/]+\.ts$/.test(name));
  const sources = (await Promise.all(files.map(read))).join("\n").replace(/["`] \+\s+["`]/g, "")
    .replace("${call} was called${where}", "${call} was called at ${place}");
  const page = await read("docs/troubleshooting.md");
  const [, messages] = page.split("## stderr says …\n");
  const [quoted] = messages.split("\n## The program hangs");
  const headings = quoted.matchAll(/^### (.+)$/gm);
  const reasons = quoted.matchAll(/^\| (`.+?`)/gm);
  const texts = [...headings, ...reasons].flatMap(([, text]) =>
    Array.from(text.matchAll(/`([^`]+)`/g), ([, quoted]) => quoted.split("…")).flat()
  );
  assert(texts.length > 15, `${texts}`);
  assertEquals(texts.filter((text) => !sources.includes(text)), []);
});

// ------------------------------------------------------------------------- programs of the pages

const ignore = withoutSignals(); // and without `sh`

for (const page of pages) {
  for (const { program, steps } of readSessions(page)) {
    Deno.test(`${page}:${program.line} prints what the page says`, { ignore }, async () => {
      const [, name = "app.ts"] = steps[0].command.match(/^deno run .*?(\w+\.ts)/) ?? [];
      const folder = dirname(writeProgram(program.text, { name }));
      for (const { command, output } of steps) {
        assertEquals(await runStep(command, output, folder), output, command);
      }
    });
  }
}

Deno.test("docs/session.svg shows the first program of the README, and what it prints", async () => {
  const [{ program, steps }] = readSessions("README.md");
  const drawn = (await read("docs/session.svg")).replace(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  for (const text of [program.text, ...steps.map(({ output }) => output)]) {
    assert(drawn.includes(text), `Record it anew: deno task record\n${text}`);
  }
});

Deno.test("the programs of the pages that are not run by deno test --doc compile", async () => {
  const folder = newFolder();
  const imports = { "@atexit/atexit": mod };
  Deno.writeTextFileSync(`${folder}/deno.json`, JSON.stringify({ imports }));
  const blocks = pages.flatMap(readBlocks).filter(({ info, text }) =>
    info === "ts ignore" && text.includes('"@atexit/atexit"') &&
    !/ from "(?!@atexit\/|node:|\.)/.test(text)
  );
  const names = blocks.map(({ page, line, text }) => {
    const name = `${page.replace(/\W/g, "_")}_${line}.ts`;
    Deno.writeTextFileSync(`${folder}/${name}`, `${text}\nexport {};\n`);
    return name;
  });
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", ...names],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});

// -------------------------------------------------------------------------------------- helpers

/** Runs a command of a session in a shell. Where the session shows ^C, that is pressed there. */
async function runStep(command: string, expected: string, cwd: string): Promise<string> {
  const quiet = "--quiet --no-check --no-config";
  const line = command.replaceAll(/\bdeno run\b/g, `"$DENO" run ${quiet}`)
    .replace(/^ls$/, "ls -C"); // as in a terminal
  const [before, after] = expected.split("^C");
  const script = after === undefined ? `{ ${line}\n} 2>&1` : `exec 2>&1; exec ${line}`;
  await using program = new Program(["-c", script], { cwd, env: { DENO: deno } }, "sh");
  if (after !== undefined) {
    await program.says(before);
    program.kill("SIGINT");
  }
  const { stdout } = await program.outcome();
  const shown = stdout.replaceAll(`file://${cwd}/`, "file:///app/");
  return after === undefined ? shown : shown.replace(before, `${before}^C`);
}

/** The links of a page that lead to no file, or to no heading. */
async function brokenLinks(page: string, exists: (name: string) => boolean): Promise<string[]> {
  const broken: string[] = [];
  for (const link of linksOf(await read(page))) {
    if (/^[a-z]+:/.test(link)) continue;
    const { pathname, hash } = new URL(link, `file:///${page}`);
    const target = pathname.slice(1);
    const found = exists(target) &&
      (hash === "" || anchorsOf(await read(target)).includes(hash.slice(1)));
    if (!found) broken.push(link);
  }
  return broken;
}

/** Whether a file is published, or a folder with such a file. */
function isPublished(name: string): boolean {
  return published.has(name) || [...published].some((file) => file.startsWith(`${name}/`));
}

function isInRepository(name: string): boolean {
  try {
    return Deno.statSync(new URL(name, root)) !== undefined;
  } catch {
    return false;
  }
}

/** The targets of the links and pictures of a page. What stands in code is none. */
function linksOf(text: string): string[] {
  const prose = text.replace(/^ *```[\s\S]*?^ *```$/gm, "").replace(/`[^`\n]*`/g, "code");
  const inline = prose.matchAll(/\]\(([^)\s]+)[^)]*\)/g);
  const definitions = prose.matchAll(/^\[[^\]]+\]: (\S+)/gm);
  return [...inline, ...definitions].map(([, target]) => target);
}

/** The anchors of the headings of a page, as GitHub and JSR make them. */
function anchorsOf(text: string): string[] {
  const prose = text.replace(/^ *```[\s\S]*?^ *```$/gm, "");
  return Array.from(prose.matchAll(/^#+ (.+)$/gm), ([, heading]) => {
    return heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
  });
}

async function read(name: string): Promise<string> {
  return await Deno.readTextFile(new URL(name, root));
}

/** The files of a publish dry run, by their paths in the package. */
async function filesToPublish(): Promise<Set<string>> {
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty"],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const lines = new TextDecoder().decode(stderr).matchAll(/^\s+(file:\S+) \(/gm);
  return new Set(Array.from(lines, ([, url]) => url.slice(root.href.length)));
}
