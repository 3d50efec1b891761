// The packages that are measured on Deno: the module, the module before the redesign, and the files of
// the module without their contents. Each from local files and from a JSR on this machine. And the
// module in one file.

import { fileURLToPath, pathToFileURL } from "node:url";
import { findImports } from "../tests/imports.ts";
import { type JsrPackage, JsrServer } from "../tests/jsr.ts";
import { run, temporary } from "./measure.ts";

/** The last commit before the module was redesigned. */
const beforeRedesign = "bfd2362";

const version = "0.1.0";

/** The contents of the files, by their paths, which start with a slash. */
type Files = Record<string, string>;

/** A package that can be imported. */
export interface MeasuredPackage {
  readonly name: string;
  readonly files: Files;
  /** The URL of its `mod.ts`. */
  readonly local: string;
  /** The specifier of the same on JSR. */
  readonly jsr: string;
}

export interface Packages {
  readonly atexit: MeasuredPackage;
  readonly emptyFiles: MeasuredPackage;
  /** `undefined` if the commit is not in this clone. */
  readonly before: MeasuredPackage | undefined;
}

let packages: Promise<Packages> | undefined;

export function getPackages(): Promise<Packages> {
  return packages ??= createPackages();
}

async function createPackages(): Promise<Packages> {
  const files = await readPublished(fileURLToPath(new URL("..", import.meta.url)));
  const atexit = await createPackage("atexit", files);
  const emptyFiles = await createPackage("empty-files", await emptyFilesOf(atexit));
  const old = await checkOutBeforeRedesign();
  const before = old === undefined
    ? undefined
    : await createPackage("before", await readPublished(old));
  return { atexit, emptyFiles, before };
}

async function createPackage(name: string, files: Files): Promise<MeasuredPackage> {
  const folder = `${temporary}/packages/${name}`;
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(`${folder}${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${folder}${path}`, text);
  }
  const local = pathToFileURL(`${folder}/mod.ts`).href;
  return { name: `@atexit/${name}`, files, local, jsr: `jsr:@atexit/${name}@${version}` };
}

/** Bundles a file, and what it imports, into one file of JavaScript. */
export async function bundle(entry: string, outfile: string, ...flags: string[]): Promise<void> {
  const esbuild = ["npx", "--yes", "esbuild@0.25", "--bundle", "--format=esm", "--platform=node"];
  await run([...esbuild, ...flags, `--outfile=${outfile}`, entry]);
}

/** Reads the files that `deno publish` would publish. */
async function readPublished(folder: string): Promise<Files> {
  const command = [Deno.execPath(), "publish", "--dry-run", "--allow-dirty", "--no-check"];
  const { stderr } = await run(command, { cwd: folder });
  const root = pathToFileURL(folder.replace(/\/?$/, "/"));
  const files: Files = {};
  for (const [, url] of stderr.matchAll(/^\s+(file:\S+) \(/gm)) {
    files[`/${url.slice(root.href.length)}`] = await Deno.readTextFile(new URL(url));
  }
  return files;
}

/** The same files. Of those that are imported only the imports are left. */
async function emptyFilesOf({ files, local }: MeasuredPackage): Promise<Files> {
  const root = new URL(".", local).href;
  const imports = Array.from(await findImports(local), ([url, imports]) => [
    `/${url.slice(root.length)}`,
    imports.map(({ specifier }) => `import "${specifier}";\n`).join(""),
  ]);
  return { ...files, ...Object.fromEntries(imports) };
}

async function checkOutBeforeRedesign(): Promise<string | undefined> {
  const folder = `${temporary}/before`;
  const script = `mkdir "$1" && git archive --output "$1.tar" ${beforeRedesign} &&
    tar -x -f "$1.tar" -C "$1"`;
  try {
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    await run(["sh", "-c", script, "sh", folder], { cwd });
    return folder;
  } catch {
    console.error(`No rows of the module before the redesign: no commit ${beforeRedesign} here`);
    return undefined;
  }
}

/** Starts a JSR that has the packages. */
export async function startJsr(packages: Packages): Promise<JsrServer> {
  const published = Object.values(packages).filter((one) => one !== undefined);
  return await JsrServer.start(
    ...published.map(({ name, files }): JsrPackage => ({
      name,
      version,
      exports: { ".": "./mod.ts" },
      files,
    })),
  );
}
