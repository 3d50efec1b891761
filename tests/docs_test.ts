// Every link of the README, the pages of docs/ and CONTRIBUTING.md leads somewhere, in the repository
// and in the published package; and the README stays short.

import { assert, assertEquals } from "@std/assert";

const root = new URL("..", import.meta.url);
const published = await filesToPublish();

Deno.test("the README has at most 6000 bytes", async () => {
  const { size } = await Deno.stat(new URL("README.md", root));
  assert(size <= 6000, `It has ${size}`);
});

const pages = [...published].filter((name) => name.endsWith(".md"));
for (const page of pages) {
  Deno.test(`the links of ${page} lead somewhere in the published package`, async () => {
    assertEquals(await brokenLinks(page, isPublished), []);
  });
}

Deno.test("the links of CONTRIBUTING.md lead somewhere in the repository", async () => {
  assertEquals(await brokenLinks("CONTRIBUTING.md", isInRepository), []);
});

Deno.test("the README leads to every page of docs/", async () => {
  const targets = linksOf(await read("README.md"));
  const missing = pages.filter((page) => page.startsWith("docs/") && !targets.includes(page));
  assertEquals(missing, []);
});

Deno.test("nothing of the module's workshop is published", () => {
  const others = /^(\.|tests\/|bench\/|docs\/record\.ts|CONTRIBUTING|SECURITY)/;
  assertEquals([...published].filter((name) => others.test(name)), []);
});

Deno.test("docs/troubleshooting.md quotes what the module says", async () => {
  const files = [...published].filter((name) => /^[^/]+\.ts$/.test(name));
  const sources = (await Promise.all(files.map(read))).join("\n").replace(/["`] \+\s+["`]/g, "");
  const page = await read("docs/troubleshooting.md");
  const [, messages] = page.split("## stderr says …\n");
  const [quoted] = messages.split("\n## The program hangs");
  const headings = quoted.matchAll(/^### (.+)$/gm);
  const reasons = quoted.matchAll(/^\| (`.+?`)/gm);
  const texts = [...headings, ...reasons].flatMap(([, text]) =>
    Array.from(text.matchAll(/`([^`]+)`/g), ([, quoted]) => quoted)
  );
  assert(texts.length > 15, `${texts}`);
  assertEquals(texts.filter((text) => !sources.includes(text)), []);
});

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
